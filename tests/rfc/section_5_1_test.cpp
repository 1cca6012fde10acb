// RFC 9568 §5.1 and RFC 3768 §5.2: the IP header of an advertisement. Offsets are those of RFC 791 §3.1 and RFC 8200 §3.

#include "tests/rfc/rfc_harness.h"

namespace vigil::test {
namespace {

using packet::ReceiveError;

TEST(Rfc9568_5_1_1_1, SourceIsThePrimaryAddress) {
    const Octets frame = first_advert(v3_router(7, Priority{100}));
    EXPECT_EQ(slice(frame, ethernet_size + 12, 4), octets_of(address_of("10.0.0.1")));
}

TEST(Rfc9568_5_1_1_1, WithoutPrimaryAddressNothingIsSent) {
    RouterSpec spec = v3_router(7, Priority::owner);
    spec.primary_address = {};
    Harness harness = started(spec);
    harness.run_until(at(60s));
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_TRUE(harness.log.empty());
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_5_1_1_2, DestinationIsTheGroup) {
    const Octets frame = first_advert(v3_router(7, Priority{100}));
    EXPECT_EQ(slice(frame, ethernet_size + 16, 4), (Octets{224, 0, 0, 18}));
    EXPECT_EQ(slice(frame, 0, 6), (Octets{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}));
}

TEST(Rfc9568_5_1_1_2, AnAdvertToAHostIsNotForAMulticastRouter) {
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, unicast_frame(7, 200)));
    EXPECT_EQ(harness.errors(ReceiveError::wrong_destination), 1u);
}

TEST(Rfc9568_5_1_1_3, TtlIs255) { EXPECT_EQ(first_advert(v3_router(7, Priority{100})).at(ethernet_size + 8), 255); }

TEST(Rfc9568_5_1_1_3, AConfiguredTtlDoesNotReachMulticast) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.ttl = 64;
    EXPECT_EQ(first_advert(spec).at(ethernet_size + 8), 255);
}

TEST(Rfc9568_5_1_1_3, Ttl255IsTaken) { EXPECT_TRUE(takes(v3_router(7, Priority{100}), v3_frame(7, 200).ttl(255))); }

TEST(Rfc9568_5_1_1_3, EveryOtherTtlIsRefused) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (int ttl = 0; ttl < 255; ++ttl) EXPECT_FALSE(takes(harness, v3_frame(7, 200).ttl(static_cast<std::uint8_t>(ttl)))) << ttl;
    EXPECT_EQ(harness.errors(ReceiveError::bad_ttl), 255u);
}

TEST(Rfc9568_5_1_1_4, ProtocolIs112) { EXPECT_EQ(first_advert(v3_router(7, Priority{100})).at(ethernet_size + 9), 112); }

TEST(Rfc9568_5_1_1_4, AnotherProtocolIsRefused) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (const std::uint8_t protocol : {std::uint8_t{17}, std::uint8_t{111}, std::uint8_t{113}}) {
        EXPECT_FALSE(takes(harness, v3_frame(7, 200).ip_protocol(protocol)));
    }
    EXPECT_EQ(harness.errors(ReceiveError::not_vrrp), 3u);
}

TEST(Rfc9568_5_1_2_1, SourceIsTheLinkLocalAddress) {
    const Octets frame = first_advert(ipv6_router(7, Priority{100}));
    EXPECT_EQ(slice(frame, ethernet_size + 8, 16), octets_of(address_of("fe80::1")));
}

TEST(Rfc9568_5_1_2_1, FromAGlobalAddressNothingIsSent) {
    RouterSpec spec = ipv6_router(7, Priority::owner);
    spec.primary_address = address_of("2001:db8::1");
    Harness harness = started(spec);
    harness.run_until(at(60s));
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_5_1_2_2, DestinationIsTheGroup) {
    const Octets frame = first_advert(ipv6_router(7, Priority{100}));
    EXPECT_EQ(slice(frame, ethernet_size + 24, 16), octets_of(address_of("ff02::12")));
    EXPECT_EQ(slice(frame, 0, 6), (Octets{0x33, 0x33, 0x00, 0x00, 0x00, 0x12}));
}

TEST(Rfc9568_5_1_2_2, AnAdvertToAHostIsNotForAMulticastRouter) {
    Harness harness = started(ipv6_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, frame().ipv6("fe80::2", "fe80::1").vrrp_v3(7, 200).address("fe80::100").address("2001:db8::100")));
    EXPECT_EQ(harness.errors(ReceiveError::wrong_destination), 1u);
}

TEST(Rfc9568_5_1_2_3, HopLimitIs255) { EXPECT_EQ(first_advert(ipv6_router(7, Priority{100})).at(ethernet_size + 7), 255); }

TEST(Rfc9568_5_1_2_3, AConfiguredHopLimitDoesNotReachMulticast) {
    RouterSpec spec = ipv6_router(7, Priority{100});
    spec.ttl = 64;
    EXPECT_EQ(first_advert(spec).at(ethernet_size + 7), 255);
}

TEST(Rfc9568_5_1_2_3, HopLimit255IsTaken) { EXPECT_TRUE(takes(ipv6_router(7, Priority{100}), ipv6_frame(7, 200).ttl(255))); }

TEST(Rfc9568_5_1_2_3, EveryOtherHopLimitIsRefused) {
    Harness harness = started(ipv6_router(7, Priority{100}));
    for (int limit = 0; limit < 255; ++limit) EXPECT_FALSE(takes(harness, ipv6_frame(7, 200).ttl(static_cast<std::uint8_t>(limit)))) << limit;
    EXPECT_EQ(harness.errors(ReceiveError::bad_ttl), 255u);
}

TEST(Rfc9568_5_1_2_4, NextHeaderIs112) { EXPECT_EQ(first_advert(ipv6_router(7, Priority{100})).at(ethernet_size + 6), 112); }

TEST(Rfc9568_5_1_2_4, AnotherNextHeaderIsRefused) {
    Harness harness = started(ipv6_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, ipv6_frame(7, 200).ip_protocol(0)));   // hop-by-hop options in front
    EXPECT_FALSE(takes(harness, ipv6_frame(7, 200).ip_protocol(51)));  // AH does not exist there
    EXPECT_EQ(harness.errors(ReceiveError::not_vrrp), 2u);
}

// RFC 3768 §5.2 says the same for version 2.

TEST(Rfc3768_5_2, TheIpHeaderOfVersion2) {
    const Octets frame = first_advert(v2_router(7, Priority{100}));
    EXPECT_EQ(slice(frame, ethernet_size + 12, 4), octets_of(address_of("10.0.0.1")));
    EXPECT_EQ(slice(frame, ethernet_size + 16, 4), (Octets{224, 0, 0, 18}));
    EXPECT_EQ(frame.at(ethernet_size + 8), 255);
    EXPECT_EQ(frame.at(ethernet_size + 9), 112);
}

TEST(Rfc3768_5_2_1, WithoutPrimaryAddressNothingIsSent) {
    RouterSpec spec = v2_router(7, Priority::owner);
    spec.primary_address = {};
    Harness harness = started(spec);
    harness.run_until(at(60s));
    EXPECT_TRUE(harness.log.empty());
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc3768_5_2_3, AConfiguredTtlDoesNotReachMulticast) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.ttl = 1;
    EXPECT_EQ(first_advert(spec).at(ethernet_size + 8), 255);
}

TEST(Rfc3768_5_2_3, Ttl255IsTaken) { EXPECT_TRUE(takes(v2_router(7, Priority{100}), v2_frame(7, 200).ttl(255))); }

TEST(Rfc3768_5_2_3, EveryOtherTtlIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    for (int ttl = 0; ttl < 255; ++ttl) EXPECT_FALSE(takes(harness, v2_frame(7, 200).ttl(static_cast<std::uint8_t>(ttl)))) << ttl;
    EXPECT_EQ(harness.errors(ReceiveError::bad_ttl), 255u);
}

TEST(Rfc3768_5_2_4, AnotherProtocolIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v2_frame(7, 200).ip_protocol(113)));
    EXPECT_EQ(harness.errors(ReceiveError::not_vrrp), 1u);
}

}  // namespace
}  // namespace vigil::test
