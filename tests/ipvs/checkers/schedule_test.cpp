#include "ipvs/checkers/schedule.h"

#include <gtest/gtest.h>

using namespace vigil::checkers;
using namespace std::chrono_literals;

namespace {

/// Period 6 s, two retries, 1 s between them: what many tutorials have.
CommonSpec tutorial() {
    CommonSpec spec;
    spec.delay_loop = 6s;
    spec.retry = 2;
    spec.delay_before_retry = 1s;
    spec.warmup = 10s;
    return spec;
}

Verdict ok() { return {}; }
Verdict bad() { return failed("connection refused"); }

struct Life {
    CommonSpec spec = tutorial();
    ScheduleState state = start_of(spec);

    ScheduleStep verdict(const Verdict& verdict, Instant now) { return on_verdict(state, spec, verdict, now); }
};

}  // namespace

TEST(Schedule, FirstCheckComesAfterOneSecondAndAPartOfWarmup) {
    EXPECT_EQ(first_check(tutorial(), 100s, 0), 101s);
    EXPECT_EQ(first_check(tutorial(), 100s, 0x80000000), 106s);
    EXPECT_LT(first_check(tutorial(), 100s, 0xffffffff), 111s);
    EXPECT_GT(first_check(tutorial(), 100s, 0xffffffff), 110'999ms);
}

TEST(Schedule, NoWarmupIsOneSecond) {
    CommonSpec spec = tutorial();
    spec.warmup = 0s;
    EXPECT_EQ(first_check(spec, 100s, 0xffffffff), 101s);
}

TEST(Schedule, IsUpBeforeTheFirstVerdict) { EXPECT_TRUE(start_of(tutorial()).is_up); }

TEST(Schedule, IsDownBeforeTheFirstVerdictWithAlpha) {
    CommonSpec spec = tutorial();
    spec.alpha = true;
    EXPECT_FALSE(start_of(spec).is_up);
}

TEST(Schedule, FirstSuccessIsNoTransition) {
    Life life;
    const ScheduleStep step = life.verdict(ok(), 1s);
    EXPECT_EQ(step.transition, Transition::none);
    EXPECT_EQ(step.next, 7s);
    EXPECT_FALSE(step.is_worth_a_line);
}

TEST(Schedule, FirstFailureIsFinalAtOnce) {
    Life life;
    const ScheduleStep step = life.verdict(bad(), 1s);
    EXPECT_EQ(step.transition, Transition::went_down);
    EXPECT_EQ(step.next, 7s);
    EXPECT_TRUE(step.is_worth_a_line);
    EXPECT_FALSE(life.state.is_up);
}

TEST(Schedule, AfterASuccessRetriesComeBeforeDown) {
    Life life;
    life.verdict(ok(), 1s);
    const ScheduleStep first = life.verdict(bad(), 10s);
    EXPECT_EQ(first.transition, Transition::none);
    EXPECT_EQ(first.next, 11s);
    EXPECT_FALSE(first.is_worth_a_line);
    const ScheduleStep second = life.verdict(bad(), 11s);
    EXPECT_EQ(second.transition, Transition::none);
    EXPECT_EQ(second.next, 12s);
    const ScheduleStep third = life.verdict(bad(), 12s);
    EXPECT_EQ(third.transition, Transition::went_down);
    EXPECT_EQ(third.next, 18s);
    EXPECT_TRUE(third.is_worth_a_line);
}

TEST(Schedule, ASuccessForgetsFailures) {
    Life life;
    life.verdict(ok(), 1s);
    life.verdict(bad(), 2s);
    life.verdict(bad(), 3s);
    EXPECT_EQ(life.verdict(ok(), 4s).next, 10s);
    life.verdict(bad(), 5s);
    EXPECT_EQ(life.verdict(bad(), 6s).transition, Transition::none);
    EXPECT_EQ(life.verdict(bad(), 7s).transition, Transition::went_down);
}

TEST(Schedule, RetryZeroIsDownAtOnce) {
    Life life;
    life.spec.retry = 0;
    life.verdict(ok(), 1s);
    EXPECT_EQ(life.verdict(bad(), 2s).transition, Transition::went_down);
}

TEST(Schedule, DownIsAskedAgainAtThePeriodAndOneSuccessIsUp) {
    Life life;
    life.verdict(bad(), 1s);
    const ScheduleStep still = life.verdict(bad(), 7s);
    EXPECT_EQ(still.transition, Transition::none);
    EXPECT_EQ(still.next, 13s);
    EXPECT_FALSE(still.is_worth_a_line);
    const ScheduleStep up = life.verdict(ok(), 13s);
    EXPECT_EQ(up.transition, Transition::went_up);
    EXPECT_EQ(up.next, 19s);
    EXPECT_TRUE(life.state.is_up);
}

TEST(Schedule, AlphaGoesUpWithTheFirstSuccess) {
    Life life;
    life.spec.alpha = true;
    life.state = start_of(life.spec);
    EXPECT_EQ(life.verdict(bad(), 1s).transition, Transition::none);
    EXPECT_EQ(life.verdict(ok(), 7s).transition, Transition::went_up);
}

TEST(Schedule, LogAllFailuresIsALineForEach) {
    Life life;
    life.spec.log_all_failures = true;
    life.verdict(ok(), 1s);
    EXPECT_TRUE(life.verdict(bad(), 2s).is_worth_a_line);
    life.verdict(bad(), 3s);
    life.verdict(bad(), 4s);
    EXPECT_TRUE(life.verdict(bad(), 10s).is_worth_a_line);
    EXPECT_FALSE(life.verdict(ok(), 16s).is_worth_a_line);
}

TEST(Schedule, UndecidedChangesNothingAndIsAskedAgainSoon) {
    Life life;
    life.spec.delay_before_retry = 0s;
    const ScheduleStep first = life.verdict(undecided("too many open files"), 1s);
    EXPECT_EQ(first.transition, Transition::none);
    EXPECT_EQ(first.next, 2s);
    EXPECT_FALSE(life.state.has_verdict);
    life.verdict(ok(), 2s);
    life.verdict(bad(), 8s);
    life.verdict(undecided("too many open files"), 9s);
    EXPECT_EQ(life.state.failures, 1u);
    EXPECT_TRUE(life.state.is_up);
}

TEST(Schedule, UndecidedIsSaidWhenItBegins) {
    Life life;
    EXPECT_TRUE(life.verdict(undecided("no such program"), 1s).is_worth_a_line);
    EXPECT_FALSE(life.verdict(undecided("no such program"), 2s).is_worth_a_line);   // or a line for each check each second, as long as it lasts
    life.verdict(ok(), 3s);
    EXPECT_TRUE(life.verdict(undecided("no such program"), 9s).is_worth_a_line);
    life.verdict(bad(), 10s);
    EXPECT_TRUE(life.verdict(undecided("no such program"), 11s).is_worth_a_line);
    life.spec.log_all_failures = true;
    EXPECT_TRUE(life.verdict(undecided("no such program"), 12s).is_worth_a_line);
}
