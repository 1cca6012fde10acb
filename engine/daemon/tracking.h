#pragma once

#include <functional>
#include <string>

#include "engine/daemon/plan.h"

namespace vigil::daemon {

/// What a router's trackers make of the state of the interfaces.
struct TrackingResult {
    bool is_faulty = false;   ///< an interface without weight is down
    int priority = 100;       ///< effective, 1-254; 255 for an owner, whom weights do not touch

    friend bool operator==(const TrackingResult&, const TrackingResult&) = default;
};

/// A positive weight counts while the interface is up, a negative one while it is down; `reverse` exchanges the two.
TrackingResult evaluate_tracking(const PlannedRouter& router, const std::function<bool(const std::string&)>& is_interface_up);

}  // namespace vigil::daemon
