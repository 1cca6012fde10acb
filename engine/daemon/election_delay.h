#pragma once

#include <algorithm>

#include "config/model.h"
#include "packet/units.h"

namespace vigil::daemon {

/// How long elections wait from now on: the later end of vrrp_startup_delay, which begins now, and vrrp_delay_after_boot, which began with the clock of
/// `now`. 0: not at all.
inline Nanoseconds election_delay(const config::GlobalDefinitions& global, Instant now) {
    return std::max({Nanoseconds{0}, global.vrrp_startup_delay, global.vrrp_delay_after_boot - (now - Instant{})});
}

}  // namespace vigil::daemon
