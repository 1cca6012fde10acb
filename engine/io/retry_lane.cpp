#include "engine/io/retry_lane.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vigil::io {

RetryLane::RetryLane() : kept_(capacity), taken_(capacity), frames_(capacity) {}

bool RetryLane::is_transient(int error_number) {
    return error_number == ENOBUFS || error_number == EAGAIN || error_number == ENOMEM;
}

bool RetryLane::keep(const engine::TxFrame& failed) {
    if (failed.size > most_bytes || kept_count_ == capacity) return false;
    // A frame of the last take() points into taken_: it has been tried before.
    std::uint8_t attempts = 0;
    for (std::size_t i = 0; i < taken_count_; ++i) {
        if (taken_[i].bytes.data() == failed.data) attempts = taken_[i].attempts;
    }
    if (attempts + 1 >= most_attempts) return false;
    Entry& entry = kept_[kept_count_++];
    std::copy_n(failed.data, failed.size, entry.bytes.begin());
    entry.frame = failed;
    entry.attempts = static_cast<std::uint8_t>(attempts + 1);
    return true;
}

std::span<const engine::TxFrame> RetryLane::take(std::span<const engine::TxFrame> newer) {
    if (kept_count_ == 0) return {};
    std::swap(kept_, taken_);
    taken_count_ = std::exchange(kept_count_, 0);
    std::size_t count = 0;
    for (std::size_t i = 0; i < taken_count_; ++i) {
        const engine::RouterIndex router = taken_[i].frame.router;
        const auto replaces = [router](const engine::TxFrame& frame) { return frame.router == router; };
        if (std::any_of(newer.begin(), newer.end(), replaces)) continue;
        frames_[count] = taken_[i].frame;
        frames_[count++].data = taken_[i].bytes.data();
    }
    return {frames_.data(), count};
}

}  // namespace vigil::io
