#include "engine/io/fast_loop.h"

#include <gtest/gtest.h>

#include "tests/engine/io/loop_runner.h"

// The loop and its channel with a fake engine and no network; frames are in fast_loop_netns_test.cpp. These run under TSan.

namespace vigil::io {
namespace {

using engine::Command;
using engine::LinkIndex;
using engine::RouterIndex;
using engine::TxFrame;

Command command_for(std::uint32_t router) {
    Command command;
    command.router = RouterIndex{router};
    return command;
}

class FastLoopTest : public testing::TestWithParam<BackendChoice> {
protected:
    void SetUp() override {
        if (!runner.refusal.empty()) GTEST_SKIP() << runner.refusal;
    }
    LoopRunner runner{GetParam(), {.link_count = 2, .batch = {.urgent = 4, .paced = 4, .scratch_bytes = 1024}}};
};
INSTANTIATE_TEST_SUITE_P(Both, FastLoopTest, testing::Values(BackendChoice::uring, BackendChoice::epoll), backend_name);

TEST_P(FastLoopTest, CarriesOutCommandsInOrderAndAnswersWithEvents) {
    runner.start();
    constexpr std::uint32_t count = 20'000;
    std::uint32_t heard = 0;
    const auto count_events = [&] {
        while (const auto event = runner.channel->next_event()) EXPECT_EQ(event->detail, ++heard);
        return true;
    };
    for (std::uint32_t i = 0; i < count; ++i) {
        while (!runner.channel->post(command_for(i))) count_events();
        if (i % 64 == 0) count_events();
    }
    EXPECT_TRUE(runner.wait([&] { return count_events() && heard == count; })) << heard;
    runner.stop();
    ASSERT_EQ(runner.engine.commands.size(), count);
    for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(runner.engine.commands[i].router, RouterIndex{i});
}

TEST_P(FastLoopTest, WakesFromAnEndlessSleepForACommand) {
    runner.start();
    for (std::uint32_t i = 1; i <= 200; ++i) {
        ASSERT_TRUE(runner.channel->post(command_for(i)));
        ASSERT_TRUE(runner.wait_for_event([&](const engine::Event& event) { return event.detail == i; })) << i;
    }
}

TEST_P(FastLoopTest, TellsTheWallClockBeforeAnythingElseToAnEngineThatSigns) {
    runner.engine.wants_wall_clock = true;
    ASSERT_TRUE(runner.channel->post(command_for(7)));
    runner.start();
    ASSERT_TRUE(runner.wait_for_event([&](const engine::Event& event) { return event.detail == 2; }));
    runner.stop();
    ASSERT_GE(runner.engine.commands.size(), 2u);
    ASSERT_EQ(runner.engine.commands[0].kind, Command::Kind::set_wall_clock);
    EXPECT_LT(std::chrono::abs(wall_clock_of(runner.engine.commands[0]) + clock::realtime_to_boot()), std::chrono::seconds{60});
    EXPECT_EQ(runner.engine.commands[1].router, RouterIndex{7});
}

TEST_P(FastLoopTest, TellsNoWallClockToAnEngineThatDoesNotSign) {
    runner.start();
    ASSERT_TRUE(runner.channel->post(command_for(7)));
    ASSERT_TRUE(runner.wait_for_event([&](const engine::Event& event) { return event.detail == 1; }));
    runner.stop();
    ASSERT_EQ(runner.engine.commands.size(), 1u);
    EXPECT_EQ(runner.engine.commands[0].router, RouterIndex{7});
}

TEST_P(FastLoopTest, ServesADeadlineWithoutBeingWoken) {
    runner.engine.deadline = clock::now() + std::chrono::milliseconds{5};
    const Instant deadline = runner.engine.deadline;
    Instant served{};
    runner.engine.time_action = [&](Instant now, engine::TxBatch&) {
        served = now;
        runner.engine.events.push_back({});
    };
    runner.start();
    ASSERT_TRUE(runner.wait_for_event([](const engine::Event&) { return true; }));
    runner.stop();
    EXPECT_GE(served, deadline);   // never early
}

TEST_P(FastLoopTest, WhatWasPostedBeforeTheRequestToStopIsCarriedOut) {
    for (std::uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(runner.channel->post(command_for(i)));
    runner.run_to_the_end();
    EXPECT_EQ(runner.engine.commands.size(), 100u);
}

TEST_P(FastLoopTest, ACommandThatFillsTheBatchGoesOnWithAnEmptyOne) {
    const std::vector<std::uint8_t> bytes(60);
    std::uint32_t next = 0;
    runner.engine.command_action = [&](const Command&, Instant, engine::TxBatch& tx) {
        for (; next < 50; ++next) {
            if (!tx.push_urgent({.data = bytes.data(), .size = 60, .link = LinkIndex{0}, .router = RouterIndex{next}})) return false;
        }
        return true;
    };
    ASSERT_TRUE(runner.channel->post(command_for(0)));
    runner.run_to_the_end();
    // There is no port, so every frame comes back as an error: each exactly once, in order.
    ASSERT_EQ(runner.engine.errors.size(), 50u);
    for (std::uint32_t i = 0; i < 50; ++i) EXPECT_EQ(runner.engine.errors[i], std::pair(RouterIndex{i}, ENXIO));
}

TEST_P(FastLoopTest, EventsWaitWhileTheChannelIsFull) {
    LoopRunner small(GetParam(), {}, {.events = 4, .links = 1, .routers = 1});
    for (std::uint32_t i = 0; i < 300; ++i) small.engine.events.push_back({.detail = i});
    small.start();
    std::uint32_t next = 0;
    EXPECT_TRUE(small.wait_for_event([&](const engine::Event& event) {
        EXPECT_EQ(event.detail, next++);
        return next == 300;
    }));
}

TEST_P(FastLoopTest, GivesASnapshotOnRequest) {
    runner.engine.router_counters[0].adverts_sent = 42;
    runner.engine.totals.frames = 7;
    runner.start();
    EXPECT_EQ(runner.channel->take_snapshot(), nullptr);
    for (int round = 0; round < 20; ++round) {
        ASSERT_TRUE(runner.channel->request_snapshot());
        EXPECT_FALSE(runner.channel->request_snapshot());   // one at a time
        ASSERT_TRUE(runner.wait([&] { return runner.channel->take_snapshot() != nullptr; }));
        const Snapshot* snapshot = runner.channel->take_snapshot();
        EXPECT_EQ(snapshot->routers.at(0).counters.adverts_sent, 42u);
        EXPECT_EQ(snapshot->engine.frames, 7u);
        EXPECT_GT(snapshot->loop.passes, 0u);
        EXPECT_FALSE(snapshot->links.at(0).has_port);
        runner.channel->release_snapshot();
    }
}

TEST_P(FastLoopTest, ASnapshotMayClearTheCounters) {
    runner.engine.router_counters[0].adverts_sent = 42;
    runner.start();
    const auto picture = [&](bool clears) -> std::uint64_t {
        EXPECT_TRUE(runner.channel->request_snapshot(clears));
        EXPECT_TRUE(runner.wait([&] { return runner.channel->take_snapshot() != nullptr; }));
        const Snapshot* snapshot = runner.channel->take_snapshot();
        if (snapshot == nullptr) return 0;
        EXPECT_EQ(snapshot->has_cleared, clears);
        const std::uint64_t sent = snapshot->routers.at(0).counters.adverts_sent;
        runner.channel->release_snapshot();
        return sent;
    };
    EXPECT_EQ(picture(false), 42u);
    EXPECT_EQ(picture(true), 42u);
    EXPECT_EQ(picture(false), 0u);
}

TEST_P(FastLoopTest, ASnapshotOfManyRoutersIsComplete) {
    LoopRunner large(GetParam(), {}, {.links = 1, .routers = 5000});
    large.engine.router_counters.resize(5000);
    for (std::size_t i = 0; i < 5000; ++i) large.engine.router_counters[i].adverts_sent = i;
    large.start();
    ASSERT_TRUE(large.channel->request_snapshot());
    ASSERT_TRUE(large.wait([&] { return large.channel->take_snapshot() != nullptr; }));
    const Snapshot* snapshot = large.channel->take_snapshot();
    for (std::size_t i = 0; i < 5000; ++i) ASSERT_EQ(snapshot->routers[i].counters.adverts_sent, i);
}

TEST_P(FastLoopTest, APauseIsToldWithItsLength) {
    bool has_slept = false;
    runner.engine.time_action = [&](Instant now, engine::TxBatch&) {
        if (std::exchange(has_slept, true)) return;
        std::this_thread::sleep_for(std::chrono::milliseconds{700});
        runner.engine.deadline = now;
    };
    runner.engine.deadline = Instant{1};
    runner.start();
    engine::Event pause;
    ASSERT_TRUE(runner.wait_for_event([&](const engine::Event& event) {
        pause = event;
        return event.kind == engine::Event::Kind::paused;
    }));
    EXPECT_GE(pause.detail, 700u);
    EXPECT_EQ(pause.router, engine::RouterIndex::none);
}

TEST_P(FastLoopTest, AMeasureOfLatenessIsKept) {
    runner.engine.deadline = clock::now() - std::chrono::milliseconds{3};
    runner.start();
    ASSERT_TRUE(runner.channel->request_snapshot());
    ASSERT_TRUE(runner.wait([&] { return runner.channel->take_snapshot() != nullptr; }));
    EXPECT_GE(runner.channel->take_snapshot()->loop.lateness.worst, Nanoseconds{std::chrono::milliseconds{3}});
}

/// A loop whose first pass finds that its engine shall go.
class Replacement : public testing::TestWithParam<BackendChoice> {
protected:
    void SetUp() override {
        if (!runner.refusal.empty()) GTEST_SKIP() << runner.refusal;
        runner.loop->replace_engine(successor);
    }
    bool is_replaced() {
        return runner.wait([&] {
            while (const auto event = runner.channel->next_event()) told.push_back(event->detail);
            return runner.loop->has_replaced_engine();
        });
    }
    /// The loop has made another pass.
    bool has_turned() {
        const bool is_asked = runner.channel->request_snapshot();
        const bool is_there = is_asked && runner.wait([&] { return runner.channel->take_snapshot() != nullptr; });
        if (is_there) runner.channel->release_snapshot();
        return is_there;
    }

    FakeEngine second;
    const std::vector<RouterIndex> predecessors{RouterIndex{0}, RouterIndex::none};
    const FakeLoop::Successor successor{&second, predecessors};
    std::vector<std::uint32_t> told;
    LoopRunner runner{GetParam(), {}, {.events = 4, .links = 1, .routers = 1}};   // its thread ends before the others do
};
INSTANTIATE_TEST_SUITE_P(Both, Replacement, testing::Values(BackendChoice::uring, BackendChoice::epoll), backend_name);

TEST_P(Replacement, CommandsBeforeItAreOfTheOldEngineAndThoseAfterItOfTheNew) {
    ASSERT_TRUE(runner.channel->post(command_for(7)));
    runner.start();
    ASSERT_TRUE(is_replaced());
    ASSERT_TRUE(runner.channel->post(command_for(8)));
    runner.loop->continue_with_events();
    runner.stop();
    ASSERT_EQ(runner.engine.commands.size(), 1u);
    EXPECT_EQ(runner.engine.commands[0].router, RouterIndex{7});
    ASSERT_EQ(second.commands.size(), 1u);
    EXPECT_EQ(second.commands[0].router, RouterIndex{8});
    EXPECT_EQ(second.adopted, &runner.engine);
    EXPECT_EQ(second.predecessors, predecessors);
}

TEST_P(Replacement, WaitsUntilAllEventsOfTheOldEngineAreInTheChannel) {
    for (std::uint32_t i = 0; i < 300; ++i) runner.engine.events.push_back({.detail = i});
    runner.start();
    ASSERT_TRUE(has_turned());
    EXPECT_FALSE(runner.loop->has_replaced_engine()) << "the channel holds four";
    ASSERT_TRUE(is_replaced());
    while (const auto event = runner.channel->next_event()) told.push_back(event->detail);
    ASSERT_EQ(told.size(), 300u);
    for (std::uint32_t i = 0; i < 300; ++i) EXPECT_EQ(told[i], i);
}

TEST_P(Replacement, HoldsBackWhatTheNewEngineTellsUntilItMaySpeak) {
    second.events.push_back({.detail = 1000});
    runner.start();
    ASSERT_TRUE(is_replaced());
    ASSERT_TRUE(has_turned() && has_turned());   // the first may be the pass that replaced it
    EXPECT_FALSE(runner.channel->next_event());
    EXPECT_TRUE(told.empty());
    runner.loop->continue_with_events();
    EXPECT_TRUE(runner.wait_for_event([](const engine::Event& event) { return event.detail == 1000; }));
}

TEST_P(Replacement, FramesOfTheOldEngineLeaveBeforeItGoes) {
    const std::vector<std::uint8_t> bytes(60);
    runner.engine.command_action = [&](const Command&, Instant, engine::TxBatch& tx) {
        return tx.push_urgent({.data = bytes.data(), .size = 60, .link = LinkIndex{0}, .router = RouterIndex{3}});
    };
    ASSERT_TRUE(runner.channel->post(command_for(0)));
    runner.start();
    ASSERT_TRUE(is_replaced());
    runner.loop->continue_with_events();
    runner.stop();
    // There is no port, so the frame comes back: to the engine that knows the router by this number.
    ASSERT_EQ(runner.engine.errors.size(), 1u);
    EXPECT_EQ(runner.engine.errors[0], std::pair(RouterIndex{3}, ENXIO));
    EXPECT_TRUE(second.errors.empty());
}

TEST_P(Replacement, TheNewEnginesDeadlineIsServed) {
    runner.engine.deadline = clock::now() + std::chrono::milliseconds{5};   // adopted
    second.time_action = [&](Instant, engine::TxBatch&) { second.events.push_back({.detail = 5}); };
    runner.engine.time_action = [&](Instant, engine::TxBatch&) { runner.engine.deadline = clock::now(); };   // late machine: not yet adopted
    runner.start();
    ASSERT_TRUE(is_replaced());
    runner.loop->continue_with_events();
    EXPECT_TRUE(runner.wait_for_event([](const engine::Event& event) { return event.detail == 5; }));
}

}  // namespace
}  // namespace vigil::io
