#pragma once

#include <cstdint>

#include "tests/sim/life.h"

namespace vigil::sim {

/// Builds random hosts with a sync group over 2 to 4 LANs from `seed`, lets them live through trouble, calm and a LAN that is broken alone, and checks
/// the invariants. `story` gets every line when set.
Outcome run_random_groups(std::uint64_t seed, const Story& story = {});

}  // namespace vigil::sim
