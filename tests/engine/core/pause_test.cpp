// What a router does when it finds that it was not running, or that frames were lost: it listens. Worked out by hand for an interval of one
// second: priority 200 has Active_Down_Interval 3.21875 s, so an Active whose last advert left at 4 s has been silent for longer from 7.21875 s on.

#include <gtest/gtest.h>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
namespace sm = vigil::engine::state_machine;

constexpr Priority own{200};
constexpr Nanoseconds active_down_interval_of_own = 3s + 218'750us;

/// Its timer is due at 5 s.
VirtualRouter router_in(State state, bool preempts = true) {
    VirtualRouter router = record(state, own);
    router.deadline = at(5s);
    if (!preempts) clear(router, Flag::preempt);
    return router;
}

TEST(Pause, AnActiveThatWasSilentForItsActiveDownIntervalStillSends) {
    VirtualRouter router = router_in(State::active);
    const Step step = sm::on_timer(router, at(4s + active_down_interval_of_own));
    EXPECT_EQ(step.actions, Action::send_advertisement);
    EXPECT_FALSE(router.is_listening);
}

TEST(Pause, AnActiveThatWasSilentForLongerListensForTwoIntervals) {
    VirtualRouter router = router_in(State::active);
    const Instant resumed = at(4s + active_down_interval_of_own) + 1ns;
    const Step step = sm::on_timer(router, resumed);
    EXPECT_EQ(step.actions, Action::none);
    EXPECT_EQ(step.to, State::active);
    EXPECT_EQ(step.reason, Reason::listening);
    EXPECT_EQ(step.deadline, resumed + 2s);
}

/// A peer of priority 100 waits 3 s and 156/256 s from 4 s on.
TEST(Pause, TimerExpiredBackupStepsBackWhenAPeerOfThatPriorityMustHaveTakenOver) {
    const Instant taken_over = at(7s + 609'375us);
    VirtualRouter router = router_in(State::active, false);
    router.stalled_for = 100;
    EXPECT_EQ(sm::on_timer(router, taken_over).to, State::active);
    router = router_in(State::active, false);
    router.stalled_for = 100;
    const Step step = sm::on_timer(router, taken_over + 1ns);
    EXPECT_EQ(step.to, State::backup);
    EXPECT_EQ(step.actions, Action::release_addresses);
    EXPECT_EQ(step.reason, Reason::stalled);
    EXPECT_EQ(step.deadline, taken_over + 1ns + active_down_interval_of_own);
}

TEST(Pause, TimerExpiredBackupMeansNothingToOneThatPreempts) {
    VirtualRouter router = router_in(State::active);
    router.stalled_for = 254;
    EXPECT_EQ(sm::on_timer(router, at(30s)).reason, Reason::listening);
}

TEST(Pause, AnActiveThatHeardNobodyGoesOn) {
    VirtualRouter router = router_in(State::active);
    router.deadline = sm::on_timer(router, at(15s)).deadline;
    const Step step = sm::on_timer(router, router.deadline);
    EXPECT_EQ(step.actions, Action::send_advertisement);
    EXPECT_EQ(step.deadline, at(18s));
    EXPECT_FALSE(router.is_listening);
}

TEST(Pause, AnActiveYieldsToABetterOneWithoutAWord) {
    VirtualRouter router = router_in(State::active);
    const Step step = sm::on_advertisement(router, advert(Priority{210}), at(9s));
    EXPECT_EQ(step.to, State::backup);
    EXPECT_EQ(step.actions, Action::release_addresses);
}

TEST(Pause, AnActiveThatPreemptsAnswersALowerOne) {
    VirtualRouter router = router_in(State::active);
    const Step step = sm::on_advertisement(router, advert(Priority{100}), at(9s));
    EXPECT_EQ(step.to, State::active);
    EXPECT_TRUE(contains(step.actions, Action::send_advertisement));
    EXPECT_FALSE(router.is_listening);
}

TEST(Pause, AnActiveThatDoesNotPreemptLeavesTheLowerOneWhatItTook) {
    for (const bool was_listening : {false, true}) {
        VirtualRouter router = router_in(State::active, false);
        // Either the advert lay in the ring, or it comes while we listen.
        if (was_listening) router.deadline = sm::on_timer(router, at(15s)).deadline;
        const Instant heard = was_listening ? at(15s + 500ms) : at(9s);
        const Step step = sm::on_advertisement(router, advert(Priority{100}), heard);
        EXPECT_EQ(step.to, State::backup);
        EXPECT_EQ(step.reason, Reason::replaced);
        EXPECT_EQ(step.actions, Action::release_addresses);
        EXPECT_EQ(step.deadline, heard + active_down_interval_of_own);
        EXPECT_FALSE(router.is_listening);
    }
}

TEST(Pause, AnActiveThatRanAllTheTimeAnswersALowerOneWhetherOrNotItPreempts) {
    VirtualRouter router = router_in(State::active, false);
    EXPECT_EQ(sm::on_advertisement(router, advert(Priority{100}), at(4s + active_down_interval_of_own)).to, State::active);
}

TEST(Pause, ABackupThatIsOverdueByAnActiveDownIntervalTakesOver) {
    VirtualRouter router = router_in(State::backup);
    EXPECT_EQ(sm::on_timer(router, at(5s + active_down_interval_of_own)).to, State::active);
}

TEST(Pause, ABackupThatIsOverdueByMoreGivesTheActiveOneMore) {
    VirtualRouter router = router_in(State::backup);
    const Instant resumed = at(5s + active_down_interval_of_own) + 1ns;
    const Step step = sm::on_timer(router, resumed);
    EXPECT_EQ(step.to, State::backup);
    EXPECT_EQ(step.deadline, resumed + active_down_interval_of_own);
    EXPECT_EQ(step.reason, Reason::listening);
    router.deadline = step.deadline;
    EXPECT_EQ(sm::on_timer(router, step.deadline).to, State::active);
}

TEST(LostFrames, PutATakeoverOffByAnActiveDownInterval) {
    VirtualRouter router = router_in(State::backup);
    const Instant lost = at(5s) - active_down_interval_of_own + 1ns;
    const Step step = sm::on_timer(router, at(5s), lost);
    EXPECT_EQ(step.to, State::backup);
    EXPECT_EQ(step.deadline, at(5s) + active_down_interval_of_own);
}

TEST(LostFrames, ThatAreOldPutNothingOff) {
    VirtualRouter router = router_in(State::backup);
    EXPECT_EQ(sm::on_timer(router, at(5s), at(5s) - active_down_interval_of_own).to, State::active);
}

TEST(LostFrames, PutATakeoverOffThreeTimesAtMostAndAsOftenAgainAfterAnAdvert) {
    VirtualRouter router = router_in(State::backup);
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 3; ++i) {
            const Step step = sm::on_timer(router, router.deadline, router.deadline);
            ASSERT_EQ(step.to, State::backup);
            router.deadline = step.deadline;
        }
        if (round == 0) router.deadline = sm::on_advertisement(router, advert(own), router.deadline).deadline;
    }
    EXPECT_EQ(sm::on_timer(router, router.deadline, router.deadline).to, State::active);
}

TEST(LostFrames, DoNotConcernAnActive) {
    VirtualRouter router = router_in(State::active);
    EXPECT_EQ(sm::on_timer(router, at(5s), at(5s)).actions, Action::send_advertisement);
}

}  // namespace
}  // namespace vigil::test
