#include <gtest/gtest.h>

#include "tests/engine/io/loop_runner.h"
#include "tests/engine/io/test_namespace.h"
#include "tests/engine/io/test_wire.h"

// TxPath::route: IP packets that the kernel routes; the other end of the veth pair hears what Ethernet frame it makes of them.

namespace vigil::io {
namespace {

Frame ipv4_packet(std::uint8_t last_octet) {
    Frame packet(28);
    const Frame head{0x45, 0xc0, 0, 28, 0, 0, 0x40, 0, 255, 112, 0, 0, 10, 9, 0, 1, 10, 9, 0, last_octet};
    std::copy(head.begin(), head.end(), packet.begin());
    return packet;
}

Frame ipv6_packet() {
    Frame packet(48);
    packet[0] = 0x6c;
    packet[5] = 8;
    packet[6] = 112;
    packet[7] = 255;
    packet[8] = packet[24] = 0xfe;
    packet[9] = packet[25] = 0x80;
    packet[23] = 1;
    packet[39] = 2;
    return packet;
}

class RouteOverVeth : public testing::TestWithParam<BackendChoice> {
protected:
    void SetUp() override {
        if (!tested.refusal.empty()) GTEST_SKIP() << tested.refusal;
        make_veth_pair();
        ASSERT_TRUE(ip("addr add 10.9.0.1/24 dev v0") && ip("-6 addr add fe80::1/64 dev v0 nodad"));
        ASSERT_TRUE(ip("neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev v0"));
        ASSERT_TRUE(ip("-6 neigh add fe80::2 lladdr 02:00:00:00:00:06 dev v0"));
        LinkPortOptions options = port_options("v0", 0);
        options.routes_ipv4 = options.routes_ipv6 = true;
        port = open_port(options);
        tested.backend->attach(*port);
    }
    void TearDown() override {
        tested.backend.reset();
        remove_veth_pair();
    }
    std::vector<TransmitError> send(const std::vector<Frame>& packets) {
        tested.backend->queue(as_batch(packets, 0, engine::TxPath::route));
        tested.backend->finish(Backend::no_wait);
        const auto errors = tested.backend->take_errors();
        return {errors.begin(), errors.end()};
    }

    BackendUnderTest tested{GetParam(), 1};
    std::unique_ptr<LinkPort> port;
};
INSTANTIATE_TEST_SUITE_P(Both, RouteOverVeth, testing::Values(BackendChoice::uring, BackendChoice::epoll), backend_name);

TEST_P(RouteOverVeth, Ipv4GoesToTheNeighbourWithItsHeaderUntouched) {
    Tap peer("v1");
    ASSERT_TRUE(send({ipv4_packet(2)}).empty());
    const Frame frame = peer.receive();
    ASSERT_GE(frame.size(), 14u + 28u);
    EXPECT_EQ(Frame(frame.begin(), frame.begin() + 6), (Frame{0x02, 0, 0, 0, 0, 0x02}));
    EXPECT_EQ(frame[15], 0xc0);                          // TOS
    EXPECT_EQ(frame[18] << 8 | frame[19], 0);            // identification stays 0 with DF set: an AH digest covers it
    EXPECT_EQ(frame[20], 0x40);
    EXPECT_EQ(frame[22], 255);                           // TTL
}

TEST_P(RouteOverVeth, Ipv6LinkLocalDestinationsGetTheScopeOfTheLink) {
    Tap peer("v1");
    ASSERT_TRUE(send({ipv6_packet()}).empty());
    const Frame frame = peer.receive();
    ASSERT_GE(frame.size(), 14u + 48u);
    EXPECT_EQ(Frame(frame.begin(), frame.begin() + 6), (Frame{0x02, 0, 0, 0, 0, 0x06}));
    EXPECT_EQ(Frame(frame.begin() + 14, frame.begin() + 14 + 48), ipv6_packet());
}

TEST_P(RouteOverVeth, LinkFramesAndRoutedPacketsMixInOneBatch) {
    Tap peer("v1");
    const std::vector<Frame> frames{ipv4_packet(2), multicast_frame(1), ipv6_packet(), multicast_frame(2)};
    auto batch = as_batch(frames, 0);
    batch[0].path = batch[2].path = engine::TxPath::route;
    tested.backend->queue(batch);
    tested.backend->finish(Backend::no_wait);
    EXPECT_TRUE(tested.backend->take_errors().empty());
    std::vector<std::uint8_t> last_octets;
    for (int i = 0; i < 4; ++i) last_octets.push_back(peer.receive().at(5));   // of the destination MAC
    std::sort(last_octets.begin(), last_octets.end());
    EXPECT_EQ(last_octets, (std::vector<std::uint8_t>{0x02, 0x06, 0x12, 0x12}));
}

TEST_P(RouteOverVeth, MoreThanOneSubmitOfRoutedPackets) {
    Tap peer("v1");
    const std::vector<Frame> packets(1300, ipv4_packet(2));
    EXPECT_TRUE(send(packets).empty());
    for (int i = 0; i < 1300; ++i) ASSERT_FALSE(peer.receive().empty());
}

TEST_P(RouteOverVeth, BytesThatAreNoPacketAreAnErrorOfTheirOwn) {
    Tap peer("v1");
    const auto errors = send({Frame{0x45}, ipv4_packet(2), Frame{0x60, 1, 2}});
    ASSERT_EQ(errors.size(), 2u);
    std::vector<std::uint32_t> failed{errors[0].sequence, errors[1].sequence};
    std::sort(failed.begin(), failed.end());
    EXPECT_EQ(failed, (std::vector<std::uint32_t>{0, 2}));
    EXPECT_FALSE(peer.receive().empty());
}

TEST_P(RouteOverVeth, ADestinationWithoutARouteOffTheLinkIsReported) {
    ASSERT_TRUE(ip("link set v0 down"));
    EXPECT_EQ(send({ipv4_packet(2)}).size(), 1u);
}

}  // namespace
}  // namespace vigil::io
