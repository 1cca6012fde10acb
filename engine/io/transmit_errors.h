#pragma once

#include <span>
#include <vector>

#include "engine/io/backend.h"

namespace vigil::io {

/// What a backend could not send, until it is taken; at most Backend::error_capacity. Does not allocate once made.
class TransmitErrors {
public:
    TransmitErrors() { errors_.reserve(Backend::error_capacity); }

    void add(std::uint32_t sequence, int error_number) {
        if (is_taken_) errors_.clear();
        is_taken_ = false;
        if (errors_.size() < Backend::error_capacity) errors_.push_back({sequence, error_number});
    }
    /// Since the last call; valid until the next add().
    std::span<const TransmitError> take() {
        if (is_taken_) return {};
        is_taken_ = true;
        return errors_;
    }
    bool is_empty() const { return is_taken_ || errors_.empty(); }

private:
    std::vector<TransmitError> errors_;
    bool is_taken_ = false;
};

}  // namespace vigil::io
