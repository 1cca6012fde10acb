#include <gtest/gtest.h>

#include <memory>

#include "packet/frame.h"
#include "tests/packet/frame_builder.h"
#include "tests/packet/keepalived_frames.h"

// Every good frame cut at every length. The pieces lie in heap blocks of exactly their size, so that a build with
// AddressSanitizer sees a read of one octet too many.

namespace vigil::packet {
namespace {

using test::frame;
using test::Octets;

std::vector<Octets> good_frames() {
    return {
        frame().vrrp_v2(7, 200).address("10.0.0.100").build(),
        frame().vrrp_v2(7, 200).build(),
        frame().vrrp_v2(7, 200).address("10.0.0.100").password("secret").build(),
        frame().vrrp_v2(7, 200).address("10.0.0.100").ah("secret", 1).build(),
        frame().vrrp_v3(7, 200).address("10.0.0.100").address("10.0.0.101").build(),
        frame().vrrp_v3(7, 200).address("10.0.0.100").vlan(5).build(),
        frame().vrrp_v3(7, 200).address("10.0.0.100").vlan(9, 0x88a8).vlan(5).build(),
        frame().vrrp_v3(7, 200).address("10.0.0.100").ip_options({1, 1, 1, 0}).build(),
        frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100").address("2001:db8::1").build(),
        frame().ipv6("fe80::1", "fe80::2").vrrp_v3(7, 200).address("fe80::100").vlan(5).build(),
        test::keepalived_v2_ah(0),
        test::keepalived_v2_ah_unicast(),
        test::keepalived_v3(),
    };
}

std::unique_ptr<std::uint8_t[]> first_of(const Octets& octets, std::size_t size) {
    auto block = std::make_unique<std::uint8_t[]>(size);
    for (std::size_t i = 0; i < size; ++i) block[i] = octets[i];
    return block;
}

tl::expected<ReceivedFrame, ReceiveError> read_exactly(const Octets& octets, std::size_t size) {
    const auto block = first_of(octets, size);
    const auto received = read_frame({block.get(), size});
    EXPECT_FALSE(received) << "would point into a block that is gone";
    return received;
}

TEST(Truncation, NoPieceOfAGoodFrameIsTaken) {
    for (const Octets& octets : good_frames()) {
        ASSERT_TRUE(read_frame(octets));
        for (std::size_t size = 0; size < octets.size(); ++size) {
            const auto received = read_exactly(octets, size);
            ASSERT_FALSE(received) << size;
            EXPECT_EQ(received.error(), ReceiveError::frame_truncated) << size;
        }
    }
}

TEST(Truncation, NoPieceOfAGoodMessageIsTaken) {
    const IpAddress source = ipv4(10, 0, 0, 1);
    for (const Octets& message : {frame().vrrp_v2(7, 200).address("10.0.0.100").message(),
                                  frame().vrrp_v3(7, 200).address("10.0.0.100").message()}) {
        for (std::size_t size = 0; size < message.size(); ++size) {
            const auto block = first_of(message, size);
            const auto advertisement = read_advertisement({block.get(), size}, source, vrrp_group_ipv4);
            ASSERT_FALSE(advertisement) << size;
            EXPECT_EQ(advertisement.error(), ReceiveError::truncated) << size;
        }
    }
}

TEST(Truncation, NoPieceOfAnIpPacketWhoseLengthWasCorrectedIsTaken) {
    for (std::size_t size = 0; size < 24 + 20; ++size) {
        const auto length = static_cast<std::uint16_t>(20 + size);
        const Octets octets = frame().vrrp_v2(7, 200).address("10.0.0.100").ah("secret", 1).ip_length(length).build();
        const auto received = read_exactly(octets, 14 + length);
        ASSERT_FALSE(received) << size;
        EXPECT_EQ(received.error(), size < 24 ? ReceiveError::bad_ah : ReceiveError::truncated) << size;
    }
}

}  // namespace
}  // namespace vigil::packet
