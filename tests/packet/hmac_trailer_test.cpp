// The trailer of auth_hmac against vectors that others computed: the two packets of the appendix of draft-cassen-vrrp-auth-hmac, which keepalived 2.4.3
// tests itself with, and three made with Python's hmac module.

#include "packet/hmac_trailer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "packet/frame.h"
#include "packet/frame_template.h"
#include "tests/packet/frame_builder.h"

namespace vigil::test {
namespace {

using namespace std::chrono_literals;
using packet::HmacKey;
using packet::HmacSequence;
using packet::HmacTrailer;
using packet::SignedMessage;

/// 32 octets, 0 to 31.
Octets counted_key(std::uint8_t first = 0, std::size_t size = 32) {
    Octets key(size);
    std::iota(key.begin(), key.end(), first);
    return key;
}

struct Vector {
    const char* name;
    Octets key;
    std::uint8_t key_id;
    std::uint64_t sequence;
    const char* source;
    const char* packet;   ///< message and trailer, in hexadecimal digits
};

const Vector vectors[] = {
    {"appendix, IPv4", counted_key(), 1, 0x6800000080000000, "198.51.100.10",
     "3133c80100644402 c0000264 0101000068000000 80000000 1b84bc4e8e43892dc6d98448f8ee2265"},
    {"appendix, IPv6", counted_key(), 1, 0x6800000080000000, "fe80::10",
     "3133c8010064a2e9 fe800000000000000000000000000100 0101000068000000 80000000 c8c56146ebfd66ee10ec4d8186461b78"},
    {"version 3, a key of 64 octets", counted_key(100, 64), 7, 0x691f0d4080000001, "10.0.0.1",
     "3107c8010064119f 0a000064 01070000691f0d40 80000001 4a0e0cba58cb4fabd98879080067d63b"},
    {"version 2, a key in text", {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
                                  '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'},
     255, 0x691f0d4000000000, "10.0.0.1",
     "2107640100017092 0a000064 0000000000000000 01ff0000691f0d40 00000000 f5f27547a119191ef30fd131d284d963"},
    {"IPv6, two addresses", counted_key(), 1, 0x691f0d4080000001, "fe80::1",
     "3107640200648145 fe800000000000000000000000000100 20010db8000000000000000000000100 01010000691f0d40 80000001 d4a8163ffbb0a83ba7a108977a910bc7"},
};

struct Parts {
    Octets message;
    Octets trailer;
};
Parts parts_of(const Vector& vector) {
    const Octets packet = from_hex(vector.packet);
    return {{packet.begin(), packet.end() - HmacTrailer::size}, {packet.end() - HmacTrailer::size, packet.end()}};
}

TEST(HmacTrailer, VectorsOfOthersAreValid) {
    for (const Vector& vector : vectors) {
        const Parts parts = parts_of(vector);
        EXPECT_TRUE(packet::is_hmac_valid({parts.message, address_of(vector.source)}, parts.trailer, HmacKey(vector.key))) << vector.name;
    }
}

TEST(HmacTrailer, MakesTheVectorsOfOthers) {
    for (const Vector& vector : vectors) {
        const Parts parts = parts_of(vector);
        const auto made = packet::make_hmac_trailer({parts.message, address_of(vector.source)}, vector.key_id, HmacSequence{vector.sequence}, HmacKey(vector.key));
        EXPECT_EQ(Octets(made.begin(), made.end()), parts.trailer) << vector.name;
    }
}

TEST(HmacTrailer, FieldsAreReadWhereTheyStand) {
    const HmacTrailer trailer = packet::read_hmac_trailer(from_hex("0207 0304 11223344 5566 7788 000102030405060708090a0b0c0d0e0f"));
    EXPECT_EQ(trailer.type, 2);
    EXPECT_EQ(trailer.key_id, 7);
    EXPECT_EQ(trailer.reserved, 0x0304);
    EXPECT_EQ(trailer.sequence, HmacSequence{0x1122334455667788});
    EXPECT_EQ(trailer.digest[15], 0x0f);
    EXPECT_FALSE(trailer.is_well_formed());
}

TEST(HmacTrailer, OnlyTypeOneWithReservedZeroIsWellFormed) {
    HmacTrailer trailer;
    EXPECT_TRUE(trailer.is_well_formed());
    trailer.reserved = 1;
    EXPECT_FALSE(trailer.is_well_formed());
    trailer = {.type = 0};
    EXPECT_FALSE(trailer.is_well_formed());
}

TEST(HmacTrailer, EveryChangedOctetButThoseOfTheChecksumIsNoticed) {
    for (const Vector& vector : vectors) {
        const Octets packet = from_hex(vector.packet);
        const HmacKey key(vector.key);
        for (std::size_t at = 0; at < packet.size(); ++at) {
            Octets changed = packet;
            changed[at] ^= 0x01;
            const std::span octets(changed);
            const bool is_valid = packet::is_hmac_valid({octets.first(octets.size() - HmacTrailer::size), address_of(vector.source)},
                                                        octets.last(HmacTrailer::size), key);
            EXPECT_EQ(is_valid, at == 6 || at == 7) << vector.name << ", octet " << at;
        }
    }
}

TEST(HmacTrailer, AnotherSenderFamilyOrKeyIsNoticed) {
    const Parts parts = parts_of(vectors[0]);
    const HmacKey key(vectors[0].key);
    EXPECT_TRUE(packet::is_hmac_valid({parts.message, address_of("198.51.100.10")}, parts.trailer, key));
    EXPECT_FALSE(packet::is_hmac_valid({parts.message, address_of("198.51.100.11")}, parts.trailer, key));
    EXPECT_FALSE(packet::is_hmac_valid({parts.message, address_of("c633:640a::")}, parts.trailer, key)) << "the same octets in the other family";
    EXPECT_FALSE(packet::is_hmac_valid({parts.message, address_of("198.51.100.10")}, parts.trailer, HmacKey(counted_key(1))));
}

TEST(HmacTrailer, WrongSizesAreInvalidAndNotRead) {
    const Parts parts = parts_of(vectors[0]);
    const HmacKey key(vectors[0].key);
    const std::span trailer(parts.trailer);
    EXPECT_FALSE(packet::is_hmac_valid({parts.message, address_of("198.51.100.10")}, trailer.first(27), key));
    EXPECT_FALSE(packet::is_hmac_valid({std::span(parts.message).first(7), address_of("198.51.100.10")}, trailer, key));
    EXPECT_FALSE(packet::is_hmac_valid({{}, address_of("198.51.100.10")}, {}, key));
}

TEST(HmacSequence, IsSecondsFractionAndCounter) {
    EXPECT_EQ(packet::sequence_at(1'763'642'688s), HmacSequence{0x691f'0d40'0000'0000});
    EXPECT_EQ(packet::sequence_at(1'763'642'688s + 500ms), HmacSequence{0x691f'0d40'8000'0000});
    EXPECT_EQ(packet::sequence_at(1'763'642'688s + 999'999'999ns), HmacSequence{0x691f'0d40'ffff'0000});
    EXPECT_EQ(packet::successor(HmacSequence{0x691f'0d40'0000'ffff}), HmacSequence{0x691f'0d40'0001'0000});
}

TEST(HmacSequence, OrderSurvivesTheWrap) {
    const HmacSequence last{0xffff'ffff'ffff'ffff};
    EXPECT_TRUE(packet::is_after(packet::successor(last), last));
    EXPECT_FALSE(packet::is_after(last, packet::successor(last)));
    EXPECT_FALSE(packet::is_after(last, last));
    EXPECT_EQ(packet::seconds_between(HmacSequence{0}, last), 1);
    EXPECT_EQ(packet::seconds_between(last, HmacSequence{0}), -1);
}

/// What goes out is read as an advertisement with this trailer behind it, and equals the frame that the tests' own builder makes.
void expect_signed_frame(const packet::AdvertisementSpec& spec, FrameBuilder expected, std::string_view key) {
    Octets buffer(packet::frame_size(spec));
    auto frame = packet::build_advertisement_frame(spec, buffer);
    ASSERT_TRUE(frame.has_value());
    ASSERT_TRUE(frame->needs_trailer());
    const Octets octets(key.begin(), key.end());
    for (const std::uint64_t sequence : {0x691f0d4000000000u, 0x691f0d4080000000u, 0x691f0d41ffff0003u}) {
        frame->set_trailer(packet::make_hmac_trailer(frame->signed_message(), 9, HmacSequence{sequence}, HmacKey(octets)));
        EXPECT_EQ(Octets(frame->bytes().begin(), frame->bytes().end()), expected.hmac(key, 9, sequence).build());
        const auto read = packet::read_frame(frame->bytes());
        ASSERT_TRUE(read.has_value()) << packet::to_string(read.error());
        EXPECT_EQ(read->advertisement.behind().size(), HmacTrailer::size);
        EXPECT_TRUE(packet::is_hmac_valid({read->advertisement.message(), read->source}, read->advertisement.behind(), HmacKey(octets)));
    }
}

constexpr std::string_view text_key = "a key that is a text of 37 characters";

TEST(FrameTemplateWithTrailer, IsWhatAnIndependentBuilderMakesOverIpv4) {
    const IpAddress address = address_of("10.0.0.100");
    packet::AdvertisementSpec spec{.version = VrrpVersion::v3, .vrid = Vrid{7}, .priority = Priority{200}, .source = address_of("10.0.0.1"),
                                   .destination = vrrp_group_ipv4, .source_mac = {{2, 0, 0, 0, 0, 1}}, .destination_mac = multicast_mac(vrrp_group_ipv4),
                                   .addresses = std::span(&address, 1), .has_hmac_trailer = true};
    expect_signed_frame(spec, frame().ipv4("10.0.0.1", "224.0.0.18").vrrp_v3(7, 200).address(address), text_key);
    spec.version = VrrpVersion::v2;
    expect_signed_frame(spec, frame().ipv4("10.0.0.1", "224.0.0.18").vrrp_v2(7, 200).address(address), text_key);
}

TEST(FrameTemplateWithTrailer, IsWhatAnIndependentBuilderMakesOverIpv6) {
    const IpAddress address = address_of("fe80::100");
    const packet::AdvertisementSpec spec{.version = VrrpVersion::v3, .vrid = Vrid{7}, .priority = Priority{200}, .source = address_of("fe80::1"),
                                         .destination = vrrp_group_ipv6, .source_mac = {{2, 0, 0, 0, 0, 1}}, .destination_mac = multicast_mac(vrrp_group_ipv6),
                                         .addresses = std::span(&address, 1), .has_hmac_trailer = true};
    expect_signed_frame(spec, frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address(address), text_key);
}

TEST(FrameTemplateWithTrailer, PatchesAreCoveredByTheNextSignature) {
    const IpAddress address = address_of("fe80::100");
    const packet::AdvertisementSpec spec{.version = VrrpVersion::v3, .vrid = Vrid{7}, .priority = Priority{200}, .source = address_of("fe80::1"),
                                         .destination = vrrp_group_ipv6, .source_mac = {}, .destination_mac = {}, .addresses = std::span(&address, 1),
                                         .has_hmac_trailer = true};
    Octets buffer(packet::frame_size(spec));
    auto made = packet::build_advertisement_frame(spec, buffer);
    ASSERT_TRUE(made.has_value());
    const HmacKey key(counted_key());
    made->set_trailer(packet::make_hmac_trailer(made->signed_message(), 1, HmacSequence{5}, key));
    made->set_priority(Priority::stop);
    made->set_source(address_of("fe80::2"));
    const auto stale = packet::read_frame(made->bytes());
    ASSERT_TRUE(stale.has_value()) << packet::to_string(stale.error());
    EXPECT_FALSE(packet::is_hmac_valid({stale->advertisement.message(), stale->source}, stale->advertisement.behind(), key));
    made->set_trailer(packet::make_hmac_trailer(made->signed_message(), 1, HmacSequence{6}, key));
    const auto fresh = packet::read_frame(made->bytes());
    ASSERT_TRUE(fresh.has_value()) << packet::to_string(fresh.error());
    EXPECT_EQ(fresh->source, address_of("fe80::2"));
    EXPECT_TRUE(packet::is_hmac_valid({fresh->advertisement.message(), fresh->source}, fresh->advertisement.behind(), key));
}

TEST(FrameTemplateWithTrailer, IsRefusedBesideLegacyAuthentication) {
    packet::AdvertisementSpec spec{.version = VrrpVersion::v2, .source = address_of("10.0.0.1"), .destination = vrrp_group_ipv4,
                                   .source_mac = {}, .destination_mac = {}, .addresses = {}, .auth_type = packet::AuthType::ah, .has_hmac_trailer = true};
    Octets buffer(256);
    EXPECT_EQ(packet::build_advertisement_frame(spec, buffer).error(), packet::BuildError::bad_authentication);
}

/// keepalived's kernel takes the checksum over the payload, over IPv4 keepalived takes it over the message.
TEST(ReadAdvertisement, OverIpv6TheChecksumMayCoverWhatIsBehindTheMessage) {
    const FrameBuilder signed_frame = frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100").hmac(text_key, 1, 1);
    EXPECT_TRUE(packet::read_frame(signed_frame.build()).has_value());
    EXPECT_EQ(packet::read_frame(FrameBuilder(signed_frame).bad_checksum().build()).error(), packet::ReceiveError::bad_checksum);
    EXPECT_TRUE(packet::read_frame(frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100").trailer({1, 2, 3, 4}).build()).has_value())
        << "nor is the older form refused";
    const auto octets = frame().ipv4("10.0.0.1", "224.0.0.18").vrrp_v3(7, 200).address("10.0.0.100").trailer({1, 2, 3}).pad_to(60).build();
    const auto read = packet::read_frame(octets);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(Octets(read->advertisement.behind().begin(), read->advertisement.behind().end()), (Octets{1, 2, 3})) << "and no padding";
}

}  // namespace
}  // namespace vigil::test
