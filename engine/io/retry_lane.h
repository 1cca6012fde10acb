#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/tx_batch.h"

namespace vigil::io {

/// Adverts that the kernel could not take for want of room (ENOBUFS, EAGAIN): a full queueing discipline, a full socket buffer. They are kept with
/// a copy of their bytes and sent again before the next pass's adverts, unless a newer advert of the same router makes them void:
/// an old priority must never follow a stop advert. Bounded; takes all memory in the constructor.
class RetryLane {
public:
    RetryLane();

    static bool is_transient(int error_number);

    /// Takes note of a failed frame; false when the lane is full, or the frame too long or tried too often: report it then.
    bool keep(const engine::TxFrame& failed);
    /// What shall be sent again now: everything kept, except for routers that have a frame in `newer`. The frames are valid, and none
    /// is kept any more, until keep() is called for those that fail again.
    std::span<const engine::TxFrame> take(std::span<const engine::TxFrame> newer);
    bool is_empty() const { return kept_count_ == 0; }

    static constexpr std::size_t capacity = 256;
    static constexpr std::size_t most_bytes = 512;
    static constexpr std::uint8_t most_attempts = 8;

private:
    struct Entry {
        engine::TxFrame frame;
        std::uint8_t attempts = 0;
        std::array<std::uint8_t, most_bytes> bytes{};
    };

    std::vector<Entry> kept_;      // will be sent by the next take()
    std::vector<Entry> taken_;     // was given out by the last take()
    std::vector<engine::TxFrame> frames_;
    std::size_t kept_count_ = 0;
    std::size_t taken_count_ = 0;
};

}  // namespace vigil::io
