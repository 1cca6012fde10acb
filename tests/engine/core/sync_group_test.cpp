// Sync groups: one test for each rule of the essay in engine/core/sync_group.cpp. Routers 0 and 1 are VRID 1 on lan0 and VRID 2 on lan1.

#include "engine/core/sync_group.h"

#include <gtest/gtest.h>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

constexpr LinkIndex lan0{0}, lan1{1};
constexpr RouterIndex first{0}, second{1};

/// Active_Down_Interval of priority 100 and 1 s is 3 s + 156/256 s; the wheel fires at the next whole millisecond.
constexpr Nanoseconds down_100 = 3610ms;
constexpr Nanoseconds skew_100 = 610ms;

RouterSpec on_lan1(RouterSpec router) {
    router.link = lan1;
    for (AnnouncedAddress& announced : router.announced) announced.link = lan1;
    return router;
}

/// Two routers on two LANs, in one group.
EngineSpec pair(RouterSpec one, RouterSpec other) {
    EngineSpec spec = with({std::move(one), on_lan1(std::move(other))});
    spec.links.push_back({.name = "lan1", .mac = {{2, 0, 0, 0, 0, 0x0b}}, .is_up = true, .forwards_ipv6 = true});
    spec.groups.push_back({"G1", {first, second}});
    return spec;
}
EngineSpec pair(Priority priority = Priority{100}) { return pair(v3_router(1, priority), v3_router(2, priority)); }

struct Group : Harness {
    explicit Group(const EngineSpec& spec = pair(), std::size_t urgent = 64) : Harness(spec, urgent) {}

    void hear(std::uint8_t vrid, std::uint8_t priority, Instant now, std::uint8_t host = 2) {
        receive(v3_frame(vrid, priority, host), now, vrid == 1 ? lan0 : lan1);
    }
    /// Both members hear adverts of this priority each second, from `from` to `to` inclusive.
    void hear_both(std::uint8_t priority, int from, int to) {
        for (int s = from; s <= to; ++s) {
            run_until(at(s * 1s));
            hear(1, priority, at(s * 1s));
            hear(2, priority, at(s * 1s));
        }
    }
    void become_active() {
        start(at(0s));
        run_until(at(4s));
        ASSERT_TRUE(both(State::active));
        events();
        log.clear();
    }
    bool both(State state) const { return router(0).state == state && router(1).state == state; }
    std::vector<Event> transitions() {
        std::vector<Event> all = events();
        std::erase_if(all, [](const Event& event) { return event.kind != Event::Kind::transition; });
        return all;
    }
    /// Instants of the adverts that left since the last clear.
    std::vector<Instant> advert_times() const {
        std::vector<Instant> times;
        for (const Timed& one : log) {
            if (one.sent.is_urgent) times.push_back(one.at);
        }
        return times;
    }
};

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

// Reloads: another engine goes on with the records (engine_adopt.cpp), and its groups may have other members.

/// `predecessors`: by router of `after`, none for a new one.
void reload(Group& before, Group& after, std::vector<RouterIndex> predecessors, Instant now) {
    after.engine.adopt(before.engine, predecessors, now);
    after.time(now);
}
/// Three routers on two LANs; G1 has these members.
EngineSpec three(std::vector<RouterIndex> members) {
    EngineSpec spec = pair();
    spec.routers.push_back(v3_router(3, Priority{100}));
    spec.groups.clear();
    if (!members.empty()) spec.groups.push_back({"G1", std::move(members)});
    return spec;
}
constexpr RouterIndex third{2};

TEST(SyncGroupReload, MovesNobodyWhenNothingChanged) {
    Group before, after;
    before.become_active();
    before.sent();
    reload(before, after, {first, second}, at(4s));
    EXPECT_TRUE(after.both(State::active));
    EXPECT_TRUE(after.adverts().empty());
    EXPECT_TRUE(after.transitions().empty());
    EXPECT_EQ(after.router(1).deadline, before.router(1).deadline);
    after.hear(1, 200, at(4500ms));
    EXPECT_TRUE(after.both(State::backup)) << "and it goes on in step";
}

TEST(SyncGroupReload, ANewMemberJoinsAnActiveGroupAtOnceAndMovesNobody) {
    Group before;
    before.become_active();
    before.sent();
    Group after(three({first, second, third}));
    reload(before, after, {first, second, RouterIndex::none}, at(4s));
    EXPECT_TRUE(after.both(State::active));
    EXPECT_EQ(after.router(2).state, State::initialize);
    EXPECT_TRUE(after.adverts().empty());
    after.command({.kind = Command::Kind::start, .router = third}, at(4s));
    EXPECT_EQ(after.router(2).state, State::active);
    const auto transitions = after.transitions();
    ASSERT_EQ(transitions.size(), 1u);
    EXPECT_EQ(transitions[0].router, third);
    EXPECT_EQ(transitions[0].reason, Reason::sync_group);
    EXPECT_EQ(after.adverts().size(), 1u);
}

TEST(SyncGroupReload, ANewMemberThatCannotRunTakesAllAlong) {
    Group before;
    before.become_active();
    EngineSpec spec = three({first, second, third});
    spec.routers[2].primary_address = {};
    Group after(spec);
    reload(before, after, {first, second, RouterIndex::none}, at(4s));
    EXPECT_TRUE(after.both(State::active)) << "not before it is started";
    after.command({.kind = Command::Kind::start, .router = third}, at(4s));
    EXPECT_TRUE(after.both(State::initialize));
    EXPECT_EQ(after.adverts().size(), 2u);
}

TEST(SyncGroupReload, AMemberThatIsTakenOutMovesNobodyElse) {
    Group before(three({first, second, third}));
    before.start(at(0s));
    before.run_until(at(4s));
    ASSERT_TRUE(before.both(State::active));
    before.events();
    before.sent();
    before.command({.kind = Command::Kind::dismiss, .router = third}, at(4s));
    EXPECT_TRUE(before.both(State::active));
    const auto sent = before.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].router, third);
    EXPECT_EQ(sent[0].priority(), Priority::stop);
    before.hear(1, 200, at(4100ms));
    EXPECT_TRUE(before.both(State::backup)) << "the others are still in step";
    EXPECT_EQ(before.router(2).state, State::initialize);
}

TEST(SyncGroupReload, TakingTheFaultyMemberOutStartsTheOthers) {
    Group before(three({first, second, third}));
    before.start(at(0s));
    before.fault(Fault::tracker, at(1s), third);
    before.command({.kind = Command::Kind::dismiss, .router = third}, at(2s));
    EXPECT_TRUE(before.both(State::backup));
}

TEST(SyncGroupReload, WhoWaitedForAGroupThatIsGoneStarts) {
    Group before;
    before.start(at(0s));
    before.fault(Fault::tracker, at(1s), second);
    Group after(three({}));
    reload(before, after, {first, second, RouterIndex::none}, at(2s));
    EXPECT_EQ(after.router(0).state, State::backup);
    EXPECT_EQ(after.router(1).state, State::initialize);
}

TEST(SyncGroupReload, RoutersThatBecomeAGroupTakeOneState) {
    // The second is Backup, because 10.0.0.2 is Active there with a priority of `peer`.
    for (const std::uint8_t peer : {std::uint8_t{200}, std::uint8_t{50}}) {
        Group before(three({}));
        before.start(at(0s));
        before.command({.kind = Command::Kind::set_fault, .fault = Fault::tracker, .router = third}, at(0s));
        for (int s = 1; s <= 3; ++s) before.hear(2, 200, at(s * 1s));
        before.run_until(at(4s));
        before.hear(2, peer, at(4s));
        ASSERT_EQ(before.router(0).state, State::active);
        ASSERT_EQ(before.router(1).state, State::backup);
        Group after(three({first, second}));
        reload(before, after, {first, second, third}, at(5s));
        EXPECT_TRUE(after.both(peer == 200 ? State::backup : State::active));
    }
}

TEST(SyncGroupReload, AFaultOfANewCompanionIsEverybodys) {
    Group before(three({}));
    before.start(at(0s));
    before.fault(Fault::tracker, at(0s), second);
    before.run_until(at(4s));
    ASSERT_EQ(before.router(0).state, State::active);
    Group after(three({first, second}));
    reload(before, after, {first, second, third}, at(4100ms));
    EXPECT_TRUE(after.both(State::initialize));
    ASSERT_EQ(after.adverts().size(), 1u);
    after.clear_fault(Fault::tracker, at(6s), second);
    EXPECT_TRUE(after.both(State::backup));
}

TEST(SyncGroupReload, IsSettledInSlicesWhenTheBatchIsSmall) {
    EngineSpec grouped = three({first, second});
    Group before(three({}));
    before.start(at(0s));
    before.fault(Fault::tracker, at(0s), second);
    before.run_until(at(4s));
    Group after(grouped, 2);
    after.engine.adopt(before.engine, std::vector{first, second, third}, at(5s));
    EXPECT_TRUE(after.tx.push_urgent({}));
    after.time(at(5s));
    EXPECT_EQ(after.router(0).state, State::active) << "no room for all";
    EXPECT_LE(after.engine.next_deadline(), at(5s)) << "it wants to be called again";
    after.tx.clear();
    after.time(at(5s));
    EXPECT_TRUE(after.both(State::initialize));
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
