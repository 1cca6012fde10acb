#include "packet/frame_template.h"

#include <gtest/gtest.h>

#include "packet/frame.h"
#include "tests/packet/frame_builder.h"
#include "tests/packet/keepalived_frames.h"

namespace vigil::packet {
namespace {

using test::address_of;
using test::frame;
using test::FrameBuilder;
using test::Octets;

constexpr AuthKey secret{'s', 'e', 'c', 'r', 'e', 't', 0, 0};

/// A template with the memory it needs.
struct Built {
    explicit Built(const AdvertisementSpec& spec) : memory(frame_size(spec)) {
        const auto built = build_advertisement_frame(spec, memory);
        if (built) frame = *built;
    }
    Octets octets() const { return {frame.bytes().begin(), frame.bytes().end()}; }

    Octets memory;
    FrameTemplate frame;
};

struct Spec : AdvertisementSpec {
    Spec(VrrpVersion of_version, std::vector<IpAddress> of_addresses) : list(std::move(of_addresses)) {
        version = of_version;
        vrid = Vrid{7};
        priority = Priority{200};
        source = ipv4(10, 0, 0, 1);
        destination = vrrp_group_ipv4;
        source_mac = {{0x02, 0, 0, 0, 0, 0x01}};
        destination_mac = multicast_mac(vrrp_group_ipv4);
        addresses = list;
    }
    Spec(const Spec& other) : AdvertisementSpec(other), list(other.list) { addresses = list; }
    Spec& operator=(const Spec&) = delete;

    std::vector<IpAddress> list;
};

Spec v2() { return {VrrpVersion::v2, {ipv4(10, 0, 0, 100)}}; }
Spec v3() { return {VrrpVersion::v3, {ipv4(10, 0, 0, 100)}}; }
Spec v2_ah() {
    Spec spec = v2();
    spec.auth_type = AuthType::ah;
    spec.auth_key = secret;
    return spec;
}
Spec v3_ipv6() {
    Spec spec(VrrpVersion::v3, {address_of("fe80::100"), address_of("2001:db8::100")});
    spec.source = address_of("fe80::1");
    spec.destination = vrrp_group_ipv6;
    spec.destination_mac = multicast_mac(vrrp_group_ipv6);
    return spec;
}

BuildError error_of(const AdvertisementSpec& spec, std::size_t buffer_size = 8192) {
    Octets memory(buffer_size);
    return build_advertisement_frame(spec, memory).error();
}

// Building: each against the frame laid out by hand or by the test builder.

TEST(BuildFrame, Version3OverIpv4ByHand) {
    // IP header: 45c0 + 0020 + 0000 + 4000 + ff70 + 0a00 + 0001 + e000 + 0012 = 26f63; 6f63 + 2 = 6f65; complement 909a.
    // Message: 3107 + c801 + 0064 + 0a00 + 0064 = 103d0; pseudo-header: 0a00 + 0001 + e000 + 0012 + 0070 + 000c = ea8f;
    // together 1ee5f; ee5f + 1 = ee60; complement 119f.
    const Built built(v3());
    EXPECT_EQ(built.octets(), test::from_hex("01005e000012 020000000001 0800"
                                             "45c0 0020 0000 4000 ff70 909a 0a000001 e0000012"
                                             "3107 c801 0064 119f 0a000064"));
}

TEST(BuildFrame, EqualsTheTestBuilder) {
    EXPECT_EQ(Built(v2()).octets(), frame().vrrp_v2(7, 200).address("10.0.0.100").build());
    EXPECT_EQ(Built(v3()).octets(), frame().vrrp_v3(7, 200).address("10.0.0.100").build());
    EXPECT_EQ(Built(v3_ipv6()).octets(),
              frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100").address("2001:db8::100").build());
}

TEST(BuildFrame, Version2WithPassword) {
    Spec spec = v2();
    spec.auth_type = AuthType::simple_password;
    spec.auth_key = secret;
    EXPECT_EQ(Built(spec).octets(), frame().vrrp_v2(7, 200).address("10.0.0.100").password("secret").build());
}

TEST(BuildFrame, Version2AlwaysHasAuthenticationData) {
    Spec spec(VrrpVersion::v2, {});
    EXPECT_EQ(Built(spec).octets().size(), 14u + 20 + 8 + 8);
}

TEST(BuildFrame, BothChecksumFormsOverIpv4) {
    for (const ChecksumForm form : {ChecksumForm::message_only, ChecksumForm::pseudo_header}) {
        Spec spec = v3();
        spec.checksum = form;
        EXPECT_EQ(Built(spec).octets(), frame().vrrp_v3(7, 200).address("10.0.0.100").checksum(form).build());
    }
}

TEST(BuildFrame, UnicastWithBothPseudoHeaders) {
    for (const ChecksumForm form : {ChecksumForm::group_pseudo_header, ChecksumForm::pseudo_header}) {
        Spec spec = v3();
        spec.destination = ipv4(10, 0, 0, 2);
        spec.destination_mac = {};
        spec.ttl = 64;
        spec.checksum = form;
        EXPECT_EQ(Built(spec).octets(), frame().ipv4("10.0.0.1", "10.0.0.2").destination_mac({}).ttl(64).vrrp_v3(7, 200)
                                            .address("10.0.0.100").checksum(form).build());
    }
}

TEST(BuildFrame, TheGroupFormMeansNothingInMulticast) {
    Spec spec = v3();
    spec.destination = ipv4(224, 0, 0, 99);  // a configured group: its own address belongs into the pseudo-header
    spec.checksum = ChecksumForm::group_pseudo_header;
    const Octets octets = Built(spec).octets();
    const auto received = read_frame(octets);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->advertisement.checksum_form(), ChecksumForm::pseudo_header);
}

TEST(BuildFrame, ChecksumFormMeansNothingOverIpv6) {
    Spec spec = v3_ipv6();
    spec.checksum = ChecksumForm::message_only;
    EXPECT_EQ(Built(spec).octets(), Built(v3_ipv6()).octets());
}

TEST(BuildFrame, IpBytesBeginBehindEthernet) {
    const Built built(v3());
    EXPECT_EQ(built.frame.ip_bytes().size(), built.octets().size() - 14);
    EXPECT_EQ(built.frame.ip_bytes()[0], 0x45);
}

TEST(BuildFrame, FillsFrameSizeExactly) {
    for (const Spec& spec : {v2(), v2_ah(), v3(), v3_ipv6()}) EXPECT_EQ(Built(spec).octets().size(), frame_size(spec));
    EXPECT_EQ(frame_size(v2()), 14u + 20 + 8 + 4 + 8);
    EXPECT_EQ(frame_size(v2_ah()), 14u + 20 + 24 + 8 + 4 + 8);
    EXPECT_EQ(frame_size(v3()), 14u + 20 + 8 + 4);
    EXPECT_EQ(frame_size(v3_ipv6()), 14u + 40 + 8 + 32);
}

TEST(BuildFrame, Takes255Addresses) {
    Spec spec(VrrpVersion::v3, std::vector<IpAddress>(255, ipv4(10, 0, 0, 100)));
    const Built built(spec);
    const Octets octets = built.octets();
    ASSERT_TRUE(read_frame(octets));
    EXPECT_EQ(read_frame(octets)->advertisement.address_count(), 255);
}

// Building: refused.

TEST(BuildFrame, RefusesATooSmallBuffer) {
    EXPECT_EQ(error_of(v3(), frame_size(v3()) - 1), BuildError::buffer_too_small);
    EXPECT_EQ(error_of(v3(), 0), BuildError::buffer_too_small);
}

TEST(Rfc9568_5_2_9, RefusesMixedFamilies) {
    Spec destination = v3();
    destination.destination = vrrp_group_ipv6;
    EXPECT_EQ(error_of(destination), BuildError::mixed_families);
    const Spec list(VrrpVersion::v3, {ipv4(10, 0, 0, 100), address_of("fe80::100")});
    EXPECT_EQ(error_of(list), BuildError::mixed_families);
}

TEST(BuildFrame, RefusesMoreThan255Addresses) {
    EXPECT_EQ(error_of(Spec(VrrpVersion::v3, std::vector<IpAddress>(256, ipv4(10, 0, 0, 100)))), BuildError::too_many_addresses);
}

TEST(Rfc9568_5_2_5, RefusesVersion3WithoutAddresses) { EXPECT_EQ(error_of(Spec(VrrpVersion::v3, {})), BuildError::no_addresses); }

TEST(BuildFrame, RefusesVersion2OverIpv6) {
    Spec spec = v3_ipv6();
    spec.version = VrrpVersion::v2;
    EXPECT_EQ(error_of(spec), BuildError::bad_version);
}

TEST(Rfc9568_5_2_7, RefusesAnIntervalThatTheVersionCannotExpress) {
    for (const auto interval : {0, 4096, 25500}) {
        Spec spec = v3();
        spec.interval = Centiseconds{static_cast<std::uint16_t>(interval)};
        EXPECT_EQ(error_of(spec), BuildError::bad_interval) << interval;
    }
    for (const auto interval : {0, 50, 150, 25600}) {
        Spec spec = v2();
        spec.interval = Centiseconds{static_cast<std::uint16_t>(interval)};
        EXPECT_EQ(error_of(spec), BuildError::bad_interval) << interval;
    }
}

TEST(BuildFrame, RefusesAuthenticationInVersion3AndOverIpv6) {
    Spec password = v3();
    password.auth_type = AuthType::simple_password;
    EXPECT_EQ(error_of(password), BuildError::bad_authentication);
    Spec ah = v3_ipv6();
    ah.version = VrrpVersion::v2;
    ah.auth_type = AuthType::ah;
    EXPECT_EQ(error_of(ah), BuildError::bad_authentication);
}

// Patching.

TEST(PatchFrame, EveryPriorityEqualsARebuild) {
    for (const Spec& base : {v2(), v3(), v3_ipv6()}) {
        Built built(base);
        for (int priority = 0; priority <= 255; ++priority) {
            Spec spec = base;
            spec.priority = Priority{static_cast<std::uint8_t>(priority)};
            built.frame.set_priority(spec.priority);
            ASSERT_EQ(built.octets(), Built(spec).octets()) << priority;
            ASSERT_EQ(built.frame.priority(), spec.priority);
        }
    }
}

TEST(PatchFrame, EveryVersion3IntervalEqualsARebuild) {
    for (const Spec& base : {v3(), v3_ipv6()}) {
        Built built(base);
        for (std::uint16_t interval = 1; interval <= 4095; ++interval) {
            Spec spec = base;
            spec.interval = Centiseconds{interval};
            built.frame.set_interval(spec.interval);
            ASSERT_EQ(built.octets(), Built(spec).octets()) << interval;
        }
    }
}

TEST(PatchFrame, EveryVersion2IntervalEqualsARebuildAndKeepsTheAuthType) {
    Spec base = v2();
    base.auth_type = AuthType::simple_password;
    base.auth_key = secret;
    Built built(base);
    for (int seconds = 1; seconds <= 255; ++seconds) {
        Spec spec = base;
        spec.interval = Centiseconds{static_cast<std::uint16_t>(seconds * 100)};
        built.frame.set_interval(spec.interval);
        ASSERT_EQ(built.octets(), Built(spec).octets()) << seconds;
    }
}

TEST(PatchFrame, PatchesOfBothKindsInAnyOrderEqualARebuild) {
    Built built(v3());
    std::uint32_t state = 9568;  // a small generator of our own: the same sequence everywhere
    for (int i = 0; i < 20000; ++i) {
        state = state * 1664525 + 1013904223;
        Spec spec = v3();
        spec.priority = Priority{static_cast<std::uint8_t>(state >> 24)};
        spec.interval = Centiseconds{static_cast<std::uint16_t>(1 + (state >> 8) % 4095)};
        if (state & 1) {
            built.frame.set_priority(spec.priority);
            built.frame.set_interval(spec.interval);
        } else {
            built.frame.set_interval(spec.interval);
            built.frame.set_priority(spec.priority);
        }
        ASSERT_EQ(built.octets(), Built(spec).octets()) << i;
    }
}

TEST(PatchFrame, ChecksumIsRightWhereTheTwoZerosOfOnesComplementMeet) {
    // 3107 + c401 + 0064 + 0a00 + 0093 = ffff: the checksum is 0000, never its other form ffff.
    Spec spec(VrrpVersion::v3, {ipv4(10, 0, 0, 0x93)});
    spec.checksum = ChecksumForm::message_only;
    spec.priority = Priority{0xc3};
    Built built(spec);
    built.frame.set_priority(Priority{0xc4});
    const Octets octets = built.octets();
    EXPECT_EQ(octets[40] << 8 | octets[41], 0x0000);
    EXPECT_TRUE(read_frame(octets));
    built.frame.set_priority(Priority{0xc3});
    EXPECT_EQ(built.octets(), Built(spec).octets());
}

// Sealing.

TEST(SealFrame, OnlyAhNeedsIt) {
    EXPECT_TRUE(Built(v2_ah()).frame.needs_seal());
    EXPECT_FALSE(Built(v2()).frame.needs_seal());
    EXPECT_FALSE(Built(v3_ipv6()).frame.needs_seal());
}

TEST(SealFrame, EqualsTheTestBuilder) {
    Built built(v2_ah());
    built.frame.seal(17, secret);
    EXPECT_EQ(built.octets(), frame().vrrp_v2(7, 200).address("10.0.0.100").ah("secret", 17).build());
}

TEST(SealFrame, EqualsKeepalivedButForIdentificationAndDontFragment) {
    Spec spec(VrrpVersion::v2, {ipv4(10, 20, 30, 100), ipv4(10, 20, 30, 101)});
    spec.vrid = Vrid{51};
    spec.priority = Priority{150};
    spec.source = ipv4(10, 20, 30, 1);
    spec.auth_type = AuthType::ah;
    Built built(spec);
    built.frame.seal(1, secret);
    Octets ours = built.octets();
    Octets theirs = test::keepalived_v2_ah(0);
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const bool may_differ = (i >= 18 && i < 22) || (i >= 24 && i < 26) || (i >= 46 && i < 58);  // ID, DF, sum, digest
        EXPECT_TRUE(may_differ || ours[i] == theirs[i]) << i;
    }
}

TEST(SealFrame, IsValidAgainAfterAPatchAndASeal) {
    Built built(v2_ah());
    for (std::uint32_t sequence = 1; sequence < 300; ++sequence) {
        built.frame.set_priority(Priority{static_cast<std::uint8_t>(sequence)});
        built.frame.seal(sequence, secret);
        const Octets octets = built.octets();
        const auto received = read_frame(octets);
        ASSERT_TRUE(received);
        EXPECT_EQ(received->ah->sequence_number, sequence);
        EXPECT_TRUE(is_ah_digest_valid(*received, secret));
    }
}

TEST(SealFrame, APatchWithoutASealIsNotValid) {
    Built built(v2_ah());
    built.frame.seal(1, secret);
    built.frame.set_priority(Priority{3});
    const Octets octets = built.octets();
    EXPECT_FALSE(is_ah_digest_valid(*read_frame(octets), secret));
}

}  // namespace
}  // namespace vigil::packet
