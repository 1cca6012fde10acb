#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/counters.h"

namespace vigil::daemon {

struct DumpInput;

/// One number of keepalived's statistics.
struct Statistic {
    std::string_view section;    ///< heading in keepalived.stats; empty: none
    std::string_view name;       ///< there
    std::string_view json_name;  ///< in keepalived.json
    std::uint64_t (*value)(const engine::RouterCounters&);
};

/// All of them, in the order of keepalived.stats.
std::span<const Statistic> statistics();

/// keepalived's statistics text for SIGUSR2. Pure.
std::string statistics_text(const DumpInput& input);

}  // namespace vigil::daemon
