#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/lan.h"

namespace vigil::sim {

struct Outcome {
    std::vector<Violation> violations;
    std::uint64_t frames = 0;
    std::uint64_t transitions = 0;
    Nanoseconds virtual_time{0};
};

/// Builds a random LAN from `seed`, lets it live through bad weather, partitions, crashes, stops, pauses and priority changes, then through calm,
/// and checks the invariants. `story` gets every line when set.
Outcome run_random_lan(std::uint64_t seed, const std::function<void(Instant, const std::string&)>& story = {});

}  // namespace vigil::sim
