#include "engine/io/ring_plan.h"

#include <algorithm>
#include <bit>

namespace vigil::io {
namespace {

constexpr std::uint32_t slot_step_bytes = 64;         // a cache line
constexpr std::uint32_t most_bytes_in_steps = 2048;   // larger ones are powers of two, so that whole ones fill pages
constexpr std::uint32_t most_slot_bytes = 16384;
constexpr std::uint32_t least_slots = 64;
constexpr std::uint32_t most_slots = 4096;
constexpr std::uint32_t comfortable_slots = 1024;   // 20 ms of 50,000 frames a second
constexpr std::size_t comfortable_bytes = std::size_t{8} << 20;

std::uint32_t slot_for(std::uint32_t longest_frame) {
    const std::uint32_t wanted = std::min(longest_frame, most_slot_bytes) * 2 + RingGeometry::overhead_bytes;
    if (wanted > most_bytes_in_steps) return std::min(std::bit_ceil(wanted), most_slot_bytes);
    return (wanted + slot_step_bytes - 1) / slot_step_bytes * slot_step_bytes;
}

/// Doubles the smallest rings as long as the sum stays within `limit_bytes`.
void widen(std::vector<RingGeometry>& rings, std::size_t& total, std::size_t limit_bytes) {
    for (std::uint32_t slots = least_slots; slots < comfortable_slots; slots *= 2) {
        for (RingGeometry& ring : rings) {
            const RingGeometry doubled{.slot_bytes = ring.slot_bytes, .least_slots = slots * 2};
            const std::size_t more = doubled.total_bytes() - ring.total_bytes();
            if (ring.least_slots != slots || total + more > limit_bytes) continue;
            total += more;
            ring = doubled;
        }
    }
}

}  // namespace

RingGeometry least_ring(const RingNeed& need) {
    return {.slot_bytes = slot_for(need.longest_frame), .least_slots = std::bit_ceil(std::clamp(need.router_count, least_slots, most_slots))};
}

std::vector<RingGeometry> plan_rings(std::span<const RingNeed> needs, std::size_t budget_bytes) {
    std::vector<RingGeometry> rings;
    rings.reserve(needs.size());
    std::size_t total = 0;
    for (const RingNeed& need : needs) {
        rings.push_back(least_ring(need));
        total += rings.back().total_bytes();
    }
    widen(rings, total, std::min(budget_bytes, comfortable_bytes));
    while (total > budget_bytes) {
        RingGeometry* largest = nullptr;
        for (RingGeometry& ring : rings) {
            if (ring.least_slots > least_slots && (largest == nullptr || ring.total_bytes() > largest->total_bytes())) largest = &ring;
        }
        if (largest == nullptr) break;
        total -= largest->total_bytes();
        largest->least_slots /= 2;
        total += largest->total_bytes();
    }
    return rings;
}

}  // namespace vigil::io
