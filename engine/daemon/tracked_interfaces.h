#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/daemon/trackers/tracked_things.h"

namespace vigil::daemon {

/// The interfaces of track_interface. The kernel tells of interfaces by number, and names may go from one to another. Control thread.
class TrackedInterfaces {
public:
    /// The kernel's interfaces as they are now.
    struct World {
        std::function<std::string(std::uint32_t)> name_of;           ///< empty: no interface has this number
        std::function<bool(std::string_view)> is_running;            ///< one with this name is there, up and running
        std::function<bool(std::string_view)> is_told_of_elsewhere;  ///< the log has a line about it anyway
    };

    /// `things` outlives it.
    TrackedInterfaces(TrackedThings& things, World world) : things_(things), world_(std::move(world)) {}

    /// Something happened to the interfaces with these numbers, of which only what there is now counts: two that have swapped their names were never down.
    void update(std::span<const std::uint32_t> numbers);

private:
    TrackedThings& things_;
    World world_;
    std::unordered_map<std::uint32_t, ThingIndex> last_;   // interface number -> the tracked interface that had it last
};

}  // namespace vigil::daemon
