#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <new>
#include <set>
#include <string>
#include <thread>

#include "engine/bfd/io/session_loop.h"
#include "engine/bfd/state_message.h"
#include "engine/io/clock.h"
#include "tests/engine/io/allocation_count.h"
#include "tests/engine/io/test_namespace.h"
#include "tests/engine/io/trapped_calls.h"

// The session thread over the kernel's loopback, where it is its own neighbor: two sessions, each with the other's address. It runs under a list of the system
// calls that it may make, where the kernel traps every other, and its operator new is counted.

namespace vigil::bfd::test {
namespace {

constexpr std::chrono::seconds generous{60};   // the machine may be busy; nothing waits that long on a quiet one

/// From now on the calling thread traps at every call that the session thread has no business with. False when the kernel refuses.
bool enter_list() {
    const scmp_filter_ctx context = ::seccomp_init(SCMP_ACT_TRAP);
    bool is_made = context != nullptr;
    const auto allow = [&](int call, auto... arguments) {
        is_made = is_made && ::seccomp_rule_add(context, SCMP_ACT_ALLOW, call, sizeof...(arguments), arguments...) == 0;
    };
    for (const int call : {SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(timerfd_settime), SCMP_SYS(clock_gettime)}) allow(call);
    allow(SCMP_SYS(recvmmsg), SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_DONTWAIT, MSG_DONTWAIT));
    allow(SCMP_SYS(recvfrom), SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_DONTWAIT, MSG_DONTWAIT));
    allow(SCMP_SYS(sendto), SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_DONTWAIT, MSG_DONTWAIT));
    allow(SCMP_SYS(read), SCMP_A2(SCMP_CMP_EQ, 8));    // the doorbells: eventfds, which do not block
    allow(SCMP_SYS(write), SCMP_A2(SCMP_CMP_EQ, 8));
    // Room for sessions that are added, the end of the thread, and of the handler.
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(exit), SCMP_SYS(rt_sigprocmask),
                           SCMP_SYS(rt_sigreturn)}) {
        allow(call);
    }
    allow(SCMP_SYS(futex), SCMP_A1(SCMP_CMP_MASKED_EQ, FUTEX_CMD_MASK & 0x7fffffff, FUTEX_WAKE));
    is_made = is_made && ::seccomp_load(context) == 0;
    ::seccomp_release(context);
    return is_made;
}

class Loopback : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(vigil::test::count_trapped_calls());
        vigil::test::allocation_count = 0;
        std::array<int, 2> ends{-1, -1};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
        of_loop_ = io::FileDescriptor(ends[0]);
        of_tracker_ = io::FileDescriptor(ends[1]);
        auto loop = SessionLoop::make(7, {.vrrp = of_loop_.get()});
        ASSERT_TRUE(loop);
        loop_ = std::move(*loop);
        thread_ = std::thread([this] {
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
            refused_ = !enter_list();   // a sanitizer makes system calls of its own in every thread
#endif
            vigil::test::is_counting_allocations = true;
            loop_->run();
            vigil::test::is_counting_allocations = false;
        });
    }
    void TearDown() override {
        if (!thread_.joinable()) return;
        post(std::make_unique<Order>());
        thread_.join();
        ::signal(SIGSYS, SIG_DFL);
        if (refused_) GTEST_SKIP() << "missing: seccomp filters";
        EXPECT_EQ(vigil::test::trapped_calls(), std::set<std::string>{});
    }

    void post(std::unique_ptr<Order> order) {
        while (!loop_->post(order)) std::this_thread::yield();
    }
    void add(const char* name, const IpAddress& own, const IpAddress& neighbor, bool is_multihop = false, std::chrono::milliseconds interval = std::chrono::milliseconds{10}) {
        auto order = std::make_unique<Order>();
        order->kind = Order::Kind::add;
        order->spec.name = SessionName(name);
        order->spec.neighbor = neighbor;
        order->spec.source = own;
        order->spec.settings.min_tx = order->spec.settings.min_rx = interval;
        order->spec.settings.multiplier = 255;
        order->spec.is_multihop = is_multihop;
        auto sender = SendPort::open(order->spec);
        ASSERT_TRUE(sender) << sender.error().text();
        EXPECT_GE(sender->source_port(), 49152);   // RFC 5881 §4
        order->sender = std::move(*sender);
        post(std::move(order));
    }
    void listen(Family family, bool is_multihop = false) {
        auto receiver = ReceivePort::open(family, is_multihop);
        ASSERT_TRUE(receiver) << receiver.error().text();
        auto order = std::make_unique<Order>();
        order->kind = Order::Kind::listen;
        order->receiver = std::move(*receiver);
        post(std::move(order));
    }
    void order(Order::Kind kind, const char* name) {
        auto made = std::make_unique<Order>();
        made->kind = kind;
        made->spec.name = SessionName(name);
        post(std::move(made));
    }
    template <class Condition>
    bool wait(Condition holds) {
        const auto limit = std::chrono::steady_clock::now() + generous;
        while (std::chrono::steady_clock::now() < limit) {
            loop_->clear_event();
            loop_->arm_event();
            if (holds()) return true;
            pollfd waited[] = {{loop_->event_fd(), POLLIN, 0}, {of_tracker_.get(), POLLIN, 0}};
            (void)::poll(waited, 2, 20);
        }
        return false;
    }
    /// What the tracker has been told last, by name.
    const std::map<std::string, State>& told() {
        std::array<std::uint8_t, StateMessage::longest> buffer;
        for (ssize_t size = 0; (size = ::recv(of_tracker_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
            const auto message = read_message({buffer.data(), static_cast<std::size_t>(size)});
            if (message) told_[std::string(message->name.view())] = message->state;
        }
        return told_;
    }
    bool wait_told(const char* name, State state) {
        return wait([&] { return told().contains(name) && told().at(name) == state; });
    }
    std::vector<SessionPicture> pictures() {
        auto asked = std::make_unique<Order>();
        asked->kind = Order::Kind::picture;
        asked->pictures.reserve(16);
        post(std::move(asked));
        std::vector<SessionPicture> found;
        wait([&] {
            while (auto done = loop_->take_done()) {
                if (done->kind != Order::Kind::picture) continue;
                found = done->pictures;
                return true;
            }
            return false;
        });
        return found;
    }
    std::uint64_t received() {
        std::uint64_t sum = 0;
        for (const SessionPicture& picture : pictures()) sum += picture.counters.received;
        return sum;
    }
    void become_up(const IpAddress& one, const IpAddress& other, bool is_multihop = false) {
        listen(one.family, is_multihop);
        add("one", one, other, is_multihop);
        add("other", other, one, is_multihop);
        ASSERT_TRUE(wait_told("one", State::up));
        ASSERT_TRUE(wait_told("other", State::up));
    }

    io::FileDescriptor of_loop_;
    io::FileDescriptor of_tracker_;
    std::unique_ptr<SessionLoop> loop_;
    std::thread thread_;
    std::atomic<bool> refused_{false};
    std::map<std::string, State> told_;
};

const IpAddress first = ipv4(127, 0, 0, 1);
const IpAddress second = ipv4(127, 0, 0, 2);

TEST_F(Loopback, TwoSessionsComeUpAndRunWithoutMemoryOrCallsThatMayBlock) {
    become_up(first, second);
    (void)received();
    vigil::test::allocation_count = 0;
    const std::uint64_t before = received();
    ASSERT_TRUE(wait([&] { return received() > before + 500; }));
    EXPECT_EQ(vigil::test::allocation_count, 0u);
    for (const SessionPicture& picture : pictures()) {
        EXPECT_EQ(picture.counters.went_up, 1u);
        EXPECT_EQ(picture.counters.went_down, 0u);
        EXPECT_EQ(transmit_interval(picture.session), Microseconds{10'000});
    }
}

TEST_F(Loopback, OverIpv6) {
    ASSERT_TRUE(io::ip("address replace 2001:db8::2/128 dev lo"));
    become_up(read_address("::1").value(), read_address("2001:db8::2").value());
}

TEST_F(Loopback, OverThePortOfSeveralHops) { become_up(first, second, true); }

TEST_F(Loopback, ARemovedSessionTellsItsNeighborAndIsHeardNoMore) {
    become_up(first, second);
    order(Order::Kind::remove, "other");
    EXPECT_TRUE(wait_told("one", State::down));
    ASSERT_EQ(pictures().size(), 1u);
    EXPECT_EQ(pictures()[0].session.diagnostic, Diagnostic::neighbor_signaled_down);
    EXPECT_EQ(pictures()[0].session.remote_state, State::admin_down);
}

TEST_F(Loopback, ATrackerThatAsksIsToldOfAll) {
    become_up(first, second);
    told_.clear();
    std::array<std::uint8_t, StateMessage::longest> buffer{};
    const auto question = write_message({StateMessage::Kind::ask, {}, State::down, Diagnostic::none}, buffer);
    ASSERT_GT(::send(of_tracker_.get(), question.data(), question.size(), MSG_DONTWAIT), 0);
    EXPECT_TRUE(wait([&] { return told().size() == 2; }));
    EXPECT_EQ(told().at("one"), State::up);
}

TEST_F(Loopback, ATrackerThatDoesNotReadGetsTheLastStateWhenItDoes) {
    become_up(first, second);
    std::array<std::uint8_t, StateMessage::longest> buffer{};
    const auto noise = write_message({StateMessage::Kind::reset, {}, State::down, Diagnostic::none}, buffer);
    while (::send(of_loop_.get(), noise.data(), noise.size(), MSG_DONTWAIT) > 0) {
    }                                                    // as much as the tracker has room for
    order(Order::Kind::remove, "other");
    ASSERT_TRUE(wait([&] { return pictures()[0].session.state == State::down; }));
    add("other", second, first);
    ASSERT_TRUE(wait([&] {
        for (const SessionPicture& picture : pictures()) {
            if (picture.session.state != State::up) return false;
        }
        return pictures().size() == 2;
    }));
    const std::uint64_t before = received();
    ASSERT_TRUE(wait([&] { return received() > before + 50; }));   // the sessions do not care
    told_.clear();
    EXPECT_TRUE(wait_told("one", State::up));
    EXPECT_TRUE(wait_told("other", State::up));
}

TEST_F(Loopback, AnAddressThatIsNotThereYetIsSaidOnceAndThenUsed) {
    listen(Family::ipv4);
    add("one", ipv4(192, 0, 2, 1), second);
    ASSERT_TRUE(wait([&] {
        while (const auto occurrence = loop_->next_occurrence()) {
            if (occurrence->kind == Occurrence::Kind::send_failed) return occurrence->error_number != 0;
        }
        return false;
    }));
    ASSERT_TRUE(io::ip("address add 192.0.2.1/32 dev lo"));
    EXPECT_TRUE(wait([&] {
        while (const auto occurrence = loop_->next_occurrence()) {
            if (occurrence->kind == Occurrence::Kind::sends_again) return true;
        }
        return false;
    }));
    ASSERT_TRUE(io::ip("address delete 192.0.2.1/32 dev lo"));
}

TEST(ReceivePort, AnotherProgramsPortIsAnError) {
    const auto mine = ReceivePort::open(Family::ipv4, true);
    ASSERT_TRUE(mine);
    const auto again = ReceivePort::open(Family::ipv4, true);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().number, EADDRINUSE);
}

}  // namespace
}  // namespace vigil::bfd::test
