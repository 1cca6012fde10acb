#include "bench/lab/observer/sighting.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace vigil::lab {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets join(std::initializer_list<Octets> parts) {
    Octets whole;
    for (const Octets& part : parts) whole.insert(whole.end(), part.begin(), part.end());
    return whole;
}

const Octets macs{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01};

Octets ipv4_header(std::uint8_t protocol) {
    return {0x08, 0x00, 0x45, 0xc0, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0xff, protocol, 0x00, 0x00, 192, 0, 2, 1, 224, 0, 0, 18};
}

const Octets vrrp_v2{0x21, 0x33, 200, 1, /*simple password*/ 1, 2, 0x00, 0x00, 192, 0, 2, 100};
const Octets vrrp_v3{0x31, 0x34, 150, 1, 0x00, 0x14, 0x00, 0x00, 192, 0, 2, 100};

TEST(Sighting, ReadsVersion2WithItsIntervalInSeconds) {
    const Sighting sighting = read_sighting(join({macs, ipv4_header(112), vrrp_v2}));
    EXPECT_EQ(sighting.kind, SightingKind::advertisement);
    EXPECT_EQ(sighting.vrid, 51);
    EXPECT_EQ(sighting.priority, 200);
    EXPECT_EQ(sighting.address, ipv4(192, 0, 2, 1));
    EXPECT_EQ(sighting.interval, std::chrono::seconds{2});
}

TEST(Sighting, ReadsVersion3WithItsIntervalInCentiseconds) {
    const Sighting sighting = read_sighting(join({macs, ipv4_header(112), vrrp_v3}));
    EXPECT_EQ(sighting.kind, SightingKind::advertisement);
    EXPECT_EQ(sighting.vrid, 52);
    EXPECT_EQ(sighting.interval, std::chrono::milliseconds{200});
}

TEST(Sighting, LeavesTheReservedBitsOutOfTheInterval) {
    Octets vrrp = vrrp_v3;
    vrrp[4] = 0xf0;
    EXPECT_EQ(read_sighting(join({macs, ipv4_header(112), vrrp})).interval, std::chrono::milliseconds{200});
}

TEST(Sighting, LooksBehindIpOptionsAndAnAuthenticationHeader) {
    Octets header = ipv4_header(51);
    header[2] = 0x46;   // one word of options
    const Octets options(4, 0), authentication = join({{112, 4}, Octets(22, 0xaa)});
    const Sighting sighting = read_sighting(join({macs, header, options, authentication, vrrp_v2}));
    EXPECT_EQ(sighting.kind, SightingKind::advertisement);
    EXPECT_EQ(sighting.vrid, 51);
}

TEST(Sighting, ReadsVrrpOverIpv6) {
    Octets header{0x86, 0xdd, 0x60, 0, 0, 0, 0, 12, 112, 255};
    header.insert(header.end(), {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    header.insert(header.end(), {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12});
    const Sighting sighting = read_sighting(join({macs, header, vrrp_v3}));
    EXPECT_EQ(sighting.kind, SightingKind::advertisement);
    EXPECT_EQ(to_string(sighting.address), "fe80::1");
}

Octets arp(std::uint8_t operation, std::uint8_t sender_end, std::uint8_t target_end) {
    return join({macs, {0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0, operation}, {0, 0, 0x5e, 0, 1, 7}, {192, 0, 2, sender_end}, Octets(6, 0xff),
                 {192, 0, 2, target_end}});
}

TEST(Sighting, TakesBothFormsOfGratuitousArp) {
    for (const std::uint8_t operation : Octets{1, 2}) {
        const Sighting sighting = read_sighting(arp(operation, 100, 100));
        EXPECT_EQ(sighting.kind, SightingKind::announcement);
        EXPECT_EQ(sighting.address, ipv4(192, 0, 2, 100));
        EXPECT_EQ(sighting.mac, (MacAddress{{0, 0, 0x5e, 0, 1, 7}}));
    }
}

TEST(Sighting, TakesNoOrdinaryArpQuestionForAnAnnouncement) {
    EXPECT_EQ(read_sighting(arp(1, 1, 100)).kind, SightingKind::other);
}

TEST(Sighting, TakesTheTargetOfANeighborAdvertisement) {
    Octets header{0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255};
    header.resize(header.size() + 32);
    Octets message{136, 0, 0, 0, 0x20, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00};
    const Sighting sighting = read_sighting(join({macs, header, message}));
    EXPECT_EQ(sighting.kind, SightingKind::announcement);
    EXPECT_EQ(to_string(sighting.address), "2001:db8::100");
    EXPECT_EQ(sighting.mac, (MacAddress{{2, 0, 0, 0, 0, 1}}));
    message[0] = 135;   // a solicitation
    EXPECT_EQ(read_sighting(join({macs, header, message})).kind, SightingKind::other);
}

TEST(Sighting, TakesNothingFromAFrameThatEndsEarly) {
    const std::vector<Octets> frames{join({macs, ipv4_header(112), vrrp_v3}), arp(1, 100, 100)};
    for (const Octets& frame : frames) {
        const std::size_t needed = frame[12] == 0x08 && frame[13] == 0x06 ? 42 : 40;
        for (std::size_t size = 0; size < needed; ++size) {
            EXPECT_EQ(read_sighting(packet::Bytes(frame).first(size)).kind, SightingKind::other) << size;
        }
        EXPECT_NE(read_sighting(packet::Bytes(frame).first(needed)).kind, SightingKind::other);
    }
}

TEST(Sighting, TakesNoOtherVersionOrTypeForAnAdvertisement) {
    for (const std::uint8_t first : Octets{0x11, 0x22, 0x32, 0x41}) {
        Octets vrrp = vrrp_v3;
        vrrp[0] = first;
        EXPECT_EQ(read_sighting(join({macs, ipv4_header(112), vrrp})).kind, SightingKind::other);
    }
}

}  // namespace
}  // namespace vigil::lab
