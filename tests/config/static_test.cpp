#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

TEST(StaticLines, AreReadAtRootLevel) {
    const LoadResult result = load_string("global_defs {\n default_interface eth7\n}\nstatic_ipaddress {\n 192.0.2.1/24 brd + dev eth0 scope link\n 192.0.2.2\n}\n"
                                          "static_routes {\n 10.1.0.0/16 via 192.0.2.9 dev eth0\n}\nstatic_rules {\n from 10.1.0.0/16 lookup 5 priority 6\n}\n");
    EXPECT_EQ(summary(result), "");
    const Configuration& configuration = result.configuration;
    ASSERT_EQ(configuration.static_addresses.size(), 2u);
    EXPECT_EQ(configuration.static_addresses[0].address.device, "eth0");
    EXPECT_EQ(configuration.static_addresses[1].address.device, "eth7");
    EXPECT_EQ(configuration.static_routes.size(), 1u);
    EXPECT_EQ(configuration.static_rules.size(), 1u);
}

TEST(StaticLines, GoToTheFirstInterfaceOfAllWithoutADevice) {
    EXPECT_EQ(load_string("static_ipaddress {\n 192.0.2.2\n}\n").configuration.static_addresses.at(0).address.device, "eth0");
}

TEST(StaticLines, MayBeOfTheLoopbackNetworkAndHaveNoVirtualMac) {
    EXPECT_EQ(summary(load_string("static_ipaddress {\n 127.0.0.2/8 dev lo\n}\n")), "");
    EXPECT_EQ(summary(load_string("static_ipaddress {\n 192.0.2.2/24 dev eth0 use_vmac\n}\n")), "error 2:24 unknown option 'use_vmac' of an address: passed over\n");
    EXPECT_EQ(summary(load_string("static_ipaddress {\n 224.0.0.1 dev eth0\n}\n")), "error 2:2 '224.0.0.1' is a multicast address and cannot be set: the line is dropped\n");
}

constexpr std::string_view instances =
    "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1/24\n }\n}\n"
    "vrrp_instance B {\n interface eth0\n virtual_router_id 2\n virtual_ipaddress {\n 10.0.0.2/24\n }\n}\n";

TEST(TrackGroups, GiveTheirInstancesWhatStaticLinesName) {
    const LoadResult result = load_string("static_routes {\n 10.1.0.0/16 dev eth1 track_group G\n}\nstatic_ipaddress {\n 192.0.2.2 dev eth1 track_group G\n}\n"
                                          "static_rules {\n from 10.0.0.0/8 lookup 5 priority 7 track_group G\n}\ntrack_group G {\n group {\n A\n }\n}\n" + std::string(instances));
    EXPECT_EQ(summary(result), "");
    const Configuration& configuration = result.configuration;
    ASSERT_EQ(configuration.instances[0].track_static.size(), 1u);
    EXPECT_EQ(configuration.instances[0].track_static[0].name, "G");
    EXPECT_TRUE(configuration.instances[1].track_static.empty());
    EXPECT_EQ(configuration.static_rules[0].track_group, "G");
    EXPECT_EQ(configuration.static_addresses[0].track_group, "G");
}

TEST(TrackGroups, ThatNobodyNamesAndNamesThatAreNone) {
    const LoadResult result = load_string("static_routes {\n 10.1.0.0/16 dev eth1 track_group H\n}\ntrack_group GH {\n group {\n A\n }\n}\n" + std::string(instances));
    EXPECT_EQ(summary(result), "error 2:2 there is no track_group 'H': nothing is tracked by this line\n");
    EXPECT_NE(summary(result, Severity::note).find("note 4:13 (GH) no static_ line names this track_group: it does nothing\n"), std::string::npos);
    EXPECT_TRUE(result.configuration.instances[0].track_static.empty());
    EXPECT_NE(summary(load_string("static_routes {\n 10.1.0.0/16 dev eth1 track_group G no_track\n}\ntrack_group G {\n group {\n A\n }\n}\n" + std::string(instances)))
                  .find("'track_group' does not go with 'no_track'"),
              std::string::npos);
}

TEST(StaticLines, AreDumpedAsTheyCanBeReadAgain) {
    const LoadResult result = load_string("static_ipaddress {\n 192.0.2.1/24 dev eth1 track_group G\n}\nstatic_routes {\n default via 192.0.2.9\n}\n"
                                          "static_rules {\n from 10.1.0.0/16 lookup 5\n}\ntrack_group G {\n group {\n A\n }\n}\n" + std::string(instances));
    const std::string first = dump(result.configuration);
    for (const char* words : {"    192.0.2.1/24 dev eth1 track_group G\n", "static_routes {\n    default via 192.0.2.9\n", "    inet from 10.1.0.0/16 priority 16384 lookup 5\n"}) {
        EXPECT_NE(first.find(words), std::string::npos) << words << first;
    }
    const LoadResult again = load_string(first);
    EXPECT_EQ(summary(again), "");
    EXPECT_EQ(dump(again.configuration), first);
}

}  // namespace vigil::config::test
