#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/io/rx_ring.h"

namespace vigil::io {

/// What the receive ring of one link must cope with.
struct RingNeed {
    std::uint32_t longest_frame = 60;   ///< bytes of the longest advert that our own routers on the link send, Ethernet header included
    std::uint32_t router_count = 1;     ///< each hears one advert per interval
};

constexpr std::size_t default_ring_budget_bytes = std::size_t{32} << 20;

/// The ring that one link needs, whatever others do.
RingGeometry least_ring(const RingNeed& need);

/// Sizes of all rings, in the order of `needs`. A slot holds an advert twice as long as our longest, because a peer whose list is longer than
/// ours must still be heard: not hearing it would make two Actives. Slots are one per router, 64 at least: a full
/// ring costs arrival times, not elections (see FastLoop). On a host with few links they are up to 1024, as long as all rings together take no
/// more than 8 MiB: a flood that the filter cannot refuse (wrong checksums for a VRID of ours) then finds room until the thread runs. When the sum exceeds `budget_bytes`, the largest rings are halved down to
/// 64 slots each; a budget that is smaller still is exceeded.
std::vector<RingGeometry> plan_rings(std::span<const RingNeed> needs, std::size_t budget_bytes = default_ring_budget_bytes);

}  // namespace vigil::io
