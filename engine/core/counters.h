#pragma once

#include <array>
#include <cstdint>

#include "packet/advertisement.h"
#include "packet/receive_error.h"

namespace vigil::engine {

/// What one router did and heard. Cold: beside the record, written by the fast thread only; another thread reads a copy
/// that the fast thread made (FastLoop::copy_snapshot()).
struct RouterCounters {
    std::uint64_t adverts_received = 0;      ///< accepted by all checks
    std::uint64_t adverts_sent = 0;
    std::uint32_t became_active = 0;         ///< transitions to Active
    std::uint32_t released_active = 0;       ///< transitions from Active
    std::uint32_t stop_received = 0;         ///< priority 0
    std::uint32_t stop_sent = 0;
    std::uint32_t interval_mismatch = 0;     ///< v2 adverts refused because their Advertisement_Interval is not ours
    std::uint32_t address_list_differs = 0;  ///< accepted adverts whose addresses are not ours, a new sender's first
    std::uint32_t auth_failed = 0;           ///< wrong password or digest, replays
    std::uint32_t auth_type_mismatch = 0;
    std::uint32_t auth_type_unknown = 0;     ///< neither none, PASS nor AH
    // Those that a socket filter in front of the engine lets through, and that seem to be for this router:
    std::uint32_t length_errors = 0;         ///< shorter than its own address count
    std::uint32_t ttl_errors = 0;            ///< not 255, or outside of the unicast peer's bounds
    std::uint32_t type_errors = 0;           ///< not ADVERTISEMENT
    std::uint32_t transmit_failed = 0;
    std::uint32_t answers_suppressed = 0;    ///< losing adverts not answered because of the rate limit
};

/// Adverts that auth_hmac refused, for a router that has it.
struct HmacCounters {
    std::uint32_t missing = 0;
    std::uint32_t malformed = 0;
    std::uint32_t unknown_key = 0;
    std::uint32_t invalid = 0;
    std::uint32_t stale = 0;
    std::uint32_t replayed = 0;
};

/// Reasons for not taking a frame, over all routers.
struct EngineCounters {
    std::uint64_t frames = 0;                ///< given to on_frames(), good and bad
    std::array<std::uint64_t, packet::receive_error_count> errors{};
    std::array<std::uint64_t, 3> checksum_forms{};   ///< by packet::ChecksumForm
    std::uint64_t announcements = 0;         ///< gratuitous ARPs and unsolicited NAs put into batches
    std::uint64_t events_lost = 0;           ///< for want of room; state reports follow
    std::uint64_t intervals_missed = 0;   ///< whole Advertisement_Intervals in which an Active sent nothing because its timer was served late
    std::uint64_t held_by_group = 0;         ///< timers of Backups put off because another member of the sync group objected
    std::uint64_t listened = 0;              ///< timers put off because silence proved nothing (state_machine.cpp)
};

}  // namespace vigil::engine
