#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/daemon/trackers/tracked_things.h"

namespace vigil::daemon {

/// One entry of a router's track_* lists, looked up.
struct TrackedWeight {
    ThingIndex thing = ThingIndex::none;
    std::int16_t weight = 0;   ///< -254..254; 0: FAULT instead of a shift
    bool is_reverse = false;
};

/// What a router's trackers make of the state of the world.
struct TrackingResult {
    bool is_faulty = false;       ///< something without weight is bad, or a file says so
    bool is_waiting = false;      ///< something without weight is not known yet: no election before it is
    std::uint8_t priority = 100;  ///< effective, 1-254; 255 for an owner, whom weights do not touch

    friend bool operator==(const TrackingResult&, const TrackingResult&) = default;
};

/// Interfaces, scripts, processes and BFD sessions: a positive weight counts while the thing is up, a negative one while it is down; `reverse` gives what counts the
/// other sign. Without a weight: FAULT while it is down, with `reverse` while it is up. Files: the number times the weight, FAULT when that is -254 or
/// less, at most 253; without a weight any number but 0 is FAULT. The sum is cut off at 1 and 254.
TrackingResult evaluate_tracking(int base_priority, std::span<const TrackedWeight> items, const TrackedThings& things);

/// Which of them hold the router in FAULT, for an operator: "track script chk fails, tracked interface lan7 is down". Empty when none does.
std::string describe_tracking_fault(std::span<const TrackedWeight> items, const TrackedThings& things);

}  // namespace vigil::daemon
