#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/counters.h"
#include "engine/io/snapshot.h"

namespace vigil::daemon {

struct DumpInput;

/// What is counted of one router.
struct RouterFigures {
    const engine::RouterCounters& router;
    engine::HmacCounters hmac;   ///< all 0 without auth_hmac
};
RouterFigures figures_of(const io::Snapshot& snapshot, std::size_t router);

/// One number of keepalived's statistics.
struct Statistic {
    std::string_view section;    ///< heading in keepalived.stats; empty: none
    std::string_view name;       ///< there
    std::string_view json_name;  ///< in keepalived.json
    std::uint64_t (*value)(const RouterFigures&);
};

/// All of them, in the order of keepalived.stats.
std::span<const Statistic> statistics();

/// keepalived's statistics text for SIGUSR2. Pure.
std::string statistics_text(const DumpInput& input);

}  // namespace vigil::daemon
