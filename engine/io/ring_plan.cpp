#include "engine/io/ring_plan.h"

#include <algorithm>
#include <bit>

namespace vigil::io {
namespace {

constexpr std::uint32_t least_slot_bytes = 256;
constexpr std::uint32_t most_slot_bytes = 16384;
constexpr std::uint32_t least_slots = 64;
constexpr std::uint32_t most_slots = 4096;
constexpr std::uint32_t comfortable_slots = 1024;   // 20 ms of 50,000 frames a second
constexpr std::size_t comfortable_bytes = std::size_t{8} << 20;

RingGeometry geometry_for(const RingNeed& need) {
    const std::uint32_t wanted = std::min(need.longest_frame, most_slot_bytes) * 2 + RingGeometry::overhead_bytes;
    const std::uint32_t slots = std::clamp(need.router_count, least_slots, most_slots);
    return {.slot_bytes = std::clamp(std::bit_ceil(wanted), least_slot_bytes, most_slot_bytes), .slot_count = std::bit_ceil(slots)};
}

/// Doubles the smallest rings as long as the sum stays within `limit_bytes`.
void widen(std::vector<RingGeometry>& rings, std::size_t& total, std::size_t limit_bytes) {
    for (std::uint32_t slots = least_slots; slots < comfortable_slots; slots *= 2) {
        for (RingGeometry& ring : rings) {
            if (ring.slot_count != slots || total + ring.total_bytes() > limit_bytes) continue;
            total += ring.total_bytes();
            ring.slot_count *= 2;
        }
    }
}

}  // namespace

std::vector<RingGeometry> plan_rings(std::span<const RingNeed> needs, std::size_t budget_bytes) {
    std::vector<RingGeometry> rings;
    rings.reserve(needs.size());
    std::size_t total = 0;
    for (const RingNeed& need : needs) {
        rings.push_back(geometry_for(need));
        total += rings.back().total_bytes();
    }
    widen(rings, total, std::min(budget_bytes, comfortable_bytes));
    while (total > budget_bytes) {
        RingGeometry* largest = nullptr;
        for (RingGeometry& ring : rings) {
            if (ring.slot_count > least_slots && (largest == nullptr || ring.total_bytes() > largest->total_bytes())) largest = &ring;
        }
        if (largest == nullptr) break;
        largest->slot_count /= 2;
        total -= largest->total_bytes();
    }
    return rings;
}

}  // namespace vigil::io
