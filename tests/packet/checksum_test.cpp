#include "packet/checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/packet/frame_builder.h"

namespace vigil::packet {
namespace {

using test::from_hex;
using test::Octets;

TEST(Rfc1071, SumsTheExampleOfSection3) {
    const Octets octets = from_hex("0001 f203 f4f5 f6f7");
    // 0001 + f203 + f4f5 + f6f7 = 2ddf0; ddf0 + 2 = ddf2; its complement is 220d.
    EXPECT_EQ(finish_checksum(add_words(PartialSum{}, octets)), 0x220d);
}

TEST(Rfc1071, AnOddLastOctetIsTheHighOneOfItsWord) {
    // 0102 + 0300 = 0402; complement fbfd.
    EXPECT_EQ(finish_checksum(add_words(PartialSum{}, from_hex("010203"))), 0xfbfd);
}

TEST(Rfc1071, NothingSumsToAllOnes) { EXPECT_EQ(finish_checksum(PartialSum{}), 0xffff); }

TEST(Rfc1071, AgreesWithTheDefinitionForEverySizeAndManyContents) {
    std::mt19937 random(1071);
    for (std::size_t size = 0; size < 200; ++size) {
        Octets octets(size);
        for (auto& octet : octets) octet = static_cast<std::uint8_t>(size % 3 == 0 ? 0xff : random());
        EXPECT_EQ(finish_checksum(add_words(PartialSum{}, octets)), test::reference_checksum(octets)) << size;
    }
}

TEST(Rfc1071, LosesNoCarryInALongMessage) {
    const Octets octets(65534, 0xff);
    EXPECT_EQ(finish_checksum(add_words(PartialSum{}, octets)), 0x0000);  // ffff + ffff + ... = ffff
}

TEST(Rfc1071, ACoveredChecksumFieldMakesTheSumAllOnes) {
    EXPECT_TRUE(is_checksum_valid(add_words(PartialSum{}, from_hex("0001 f203 f4f5 f6f7 220d"))));
    EXPECT_FALSE(is_checksum_valid(add_words(PartialSum{}, from_hex("0001 f203 f4f5 f6f7 220e"))));
}

TEST(Checksum, AllZerosAreNotValid) { EXPECT_FALSE(is_checksum_valid(add_words(PartialSum{}, Octets(8)))); }

TEST(Checksum, Ipv4PseudoHeaderIsAddressesProtocolAndLength) {
    // 0a00 + 0001 + e000 + 0012 + 0070 + 000c = ea8f; complement 1570.
    const auto sum = pseudo_header_sum(ipv4(10, 0, 0, 1), ipv4(224, 0, 0, 18), 112, 12);
    EXPECT_EQ(finish_checksum(sum), 0x1570);
}

TEST(Checksum, Ipv6PseudoHeaderIsAddressesLengthAndNextHeader) {
    // fe80 + 0001 + ff02 + 0012 + 0018 + 0070 = 1fe1d; fe1d + 1 = fe1e; complement 01e1.
    const auto sum = pseudo_header_sum(test::address_of("fe80::1"), vrrp_group_ipv6, 112, 24);
    EXPECT_EQ(finish_checksum(sum), 0x01e1);
}

TEST(Rfc1624, ReproducesTheExampleOfSection4) {
    // A header sum of dd2f in which 5555 becomes 3285: eqn. 3 gives 0000, where RFC 1141's eqn. 2 gave ffff.
    EXPECT_EQ(update_checksum(0xdd2f, 0x5555, 0x3285), 0x0000);
}

TEST(Rfc1624, UpdateEqualsRebuildForEveryOldAndManyNewWords) {
    std::mt19937 random(1624);
    Octets octets = from_hex("3107 6401 0064 0000 0a00 0064");
    for (unsigned old_word = 0; old_word <= 0xffff; old_word += 7) {
        store_u16(octets, 2, static_cast<std::uint16_t>(old_word));
        const std::uint16_t before = test::reference_checksum(octets);
        const auto new_word = static_cast<std::uint16_t>(random());
        store_u16(octets, 2, new_word);
        ASSERT_EQ(update_checksum(before, static_cast<std::uint16_t>(old_word), new_word), test::reference_checksum(octets));
    }
}

}  // namespace
}  // namespace vigil::packet
