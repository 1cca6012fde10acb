#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/virtual_router.h"

namespace vigil::engine {

/// What the engine keeps of one vrrp_sync_group, beside its members' records. `member_count` and `frame_count` change only when a reload
/// takes members out; `faulty_count` follows from the members' records; the rest is only memory of what was, and may begin anew.
struct SyncGroup {
    std::uint32_t first_member = 0;    ///< into Engine::members_
    std::uint32_t member_count = 0;
    std::uint32_t frame_count = 0;     ///< of the adverts that leave when all members send one
    std::uint32_t faulty_count = 0;    ///< members with a fault of their own; the group runs when it is 0
    std::uint32_t depositions = 0;     ///< in a row at short distance
    Instant last_deposed{};
    Nanoseconds penalty{0};            ///< the next timer of a member that fires waits so much longer, and with it all others
    Instant not_before{};              ///< that timer has fired, and waits
};

/// Does anything else than its group keep it from running?
constexpr bool has_own_fault(const VirtualRouter& router) {
    return (router.faults & ~static_cast<unsigned>(Fault::sync_group)) != 0;
}

/// Judgements about the members of a sync group. Pure; the essay is in sync_group.cpp.
namespace sync_group {

/// Why a member whose Active_Down_Timer has fired stays Backup for the sake of another one.
enum class Objection : std::uint8_t {
    none,
    superior_heard,   ///< the other hears an Active that would depose the group at once
    deferred,         ///< there is an Active on both LANs, and the other one does not preempt it, or not yet
};
/// `expired`: its deadline has come, and its record is as it was then. `other`: another member.
Objection objection(const VirtualRouter& expired, const VirtualRouter& other);

/// Does this Backup put its timer off at `now`, or has it done so, because silence proved nothing?
bool doubts_silence(const VirtualRouter& router, Instant now);

/// The group was deposed. Sets its penalty: nothing after the first deposition, then a part of up to four intervals that differs from router to
/// router and from time to time.
void retreat(SyncGroup& group, const VirtualRouter& member, Instant now);

/// The timer of `member` has fired and nobody objects: when may the group become Active? `now` at once.
Instant earliest_takeover(SyncGroup& group, const VirtualRouter& member, Instant now);

}  // namespace sync_group
}  // namespace vigil::engine
