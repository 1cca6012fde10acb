// When a sync group puts a takeover off: preemption, silence that proves nothing, flapping.

#include <gtest/gtest.h>

#include "tests/engine/core/sync_group_fixture.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using namespace group_fixture;

// Preemption.

TEST(SyncGroup, GreaterOnBothLansPreempts) {
    Group group;
    group.start(at(0s));
    for (int s = 1; s <= 3; ++s) {
        group.hear(1, 50, at(s * 1s));
        group.hear(2, 50, at(s * 1s));
    }
    group.run_until(at(4s));
    EXPECT_TRUE(group.both(State::active));
    EXPECT_EQ(group.advert_times()[0], at(down_100));
}

TEST(SyncGroup, NopreemptOfOneKeepsAllFromPreempting) {
    RouterSpec shy = v3_router(2, Priority{100});
    clear(shy, Flag::preempt);
    Group group(pair(v3_router(1, Priority{100}), shy));
    group.start(at(0s));
    group.hear_both(50, 1, 60);
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_TRUE(group.log.empty());
    group.run_until(at(60s + down_100));   // the lower Active has died
    EXPECT_TRUE(group.both(State::active));
}

TEST(SyncGroup, TheLongestPreemptDelayCounts) {
    RouterSpec early = v3_router(1, Priority{100}), late = v3_router(2, Priority{100});
    early.preempt_delay_ms = 5'000;
    late.preempt_delay_ms = 20'000;
    Group group(pair(early, late));
    group.start(at(0s));
    for (int s = 1; s <= 40 && !group.both(State::active); ++s) {
        group.run_until(at(s * 1s));
        if (group.both(State::active)) break;
        group.hear(1, 50, at(s * 1s));
        group.hear(2, 50, at(s * 1s));
    }
    EXPECT_TRUE(group.both(State::active));
    // The first lower advert came at 1 s, so the longer delay was over at 21 s, and the last one that was accepted came at 20 s.
    EXPECT_GT(group.advert_times()[0], at(21s));
    EXPECT_LE(group.advert_times()[0], at(20s + down_100));
}

// Silence that proves nothing.

TEST(SyncGroup, WhileOneListensAllListen) {
    // Frames of lan1 were lost for want of room, so its timer is put off; lan0's own would fire a little later.
    Group group;
    group.start(at(0s));
    group.run_until(at(1s));
    group.hear(2, 200, at(1s));
    group.hear(1, 200, at(1100ms));
    group.run_until(at(4s));
    group.command({.kind = Command::Kind::frames_lost, .link = lan1}, at(4s));
    group.run_until(at(1100ms + down_100));
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_EQ(group.engine.counters().listened, 2u);
    group.run_until(at(30s));
    EXPECT_TRUE(group.both(State::active)) << "but not for ever";
}

TEST(SyncGroup, AfterAPauseNobodyActsOnSilenceThatOneMemberDoubts) {
    RouterSpec slow = v3_router(2, Priority{100});
    slow.interval = Centiseconds{1000};
    Group group(pair(v3_router(1, Priority{100}), slow));
    group.start(at(0s));
    // 10 s late is more than another Active_Down_Interval of the first, but the second's timer (30.6 s) is not even due.
    group.time(at(13610ms));
    EXPECT_TRUE(group.both(State::backup));
    group.run_until(at(30s));
    EXPECT_TRUE(group.both(State::active));
}

// Flapping.

TEST(SyncGroup, TheSecondDepositionAtShortDistanceMakesItWaitLonger) {
    Group group;
    group.become_active();
    group.hear(1, 200, at(4s));
    group.run_until(at(9s));
    ASSERT_TRUE(group.both(State::active));
    EXPECT_EQ(group.advert_times()[0], at(4s + down_100)) << "the first one does not";
    group.log.clear();
    group.hear(2, 200, at(9s));
    group.hear(2, 200, at(9001ms));   // sets the timer anew
    group.run_until(at(14s));
    ASSERT_TRUE(group.both(State::active));
    EXPECT_GT(group.advert_times()[0], at(9002ms + down_100));
    EXPECT_LT(group.advert_times()[0], at(10s + down_100));
    EXPECT_EQ(group.advert_times()[0], group.advert_times()[1]);
}

TEST(SyncGroup, ARetreatIsOverWhenItWasWaitedFor) {
    Group group;
    group.become_active();
    group.hear(1, 200, at(4s));
    group.run_until(at(9s));
    group.hear(2, 200, at(9s));
    group.run_until(at(14s));
    ASSERT_TRUE(group.both(State::active));
    group.run_until(at(40s));
    group.log.clear();
    group.hear(2, 200, at(40s));
    group.run_until(at(44s));
    ASSERT_GE(group.log.size(), 1u);
    EXPECT_EQ(group.advert_times()[0], at(40s + down_100));
}

TEST(SyncGroup, RetreatsDifferFromRouterToRouterAndGrow) {
    VirtualRouter ours = active(Priority{100}), theirs = ours;
    theirs.primary_address = ipv4(10, 0, 0, 2).octets;
    SyncGroup our_group, their_group;
    Nanoseconds longest{0};
    for (int i = 0; i < 20; ++i) {
        sync_group::retreat(our_group, ours, at(i * 5s));
        sync_group::retreat(their_group, theirs, at(i * 5s));
        const Nanoseconds ours_waits = our_group.penalty, theirs_waits = their_group.penalty;
        EXPECT_EQ(ours_waits == theirs_waits, i == 0);
        EXPECT_LT(ours_waits, i == 0 ? 1ns : i == 1 ? 1s : 4s);
        longest = std::max(longest, ours_waits);
    }
    EXPECT_GT(longest, 2s);
    sync_group::retreat(our_group, ours, at(95s + 4 * active_down_interval(ours)));
    EXPECT_EQ(our_group.penalty, 0ns) << "long ago";
}

TEST(SyncGroup, ARetreatIsForgottenWhenItIsLongAgo) {
    Group group;
    group.become_active();
    group.hear(1, 200, at(4s));
    group.run_until(at(9s));
    group.hear_both(200, 9, 30);
    group.hear(1, 0, at(30500ms));
    group.hear(2, 0, at(30500ms));
    group.log.clear();
    group.run_until(at(30500ms + skew_100));
    EXPECT_TRUE(group.both(State::active));
}

// Waiting for members that have not been started.

std::vector<std::uint8_t> told_faults(Group& group) {
    std::vector<std::uint8_t> faults;
    for (const Event& event : group.events()) {
        if (event.kind == Event::Kind::state_report && event.router == first) faults.push_back(event.faults);
    }
    return faults;
}

TEST(SyncGroup, WhoWaitsForAMemberThatIsNotStartedIsInNoFault) {
    Group group;
    group.command({.kind = Command::Kind::start, .router = first}, at(0s));
    group.command({.kind = Command::Kind::report_states}, at(0s));
    EXPECT_EQ(told_faults(group), std::vector{static_cast<std::uint8_t>(Fault::not_started)});
    EXPECT_EQ(group.router(0).state, State::initialize);
    group.command({.kind = Command::Kind::start, .router = second}, at(1s));
    EXPECT_TRUE(group.both(State::backup));
}

TEST(SyncGroup, WhenThatMemberStartsWithAFaultItIsTold) {
    Group group;
    group.command({.kind = Command::Kind::start, .router = first}, at(0s));
    group.command({.kind = Command::Kind::set_fault, .fault = Fault::tracker, .router = second}, at(1s));
    group.events();
    group.command({.kind = Command::Kind::start, .router = second}, at(1s));
    EXPECT_EQ(told_faults(group), std::vector{static_cast<std::uint8_t>(Fault::sync_group)});
    group.command({.kind = Command::Kind::clear_fault, .fault = Fault::tracker, .router = second}, at(2s));
    EXPECT_TRUE(group.both(State::backup));
}

TEST(SyncGroup, StartingAMemberThatWasNotStoppedItselfStartsTheGroup) {
    Group group;
    group.become_active();
    group.command({.kind = Command::Kind::link_down, .link = lan0}, at(5s));
    group.command({.kind = Command::Kind::shutdown, .router = second}, at(6s));
    group.command({.kind = Command::Kind::link_up, .link = lan0}, at(7s));
    EXPECT_TRUE(group.both(State::initialize));
    group.command({.kind = Command::Kind::start, .router = first}, at(8s));
    EXPECT_TRUE(group.both(State::backup));
}

}  // namespace
}  // namespace vigil::test
