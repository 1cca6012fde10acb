// The wheel against its own promises: never early, at most one tick (1 ms) late, cheap to move later, safe while it fires.

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "engine/core/timer_wheel.h"
#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using Wheel = TimerWheel<VirtualRouter>;

struct Fired {
    std::uint32_t index;
    Instant now;
};

class TimerWheelTest : public testing::Test {
protected:
    std::vector<VirtualRouter> records = std::vector<VirtualRouter>(8);
    Wheel wheel{at(0s)};
    std::vector<Fired> fired;

    void arm(std::uint32_t index, Instant deadline) { wheel.arm(records, index, deadline); }
    void expire(Instant now) {
        wheel.expire(records, now, [&](std::uint32_t index) {
            fired.push_back({index, now});
            return true;
        });
    }
    std::vector<std::uint32_t> order() const {
        std::vector<std::uint32_t> indices;
        for (const Fired& one : fired) indices.push_back(one.index);
        return indices;
    }
};

TEST_F(TimerWheelTest, IsIdleWhenNothingIsArmed) {
    EXPECT_EQ(wheel.next_deadline(), Wheel::never);
    expire(at(100s));
    EXPECT_TRUE(fired.empty());
}

TEST_F(TimerWheelTest, NeverFiresEarly) {
    arm(0, at(10ms) + 1ns);
    expire(at(10ms) + 999'999ns);
    EXPECT_TRUE(fired.empty());
    expire(at(11ms));
    EXPECT_EQ(order(), (std::vector<std::uint32_t>{0}));
}

TEST_F(TimerWheelTest, FiresOnTheTickWhenTheDeadlineIsOnTheTick) {
    arm(0, at(10ms));
    EXPECT_EQ(wheel.next_deadline(), at(10ms));
    expire(at(10ms));
    EXPECT_EQ(fired.size(), 1u);
    EXPECT_EQ(wheel.next_deadline(), Wheel::never);
}

TEST_F(TimerWheelTest, FiresOnceAndInOrderOfTime) {
    arm(0, at(30ms));
    arm(1, at(10ms));
    arm(2, at(20ms));
    expire(at(1s));
    expire(at(2s));
    EXPECT_EQ(order(), (std::vector<std::uint32_t>{1, 2, 0}));
}

TEST_F(TimerWheelTest, ADeadlineInThePastFiresAtTheNextTick) {
    expire(at(1s));
    arm(0, at(500ms));
    EXPECT_LE(wheel.next_deadline(), at(1s) + 1ms);
    expire(at(1s) + 1ms);
    EXPECT_EQ(fired.size(), 1u);
}

TEST_F(TimerWheelTest, DisarmedDoesNotFireAndMayBeDisarmedAgain) {
    arm(0, at(10ms));
    wheel.disarm(records, 0);
    wheel.disarm(records, 0);
    EXPECT_EQ(wheel.next_deadline(), Wheel::never);
    expire(at(1s));
    EXPECT_TRUE(fired.empty());
}

TEST_F(TimerWheelTest, DisarmingKeepsTheNeighboursInTheSlot) {
    for (const std::uint32_t victim : {0u, 1u, 2u}) {
        fired.clear();
        const Instant due = at(10s + victim * 1s);
        for (std::uint32_t i = 0; i < 3; ++i) arm(i, due);
        wheel.disarm(records, victim);
        expire(due);
        EXPECT_EQ(fired.size(), 2u);
        for (const Fired& one : fired) EXPECT_NE(one.index, victim);
    }
}

TEST_F(TimerWheelTest, MovingLaterIsOneStore) {
    arm(0, at(10ms));
    const std::uint16_t slot = records[0].timer_slot;
    arm(0, at(3s));
    EXPECT_EQ(records[0].timer_slot, slot) << "not linked anew";
    EXPECT_EQ(wheel.next_deadline(), at(10ms)) << "looks there, finds it moved";
    expire(at(10ms));
    EXPECT_TRUE(fired.empty());
    EXPECT_EQ(wheel.next_deadline(), at(3s));
    expire(at(3s));
    EXPECT_EQ(fired.size(), 1u);
}

TEST_F(TimerWheelTest, MovingEarlierAfterMovingLaterIsNotLate) {
    arm(0, at(100ms));
    arm(0, at(3s));
    arm(0, at(50ms));
    EXPECT_EQ(wheel.next_deadline(), at(50ms));
    expire(at(50ms));
    EXPECT_EQ(fired.size(), 1u);
}

TEST_F(TimerWheelTest, DeadlinesBeyondTheHorizonWait) {
    arm(0, at(8191ms));
    arm(1, at(8192ms));
    arm(2, at(8193ms));
    arm(3, at(3600s));
    std::map<std::uint32_t, Instant> when;
    for (Instant now; (now = wheel.next_deadline()) != Wheel::never;) {
        wheel.expire(records, now, [&](std::uint32_t index) {
            when[index] = now;
            return true;
        });
    }
    EXPECT_EQ(when[0], at(8191ms));
    EXPECT_EQ(when[1], at(8192ms));
    EXPECT_EQ(when[2], at(8193ms));
    EXPECT_EQ(when[3], at(3600s));
}

TEST_F(TimerWheelTest, AJumpBeyondTheHorizonFiresWhatIsDueAndKeepsTheRest) {
    arm(0, at(1s));
    arm(1, at(20s));
    arm(2, at(40s));
    expire(at(30s));
    EXPECT_EQ(fired.size(), 2u);
    for (const Fired& one : fired) EXPECT_NE(one.index, 2u);
    expire(at(40s) - 1ns);
    EXPECT_EQ(fired.size(), 2u);
    expire(at(40s));
    EXPECT_EQ(fired.size(), 3u);
}

TEST_F(TimerWheelTest, AJumpOfYearsDoesNotWalkEveryHorizon) {
    // A machine that was suspended: the wheel may look at each record, not at each record once per 8 s of the pause.
    records.resize(10'000);
    const auto year = 8'766h;
    for (std::uint32_t i = 0; i < records.size(); ++i) arm(i, at(20 * year));
    expire(at(10 * year));
    EXPECT_TRUE(fired.empty());
    expire(at(20 * year));
    EXPECT_EQ(fired.size(), records.size());
}

TEST_F(TimerWheelTest, FireMayArmAndDisarmOthersOfTheSameSlot) {
    for (std::uint32_t i = 0; i < 4; ++i) arm(i, at(10ms));
    std::vector<std::uint32_t> seen;
    wheel.expire(records, at(10ms), [&](std::uint32_t index) {
        seen.push_back(index);
        for (std::uint32_t other = 0; other < 4; ++other) {
            if (other != index) wheel.disarm(records, other);
        }
        wheel.arm(records, index, at(20ms));
        wheel.arm(records, (index + 1) % 4, at(10ms));  // joins the slot that is being emptied
        return seen.size() < 2;
    });
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[1], (seen[0] + 1) % 4);
    EXPECT_EQ(wheel.next_deadline(), at(10ms)) << "the refused one waits where it was";
}

TEST_F(TimerWheelTest, FireMayArmItselfForTheNextTick) {
    arm(0, at(1ms));
    int count = 0;
    wheel.expire(records, at(5ms), [&](std::uint32_t index) {
        ++count;
        wheel.arm(records, index, at(1ms + count * 1ms));
        return true;
    });
    EXPECT_EQ(count, 5);
    EXPECT_EQ(wheel.next_deadline(), at(6ms));
}

TEST_F(TimerWheelTest, RefusedRecordIsArmedAgainAsItWas) {
    arm(0, at(10ms));
    arm(1, at(12ms));
    wheel.expire(records, at(20ms), [&](std::uint32_t) { return false; });
    EXPECT_EQ(records[0].deadline, at(10ms));
    EXPECT_LE(wheel.next_deadline(), at(20ms)) << "at once";
    expire(at(20ms));
    EXPECT_EQ(order(), (std::vector<std::uint32_t>{0, 1}));
}

TEST_F(TimerWheelTest, BeginsAtAnyInstant) {
    for (const std::int64_t begin : {std::int64_t{0}, std::int64_t{1}, std::int64_t{999'999}, std::int64_t{8'191'999'999}, std::int64_t{1} << 61}) {
        Wheel fresh(Instant{begin});
        const Instant due = Instant{begin} + 123'456'789ns;
        fresh.arm(records, 0, due);
        const Instant next = fresh.next_deadline();
        EXPECT_GE(next, due);
        EXPECT_LT(next, due + 1ms);
        int count = 0;
        fresh.expire(records, next, [&](std::uint32_t) { return ++count > 0; });
        EXPECT_EQ(count, 1);
    }
}

/// Keeps the truth in a plain vector beside the wheel.
TEST(TimerWheelRandom, SixtyFiveThousandRecordsFireNeverEarlyAndAtMostOneTickLate) {
    constexpr std::uint32_t record_count = 65'280;
    constexpr Instant disarmed = Wheel::never;
    std::mt19937_64 random(20260820);
    std::vector<VirtualRouter> records(record_count);
    std::vector<Instant> truth(record_count, disarmed);
    Wheel wheel(at(0s));
    Instant now = at(0s);
    const auto pick = [&](std::uint64_t bound) { return random() % bound; };
    const auto arm = [&](std::uint32_t index, Nanoseconds after) {
        truth[index] = now + after;
        wheel.arm(records, index, truth[index]);
    };
    const auto random_delay = [&] {
        switch (pick(4)) {
        case 0: return Nanoseconds{static_cast<std::int64_t>(pick(2'000'000))};          // within two ticks
        case 1: return Nanoseconds{static_cast<std::int64_t>(pick(20'000'000'000))};     // across the horizon
        default: return Nanoseconds{static_cast<std::int64_t>(1'000'000'000 + pick(3'000'000'000))};
        }
    };
    for (std::uint32_t i = 0; i < record_count; ++i) arm(i, random_delay());

    std::size_t fired = 0;
    for (int pass = 0; pass < 1'000; ++pass) {
        const Instant before = now;
        now = now + Nanoseconds{static_cast<std::int64_t>(pass % 500 == 499 ? 12'000'000'000 : pick(10'000'000))};
        for (int i = 0; i < 100; ++i) {
            const auto index = static_cast<std::uint32_t>(pick(record_count));
            if (pick(10) != 0) {
                arm(index, random_delay());
            } else {
                truth[index] = disarmed;
                wheel.disarm(records, index);
            }
        }
        std::size_t budget = pick(20) == 0 ? pick(50) : record_count * 4;  // sometimes the batch is full
        bool refused = false;
        wheel.expire(records, now, [&](std::uint32_t index) {
            if (budget-- == 0) {
                refused = true;
                return false;
            }
            ++fired;
            EXPECT_LE(truth[index], now) << "early";
            truth[index] = disarmed;
            if (pick(8) != 0) arm(index, 10ms + random_delay());
            const auto other = static_cast<std::uint32_t>(pick(record_count));
            if (pick(16) == 0) arm(other, 10ms + random_delay());
            return true;
        });
        if (!refused) {
            for (std::uint32_t i = 0; i < record_count && pass % 50 == 0; ++i) ASSERT_GT(truth[i], now - 1ms) << "late, since " << before.ns;
        }
        const Instant earliest = *std::min_element(truth.begin(), truth.end());
        if (!refused && earliest != disarmed) {
            ASSERT_LT(wheel.next_deadline(), earliest + 1ms);
        }
    }
    EXPECT_GT(fired, 50'000u);
}

}  // namespace
}  // namespace vigil::test
