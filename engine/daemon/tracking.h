#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "config/model.h"

namespace vigil::daemon {

/// What a router's trackers make of the state of the interfaces.
struct TrackingResult {
    bool is_faulty = false;   ///< an interface without weight is down
    std::uint8_t priority = 100;       ///< effective, 1-254; 255 for an owner, whom weights do not touch

    friend bool operator==(const TrackingResult&, const TrackingResult&) = default;
};

/// A positive weight counts while the interface is up, a negative one while it is down; `reverse` exchanges the two.
TrackingResult evaluate_tracking(int base_priority, std::span<const config::TrackedItem> items,
                                 const std::function<bool(std::string_view)>& is_interface_up);

}  // namespace vigil::daemon
