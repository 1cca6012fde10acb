#pragma once

#include <string>

#include "engine/daemon/status_dump.h"

namespace vigil::daemon {

/// keepalived's JSON of all instances, with its names and kinds of values: programs read it. `layout` 1: an array of instances; 2: an object with the
/// array as "vrrp" and with "track_process". Pure.
std::string status_json(const DumpInput& input, int layout);

}  // namespace vigil::daemon
