#include "engine/io/retry_lane.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace vigil::io {
namespace {

using engine::RouterIndex;
using engine::TxFrame;

TxFrame frame(RouterIndex router, std::span<const std::uint8_t> bytes) {
    return {.data = bytes.data(), .size = static_cast<std::uint16_t>(bytes.size()), .link = engine::LinkIndex{0}, .router = router};
}

TEST(RetryLane, KeepsItsOwnCopyOfTheBytes) {
    RetryLane lane;
    std::vector<std::uint8_t> bytes{1, 2, 3};
    ASSERT_TRUE(lane.keep(frame(RouterIndex{7}, bytes)));
    bytes.assign(3, 0);
    const auto again = lane.take({});
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].router, RouterIndex{7});
    EXPECT_EQ((std::vector<std::uint8_t>(again[0].bytes().begin(), again[0].bytes().end())), (std::vector<std::uint8_t>{1, 2, 3}));
    EXPECT_TRUE(lane.is_empty());
}

TEST(RetryLane, AnOldAdvertNeverFollowsANewerOneOfTheSameRouter) {
    RetryLane lane;
    const std::vector<std::uint8_t> old_advert{100};
    const std::vector<std::uint8_t> stop_advert{0};
    ASSERT_TRUE(lane.keep(frame(RouterIndex{1}, old_advert)));
    ASSERT_TRUE(lane.keep(frame(RouterIndex{2}, old_advert)));
    const std::vector<TxFrame> newer{frame(RouterIndex{1}, stop_advert)};
    const auto again = lane.take(newer);
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].router, RouterIndex{2});
}

TEST(RetryLane, GivesUpAfterEightAttempts) {
    RetryLane lane;
    const std::vector<std::uint8_t> bytes{1};
    TxFrame failed = frame(RouterIndex{1}, bytes);
    int attempts = 1;   // the first was not ours
    while (lane.keep(failed)) {
        failed = lane.take({})[0];
        ++attempts;
        ASSERT_LT(attempts, 100);
    }
    EXPECT_EQ(attempts, 8);
}

TEST(RetryLane, RefusesWhatDoesNotFit) {
    RetryLane lane;
    const std::vector<std::uint8_t> large(RetryLane::most_bytes + 1);
    EXPECT_FALSE(lane.keep(frame(RouterIndex{1}, large)));
    const std::vector<std::uint8_t> small{1};
    for (std::uint32_t i = 0; i < RetryLane::capacity; ++i) EXPECT_TRUE(lane.keep(frame(RouterIndex{i}, small)));
    EXPECT_FALSE(lane.keep(frame(RouterIndex{999}, small)));
}

TEST(RetryLane, OnlyWantOfRoomIsTransient) {
    EXPECT_TRUE(RetryLane::is_transient(ENOBUFS));
    EXPECT_TRUE(RetryLane::is_transient(EAGAIN));
    EXPECT_FALSE(RetryLane::is_transient(ENETDOWN));
    EXPECT_FALSE(RetryLane::is_transient(ENXIO));
}

}  // namespace
}  // namespace vigil::io
