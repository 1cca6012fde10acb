#include <gtest/gtest.h>

#include <memory>

#include "config_fixture.h"

namespace vigil::config::test {

/// Results are kept: the texts of an address belong to the configuration that it came from.
const LoadResult& addresses(std::string_view lines) {
    static std::vector<std::unique_ptr<LoadResult>> kept;
    kept.push_back(std::make_unique<LoadResult>(
        load_string("vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n" + std::string(lines) +
                    "\n}\n}\n")));
    return *kept.back();
}

std::vector<ConfiguredAddress> list_of(const LoadResult& result) {
    return result.configuration.instances.empty() ? std::vector<ConfiguredAddress>{} : result.configuration.instances[0].virtual_addresses;
}

TEST(AddressLine, WithoutPrefixIsAHostAddress) {
    EXPECT_EQ(list_of(addresses("10.0.0.1")).at(0).prefix_length, 32);
    EXPECT_EQ(list_of(addresses("fe80::1")).at(0).prefix_length, 128);
}

TEST(AddressLine, TakesAPrefix) {
    EXPECT_EQ(list_of(addresses("10.0.0.1/24")).at(0).prefix_length, 24);
    EXPECT_EQ(list_of(addresses("10.0.0.1/0")).at(0).prefix_length, 0);
    EXPECT_EQ(list_of(addresses("fe80::1/64")).at(0).prefix_length, 64);
}

TEST(AddressLine, ABadPrefixIsReportedAndTheHostLengthUsed) {
    const LoadResult& result = addresses("10.0.0.1/33");
    EXPECT_EQ(list_of(result).at(0).prefix_length, 32);
    EXPECT_EQ(summary(result), "error 5:9 this is no prefix length: /32 is used\n");
    EXPECT_EQ(list_of(addresses("fe80::1/129")).at(0).prefix_length, 128);
    EXPECT_EQ(list_of(addresses("10.0.0.1/")).at(0).prefix_length, 32);
}

TEST(AddressLine, WhatIsNoAddressDropsTheLine) {
    EXPECT_EQ(list_of(addresses("10.0.0\n10.0.0.2")).size(), 1u);
    EXPECT_NE(summary(addresses("10.0.0")).find("expected ADDRESS or ADDRESS/PREFIX, not '10.0.0'"), std::string::npos);
}

TEST(AddressLine, AnAddressThatNoHostCanHaveDropsTheLine) {
    for (const char* address : {"127.0.0.1/8", "127.9.9.9", "0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "::1/128",
                                "ff02::12", "0.0.0.0/0"}) {
        const LoadResult& result = addresses(std::string(address) + "\n10.0.0.2");
        EXPECT_EQ(list_of(result).size(), 1u) << address;
        EXPECT_EQ(result.diagnostics.count(Severity::error), 1u) << address;
        EXPECT_NE(helps(result).find("write an address of the network"), std::string::npos) << address;
    }
    EXPECT_EQ(summary(addresses("127.0.0.1/8\n10.0.0.2")),
              "error 5:1 '127.0.0.1' is a loopback address and cannot be virtual: the line is dropped\n");
    for (const char* address : {"126.255.255.255", "128.0.0.1", "223.255.255.255", "240.0.0.1", "255.255.255.254", "fe80::1/64", "::2"})
        EXPECT_EQ(summary(addresses(address)), "") << address;
}

TEST(AddressLine, TheEndsOfItsOwnPrefixAreKeptWithAWarning) {
    const LoadResult& network = addresses("10.9.0.0/24");
    EXPECT_EQ(list_of(network).size(), 1u);
    EXPECT_EQ(summary(network), "warning 5:1 '10.9.0.0/24' is the network address of its own prefix\n");
    const LoadResult& broadcast = addresses("10.9.3.255/22");
    EXPECT_EQ(list_of(broadcast).size(), 1u);
    EXPECT_EQ(summary(broadcast), "warning 5:1 '10.9.3.255/22' is the broadcast address of its own prefix\n");
    for (const char* address : {"10.9.0.255/22", "10.9.0.0/31", "10.9.0.1/31", "10.9.0.0/32", "10.9.0.0", "10.0.0.0/0",
                                "10.9.0.0/24 peer 10.9.0.9", "fd00::/64"})
        EXPECT_EQ(summary(addresses(address)), "") << address;
}

TEST(AddressLine, TakesDeviceLabelAndScope) {
    const ConfiguredAddress address = list_of(addresses("10.0.0.1/24 dev eth1 label eth1:vip scope link")).at(0);
    EXPECT_EQ(address.device, "eth1");
    EXPECT_EQ(address.label, "eth1:vip");
    EXPECT_EQ(address.scope, 253);
}

TEST(AddressLine, ScopesHaveNamesAndNumbers) {
    EXPECT_EQ(list_of(addresses("10.0.0.1 scope global")).at(0).scope, 0);
    EXPECT_EQ(list_of(addresses("10.0.0.1 scope host")).at(0).scope, 254);
    EXPECT_EQ(list_of(addresses("10.0.0.1 scope site")).at(0).scope, 200);
    EXPECT_EQ(list_of(addresses("10.0.0.1 scope nowhere")).at(0).scope, 255);
    EXPECT_EQ(list_of(addresses("10.0.0.1 scope 77")).at(0).scope, 77);
    EXPECT_NE(summary(addresses("10.0.0.1 scope lnk")).find("unknown scope"), std::string::npos);
}

TEST(AddressLine, ComputesBroadcastAddresses) {
    EXPECT_EQ(to_string(list_of(addresses("10.0.1.5/22 brd +")).at(0).broadcast.value()), "10.0.3.255");
    EXPECT_EQ(to_string(list_of(addresses("10.0.1.5/22 brd -")).at(0).broadcast.value()), "10.0.0.0");
    EXPECT_EQ(to_string(list_of(addresses("10.0.1.5/30 broadcast +")).at(0).broadcast.value()), "10.0.1.7");
    EXPECT_EQ(to_string(list_of(addresses("10.0.1.5/24 brd 10.0.1.254")).at(0).broadcast.value()), "10.0.1.254");
    EXPECT_FALSE(list_of(addresses("10.0.1.5/24")).at(0).broadcast.has_value());
}

TEST(AddressLine, RefusesBroadcastWhereThereIsNone) {
    EXPECT_FALSE(list_of(addresses("10.0.0.1/31 brd +")).at(0).broadcast.has_value());
    EXPECT_FALSE(list_of(addresses("10.0.0.1 brd +")).at(0).broadcast.has_value());
    EXPECT_EQ(list_of(addresses("fe80::2\nfe80::1/64 brd +")).size(), 1u);
    EXPECT_EQ(list_of(addresses("10.0.0.1/24 brd x\n10.0.0.2")).size(), 1u);
    EXPECT_EQ(list_of(addresses("10.0.0.1/24 brd 10.0.0.255 peer 10.0.0.9\n10.0.0.2")).size(), 1u);
}

TEST(AddressLine, APeerMakesItAHostAddress) {
    const ConfiguredAddress address = list_of(addresses("10.0.0.1/24 peer 10.0.0.9")).at(0);
    EXPECT_EQ(address.prefix_length, 32);
    EXPECT_EQ(to_string(address.peer.value()), "10.0.0.9");
    EXPECT_EQ(list_of(addresses("10.0.0.1 peer fe80::1\n10.0.0.2")).size(), 1u);
}

TEST(AddressLine, TakesFlags) {
    const ConfiguredAddress address =
        list_of(addresses("fe80::1/64 home -nodad mngtmpaddr noprefixroute autojoin no_track use_vmac")).at(0);
    EXPECT_TRUE(address.home_address);
    EXPECT_TRUE(address.duplicate_detection);
    EXPECT_TRUE(address.manage_temporary);
    EXPECT_TRUE(address.no_prefix_route);
    EXPECT_TRUE(address.auto_join);
    EXPECT_TRUE(address.no_track);
    EXPECT_TRUE(address.use_vmac);
}

TEST(AddressLine, LifetimeIsForeverExceptForAnIpv6HostAddress) {
    EXPECT_EQ(list_of(addresses("10.0.0.1")).at(0).preferred_lifetime, ConfiguredAddress::forever);
    EXPECT_EQ(list_of(addresses("fe80::1/64")).at(0).preferred_lifetime, ConfiguredAddress::forever);
    EXPECT_EQ(list_of(addresses("fe80::1")).at(0).preferred_lifetime, 0u);
    EXPECT_EQ(list_of(addresses("fe80::1 preferred_lft forever")).at(0).preferred_lifetime, ConfiguredAddress::forever);
    EXPECT_EQ(list_of(addresses("fe80::1 preferred_lft 60")).at(0).preferred_lifetime, 60u);
    EXPECT_EQ(list_of(addresses("10.0.0.1 preferred_lft x\n10.0.0.2")).size(), 1u);
}

TEST(AddressLine, ADeviceGivenTwiceDropsTheLine) { EXPECT_EQ(list_of(addresses("10.0.0.1 dev eth1 dev eth2\n10.0.0.2")).size(), 1u); }

TEST(AddressLine, AnOptionWithoutItsValueDropsTheLine) {
    EXPECT_EQ(list_of(addresses("10.0.0.1 dev\n10.0.0.2")).size(), 1u);
    EXPECT_NE(summary(addresses("10.0.0.1 label")).find("'label' needs a value behind it"), std::string::npos);
}

TEST(AddressLine, AnUnknownWordIsPassedOverWithASuggestion) {
    const LoadResult& result = addresses("10.0.0.1 lable eth0:1 dev eth1");
    EXPECT_EQ(list_of(result).at(0).device, "eth1");
    EXPECT_NE(helps(result).find("did you mean 'label'?"), std::string::npos);
}

TEST(AddressLine, ALabelOfSixteenOctetsIsIgnored) {
    EXPECT_EQ(list_of(addresses("10.0.0.1 label eth0:0123456789")).at(0).label, "eth0:0123456789");
    EXPECT_EQ(list_of(addresses("10.0.0.1 label eth0:0123456789a")).at(0).label, "");
    EXPECT_EQ(list_of(addresses("fe80::1 label x")).at(0).label, "");
}

TEST(AddressLine, RemembersItsPlace) { EXPECT_EQ(list_of(addresses("\n  10.0.0.1")).at(0).where, (SourceLocation{6, 0, 3})); }

}  // namespace vigil::config::test
