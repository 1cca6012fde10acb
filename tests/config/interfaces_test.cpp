#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string delays(const std::string& lines) { return "interface_up_down_delays {\n" + lines + "\n}\n"; }
std::string polled(const std::string& lines) { return "linkbeat_interfaces {\n" + lines + "\n}\n"; }

TEST(InterfaceDelays, HaveADownAndAnUp) {
    const LoadResult result = load_string(delays("eth0 0.25 1.5\neth1 1") + instance_with("track_interface {\n eth1\n}"));
    EXPECT_EQ(summary(result, Severity::note), "");
    const auto& read = result.configuration.interfaces.delays;
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].name, "eth0");
    EXPECT_EQ(read[0].down, milliseconds{250});
    EXPECT_EQ(read[0].up, milliseconds{1500});
    EXPECT_EQ(read[1].down, seconds{1});
    EXPECT_EQ(read[1].up, seconds{1});   // as the manual says
    EXPECT_NE(dump(result.configuration).find("interface_up_down_delays {\n    eth0 0.25 1.5\n    eth1 1 1\n}\n"), std::string::npos);
}

TEST(InterfaceDelays, WhatIsNoDelayDropsTheLine) {
    for (const std::string line : {"eth0", "eth0 -1", "eth0 256", "eth0 soon", "eth0 1s", "eth0 1 x", "a-name-of-16-char 1"}) {
        const LoadResult result = load_string(delays(line) + instance_with(""));
        EXPECT_EQ(result.diagnostics.count(Severity::error), 1u) << line;
        EXPECT_TRUE(result.configuration.interfaces.delays.empty()) << line;
    }
}

TEST(InterfaceDelays, TheSecondOfAnInterfaceIsIgnored) {
    const LoadResult result = load_string(delays("eth0 1\neth0 0.5") + instance_with(""));
    EXPECT_EQ(summary(result), "error 3:1 'eth0' is in the list on line 2 already: this one is ignored\n");
    EXPECT_EQ(result.configuration.interfaces.delays.at(0).down, seconds{1});
}

TEST(InterfaceDelays, DownIsShorterThanTheSilenceAfterWhichABackupTakesOver) {
    const LoadResult result = load_string(delays("eth0 2 30") + instance_with("advert_int 1"));
    EXPECT_EQ(summary(result), "warning 2:1 a Backup of instance 'VI_1' would take over before 'eth0' counts as down: 1.999 s is used for DOWN\n");
    EXPECT_EQ(result.configuration.interfaces.delays.at(0).down, milliseconds{1999});
    EXPECT_EQ(result.configuration.interfaces.delays.at(0).up, seconds{30});
    EXPECT_EQ(summary(load_string(delays("eth0 1.999") + instance_with("advert_int 1"))), "");
}

TEST(InterfaceDelays, MoreAdvertsAndAnUntrackedLinkAllowMore) {
    EXPECT_EQ(summary(load_string(delays("eth0 8") + instance_with("advert_int 1\ndown_timer_adverts 10"))), "");
    EXPECT_EQ(summary(load_string(delays("eth0 8") + instance_with("dont_track_primary"))), "");
    EXPECT_EQ(summary(load_string(delays("eth9 8") + instance_with("track_interface {\n eth9 weight 10\n}"))), "");
    EXPECT_EQ(load_string(delays("eth9 8") + instance_with("track_interface {\n eth9\n}")).configuration.interfaces.delays.at(0).down, milliseconds{1999});
}

TEST(InterfaceDelays, OneThatNobodyUsesIsToldOf) {
    EXPECT_EQ(summary(load_string(delays("eth7 1") + instance_with(""))), "warning 2:1 no instance uses or tracks 'eth7': its delays have no effect\n");
}

TEST(Linkbeat, NamesAMethodOrLeavesItToTheLink) {
    const LoadResult result = load_string(polled("eth0\neth1 ETHTOOL\neth2 MII\neth3 IOCTL") + instance_with("track_interface {\n eth1\n eth2\n eth3\n}"));
    EXPECT_EQ(summary(result, Severity::note), "");
    const auto& read = result.configuration.interfaces.polled;
    ASSERT_EQ(read.size(), 4u);
    EXPECT_EQ(read[0].probe, std::nullopt);
    EXPECT_EQ(read[1].probe, LinkProbe::ethtool);
    EXPECT_EQ(read[2].probe, LinkProbe::mii);
    EXPECT_EQ(read[3].probe, LinkProbe::ioctl);
    EXPECT_NE(dump(result.configuration).find("linkbeat_interfaces {\n    eth0\n    eth1 ETHTOOL\n    eth2 MII\n    eth3 IOCTL\n}\n"), std::string::npos);
}

TEST(Linkbeat, AnUnknownMethodLeavesItToTheLink) {
    const LoadResult result = load_string(polled("eth0 ETHTOL") + instance_with(""));
    EXPECT_EQ(summary(result), "error 2:6 unknown word 'ETHTOL' behind 'eth0': what the link can is used\n");
    EXPECT_NE(helps(result).find("did you mean 'ETHTOOL'?"), std::string::npos);
    EXPECT_EQ(result.configuration.interfaces.polled.at(0).probe, std::nullopt);
}

TEST(Linkbeat, OneThatNobodyUsesIsToldOf) {
    EXPECT_EQ(summary(load_string(polled("eth7") + instance_with(""))), "warning 2:1 no instance uses or tracks 'eth7': it is not polled\n");
}

TEST(Linkbeat, UsePollingIsForAllInterfacesOrForThatOfTheInstance) {
    EXPECT_TRUE(load_string("linkbeat_use_polling\n" + instance_with("")).configuration.interfaces.polls_all);
    const LoadResult result = load_string(polled("eth0 ETHTOOL") + instance_with("linkbeat_use_polling") +
                                          "vrrp_instance VI_2 {\n interface eth1\n linkbeat_use_polling\n virtual_router_id 8\n virtual_ipaddress {\n 10.0.0.2\n }\n}\n");
    EXPECT_FALSE(result.configuration.interfaces.polls_all);
    ASSERT_EQ(result.configuration.interfaces.polled.size(), 2u);
    EXPECT_EQ(result.configuration.interfaces.polled[0].probe, LinkProbe::ethtool);
    EXPECT_EQ(result.configuration.interfaces.polled[1].name, "eth1");
    EXPECT_NE(helps(result).find("use linkbeat_interfaces"), std::string::npos);
}

TEST(TrackSrcIp, NeedsASourceAddress) {
    const LoadResult result = load_string(instance_with("track_src_ip"));
    EXPECT_EQ(summary(result), "warning 7:1 (VI_1) 'track_src_ip' means nothing without unicast_src_ip or mcast_src_ip: ignored\n");
    EXPECT_FALSE(result.configuration.instances.at(0).track_src_ip);
    for (const std::string source : {"mcast_src_ip 10.0.0.7\n", "unicast_src_ip 10.0.0.7\n"}) {
        const LoadResult good = load_string(instance_with(source + "track_src_ip"));
        EXPECT_EQ(summary(good, Severity::note), "");
        EXPECT_TRUE(good.configuration.instances.at(0).track_src_ip);
        EXPECT_NE(dump(good.configuration).find("    track_src_ip\n"), std::string::npos);
    }
}

TEST(UseIpvlan, TakesItsWordsInAnyOrder) {
    const LoadResult result = load_string(instance_with("use_ipvlan private 10.0.0.7/24 name gate group 9"));
    EXPECT_EQ(summary(result, Severity::note), "");
    const VrrpInstance& instance = result.configuration.instances.at(0);
    ASSERT_TRUE(instance.ipvlan);
    EXPECT_EQ(instance.ipvlan->name, "gate");
    EXPECT_EQ(instance.ipvlan->address, read_address("10.0.0.7"));
    EXPECT_EQ(instance.ipvlan->prefix_length, 24);
    EXPECT_EQ(instance.ipvlan->mode, IpvlanMode::isolated);
    EXPECT_EQ(instance.ipvlan->group, 9u);
    EXPECT_EQ(instance.source_address, read_address("10.0.0.7"));
    EXPECT_NE(dump(result.configuration).find("    use_ipvlan gate 10.0.0.7/24 private group 9\n"), std::string::npos);
}

TEST(UseIpvlan, NeedsNone) {
    const LoadResult result = load_string(instance_with("mcast_src_ip 10.0.0.3\nuse_ipvlan 10.0.0.7"));
    EXPECT_EQ(summary(result, Severity::note), "");
    const VrrpInstance& instance = result.configuration.instances.at(0);
    EXPECT_EQ(instance.ipvlan->prefix_length, 32);
    EXPECT_EQ(instance.ipvlan->mode, IpvlanMode::bridge);
    EXPECT_EQ(instance.source_address, read_address("10.0.0.3"));
    EXPECT_TRUE(load_string(instance_with("use_ipvlan")).configuration.instances.at(0).ipvlan);
}

TEST(UseIpvlan, WhatItCannotUseIsToldAndLeftOut) {
    for (const std::string words : {"224.0.0.1", "10.0.0.7/33", "group x", "a-name-of-16-char", "one two", "name"}) {
        const LoadResult result = load_string(instance_with("use_ipvlan " + words));
        EXPECT_EQ(result.diagnostics.count(Severity::error), 1u) << words;
        EXPECT_TRUE(result.configuration.instances.at(0).ipvlan) << words;
    }
    const LoadResult other = load_string(instance_with("use_ipvlan fe80::7"));
    EXPECT_EQ(summary(other), "error 7:1 (VI_1) the address of use_ipvlan has another family than the virtual addresses: it is ignored\n");
    EXPECT_EQ(other.configuration.instances.at(0).ipvlan->address, std::nullopt);
}

TEST(UseIpvlan, DoesNotGoWithUseVmac) {
    const LoadResult result = load_string(instance_with("use_ipvlan\nuse_vmac"));
    EXPECT_EQ(summary(result), "error 7:1 (VI_1) use_vmac and use_ipvlan exclude each other: use_ipvlan is ignored\n");
    EXPECT_FALSE(result.configuration.instances.at(0).ipvlan);
}

std::string second_with(const std::string& extra) {
    return "vrrp_instance VI_2 {\n interface eth0\n virtual_router_id 8\n virtual_ipaddress {\n 10.0.0.2\n }\n " + extra + "\n}\n";
}

TEST(UseIpvlan, OneInterfaceHasOneKindOfDevicesAndOneMode) {
    EXPECT_NE(summary(load_string(instance_with("use_ipvlan") + second_with("use_vmac"))).find("error 15:2 (VI_2) an interface carries macvlans or ipvlans, not both"),
              std::string::npos);
    EXPECT_EQ(summary(load_string(instance_with("use_ipvlan") + second_with("use_vmac\nvmac_mode nftables"))), "");
    const LoadResult result = load_string(instance_with("use_ipvlan vepa") + second_with("use_ipvlan"));
    EXPECT_EQ(summary(result), "error 15:2 (VI_2) all ipvlans of an interface have one mode, and 'VI_1' has 'vepa', which is used\n");
    EXPECT_EQ(result.configuration.instances.at(1).ipvlan->mode, IpvlanMode::vepa);
}

TEST(Vrf, IsForInstancesWithoutAnInterface) {
    const std::string head = "vrrp_instance VI_1 {\n virtual_router_id 7\n unicast_peer {\n 10.0.0.9\n }\n virtual_ipaddress {\n 10.0.0.1/24\n }\n vrf blue\n";
    const LoadResult result = load_string(head + "}\n");
    EXPECT_EQ(summary(result, Severity::note), "");
    EXPECT_EQ(result.configuration.instances.at(0).vrf, "blue");
    EXPECT_NE(dump(result.configuration).find("    vrf blue\n"), std::string::npos);
    const LoadResult with_interface = load_string(head + " interface eth0\n}\n");
    EXPECT_EQ(summary(with_interface), "warning 9:2 (VI_1) 'vrf' means nothing with 'interface': the interface's own VRF is used\n");
    EXPECT_EQ(with_interface.configuration.instances.at(0).vrf, "");
}

TEST(DynamicInterfaces, AMissingInterfaceIsNothingToWarnOf) {
    LoadOptions options;
    options.is_known_interface = [](std::string_view) { return false; };
    EXPECT_EQ(load_string(instance_with(""), options).diagnostics.count(Severity::warning), 1u);
    const LoadResult result = load_string(instance_with("") + "global_defs {\n dynamic_interfaces\n}\n", options);
    EXPECT_EQ(summary(result), "");
    EXPECT_EQ(summary(result, Severity::note), "note 2:12 (VI_1) there is no interface 'eth0'\n");
    EXPECT_FALSE(result.configuration.interfaces.may_change_kind);
    EXPECT_NE(dump(result.configuration).find("    dynamic_interfaces\n"), std::string::npos);
}

TEST(DynamicInterfaces, MayComeBackAsAnotherKind) {
    const LoadResult result = load_string("global_defs {\n dynamic_interfaces allow_if_changes\n}\n");
    EXPECT_EQ(summary(result, Severity::note), "");
    EXPECT_TRUE(result.configuration.interfaces.may_change_kind);
    EXPECT_NE(dump(result.configuration).find("    dynamic_interfaces allow_if_changes\n"), std::string::npos);
}

TEST(DynamicInterfaces, AnotherWordIsAnErrorAndTheKeywordStands) {
    const LoadResult result = load_string("global_defs {\n dynamic_interfaces on\n}\n");
    EXPECT_EQ(summary(result), "error 2:21 'dynamic_interfaces' stands alone or with 'allow_if_changes', not with 'on': taken as if it stood alone\n");
    EXPECT_TRUE(result.configuration.interfaces.may_be_absent);
}

}  // namespace vigil::config::test
