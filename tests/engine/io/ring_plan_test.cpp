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
    EXPECT_EQ(rings[0].slot_bytes, 192u);   // 66 + 120 = 186
    EXPECT_EQ(rings[1].slot_bytes, 384u);   // 66 + 260 = 326
    EXPECT_GE(rings[1].frame_bytes(), 260u);
}

TEST(RingPlan, SlotsFillWholePages) {
    for (const std::uint32_t longest : {60u, 130u, 600u, 991u, 992u, 1500u, 9000u}) {
        const RingGeometry ring = plan_rings(std::vector<RingNeed>{{.longest_frame = longest, .router_count = 255}})[0];
        EXPECT_EQ(ring.total_bytes() % RingGeometry::page_bytes, 0u) << longest;
        EXPECT_LE(ring.slots_per_block() * ring.slot_bytes, ring.block_bytes()) << longest;
        EXPECT_GE(ring.slot_count(), ring.least_slots) << longest;
        EXPECT_EQ(ring.block_bytes() & (ring.block_bytes() - 1), 0u) << longest;   // the kernel allocates powers of two
    }
}

TEST(RingPlan, SlotsFollowTheRouters) {
    std::vector<RingNeed> needs(600, {.router_count = 1});   // 600 x 16 KiB: more than is given away
    needs[1].router_count = 255;
    needs[2].router_count = 100'000;
    const auto rings = plan_rings(needs);
    EXPECT_EQ(rings[0].least_slots, 64u);
    EXPECT_EQ(rings[1].least_slots, 256u);
    EXPECT_EQ(rings[2].least_slots, 4096u);
}

TEST(RingPlan, AHostWithFewLinksHasRoomForAFlood) {
    for (const std::size_t links : {1u, 2u, 32u}) {
        const std::vector<RingNeed> needs(links, {.router_count = 1});
        for (const RingGeometry& ring : plan_rings(needs)) EXPECT_EQ(ring.least_slots, 1024u);
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

TEST(RingPlan, TwoHundredFiftySixFullLinksTakeThirteenMebibytes) {
    const std::vector<RingNeed> needs(256, {.longest_frame = 60, .router_count = 255});
    EXPECT_EQ(total(plan_rings(needs)), std::size_t{13} << 20);
}

TEST(RingPlan, ShrinksTheLargestRingsToTheBudget) {
    std::vector<RingNeed> needs(256, {.longest_frame = 600, .router_count = 255});   // 1.3 KiB, 3 in a page: 86 pages x 256 links = 88 MiB
    needs[0].router_count = 10;
    const auto rings = plan_rings(needs, std::size_t{32} << 20);
    EXPECT_LE(total(rings), std::size_t{32} << 20);
    EXPECT_EQ(rings[0].least_slots, 64u);
    EXPECT_EQ(rings[0].slot_bytes, 1280u);   // 66 + 1200 = 1266
}

TEST(RingPlan, NeverGoesBelowSixtyFourSlots) {
    const std::vector<RingNeed> needs(4, {.longest_frame = 600, .router_count = 255});
    for (const RingGeometry& ring : plan_rings(needs, 1)) EXPECT_EQ(ring.least_slots, 64u);
}

}  // namespace
}  // namespace vigil::io
