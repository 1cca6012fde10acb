#include "bench/lab/observer/statistics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace vigil::lab {
namespace {

using namespace std::chrono_literals;

Sighting advert(std::uint8_t vrid, std::uint8_t priority = 100, std::uint8_t source_end = 1) {
    return {.kind = SightingKind::advertisement, .vrid = vrid, .priority = priority, .address = ipv4(192, 0, 2, source_end), .interval = 1s};
}

Sighting announcement(std::uint8_t end) { return {.kind = SightingKind::announcement, .address = ipv4(192, 0, 2, end)}; }

/// Of all routers; the order is the table's.
std::vector<RouterTrack> tracks(const Statistics& statistics) {
    std::vector<RouterTrack> found;
    statistics.routers().for_each([&](const TrackKey&, const RouterTrack& track) { found.push_back(track); });
    return found;
}

TEST(Statistics, RemembersGapsOfOneRouter) {
    Statistics statistics(10, 10, {});
    for (const Nanoseconds arrival : {10'000ms, 11'000ms, 11'900ms, 13'100ms}) statistics.add(advert(1), 5, arrival);
    ASSERT_EQ(tracks(statistics).size(), 1U);
    const RouterTrack track = tracks(statistics)[0];
    EXPECT_EQ(track.count, 4U);
    EXPECT_EQ(track.first, 10'000ms);
    EXPECT_EQ(track.last, 13'100ms);
    EXPECT_EQ(track.shortest_gap, 900ms);
    EXPECT_EQ(track.longest_gap, 1200ms);
    EXPECT_EQ(statistics.shortest_gap, 900ms);
    EXPECT_EQ(statistics.longest_gap, 1200ms);
}

TEST(Statistics, SortsGapsByTheAdvertisedInterval) {
    Statistics statistics(10, 10, {});
    Nanoseconds arrival = 1s;
    statistics.add(advert(1), 5, arrival);
    for (const Nanoseconds gap : {400ms, 500ms, 900ms, 1000ms, 1010ms, 1100ms, 1500ms, 2000ms, 3000ms}) {
        arrival += gap;
        statistics.add(advert(1), 5, arrival);
    }
    EXPECT_EQ(tracks(statistics)[0].gap_bins, (std::array<std::uint32_t, 9>{1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(Statistics, KeepsRoutersApartByInterfaceVridAndSource) {
    Statistics statistics(10, 10, {});
    statistics.add(advert(1), 5, 1s);
    statistics.add(advert(1), 6, 1s);
    statistics.add(advert(2), 5, 1s);
    statistics.add(advert(1, 100, 2), 5, 1s);
    statistics.add(advert(1), 5, 2s);
    EXPECT_EQ(statistics.routers().size(), 4U);
    EXPECT_EQ(statistics.advert_count, 5U);
}

TEST(Statistics, CountsPriorityChangesAndTheFirstZero) {
    Statistics statistics(10, 10, {});
    statistics.add(advert(1, 100), 5, 1s);
    statistics.add(advert(1, 90), 5, 2s);
    statistics.add(advert(1, 0), 5, 3s);
    statistics.add(advert(1, 0), 5, 4s);
    const RouterTrack track = tracks(statistics)[0];
    EXPECT_EQ(track.priority_changes, 2U);
    EXPECT_EQ(track.zero_count, 2U);
    EXPECT_EQ(track.first_zero, 3s);
    EXPECT_EQ(track.priority, 0);
}

TEST(Statistics, RemembersTheFirstAnnouncementOfAnAddress) {
    Statistics statistics(10, 10, {});
    for (const Nanoseconds arrival : {3s, 4s, 9s}) statistics.add(announcement(100), 5, arrival);
    statistics.add(announcement(101), 5, 5s);
    std::vector<AddressTrack> found;
    statistics.addresses().for_each([&](const TrackKey& key, const AddressTrack& track) {
        if (key.address == ipv4(192, 0, 2, 100)) found.push_back(track);
    });
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].count, 3U);
    EXPECT_EQ(found[0].first, 3s);
    EXPECT_EQ(found[0].last, 9s);
    EXPECT_EQ(statistics.announcement_count, 4U);
}

TEST(Statistics, TellsVirtualMacsByTheFirstAnnouncement) {
    const auto has_virtual_mac = [](const MacAddress& first, const MacAddress& second) {
        Statistics statistics(10, 10, {});
        for (const MacAddress& mac : {first, second}) {
            statistics.add({.kind = SightingKind::announcement, .address = ipv4(192, 0, 2, 100), .mac = mac}, 5, 1s);
        }
        bool found = false;
        statistics.addresses().for_each([&](const TrackKey&, const AddressTrack& track) { found = track.has_virtual_mac; });
        return found;
    };
    const MacAddress ipv4_mac{{0, 0, 0x5e, 0, 1, 7}}, ipv6_mac{{0, 0, 0x5e, 0, 2, 7}}, other{{0, 0, 0x5e, 0, 3, 7}}, own{{2, 0, 0x5e, 0, 1, 7}};
    EXPECT_TRUE(has_virtual_mac(ipv4_mac, own));
    EXPECT_TRUE(has_virtual_mac(ipv6_mac, own));
    EXPECT_FALSE(has_virtual_mac(other, ipv4_mac));
    EXPECT_FALSE(has_virtual_mac(own, ipv4_mac));
}

TEST(Statistics, CountsTheWindowAloneBeginIncludedEndNot) {
    Statistics statistics(10, 10, {.from = 2s, .until = 4s});
    for (const Nanoseconds arrival : {1s, 2s, 3s, 4s}) statistics.add(advert(1), 5, arrival);
    EXPECT_EQ(statistics.advert_count, 2U);
    EXPECT_EQ(statistics.outside_count, 2U);
    EXPECT_EQ(statistics.longest_gap, 1s);
}

TEST(Statistics, CountsWhatItHasNoRoomFor) {
    Statistics statistics(2, 1, {});
    for (std::uint8_t vrid = 1; vrid <= 3; ++vrid) statistics.add(advert(vrid), 5, 1s);
    statistics.add(advert(2), 5, 2s);
    statistics.add(announcement(1), 5, 1s);
    statistics.add(announcement(2), 5, 1s);
    EXPECT_EQ(statistics.overflow_count, 2U);
    EXPECT_EQ(statistics.routers().size(), 2U);
    EXPECT_EQ(statistics.advert_count, 4U);
}

TEST(Statistics, TakesAClockThatStepsBackForNoGap) {
    Statistics statistics(10, 10, {});
    statistics.add(advert(1), 5, 2s);
    statistics.add(advert(1), 5, 1s);
    EXPECT_EQ(tracks(statistics)[0].shortest_gap, 0s);
    EXPECT_EQ(tracks(statistics)[0].longest_gap, 0s);
}

TEST(FlatTable, FindsEveryOneOfAHundredThousandKeys) {
    FlatTable<TrackKey, std::uint32_t> table(100'000);
    const auto key = [](std::uint32_t number) {
        return TrackKey{number % 256, static_cast<std::uint8_t>(number / 256 % 255), ipv4(10, static_cast<std::uint8_t>(number >> 16), 0, 1)};
    };
    for (std::uint32_t number = 0; number < 65'280; ++number) ++*table.find_or_make(key(number));
    EXPECT_EQ(table.size(), 65'280U);
    for (std::uint32_t number = 0; number < 65'280; ++number) ASSERT_EQ(*table.find_or_make(key(number)), 1U);
}

TEST(LogHistogram, HoldsEveryDurationWithinASixteenthOfItsOctave) {
    for (const Nanoseconds duration : {0ns, 999ns, 1000ns, 1062ns, 1063ns, 9'999'999ns, 10'000'000ns, 59'000'000'000ns}) {
        const std::size_t bucket = LogHistogram::bucket_of(duration);
        EXPECT_LE(LogHistogram::lower_end(bucket), duration);
        EXPECT_GT(LogHistogram::lower_end(bucket + 1), duration);
        EXPECT_LE(LogHistogram::lower_end(bucket + 1) - LogHistogram::lower_end(bucket), std::max<Nanoseconds>(1000ns, duration / 16 + 1ns));
    }
}

}  // namespace
}  // namespace vigil::lab
