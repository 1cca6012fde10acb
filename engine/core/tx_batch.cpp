#include "engine/core/tx_batch.h"

#include <algorithm>

namespace vigil::engine {

TxBatch::TxBatch(std::size_t urgent, std::size_t paced, std::size_t scratch_bytes)
    : urgent_(urgent), paced_(paced), scratch_(scratch_bytes) {}

bool TxBatch::push_urgent(const TxFrame& frame) {
    if (urgent_room() == 0) return false;
    urgent_[urgent_count_++] = frame;
    return true;
}

bool TxBatch::push_urgent_copy(const TxFrame& frame) {
    if (urgent_room() == 0 || frame.size > scratch_room()) return false;
    urgent_[urgent_count_] = frame;
    urgent_[urgent_count_++].data = copy(frame.bytes());
    return true;
}

bool TxBatch::push_paced_copy(const TxFrame& frame) {
    if (paced_room() == 0 || frame.size > scratch_room()) return false;
    paced_[paced_count_] = frame;
    paced_[paced_count_++].data = copy(frame.bytes());
    return true;
}

const std::uint8_t* TxBatch::copy(std::span<const std::uint8_t> bytes) {
    std::uint8_t* place = scratch_.data() + scratch_used_;
    std::copy(bytes.begin(), bytes.end(), place);
    scratch_used_ += bytes.size();
    return place;
}

}  // namespace vigil::engine
