#include "arp/neighbor_message.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/packet/frame_builder.h"

namespace vigil::arp {
namespace {

using test::address_of;
using test::from_hex;
using test::Octets;

constexpr std::size_t icmp_offset = 14 + 40;

/// An ICMPv6 frame with its checksum made right; `body` starts at the type, checksum zero.
Octets icmp(std::string_view source, std::string_view destination, Octets body, std::uint8_t hop_limit = 255) {
    Octets covered;
    const IpAddress from = address_of(source);
    const IpAddress to = address_of(destination);
    for (const auto octet : from.octets) covered.push_back(octet);
    for (const auto octet : to.octets) covered.push_back(octet);
    const Octets length_and_next_header{0, 0, 0, static_cast<std::uint8_t>(body.size()), 0, 0, 0, 58};
    covered.insert(covered.end(), length_and_next_header.begin(), length_and_next_header.end());
    covered.insert(covered.end(), body.begin(), body.end());
    if (body.size() >= 4) {
        const std::uint16_t checksum = test::reference_checksum(covered);
        body[2] = static_cast<std::uint8_t>(checksum >> 8);
        body[3] = static_cast<std::uint8_t>(checksum);
    }
    return test::frame().ip(from, to).ip_protocol(58).traffic_class(0).ttl(hop_limit).payload(body).build();
}

const char* const target = "20010db8000000000000000000000100";
Octets body(std::string_view head, std::string_view options = "") {
    return from_hex(std::string(head) + target + std::string(options));
}

/// Who has 2001:db8::100? From fe80::7, with its MAC.
Octets solicitation() { return icmp("fe80::7", "ff02::1:ff00:100", body("87000000 00000000", "0101 020000000007")); }
Octets advertisement(std::string_view flags = "a0000000") {
    return icmp("2001:db8::100", "ff02::1", body("88000000" + std::string(flags), "0201 00005e000233"));
}

/// No enumerator when the frame is taken.
NeighborError error_of(const Octets& octets) {
    const auto message = read_neighbor_frame(octets);
    EXPECT_FALSE(message);
    return message ? NeighborError{255} : message.error();
}

TEST(ReadNeighbor, ReadsASolicitation) {
    const auto message = read_neighbor_frame(solicitation());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type, NeighborMessageType::solicitation);
    EXPECT_EQ(message->source, address_of("fe80::7"));
    EXPECT_EQ(message->destination, solicited_node_group(address_of("2001:db8::100")));
    EXPECT_EQ(message->target, address_of("2001:db8::100"));
    EXPECT_EQ(message->link_layer, (MacAddress{{2, 0, 0, 0, 0, 7}}));
}

TEST(ReadNeighbor, ReadsAnAdvertisement) {
    const auto message = read_neighbor_frame(advertisement());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type, NeighborMessageType::advertisement);
    EXPECT_EQ(message->link_layer, (MacAddress{{0, 0, 0x5e, 0, 2, 0x33}}));
    EXPECT_TRUE(message->is_router);
    EXPECT_FALSE(message->is_solicited);
    EXPECT_TRUE(message->is_override);
}

TEST(ReadNeighbor, ReadsASolicitedUnicastAnswer) {
    const auto message = read_neighbor_frame(icmp("fe80::1", "fe80::7", body("88000000 40000000")));
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->is_solicited);
    EXPECT_FALSE(message->link_layer);
}

TEST(ReadNeighbor, ReadsADuplicateAddressProbe) {
    EXPECT_TRUE(read_neighbor_frame(icmp("::", "ff02::1:ff00:100", body("87000000 00000000"))));
}

TEST(Rfc4861_9, PassesOverUnknownOptions) {
    const Octets options = body("87000000 00000000", "0e01 112233445566 0101 020000000007");
    const auto message = read_neighbor_frame(icmp("fe80::7", "ff02::1:ff00:100", options));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->link_layer, (MacAddress{{2, 0, 0, 0, 0, 7}}));
}

TEST(ReadNeighbor, OfTwoLinkLayerAddressesTheFirstCounts) {
    const Octets options = body("87000000 00000000", "0101 020000000007 0101 020000000008");
    const auto message = read_neighbor_frame(icmp("fe80::7", "ff02::1:ff00:100", options));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->link_layer, (MacAddress{{2, 0, 0, 0, 0, 7}}));
}

TEST(ReadNeighbor, IgnoresEthernetPadding) {
    Octets octets = advertisement();
    octets.resize(100, 0xee);
    EXPECT_TRUE(read_neighbor_frame(octets));
}

TEST(WriteNeighbor, WritesWhatItRead) {
    const Octets answer = icmp("fe80::1", "fe80::7", body("88000000 60000000"));
    for (const Octets& octets : {solicitation(), advertisement(), advertisement("20000000"), answer}) {
        const auto message = read_neighbor_frame(octets);
        ASSERT_TRUE(message);
        Octets buffer(octets.size());
        packet::ByteWriter writer(buffer);
        write_neighbor_frame(writer, multicast_mac(message->destination), {{2, 0, 0, 0, 0, 1}}, *message);
        EXPECT_EQ(buffer, octets);
    }
}

TEST(WriteNeighbor, WritesNothingBeyondASmallBuffer) {
    Octets buffer(60);
    packet::ByteWriter writer(buffer);
    write_neighbor_frame(writer, {}, {}, *read_neighbor_frame(advertisement()));
    EXPECT_TRUE(writer.has_failed());
}

TEST(SolicitedNodeGroup, KeepsTheLast24Bits) {
    EXPECT_EQ(solicited_node_group(address_of("2001:db8::12:3456:789a")), address_of("ff02::1:ff56:789a"));
}

// One wrong thing each.

TEST(ReadNeighbor, RefusesEveryPiece) {
    const Octets octets = advertisement();
    for (std::size_t size = 0; size < octets.size(); ++size) {
        const auto block = std::make_unique<std::uint8_t[]>(size);
        std::copy_n(octets.begin(), size, block.get());
        const auto message = read_neighbor_frame({block.get(), size});
        ASSERT_FALSE(message) << size;
        EXPECT_EQ(message.error(), NeighborError::truncated) << size;
    }
}

TEST(Rfc4861_7_1, RefusesLessThan24Octets) {
    Octets octets = body("88000000 a0000000");
    octets.pop_back();
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", octets)), NeighborError::truncated);
}

TEST(ReadNeighbor, RefusesOtherEtherTypesAndVersions) {
    EXPECT_EQ(error_of(test::frame().ipv4("10.0.0.1", "10.0.0.2").payload({}).build()), NeighborError::not_ipv6);
    Octets octets = advertisement();
    octets[14] = 0x50;
    EXPECT_EQ(error_of(octets), NeighborError::not_ipv6);
}

TEST(ReadNeighbor, RefusesOtherMessages) {
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", body("80000000 00000000"))), NeighborError::not_neighbor_message);  // echo
    const auto advert = test::frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 1).address("fe80::2");
    EXPECT_EQ(error_of(advert.build()), NeighborError::not_neighbor_message);
}

TEST(Rfc4861_7_1, RefusesWhatCameThroughARouter) {
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", body("88000000 20000000"), 254)), NeighborError::bad_hop_limit);
}

TEST(Rfc4861_7_1, RefusesABadChecksum) {
    Octets octets = advertisement();
    octets[icmp_offset + 3] ^= 1;
    EXPECT_EQ(error_of(octets), NeighborError::bad_checksum);
}

TEST(Rfc4861_7_1, RefusesACodeOtherThanZero) {
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", body("88010000 20000000"))), NeighborError::bad_code);
}

TEST(Rfc4861_7_1, RefusesAMulticastTarget) {
    Octets octets = body("88000000 20000000");
    octets[8] = 0xff;
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", octets)), NeighborError::multicast_target);
}

TEST(Rfc4861_7_1, RefusesAnOptionOfLengthZeroOrBeyondTheEnd) {
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", body("88000000 20000000", "0200 00005e000233"))), NeighborError::bad_option);
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", body("88000000 20000000", "0202 00005e000233"))), NeighborError::bad_option);
    EXPECT_EQ(error_of(icmp("fe80::1", "ff02::1", body("88000000 20000000", "02"))), NeighborError::bad_option);
}

TEST(Rfc4861_7_1_2, RefusesASolicitedAdvertisementToAGroup) {
    EXPECT_EQ(error_of(advertisement("e0000000")), NeighborError::bad_destination);
}

TEST(Rfc4861_7_1_1, RefusesAProbeToAnotherGroup) {
    EXPECT_EQ(error_of(icmp("::", "ff02::1", body("87000000 00000000"))), NeighborError::bad_destination);
}

TEST(Rfc4861_7_1_1, RefusesAProbeWithALinkLayerAddress) {
    EXPECT_EQ(error_of(icmp("::", "ff02::1:ff00:100", body("87000000 00000000", "0101 020000000007"))), NeighborError::unexpected_option);
}

}  // namespace
}  // namespace vigil::arp
