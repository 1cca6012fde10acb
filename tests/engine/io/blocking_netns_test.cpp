#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <set>
#include <string>

#include "engine/core/journal.h"
#include "engine/io/fast_loop.h"
#include "tests/engine/core/engine_harness.h"
#include "tests/engine/io/loop_runner.h"
#include "tests/engine/io/test_namespace.h"
#include "tests/engine/io/test_wire.h"
#include "tests/engine/io/trapped_calls.h"

// Nothing that may block runs on the fast thread. It runs here under a list of the system calls that it may make, and the kernel traps every other:
// a file, a lock that is waited for, memory, a sleep, a log line, a send without MSG_DONTWAIT. Of read() and write() only those of the two
// doorbells are on the list. The calls that were trapped are named by the test that fails.

namespace vigil::io {
namespace {

/// From now on the calling thread traps at every call that the fast thread has no business with. False when the kernel refuses.
bool enter_list(ControlChannel& channel) {
    const scmp_filter_ctx context = ::seccomp_init(SCMP_ACT_TRAP);
    bool is_made = context != nullptr;
    const auto allow = [&](int call, auto... arguments) {
        is_made = is_made && ::seccomp_rule_add(context, SCMP_ACT_ALLOW, call, sizeof...(arguments), arguments...) == 0;
    };
    for (const int call : {SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
                           SCMP_SYS(timerfd_settime), SCMP_SYS(getsockopt), SCMP_SYS(clock_gettime)}) {
        allow(call);
    }
    const auto fd = [](int number) { return static_cast<scmp_datum_t>(number); };
    allow(SCMP_SYS(sendmmsg), SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_DONTWAIT, MSG_DONTWAIT));
    allow(SCMP_SYS(read), SCMP_A0(SCMP_CMP_EQ, fd(channel.to_fast().fd())));
    allow(SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, fd(channel.to_control().fd())));
    // The end of the thread, and of the handler.
    for (const int call : {SCMP_SYS(exit), SCMP_SYS(madvise), SCMP_SYS(munmap), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn)}) allow(call);
    allow(SCMP_SYS(futex), SCMP_A1(SCMP_CMP_MASKED_EQ, FUTEX_CMD_MASK & 0x7fffffff, FUTEX_WAKE));
    is_made = is_made && ::seccomp_load(context) == 0;
    ::seccomp_release(context);
    return is_made;
}

class Blocking : public testing::TestWithParam<BackendChoice> {
protected:
    void SetUp() override {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
        GTEST_SKIP() << "a sanitizer makes system calls of its own in every thread";
#endif
        ASSERT_TRUE(vigil::test::count_trapped_calls());
    }
    void TearDown() override { ::signal(SIGSYS, SIG_DFL); }

    /// Runs the loop in a thread that may only do what is on the list.
    template <class Loop>
    std::thread run(Loop& loop, ControlChannel& channel) {
        return std::thread([&] {
            refused_ = !enter_list(channel);
            EXPECT_TRUE(loop.run());
        });
    }
    std::atomic<bool> refused_{false};
};
INSTANTIATE_TEST_SUITE_P(Both, Blocking, testing::Values(BackendChoice::uring, BackendChoice::epoll), backend_name);

/// The whole session of a daemon's fast thread: an engine, its wire, and a control thread that asks for everything.
struct Session {
    engine::Engine engine;
    std::unique_ptr<ControlChannel> channel;
    std::unique_ptr<FastLoop> loop;
    engine::JournalRing journal_ring{1 << 20};
    engine::Journal journal{journal_ring};

    Session(BackendChoice choice, std::string& refusal) : engine(make_engine()) {
        channel = ControlChannel::make({.links = 1, .routers = 2}).value();
        auto chosen = make_backend(choice, 1, channel->to_fast().fd());
        if (!chosen) {
            refusal = chosen.error().text();
            return;
        }
        loop = std::make_unique<FastLoop>(engine, *channel, std::move(chosen->backend), LoopOptions{.link_count = 1}, &journal);
    }
    static engine::Engine make_engine() {
        engine::RouterSpec unicast = test::unicast_router(8, Priority{100});
        engine::EngineSpec spec = test::with({test::v3_router(7, Priority{100}), unicast});
        for (engine::RouterSpec& router : spec.routers) router.interval = Centiseconds{1};
        return engine::Engine::make(spec, clock::now()).value();
    }

    void post(engine::Command::Kind kind, engine::RouterIndex router = engine::RouterIndex::none) {
        engine::Command command;
        command.kind = kind;
        command.router = router;
        command.link = engine::LinkIndex{0};
        ASSERT_TRUE(channel->post(command));
    }
    template <class Condition>
    bool wait(Condition holds) {
        const Instant limit = clock::now() + std::chrono::milliseconds{generous_ms};
        while (clock::now() < limit) {
            channel->arm();
            if (holds()) return true;
            pollfd poller{channel->event_fd(), POLLIN, 0};
            (void)::poll(&poller, 1, 100);
            channel->clear_event_fd();
        }
        return false;
    }
    bool wait_for_state(engine::State state) {
        return wait([&] {
            while (const auto event = channel->next_event()) {
                if (event->kind == engine::Event::Kind::transition && event->router == engine::RouterIndex{0} && event->to == state) return true;
            }
            return false;
        });
    }
    bool has_snapshot() {
        channel->request_snapshot();
        return wait([&] { return channel->take_snapshot() != nullptr; });
    }
};

LinkPortOptions options_of_a_session() {
    LinkPortOptions options = port_options("v0", 0);
    options.routes_ipv4 = true;
    return options;
}

TEST_P(Blocking, AWholeSessionMakesNoCallThatMayBlock) {
    make_veth_pair();
    ASSERT_TRUE(ip("address add 10.0.0.1/24 dev v0"));
    std::string refusal;
    Session session(GetParam(), refusal);
    if (!refusal.empty()) GTEST_SKIP() << refusal;
    Tap peer("v1");
    ASSERT_EQ(session.channel->hand_over(open_port(options_of_a_session())), nullptr);
    std::thread thread = run(*session.loop, *session.channel);
    using Kind = engine::Command::Kind;
    session.post(Kind::start);
    EXPECT_TRUE(session.wait_for_state(engine::State::active));
    session.post(Kind::addresses_ready, engine::RouterIndex{0});
    const test::Octets better = test::v3_frame(7, 200).build();
    ASSERT_TRUE(peer.send(Frame(better.begin(), better.end())));
    EXPECT_TRUE(session.wait_for_state(engine::State::backup));
    EXPECT_TRUE(session.wait_for_state(engine::State::active));
    // A flood of what the filter refuses, of what the engine refuses, and more than the ring holds.
    const test::Octets bad = test::v3_frame(7, 200).bad_checksum().build();
    for (std::uint32_t i = 0; i < 2000; ++i) EXPECT_TRUE(peer.send(junk_frame(i)) && peer.send(Frame(bad.begin(), bad.end())));
    EXPECT_TRUE(session.has_snapshot());
    const Snapshot* snapshot = session.channel->take_snapshot();
    EXPECT_EQ(snapshot->links.at(0).counters.junk, 2000u);
    EXPECT_GT(snapshot->engine.errors[static_cast<std::size_t>(packet::ReceiveError::bad_checksum)], 0u);
    session.channel->release_snapshot();
    // A port is replaced, a link goes down, goes away and comes back.
    ASSERT_EQ(session.channel->hand_over(open_port(options_of_a_session())), nullptr);
    EXPECT_TRUE(session.wait([&] { return session.channel->take_returned() != nullptr; }));
    session.post(Kind::link_down);
    EXPECT_TRUE(session.wait_for_state(engine::State::initialize));
    remove_veth_pair();
    session.post(Kind::link_up);
    EXPECT_TRUE(session.wait_for_state(engine::State::active));
    EXPECT_TRUE(session.channel->withdraw(engine::LinkIndex{0}));
    EXPECT_TRUE(session.wait([&] { return session.channel->take_returned() != nullptr; }));
    session.post(Kind::shutdown);
    session.channel->request_stop();
    thread.join();
    if (refused_) GTEST_SKIP() << "missing: seccomp filters";
    EXPECT_EQ(vigil::test::trapped_calls(), std::set<std::string>{});
    std::array<std::uint8_t, 16> journal{};
    EXPECT_EQ(session.journal_ring.read(journal), journal.size()) << "the journal was on";
}

/// The proof that the test above can fail.
TEST_P(Blocking, CallsThatMayBlockAreNoticed) {
    LoopRunner runner{GetParam()};
    if (!runner.refusal.empty()) GTEST_SKIP() << runner.refusal;
    // What a log line, a file and a pause would do.
    runner.engine.command_action = [](const engine::Command&, Instant, engine::TxBatch&) {
        const int file = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)!::write(STDERR_FILENO, "", 0);
        (void)::fsync(file);
        const timespec moment{0, 1};
        (void)::nanosleep(&moment, nullptr);
        return true;
    };
    std::thread thread = run(*runner.loop, *runner.channel);
    ASSERT_TRUE(runner.channel->post(engine::Command{}));
    runner.channel->request_stop();
    thread.join();
    if (refused_) GTEST_SKIP() << "missing: seccomp filters";
    for (const char* call : {"openat", "write", "fsync", "clock_nanosleep"}) EXPECT_TRUE(vigil::test::trapped_calls().contains(call)) << call;
}

}  // namespace
}  // namespace vigil::io
