#include "engine/io/clock.h"

#include <ctime>

namespace vigil::io::clock {
namespace {

std::int64_t read(clockid_t id) {
    timespec time{};
    ::clock_gettime(id, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Instant now() { return {read(CLOCK_BOOTTIME)}; }

Nanoseconds realtime_to_boot() {
    // The two clocks cannot be read at once: the wall clock is bracketed by two readings of ours. A pair that was
    // interrupted in between is taken again; the tightest of three is good enough, since the window clamps the rest.
    constexpr std::int64_t tight_ns = 2'000;
    std::int64_t best_width = INT64_MAX;
    std::int64_t best_offset = 0;
    for (int attempt = 0; attempt < 3 && best_width > tight_ns; ++attempt) {
        const std::int64_t before = read(CLOCK_BOOTTIME);
        const std::int64_t wall = read(CLOCK_REALTIME);
        const std::int64_t width = read(CLOCK_BOOTTIME) - before;
        if (width >= best_width) continue;
        best_width = width;
        best_offset = before + width / 2 - wall;
    }
    return Nanoseconds{best_offset};
}

}  // namespace vigil::io::clock
