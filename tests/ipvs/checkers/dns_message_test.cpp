#include "ipvs/checkers/dns_message.h"

#include <gtest/gtest.h>

using namespace vigil::checkers;
using Kind = DnsReply::Kind;
using Octets = std::vector<std::uint8_t>;

namespace {

const Octets query = write_dns_query(0x1234, "www.Example.org", 1);

/// The query, as a server sends it back.
Octets reply(unsigned flags = 0x8180) {
    Octets result = query;
    result[2] = static_cast<std::uint8_t>(flags >> 8);
    result[3] = static_cast<std::uint8_t>(flags);
    return result;
}

}  // namespace

TEST(DnsMessage, QueryIsRfc1035) {
    const Octets expected = {0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'w', 'w', 7, 'E', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1};
    EXPECT_EQ(query, expected);
}

TEST(DnsMessage, RootIsOneOctet) {
    const Octets root = write_dns_query(1, ".", 6);
    EXPECT_EQ(root, (Octets{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1}));
    EXPECT_EQ(write_dns_query(1, "a.", 6), write_dns_query(1, "a", 6));
}

TEST(DnsMessage, NamesHaveLimits) {
    EXPECT_TRUE(is_dns_name("."));
    EXPECT_TRUE(is_dns_name("a.b."));
    EXPECT_TRUE(is_dns_name(std::string(63, 'a')));
    for (const std::string& name : {std::string(), std::string(".."), std::string(".a"), std::string("a..b"), std::string(64, 'a')}) EXPECT_FALSE(is_dns_name(name)) << name;
    std::string longest;
    for (int i = 0; i < 127; ++i) longest += "a.";
    EXPECT_TRUE(is_dns_name(longest));
    EXPECT_FALSE(is_dns_name(longest + "b"));
}

TEST(DnsMessage, TypesByName) {
    EXPECT_EQ(find_dns_type("SOA"), 6);
    EXPECT_EQ(find_dns_type("aaaa"), 28);
    EXPECT_EQ(find_dns_type("DNSKEY"), 48);
    EXPECT_EQ(find_dns_type("A6"), std::nullopt);
    EXPECT_EQ(find_dns_type(""), std::nullopt);
}

TEST(DnsMessage, RcodeZeroIsOkWithAndWithoutTruncation) {
    EXPECT_EQ(read_dns_reply(reply(0x8180), query).kind, Kind::ok);
    EXPECT_EQ(read_dns_reply(reply(0x8380), query).kind, Kind::ok);
}

TEST(DnsMessage, RcodesAreErrors) {
    const DnsReply servfail = read_dns_reply(reply(0x8182), query);
    EXPECT_EQ(servfail.kind, Kind::error);
    EXPECT_EQ(servfail.cause, "rcode 2 (SERVFAIL)");
    Octets short_error = reply(0x8185);
    short_error.resize(12);
    short_error[5] = 0;
    EXPECT_EQ(read_dns_reply(short_error, query).cause, "rcode 5 (REFUSED)");
    EXPECT_EQ(read_dns_reply(reply(0x818f), query).cause, "rcode 15");
}

TEST(DnsMessage, AnotherIdIsAStranger) {
    Octets other = reply();
    other[1] ^= 1;
    EXPECT_EQ(read_dns_reply(other, query).kind, Kind::stranger);
    EXPECT_EQ(read_dns_reply({}, query).kind, Kind::stranger);
}

TEST(DnsMessage, OtherQuestionsAreMalformedButCaseDoesNotMatter) {
    Octets lower = reply();
    lower[17] = 'e';
    EXPECT_EQ(read_dns_reply(lower, query).kind, Kind::ok);
    lower[17] = 'f';
    EXPECT_EQ(read_dns_reply(lower, query).cause, "the question in the answer is another");
    Octets type = reply();
    type[type.size() - 3] = 28;
    EXPECT_EQ(read_dns_reply(type, query).kind, Kind::malformed);
}

TEST(DnsMessage, EveryTruncationIsRefused) {
    const Octets whole = reply();
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(read_dns_reply(std::span(whole).first(size), query).kind, Kind::ok) << size;
}

TEST(DnsMessage, TheQueryItselfIsNoAnswer) { EXPECT_EQ(read_dns_reply(query, query).cause, "the answer is a query"); }
