#pragma once

#include <algorithm>
#include <cstdint>

#include "packet/units.h"

/// The only place below engine/daemon that asks the kernel for the time.
namespace vigil::io::clock {

/// CLOCK_BOOTTIME: monotonic, suspend included.
Instant now();

/// now() minus CLOCK_REALTIME: what turns a ring's time stamp into an Instant. Measured anew in every pass that has frames, because the
/// wall clock may be stepped or slewed at any time.
Nanoseconds realtime_to_boot();

/// Bounds of what a ring's time stamp can mean in one drain.
struct ArrivalWindow {
    Nanoseconds realtime_to_boot{};   ///< as measured in this pass
    Instant earliest{};               ///< when the ring was last seen empty: no frame in it is older
    Instant latest{};                 ///< start of this drain

    /// The arrival of a frame stamped `realtime_ns` by the kernel. When the wall clock was stepped between the arrival and this pass, the
    /// conversion is wrong by the step; the window keeps the error within the time between two passes.
    constexpr Instant arrival(std::int64_t realtime_ns) const {
        const Instant converted = Instant{realtime_ns} + realtime_to_boot;
        return std::max(earliest, std::min(converted, latest));
    }
};

}  // namespace vigil::io::clock
