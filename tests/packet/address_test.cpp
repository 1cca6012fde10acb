#include "packet/address.h"

#include <gtest/gtest.h>

#include "packet/receive_error.h"

#include <set>

namespace vigil {
namespace {

TEST(Address, ReadsDottedDecimal) { EXPECT_EQ(read_address("192.0.2.7"), ipv4(192, 0, 2, 7)); }

TEST(Address, ReadsRfc4291Text) {
    const auto address = read_address("fe80::1:2");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->family, Family::ipv6);
    EXPECT_EQ(address->octets, (AddressOctets{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2}));
}

TEST(Address, ReadsNoPrefixNoZoneAndNoPartOfAnAddress) {
    for (const auto* text : {"", "10.0.0", "10.0.0.256", "10.0.0.1/24", "fe80::1%eth0", "10.0.0.1 ", "fe80:::1"}) {
        EXPECT_FALSE(read_address(text)) << text;
    }
    EXPECT_FALSE(read_address(std::string_view("10.0.0.1\0", 9)));
    EXPECT_FALSE(read_address(std::string(100, '1')));
}

TEST(Address, PrintsRfc5952) { EXPECT_EQ(to_string(*read_address("FE80:0:0:0:0:0:0:1")), "fe80::1"); }

TEST(Address, OrdersAsUnsignedNetworkOrder) {
    EXPECT_GT(ipv4(200, 0, 0, 1), ipv4(100, 0, 0, 255));
    EXPECT_GT(*read_address("fe80::2"), *read_address("fe80::1"));
}

TEST(Address, KnowsMulticastLinkLocalAndUnspecified) {
    EXPECT_TRUE(ipv4(224, 0, 0, 18).is_multicast());
    EXPECT_TRUE(ipv4(239, 255, 255, 255).is_multicast());
    EXPECT_FALSE(ipv4(240, 0, 0, 0).is_multicast());
    EXPECT_TRUE(vrrp_group_ipv6.is_multicast());
    EXPECT_TRUE(read_address("febf::1")->is_link_local());
    EXPECT_FALSE(read_address("fec0::1")->is_link_local());
    EXPECT_FALSE(ipv4(0xfe, 0x80, 0, 0).is_link_local());
    EXPECT_TRUE(ipv4(0, 0, 0, 0).is_unspecified());
}

TEST(Address, MakesTheFamilyThatTheSizeSays) {
    const AddressOctets octets{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    EXPECT_EQ(make_address(std::span(octets).first(4)), ipv4(1, 2, 3, 4));
    EXPECT_EQ(make_address(octets), (IpAddress{octets, Family::ipv6}));
}

TEST(Rfc9568_7_3, VirtualMacEndsInTheVrid) {
    EXPECT_EQ(to_string(virtual_mac(Family::ipv4, Vrid{0x33})), "00:00:5e:00:01:33");
    EXPECT_EQ(to_string(virtual_mac(Family::ipv6, Vrid{0xff})), "00:00:5e:00:02:ff");
}

TEST(Address, MapsGroupsToEthernet) {
    EXPECT_EQ(to_string(multicast_mac(vrrp_group_ipv4)), "01:00:5e:00:00:12");
    EXPECT_EQ(to_string(multicast_mac(vrrp_group_ipv6)), "33:33:00:00:00:12");
    EXPECT_EQ(to_string(multicast_mac(ipv4(239, 129, 2, 3))), "01:00:5e:01:02:03");  // 23 bits, RFC 1112 §6.4
}

TEST(Address, ReadsMacsOfSixPairsOnly) {
    EXPECT_EQ(read_mac("00:00:5E:00:01:33"), virtual_mac(Family::ipv4, Vrid{0x33}));
    for (const auto* text : {"", "00:00:5e:00:01", "00-00-5e-00-01-33", "00:00:5e:00:01:3", "00:00:5e:00:01:3g", "0 :00:5e:00:01:33"}) {
        EXPECT_FALSE(read_mac(text)) << text;
    }
}

TEST(ReceiveError, EveryEnumeratorHasItsOwnName) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < packet::receive_error_count; ++i) names.insert(to_string(static_cast<packet::ReceiveError>(i)));
    EXPECT_EQ(names.size(), packet::receive_error_count);
    EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace vigil
