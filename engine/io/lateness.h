#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "packet/units.h"

namespace vigil::io {

/// How late the engine's deadlines were served: count by powers of two of microseconds, and the worst. Bucket 0 holds less than 1 µs, bucket n
/// 2^(n-1) up to below 2^n µs, the last everything above.
struct LatenessHistogram {
    static constexpr std::size_t bucket_count = 24;   ///< the last begins at 4.2 s

    std::array<std::uint64_t, bucket_count> buckets{};
    Nanoseconds worst{0};

    constexpr void add(Nanoseconds lateness) {
        const auto microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(lateness.count(), 0)) / 1000;
        ++buckets[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(microseconds)), bucket_count - 1)];
        worst = std::max(worst, lateness);
    }
};

}  // namespace vigil::io
