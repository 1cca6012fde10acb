#include <gtest/gtest.h>

#include <cstdio>

#include "arp/announcement_frame.h"
#include "packet/frame.h"
#include "packet/frame_template.h"
#include "tests/packet/libnet/libnet_builder.h"

// Byte for byte the frames that libnet makes of the same fields. See libnet_builder.h for what libnet cannot do.

namespace vigil::packet {
namespace {

using test::address_of;
using test::LibnetBuilder;
using test::Octets;

LibnetBuilder* libnet = nullptr;  // opened by main()

constexpr std::uint8_t vrrp_protocol = 112;
constexpr std::uint8_t ah_protocol = 51;
constexpr AuthKey secret{'s', 'e', 'c', 'r', 'e', 't', 0, 0};
constexpr MacAddress interface_mac{{0x02, 0, 0, 0, 0, 0x01}};

struct Case {
    Case(VrrpVersion version, std::vector<IpAddress> addresses) : list(std::move(addresses)) {
        const bool is_ipv4 = list.front().family == Family::ipv4;
        spec.version = version;
        spec.vrid = Vrid{51};
        spec.priority = Priority{150};
        spec.source = is_ipv4 ? ipv4(10, 20, 30, 1) : address_of("fe80::1");
        spec.destination = is_ipv4 ? vrrp_group_ipv4 : vrrp_group_ipv6;
        spec.source_mac = virtual_mac(list.front().family, spec.vrid);
        spec.destination_mac = multicast_mac(spec.destination);
        spec.addresses = list;
    }
    Case(const Case&) = delete;
    Case& operator=(const Case&) = delete;

    std::vector<IpAddress> list;
    AdvertisementSpec spec;
};

Octets built_by_us(const AdvertisementSpec& spec, std::uint32_t sequence_number = 0) {
    Octets memory(frame_size(spec));
    auto frame = build_advertisement_frame(spec, memory);
    EXPECT_TRUE(frame);
    if (frame && frame->needs_seal()) frame->seal(sequence_number, spec.auth_key);
    return memory;
}

/// The sum with pseudo-header, which libnet does not take: from the test builder, which shares no code with packet/ either.
std::uint16_t pseudo_header_checksum(const AdvertisementSpec& spec) {
    auto builder = test::frame().ip(spec.source, spec.destination).vrrp_v3(to_number(spec.vrid), to_number(spec.priority));
    builder.interval(spec.interval.count()).checksum(spec.checksum);
    for (const IpAddress& address : spec.addresses) builder.address(address);
    const Octets message = builder.message();
    return static_cast<std::uint16_t>(message[6] << 8 | message[7]);
}

Octets built_by_libnet(const AdvertisementSpec& spec, std::uint16_t checksum = 0) {
    const bool is_ipv4 = spec.source.family == Family::ipv4;
    const std::size_t address_size = is_ipv4 ? 4 : 16;
    const std::size_t size = 8 + spec.addresses.size() * address_size + (spec.version == VrrpVersion::v2 ? 8 : 0);
    libnet->vrrp(spec, checksum);
    libnet->ip(spec.source, spec.destination, vrrp_protocol, 0xc0, spec.ttl, size);
    libnet->ethernet(spec.destination_mac, spec.source_mac, is_ipv4 ? 0x0800 : 0x86dd);
    return libnet->frame();
}

TEST(Libnet, Version2) {
    const Case c(VrrpVersion::v2, {ipv4(10, 20, 30, 100), ipv4(10, 20, 30, 101)});
    EXPECT_EQ(built_by_us(c.spec), built_by_libnet(c.spec));
}

TEST(Libnet, Version2OfEveryPriority) {
    Case c(VrrpVersion::v2, {ipv4(10, 20, 30, 100)});
    for (int priority = 0; priority <= 255; ++priority) {
        c.spec.priority = Priority{static_cast<std::uint8_t>(priority)};
        ASSERT_EQ(built_by_us(c.spec), built_by_libnet(c.spec)) << priority;
    }
}

TEST(Libnet, Version2WithPassword) {
    Case c(VrrpVersion::v2, {ipv4(10, 20, 30, 100)});
    c.spec.auth_type = AuthType::simple_password;
    c.spec.auth_key = secret;
    EXPECT_EQ(built_by_us(c.spec), built_by_libnet(c.spec));
}

TEST(Libnet, Version2With255Addresses) {
    const Case c(VrrpVersion::v2, std::vector<IpAddress>(255, ipv4(10, 20, 30, 100)));
    EXPECT_EQ(built_by_us(c.spec), built_by_libnet(c.spec));
}

TEST(Libnet, Version2WithAh) {
    // The digest is ours (libnet has no HMAC; keepalived's are reproduced in authentication_test.cpp), the rest is compared.
    Case c(VrrpVersion::v2, {ipv4(10, 20, 30, 100)});
    c.spec.auth_type = AuthType::ah;
    c.spec.auth_key = secret;
    const Octets ours = built_by_us(c.spec, 4711);
    const Octets plain = built_by_libnet(c.spec);
    const Octets message(plain.begin() + 34, plain.end());
    std::array<std::uint8_t, 12> digest{};
    std::copy_n(ours.begin() + 46, digest.size(), digest.begin());
    libnet->ah(0x0a141e01, 4711, digest, message);
    libnet->ip(c.spec.source, c.spec.destination, ah_protocol, 0xc0, 255, 24 + message.size());
    libnet->ethernet(c.spec.destination_mac, c.spec.source_mac, 0x0800);
    EXPECT_EQ(ours, libnet->frame());
}

TEST(Libnet, Version3WithTheSumOfTheMessageAlone) {
    Case c(VrrpVersion::v3, {ipv4(10, 20, 30, 100), ipv4(10, 20, 30, 101)});
    c.spec.checksum = ChecksumForm::message_only;
    for (const int interval : {1, 100, 255, 256, 4095}) {
        c.spec.interval = Centiseconds{static_cast<std::uint16_t>(interval)};
        EXPECT_EQ(built_by_us(c.spec), built_by_libnet(c.spec)) << interval;
    }
}

TEST(Libnet, Version3WithPseudoHeader) {
    const Case c(VrrpVersion::v3, {ipv4(10, 20, 30, 100)});
    EXPECT_EQ(built_by_us(c.spec), built_by_libnet(c.spec, pseudo_header_checksum(c.spec)));
}

TEST(Libnet, Version3Unicast) {
    Case c(VrrpVersion::v3, {ipv4(10, 20, 30, 100)});
    c.spec.destination = ipv4(10, 20, 30, 2);
    c.spec.destination_mac = {};
    c.spec.ttl = 64;
    EXPECT_EQ(built_by_us(c.spec), built_by_libnet(c.spec, pseudo_header_checksum(c.spec)));
}

TEST(Libnet, Version3OverIpv6) {
    const Case c(VrrpVersion::v3, {address_of("fe80::100"), address_of("2001:db8::100")});
    EXPECT_EQ(built_by_us(c.spec), built_by_libnet(c.spec, pseudo_header_checksum(c.spec)));
}

TEST(Libnet, GratuitousArp) {
    const IpAddress address = ipv4(10, 20, 30, 100);
    for (const auto form : {arp::GratuitousForm::request, arp::GratuitousForm::reply}) {
        const auto announced = arp::gratuitous_arp(address, interface_mac, form);
        const bool is_request = form == arp::GratuitousForm::request;
        libnet->arp(is_request ? 1 : 2, interface_mac, address, is_request ? broadcast_mac : interface_mac, address);
        libnet->ethernet(broadcast_mac, interface_mac, 0x0806);
        EXPECT_EQ(Octets(announced.bytes().begin(), announced.bytes().end()), libnet->frame());
    }
}

TEST(Libnet, UnsolicitedNeighborAdvertisement) {
    const IpAddress address = address_of("2001:db8::100");
    const IpAddress all_nodes = address_of("ff02::1");
    const auto announced = arp::unsolicited_neighbor_advertisement(address, interface_mac, true);
    constexpr std::uint32_t router_and_override = 0xa0000000;
    libnet->neighbor_advertisement(router_and_override, address, interface_mac);
    libnet->ip(address, all_nodes, 58, 0, 255, 32);
    libnet->ethernet(multicast_mac(all_nodes), interface_mac, 0x86dd);
    EXPECT_EQ(Octets(announced.bytes().begin(), announced.bytes().end()), libnet->frame());
}

TEST(Libnet, ItsTaggedFramesAreRead) {
    // We send no tag ourselves: VLAN devices of the kernel do.
    const Case c(VrrpVersion::v2, {ipv4(10, 20, 30, 100)});
    libnet->vrrp(c.spec, 0);
    libnet->ip(c.spec.source, c.spec.destination, vrrp_protocol, 0xc0, 255, 20);
    libnet->tagged_ethernet(c.spec.destination_mac, c.spec.source_mac, 1234, 0x0800);
    const Octets frame = libnet->frame();
    const auto received = read_frame(frame);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->vlan_id, 1234);
    EXPECT_EQ(frame, test::frame().source_mac(c.spec.source_mac).vlan(1234).ip(c.spec.source, c.spec.destination)
                         .vrrp_v2(51, 150).address("10.20.30.100").build());
}

}  // namespace
}  // namespace vigil::packet

int main(int argument_count, char** arguments) {
    testing::InitGoogleTest(&argument_count, arguments);
    std::string reason;
    auto builder = vigil::test::LibnetBuilder::open(reason);
    if (!builder) {
        std::printf("skipped: %s\n", reason.c_str());
        return 77;
    }
    vigil::packet::libnet = &*builder;
    return RUN_ALL_TESTS();
}
