#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/virtual_router.h"

namespace vigil::engine {

/// How a frame leaves.
enum class TxPath : std::uint8_t {
    link,   ///< complete Ethernet frame, through the link's AF_PACKET socket
    route,  ///< IP packet (bytes start at the IP header), routed by the kernel to the destination in its header
};

struct TxFrame {
    const std::uint8_t* data = nullptr;   ///< valid and unchanged until the batch is cleared
    std::uint16_t size = 0;
    LinkIndex link = LinkIndex::none;
    RouterIndex router = RouterIndex::none;
    TxPath path = TxPath::link;

    std::span<const std::uint8_t> bytes() const { return {data, size}; }
};

/// Bounded output of one pass of the fast thread, in two lanes: urgent (adverts) and paced (announcements). The loop sends the urgent
/// lane first, all of it, then the paced one, then clears. A push that finds no room returns false and the caller comes again
/// in the next pass: back-pressure without queues. All memory is taken by the constructor.
class TxBatch {
public:
    /// `urgent` and `paced` in frames; `scratch_bytes` for frames that live only in the batch.
    TxBatch(std::size_t urgent, std::size_t paced, std::size_t scratch_bytes);

    std::size_t urgent_room() const { return urgent_.size() - urgent_count_; }
    std::size_t paced_room() const { return paced_.size() - paced_count_; }
    std::size_t scratch_room() const { return scratch_.size() - scratch_used_; }

    /// `frame.data` must stay unchanged until clear().
    bool push_urgent(const TxFrame& frame);
    /// Copies the bytes first, for templates that are patched again or sealed.
    bool push_urgent_copy(const TxFrame& frame);
    bool push_paced_copy(const TxFrame& frame);

    std::span<const TxFrame> urgent() const { return {urgent_.data(), urgent_count_}; }
    std::span<const TxFrame> paced() const { return {paced_.data(), paced_count_}; }
    bool is_empty() const { return urgent_count_ == 0 && paced_count_ == 0; }
    void clear() { urgent_count_ = paced_count_ = scratch_used_ = 0; }

private:
    const std::uint8_t* copy(std::span<const std::uint8_t> bytes);

    std::vector<TxFrame> urgent_;
    std::vector<TxFrame> paced_;
    std::vector<std::uint8_t> scratch_;
    std::size_t urgent_count_ = 0;
    std::size_t paced_count_ = 0;
    std::size_t scratch_used_ = 0;
};

}  // namespace vigil::engine
