#include "arp/arp_message.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/packet/frame_builder.h"

namespace vigil::arp {
namespace {

using test::from_hex;
using test::Octets;

/// Who has 10.0.0.100? Tell 10.0.0.7.
Octets question() {
    return from_hex("ffffffffffff 020000000007 0806 0001 0800 06 04 0001 020000000007 0a000007 000000000000 0a000064");
}
Octets with(Octets octets, std::size_t offset, std::uint8_t value) {
    octets[offset] = value;
    return octets;
}
Octets tagged(Octets octets) {
    const Octets tag = from_hex("8100 0005");
    octets.insert(octets.begin() + 12, tag.begin(), tag.end());
    return octets;
}

TEST(ReadArp, ReadsEveryField) {
    const auto message = read_arp_frame(question());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->operation, ArpOperation::request);
    EXPECT_EQ(message->sender_mac, (MacAddress{{2, 0, 0, 0, 0, 7}}));
    EXPECT_EQ(message->sender, ipv4(10, 0, 0, 7));
    EXPECT_TRUE(message->target_mac.is_zero());
    EXPECT_EQ(message->target, ipv4(10, 0, 0, 100));
    EXPECT_FALSE(message->is_gratuitous());
    EXPECT_FALSE(message->is_probe());
}

TEST(ReadArp, KnowsAProbe) {
    Octets octets = question();
    std::fill_n(octets.begin() + 28, 4, std::uint8_t{0});
    EXPECT_TRUE(read_arp_frame(octets)->is_probe());
}

TEST(ReadArp, KnowsAnAnnouncement) { EXPECT_TRUE(read_arp_frame(with(question(), 31, 0x64))->is_gratuitous()); }

TEST(ReadArp, IgnoresPaddingAndReadsBehindATag) {
    Octets octets = tagged(question());
    octets.resize(64, 0xee);
    EXPECT_TRUE(read_arp_frame(octets));
}

TEST(ReadArp, WritesWhatItRead) {
    const Octets octets = question();
    Octets buffer(42);
    packet::ByteWriter writer(buffer);
    write_arp_frame(writer, broadcast_mac, {{2, 0, 0, 0, 0, 7}}, *read_arp_frame(octets));
    EXPECT_FALSE(writer.has_failed());
    EXPECT_EQ(buffer, octets);
}

TEST(ReadArp, RefusesEveryPiece) {
    const Octets octets = question();
    for (std::size_t size = 0; size < octets.size(); ++size) {
        const auto block = std::make_unique<std::uint8_t[]>(size);
        std::copy_n(octets.begin(), size, block.get());
        const auto message = read_arp_frame({block.get(), size});
        ASSERT_FALSE(message) << size;
        EXPECT_EQ(message.error(), ArpError::truncated) << size;
    }
}

TEST(ReadArp, RefusesOtherEtherTypes) { EXPECT_EQ(read_arp_frame(with(question(), 13, 0x00)).error(), ArpError::not_arp); }

TEST(ReadArp, RefusesOtherHardware) {
    EXPECT_EQ(read_arp_frame(with(question(), 15, 6)).error(), ArpError::not_ethernet);
    EXPECT_EQ(read_arp_frame(with(question(), 18, 8)).error(), ArpError::not_ethernet);
}

TEST(ReadArp, RefusesOtherProtocols) {
    EXPECT_EQ(read_arp_frame(with(question(), 16, 0x86)).error(), ArpError::not_ipv4);
    EXPECT_EQ(read_arp_frame(with(question(), 19, 16)).error(), ArpError::not_ipv4);
}

TEST(ReadArp, RefusesOtherOperations) {
    EXPECT_EQ(read_arp_frame(with(question(), 21, 0)).error(), ArpError::bad_operation);
    EXPECT_EQ(read_arp_frame(with(question(), 21, 3)).error(), ArpError::bad_operation);  // RARP
}

}  // namespace
}  // namespace vigil::arp
