#include "packet/bytes.h"

#include <gtest/gtest.h>

namespace vigil::packet {
namespace {

constexpr std::array<std::uint8_t, 7> seven{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};

TEST(ByteReader, ReadsBigEndianOneAfterTheOther) {
    ByteReader reader(seven);
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u32(), 0x04050607u);
    EXPECT_TRUE(reader.rest().empty());
    EXPECT_FALSE(reader.has_failed());
}

TEST(ByteReader, GivesZeroAndStaysFailedPastTheEnd) {
    const Bytes three = Bytes(seven).first(3);
    ByteReader reader(three);
    EXPECT_EQ(reader.u32(), 0u);
    EXPECT_TRUE(reader.has_failed());
    EXPECT_EQ(reader.u8(), 0);  // though an octet was left
    EXPECT_TRUE(reader.rest().empty());
    EXPECT_TRUE(reader.has_failed());
}

TEST(ByteReader, TakesExactlyWhatIsThere) {
    ByteReader reader(seven);
    EXPECT_EQ(reader.take(7).size(), 7u);
    EXPECT_FALSE(reader.has_failed());
    EXPECT_TRUE(reader.take(1).empty());
    EXPECT_TRUE(reader.has_failed());
}

TEST(ByteReader, ReadsAddresses) {
    ByteReader reader(seven);
    EXPECT_EQ(reader.ip(Family::ipv4), ipv4(1, 2, 3, 4));
    EXPECT_EQ(reader.ip(Family::ipv6), (IpAddress{{}, Family::ipv6}));
    EXPECT_TRUE(reader.has_failed());
    ByteReader again(seven);
    EXPECT_EQ(again.mac(), (MacAddress{{1, 2, 3, 4, 5, 6}}));
}

TEST(ByteWriter, WritesBigEndianOneAfterTheOther) {
    std::array<std::uint8_t, 7> buffer{};
    ByteWriter writer(buffer);
    writer.u8(0x01);
    writer.u16(0x0203);
    writer.u32(0x04050607);
    EXPECT_EQ(buffer, seven);
    EXPECT_EQ(writer.size(), 7u);
    EXPECT_FALSE(writer.has_failed());
}

TEST(ByteWriter, WritesNothingThatDoesNotFitAndStaysFailed) {
    std::array<std::uint8_t, 3> buffer{9, 9, 9};
    ByteWriter writer(buffer);
    writer.u8(1);
    writer.bytes(seven);
    EXPECT_TRUE(writer.has_failed());
    writer.u8(2);  // would fit
    EXPECT_EQ(buffer, (std::array<std::uint8_t, 3>{1, 9, 9}));
    EXPECT_EQ(writer.size(), 1u);
}

}  // namespace
}  // namespace vigil::packet
