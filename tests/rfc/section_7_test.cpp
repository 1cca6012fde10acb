// RFC 9568 §7 and §8 and RFC 3768 §7 and §8: receiving, transmitting, the virtual MAC, and ARP and ND at start.

#include "tests/rfc/rfc_harness.h"

namespace vigil::test {
namespace {

using packet::ReceiveError;

TEST(Rfc9568_7_1, AnAdvertThatPassesEveryCheckIsTaken) {
    EXPECT_TRUE(takes(v3_router(7, Priority{100}), v3_frame(7, 200)));
    EXPECT_TRUE(takes(ipv6_router(7, Priority{100}), ipv6_frame(7, 200)));
}

TEST(Rfc9568_7_1, AnIncompleteAdvertIsRefused) {
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v3_frame(7, 200).address_count(2)));
    EXPECT_FALSE(takes(harness, v3_frame(7, 200).address_count(255)));
    EXPECT_EQ(harness.errors(ReceiveError::truncated), 2u);
}

TEST(Rfc9568_7_1, AVridThatIsNotConfiguredOnTheInterfaceIsRefused) {
    EngineSpec spec = with({v3_router(7, Priority{100})});
    spec.links.push_back({.name = "lan1", .mac = lan_mac, .is_up = true});
    Harness harness(spec);
    harness.start(at(0s));
    EXPECT_FALSE(takes(harness, v3_frame(8, 200)));
    harness.receive(v3_frame(7, 200), at(1s), LinkIndex{1});
    EXPECT_EQ(harness.errors(ReceiveError::unknown_vrid), 2u);
    EXPECT_EQ(harness.counters().adverts_received, 0u);
}

TEST(Rfc9568_7_1, WhateverFailsIsDroppedInEveryState) {
    const std::vector<FrameBuilder> bad{v3_frame(7, 200).ttl(1),          v3_frame(7, 200).version(4),  v3_frame(7, 200).type(2),
                                        v3_frame(7, 200).address_count(9), v3_frame(7, 200).bad_checksum(), v3_frame(8, 200),
                                        v3_frame(7, 200).interval(0),      v3_frame(7, 200).address_count(0)};
    for (Harness harness : {started(v3_router(7, Priority{100})), settled_active(v3_router(7, Priority{100}))}) {
        for (const FrameBuilder& frame : bad) EXPECT_FALSE(takes(harness, frame, at(10s) + 1ms));
    }
}

TEST(Rfc9568_7_1, IntervalZeroIsRefused) {  // erratum 8301
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v3_frame(7, 200).interval(0)));
    EXPECT_EQ(harness.errors(ReceiveError::zero_interval), 1u);
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100});
}

TEST(Rfc9568_7_1, AnotherIntervalIsToldButTaken) {
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_TRUE(takes(harness, v3_frame(7, 200).interval(200)));
    EXPECT_EQ(count(harness.events(), Event::Kind::interval_learned), 1u);
}

TEST(Rfc9568_7_1, AnotherAddressListIsToldButTaken) {
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_TRUE(takes(harness, v3_frame(7, 200).address("10.0.0.101")));
    EXPECT_EQ(count(harness.events(), Event::Kind::address_list_differs), 1u);
}

TEST(Rfc9568_7_1, AFailedCheckIsToldAtMostOncePerSecond) {
    RouterSpec spec = ipv6_router(7, Priority{100});
    set(spec, Flag::strict);
    Harness harness = started(spec);
    const auto bad = frame().ipv6("fe80::2", "ff02::12").vrrp_v3(7, 200).address("2001:db8::100");
    for (int i = 0; i < 100; ++i) harness.receive(bad, at(1s + i * 5ms));
    EXPECT_EQ(count(harness.events(), Event::Kind::rejected), 1u);
    harness.receive(bad, at(2s));
    EXPECT_EQ(count(harness.events(), Event::Kind::rejected), 1u);
}

TEST(Rfc9568_7_1, AnOwnerThatHearsAdvertsTellsItAndTakesThem) {  // erratum 8298
    Harness harness = started(v3_router(7, Priority::owner));
    harness.sent();
    EXPECT_TRUE(takes(harness, v3_frame(7, 100)));
    EXPECT_EQ(count(harness.events(), Event::Kind::owner_conflict), 1u);
}

TEST(Rfc9568_7_2, TheAdvertTellsTheStateOfItsRouter) {
    RouterSpec spec = v3_router(42, Priority{123});
    spec.interval = Centiseconds{50};
    spec.advertised.push_back(address_of("10.0.0.101"));
    const Octets bytes = first_advert(spec);
    const auto read = packet::read_frame(bytes);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->advertisement.vrid(), Vrid{42});
    EXPECT_EQ(read->advertisement.priority(), Priority{123});
    EXPECT_EQ(read->advertisement.max_advertise_interval(), Centiseconds{50});
    EXPECT_EQ(read->advertisement.address_count(), 2);
    EXPECT_EQ(read->advertisement.address(1), address_of("10.0.0.101"));
}

TEST(Rfc9568_7_2, AfterAChangeTheAdvertDoesNotTellTheOldState) {
    Harness harness = settled_active(v3_router(7, Priority{100}));
    harness.command({.kind = Command::Kind::set_priority, .value = 77, .router = RouterIndex{0}}, at(10s));
    harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address_of("10.0.0.9").octets}, at(10s));
    harness.time(at(11s));
    const Octets bytes = harness.adverts().at(0).bytes;
    const auto read = packet::read_frame(bytes);
    ASSERT_TRUE(read.has_value()) << "its checksum was computed anew";
    EXPECT_EQ(read->advertisement.priority(), Priority{77});
    EXPECT_EQ(read->source, address_of("10.0.0.9"));
}

TEST(Rfc9568_7_2, TheSourceMacIsTheVirtualMac) {
    EXPECT_EQ(mac_at(first_advert(v3_router(7, Priority{100})), 6), virtual_mac(Family::ipv4, Vrid{7}));
    EXPECT_EQ(mac_at(first_advert(ipv6_router(7, Priority{100})), 6), virtual_mac(Family::ipv6, Vrid{7}));
}

TEST(Rfc9568_7_2, ANewInterfaceMacDoesNotReplaceTheVirtualMac) {
    Harness harness = started(v3_router(7, Priority{100}));
    AddressOctets mac{0x02, 0, 0, 0, 0, 0x0b};
    harness.command({.kind = Command::Kind::set_link_mac, .link = LinkIndex{0}, .address = mac}, at(1s));
    harness.time(at(4s));
    EXPECT_EQ(mac_at(harness.adverts().at(0).bytes, 6), virtual_mac(Family::ipv4, Vrid{7}));
}

TEST(Rfc9568_7_3, VirtualMacsOfEveryVrid) {
    for (int vrid = 1; vrid <= 255; ++vrid) {
        const auto number = static_cast<std::uint8_t>(vrid);
        EXPECT_EQ(virtual_mac(Family::ipv4, Vrid{number}), (MacAddress{{0x00, 0x00, 0x5e, 0x00, 0x01, number}}));
        EXPECT_EQ(virtual_mac(Family::ipv6, Vrid{number}), (MacAddress{{0x00, 0x00, 0x5e, 0x00, 0x02, number}}));
    }
}

TEST(Rfc9568_7_3, TheTwoFamiliesNeverShareAVirtualMac) {
    for (int vrid = 1; vrid <= 255; ++vrid) {
        const Vrid number{static_cast<std::uint8_t>(vrid)};
        EXPECT_NE(virtual_mac(Family::ipv4, number), virtual_mac(Family::ipv6, number));
    }
}

TEST(Rfc9568_8_1_2, AnnouncementsCarryTheVirtualMacOnceTheAddressesAreThere) {
    const auto announced = announcements_of(v3_router(7, Priority{100}));
    ASSERT_EQ(announced.size(), 5u);
    for (const Octets& frame : announced) EXPECT_EQ(mac_at(frame, ethernet_size + 8), virtual_mac(Family::ipv4, Vrid{7}));
}

TEST(Rfc9568_8_1_2, NoGratuitousArpBeforeTheAddressesAreThere) {
    Harness harness = settled_active(v3_router(7, Priority{100}));
    harness.run_until(at(60s));
    for (const auto& one : harness.log) EXPECT_TRUE(one.sent.is_advertisement());
    EXPECT_EQ(harness.engine.counters().announcements, 0u);
}

TEST(Rfc9568_8_2_2, NoNeighbourAdvertisementBeforeTheAddressesAreThere) {
    Harness harness = settled_active(ipv6_router(7, Priority{100}));
    harness.run_until(at(60s));
    for (const auto& one : harness.log) EXPECT_TRUE(one.sent.is_advertisement());
    EXPECT_EQ(harness.engine.counters().announcements, 0u);
}

TEST(Rfc9568_8_2_2, NeighbourAdvertisementsCarryTheVirtualMacOnceTheAddressesAreThere) {
    const auto announced = announcements_of(ipv6_router(7, Priority{100}));
    ASSERT_EQ(announced.size(), 10u);
    for (const Octets& frame : announced) EXPECT_EQ(mac_at(frame, ipv6_message + 26), virtual_mac(Family::ipv6, Vrid{7}));
}

TEST(Rfc9568_9, Version3HasNoAuthentication) {
    EXPECT_EQ(first_advert(v3_router(7, Priority{100})).size(), ipv4_message + 8 + 4);
    EXPECT_TRUE(takes(v3_router(7, Priority{100}), v3_frame(7, 200)));
}

TEST(Rfc9568_9, AuthenticationInVersion3IsNotMadeAndNotTaken) {
    for (const packet::AuthType type : {packet::AuthType::simple_password, packet::AuthType::ah}) {
        RouterSpec spec = v3_router(7, Priority{100});
        spec.auth_type = type;
        EXPECT_FALSE(Engine::make(with({spec}), at(0s)).has_value());
    }
}

// RFC 3768 §7 and §8.

TEST(Rfc3768_7_1, AnAdvertThatPassesEveryCheckIsTaken) { EXPECT_TRUE(takes(v2_router(7, Priority{100}), v2_frame(7, 200))); }

TEST(Rfc3768_7_1, AnAdvertWithoutItsAuthenticationDataIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    Octets frame = v2_frame(7, 200).build();
    EXPECT_FALSE(takes(harness, v2_frame(7, 200).address_count(3)));
    EXPECT_EQ(harness.errors(ReceiveError::truncated), 1u);
    frame.resize(frame.size() - 8);
    harness.receive(frame, at(1s));
    EXPECT_EQ(harness.counters().adverts_received, 0u);
}

TEST(Rfc3768_7_1, AVridThatIsNotConfiguredIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v2_frame(8, 200)));
    EXPECT_EQ(harness.errors(ReceiveError::unknown_vrid), 1u);
}

TEST(Rfc3768_7_1, WithOwnerIgnoreAdvertsTheOwnerDropsThem) {
    RouterSpec spec = v2_router(7, Priority::owner);
    set(spec, Flag::owner_ignores_adverts);
    Harness harness = started(spec);
    harness.sent();
    EXPECT_FALSE(takes(harness, v2_frame(7, 255)));
    EXPECT_EQ(harness.errors(ReceiveError::owner_ignores), 1u);
}

TEST(Rfc3768_7_1, TheConfiguredPasswordIsCarriedOut) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.auth_type = packet::AuthType::simple_password;
    spec.auth_key = {'s', 'e', 'c', 'r', 'e', 't'};
    EXPECT_TRUE(takes(spec, v2_frame(7, 200).password("secret")));
}

TEST(Rfc3768_7_1, AWrongPasswordIsRefused) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.auth_type = packet::AuthType::simple_password;
    spec.auth_key = {'s', 'e', 'c', 'r', 'e', 't'};
    Harness harness = started(spec);
    EXPECT_FALSE(takes(harness, v2_frame(7, 200).password("public")));
    EXPECT_EQ(harness.errors(ReceiveError::auth_failed), 1u);
}

TEST(Rfc3768_7_1, WhateverFailsIsDroppedInEveryState) {
    const std::vector<FrameBuilder> bad{v2_frame(7, 200).ttl(1),           v2_frame(7, 200).version(1),    v2_frame(7, 200).type(2),
                                        v2_frame(7, 200).address_count(9), v2_frame(7, 200).bad_checksum(), v2_frame(8, 200),
                                        v2_frame(7, 200).interval(2),      v2_frame(7, 200).password("x"),  v2_frame(7, 200).interval(0)};
    for (Harness harness : {started(v2_router(7, Priority{100})), settled_active(v2_router(7, Priority{100}))}) {
        for (const FrameBuilder& frame : bad) EXPECT_FALSE(takes(harness, frame, at(10s) + 1ms));
    }
}

TEST(Rfc3768_7_1, TheSameIntervalIsTaken) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.interval = Centiseconds{300};
    EXPECT_TRUE(takes(spec, v2_frame(7, 200).interval(3)));
}

TEST(Rfc3768_7_1, AnotherIntervalIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    for (const std::uint16_t interval : {std::uint16_t{2}, std::uint16_t{255}}) EXPECT_FALSE(takes(harness, v2_frame(7, 200).interval(interval)));
    EXPECT_EQ(harness.errors(ReceiveError::interval_mismatch), 2u);
}

TEST(Rfc3768_7_2, TheAdvertTellsTheStateOfItsRouter) {
    RouterSpec spec = v2_router(42, Priority{123});
    spec.interval = Centiseconds{200};
    const Octets bytes = first_advert(spec);
    const auto read = packet::read_frame(bytes);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->advertisement.vrid(), Vrid{42});
    EXPECT_EQ(read->advertisement.priority(), Priority{123});
    EXPECT_EQ(read->advertisement.max_advertise_interval(), Centiseconds{200});
    EXPECT_EQ(read->source_mac, virtual_mac(Family::ipv4, Vrid{42}));
}

TEST(Rfc3768_7_2, AfterAChangeTheAdvertDoesNotTellTheOldState) {
    Harness harness = settled_active(v2_router(7, Priority{100}));
    harness.command({.kind = Command::Kind::set_priority, .value = 77, .router = RouterIndex{0}}, at(10s));
    harness.time(at(11s));
    EXPECT_EQ(harness.adverts().at(0).priority(), Priority{77}) << "and its checksum was computed anew";
}

}  // namespace
}  // namespace vigil::test
