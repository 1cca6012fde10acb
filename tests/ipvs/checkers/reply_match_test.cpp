#include "ipvs/checkers/reply_match.h"

#include <gtest/gtest.h>

#include "ipvs/checkers/icmp_echo.h"
#include "packet/checksum.h"

using namespace vigil;
using namespace vigil::checkers;
using Octets = std::vector<std::uint8_t>;

namespace {

UdpSpec expecting(const char* text) {
    UdpSpec spec;
    spec.require_reply = true;
    spec.reply = *read_masked_octets(text);
    return spec;
}

constexpr EchoToken token = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

}  // namespace

TEST(ReplyMatch, NibblesMayBeAnything) {
    const UdpSpec spec = expecting("4xX2xxFf");
    EXPECT_EQ(complaint_about(Octets{0x47, 0x92, 0x00, 0xff}, spec), std::nullopt);
    EXPECT_EQ(complaint_about(Octets{0x47, 0x92, 0x00, 0xff, 1, 2}, spec), std::nullopt);
    EXPECT_EQ(complaint_about(Octets{0x57, 0x92, 0x00, 0xff}, spec), "reply differs at octet 0: 57");
    EXPECT_EQ(complaint_about(Octets{0x47, 0x93, 0x00, 0xff}, spec), "reply differs at octet 1: 93");
    EXPECT_EQ(complaint_about(Octets{0x47, 0x92, 0x00, 0xfe}, spec), "reply differs at octet 3: fe");
    EXPECT_EQ(complaint_about(Octets{0x47}, spec), "reply of 1 octets where it must begin with 4");
}

TEST(ReplyMatch, LengthsAreInclusive) {
    UdpSpec spec = expecting("");
    spec.min_reply_length = 2;
    spec.max_reply_length = 3;
    EXPECT_EQ(complaint_about(Octets(1), spec), "reply of 1 octets where at least 2 are expected");
    EXPECT_EQ(complaint_about(Octets(2), spec), std::nullopt);
    EXPECT_EQ(complaint_about(Octets(3), spec), std::nullopt);
    EXPECT_EQ(complaint_about(Octets(4), spec), "reply of more than 3 octets");
}

TEST(ReplyMatch, ReadsHexadecimal) {
    EXPECT_EQ(read_octets("00fFa5"), (Octets{0, 0xff, 0xa5}));
    EXPECT_EQ(read_octets(""), Octets{});
    for (const char* wrong : {"0", "0g", "0x", "00 "}) EXPECT_EQ(read_octets(wrong), std::nullopt) << wrong;
    EXPECT_EQ(read_masked_octets("0g"), std::nullopt);
    EXPECT_EQ(read_masked_octets("x0")->front(), (MaskedOctet{0, 0x0f}));
}

TEST(IcmpEcho, RequestIsRfc792) {
    const Octets request = write_echo_request(Family::ipv4, 0x1234, token);
    EXPECT_EQ(request.size(), 24u);
    EXPECT_EQ(request[0], 8);
    EXPECT_TRUE(packet::is_checksum_valid(packet::add_words({}, request)));
    EXPECT_EQ(write_echo_request(Family::ipv6, 1, token)[0], 128);
}

TEST(IcmpEcho, RepliesAreKnownByTheirToken) {
    Octets reply = write_echo_request(Family::ipv4, 1, token);
    EXPECT_FALSE(is_echo_reply(Family::ipv4, reply, token));   // our own request
    reply[0] = 0;
    EXPECT_TRUE(is_echo_reply(Family::ipv4, reply, token));
    Octets with_header(20);
    with_header[0] = 0x45;
    with_header.insert(with_header.end(), reply.begin(), reply.end());
    EXPECT_TRUE(is_echo_reply(Family::ipv4, with_header, token));
    reply.back() ^= 1;
    EXPECT_FALSE(is_echo_reply(Family::ipv4, reply, token));
    for (std::size_t size = 0; size < with_header.size(); ++size) EXPECT_FALSE(is_echo_reply(Family::ipv4, std::span(with_header).first(size), token));
    Octets reply6 = write_echo_request(Family::ipv6, 1, token);
    reply6[0] = 129;
    EXPECT_TRUE(is_echo_reply(Family::ipv6, reply6, token));
    EXPECT_FALSE(is_echo_reply(Family::ipv4, reply6, token));
}
