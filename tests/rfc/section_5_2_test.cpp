// RFC 9568 §5.2 and RFC 3768 §5.3: the fields of the VRRP message. Octets of the message: 0 version and type, 1 VRID, 2 priority, 3 count,
// 4-5 interval, 6-7 checksum, addresses.

#include "tests/rfc/rfc_harness.h"

namespace vigil::test {
namespace {

using packet::ReceiveError;

Octets message_of(const RouterSpec& router) {
    const Octets frame = first_advert(router);
    return slice(frame, router.family == Family::ipv4 ? ipv4_message : ipv6_message,
                 frame.size() - (router.family == Family::ipv4 ? ipv4_message : ipv6_message));
}

std::string refusal(const RouterSpec& router) {
    const auto engine = Engine::make(with({router}), at(0s));
    return engine ? "" : engine.error().text;
}

/// RFC 1071 §1 over the message with its checksum field: all ones when it is right.
Octets with_pseudo_header(const Octets& message, const IpAddress& source, const IpAddress& destination) {
    Octets octets = octets_of(source);
    for (const std::uint8_t octet : octets_of(destination)) octets.push_back(octet);
    if (source.family == Family::ipv4) {
        for (const std::size_t octet : {std::size_t{0}, std::size_t{112}, message.size() >> 8, message.size() & 0xff}) {
            octets.push_back(static_cast<std::uint8_t>(octet));
        }
    } else {  // RFC 8200 §8.1: length in 32 bits, three zeros, next header
        for (const std::size_t octet : {std::size_t{0}, std::size_t{0}, message.size() >> 8, message.size() & 0xff, std::size_t{0}, std::size_t{0},
                                        std::size_t{0}, std::size_t{112}}) {
            octets.push_back(static_cast<std::uint8_t>(octet));
        }
    }
    octets.insert(octets.end(), message.begin(), message.end());
    return octets;
}

TEST(Rfc9568_5_2_1, VersionIs3) { EXPECT_EQ(message_of(v3_router(7, Priority{100}))[0] >> 4, 3); }

TEST(Rfc9568_5_2_1, EveryOtherVersionIsRefused) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (std::uint8_t version = 0; version < 16; ++version) {
        if (version == 3) continue;
        EXPECT_FALSE(takes(harness, v3_frame(7, 200).version(version))) << int{version};
    }
    EXPECT_FALSE(takes(harness, v2_frame(7, 200)));
    EXPECT_EQ(harness.errors(ReceiveError::version_mismatch), 1u);
}

TEST(Rfc9568_5_2_2, Type1IsSentAndTaken) {
    EXPECT_EQ(message_of(v3_router(7, Priority{100}))[0] & 0x0f, 1);
    EXPECT_TRUE(takes(v3_router(7, Priority{100}), v3_frame(7, 200).type(1)));
}

TEST(Rfc9568_5_2_2, EveryOtherTypeIsRefused) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (std::uint8_t type = 0; type < 16; ++type) {
        if (type == 1) continue;
        EXPECT_FALSE(takes(harness, v3_frame(7, 200).type(type))) << int{type};
    }
    EXPECT_EQ(harness.errors(ReceiveError::bad_type), 15u);
}

TEST(Rfc9568_5_2_3, EveryVridIsSentAndTaken) {
    for (int vrid = 1; vrid <= 255; ++vrid) {
        const auto number = static_cast<std::uint8_t>(vrid);
        EXPECT_EQ(message_of(v3_router(number, Priority{100}))[1], number);
        EXPECT_TRUE(takes(v3_router(number, Priority{100}), v3_frame(number, 200)));
    }
}

TEST(Rfc9568_5_2_3, VridZeroIsRefused) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.vrid = Vrid{0};
    EXPECT_NE(refusal(spec), "");
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v3_frame(0, 200)));
    EXPECT_EQ(harness.errors(ReceiveError::zero_vrid), 1u);
}

TEST(Rfc9568_5_2_4, TheOwnerAdvertises255) { EXPECT_EQ(message_of(v3_router(7, Priority::owner))[2], 255); }

TEST(Rfc9568_5_2_4, ABackupAdvertisesItsPriority) {
    for (const std::uint8_t priority : {std::uint8_t{1}, std::uint8_t{100}, std::uint8_t{254}}) {
        EXPECT_EQ(message_of(v3_router(7, Priority{priority}))[2], priority);
    }
}

TEST(Rfc9568_5_2_4, PriorityZeroIsSentOnlyToStop) {
    Harness harness = taking_over(v3_router(7, Priority{100}));
    harness.run_until(at(20s));
    for (const auto& one : harness.log) {
        EXPECT_EQ(one.sent.priority(), Priority{100});
    }
    harness.sent();
    harness.command({.kind = Command::Kind::shutdown}, at(20s));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].priority(), Priority::stop);
}

TEST(Rfc9568_5_2_4, PriorityZeroCannotBeConfiguredOrTracked) {
    EXPECT_NE(refusal(v3_router(7, Priority::stop)), "");
    Harness harness = settled_active(v3_router(7, Priority{100}));
    harness.command({.kind = Command::Kind::set_priority, .value = 0, .router = RouterIndex{0}}, at(10s));
    harness.time(at(11s));
    EXPECT_EQ(harness.adverts().at(0).priority(), Priority{100});
}

TEST(Rfc9568_5_2_5, TheCountIsThatOfTheAddresses) {
    RouterSpec spec = v3_router(7, Priority{100});
    EXPECT_EQ(message_of(spec)[3], 1);
    spec.advertised.push_back(address_of("10.0.0.101"));
    EXPECT_EQ(message_of(spec)[3], 2);
}

TEST(Rfc9568_5_2_5, CountZeroIsRefused) {
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, frame().ipv4("10.0.0.2", "224.0.0.18").vrrp_v3(7, 200)));
    EXPECT_EQ(harness.errors(ReceiveError::no_addresses), 1u);
}

TEST(Rfc9568_5_2_5, ARouterWithoutAddressIsNotMade) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.advertised.clear();
    EXPECT_NE(refusal(spec), "");
}

TEST(Rfc9568_5_2_6, TheReservedBitsAreSentAsZero) {
    for (const std::uint16_t interval : {std::uint16_t{1}, std::uint16_t{100}, std::uint16_t{4095}}) {
        RouterSpec spec = v3_router(7, Priority::owner);
        spec.interval = Centiseconds{interval};
        Harness harness = started(spec);
        EXPECT_EQ(harness.adverts().at(0).bytes.at(ipv4_message + 4) & 0xf0, 0);
    }
}

TEST(Rfc9568_5_2_6, TheReservedBitsOfAnAdvertAreIgnored) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (int reserved = 0; reserved < 16; ++reserved) {
        EXPECT_TRUE(takes(harness, v3_frame(7, 200).message_octet(4, static_cast<std::uint8_t>(reserved << 4))));
        EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100}) << "no part of the interval";
    }
}

TEST(Rfc9568_5_2_7, TheIntervalIsTwelveBitsOfCentiseconds) {
    RouterSpec spec = v3_router(7, Priority::owner);
    spec.interval = Centiseconds{0x123};
    Harness harness = started(spec);
    const Octets frame = harness.adverts().at(0).bytes;
    EXPECT_EQ(slice(frame, ipv4_message + 4, 2), (Octets{0x01, 0x23}));
    Harness other = started(v3_router(7, Priority{100}));
    EXPECT_TRUE(takes(other, v3_frame(7, 200).interval(0xfff)));
    EXPECT_EQ(other.router().active_adver_interval, Centiseconds{4095});
}

TEST(Rfc9568_5_2_7, AnIntervalBeyondTwelveBitsIsNotMade) {
    RouterSpec spec = v3_router(7, Priority{100});
    for (const std::uint16_t interval : {std::uint16_t{0}, std::uint16_t{4096}, std::uint16_t{25500}}) {
        spec.interval = Centiseconds{interval};
        EXPECT_NE(refusal(spec), "") << interval;
    }
}

TEST(Rfc9568_5_2_8, TheSumOfWhatIsSentIsRight) {
    for (const packet::ChecksumForm form : {packet::ChecksumForm::message_only, packet::ChecksumForm::pseudo_header}) {
        RouterSpec spec = v3_router(7, Priority{100});
        spec.checksum = form;
        const Octets message = message_of(spec);
        const bool is_plain = form == packet::ChecksumForm::message_only;
        EXPECT_EQ(reference_checksum(is_plain ? message : with_pseudo_header(message, spec.primary_address, vrrp_group_ipv4)), 0);
    }
}

TEST(Rfc9568_5_2_8, AWrongSumIsRefused) {
    Harness harness = started(v3_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v3_frame(7, 200).bad_checksum()));
    EXPECT_FALSE(takes(harness, v3_frame(7, 200).checksum(packet::ChecksumForm::message_only).bad_checksum()));
    EXPECT_EQ(harness.errors(ReceiveError::bad_checksum), 2u);
}

TEST(Rfc9568_5_2_8, TheSumOverTheMessageAloneIsTakenOverIpv4) {
    EXPECT_TRUE(takes(v3_router(7, Priority{100}), v3_frame(7, 200).checksum(packet::ChecksumForm::message_only)));
    EXPECT_TRUE(takes(v3_router(7, Priority{100}), v3_frame(7, 200).checksum(packet::ChecksumForm::pseudo_header))) << "deliberately, RFC 5798";
}

TEST(Rfc9568_5_2_8, OverIpv6ThePseudoHeaderIsSummedWithNextHeader112) {
    const RouterSpec spec = ipv6_router(7, Priority{100});
    EXPECT_EQ(reference_checksum(with_pseudo_header(message_of(spec), spec.primary_address, vrrp_group_ipv6)), 0);
    EXPECT_TRUE(takes(spec, ipv6_frame(7, 200)));
}

TEST(Rfc9568_5_2_8, OverIpv6TheSumOfTheMessageAloneIsRefused) {
    Harness harness = started(ipv6_router(7, Priority{100}));
    Octets bytes = ipv6_frame(7, 200).build();
    Octets message = slice(bytes, ipv6_message, bytes.size() - ipv6_message);
    message[6] = message[7] = 0;
    const std::uint16_t checksum = reference_checksum(message);
    bytes[ipv6_message + 6] = static_cast<std::uint8_t>(checksum >> 8);
    bytes[ipv6_message + 7] = static_cast<std::uint8_t>(checksum);
    harness.receive(bytes, at(1s));
    EXPECT_EQ(harness.errors(ReceiveError::bad_checksum), 1u);
}

TEST(Rfc9568_5_2_9, TheLinkLocalAddressStandsFirst) {
    EXPECT_EQ(slice(message_of(ipv6_router(7, Priority{100})), 8, 16), octets_of(address_of("fe80::100")));
    RouterSpec strict = ipv6_router(7, Priority{100});
    set(strict, Flag::strict);
    EXPECT_TRUE(takes(strict, ipv6_frame(7, 200)));
}

TEST(Rfc9568_5_2_9, AGlobalAddressFirstIsRefusedWhereStrict) {
    RouterSpec strict = ipv6_router(7, Priority{100});
    set(strict, Flag::strict);
    Harness harness = started(strict);
    EXPECT_FALSE(takes(harness, frame().ipv6("fe80::2", "ff02::12").vrrp_v3(7, 200).address("2001:db8::100").address("fe80::100")));
    EXPECT_EQ(harness.errors(ReceiveError::not_link_local), 1u);
    std::swap(strict.advertised[0], strict.advertised[1]);
    EXPECT_NE(refusal(strict), "");
}

TEST(Rfc9568_5_2_9, TheAddressesAreOfTheFamilyOfTheIpHeader) {
    const Octets ipv4_octets = message_of(v3_router(7, Priority{100}));
    EXPECT_EQ(ipv4_octets.size(), 8u + 4u);
    EXPECT_EQ(slice(ipv4_octets, 8, 4), octets_of(address_of("10.0.0.100")));
    EXPECT_EQ(message_of(ipv6_router(7, Priority{100})).size(), 8u + 2 * 16u);
}

TEST(Rfc9568_5_2_9, MixedFamiliesAreNotMade) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.advertised.push_back(address_of("fe80::100"));
    EXPECT_NE(refusal(spec), "");
    spec = ipv6_router(7, Priority{100});
    spec.advertised.push_back(address_of("10.0.0.100"));
    EXPECT_NE(refusal(spec), "");
}

// RFC 3768 §5.3.

TEST(Rfc3768_5_3_1, VersionIs2) { EXPECT_EQ(message_of(v2_router(7, Priority{100}))[0], 0x21); }

TEST(Rfc3768_5_3_1, EveryOtherVersionIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    for (std::uint8_t version = 0; version < 16; ++version) {
        if (version == 2) continue;
        EXPECT_FALSE(takes(harness, v2_frame(7, 200).version(version))) << int{version};
    }
    EXPECT_FALSE(takes(harness, v3_frame(7, 200)));
    EXPECT_EQ(harness.errors(ReceiveError::version_mismatch), 2u) << "an advert that says 3 is a good one of version 3 with a tail of zeros";
}

TEST(Rfc3768_5_3_2, Type1IsTaken) { EXPECT_TRUE(takes(v2_router(7, Priority{100}), v2_frame(7, 200).type(1))); }

TEST(Rfc3768_5_3_2, EveryOtherTypeIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    for (std::uint8_t type = 0; type < 16; ++type) {
        if (type == 1) continue;
        EXPECT_FALSE(takes(harness, v2_frame(7, 200).type(type))) << int{type};
    }
    EXPECT_EQ(harness.errors(ReceiveError::bad_type), 15u);
}

TEST(Rfc3768_5_3_3, EveryVridIsSentAndTaken) {
    for (int vrid = 1; vrid <= 255; ++vrid) {
        const auto number = static_cast<std::uint8_t>(vrid);
        EXPECT_EQ(message_of(v2_router(number, Priority{100}))[1], number);
        EXPECT_TRUE(takes(v2_router(number, Priority{100}), v2_frame(number, 200)));
    }
}

TEST(Rfc3768_5_3_3, VridZeroIsRefused) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.vrid = Vrid{0};
    EXPECT_NE(refusal(spec), "");
    EXPECT_FALSE(takes(v2_router(7, Priority{100}), v2_frame(0, 200)));
}

TEST(Rfc3768_5_3_4, PrioritiesAreSentAsConfigured) {
    for (const std::uint8_t priority : {std::uint8_t{1}, std::uint8_t{254}, std::uint8_t{255}}) {
        EXPECT_EQ(message_of(v2_router(7, Priority{priority}))[2], priority);
    }
}

TEST(Rfc3768_5_3_4, PriorityZeroIsSentOnlyToStop) {
    EXPECT_NE(refusal(v2_router(7, Priority::stop)), "");
    Harness harness = settled_active(v2_router(7, Priority{100}));
    harness.time(at(11s));
    EXPECT_EQ(harness.adverts().at(0).priority(), Priority{100});
    harness.command({.kind = Command::Kind::shutdown}, at(11s));
    EXPECT_EQ(harness.adverts().at(0).priority(), Priority::stop);
}

TEST(Rfc3768_5_3_5, TheCountIsThatOfTheAddresses) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.advertised.push_back(address_of("10.0.0.101"));
    EXPECT_EQ(message_of(spec)[3], 2);
    EXPECT_EQ(message_of(spec).size(), 8u + 2 * 4u + 8u);
}

TEST(Rfc3768_5_3_5, ACountThatTheLengthDoesNotHoldIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v2_frame(7, 200).address_count(2)));
    EXPECT_EQ(harness.errors(ReceiveError::truncated), 1u);
}

TEST(Rfc3768_5_3_6, TheConfiguredAuthenticationTypeIsTaken) {
    EXPECT_TRUE(takes(v2_router(7, Priority{100}), v2_frame(7, 200).auth_type(0)));
    RouterSpec spec = v2_router(7, Priority{100});
    spec.auth_type = packet::AuthType::simple_password;
    spec.auth_key = {'s', 'e', 'c', 'r', 'e', 't'};
    EXPECT_TRUE(takes(spec, v2_frame(7, 200).password("secret")));
}

TEST(Rfc3768_5_3_6, AnUnknownAuthenticationTypeIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    for (int type = 3; type <= 255; ++type) EXPECT_FALSE(takes(harness, v2_frame(7, 200).auth_type(static_cast<std::uint8_t>(type)))) << type;
    EXPECT_EQ(harness.errors(ReceiveError::unknown_auth_type), 253u);
}

TEST(Rfc3768_5_3_6, AnotherAuthenticationTypeThanConfiguredIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v2_frame(7, 200).password("secret")));
    EXPECT_EQ(harness.errors(ReceiveError::auth_type_mismatch), 1u);
}

TEST(Rfc3768_5_3_7, TheIntervalIsOneOctetOfSeconds) {
    RouterSpec spec = v2_router(7, Priority::owner);
    spec.interval = Centiseconds{25500};
    Harness harness = started(spec);
    EXPECT_EQ(harness.adverts().at(0).bytes.at(ipv4_message + 5), 255);
    EXPECT_EQ(message_of(v2_router(7, Priority{100}))[5], 1);
}

TEST(Rfc3768_5_3_7, AnIntervalThatIsNoWholeSecondIsNotMade) {
    RouterSpec spec = v2_router(7, Priority{100});
    for (const std::uint16_t interval : {std::uint16_t{50}, std::uint16_t{150}, std::uint16_t{25600}}) {
        spec.interval = Centiseconds{interval};
        EXPECT_NE(refusal(spec), "") << interval;
    }
}

TEST(Rfc3768_5_3_8, TheSumCoversTheWholeMessageWithoutPseudoHeader) {
    EXPECT_EQ(reference_checksum(message_of(v2_router(7, Priority{100}))), 0);
    EXPECT_TRUE(takes(v2_router(7, Priority{100}), v2_frame(7, 200)));
}

TEST(Rfc3768_5_3_8, AnyOtherSumIsRefused) {
    Harness harness = started(v2_router(7, Priority{100}));
    EXPECT_FALSE(takes(harness, v2_frame(7, 200).bad_checksum()));
    // The right sum for octets that are not those at the end, the authentication data.
    Octets frame = v2_frame(7, 200).build();
    frame.back() ^= 0x01;
    harness.receive(frame, at(1s));
    EXPECT_EQ(harness.errors(ReceiveError::bad_checksum), 2u);
}

TEST(Rfc3768_5_3_9, TheAddressesOfTheVirtualRouterAreListed) {
    EXPECT_EQ(slice(message_of(v2_router(7, Priority{100})), 8, 4), octets_of(address_of("10.0.0.100")));
}

TEST(Rfc3768_5_3_9, ExcludedAddressesAreNotListed) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.announced.push_back({address_of("10.0.0.200"), LinkIndex{0}, virtual_mac(Family::ipv4, Vrid{7})});
    EXPECT_EQ(message_of(spec)[3], 1);
}

TEST(Rfc3768_5_3_10, AuthenticationDataWithoutAuthenticationIsZeroAndIgnored) {
    const Octets message = message_of(v2_router(7, Priority{100}));
    EXPECT_EQ(slice(message, message.size() - 8, 8), Octets(8, 0));
    EXPECT_TRUE(takes(v2_router(7, Priority{100}), v2_frame(7, 200).password("anything").auth_type(0)));
}

}  // namespace
}  // namespace vigil::test
