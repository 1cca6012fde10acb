#include "engine/io/fast_loop.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/io/loop_runner.h"
#include "tests/engine/io/test_namespace.h"
#include "tests/engine/io/test_wire.h"

// The loop over a veth pair, with a fake engine that writes down how it was called.

namespace vigil::io {
namespace {

using engine::Command;
using engine::Event;
using engine::LinkIndex;
using engine::RouterIndex;
using Call = FakeEngine::Call;

class LoopOverVeth : public testing::TestWithParam<BackendChoice> {
protected:
    void SetUp() override {
        if (!runner.refusal.empty()) GTEST_SKIP() << runner.refusal;
        make_veth_pair();
        give_port();
    }
    void TearDown() override {
        runner.stop();
        remove_veth_pair();
    }
    void give_port() { ASSERT_EQ(runner.channel->hand_over(open_port(port_options("v0", 0))), nullptr); }
    void send_and_let_arrive(std::uint32_t count) {
        Tap sender("v1");
        Tap control("v0");
        for (std::uint32_t i = 0; i < count; ++i) ASSERT_TRUE(sender.send(multicast_frame(i)));
        for (std::uint32_t i = 0; i < count; ++i) ASSERT_FALSE(control.receive().empty());
    }
    /// Until the engine has been given `count` frames in all.
    bool wait_for_frames(std::uint32_t count) {
        return runner.wait_for_event([count](const Event& event) { return event.kind == Event::Kind::lower_heard && event.detail == count; });
    }

    LoopRunner runner{GetParam(), {.link_count = 2, .batch = {.urgent = 16, .paced = 16, .scratch_bytes = 8192}}};
};
INSTANTIATE_TEST_SUITE_P(Both, LoopOverVeth, testing::Values(BackendChoice::uring, BackendChoice::epoll), backend_name);

TEST_P(LoopOverVeth, GivesFramesBeforeTimeAfterAStall) {
    send_and_let_arrive(60);                                            // they lie in the ring: nobody has run yet
    runner.engine.deadline = clock::now() - std::chrono::seconds{1};    // and a timer is overdue
    runner.engine.frames_per_call = 7;                                  // even when the engine takes them in pieces
    runner.run_to_the_end();
    ASSERT_EQ(runner.engine.frames.size(), 60u);
    ASSERT_FALSE(runner.engine.calls.empty());
    EXPECT_EQ(runner.engine.calls.back(), Call::time);
    EXPECT_EQ(std::count(runner.engine.calls.begin(), runner.engine.calls.end(), Call::time), 1);
    for (std::uint32_t i = 0; i < 60; ++i) EXPECT_EQ(number_in(runner.engine.frames[i]), i);
}

TEST_P(LoopOverVeth, CommandsComeBeforeFrames) {
    send_and_let_arrive(3);
    ASSERT_TRUE(runner.channel->post(Command{}));
    runner.run_to_the_end();
    ASSERT_GE(runner.engine.calls.size(), 2u);
    EXPECT_EQ(runner.engine.calls.front(), Call::command);
    EXPECT_EQ(runner.engine.calls[1], Call::frames);
}

TEST_P(LoopOverVeth, FramesCountFromTheirArrival) {
    send_and_let_arrive(10);
    const Instant before_the_run = clock::now();
    runner.run_to_the_end();
    ASSERT_EQ(runner.engine.arrivals.size(), 10u);
    for (const Instant arrival : runner.engine.arrivals) EXPECT_LE(arrival, before_the_run + std::chrono::milliseconds{1});
}

TEST_P(LoopOverVeth, FramesOfAFullRingCountAsHeardNow) {
    send_and_let_arrive(200);   // 64 slots: what came later was lost, so silence proves nothing
    const Instant before_the_run = clock::now();
    runner.run_to_the_end();
    ASSERT_EQ(runner.engine.arrivals.size(), 64u);
    for (const Instant arrival : runner.engine.arrivals) EXPECT_GE(arrival, before_the_run);
}

TEST_P(LoopOverVeth, TheEngineIsToldBeforeItsTimersThatFramesWereLost) {
    send_and_let_arrive(200);
    runner.engine.deadline = clock::now() - std::chrono::seconds{1};
    runner.run_to_the_end();
    ASSERT_EQ(runner.engine.commands.size(), 1u);
    EXPECT_EQ(runner.engine.commands[0].kind, Command::Kind::frames_lost);
    EXPECT_EQ(runner.engine.commands[0].link, LinkIndex{0});
    const auto call = [&](Call kind) { return std::find(runner.engine.calls.begin(), runner.engine.calls.end(), kind); };
    EXPECT_LT(call(Call::frames), call(Call::command));
    EXPECT_LT(call(Call::command), call(Call::time));
}

TEST_P(LoopOverVeth, WithoutALossTheEngineIsToldNothing) {
    send_and_let_arrive(60);
    runner.run_to_the_end();
    EXPECT_TRUE(runner.engine.commands.empty());
}

TEST_P(LoopOverVeth, AFrameThatWaitedTellsOfAPause) {
    Tap sender("v1");
    runner.start();
    ASSERT_TRUE(sender.send(multicast_frame(1)));
    ASSERT_TRUE(wait_for_frames(1));
    // Its thread is busy with a command while a frame arrives; nothing else is due.
    runner.engine.command_action = [&](const Command&, Instant, engine::TxBatch&) {
        EXPECT_TRUE(sender.send(multicast_frame(2)));
        std::this_thread::sleep_for(FakeLoop::least_pause + std::chrono::milliseconds{50});
        return true;
    };
    ASSERT_TRUE(runner.channel->post(Command{}));
    ASSERT_TRUE(runner.wait_for_event([](const Event& event) { return event.kind == Event::Kind::paused && event.detail >= 300; }));
}

TEST_P(LoopOverVeth, CountsWhatARingLost) {
    send_and_let_arrive(200);
    runner.start();
    ASSERT_TRUE(wait_for_frames(64));
    ASSERT_TRUE(runner.channel->request_snapshot());
    ASSERT_TRUE(runner.wait([&] { return runner.channel->take_snapshot() != nullptr; }));
    const LinkSnapshot link = runner.channel->take_snapshot()->links.at(0);
    EXPECT_TRUE(link.has_port);
    EXPECT_EQ(link.counters.frames, 64u);
    EXPECT_EQ(link.counters.overflows, 1u);
    EXPECT_EQ(link.counters.drops, 136u);
}

TEST_P(LoopOverVeth, JunkNeitherWakesNorReachesTheEngineAndIsInThePicture) {
    runner.start();
    Tap sender("v1");
    for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_TRUE(sender.send(junk_frame(i)));
    ASSERT_TRUE(sender.send(multicast_frame(1)));
    ASSERT_TRUE(wait_for_frames(1));
    ASSERT_TRUE(runner.channel->request_snapshot());
    ASSERT_TRUE(runner.wait([&] { return runner.channel->take_snapshot() != nullptr; }));
    const Snapshot* snapshot = runner.channel->take_snapshot();
    EXPECT_EQ(snapshot->links.at(0).counters.junk, 1000u);
    EXPECT_LT(snapshot->loop.passes, 20u);
    EXPECT_EQ(runner.engine.frames.size(), 1u);
}

TEST_P(LoopOverVeth, WakesForArrivals) {
    runner.start();
    Tap sender("v1");
    // The port is in use once its first frame is heard.
    for (std::uint32_t i = 1; i <= 300; ++i) {
        ASSERT_TRUE(sender.send(multicast_frame(i)));
        ASSERT_TRUE(wait_for_frames(i)) << i;
    }
}

TEST_P(LoopOverVeth, UrgentFramesLeaveBeforePacedOnes) {
    Tap peer("v1");
    runner.engine.deadline = Instant{1};
    runner.engine.time_action = [](Instant, engine::TxBatch& tx) {
        const Frame paced = multicast_frame(2);
        const Frame urgent = multicast_frame(1);
        tx.push_paced_copy({.data = paced.data(), .size = 60, .link = LinkIndex{0}, .router = RouterIndex{0}});
        tx.push_urgent_copy({.data = urgent.data(), .size = 60, .link = LinkIndex{0}, .router = RouterIndex{0}});
    };
    runner.run_to_the_end();
    EXPECT_EQ(number_in(peer.receive()), 1u);
    EXPECT_EQ(number_in(peer.receive()), 2u);
}

TEST_P(LoopOverVeth, StopAdvertsAreOnTheWireWhenTheLoopHasEnded) {
    Tap peer("v1");
    runner.start();
    std::uint32_t next = 0;
    runner.engine.command_action = [&](const Command& command, Instant, engine::TxBatch& tx) {
        if (command.kind != Command::Kind::shutdown) return true;
        for (; next < 500; ++next) {   // the batch holds 16
            const Frame stop = multicast_frame(next);
            if (!tx.push_urgent_copy({.data = stop.data(), .size = 60, .link = LinkIndex{0}, .router = RouterIndex{next}})) return false;
        }
        return true;
    };
    Command shutdown;
    shutdown.kind = Command::Kind::shutdown;
    ASSERT_TRUE(runner.channel->post(shutdown));
    runner.stop();
    for (std::uint32_t i = 0; i < 500; ++i) ASSERT_EQ(number_in(peer.receive_now()), i);
}

TEST_P(LoopOverVeth, ALinkThatGoesAwayIsReportedAndAllElseGoesOn) {
    runner.engine.deadline = Instant{1};
    runner.engine.time_action = [&](Instant now, engine::TxBatch& tx) {
        const Frame advert = multicast_frame(1);
        tx.push_urgent_copy({.data = advert.data(), .size = 60, .link = LinkIndex{0}, .router = RouterIndex{5}});
        runner.engine.deadline = now + std::chrono::milliseconds{2};
    };
    runner.start();
    Tap peer("v1");
    ASSERT_FALSE(peer.receive().empty());
    remove_veth_pair();
    ASSERT_TRUE(runner.wait_for_event([](const Event& event) {
        return event.kind == Event::Kind::transmit_failed && event.router == RouterIndex{5} && event.detail == ENXIO;
    }));
    make_veth_pair();   // the same names, other indices
    give_port();
    Tap new_peer("v1");
    EXPECT_FALSE(new_peer.receive().empty());
    std::unique_ptr<LinkPort> old;
    EXPECT_TRUE(runner.wait([&] { return (old = runner.channel->take_returned()) != nullptr; }));
}

TEST_P(LoopOverVeth, AWithdrawnPortComesBack) {
    runner.start();
    ASSERT_TRUE(runner.channel->withdraw(LinkIndex{0}));
    std::unique_ptr<LinkPort> back;
    ASSERT_TRUE(runner.wait([&] { return (back = runner.channel->take_returned()) != nullptr; }));
    EXPECT_EQ(back->link(), LinkIndex{0});
}

TEST_P(LoopOverVeth, APortForAnUnknownLinkComesBack) {
    runner.start();
    ASSERT_EQ(runner.channel->hand_over(open_port(port_options("v1", 99))), nullptr);
    std::unique_ptr<LinkPort> back;
    ASSERT_TRUE(runner.wait([&] { return (back = runner.channel->take_returned()) != nullptr; }));
    EXPECT_EQ(back->link(), LinkIndex{99});
}

TEST_P(LoopOverVeth, AFullQueueingDisciplineIsTriedAgain) {
    // Of eight frames of 500 octets the discipline passes three at once and holds three; the others are refused with ENOBUFS until there is
    // room: two more per millisecond.
    if (std::system("tc qdisc add dev v0 root tbf rate 8mbit burst 1540 limit 1540 2>/dev/null") != 0) GTEST_SKIP() << "missing: tc or sch_tbf";
    Tap peer("v1");
    runner.engine.deadline = Instant{1};
    runner.engine.time_action = [](Instant, engine::TxBatch& tx) {
        for (std::uint32_t i = 0; i < 8; ++i) {
            const Frame advert = multicast_frame(i, 500);
            tx.push_urgent_copy({.data = advert.data(), .size = 500, .link = LinkIndex{0}, .router = RouterIndex{i}});
        }
    };
    runner.run_to_the_end();
    std::vector<std::uint32_t> numbers;
    for (int i = 0; i < 8; ++i) numbers.push_back(number_in(peer.receive()));
    std::sort(numbers.begin(), numbers.end());
    EXPECT_EQ(numbers, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7}));
    EXPECT_TRUE(runner.engine.errors.empty());
}

}  // namespace
}  // namespace vigil::io
