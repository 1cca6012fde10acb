#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/io/file_descriptor.h"
#include "engine/io/system_error.h"
#include "packet/bytes.h"
#include "packet/units.h"

namespace vigil::lab {

/// What the kernel says it has and has not delivered.
struct RingCounters {
    std::uint64_t frames = 0;
    std::uint64_t drops = 0;      ///< there was no room in the ring
    std::uint64_t freezes = 0;    ///< how often the ring was full
};

/// A TPACKET_V3 ring on one socket that hears every interface of the network namespace: VRRP, ARP and neighbour advertisements that arrive;
/// not what leaves, so that a sender pays nothing for being watched on its own side. A block is handed over when it is full
/// or `retire_milliseconds` after its first frame; arrival times are the kernel's, so this delay is in no figure.
class CaptureRing {
public:
    static constexpr std::size_t block_bytes = std::size_t{1} << 20;
    static constexpr unsigned retire_milliseconds = 20;

    /// `block_count` blocks of 1 MiB; one holds about 7,000 advertisements.
    static io::Result<CaptureRing> open(std::size_t block_count);

    CaptureRing(CaptureRing&& other) noexcept
        : socket_(std::move(other.socket_)), memory_(std::exchange(other.memory_, nullptr)), block_count_(other.block_count_),
          next_block_(other.next_block_), to_monotonic_(other.to_monotonic_) {}
    CaptureRing& operator=(CaptureRing&&) = delete;
    ~CaptureRing();

    int descriptor() const { return socket_.get(); }

    /// Calls `visit(bytes, interface_index, arrival)` for every frame of the blocks that are ready, oldest first, and gives the blocks back.
    /// At most one round of the ring. Arrivals are in CLOCK_MONOTONIC.
    template <typename Visit>
    void drain(Visit visit) {
        for (std::size_t i = 0; i < block_count_ && begin_block(); ++i) {
            Frame frame;
            while (next_frame(frame)) visit(frame.bytes, frame.interface_index, frame.arrival);
            end_block();
        }
    }

    /// Since the last call.
    RingCounters take_counters() const;

    /// What is added to a time stamp of the system clock; taken when the ring was opened.
    Nanoseconds to_monotonic() const { return to_monotonic_; }
    /// By how much the two clocks have moved against each other since.
    Nanoseconds clock_drift() const;

private:
    struct Frame {
        packet::Bytes bytes;
        std::uint32_t interface_index = 0;
        Nanoseconds arrival{0};
    };

    CaptureRing(io::FileDescriptor socket, std::uint8_t* memory, std::size_t block_count);
    bool begin_block();
    bool next_frame(Frame& frame);
    void end_block();

    io::FileDescriptor socket_;
    std::uint8_t* memory_ = nullptr;
    std::size_t block_count_ = 0;
    std::size_t next_block_ = 0;
    const std::uint8_t* next_frame_ = nullptr;   // within the block begun
    std::uint32_t frames_left_ = 0;
    Nanoseconds to_monotonic_{0};
};

}  // namespace vigil::lab
