// Every event in every state, and what goes beyond the RFC's text. The sentences of RFC 9568 and 3768 themselves have their tests in tests/rfc.
//
// Intervals worked out by hand, for an interval of one second: priority 200 has Skew_Time 56/256 s = 218.75 ms, Active_Down_Interval
// 3.21875 s; priority 100 has 156/256 s = 609.375 ms and 3.609375 s.

#include <gtest/gtest.h>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
namespace sm = vigil::engine::state_machine;

constexpr Priority lower{100};
constexpr Priority own{200};
constexpr Priority higher{210};
constexpr std::uint8_t smaller_host = 0;
constexpr std::uint8_t greater_host = 2;

/// The row of the table that one event makes: everything a Step says but the instant.
struct Expected {
    State to;
    Timer timer;
    Action actions;
    Reason reason;
};

void expect_step(const VirtualRouter& router, State from, const Step& step, const Expected& expected) {
    EXPECT_EQ(step.from, from);
    EXPECT_EQ(step.to, expected.to);
    EXPECT_EQ(router.state, expected.to);
    EXPECT_EQ(step.timer, expected.timer);
    EXPECT_EQ(static_cast<int>(step.actions), static_cast<int>(expected.actions));
    EXPECT_EQ(step.reason, expected.reason);
}

class EveryVersion : public testing::TestWithParam<VrrpVersion> {
protected:
    VirtualRouter make(State state, bool preempts = true) const {
        VirtualRouter router = record(state, own);
        if (GetParam() == VrrpVersion::v2) set(router, Flag::version2);
        if (!preempts) clear(router, Flag::preempt);
        return router;
    }
    void hear(State state, const Advertisement& heard, const Expected& expected, bool preempts = true) const {
        VirtualRouter router = make(state, preempts);
        const Step step = sm::on_advertisement(router, heard, at(5s));
        expect_step(router, state, step, expected);
    }
};

INSTANTIATE_TEST_SUITE_P(StateMachine, EveryVersion, testing::Values(VrrpVersion::v2, VrrpVersion::v3),
                         [](const auto& version) { return version.param == VrrpVersion::v2 ? "v2" : "v3"; });

TEST_P(EveryVersion, InitializeHearsNothing) {
    for (const Priority priority : {Priority::stop, lower, own, higher, Priority::owner}) {
        hear(State::initialize, advert(priority), {State::initialize, Timer::keep, Action::none, Reason::none});
    }
}

TEST_P(EveryVersion, InitializeHasNoTimer) {
    VirtualRouter router = make(State::initialize);
    expect_step(router, State::initialize, sm::on_timer(router, at(5s)), {State::initialize, Timer::keep, Action::none, Reason::none});
}

TEST_P(EveryVersion, InitializeStaysWhileAFaultHolds) {
    for (const Fault fault : {Fault::not_started, Fault::link_down, Fault::no_source_address, Fault::tracker, Fault::link_gone, Fault::stopped}) {
        VirtualRouter router = make(State::initialize);
        router.faults = static_cast<std::uint8_t>(fault);
        expect_step(router, State::initialize, sm::on_startup(router, at(5s)), {State::initialize, Timer::keep, Action::none, Reason::none});
    }
}

TEST_P(EveryVersion, StartupIsOnlyForInitialize) {
    for (const State state : {State::backup, State::active}) {
        VirtualRouter router = make(state);
        expect_step(router, state, sm::on_startup(router, at(5s)), {state, Timer::keep, Action::none, Reason::none});
    }
}

TEST_P(EveryVersion, StartupWithOrdinaryPriorityGoesToBackupSilently) {
    VirtualRouter router = make(State::initialize);
    const Step step = sm::on_startup(router, at(5s));
    expect_step(router, State::initialize, step, {State::backup, Timer::set, Action::none, Reason::startup});
    EXPECT_EQ(step.deadline, at(5s) + 3'218'750us);
}

TEST_P(EveryVersion, StartupOfTheOwnerGoesToActive) {
    VirtualRouter router = make(State::initialize);
    router.priority = Priority::owner;
    const Step step = sm::on_startup(router, at(5s));
    expect_step(router, State::initialize, step,
                {State::active, Timer::set, Action::send_advertisement | Action::claim_addresses, Reason::startup});
    EXPECT_EQ(step.deadline, at(6s));
}

TEST_P(EveryVersion, FaultSendsEveryStateToInitializeAndOnlyAnActiveSaysStop) {
    const auto expect_fault = [&](State state, Action actions) {
        VirtualRouter router = make(state);
        router.faults = static_cast<std::uint8_t>(Fault::link_down);
        expect_step(router, state, sm::on_fault(router, Reason::fault), {State::initialize, Timer::stop, actions, Reason::fault});
    };
    expect_fault(State::initialize, Action::none);
    expect_fault(State::backup, Action::none);
    expect_fault(State::active, Action::send_stop_advertisement | Action::release_addresses);
}

TEST_P(EveryVersion, BackupBelievesWhoIsNotLower) {
    for (const Priority priority : {own, higher, Priority::owner}) {
        for (const std::uint8_t host : {smaller_host, greater_host}) {
            hear(State::backup, advert(priority, host), {State::backup, Timer::set, Action::none, Reason::active_heard});
        }
    }
}

TEST_P(EveryVersion, BackupLetsALowerActiveTimeOut) {
    hear(State::backup, advert(lower), {State::backup, Timer::keep, Action::none, Reason::lower_heard});
}

TEST_P(EveryVersion, BackupWithoutPreemptionBelievesALowerActive) {
    hear(State::backup, advert(lower), {State::backup, Timer::set, Action::none, Reason::active_heard}, false);
}

TEST_P(EveryVersion, BackupHearsStopWithAndWithoutPreemption) {
    for (const bool preempts : {false, true}) {
        hear(State::backup, advert(Priority::stop), {State::backup, Timer::set, Action::none, Reason::active_stopped}, preempts);
    }
}

TEST_P(EveryVersion, BackupTakesOverWhenItsTimerFires) {
    VirtualRouter router = make(State::backup);
    expect_step(router, State::backup, sm::on_timer(router, at(5s)),
                {State::active, Timer::set, Action::send_advertisement | Action::claim_addresses, Reason::active_down_timer});
}

TEST_P(EveryVersion, ActiveYieldsToHigherAndToGreaterAddressWhateverPreemptModeSays) {
    for (const bool preempts : {false, true}) {
        for (const std::uint8_t host : {smaller_host, greater_host}) {
            hear(State::active, advert(higher, host), {State::backup, Timer::set, Action::release_addresses, Reason::higher_priority}, preempts);
        }
        hear(State::active, advert(own, greater_host), {State::backup, Timer::set, Action::release_addresses, Reason::tie_lost}, preempts);
    }
}

TEST_P(EveryVersion, ActiveAnswersLowerAndSmallerAddress) {
    const Expected answers{State::active, Timer::set, Action::send_advertisement | Action::announce_again, Reason::lower_heard};
    for (const bool preempts : {false, true}) {
        hear(State::active, advert(lower, greater_host), answers, preempts);
        hear(State::active, advert(own, smaller_host), answers, preempts);
        hear(State::active, advert(own, 1), answers, preempts);  // its own address: the engine never hands that in
    }
}

TEST_P(EveryVersion, ActiveAnswersStopWithoutAnnouncing) {
    hear(State::active, advert(Priority::stop), {State::active, Timer::set, Action::send_advertisement, Reason::active_stopped});
}

TEST_P(EveryVersion, ActiveAdvertisesWhenItsTimerFires) {
    VirtualRouter router = make(State::active);
    expect_step(router, State::active, sm::on_timer(router, at(0s)),
                {State::active, Timer::set, Action::send_advertisement, Reason::adver_timer});
}

TEST_P(EveryVersion, PriorityChangeTouchesOnlyTheTimerOfABackup) {
    for (const State state : {State::initialize, State::backup, State::active}) {
        VirtualRouter router = make(state);
        const Step step = sm::on_priority_change(router, Priority{150}, at(0s));
        expect_step(router, state, step,
                    {state, state == State::backup ? Timer::set : Timer::keep, Action::none, Reason::priority_changed});
        EXPECT_EQ(router.priority, Priority{150});
    }
}

// The owner.

TEST(StateMachineOwner, InBackupPreemptsWhateverPreemptModeSays) {  // erratum 8298
    VirtualRouter router = backup(Priority::owner, Centiseconds{100}, at(7s));
    clear(router, Flag::preempt);
    const Step step = sm::on_advertisement(router, advert(Priority{254}), at(5s));
    expect_step(router, State::backup, step, {State::backup, Timer::keep, Action::none, Reason::lower_heard});
    EXPECT_EQ(router.deadline, at(7s));
}

TEST(StateMachineOwner, InBackupBelievesAnotherOwner) {
    VirtualRouter router = backup(Priority::owner);
    const Step step = sm::on_advertisement(router, advert(Priority::owner), at(5s));
    expect_step(router, State::backup, step, {State::backup, Timer::set, Action::none, Reason::active_heard});
    EXPECT_EQ(step.deadline, at(8s) + 3'906'250ns);  // Skew_Time 1/256 s
}

TEST(StateMachineOwner, YieldsToAnotherOwnerWithAGreaterAddressOnly) {
    VirtualRouter loser = active(Priority::owner);
    EXPECT_EQ(sm::on_advertisement(loser, advert(Priority::owner, greater_host), at(5s)).to, State::backup);
    VirtualRouter winner = active(Priority::owner);
    EXPECT_EQ(sm::on_advertisement(winner, advert(Priority::owner, smaller_host), at(5s)).to, State::active);
}

TEST(StateMachineOwner, DoesNotWaitForPreemptDelay) {
    VirtualRouter router = backup(Priority::owner);
    router.preempt_delay_ms = 10'000;
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(5s)).timer, Timer::keep);
}

// The learned interval.

TEST(StateMachineInterval, BackupLearnsFromWhomItBelieves) {
    VirtualRouter router = backup(own);
    const Step step = sm::on_advertisement(router, advert(higher, 2, Centiseconds{200}), at(5s));
    EXPECT_EQ(router.active_adver_interval, Centiseconds{200});
    EXPECT_EQ(router.advertisement_interval, Centiseconds{100});
    EXPECT_EQ(step.deadline, at(5s) + 6'437'500us);  // 3 * 2 s + 56/256 * 2 s
}

TEST(StateMachineInterval, NothingIsLearnedFromALowerActiveOrAStop) {
    for (const Priority priority : {Priority::stop, lower}) {
        VirtualRouter router = backup(own);
        sm::on_advertisement(router, advert(priority, 2, Centiseconds{200}), at(5s));
        EXPECT_EQ(router.active_adver_interval, Centiseconds{100});
    }
}

TEST(StateMachineInterval, ActiveLearnsFromWhomItYieldsTo) {
    VirtualRouter router = active(own);
    const Step step = sm::on_advertisement(router, advert(higher, 2, Centiseconds{50}), at(5s));
    EXPECT_EQ(router.active_adver_interval, Centiseconds{50});
    EXPECT_EQ(step.deadline, at(5s) + 1'609'375us);  // 3 * 0.5 s + 56/256 * 0.5 s
}

TEST(StateMachineInterval, BecomingActiveForgetsTheLearnedInterval) {
    VirtualRouter router = backup(own);
    router.active_adver_interval = Centiseconds{400};
    const Step step = sm::on_timer(router, at(5s));
    EXPECT_EQ(router.active_adver_interval, Centiseconds{100});
    EXPECT_EQ(step.deadline, at(6s));
}

TEST(StateMachineInterval, StartupForgetsTheLearnedInterval) {
    VirtualRouter router = record(State::initialize, own);
    router.active_adver_interval = Centiseconds{400};
    EXPECT_EQ(sm::on_startup(router, at(5s)).deadline, at(5s) + 3'218'750us);
}

TEST(StateMachineInterval, Version2LearnsNothing) {
    for (const State state : {State::backup, State::active}) {
        VirtualRouter router = record(state, own);
        set(router, Flag::version2);
        const Step step = sm::on_advertisement(router, advert(higher, 2, Centiseconds{300}), at(5s));
        EXPECT_EQ(router.active_adver_interval, Centiseconds{100});
        EXPECT_EQ(step.deadline, at(5s) + 3'218'750us);
    }
}

TEST(StateMachineInterval, ShortIntervalsKeepDistinctSkews) {
    // One centisecond: 2/256 and 3/256 of 10 ms; in centiseconds both would be zero and the Backups would tie.
    VirtualRouter first = backup(Priority{254}, Centiseconds{1});
    VirtualRouter second = backup(Priority{253}, Centiseconds{1});
    EXPECT_EQ(skew_time(first), 78'125ns);
    EXPECT_EQ(skew_time(second), 117'187ns);
    EXPECT_EQ(active_down_interval(first), 30'078'125ns);
}

TEST(StateMachineInterval, DownTimerAdvertsReplacesTheThree) {
    VirtualRouter router = backup(own);
    router.down_timer_adverts = 5;
    EXPECT_EQ(sm::on_advertisement(router, advert(higher), at(5s)).deadline, at(10s) + 218'750us);
}

TEST(StateMachineInterval, TheLongestTimersDoNotOverflow) {
    VirtualRouter router = backup(Priority::lowest, Centiseconds{25500});
    router.down_timer_adverts = 100;
    set(router, Flag::version2);
    EXPECT_EQ(active_down_interval(router), 25'500s + 996'093'750ns);  // 100 * 255 s + 255/256 s
    clear(router, Flag::version2);
    router.active_adver_interval = Centiseconds{4095};
    EXPECT_EQ(active_down_interval(router), 4'095s + 40'790'039'062ns);  // 255/256 of 40.95 s
}

// Adver_Timer.

TEST(StateMachineAdverTimer, CountsFromItsDeadlineAndDoesNotDrift) {
    VirtualRouter router = active(own, Centiseconds{100}, at(5s));
    EXPECT_EQ(sm::on_timer(router, at(5s) + 900us).deadline, at(6s));
}

TEST(StateMachineAdverTimer, NeverCatchesUpInABurst) {
    VirtualRouter router = active(own, Centiseconds{100}, at(5s));
    EXPECT_EQ(sm::on_timer(router, at(7s) + 1ms).deadline, at(8s) + 1ms);
    EXPECT_EQ(sm::on_timer(router, at(6s)).deadline, at(7s));  // its successor is due exactly now: that one is skipped
}

// Answers to losing adverts.

TEST(StateMachineAnswer, MovesAdverTimer) {
    VirtualRouter router = active(own, Centiseconds{100}, at(5s) + 600ms);
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(5s)).deadline, at(6s));
}

TEST(StateMachineAnswer, IsNotRepeatedWithinAQuarterOfTheInterval) {
    VirtualRouter router = active(own);
    sm::on_advertisement(router, advert(lower), at(5s));
    const Step suppressed = sm::on_advertisement(router, advert(lower), at(5s) + 249'999'999ns);
    expect_step(router, State::active, suppressed, {State::active, Timer::keep, Action::none, Reason::lower_heard});
    EXPECT_TRUE(contains(sm::on_advertisement(router, advert(lower), at(5s) + 250ms).actions, Action::send_advertisement));
}

TEST(StateMachineAnswer, SharesItsLimitBetweenStopsAndLosers) {
    VirtualRouter router = active(own);
    sm::on_advertisement(router, advert(Priority::stop), at(5s));
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(5s) + 1ms).actions, Action::none);
    EXPECT_EQ(sm::on_advertisement(router, advert(Priority::stop), at(5s) + 2ms).actions, Action::none);
}

TEST(StateMachineAnswer, AStormOfLosersNeitherSilencesNorSpeedsUp) {
    // Ten thousand losing adverts in one second: four answers, and Adver_Timer is never later than one interval after an advert of ours.
    VirtualRouter router = active(own, Centiseconds{100}, at(6s));
    int answers = 0;
    Instant last_sent = at(5s);
    for (int i = 0; i < 10'000; ++i) {
        const Instant now = at(5s) + i * 100us;
        const Step step = sm::on_advertisement(router, advert(lower), now);
        if (step.timer == Timer::set) router.deadline = step.deadline;
        if (contains(step.actions, Action::send_advertisement)) {
            ++answers;
            last_sent = now;
        }
        ASSERT_LE(router.deadline, last_sent + 1s);
    }
    EXPECT_EQ(answers, 4);
}

TEST(StateMachineAnswer, IsFreshAfterEachTakeover) {
    VirtualRouter router = active(own);
    sm::on_advertisement(router, advert(lower), at(5s));
    sm::on_advertisement(router, advert(higher), at(5s) + 1ms);
    EXPECT_EQ(router.quiet_until, Instant{});
    sm::on_timer(router, at(5s) + 2ms);
    EXPECT_TRUE(contains(sm::on_advertisement(router, advert(lower), at(5s) + 3ms).actions, Action::send_advertisement));
}

TEST(StateMachineAnswer, LowerPrioNoAdvertAnnouncesButDoesNotSend) {
    VirtualRouter router = active(own);
    set(router, Flag::no_answer_to_lower);
    const Step step = sm::on_advertisement(router, advert(lower), at(5s));
    expect_step(router, State::active, step, {State::active, Timer::keep, Action::announce_again, Reason::lower_heard});
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(5s) + 249ms).actions, Action::none);
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(5s) + 250ms).actions, Action::announce_again);
}

TEST(StateMachineAnswer, LowerPrioNoAdvertStillAnswersStop) {
    VirtualRouter router = active(own);
    set(router, Flag::no_answer_to_lower);
    EXPECT_EQ(sm::on_advertisement(router, advert(Priority::stop), at(5s)).actions, Action::send_advertisement);
}

TEST(StateMachineAnswer, HigherPrioSendAdvertIsALastWord) {
    VirtualRouter router = active(own);
    set(router, Flag::last_word_to_higher);
    const Step step = sm::on_advertisement(router, advert(higher), at(5s));
    expect_step(router, State::active, step,
                {State::backup, Timer::set, Action::send_advertisement | Action::release_addresses, Reason::higher_priority});
}

// Ties.

TEST(StateMachineTie, AddressesCompareAsUnsignedOctetsInNetworkOrder) {
    VirtualRouter router = active(own);
    router.primary_address = ipv4(10, 0, 0, 200).octets;
    EXPECT_EQ(sm::on_advertisement(router, {ipv4(10, 0, 1, 1).octets, Centiseconds{100}, own}, at(5s)).to, State::backup);

    router = active(own);
    router.primary_address = ipv4(127, 255, 255, 255).octets;
    EXPECT_EQ(sm::on_advertisement(router, {ipv4(128, 0, 0, 0).octets, Centiseconds{100}, own}, at(5s)).to, State::backup)
        << "signed comparison";

    router = active(own);
    router.primary_address = address_of("fe80::ff").octets;
    EXPECT_EQ(sm::on_advertisement(router, {address_of("fe80::1:0").octets, Centiseconds{100}, own}, at(5s)).to, State::backup);
}

// preempt_delay.

TEST(StateMachinePreemptDelay, AcceptsTheLowerActiveUntilItIsOver) {
    VirtualRouter router = backup(own);
    router.preempt_delay_ms = 2'500;
    const Step first = sm::on_advertisement(router, advert(lower), at(10s));
    expect_step(router, State::backup, first, {State::backup, Timer::set, Action::none, Reason::active_heard});
    EXPECT_EQ(first.deadline, at(13s) + 218'750us);
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(12s) + 499ms).timer, Timer::set);
    const Step over = sm::on_advertisement(router, advert(lower), at(12s) + 500ms);
    expect_step(router, State::backup, over, {State::backup, Timer::keep, Action::none, Reason::lower_heard});
}

TEST(StateMachinePreemptDelay, BeginsAnewWhenABetterActiveWasHeard) {
    VirtualRouter router = backup(own);
    router.preempt_delay_ms = 2'500;
    sm::on_advertisement(router, advert(lower), at(10s));
    sm::on_advertisement(router, advert(higher), at(11s));
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(13s)).timer, Timer::set);
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(15s) + 499ms).timer, Timer::set);
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(15s) + 500ms).timer, Timer::keep);
}

TEST(StateMachinePreemptDelay, DoesNotDelayTheTakeoverFromADeadActive) {
    VirtualRouter router = backup(own);
    router.preempt_delay_ms = 1'000'000;
    router.deadline = sm::on_advertisement(router, advert(lower), at(10s)).deadline;
    EXPECT_EQ(sm::on_timer(router, at(13s) + 219ms).to, State::active);
}

TEST(StateMachinePreemptDelay, MeansNothingWithoutPreemption) {
    VirtualRouter router = backup(own);
    clear(router, Flag::preempt);
    router.preempt_delay_ms = 1;
    sm::on_advertisement(router, advert(lower), at(10s));
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(20s)).timer, Timer::set);
}

// Priority changes by tracking.

TEST(StateMachinePriorityChange, MovesTheTimerByTheDifferenceOfTheSkews) {
    VirtualRouter router = backup(own, Centiseconds{100}, at(8s) + 218'750us);
    EXPECT_EQ(sm::on_priority_change(router, lower, at(6s)).deadline, at(8s) + 609'375us);
    router.deadline = at(8s) + 609'375us;
    EXPECT_EQ(sm::on_priority_change(router, own, at(6s)).deadline, at(8s) + 218'750us);
}

TEST(StateMachinePriorityChange, NeverMovesTheTimerIntoThePast) {
    VirtualRouter router = backup(Priority::lowest, Centiseconds{100}, at(8s));
    EXPECT_EQ(sm::on_priority_change(router, Priority{254}, at(7s) + 900ms).deadline, at(7s) + 900ms);
}

TEST(StateMachinePriorityChange, UsesTheLearnedIntervalInVersion3AndASecondInVersion2) {
    VirtualRouter router = backup(own, Centiseconds{100}, at(8s));
    router.active_adver_interval = Centiseconds{200};
    EXPECT_EQ(sm::on_priority_change(router, lower, at(1s)).deadline, at(8s) + 781'250us);  // 100/256 * 2 s
    router = backup(own, Centiseconds{300}, at(8s));
    set(router, Flag::version2);
    EXPECT_EQ(sm::on_priority_change(router, lower, at(1s)).deadline, at(8s) + 390'625us);  // 100/256 s
}

TEST(StateMachinePriorityChange, MakesAnActiveYieldAtTheNextBetterAdvert) {
    VirtualRouter router = active(own);
    sm::on_priority_change(router, Priority{50}, at(5s));
    EXPECT_EQ(sm::on_advertisement(router, advert(lower), at(5s)).to, State::backup);
}

}  // namespace
}  // namespace vigil::test
