#pragma once

#include <cstdint>

#include "tests/sim/life.h"

namespace vigil::sim {

/// Builds a random LAN from `seed`, lets it live through bad weather, partitions, crashes, stops, pauses and priority changes, then through calm,
/// and checks the invariants. `story` gets every line when set.
Outcome run_random_lan(std::uint64_t seed, const Story& story = {});

}  // namespace vigil::sim
