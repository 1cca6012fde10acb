#include "packet/authentication.h"

#include <gtest/gtest.h>

#include "tests/packet/frame_builder.h"
#include "tests/packet/keepalived_frames.h"

namespace vigil::packet {
namespace {

using test::frame;
using test::Octets;

constexpr AuthKey secret{'s', 'e', 'c', 'r', 'e', 't', 0, 0};
constexpr AuthKey other{'s', 'e', 'c', 'r', 'e', 'd', 0, 0};

bool is_valid(const Octets& octets, const AuthKey& key) {
    const auto received = read_frame(octets);
    return received && is_ah_digest_valid(*received, key);
}

// Password.

TEST(Password, IsComparedWithItsPadding) {
    EXPECT_TRUE(is_password_equal(secret, secret));
    EXPECT_FALSE(is_password_equal(other, secret));
    EXPECT_FALSE(is_password_equal(AuthKey{'s', 'e', 'c', 'r', 'e', 't', 0, 1}, secret));
}

TEST(Password, OfAnotherSizeIsNotEqual) {
    EXPECT_FALSE(is_password_equal(std::span(secret).first(7), secret));
    EXPECT_FALSE(is_password_equal({}, AuthKey{}));
}

TEST(Password, OfKeepalivedIsZeroPadded) {
    const Octets octets = test::keepalived_v2_password();
    EXPECT_TRUE(is_password_equal(read_frame(octets)->advertisement.auth_data(), secret));
}

// AH.

TEST(Ah, DigestsOfKeepalivedAreReproduced) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(is_valid(test::keepalived_v2_ah(i), secret)) << i;
        EXPECT_FALSE(is_valid(test::keepalived_v2_ah(i), other)) << i;
    }
}

TEST(Ah, DigestOfUnicastKeepalivedIsReproduced) { EXPECT_TRUE(is_valid(test::keepalived_v2_ah_unicast(), secret)); }

TEST(Rfc2402_3_3_3, MutableFieldsMayChangeOnTheWay) {
    Octets octets = test::keepalived_v2_ah_unicast();
    const auto at = [&octets](std::size_t offset) -> std::uint8_t& { return octets[14 + offset]; };
    at(1) = 0x00;  // TOS
    at(6) = 0x40;  // Don't Fragment
    at(8) = 60;    // TTL
    at(10) = at(11) = 0;
    const std::uint16_t checksum = test::reference_checksum({octets.begin() + 14, octets.begin() + 34});
    at(10) = static_cast<std::uint8_t>(checksum >> 8);
    at(11) = static_cast<std::uint8_t>(checksum);
    EXPECT_TRUE(is_valid(octets, secret));
}

TEST(Rfc2402_3_3_3, EveryOctetBehindTheIpHeaderIsCovered) {
    const Octets good = test::keepalived_v2_ah(0);
    const AuthKey key = secret;
    const Bytes ip_packet = Bytes(good).subspan(14);
    const auto digest = ah_digest(ip_packet, key);
    for (std::size_t offset = 20; offset < ip_packet.size(); ++offset) {
        const bool is_digest = offset >= 32 && offset < 44;
        Octets changed(ip_packet.begin(), ip_packet.end());
        changed[offset] ^= 0x10;
        EXPECT_EQ(ah_digest(changed, key) == digest, is_digest) << offset;
    }
}

TEST(Rfc2402_3_3_3, AddressesIdentificationAndLengthAreCovered) {
    const Octets good = test::keepalived_v2_ah(0);
    const auto digest = ah_digest(Bytes(good).subspan(14), secret);
    for (const std::size_t offset : {2u, 3u, 4u, 5u, 9u, 12u, 15u, 16u, 19u}) {
        Octets changed(good.begin() + 14, good.end());
        changed[offset] ^= 0x01;
        EXPECT_NE(ah_digest(changed, secret), digest) << offset;
    }
}

TEST(Ah, OptionsAreCovered) {
    const Octets octets = frame().vrrp_v2(7, 200).address("10.0.0.100").ip_options({1, 1, 1, 0}).ah("secret", 1).build();
    EXPECT_TRUE(is_valid(octets, secret));
}

TEST(Ah, AWrongDigestIsNotValid) {
    EXPECT_FALSE(is_valid(frame().vrrp_v2(7, 200).address("10.0.0.100").ah("secret", 1).bad_ah_digest().build(), secret));
}

TEST(Ah, AFrameWithoutAhIsNotValid) {
    EXPECT_FALSE(is_valid(frame().vrrp_v2(7, 200).address("10.0.0.100").build(), secret));
}

TEST(Ah, APacketTooShortForItsHeadersHasADigestOfZero) {
    const Octets octets = test::keepalived_v2_ah(0);
    const std::array<std::uint8_t, 12> zero{};
    for (std::size_t size = 0; size < 44; ++size) {
        EXPECT_EQ(ah_digest(Bytes(octets).subspan(14, size), secret), zero) << size;
    }
    EXPECT_EQ(ah_digest(Octets(44, 0x44), secret), zero);  // a header of 16 octets
}

// Replay window.

TEST(Rfc2402_3_4_3, ANumberIsAcceptedOnce) {
    AhReplayWindow window;
    EXPECT_TRUE(window.accept(1));
    EXPECT_FALSE(window.accept(1));
    EXPECT_TRUE(window.accept(2));
    EXPECT_FALSE(window.accept(1));
}

TEST(Rfc2402_3_4_3, NumbersWithinTheWindowMayComeLate) {
    AhReplayWindow window;
    EXPECT_TRUE(window.accept(100));
    EXPECT_TRUE(window.accept(37));   // 63 behind
    EXPECT_FALSE(window.accept(36));  // left of the window
    EXPECT_FALSE(window.accept(37));
    EXPECT_TRUE(window.accept(99));
}

TEST(Rfc2402_3_4_3, TheWindowMovesWithTheHighestNumber) {
    AhReplayWindow window;
    EXPECT_TRUE(window.accept(10));
    EXPECT_TRUE(window.accept(73));   // 63 ahead: 10 is still in the window, and seen
    EXPECT_FALSE(window.accept(10));
    EXPECT_TRUE(window.accept(11));
    EXPECT_TRUE(window.accept(137));  // 64 ahead: nothing seen is left in the window
    EXPECT_TRUE(window.accept(74));
    EXPECT_FALSE(window.accept(73));
}

TEST(Rfc2402_2_5, ZeroIsNoSequenceNumber) {
    AhReplayWindow window;
    EXPECT_FALSE(window.accept(0));
    EXPECT_TRUE(window.accept(1));
    EXPECT_FALSE(window.accept(0));
}

TEST(AhReplayWindow, ReachesTheLastNumber) {
    AhReplayWindow window;
    EXPECT_TRUE(window.accept(0xffffffff));
    EXPECT_TRUE(window.accept(0xfffffffe));
    EXPECT_FALSE(window.accept(0xffffffff));
    EXPECT_EQ(window.highest(), 0xffffffffu);
}

TEST(AhReplayWindow, HearsARestartedSenderAfterForget) {
    AhReplayWindow window;
    EXPECT_TRUE(window.accept(1000));
    EXPECT_FALSE(window.accept(1));
    window.forget();
    EXPECT_TRUE(window.accept(1));
    EXPECT_EQ(window.highest(), 1u);
}

}  // namespace
}  // namespace vigil::packet
