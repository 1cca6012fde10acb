#include "packet/frame.h"

#include <gtest/gtest.h>

#include "tests/packet/frame_builder.h"
#include "tests/packet/keepalived_frames.h"

namespace vigil::packet {
namespace {

using test::address_of;
using test::frame;
using test::FrameBuilder;
using test::from_hex;
using test::Octets;

FrameBuilder v3() { return frame().vrrp_v3(7, 200).address("10.0.0.100"); }
FrameBuilder v3_ipv6() { return frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100"); }
FrameBuilder v2_ah() { return frame().vrrp_v2(7, 200).address("10.0.0.100").ah("secret", 17); }

/// count_ when the frame is taken.
ReceiveError error_of(const Octets& octets) {
    const auto received = read_frame(octets);
    return received ? ReceiveError::count_ : received.error();
}
ReceiveError error_of(const FrameBuilder& builder) { return error_of(builder.build()); }
constexpr ReceiveError taken = ReceiveError::count_;

TEST(ReadFrame, TellsWhereTheAdvertisementCameFrom) {
    const Octets octets = v3().source_mac({{0, 0, 0x5e, 0, 1, 7}}).build();
    const auto received = read_frame(octets);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->source, ipv4(10, 0, 0, 1));
    EXPECT_EQ(received->destination, vrrp_group_ipv4);
    EXPECT_EQ(received->source_mac, virtual_mac(Family::ipv4, Vrid{7}));
    EXPECT_EQ(received->vlan_id, 0);
    EXPECT_EQ(received->ttl, 255);
    EXPECT_FALSE(received->ah);
    EXPECT_EQ(received->advertisement.vrid(), Vrid{7});
    EXPECT_EQ(received->ip_packet.size(), octets.size() - 14);
}

TEST(ReadFrame, TakesIpv6) {
    const Octets octets = v3_ipv6().build();
    const auto received = read_frame(octets);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->source, address_of("fe80::1"));
    EXPECT_EQ(received->destination, vrrp_group_ipv6);
    EXPECT_EQ(received->advertisement.address(0), address_of("fe80::100"));
}

TEST(ReadFrame, TakesTheFramesOfKeepalived) {
    for (const Octets& octets : {test::keepalived_v2_password(), test::keepalived_v2_ah(0), test::keepalived_v2_ah_unicast(),
                                 test::keepalived_v3()}) {
        const auto received = read_frame(octets);
        ASSERT_TRUE(received);
        EXPECT_EQ(received->advertisement.vrid(), Vrid{51});
        EXPECT_EQ(received->advertisement.priority(), Priority{150});
        EXPECT_EQ(received->advertisement.max_advertise_interval(), Centiseconds{100});
        EXPECT_EQ(received->advertisement.address(1), ipv4(10, 20, 30, 101));
    }
}

TEST(ReadFrame, ReadsTheAhHeader) {
    const Octets octets = test::keepalived_v2_ah(2);
    const auto received = read_frame(octets);
    ASSERT_TRUE(received);
    ASSERT_TRUE(received->ah);
    EXPECT_EQ(received->ah->security_parameters_index, 0x0a141e01u);
    EXPECT_EQ(received->ah->sequence_number, 3u);
    EXPECT_EQ(received->advertisement.auth_type_octet(), 2);
}

TEST(ReadFrame, IgnoresEthernetPadding) {
    EXPECT_EQ(error_of(v3().pad_to(60)), taken);
    EXPECT_EQ(error_of(v3().pad_to(60, 0xee)), taken);
    EXPECT_EQ(error_of(v3_ipv6().pad_to(100, 0xee)), taken);
}

TEST(ReadFrame, IpPacketEndsBeforeThePadding) {
    const Octets octets = v3().pad_to(60).build();
    EXPECT_EQ(read_frame(octets)->ip_packet.size(), 32u);
}

TEST(ReadFrame, TakesIpv4Options) {
    const Octets octets = v3().ip_options(from_hex("94040000")).build();  // Router Alert, RFC 2113
    const auto received = read_frame(octets);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->advertisement.address(0), ipv4(10, 0, 0, 100));
}

TEST(ReadFrame, TakesOctetsBehindTheMessageWithinThePacket) { EXPECT_EQ(error_of(v3().trailer(Octets(28, 0xee))), taken); }

TEST(ReadFrame, TakesDontFragmentSetAndClear) {
    EXPECT_EQ(error_of(v3().fragment_word(0x4000)), taken);
    EXPECT_EQ(error_of(v3().fragment_word(0x0000).identification(4711)), taken);
}

// VLAN tags.

TEST(ReadFrame, ReadsOneVlanTag) {
    const Octets octets = v3().vlan(5).build();
    ASSERT_EQ(error_of(octets), taken);
    EXPECT_EQ(read_frame(octets)->vlan_id, 5);
}

TEST(ReadFrame, TheVlanIdIsTheLower12BitsOfTheTag) {
    const Octets octets = v3().vlan(0xefff).build();  // priority 7, 4095
    EXPECT_EQ(read_frame(octets)->vlan_id, 4095);
}

TEST(ReadFrame, OfTwoTagsTheInnerOneCounts) {
    const Octets octets = v3().vlan(100, 0x88a8).vlan(5).build();
    ASSERT_EQ(error_of(octets), taken);
    EXPECT_EQ(read_frame(octets)->vlan_id, 5);
}

TEST(ReadFrame, APriorityTagIsNoVlan) {
    const Octets octets = v3().vlan(0xe000).build();
    ASSERT_EQ(error_of(octets), taken);
    EXPECT_EQ(read_frame(octets)->vlan_id, 0);
}

// One wrong thing each, in the order of ReceiveError.

TEST(ReadFrame, RefusesAFrameCutByTheRing) {
    EXPECT_EQ(error_of(v3().cut_to(45)), ReceiveError::frame_truncated);
    EXPECT_EQ(error_of(v3_ipv6().cut_to(60)), ReceiveError::frame_truncated);
}

TEST(ReadFrame, RefusesAnEmptyFrame) { EXPECT_EQ(error_of(Octets{}), ReceiveError::frame_truncated); }

TEST(ReadFrame, RefusesATagWithoutItsEnd) { EXPECT_EQ(error_of(v3().vlan(5).cut_to(16)), ReceiveError::frame_truncated); }

TEST(ReadFrame, RefusesOtherEtherTypes) { EXPECT_EQ(error_of(v3().ether_type(0x0806)), ReceiveError::not_ip); }

TEST(ReadFrame, RefusesThreeTags) { EXPECT_EQ(error_of(v3().vlan(1).vlan(2).vlan(3)), ReceiveError::not_ip); }

TEST(ReadFrame, RefusesAnImpossibleIpHeader) {
    EXPECT_EQ(error_of(v3().ip_version(5)), ReceiveError::bad_ip_header);
    EXPECT_EQ(error_of(v3().ip_header_words(4)), ReceiveError::bad_ip_header);
    EXPECT_EQ(error_of(v3().ip_header_words(9)), ReceiveError::bad_ip_header);  // longer than the packet
    EXPECT_EQ(error_of(v3().ip_length(19)), ReceiveError::bad_ip_header);
    EXPECT_EQ(error_of(v3_ipv6().ip_version(4)), ReceiveError::bad_ip_header);
}

TEST(ReadFrame, RefusesAnIpLengthBeyondTheFrame) {
    EXPECT_EQ(error_of(v3().ip_length(33)), ReceiveError::frame_truncated);
    EXPECT_EQ(error_of(v3_ipv6().ip_length(25)), ReceiveError::frame_truncated);
    EXPECT_EQ(error_of(v3_ipv6().ip_length(65535)), ReceiveError::frame_truncated);
}

TEST(ReadFrame, RefusesABadIpChecksum) { EXPECT_EQ(error_of(v3().bad_ip_checksum()), ReceiveError::bad_ip_checksum); }

TEST(ReadFrame, RefusesFragments) {
    EXPECT_EQ(error_of(v3().fragment_word(0x2000)), ReceiveError::ip_fragment);  // More Fragments
    EXPECT_EQ(error_of(v3().fragment_word(0x0001)), ReceiveError::ip_fragment);  // offset 8
}

TEST(ReadFrame, RefusesOtherProtocols) {
    EXPECT_EQ(error_of(v3().ip_protocol(6)), ReceiveError::not_vrrp);
    EXPECT_EQ(error_of(v3().ip_protocol(17)), ReceiveError::not_vrrp);
    EXPECT_EQ(error_of(v3_ipv6().ip_protocol(0)), ReceiveError::not_vrrp);  // Hop-by-Hop Options in front
}

TEST(ReadFrame, RefusesAhOverIpv6) { EXPECT_EQ(error_of(v3_ipv6().ip_protocol(51)), ReceiveError::not_vrrp); }

TEST(ReadFrame, KnowsHsrp) {
    const FrameBuilder hello = frame().ipv4("10.0.0.9", "224.0.0.2").ttl(1).ip_protocol(17).payload(test::hsrp_datagram());
    EXPECT_EQ(error_of(hello), ReceiveError::foreign_hsrp);
}

TEST(ReadFrame, KnowsHsrpOverIpv6) {
    const FrameBuilder hello = frame().ipv6("fe80::9", "ff02::66").ip_protocol(17).payload(from_hex("07ed 07ed 0008 0000"));
    EXPECT_EQ(error_of(hello), ReceiveError::foreign_hsrp);
}

TEST(ReadFrame, OtherUdpIsNotHsrp) {
    const FrameBuilder udp = frame().ipv4("10.0.0.9", "224.0.0.251").ip_protocol(17);
    EXPECT_EQ(error_of(FrameBuilder(udp).payload(from_hex("14e9 14e9 0008 0000"))), ReceiveError::not_vrrp);
    EXPECT_EQ(error_of(FrameBuilder(udp).payload(from_hex("07c1 07"))), ReceiveError::not_vrrp);  // cut in the port
}

TEST(ReadFrame, KnowsCarp) { EXPECT_EQ(error_of(frame().payload(test::carp_message(7))), ReceiveError::foreign_carp); }

TEST(ReadFrame, AnAdvertisementOfSevenAddressesIsNotCarp) {
    FrameBuilder builder = frame().vrrp_v2(7, 200);
    for (std::uint8_t i = 0; i < 7; ++i) builder.address(ipv4(10, 0, 0, i));
    EXPECT_EQ(error_of(builder), taken);
}

TEST(ReadFrame, AnAdvertisementOfTheSizeOfCarpIsNotCarp) {
    FrameBuilder builder = frame().vrrp_v2(7, 200);
    for (std::uint8_t i = 0; i < 5; ++i) builder.address(ipv4(10, 0, 0, i));
    ASSERT_EQ(builder.message().size(), 36u);
    EXPECT_EQ(error_of(builder), taken);
}

TEST(ReadFrame, CarpWithABadChecksumIsOnlyTruncated) {
    Octets message = test::carp_message(7);
    message[35] ^= 1;
    EXPECT_EQ(error_of(frame().payload(message)), ReceiveError::truncated);
}

TEST(Rfc9568_7_1, RefusesAMulticastTtlOtherThan255) {
    EXPECT_EQ(error_of(v3().ttl(254)), ReceiveError::bad_ttl);
    EXPECT_EQ(error_of(v3().ttl(1)), ReceiveError::bad_ttl);
    EXPECT_EQ(error_of(v3_ipv6().ttl(254)), ReceiveError::bad_ttl);
    EXPECT_EQ(error_of(v2_ah().ttl(254)), ReceiveError::bad_ttl);
}

TEST(ReadFrame, LeavesTheTtlOfUnicastToTheEngine) {
    const Octets octets = v3().ipv4("10.0.0.1", "10.0.0.2").ttl(60).build();
    ASSERT_EQ(error_of(octets), taken);
    EXPECT_EQ(read_frame(octets)->ttl, 60);
}

TEST(ReadFrame, RefusesAMalformedAh) {
    EXPECT_EQ(error_of(v2_ah().ah_octet(0, 6)), ReceiveError::bad_ah);  // next header TCP
    EXPECT_EQ(error_of(v2_ah().ah_octet(1, 5)), ReceiveError::bad_ah);  // 28 octets
    EXPECT_EQ(error_of(v2_ah().ip_length(20 + 23)), ReceiveError::bad_ah);
}

TEST(ReadFrame, IgnoresTheReservedFieldOfAh) { EXPECT_EQ(error_of(v2_ah().ah_octet(2, 1)), taken); }

TEST(ReadFrame, PassesOnWhatIsWrongWithTheMessage) {
    EXPECT_EQ(error_of(v3().bad_checksum()), ReceiveError::bad_checksum);
    EXPECT_EQ(error_of(v3().type(2)), ReceiveError::bad_type);
    EXPECT_EQ(error_of(v2_ah().bad_checksum()), ReceiveError::bad_checksum);
    EXPECT_EQ(error_of(v2_ah().ip_length(20 + 24 + 7)), ReceiveError::truncated);
}

TEST(ReadFrame, TheIpLengthBoundsTheMessageNotTheFrame) {
    // Two addresses are in the frame, but the IP packet ends behind the first.
    EXPECT_EQ(error_of(v3().address("10.0.0.101").ip_length(32)), ReceiveError::truncated);
}

}  // namespace
}  // namespace vigil::packet
