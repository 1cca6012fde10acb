#include "engine/io/clock.h"

#include <gtest/gtest.h>

#include "engine/io/lateness.h"

namespace vigil::io {
namespace {

using namespace std::chrono_literals;

constexpr clock::ArrivalWindow window{.realtime_to_boot = -1000s, .earliest = {5'000}, .latest = {9'000}};

constexpr std::int64_t stamped(std::int64_t boot_ns) { return boot_ns + Nanoseconds{1000s}.count(); }

TEST(ArrivalWindow, ConvertsTheWallClockToBootTime) { EXPECT_EQ(window.arrival(stamped(7'000)), Instant{7'000}); }

TEST(ArrivalWindow, AWallClockSetForwardMakesNoArrivalLaterThanTheDrain) {
    EXPECT_EQ(window.arrival(stamped(7'000) + Nanoseconds{1h}.count()), Instant{9'000});
}

TEST(ArrivalWindow, AWallClockSetBackMakesNoArrivalOlderThanTheLastEmptyRing) {
    EXPECT_EQ(window.arrival(stamped(7'000) - Nanoseconds{1h}.count()), Instant{5'000});
}

TEST(Clock, DoesNotGoBack) {
    const Instant first = clock::now();
    EXPECT_GE(clock::now(), first);
}

TEST(LatenessHistogram, CountsByPowersOfTwoOfMicroseconds) {
    LatenessHistogram histogram;
    histogram.add(999ns);      // below 1 µs
    histogram.add(1us);        // 1 up to below 2
    histogram.add(3999ns);     // 2 up to below 4
    histogram.add(1h);         // above everything
    histogram.add(-5ns);       // served early counts as on time
    EXPECT_EQ(histogram.buckets[0], 2u);
    EXPECT_EQ(histogram.buckets[1], 1u);
    EXPECT_EQ(histogram.buckets[2], 1u);
    EXPECT_EQ(histogram.buckets.back(), 1u);
    EXPECT_EQ(histogram.worst, Nanoseconds{1h});
}

}  // namespace
}  // namespace vigil::io
