#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "engine/core/virtual_router.h"
#include "packet/frame_template.h"

namespace vigil::engine {

/// The advertisement frames of all routers, built once: one per multicast router, one per peer of a unicast router. One block
/// of memory for the bytes; its size is known before it is taken, so templates never move.
class FrameStore {
public:
    /// `bytes` and `frames` are the sums over everything that add() will get.
    void reserve(std::size_t routers, std::size_t frames, std::size_t bytes);
    /// Begins the next router, in index order.
    void begin_router();
    /// Adds a frame to the router begun last.
    tl::expected<void, packet::BuildError> add(const packet::AdvertisementSpec& spec);

    std::span<packet::FrameTemplate> frames_of(RouterIndex index) {
        const std::size_t i = to_number(index);
        return {templates_.data() + first_[i], templates_.data() + (i + 1 < first_.size() ? first_[i + 1] : templates_.size())};
    }
    std::size_t largest_frame() const { return largest_frame_; }
    /// Frames of the router that has most.
    std::size_t largest_fan_out() const { return largest_fan_out_; }

private:
    std::vector<std::uint8_t> bytes_;
    std::vector<packet::FrameTemplate> templates_;
    std::vector<std::uint32_t> first_;
    std::size_t used_ = 0;
    std::size_t largest_frame_ = 0;
    std::size_t largest_fan_out_ = 1;
};

}  // namespace vigil::engine
