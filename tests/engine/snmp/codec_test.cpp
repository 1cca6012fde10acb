#include "engine/snmp/codec.h"

#include <gtest/gtest.h>

#include "tests/engine/snmp/snmp_fixture.h"

namespace vigil::snmp {
namespace {

std::string encode(const auto& record) {
    std::string text;
    Encoder(text).put(record);
    return text;
}

TEST(SnmpCodec, APictureComesBackAsItWas) {
    const std::string text = encode(picture_of_everything());
    Picture back;
    Decoder decoder(text);
    ASSERT_TRUE(decoder.get(back));
    EXPECT_TRUE(decoder.is_at_end());
    EXPECT_EQ(encode(back), text);   // nothing is lost, and fields() names the same members both ways
    ASSERT_EQ(back.instances.size(), 2u);
    EXPECT_EQ(back.instances[1].name, "VI_2");
    EXPECT_EQ(back.instances[1].state, State::fault);
    EXPECT_EQ(back.instances[1].addresses[0].address, ipv4(192, 0, 2, 101));
    EXPECT_EQ(back.static_rules[0].tunnel_id, 0x1'0000'0002u);
    EXPECT_EQ(back.static_addresses[0].peer, ipv4(198, 51, 100, 10));
    EXPECT_EQ(back.settings[0].tracked[0][0].weight, -2);
}

TEST(SnmpCodec, WhatIsCutShortIsRefusedWherever) {
    const std::string text = encode(picture_of_everything());
    for (std::size_t size = 0; size < text.size(); ++size) {
        Picture back;
        EXPECT_FALSE(Decoder(std::string_view(text).substr(0, size)).get(back)) << size;
    }
}

TEST(SnmpCodec, ALengthThatCannotBeTakesNoMemory) {
    std::string text;
    Encoder(text).put(0xffff'fff0u);
    std::vector<Instance> list;
    EXPECT_FALSE(Decoder(text).get(list));
    EXPECT_EQ(list.capacity(), 0u);
}

TEST(SnmpCodec, AListMayBeWrittenOneByOne) {
    const std::vector<std::string> names{"a", "bc"};
    std::string text;
    Encoder encoder(text);
    encoder.put_size(names.size());
    for (const std::string& name : names) encoder.put(name);
    EXPECT_EQ(text, encode(names));
}

}  // namespace
}  // namespace vigil::snmp
