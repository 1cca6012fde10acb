#include "engine/io/ring_plan.h"

#include <gtest/gtest.h>

namespace vigil::io {
namespace {

std::size_t total(std::span<const RingGeometry> rings) {
    std::size_t sum = 0;
    for (const RingGeometry& ring : rings) sum += ring.total_bytes();
    return sum;
}

TEST(RingPlan, ASlotHoldsAnAdvertTwiceAsLongAsOurs) {
    const std::vector<RingNeed> needs{{.longest_frame = 60, .router_count = 1}, {.longest_frame = 130, .router_count = 1}};
    const auto rings = plan_rings(needs);
    EXPECT_EQ(rings[0].slot_bytes, 256u);   // 66 + 120 = 186
    EXPECT_EQ(rings[1].slot_bytes, 512u);   // 66 + 260 = 326
    EXPECT_GE(rings[1].frame_bytes(), 260u);
}

TEST(RingPlan, SlotsFollowTheRouters) {
    std::vector<RingNeed> needs(600, {.router_count = 1});   // 600 x 16 KiB: more than is given away
    needs[1].router_count = 255;
    needs[2].router_count = 100'000;
    const auto rings = plan_rings(needs);
    EXPECT_EQ(rings[0].slot_count, 64u);
    EXPECT_EQ(rings[1].slot_count, 256u);
    EXPECT_EQ(rings[2].slot_count, 4096u);
}

TEST(RingPlan, AHostWithFewLinksHasRoomForAFlood) {
    for (const std::size_t links : {1u, 2u, 32u}) {
        const std::vector<RingNeed> needs(links, {.router_count = 1});
        for (const RingGeometry& ring : plan_rings(needs)) EXPECT_EQ(ring.slot_count, 1024u);
    }
}

TEST(RingPlan, NoMoreThanEightMebibytesAreGivenAway) {
    for (const std::size_t links : {33u, 100u, 256u, 500u}) {
        const std::vector<RingNeed> needs(links, {.router_count = 1});
        const auto rings = plan_rings(needs);
        EXPECT_LE(total(rings), std::size_t{8} << 20);
        EXPECT_GE(total(rings), std::size_t{4} << 20);   // and what could be is
    }
}

TEST(RingPlan, ASmallBudgetIsNotExceededForComfort) {
    const std::vector<RingNeed> needs(4, {.router_count = 1});
    EXPECT_EQ(total(plan_rings(needs, 65536)), 65536u);
}

TEST(RingPlan, TwoHundredFiftySixFullLinksTakeSixteenMebibytes) {
    const std::vector<RingNeed> needs(256, {.longest_frame = 60, .router_count = 255});
    EXPECT_EQ(total(plan_rings(needs)), std::size_t{16} << 20);
}

TEST(RingPlan, ShrinksTheLargestRingsToTheBudget) {
    std::vector<RingNeed> needs(256, {.longest_frame = 600, .router_count = 255});   // 2 KiB x 256 slots x 256 links = 128 MiB
    needs[0].router_count = 10;
    const auto rings = plan_rings(needs, std::size_t{32} << 20);
    EXPECT_LE(total(rings), std::size_t{32} << 20);
    EXPECT_EQ(rings[0].slot_count, 64u);
    EXPECT_EQ(rings[0].slot_bytes, 2048u);
}

TEST(RingPlan, NeverGoesBelowSixtyFourSlots) {
    const std::vector<RingNeed> needs(4, {.longest_frame = 600, .router_count = 255});
    for (const RingGeometry& ring : plan_rings(needs, 1)) EXPECT_EQ(ring.slot_count, 64u);
}

}  // namespace
}  // namespace vigil::io
