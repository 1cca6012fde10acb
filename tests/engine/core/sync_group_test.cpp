// Sync groups: one test for each rule of the essay in engine/core/sync_group.cpp; those about waiting and about reloads are beside it.

#include <gtest/gtest.h>

#include "tests/engine/core/sync_group_fixture.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using namespace group_fixture;

// Start.

TEST(SyncGroup, StartsAsBackup) {
    Group group;
    group.start(at(0s));
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_TRUE(group.adverts().empty());
    EXPECT_EQ(group.router(0).deadline, at(0s) + active_down_interval(group.router(0)));
}

TEST(SyncGroup, OwnersStartActiveTogether) {
    Group group(pair(Priority::owner));
    group.start(at(0s));
    EXPECT_TRUE(group.both(State::active));
    EXPECT_EQ(group.adverts().size(), 2u);
}

TEST(SyncGroup, AnOwnerAmongOthersStartsAsBackup) {
    Group group(pair(v3_router(1, Priority::owner), v3_router(2, Priority{100})));
    group.start(at(0s));
    EXPECT_TRUE(group.both(State::backup));
}

TEST(SyncGroup, NobodyRunsBeforeTheLastIsStarted) {
    Group group(pair(Priority::owner));
    group.command({.kind = Command::Kind::start, .router = first}, at(0s));
    EXPECT_TRUE(group.both(State::initialize));
    EXPECT_TRUE(group.adverts().empty());
    group.command({.kind = Command::Kind::start, .router = second}, at(1s));
    EXPECT_TRUE(group.both(State::active));
}

TEST(SyncGroup, AMemberWithAFaultKeepsTheOthersFromStarting) {
    EngineSpec spec = pair();
    spec.links[1].is_up = false;
    Group group(spec);
    group.start(at(0s));
    EXPECT_TRUE(group.both(State::initialize));
    EXPECT_EQ(group.router(0).faults, static_cast<std::uint8_t>(Fault::sync_group));
    EXPECT_EQ(group.router(1).faults, static_cast<std::uint8_t>(Fault::link_down));
    group.run_until(at(60s));
    EXPECT_TRUE(group.log.empty());
    group.command({.kind = Command::Kind::link_up, .link = lan1}, at(60s));
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_EQ(group.router(0).faults, 0);
}

// Becoming Active.

TEST(SyncGroup, TheFirstTimerTakesAllAlongInTheSamePass) {
    // The second router would have waited for 30 s and a half.
    RouterSpec slow = v3_router(2, Priority{100});
    slow.interval = Centiseconds{1000};
    Group group(pair(v3_router(1, Priority{100}), slow));
    group.start(at(0s));
    group.time(at(down_100));
    EXPECT_TRUE(group.both(State::active));
    const std::vector<Sent> sent = group.sent();
    ASSERT_EQ(sent.size(), 2u) << "adverts only: the addresses are not there yet";
    EXPECT_EQ(sent[0].router, first);
    EXPECT_EQ(sent[1].router, second);
    EXPECT_TRUE(sent[0].is_urgent && sent[1].is_urgent);
    EXPECT_EQ(sent[1].priority(), Priority{100});
    const auto transitions = group.transitions();
    ASSERT_EQ(transitions.size(), 4u);   // Backup, Backup, Active, Active
    EXPECT_EQ(transitions[2].reason, Reason::active_down_timer);
    EXPECT_EQ(transitions[3].reason, Reason::sync_group);
    EXPECT_EQ(transitions[3].router, second);
}

TEST(SyncGroup, AdvertsOfAllLeaveBeforeAnyAnnouncement) {
    Group group;
    group.start(at(0s));
    group.time(at(down_100));
    group.command({.kind = Command::Kind::addresses_ready, .router = second}, at(down_100));
    group.time(at(down_100));
    const std::vector<Sent> sent = group.sent();
    ASSERT_GE(sent.size(), 3u);
    EXPECT_TRUE(sent[0].is_urgent);
    EXPECT_TRUE(sent[1].is_urgent);
    EXPECT_FALSE(sent[2].is_urgent);
}

TEST(SyncGroup, WithoutRoomForAllNobodyBegins) {
    EngineSpec spec = pair();
    spec.routers.push_back(v3_router(3, Priority{100}));
    Group group(spec, 2);
    EXPECT_EQ(group.engine.least_urgent_room(), 2u);
    group.start(at(0s));
    group.sent();
    group.time(at(down_100));   // one of the three timers: what has fired depends on the wheel, but never half a group
    for (int pass = 0; pass < 3; ++pass) {
        EXPECT_EQ(group.router(0).state, group.router(1).state);
        group.sent();
        group.time(at(down_100));
    }
    EXPECT_TRUE(group.both(State::active));
    EXPECT_EQ(group.router(2).state, State::active);
}

// Yielding.

TEST(SyncGroup, AMemberThatYieldsTakesAllToBackupWithoutAWord) {
    Group group;
    group.become_active();
    group.hear(2, 200, at(4s));
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_TRUE(group.sent().empty()) << "the winner takes the other LAN itself";
    const auto transitions = group.transitions();
    ASSERT_EQ(transitions.size(), 2u);
    EXPECT_EQ(transitions[0].router, second);
    EXPECT_EQ(transitions[0].reason, Reason::higher_priority);
    EXPECT_EQ(transitions[1].reason, Reason::sync_group);
    EXPECT_EQ(group.router(0).deadline, at(4s) + active_down_interval(group.router(0)));
}

TEST(SyncGroup, ALostTieIsAYieldToo) {
    Group group;
    group.become_active();
    group.hear(1, 100, at(4s), 9);
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_TRUE(group.sent().empty());
}

TEST(SyncGroup, OnlyTheOneThatHeardHasALastWord) {
    RouterSpec one = v3_router(1, Priority{100}), other = v3_router(2, Priority{100});
    set(one, Flag::last_word_to_higher);
    set(other, Flag::last_word_to_higher);
    Group group(pair(one, other));
    group.become_active();
    group.hear(1, 200, at(4s));
    const auto sent = group.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].router, first);
    EXPECT_EQ(sent[0].priority(), Priority{100});
}

TEST(SyncGroup, ALosingAdvertChangesNobodyButIsAnsweredAndAnnouncedOnAllLans) {
    Group group;
    group.become_active();
    for (const RouterIndex member : {first, second}) group.command({.kind = Command::Kind::addresses_ready, .router = member}, at(4s));
    group.run_until(at(30s));
    group.log.clear();
    group.hear(1, 50, at(30s));
    group.time(at(30s));
    std::size_t answers = 0, announcements = 0;
    for (const Sent& one : group.sent()) {
        answers += one.is_urgent && one.router == first ? 1 : 0;
        announcements += !one.is_urgent && one.router == second ? 1 : 0;
    }
    EXPECT_GE(answers, 1u);
    EXPECT_GE(announcements, 1u);
    EXPECT_TRUE(group.both(State::active));
}

// Faults.

TEST(SyncGroup, AFaultOfOneStopsAllWithPriorityZero) {
    Group group;
    group.become_active();
    group.command({.kind = Command::Kind::link_down, .link = lan1}, at(4s));
    EXPECT_TRUE(group.both(State::initialize));
    const auto sent = group.adverts();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].priority(), Priority::stop);
    EXPECT_EQ(sent[1].priority(), Priority::stop);
    const auto transitions = group.transitions();
    ASSERT_EQ(transitions.size(), 2u);
    EXPECT_EQ(transitions[0].reason, Reason::fault);
    EXPECT_EQ(transitions[1].reason, Reason::sync_group);
    EXPECT_EQ(transitions[1].faults, static_cast<std::uint8_t>(Fault::sync_group));
}

TEST(SyncGroup, ABackupGroupFailsInSilence) {
    Group group;
    group.start(at(0s));
    group.fault(Fault::tracker, at(1s), first);
    EXPECT_TRUE(group.both(State::initialize));
    EXPECT_TRUE(group.adverts().empty());
}

TEST(SyncGroup, ItLeavesFaultWithTheLastFaultOfAnyMember) {
    Group group;
    group.become_active();
    group.fault(Fault::tracker, at(4s), first);
    group.fault(Fault::tracker, at(4s), second);
    group.fault(Fault::no_source_address, at(4s), second);
    group.clear_fault(Fault::tracker, at(5s), first);
    EXPECT_TRUE(group.both(State::initialize));
    EXPECT_EQ(group.router(0).faults, static_cast<std::uint8_t>(Fault::sync_group));
    group.clear_fault(Fault::tracker, at(6s), second);
    EXPECT_TRUE(group.both(State::initialize));
    group.clear_fault(Fault::no_source_address, at(7s), second);
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_EQ(group.router(0).deadline, at(7s) + active_down_interval(group.router(0)));
}

TEST(SyncGroup, AFaultThatIsSetTwiceIsOneFault) {
    Group group;
    group.start(at(0s));
    group.fault(Fault::tracker, at(1s), first);
    group.fault(Fault::tracker, at(1s), first);
    group.clear_fault(Fault::tracker, at(2s), first);
    EXPECT_TRUE(group.both(State::backup));
    group.clear_fault(Fault::tracker, at(3s), first);
    EXPECT_TRUE(group.both(State::backup));
}

TEST(SyncGroup, StoppingOneStopsAllAndStartingItStartsAll) {
    Group group;
    group.become_active();
    group.command({.kind = Command::Kind::shutdown, .router = first}, at(4s));
    EXPECT_TRUE(group.both(State::initialize));
    const auto sent = group.adverts();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[1].priority(), Priority::stop);
    for (const Event& event : group.transitions()) EXPECT_EQ(event.faults, static_cast<std::uint8_t>(Fault::stopped)) << "an orderly stop is no FAULT";
    group.command({.kind = Command::Kind::start, .router = first}, at(4s));
    EXPECT_TRUE(group.both(State::backup));
}

TEST(SyncGroup, AFaultOutlivesAStop) {
    Group group;
    group.become_active();
    group.fault(Fault::tracker, at(4s), second);
    group.command({.kind = Command::Kind::shutdown}, at(5s));
    group.command({.kind = Command::Kind::start}, at(6s));
    EXPECT_TRUE(group.both(State::initialize));
    group.clear_fault(Fault::tracker, at(7s), second);
    EXPECT_TRUE(group.both(State::backup));
}

// Two LANs that see different things.

TEST(SyncGroup, ABrokenLanMovesNothingWhileTheActiveIsHeardOnTheOther) {
    Group group;
    group.start(at(0s));
    group.hear_both(200, 1, 5);
    group.log.clear();
    group.events();
    for (int s = 6; s <= 60; ++s) {
        group.hear(2, 200, at(s * 1s));
        group.run_until(at(s * 1s));
    }
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_TRUE(group.log.empty());
    const auto events = group.events();
    EXPECT_EQ(count(events, Event::Kind::transition), 0u);
    EXPECT_GE(count(events, Event::Kind::held_by_group), 10u);
    EXPECT_EQ(events[0].router, first);
    EXPECT_EQ(events[0].detail, to_number(second));
    EXPECT_EQ(group.engine.counters().held_by_group, count(events, Event::Kind::held_by_group));
    // Now the Active dies. Its LAN was heard last at 60 s.
    group.run_until(at(60s + down_100));
    EXPECT_TRUE(group.both(State::active));
    EXPECT_EQ(group.advert_times(), (std::vector{at(60s + down_100), at(60s + down_100)}));
}

TEST(SyncGroup, ADeadActiveIsReplacedByTheFirstTimer) {
    // Half a second lies between the adverts of the two LANs: the second LAN's timer would fire later.
    Group group;
    group.start(at(0s));
    for (int s = 1; s <= 5; ++s) {
        group.hear(1, 200, at(s * 1s));
        group.hear(2, 200, at(s * 1s + 500ms));
    }
    group.run_until(at(20s));
    EXPECT_EQ(group.advert_times()[0], at(5s + down_100));
    EXPECT_EQ(group.advert_times()[1], at(5s + down_100));
}

TEST(SyncGroup, AStopOfTheActiveIsFollowedAfterSkewTime) {
    Group group;
    group.start(at(0s));
    group.hear_both(200, 1, 5);
    group.hear(1, 0, at(5500ms));   // the one for the other LAN is lost
    group.run_until(at(5500ms + skew_100));
    EXPECT_TRUE(group.both(State::active));
    EXPECT_EQ(group.advert_times(), (std::vector{at(5500ms + skew_100), at(5500ms + skew_100)}));
}

TEST(SyncGroup, AStopOnOneLanAloneMovesNothing) {
    Group group;
    group.start(at(0s));
    group.hear_both(200, 1, 5);
    group.hear(1, 0, at(5500ms));
    for (int s = 6; s <= 20; ++s) {
        group.hear(2, 200, at(s * 1s - 1ms));
        group.run_until(at(s * 1s));
    }
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_TRUE(group.log.empty());
}

TEST(SyncGroup, AnActiveThatWouldLoseIsNoReasonToWait) {
    // nopreempt, so it accepts the lower Active; but on the first LAN nobody is left.
    RouterSpec one = v3_router(1, Priority{100}), other = v3_router(2, Priority{100});
    clear(one, Flag::preempt);
    clear(other, Flag::preempt);
    Group group(pair(one, other));
    group.start(at(0s));
    group.hear_both(50, 1, 5);
    for (int s = 6; s <= 9; ++s) {
        group.run_until(at(s * 1s));
        if (!group.both(State::active)) group.hear(2, 50, at(s * 1s));
    }
    EXPECT_TRUE(group.both(State::active));
    EXPECT_EQ(group.advert_times()[0], at(5s + down_100));
}

TEST(SyncGroup, OfEqualPrioritiesTheAddressTellsWhoWouldWin) {
    for (const std::uint8_t peer : {std::uint8_t{2}, std::uint8_t{0}}) {   // ours is 10.0.0.1
        Group group;
        group.start(at(0s));
        for (int s = 1; s <= 9; ++s) {
            group.run_until(at(s * 1s));
            if (group.both(State::active)) break;
            if (s <= 5) group.hear(1, 100, at(s * 1s), peer);
            group.hear(2, 100, at(s * 1s), peer);
        }
        EXPECT_EQ(group.router(0).state, peer == 2 ? State::backup : State::active);
        EXPECT_EQ(group.router(1).state, group.router(0).state);
    }
}

TEST(SyncGroup, CrossingPrioritiesLeaveTheActiveWhereItIs) {
    // We are greater on lan0 and would preempt there; on lan1 the Active is greater.
    Group group(pair(v3_router(1, Priority{150}), v3_router(2, Priority{50})));
    group.start(at(0s));
    for (int s = 1; s <= 60; ++s) {
        group.run_until(at(s * 1s));
        group.hear(1, 100, at(s * 1s));
        group.hear(2, 100, at(s * 1s));
    }
    EXPECT_TRUE(group.both(State::backup));
    EXPECT_TRUE(group.log.empty());
    EXPECT_EQ(count(group.events(), Event::Kind::held_by_group), 0u) << "no LAN is broken";
}

// The rest.

TEST(SyncGroup, OfOneMemberIsARouterLikeOthers) {
    EngineSpec spec = with({v3_router(1, Priority{100})});
    spec.groups.push_back({"alone", {first}});
    Harness harness(spec);
    harness.start(at(0s));
    harness.run_until(at(down_100));
    EXPECT_EQ(harness.router().state, State::active);
    harness.receive(v3_frame(1, 200), at(5s));
    EXPECT_EQ(harness.router().state, State::backup);
    harness.fault(Fault::tracker, at(6s));
    harness.clear_fault(Fault::tracker, at(7s));
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(SyncGroup, RoutersOutsideItAreLeftAlone) {
    EngineSpec spec = pair();
    spec.routers.push_back(v3_router(3, Priority{100}));
    Group group(spec);
    group.start(at(0s));
    group.fault(Fault::tracker, at(1s), first);
    EXPECT_EQ(group.router(2).state, State::backup);
    group.run_until(at(down_100));
    EXPECT_EQ(group.router(2).state, State::active);
    EXPECT_TRUE(group.both(State::initialize));
}

TEST(SyncGroup, TheEngineRefusesWhatIsNoGroup) {
    EngineSpec twice = pair();
    twice.groups.push_back({"G2", {second}});
    const auto refused = Engine::make(twice, at(0s));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().text, "is in two sync groups");
    EXPECT_EQ(refused.error().router, second);
    EngineSpec unknown = pair();
    unknown.groups[0].members.push_back(RouterIndex{2});
    EXPECT_FALSE(Engine::make(unknown, at(0s)).has_value());
}

}  // namespace
}  // namespace vigil::test
