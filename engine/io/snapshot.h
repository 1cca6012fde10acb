#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/virtual_router.h"
#include "engine/io/lateness.h"
#include "engine/io/link_port.h"

namespace vigil::io {

/// What the fast thread counted about itself.
struct LoopCounters {
    std::uint64_t passes = 0;
    std::uint64_t frames = 0;
    std::uint64_t commands = 0;
    std::uint64_t sent = 0;              ///< frames handed to the kernel, failed ones included
    std::uint64_t send_errors = 0;       ///< finally given up
    std::uint64_t send_retries = 0;
    std::uint64_t error_overflows = 0;   ///< passes with more failures than the backend keeps; the rest was not reported
    std::uint64_t pauses = 0;            ///< times that the process did not run for FastLoop::least_pause or longer
    Nanoseconds longest_pause{0};
    LatenessHistogram lateness;
};

struct RouterSnapshot {
    engine::VirtualRouter record;
    engine::RouterCounters counters;
    Priority heard_priority{};          ///< of the last advert that was accepted; 0 before the first
};

/// Of a router that has auth_hmac.
struct HmacSnapshot {
    engine::RouterIndex router = engine::RouterIndex::none;
    engine::HmacCounters counters;
};

struct LinkSnapshot {
    bool has_port = false;
    PortCounters counters;
};

/// A picture of the engine, copied by the fast thread in slices between its passes: each router is consistent in itself, and the whole is at most
/// a few milliseconds apart.
struct Snapshot {
    Instant taken_at{};
    bool has_cleared = false;              ///< the routers' counters were set to 0 as they were copied: no count is lost, none is told twice
    engine::EngineCounters engine;
    LoopCounters loop;
    std::vector<RouterSnapshot> routers;   ///< by RouterIndex
    std::vector<LinkSnapshot> links;       ///< by LinkIndex
    std::vector<HmacSnapshot> hmacs;       ///< in the order of the routers; those behind hmac_count mean nothing
    std::size_t hmac_count = 0;
};

}  // namespace vigil::io
