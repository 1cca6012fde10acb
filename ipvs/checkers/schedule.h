#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "ipvs/checkers/check_spec.h"
#include "ipvs/checkers/verdict.h"

/// When a check is made again and what its verdicts come to: pure functions, the time is an argument.
namespace vigil::checkers {

/// Nanoseconds of one monotonic clock, whichever the caller has.
using Instant = std::chrono::nanoseconds;

/// What is remembered of a check between two runs.
struct ScheduleState {
    unsigned failures = 0;     ///< in a row, while up
    bool is_up = true;         ///< before the first verdict: the opposite of alpha
    bool has_verdict = false;
    bool is_undecided = false;   ///< the last time
};

enum class Transition : std::uint8_t { none, went_up, went_down };

/// What follows from one verdict.
struct ScheduleStep {
    Instant next{0};           ///< of the next check
    Transition transition = Transition::none;
    bool is_worth_a_line = false;   ///< its cause belongs into the log
};

/// The state before the first verdict.
ScheduleState start_of(const CommonSpec& spec);

/// The first check: one second after `now` and a part of `warmup`, which spreads the checks of one start. `random` is any number, evenly distributed.
Instant first_check(const CommonSpec& spec, Instant now, std::uint32_t random);

/// The check ended at `now`. A single success is up. A failure is down after `retry` more in a row, each `delay_before_retry` after the one before; at
/// once when no verdict came before it. `undecided` changes nothing and is asked again as a retry is, but no less than a second later; of several in a row the
/// first is worth a line.
ScheduleStep on_verdict(ScheduleState& state, const CommonSpec& spec, const Verdict& verdict, Instant now);

}  // namespace vigil::checkers
