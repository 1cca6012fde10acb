#include <gtest/gtest.h>

#include <algorithm>

#include "engine/io/clock.h"
#include "tests/engine/io/loop_runner.h"
#include "tests/engine/io/test_namespace.h"
#include "tests/engine/io/test_wire.h"

// The same behaviour is asked of both backends.

namespace vigil::io {
namespace {

using engine::LinkIndex;

class BackendOverVeth : public testing::TestWithParam<BackendChoice> {
protected:
    void SetUp() override {
        if (!tested.refusal.empty()) GTEST_SKIP() << tested.refusal;
        make_veth_pair();
        port = open_port(port_options("v0", 0));
        tested.backend->attach(*port);
    }
    void TearDown() override {
        tested.backend.reset();
        remove_veth_pair();
    }
    std::vector<TransmitError> send(std::span<const engine::TxFrame> batch) {
        tested.backend->queue(batch);
        tested.backend->finish(Backend::no_wait);
        const auto errors = tested.backend->take_errors();
        return {errors.begin(), errors.end()};
    }

    BackendUnderTest tested{GetParam(), 4};
    std::unique_ptr<LinkPort> port;
};
INSTANTIATE_TEST_SUITE_P(Both, BackendOverVeth, testing::Values(BackendChoice::uring, BackendChoice::epoll), backend_name);

TEST_P(BackendOverVeth, FramesLeaveByteForByteAndInOrder) {
    Tap peer("v1");
    std::vector<Frame> frames;
    for (std::uint32_t i = 0; i < 3000; ++i) frames.push_back(multicast_frame(i, 60 + i % 40));   // more than any submit holds
    EXPECT_TRUE(send(as_batch(frames, 0)).empty());
    for (const Frame& frame : frames) ASSERT_EQ(peer.receive(), frame);
}

TEST_P(BackendOverVeth, BytesMayChangeOnceFinishHasReturned) {
    Tap peer("v1");
    std::vector<Frame> frames{multicast_frame(1), multicast_frame(2)};
    for (std::uint32_t round = 0; round < 50; ++round) {
        frames[0] = multicast_frame(round * 2);
        frames[1] = multicast_frame(round * 2 + 1);
        EXPECT_TRUE(send(as_batch(frames, 0)).empty());
    }
    for (std::uint32_t i = 0; i < 100; ++i) ASSERT_EQ(number_in(peer.receive()), i);
}

TEST_P(BackendOverVeth, BatchesAreQueuedOneBehindTheOther) {
    Tap peer("v1");
    const std::vector<Frame> urgent{multicast_frame(0), multicast_frame(1)};
    const std::vector<Frame> paced{multicast_frame(2)};
    tested.backend->queue(as_batch(urgent, 0));
    tested.backend->queue(as_batch(paced, 0));
    tested.backend->finish(Backend::no_wait);
    for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(number_in(peer.receive()), i);
}

TEST_P(BackendOverVeth, AnArrivalEndsTheSleep) {
    Tap sender("v1");
    for (std::uint32_t i = 0; i < 100; ++i) {
        ASSERT_TRUE(sender.send(multicast_frame(i)));
        ASSERT_TRUE(tested.wait_for_frame(*port));
        ASSERT_EQ(number_in(read_ring(*port).at(0).bytes), i);
    }
}

TEST_P(BackendOverVeth, TheDoorbellEndsTheSleep) {
    for (int i = 0; i < 100; ++i) {
        tested.bell->arm();
        tested.bell->ring();
        const Instant limit = clock::now() + std::chrono::seconds{20};
        tested.backend->finish(limit);
        ASSERT_LT(clock::now(), limit);
        tested.backend->finish(Backend::no_wait);
    }
}

TEST_P(BackendOverVeth, FramesWithoutAPortFailAndTheOthersLeave) {
    Tap peer("v1");
    const std::vector<Frame> frames{multicast_frame(0), multicast_frame(1), multicast_frame(2), multicast_frame(3)};
    auto batch = as_batch(frames, 0);
    batch[1].link = LinkIndex{2};
    batch[2].link = LinkIndex{77};
    const auto errors = send(batch);
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[0].sequence, 1u);
    EXPECT_EQ(errors[0].number, ENXIO);
    EXPECT_EQ(errors[1].sequence, 2u);
    EXPECT_EQ(errors[1].number, ENXIO);
    EXPECT_EQ(number_in(peer.receive()), 0u);
    EXPECT_EQ(number_in(peer.receive()), 3u);
}

TEST_P(BackendOverVeth, ALinkThatIsDownGivesErrorsAndWorksAgainWhenUp) {
    const std::vector<Frame> frames{multicast_frame(0), multicast_frame(1), multicast_frame(2)};
    ASSERT_TRUE(ip("link set v0 down"));
    const auto errors = send(as_batch(frames, 0));
    ASSERT_EQ(errors.size(), 3u);
    for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(errors[i].sequence, i);
        EXPECT_EQ(errors[i].number, ENETDOWN);
    }
    ASSERT_TRUE(ip("link set v0 up"));
    wait_until_frames_pass("v0", "v1");
    Tap peer("v1");
    EXPECT_TRUE(send(as_batch(frames, 0)).empty());
    for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(number_in(peer.receive()), i);
}

TEST_P(BackendOverVeth, ReceivingGoesOnAfterTheLinkWasDown) {
    ASSERT_TRUE(ip("link set v0 down"));
    tested.backend->finish(clock::now() + std::chrono::milliseconds{1});
    ASSERT_TRUE(ip("link set v0 up"));
    wait_until_frames_pass("v1", "v0");
    Tap sender("v1");
    ASSERT_TRUE(sender.send(multicast_frame(5)));
    ASSERT_TRUE(tested.wait_for_frame(*port));
    EXPECT_EQ(number_in(read_ring(*port).at(0).bytes), 5u);
}

TEST_P(BackendOverVeth, ALinkThatIsDownOrGoneDoesNotKeepUsAwake) {
    for (const char* change : {"link set v0 down", "link del v0"}) {
        ASSERT_TRUE(ip(change));
        // A slow machine only makes fewer sleeps of it.
        const Instant limit = clock::now() + std::chrono::milliseconds{50};
        int sleeps = 0;
        for (; clock::now() < limit; ++sleeps) tested.backend->finish(limit);
        EXPECT_LE(sleeps, 20) << change;
    }
}

TEST_P(BackendOverVeth, ALinkDeletedWhileSendingGivesErrorsOnly) {
    std::vector<Frame> frames;
    for (std::uint32_t i = 0; i < 600; ++i) frames.push_back(multicast_frame(i));
    const auto batch = as_batch(frames, 0);
    EXPECT_TRUE(send(batch).empty());
    ASSERT_TRUE(ip("link del v0"));
    const auto errors = send(batch);
    ASSERT_EQ(errors.size(), 600u);
    for (const TransmitError& error : errors) EXPECT_TRUE(error.number == ENXIO || error.number == ENETDOWN) << error.number;
    EXPECT_TRUE(send({}).empty());
}

TEST_P(BackendOverVeth, MoreErrorsThanAreKeptDoNoHarm) {
    ASSERT_TRUE(ip("link set v0 down"));
    std::vector<Frame> frames;
    for (std::uint32_t i = 0; i < Backend::error_capacity + 1000; ++i) frames.push_back(multicast_frame(i));
    EXPECT_EQ(send(as_batch(frames, 0)).size(), Backend::error_capacity);
    ASSERT_TRUE(ip("link set v0 up"));
    EXPECT_TRUE(send(as_batch({multicast_frame(1)}, 0)).empty());
}

TEST_P(BackendOverVeth, AFrameTooLongForTheLinkIsItsOwnErrorOnly) {
    Tap peer("v1");
    const std::vector<Frame> frames{multicast_frame(0), multicast_frame(1, 3000), multicast_frame(2)};
    const auto errors = send(as_batch(frames, 0));
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].sequence, 1u);
    EXPECT_EQ(errors[0].number, EMSGSIZE);
    EXPECT_EQ(number_in(peer.receive()), 0u);
    EXPECT_EQ(number_in(peer.receive()), 2u);
}

TEST_P(BackendOverVeth, ADetachedPortComesOutAndItsLinkCanHaveAnother) {
    for (int round = 0; round < 20; ++round) {
        tested.backend->detach(LinkIndex{0});
        auto next = open_port(port_options("v0", 0));
        tested.backend->attach(*next);
        LinkPort* out = nullptr;
        const Instant limit = clock::now() + std::chrono::seconds{20};
        while ((out = tested.backend->take_detached()) == nullptr && clock::now() < limit) tested.backend->finish(limit);
        ASSERT_EQ(out, port.get());
        port = std::move(next);   // closes the old one
    }
    Tap peer("v1");
    EXPECT_TRUE(send(as_batch({multicast_frame(9)}, 0)).empty());
    EXPECT_EQ(number_in(peer.receive()), 9u);
    ASSERT_TRUE(peer.send(multicast_frame(4)));
    EXPECT_TRUE(tested.wait_for_frame(*port));
}

TEST_P(BackendOverVeth, FramesOfSeveralLinksInAnyOrderLeaveOnTheirOwn) {
    ASSERT_TRUE(ip("link add w0 type veth peer name w1") && ip("link set w0 up") && ip("link set w1 up"));
    wait_until_frames_pass("w0", "w1");
    auto other = open_port(port_options("w0", 3));
    tested.backend->attach(*other);
    Tap first_peer("v1");
    Tap second_peer("w1");
    std::vector<Frame> frames;
    for (std::uint32_t i = 0; i < 1500; ++i) frames.push_back(multicast_frame(i));
    auto batch = as_batch(frames, 0);
    for (std::size_t i = 0; i < batch.size(); i += 3) batch[i].link = LinkIndex{3};
    EXPECT_TRUE(send(batch).empty());
    for (std::uint32_t i = 0; i < 1500; ++i) ASSERT_EQ(number_in((i % 3 == 0 ? second_peer : first_peer).receive()), i);
    tested.backend.reset();
    ASSERT_TRUE(ip("link del w0"));
}

}  // namespace
}  // namespace vigil::io
