// The rings between the two threads. Run under ThreadSanitizer too: cmake -DVIGIL_SANITIZE=thread.

#include "engine/core/channel.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <thread>

#include "engine/core/journal.h"

namespace vigil::engine {
namespace {

/// Wide enough to be torn if the ring let both threads at one slot.
struct Message {
    std::array<std::uint64_t, 8> words{};
};

Message make(std::uint64_t number) {
    Message message;
    message.words.fill(number);
    return message;
}

TEST(SpscRing, CapacityIsAPowerOfTwo) {
    EXPECT_EQ(SpscRing<int>(1).capacity(), 1u);
    EXPECT_EQ(SpscRing<int>(5).capacity(), 8u);
    EXPECT_EQ(SpscRing<int>(8).capacity(), 8u);
}

TEST(SpscRing, RefusesWhatDoesNotFitAndTakesItLater) {
    SpscRing<int> ring(2);
    EXPECT_EQ(ring.pop(), std::nullopt);
    EXPECT_TRUE(ring.push(1));
    EXPECT_TRUE(ring.push(2));
    EXPECT_FALSE(ring.push(3));
    EXPECT_EQ(ring.pop(), 1);
    EXPECT_TRUE(ring.push(3));
    EXPECT_FALSE(ring.push(4));
    EXPECT_EQ(ring.pop(), 2);
    EXPECT_EQ(ring.pop(), 3);
    EXPECT_EQ(ring.pop(), std::nullopt);
}

TEST(SpscRing, TwoThreadsLoseNothingTearNothingAndKeepTheOrder) {
    constexpr std::uint64_t message_count = 200'000;
    SpscRing<Message> ring(64);
    std::thread producer([&] {
        for (std::uint64_t i = 0; i < message_count;) {
            if (ring.push(make(i))) ++i;
            else std::this_thread::yield();
        }
    });
    std::uint64_t expected = 0;
    bool is_whole = true;
    while (expected < message_count) {
        const auto message = ring.pop();
        if (!message) {
            std::this_thread::yield();
            continue;
        }
        is_whole = is_whole && message->words == make(expected).words;
        ++expected;
    }
    producer.join();
    EXPECT_TRUE(is_whole);
    EXPECT_EQ(ring.pop(), std::nullopt);
}

TEST(JournalRing, WritesAllOrNothingAndReadsAcrossItsEnd) {
    JournalRing ring(16);
    const std::array<std::uint8_t, 6> head{1, 2, 3, 4, 5, 6};
    const std::array<std::uint8_t, 4> tail{7, 8, 9, 10};
    std::array<std::uint8_t, 16> out;
    for (int round = 0; round < 20; ++round) {
        ASSERT_TRUE(ring.write(head, tail));
        EXPECT_FALSE(ring.write(head, tail)) << "6 of 16 are left";
        ASSERT_EQ(ring.read(std::span(out).first(3)), 3u);
        ASSERT_EQ(ring.read(std::span(out).subspan(3)), 7u);
        for (std::uint8_t i = 0; i < 10; ++i) ASSERT_EQ(out[i], i + 1);
    }
    EXPECT_EQ(ring.read(out), 0u);
}

TEST(JournalRing, TakesExactlyItsSizeAndNeverMore) {
    JournalRing ring(16);
    const std::array<std::uint8_t, 17> bytes{};
    EXPECT_FALSE(ring.write(bytes, {}));
    EXPECT_TRUE(ring.write(std::span(bytes).first(16), {}));
    EXPECT_FALSE(ring.write(std::span(bytes).first(1), {}));
}

TEST(JournalRing, TwoThreadsCarryEveryOctet) {
    constexpr std::size_t octet_count = 1'000'000;
    JournalRing ring(1024);
    std::thread producer([&] {
        std::uint8_t next = 0;
        for (std::size_t written = 0; written < octet_count;) {
            std::array<std::uint8_t, 20> bytes;
            for (std::uint8_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(next + i);
            if (!ring.write(std::span(bytes).first(12), std::span(bytes).subspan(12))) {
                std::this_thread::yield();
                continue;
            }
            next = static_cast<std::uint8_t>(next + bytes.size());
            written += bytes.size();
        }
    });
    std::uint8_t expected = 0;
    std::size_t wrong = 0;
    for (std::size_t seen = 0; seen < octet_count;) {
        std::array<std::uint8_t, 64> out;
        const std::size_t count = ring.read(out);
        if (count == 0) std::this_thread::yield();
        for (const std::uint8_t octet : std::span(out).first(count)) wrong += octet != expected++ ? 1u : 0u;
        seen += count;
    }
    producer.join();
    EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace vigil::engine
