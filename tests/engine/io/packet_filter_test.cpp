#include "engine/io/packet_filter.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <initializer_list>
#include <ostream>
#include <vector>

#include "packet/frame_template.h"

// The program is run by the kernel itself, over the datagrams of a socket pair: no privilege needed. Such datagrams have no VLAN
// metadata and count as addressed to us; those branches are tested over veth (port_netns_test.cpp).

namespace vigil::io {
namespace {

using Frame = std::vector<std::uint8_t>;

Frame ethernet(std::uint16_t type, std::size_t size = 60) {
    Frame frame(size);
    frame[12] = static_cast<std::uint8_t>(type >> 8);
    frame[13] = static_cast<std::uint8_t>(type);
    return frame;
}

struct Advert {
    std::uint8_t protocol = 112;
    std::uint8_t hop_limit = 255;
    std::uint8_t first_octet = 0;       ///< of the destination address; 0: of a multicast one
    std::uint8_t version_and_type = 0x31;
    std::uint8_t vrid = 7;
    std::uint8_t header_words = 5;      ///< IPv4 only
};

Frame ipv4(const Advert& advert = {}) {
    Frame frame = ethernet(0x0800, 90);
    frame[14] = static_cast<std::uint8_t>(0x40 | advert.header_words);
    frame[22] = advert.hop_limit;
    frame[23] = advert.protocol;
    frame[30] = advert.first_octet != 0 ? advert.first_octet : 224;
    std::size_t message = 14u + advert.header_words * 4u;
    if (advert.protocol == 51) {
        frame[message] = 112;
        frame[message + 1] = 4;
        message += 24;
    }
    frame[message] = advert.version_and_type;
    frame[message + 1] = advert.vrid;
    return frame;
}

Frame ipv6(const Advert& advert = {}) {
    Frame frame = ethernet(0x86dd, 80);
    frame[14] = 0x60;
    frame[20] = advert.protocol;
    frame[21] = advert.hop_limit;
    frame[38] = advert.first_octet != 0 ? advert.first_octet : 0xff;
    frame[54] = advert.version_and_type;
    frame[55] = advert.vrid;
    return frame;
}

Frame udp(std::uint16_t destination_port, std::uint8_t header_words = 5) {
    Frame frame = ipv4({.protocol = 17, .header_words = header_words});
    const std::size_t port = 14u + header_words * 4u + 2u;
    frame[port] = static_cast<std::uint8_t>(destination_port >> 8);
    frame[port + 1] = static_cast<std::uint8_t>(destination_port);
    return frame;
}

/// How many bytes of `frame` pass one side; 0 when it is dropped.
std::size_t passed(const Frame& frame, const FilterOptions& options, FilterSide side) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    EXPECT_TRUE(attach_packet_filter(pair[1], options, side));
    EXPECT_EQ(::send(pair[0], frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
    std::array<std::uint8_t, 4096> buffer{};
    const ssize_t size = ::recv(pair[1], buffer.data(), buffer.size(), 0);
    ::close(pair[0]);
    ::close(pair[1]);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
}

enum class Kind { advert, junk, other };
std::ostream& operator<<(std::ostream& out, Kind kind) { return out << (kind == Kind::advert ? "advert" : kind == Kind::junk ? "junk" : "other"); }

Kind kind_of(const Frame& frame, const FilterOptions& options = {}) {
    const bool is_advert = passed(frame, options, FilterSide::adverts) != 0;
    const bool is_junk = passed(frame, options, FilterSide::junk) != 0;
    EXPECT_FALSE(is_advert && is_junk);
    return is_advert ? Kind::advert : is_junk ? Kind::junk : Kind::other;
}

VridSet vrids(std::initializer_list<std::size_t> numbers) {
    VridSet set;
    for (const std::size_t number : numbers) set.set(number);
    return set;
}

TEST(PacketFilter, TakesVrrpAndAuthenticatedVrrp) {
    EXPECT_EQ(kind_of(ipv4()), Kind::advert);
    EXPECT_EQ(kind_of(ipv4({.version_and_type = 0x21})), Kind::advert);
    EXPECT_EQ(kind_of(ipv4({.protocol = 51, .version_and_type = 0x21})), Kind::advert);
    EXPECT_EQ(kind_of(ipv6()), Kind::advert);
}

TEST(PacketFilter, WhatWeSendOurselvesPassesInEveryForm) {
    const IpAddress ipv4_source = *read_address("10.0.0.1");
    const IpAddress ipv6_source = *read_address("fe80::1");
    for (const VrrpVersion version : {VrrpVersion::v2, VrrpVersion::v3}) {
        for (const packet::AuthType auth : {packet::AuthType::none, packet::AuthType::simple_password, packet::AuthType::ah}) {
            for (const IpAddress& destination : {vrrp_group_ipv4, vrrp_group_ipv6, *read_address("10.0.0.2"), *read_address("fe80::2")}) {
                packet::AdvertisementSpec spec;
                spec.version = version;
                spec.vrid = Vrid{7};
                spec.destination = destination;
                spec.auth_type = auth;
                spec.source = destination.family == Family::ipv4 ? ipv4_source : ipv6_source;
                spec.addresses = {&spec.source, 1};
                Frame frame(packet::frame_size(spec));
                if (!packet::build_advertisement_frame(spec, frame)) continue;   // no such form
                EXPECT_EQ(kind_of(frame, {.ipv4_vrids = vrids({7}), .ipv6_vrids = vrids({7})}), Kind::advert);
            }
        }
    }
}

TEST(PacketFilter, FindsTheMessageBehindIpOptions) {
    EXPECT_EQ(kind_of(ipv4({.header_words = 6}), {.ipv4_vrids = vrids({7})}), Kind::advert);
    EXPECT_EQ(kind_of(ipv4({.vrid = 8, .header_words = 6}), {.ipv4_vrids = vrids({7})}), Kind::junk);
    EXPECT_EQ(kind_of(ipv4({.protocol = 51, .version_and_type = 0x21, .header_words = 6}), {.ipv4_vrids = vrids({7})}), Kind::advert);
}

TEST(PacketFilter, WhatIsNoRedundancyProtocolIsNobodysHere) {
    EXPECT_EQ(kind_of(ipv4({.protocol = 1})), Kind::other);
    EXPECT_EQ(kind_of(ipv4({.protocol = 6})), Kind::other);
    EXPECT_EQ(kind_of(ipv6({.protocol = 58})), Kind::other);
    EXPECT_EQ(kind_of(ipv6({.protocol = 51})), Kind::other);
    EXPECT_EQ(kind_of(ethernet(0x0806)), Kind::other);
    EXPECT_EQ(kind_of(udp(1986)), Kind::other);
}

TEST(PacketFilter, IpsecThatCarriesNoVrrpIsNobodysHere) {
    Frame frame = ipv4({.protocol = 51});
    frame[34] = 6;
    EXPECT_EQ(kind_of(frame), Kind::other);
}

TEST(PacketFilter, HsrpIsJunkAlsoBehindIpOptions) {
    EXPECT_EQ(kind_of(udp(1985)), Kind::junk);
    EXPECT_EQ(kind_of(udp(1985, 7)), Kind::junk);
}

TEST(PacketFilter, ALaterFragmentIsNotTakenForHsrp) {
    Frame frame = udp(1985);
    frame[21] = 1;
    EXPECT_EQ(kind_of(frame), Kind::other);
}

TEST(PacketFilter, ASecondVlanTagIsNobodysHere) {
    Frame frame = ipv4();
    const Frame tag{0x81, 0x00, 0x00, 0x05};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    EXPECT_EQ(kind_of(frame), Kind::other);
}

TEST(PacketFilter, KnowsEveryVridOfEachFamily) {
    for (const std::size_t own : {1u, 31u, 32u, 33u, 100u, 127u, 128u, 224u, 254u, 255u}) {
        const FilterOptions ipv4_only{.ipv4_vrids = vrids({own}), .ipv6_vrids = {}};
        const FilterOptions ipv6_only{.ipv4_vrids = {}, .ipv6_vrids = vrids({own})};
        for (unsigned vrid = 0; vrid < 256; ++vrid) {
            const Advert advert{.vrid = static_cast<std::uint8_t>(vrid)};
            const Kind expected = vrid == own ? Kind::advert : Kind::junk;
            ASSERT_EQ(kind_of(ipv4(advert), ipv4_only), expected) << own << " " << vrid;
            ASSERT_EQ(kind_of(ipv6(advert), ipv6_only), expected) << own << " " << vrid;
        }
        EXPECT_EQ(kind_of(ipv6({.vrid = static_cast<std::uint8_t>(own)}), ipv4_only), Kind::junk);
        EXPECT_EQ(kind_of(ipv4({.vrid = static_cast<std::uint8_t>(own)}), ipv6_only), Kind::junk);
    }
}

TEST(PacketFilter, AnyNumberOfVridsFits) {
    VridSet even;
    for (std::size_t i = 2; i < 256; i += 2) even.set(i);
    for (const VridSet& set : {VridSet{}, even, vrids({1, 2, 3, 255}), VridSet{}.set()}) {
        const FilterOptions options{.ipv4_vrids = set, .ipv6_vrids = set};
        for (unsigned vrid = 0; vrid < 256; ++vrid) {
            const Advert advert{.vrid = static_cast<std::uint8_t>(vrid)};
            ASSERT_EQ(kind_of(ipv4(advert), options), set[vrid] ? Kind::advert : Kind::junk) << vrid;
            ASSERT_EQ(kind_of(ipv6(advert), options), set[vrid] ? Kind::advert : Kind::junk) << vrid;
        }
    }
}

TEST(PacketFilter, CutsToTheSlot) {
    EXPECT_EQ(passed(ipv4(), {.capture_bytes = 40}, FilterSide::adverts), 40u);
    EXPECT_EQ(passed(udp(1985), {.capture_bytes = 40}, FilterSide::junk), 40u);
}

TEST(PacketFilter, MulticastWithAnotherHopLimitIsJunk) {
    EXPECT_EQ(kind_of(ipv4({.hop_limit = 254})), Kind::junk);
    EXPECT_EQ(kind_of(ipv4({.protocol = 51, .hop_limit = 254})), Kind::junk);
    EXPECT_EQ(kind_of(ipv4({.hop_limit = 64, .first_octet = 239})), Kind::junk);
    EXPECT_EQ(kind_of(ipv6({.hop_limit = 1})), Kind::junk);
}

TEST(PacketFilter, UnicastHopLimitsAreTheEnginesBusiness) {
    EXPECT_EQ(kind_of(ipv4({.hop_limit = 64, .first_octet = 10})), Kind::advert);
    EXPECT_EQ(kind_of(ipv4({.hop_limit = 64, .first_octet = 223})), Kind::advert);
    EXPECT_EQ(kind_of(ipv6({.hop_limit = 64, .first_octet = 0xfe})), Kind::advert);
}

TEST(PacketFilter, OnlyAdvertisementsOfVersions2And3ArePassed) {
    for (unsigned octet = 0; octet < 256; ++octet) {
        const Advert advert{.version_and_type = static_cast<std::uint8_t>(octet)};
        ASSERT_EQ(kind_of(ipv4(advert)), octet == 0x21 || octet == 0x31 ? Kind::advert : Kind::junk) << octet;
        ASSERT_EQ(kind_of(ipv6(advert)), octet == 0x31 ? Kind::advert : Kind::junk) << octet;
    }
}

TEST(PacketFilter, FragmentsAreJunk) {
    for (const unsigned flags : {0x20u, 0x01u, 0x1fu}) {
        Frame frame = ipv4();
        frame[20] = static_cast<std::uint8_t>(flags);
        EXPECT_EQ(kind_of(frame), Kind::junk);
    }
    Frame last = ipv4();
    last[21] = 1;
    EXPECT_EQ(kind_of(last), Kind::junk);
    Frame whole = ipv4();
    whole[20] = 0x40;   // Don't Fragment
    EXPECT_EQ(kind_of(whole), Kind::advert);
}

TEST(PacketFilter, AnImpossibleIpHeaderIsJunk) {
    for (const unsigned octet : {0x00u, 0x40u, 0x44u, 0x50u, 0x65u, 0xffu}) {
        Frame frame = ipv4();
        frame[14] = static_cast<std::uint8_t>(octet);
        EXPECT_EQ(kind_of(frame), Kind::junk) << octet;
    }
    Frame frame = ipv6();
    frame[14] = 0x45;
    EXPECT_EQ(kind_of(frame), Kind::junk);
}

/// A load beyond the end would drop it on both sides, uncounted.
TEST(PacketFilter, WhatIsTooShortForAMessageIsJunk) {
    const auto cut = [](Frame frame, std::size_t size) {
        frame.resize(size);
        return frame;
    };
    for (std::size_t size = 24; size <= 90; ++size) {
        EXPECT_EQ(kind_of(cut(ipv4(), size)), size < 42 ? Kind::junk : Kind::advert) << size;
        EXPECT_EQ(kind_of(cut(ipv4({.header_words = 15}), size)), size < 82 ? Kind::junk : Kind::advert) << size;
    }
    for (std::size_t size = 35; size <= 90; ++size) {
        EXPECT_EQ(kind_of(cut(ipv4({.protocol = 51, .version_and_type = 0x21}), size)), size < 66 ? Kind::junk : Kind::advert) << size;
    }
    for (std::size_t size = 21; size <= 80; ++size) EXPECT_EQ(kind_of(cut(ipv6(), size)), size < 62 ? Kind::junk : Kind::advert) << size;
}

TEST(PacketFilter, SurvivesFramesOfEveryLength) {
    for (const Frame& whole : {ipv4(), ipv4({.header_words = 15}), ipv4({.protocol = 51}), udp(1985), ipv6()}) {
        for (std::size_t size = 1; size < whole.size(); ++size) {
            const Frame frame(whole.begin(), whole.begin() + static_cast<long>(size));
            EXPECT_LE(passed(frame, {}, FilterSide::adverts), size);
            EXPECT_LE(passed(frame, {}, FilterSide::junk), size);
        }
    }
}

}  // namespace
}  // namespace vigil::io
