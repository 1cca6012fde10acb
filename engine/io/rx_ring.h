#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/core/engine.h"
#include "engine/io/clock.h"
#include "engine/io/system_error.h"

namespace vigil::io {

/// Size of one receive ring: blocks of whole slots, a page each, or one slot that is larger.
struct RingGeometry {
    std::uint32_t slot_bytes = 256;   ///< multiple of 64 up to 2048, or 4096, 8192, 16384; the kernel's header included
    std::uint32_t least_slots = 64;   ///< 1-65536; there may be more, because blocks are whole

    /// What the kernel puts before the frame in each slot (TPACKET_V2, Ethernet).
    static constexpr std::uint32_t overhead_bytes = 66;
    static constexpr std::uint32_t page_bytes = 4096;
    constexpr std::uint32_t frame_bytes() const { return slot_bytes - overhead_bytes; }
    constexpr std::uint32_t block_bytes() const { return std::max(page_bytes, slot_bytes); }
    constexpr std::uint32_t slots_per_block() const { return block_bytes() / slot_bytes; }
    constexpr std::uint32_t block_count() const { return (least_slots + slots_per_block() - 1) / slots_per_block(); }
    constexpr std::uint32_t slot_count() const { return block_count() * slots_per_block(); }
    constexpr std::size_t total_bytes() const { return std::size_t{block_bytes()} * block_count(); }
};

/// A TPACKET_V2 receive ring: memory shared with the kernel, where each slot belongs to one of the two. Read by the fast thread
/// without a system call; the frames it hands out point into the ring and stay valid until release().
class RxRing {
public:
    RxRing() = default;
    /// Makes `socket` (AF_PACKET, not yet bound) deliver into a ring and maps it.
    static Result<RxRing> map(int socket, RingGeometry geometry);

    RxRing(RxRing&& other) noexcept;
    RxRing& operator=(RxRing&& other) noexcept;
    ~RxRing();

    bool has_frame() const;
    /// Every slot holds a frame: later ones were lost.
    bool is_full() const;
    /// Fills `out` with the oldest frames and returns how many. Arrivals never decrease. May be called again only after release().
    std::size_t read(std::span<engine::RxFrame> out, engine::LinkIndex link, const clock::ArrivalWindow& window);
    /// Gives the `count` oldest slots back to the kernel; no more than read() returned.
    void release(std::size_t count);

    std::uint32_t slot_count() const { return slot_count_; }
    const RingGeometry& geometry() const { return geometry_; }
    /// The kernel said since the last call that it had lost frames of this socket.
    bool take_loss_mark() { return std::exchange(loss_marked_, false); }

private:
    std::uint8_t* slot(std::uint32_t position) const;
    /// The slot that many behind the oldest, less than a round.
    std::uint32_t behind_oldest(std::uint32_t count) const { return oldest_ + count < slot_count_ ? oldest_ + count : oldest_ + count - slot_count_; }

    std::uint8_t* memory_ = nullptr;
    RingGeometry geometry_{};
    std::uint32_t slot_count_ = 0;
    std::uint32_t slots_per_block_ = 1;
    std::uint32_t oldest_ = 0;         // slot not yet released
    Instant last_arrival_{};
    bool loss_marked_ = false;
};

}  // namespace vigil::io
