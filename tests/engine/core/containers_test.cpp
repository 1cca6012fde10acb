// RouterTable, FrameStore, TxBatch and EventQueue: what they promise at their edges.

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/core/event_queue.h"
#include "engine/core/frame_store.h"
#include "engine/core/router_table.h"
#include "engine/core/tx_batch.h"
#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

VirtualRouter keyed(std::uint16_t link, Family family, std::uint8_t vrid) {
    VirtualRouter router;
    router.link = LinkIndex{link};
    router.vrid = Vrid{vrid};
    if (family == Family::ipv6) set(router, Flag::ipv6);
    return router;
}

TEST(RouterTable, FindsEveryCombinationOfLinkFamilyAndVrid) {
    RouterTable table;
    table.reserve(3 * 2 * 255, 3);
    std::uint32_t next = 0;
    for (std::uint16_t link = 0; link < 3; ++link) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            for (int vrid = 1; vrid <= 255; ++vrid) ASSERT_TRUE(table.add(keyed(link, family, static_cast<std::uint8_t>(vrid))));
        }
    }
    for (std::uint16_t link = 0; link < 3; ++link) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            for (int vrid = 1; vrid <= 255; ++vrid) {
                ASSERT_EQ(table.find(LinkIndex{link}, family, static_cast<Vrid>(vrid)), RouterIndex{next++});
            }
        }
    }
    EXPECT_EQ(table.size(), 3u * 2u * 255u);
}

TEST(RouterTable, UnknownIsNone) {
    RouterTable table;
    table.reserve(1, 1);
    ASSERT_TRUE(table.add(keyed(0, Family::ipv4, 7)));
    EXPECT_EQ(table.find(LinkIndex{0}, Family::ipv4, Vrid{8}), RouterIndex::none);
    EXPECT_EQ(table.find(LinkIndex{0}, Family::ipv6, Vrid{7}), RouterIndex::none);
    EXPECT_EQ(table.find(LinkIndex{1}, Family::ipv4, Vrid{7}), RouterIndex::none);
    EXPECT_EQ(table.find(LinkIndex::none, Family::ipv6, Vrid{255}), RouterIndex::none);
}

TEST(RouterTable, RefusesWhatIsTakenOrOutOfRange) {
    RouterTable table;
    table.reserve(2, 1);
    EXPECT_TRUE(table.add(keyed(0, Family::ipv4, 7)));
    EXPECT_FALSE(table.add(keyed(0, Family::ipv4, 7)));
    EXPECT_FALSE(table.add(keyed(1, Family::ipv4, 7)));
    EXPECT_FALSE(table.add(keyed(0xffff, Family::ipv6, 7)));
    EXPECT_EQ(table.size(), 1u);
}

TEST(FrameStore, KeepsFramesApartAndInOrder) {
    const RouterSpec router = v3_router(7, Priority{100});
    packet::AdvertisementSpec spec;
    spec.version = VrrpVersion::v3;
    spec.vrid = router.vrid;
    spec.source = router.primary_address;
    spec.destination = vrrp_group_ipv4;
    spec.addresses = router.advertised;
    const std::size_t size = packet::frame_size(spec);
    FrameStore store;
    store.reserve(3, 4, 4 * size);
    const std::vector<std::size_t> fan_outs{1, 0, 3};
    std::uint8_t number = 1;
    for (const std::size_t fan_out : fan_outs) {
        store.begin_router();
        for (std::size_t i = 0; i < fan_out; ++i) {
            spec.priority = Priority{number++};
            ASSERT_TRUE(store.add(spec).has_value());
        }
    }
    ASSERT_EQ(store.frames_of(RouterIndex{0}).size(), 1u);
    ASSERT_EQ(store.frames_of(RouterIndex{1}).size(), 0u);
    ASSERT_EQ(store.frames_of(RouterIndex{2}).size(), 3u);
    EXPECT_EQ(store.frames_of(RouterIndex{0})[0].priority(), Priority{1});
    EXPECT_EQ(store.frames_of(RouterIndex{2})[2].priority(), Priority{4});
    EXPECT_EQ(store.largest_frame(), size);
    EXPECT_EQ(store.largest_fan_out(), 3u);
    store.frames_of(RouterIndex{2})[0].set_priority(Priority{200});
    EXPECT_EQ(store.frames_of(RouterIndex{2})[1].priority(), Priority{3});
    spec.priority = Priority{5};
    EXPECT_EQ(store.add(spec).error(), packet::BuildError::buffer_too_small) << "more than was reserved";
}

TEST(TxBatch, LanesAndScratchHaveTheirOwnRoom) {
    TxBatch batch(2, 1, 100);
    const Octets bytes(60, 0xaa);
    const TxFrame frame{bytes.data(), 60, LinkIndex{0}, RouterIndex{0}};
    EXPECT_TRUE(batch.push_urgent(frame));
    EXPECT_EQ(batch.scratch_room(), 100u) << "not copied";
    EXPECT_TRUE(batch.push_urgent_copy(frame));
    EXPECT_FALSE(batch.push_urgent(frame)) << "lane full";
    EXPECT_FALSE(batch.push_urgent_copy(frame));
    EXPECT_FALSE(batch.push_paced_copy(frame)) << "40 octets of scratch left";
    EXPECT_EQ(batch.paced_room(), 1u);
    batch.clear();
    EXPECT_TRUE(batch.is_empty());
    EXPECT_TRUE(batch.push_paced_copy(frame));
    EXPECT_FALSE(batch.push_paced_copy(frame));
    EXPECT_EQ(batch.urgent_room(), 2u);
}

TEST(TxBatch, ACopyIsIndependentOfItsTemplate) {
    TxBatch batch(2, 2, 200);
    Octets bytes(60, 0xaa);
    const TxFrame frame{bytes.data(), 60, LinkIndex{0}, RouterIndex{0}};
    batch.push_urgent(frame);
    batch.push_urgent_copy(frame);
    batch.push_paced_copy(frame);
    bytes[0] = 0xbb;
    EXPECT_EQ(batch.urgent()[0].bytes()[0], 0xbb);
    EXPECT_EQ(batch.urgent()[1].bytes()[0], 0xaa);
    EXPECT_EQ(batch.paced()[0].bytes()[0], 0xaa);
}

Event numbered(std::uint32_t number) { return {.detail = number}; }

TEST(EventQueue, IsFirstInFirstOutAroundItsEnd) {
    EventQueue queue(3);
    std::uint32_t next_in = 0;
    std::uint32_t next_out = 0;
    for (int round = 0; round < 10; ++round) {
        while (queue.room() != 0) ASSERT_TRUE(queue.push(numbered(next_in++)));
        std::array<Event, 2> out;
        for (const Event& event : std::span(out).first(queue.take(out))) ASSERT_EQ(event.detail, next_out++);
    }
    EXPECT_FALSE(queue.lost());
}

TEST(EventQueue, OverflowIsRememberedUntilForgiven) {
    EventQueue queue(2);
    EXPECT_TRUE(queue.push(numbered(0)));
    EXPECT_TRUE(queue.push(numbered(1)));
    EXPECT_FALSE(queue.push(numbered(2)));
    EXPECT_TRUE(queue.lost());
    std::array<Event, 4> out;
    EXPECT_EQ(queue.take(out), 2u);
    EXPECT_EQ(out[1].detail, 1u) << "the newest is lost, not the oldest";
    EXPECT_TRUE(queue.is_empty());
    EXPECT_TRUE(queue.lost());
    queue.forgive();
    EXPECT_FALSE(queue.lost());
    EXPECT_TRUE(queue.push(numbered(3)));
}

TEST(EventQueue, WithoutCapacityLosesEverything) {
    EventQueue queue(0);
    EXPECT_FALSE(queue.push(numbered(0)));
    std::array<Event, 1> out;
    EXPECT_EQ(queue.take(out), 0u);
    EXPECT_EQ(queue.take({}), 0u);
}

}  // namespace
}  // namespace vigil::test
