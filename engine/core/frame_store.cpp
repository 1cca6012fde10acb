#include "engine/core/frame_store.h"

#include <algorithm>

namespace vigil::engine {

void FrameStore::reserve(std::size_t routers, std::size_t frames, std::size_t bytes) {
    bytes_.resize(bytes);
    templates_.reserve(frames);
    first_.reserve(routers);
}

void FrameStore::begin_router() { first_.push_back(static_cast<std::uint32_t>(templates_.size())); }

tl::expected<void, packet::BuildError> FrameStore::add(const packet::AdvertisementSpec& spec) {
    const auto frame = packet::build_advertisement_frame(spec, std::span(bytes_).subspan(used_));
    if (!frame) return tl::unexpected(frame.error());
    used_ += frame->bytes().size();
    templates_.push_back(*frame);
    largest_frame_ = std::max(largest_frame_, frame->bytes().size());
    largest_fan_out_ = std::max(largest_fan_out_, templates_.size() - first_.back());
    return {};
}

}  // namespace vigil::engine
