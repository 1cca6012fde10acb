#include <gtest/gtest.h>

#include <map>
#include <random>

#include "engine/bfd/deadline_heap.h"

namespace vigil::bfd::test {
namespace {

TEST(DeadlineHeap, TheFirstIsWhoIsDueFirstWhateverWasDoneBefore) {
    constexpr std::uint32_t members = 50;
    std::mt19937 engine(1);
    const auto dice = [&](std::uint32_t sides) { return std::uniform_int_distribution<std::uint32_t>(0, sides - 1)(engine); };
    DeadlineHeap heap;
    heap.grow(members);
    std::map<std::uint32_t, std::int64_t> expected;
    for (int round = 0; round < 20'000; ++round) {
        const std::uint32_t member = dice(members);
        if (dice(4) == 0) {
            heap.remove(member);
            expected.erase(member);
        } else {
            const std::int64_t deadline = dice(1000);
            heap.set(member, Instant{deadline});
            expected[member] = deadline;
        }
        ASSERT_EQ(heap.is_empty(), expected.empty());
        if (expected.empty()) continue;
        std::int64_t least = INT64_MAX;
        for (const auto& [one, deadline] : expected) least = std::min(least, deadline);
        ASSERT_EQ(heap.first_deadline().ns, least);
        ASSERT_EQ(expected.at(heap.first()), least);
    }
}

TEST(DeadlineHeap, MembersStayWhenItGrows) {
    DeadlineHeap heap;
    heap.grow(1);
    heap.set(0, Instant{7});
    heap.grow(3);
    heap.set(2, Instant{5});
    EXPECT_EQ(heap.first(), 2u);
    heap.remove(2);
    EXPECT_EQ(heap.first(), 0u);
}

}  // namespace
}  // namespace vigil::bfd::test
