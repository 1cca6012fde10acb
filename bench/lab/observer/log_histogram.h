#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "packet/units.h"

namespace vigil::lab {

/// Counts durations in buckets whose width is a sixteenth of their octave, from 1 µs on: 6 % off at most, whatever the range. Bucket 0
/// holds everything below 1 µs.
class LogHistogram {
public:
    static constexpr std::size_t steps = 16;
    static constexpr std::size_t octaves = 36;             ///< up to 19 hours; above counts as that
    static constexpr std::size_t bucket_count = steps * octaves + 1;

    /// `duration` >= 0.
    void add(Nanoseconds duration) { ++buckets_[bucket_of(duration)]; }

    std::uint64_t count(std::size_t bucket) const { return buckets_[bucket]; }

    /// Shortest duration of a bucket.
    static constexpr Nanoseconds lower_end(std::size_t bucket) {
        if (bucket == 0) return Nanoseconds{0};
        const std::size_t octave = (bucket - 1) / steps, step = (bucket - 1) % steps;
        return Nanoseconds{static_cast<std::int64_t>((1000ULL << octave) + ((1000ULL << octave) * step + steps - 1) / steps)};
    }

    static constexpr std::size_t bucket_of(Nanoseconds duration) {
        const auto nanoseconds = static_cast<std::uint64_t>(duration.count());
        const std::uint64_t microseconds = nanoseconds / 1000;
        if (microseconds == 0) return 0;
        const auto octave = static_cast<std::size_t>(std::bit_width(microseconds)) - 1;
        if (octave >= octaves) return bucket_count - 1;
        const std::uint64_t base = 1000ULL << octave;
        return 1 + octave * steps + static_cast<std::size_t>((nanoseconds - base) * steps / base);
    }

private:
    std::array<std::uint64_t, bucket_count> buckets_{};
};

}  // namespace vigil::lab
