#pragma once

#include <cstdint>
#include <span>

#include "engine/core/engine.h"
#include "engine/io/clock.h"
#include "engine/io/system_error.h"

namespace vigil::io {

/// Size of one receive ring. Both are powers of two.
struct RingGeometry {
    std::uint32_t slot_bytes = 256;   ///< 256-16384, the kernel's header included
    std::uint32_t slot_count = 64;    ///< 16-65536

    /// What the kernel puts before the frame in each slot (TPACKET_V2, Ethernet).
    static constexpr std::uint32_t overhead_bytes = 66;
    constexpr std::uint32_t frame_bytes() const { return slot_bytes - overhead_bytes; }
    constexpr std::size_t total_bytes() const { return std::size_t{slot_bytes} * slot_count; }
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

    std::uint32_t slot_count() const { return geometry_.slot_count; }
    const RingGeometry& geometry() const { return geometry_; }
    /// The kernel said since the last call that it had lost frames of this socket.
    bool take_loss_mark() { return std::exchange(loss_marked_, false); }

private:
    std::uint8_t* slot(std::size_t position) const { return memory_ + (position & (geometry_.slot_count - 1)) * geometry_.slot_bytes; }
    std::uint32_t status(std::size_t position) const;

    std::uint8_t* memory_ = nullptr;
    RingGeometry geometry_{};
    std::size_t head_ = 0;             // oldest slot not yet released
    Instant last_arrival_{};
    bool loss_marked_ = false;
};

}  // namespace vigil::io
