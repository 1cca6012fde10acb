#include "ipvs/checkers/schedule.h"

#include <algorithm>
#include <utility>

namespace vigil::checkers {
namespace {

constexpr Instant before_first = std::chrono::seconds{1};
/// retry and delay_before_retry may both be 0: a full file table must not become a busy loop.
constexpr Duration least_after_undecided = std::chrono::seconds{1};

ScheduleStep on_success(ScheduleState& state, const CommonSpec& spec, Instant now) {
    const bool was_up = state.is_up;
    state = {.failures = 0, .is_up = true, .has_verdict = true};
    return {now + spec.delay_loop, was_up ? Transition::none : Transition::went_up, false};
}

ScheduleStep on_failure(ScheduleState& state, const CommonSpec& spec, Instant now) {
    const bool is_first = !state.has_verdict;
    state.has_verdict = true;
    state.is_undecided = false;
    if (!state.is_up) return {now + spec.delay_loop, Transition::none, spec.log_all_failures};
    if (!is_first && state.failures < spec.retry) {
        ++state.failures;
        return {now + spec.delay_before_retry, Transition::none, spec.log_all_failures};
    }
    state.is_up = false;
    state.failures = 0;
    return {now + spec.delay_loop, Transition::went_down, true};
}

}  // namespace

ScheduleState start_of(const CommonSpec& spec) { return {.is_up = !spec.alpha}; }

Instant first_check(const CommonSpec& spec, Instant now, std::uint32_t random) {
    // In two steps: warmup in nanoseconds times 2^32 does not fit.
    const auto part = static_cast<double>(random) / 4294967296.0;
    return now + before_first + Duration{static_cast<Duration::rep>(static_cast<double>(spec.warmup.count()) * part)};
}

ScheduleStep on_verdict(ScheduleState& state, const CommonSpec& spec, const Verdict& verdict, Instant now) {
    switch (verdict.outcome) {
    case Verdict::Outcome::ok: return on_success(state, spec, now);
    case Verdict::Outcome::failed: return on_failure(state, spec, now);
    case Verdict::Outcome::undecided: {
        const bool is_new = !std::exchange(state.is_undecided, true);
        return {now + std::max(spec.delay_before_retry, least_after_undecided), Transition::none, is_new || spec.log_all_failures};
    }
    }
    return {};
}

}  // namespace vigil::checkers
