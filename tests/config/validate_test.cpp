#include <gtest/gtest.h>

#include <set>

#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

/// A named instance on eth0 with `lines` added.
std::string named(std::string_view name, int vrid, std::string_view lines) {
    return "vrrp_instance " + std::string(name) + " {\n interface eth0\n virtual_router_id " + std::to_string(vrid) + "\n" +
           std::string(lines) + "\n}\n";
}
const std::string with_address = "virtual_ipaddress {\n 10.0.0.1\n}";

TEST(Required, WithoutVridTheInstanceIsDroppedAndTheOthersStay) {
    const LoadResult result = load_string("vrrp_instance A {\n interface eth0\n" + with_address + "\n}\n" + named("B", 2, with_address));
    ASSERT_EQ(result.configuration.instances.size(), 1u);
    EXPECT_EQ(result.configuration.instances[0].name, "B");
    EXPECT_EQ(summary(result), "error 1:15 (A) has no virtual_router_id: the instance is not used\n");
    EXPECT_EQ(test_exit_code(result.diagnostics), 5);
}

TEST(Required, WithoutInterfaceTheInstanceIsDropped) {
    const LoadResult result = load_string("vrrp_instance A {\n virtual_router_id 1\n" + with_address + "\n}\n");
    EXPECT_TRUE(result.configuration.instances.empty());
    EXPECT_EQ(summary(result), "error 1:15 (A) has no interface: the instance is not used\n");
}

TEST(Required, TheLoopbackInterfaceIsRefused) {
    EXPECT_TRUE(load_string("vrrp_instance A {\n interface lo\n virtual_router_id 1\n" + with_address + "\n}\n")
                    .configuration.instances.empty());
}

TEST(Required, Version3NeedsAnAddress) {
    const LoadResult result = load_string(named("A", 1, "version 3"));
    EXPECT_TRUE(result.configuration.instances.empty());
    EXPECT_EQ(load_string(named("A", 1, "version 3\nno_virtual_ipaddress")).configuration.instances.size(), 1u);
}

TEST(Required, Version2WithoutAddressIsAWarning) {
    const LoadResult result = load_string(named("A", 1, ""));
    EXPECT_EQ(result.configuration.instances.size(), 1u);
    EXPECT_EQ(summary(result), "warning 1:15 (A) has no virtual address\n");
    EXPECT_EQ(summary(load_string(named("A", 1, "no_virtual_ipaddress"))), "");
}

TEST(Required, AnInterfaceThatIsNotThereIsAWarningWhenSomebodyKnows) {
    LoadOptions options;
    options.is_known_interface = [](std::string_view name) { return name == "eth1"; };
    const LoadResult result = load_string(named("A", 1, with_address), options);
    EXPECT_EQ(result.configuration.instances.size(), 1u);
    EXPECT_EQ(summary(result), "warning 2:12 (A) there is no interface 'eth0'\n");
}

TEST(Required, TrackedInterfacesAndDevicesAreLookedUpToo) {
    LoadOptions options;
    options.is_known_interface = [](std::string_view name) { return name == "eth0"; };
    const LoadResult result =
        load_string(named("A", 1, "virtual_ipaddress {\n 10.0.0.1 dev eth5\n}\ntrack_interface {\n eth6\n}"), options);
    EXPECT_EQ(summary(result), "warning 5:2 (A) there is no interface 'eth5'\nwarning 8:2 (A) there is no interface 'eth6'\n");
}

TEST(Duplicates, OfANameSkipTheSecondInstance) {
    const LoadResult result = load_string(named("A", 1, with_address) + named("A", 2, with_address));
    ASSERT_EQ(result.configuration.instances.size(), 1u);
    EXPECT_EQ(to_number(result.configuration.instances[0].vrid), 1);
    EXPECT_EQ(summary(result), "error 8:15 there is a vrrp_instance 'A' already, on line 1: this one is ignored\n");
}

TEST(Duplicates, OfTheNameOfAnUnusableInstanceAreUsedInItsPlace) {
    const std::string without_vrid = "vrrp_instance A {\n interface eth0\n virtual_ipaddress {\n 10.0.0.9\n }\n}\n";
    const LoadResult result = load_string(without_vrid + without_vrid + named("A", 2, with_address) + named("A", 3, with_address));
    ASSERT_EQ(result.configuration.instances.size(), 1u);
    EXPECT_EQ(to_number(result.configuration.instances[0].vrid), 2);
    EXPECT_EQ(summary(result),
              "error 1:15 (A) has no virtual_router_id: the instance is not used\n"
              "error 7:15 (A) has no virtual_router_id: the instance is not used\n"
              "warning 13:15 the vrrp_instance 'A' on line 1 cannot be used: this one is used in its place\n"
              "error 20:15 there is a vrrp_instance 'A' already, on line 13: this one is ignored\n");
}

TEST(Duplicates, OfTheNameOfAnInstanceWithATakenVridAreUsedInItsPlace) {
    const LoadResult result = load_string(named("A", 1, with_address) + named("B", 1, "virtual_ipaddress {\n 10.0.0.2\n}") +
                                          named("B", 2, "virtual_ipaddress {\n 10.0.0.2\n}"));
    ASSERT_EQ(result.configuration.instances.size(), 2u);
    EXPECT_EQ(to_number(result.configuration.instances[1].vrid), 2);
}

TEST(Duplicates, OfAVridOnAnInterfaceDropTheSecondInstance) {
    const LoadResult result = load_string(named("A", 1, with_address) + named("B", 1, "virtual_ipaddress {\n 10.0.0.2\n}"));
    ASSERT_EQ(result.configuration.instances.size(), 1u);
    EXPECT_EQ(summary(result), "error 8:15 (B) uses VRID 1 on eth0, as 'A' on line 1 does: the instance is not used\n");
}

TEST(Duplicates, OfAVridAreFineForTheOtherFamilyOrGroup) {
    EXPECT_EQ(load_string(named("A", 1, with_address) + named("B", 1, "virtual_ipaddress {\n fe80::1\n}") +
                          named("C", 1, with_address + "\nmcast_dst_ip 224.0.0.99")).configuration.instances.size(), 3u);
}

TEST(Duplicates, OfAnAddressAreIgnoredWithAWarning) {
    const LoadResult result = load_string(named("A", 1, "virtual_ipaddress {\n 10.0.0.2\n 10.0.0.1\n 10.0.0.2\n 10.0.0.3\n}"));
    const auto& addresses = result.configuration.instances.at(0).virtual_addresses;
    ASSERT_EQ(addresses.size(), 3u);
    EXPECT_EQ(to_string(addresses[0].address), "10.0.0.2");
    EXPECT_EQ(to_string(addresses[1].address), "10.0.0.1");
    EXPECT_EQ(to_string(addresses[2].address), "10.0.0.3");
    EXPECT_EQ(summary(result), "warning 7:2 (A) this address is in the list already: ignored\n");
}

TEST(Duplicates, OfAnAddressInTwoInstancesAreAWarningThatNamesTheFirst) {
    const LoadResult result = load_string(named("A", 1, with_address) + named("B", 2, with_address) +
                                          named("C", 3, "virtual_ipaddress {\n 10.0.0.3\n}\nvirtual_ipaddress_excluded {\n 10.0.0.1\n}"));
    EXPECT_EQ(result.configuration.instances.size(), 3u);
    EXPECT_EQ(summary(result),
              "warning 12:2 (B) 10.0.0.1 is an address of 'A' on line 5 already\n"
              "warning 22:2 (C) 10.0.0.1 is an address of 'A' on line 5 already\n");
}

TEST(Duplicates, OfAnAddressAreFineOnAnotherDeviceAndBesideAnUnusableInstance) {
    const std::string elsewhere = "virtual_ipaddress {\n 10.0.0.1 dev eth1\n}";
    EXPECT_EQ(summary(load_string(named("A", 1, with_address) + named("B", 2, elsewhere))), "");
    EXPECT_EQ(summary(load_string(named("A", 1, elsewhere) + named("B", 2, elsewhere))),
              "warning 12:2 (B) 10.0.0.1 is an address of 'A' on line 5 already\n");
    EXPECT_EQ(load_string("vrrp_instance A {\n interface eth0\n" + with_address + "\n}\n" + named("B", 2, with_address))
                  .diagnostics.count(Severity::warning),
              0u);
}

TEST(Families, OfVirtualAddressesAreNotMixed) {
    const LoadResult result = load_string(named(
        "A", 1, "virtual_ipaddress {\n 10.0.0.1\n fe80::1\n 10.0.0.2\n}\nvirtual_ipaddress_excluded {\n fe80::2\n 10.0.0.9\n}"));
    const VrrpInstance& instance = result.configuration.instances.at(0);
    EXPECT_EQ(instance.virtual_addresses.size(), 2u);
    EXPECT_EQ(instance.excluded_addresses.size(), 2u);
    EXPECT_NE(summary(result).find("error 6:2 (A) the virtual addresses of an instance are all IPv4 or all IPv6"), std::string::npos);
}

TEST(Families, Ipv6MeansVersion3AndItsGroup) {
    const VrrpInstance instance = load_string(named("A", 1, "virtual_ipaddress {\n fe80::1\n}")).configuration.instances.at(0);
    EXPECT_EQ(instance.family, Family::ipv6);
    EXPECT_EQ(instance.version, VrrpVersion::v3);
    EXPECT_EQ(to_string(instance.multicast_group), "ff02::12");
}

TEST(Families, Version2WithIpv6BecomesVersion3WithAWarning) {
    const LoadResult result = load_string(named("A", 1, "version 2\nvirtual_ipaddress {\n fe80::1\n}"));
    EXPECT_EQ(result.configuration.instances.at(0).version, VrrpVersion::v3);
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 1u);
}

TEST(Families, OfPeersSourceAndGroupMustBeThatOfTheAddresses) {
    const LoadResult result = load_string(
        named("A", 1, with_address + "\nunicast_peer {\n fe80::3\n 10.0.0.3\n}\nunicast_src_ip fe80::1\nmcast_dst_ip ff02::99"));
    const VrrpInstance& instance = result.configuration.instances.at(0);
    EXPECT_EQ(instance.unicast_peers.size(), 1u);
    EXPECT_FALSE(instance.source_address.has_value());
    EXPECT_EQ(to_string(instance.multicast_group), "224.0.0.18");
    EXPECT_EQ(result.diagnostics.count(Severity::error), 3u);
}

TEST(Families, TheFirstIpv6AddressShouldBeLinkLocal) {
    const LoadResult result = load_string(named("A", 1, "virtual_ipaddress {\n 2001:db8::1\n}"));
    EXPECT_EQ(summary(result), "");
    EXPECT_NE(summary(result, Severity::note).find("should be link-local"), std::string::npos);
}

TEST(Overflow, BeyondWhatAnAdvertisementCarriesAddressesAreExcluded) {
    std::string lines;
    for (int n = 0; n < 260; ++n) lines += " 10.0." + std::to_string(n / 250) + "." + std::to_string(n % 250 + 1) + "\n";
    const LoadResult result = load_string(named("A", 1, "virtual_ipaddress {\n" + lines + "}\nvirtual_ipaddress_excluded {\n 10.9.9.9\n}"));
    const VrrpInstance& instance = result.configuration.instances.at(0);
    EXPECT_EQ(instance.virtual_addresses.size(), 255u);
    ASSERT_EQ(instance.excluded_addresses.size(), 6u);
    EXPECT_EQ(to_string(instance.excluded_addresses[0].address), "10.0.1.6");
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 1u);
}

TEST(Overflow, Ipv6AddressesMustFitThePacket) {
    std::string lines = " fe80::1\n";
    for (int n = 2; n < 100; ++n) lines += " 2001:db8::" + std::to_string(n) + "\n";
    const VrrpInstance instance = load_string(named("A", 1, "virtual_ipaddress {\n" + lines + "}")).configuration.instances.at(0);
    EXPECT_EQ(instance.virtual_addresses.size(), 90u);
    EXPECT_EQ(instance.excluded_addresses.size(), 9u);
}

TEST(Authentication, IsDroppedInVersion3) {
    const LoadResult result = load_string(named("A", 1, "version 3\nauthentication {\n auth_type PASS\n auth_pass 1\n}\n" + with_address));
    EXPECT_EQ(result.configuration.instances.at(0).auth_type, AuthenticationType::none);
    EXPECT_EQ(result.configuration.instances.at(0).auth_pass, (std::array<std::uint8_t, 8>{}));
    EXPECT_NE(summary(result).find("version 3 has no authentication"), std::string::npos);
}

TEST(Authentication, AhWithIpv6IsDropped) {
    EXPECT_EQ(load_string(named("A", 1, "authentication {\n auth_type AH\n auth_pass 1\n}\nvirtual_ipaddress {\n fe80::1\n}"))
                  .configuration.instances.at(0)
                  .auth_type,
              AuthenticationType::none);
}

TEST(Authentication, AhDoesNotGoWithStateMaster) {
    const LoadResult result = load_string(
        named("A", 1, "state MASTER\npriority 100\nauthentication {\n auth_type AH\n auth_pass 1\n}\n" + with_address));
    EXPECT_EQ(result.configuration.instances.at(0).state, InitialState::backup);
    EXPECT_EQ(result.diagnostics.count(Severity::warning), 1u);
}

TEST(Preemption, NopreemptIsClearedWithStateMaster) {
    const LoadResult result = load_string(named("A", 1, "state MASTER\npriority 100\nnopreempt\n" + with_address));
    EXPECT_FALSE(result.configuration.instances.at(0).nopreempt);
    EXPECT_EQ(summary(result), "warning 6:1 (A) 'nopreempt' does not go with 'state MASTER': it is ignored\n");
}

TEST(Preemption, NopreemptIsClearedForTheOwner) {
    EXPECT_FALSE(load_string(named("A", 1, "priority 255\nnopreempt\n" + with_address)).configuration.instances.at(0).nopreempt);
}

TEST(Preemption, PreemptDelayIsClearedWithStateMasterAndWithNopreempt) {
    EXPECT_EQ(load_string(named("A", 1, "state MASTER\npriority 100\npreempt_delay 5\n" + with_address))
                  .configuration.instances.at(0)
                  .preempt_delay,
              0ns);
    EXPECT_EQ(load_string(named("A", 1, "nopreempt\npreempt_delay 5\n" + with_address)).configuration.instances.at(0).preempt_delay, 0ns);
    EXPECT_EQ(load_string(named("A", 1, "preempt_delay 5\n" + with_address)).configuration.instances.at(0).preempt_delay, 5s);
}

VrrpInstance strict(std::string_view lines, std::size_t warnings = 0) {
    const LoadResult result = load_string("global_defs {\n vrrp_strict\n}\n" + named("A", 1, std::string(lines) + "\n" + with_address));
    EXPECT_EQ(result.diagnostics.count(Severity::warning) + result.diagnostics.count(Severity::error), warnings) << summary(result);
    return result.configuration.instances.empty() ? VrrpInstance{} : result.configuration.instances[0];
}

TEST(StrictMode, SetsItsOwnDefaults) {
    const VrrpInstance instance = strict("");
    EXPECT_TRUE(instance.strict_mode);
    EXPECT_FALSE(instance.accept);
    EXPECT_TRUE(instance.lower_prio_no_advert);
    EXPECT_FALSE(instance.higher_prio_send_advert);
    EXPECT_FALSE(instance.owner_ignore_adverts);
    EXPECT_EQ(instance.announcements.lower_prio_repeat, 0u);
    EXPECT_EQ(instance.announcements.lower_prio_delay, 0ns);
}

TEST(StrictMode, OwnersAcceptAreMasterAndIgnoreAdverts) {
    const VrrpInstance instance = strict("priority 255");
    EXPECT_TRUE(instance.accept);
    EXPECT_EQ(instance.state, InitialState::master);
    EXPECT_TRUE(instance.owner_ignore_adverts);
}

TEST(StrictMode, OnlyOwnersAreMaster) { EXPECT_EQ(strict("state MASTER\npriority 100", 1).state, InitialState::backup); }

TEST(StrictMode, AcceptMayBeAskedForInVersion3Only) {
    EXPECT_TRUE(strict("version 3\naccept").accept);
    EXPECT_FALSE(strict("version 2\naccept").accept);
}

TEST(StrictMode, RefusesWhatTheStandardDoesNotHave) {
    EXPECT_EQ(strict("authentication {\n auth_type PASS\n auth_pass 1\n}", 1).auth_type, AuthenticationType::none);
    EXPECT_EQ(strict("preempt_delay 5", 1).preempt_delay, 0ns);
    EXPECT_EQ(strict("down_timer_adverts 5", 1).down_timer_adverts, 3);
    EXPECT_FALSE(strict("use_vmac 02:00:00:00:00:01", 1).virtual_mac.address.has_value());
    EXPECT_FALSE(strict("use_vmac\nvmac_xmit_base", 1).vmac_xmit_base);
}

TEST(StrictMode, DropsUnicastInstances) {
    const LoadResult result =
        load_string("global_defs {\n vrrp_strict\n}\n" + named("A", 1, with_address + "\nunicast_peer {\n10.0.0.3\n}"));
    EXPECT_TRUE(result.configuration.instances.empty());
}

TEST(StrictMode, AnInstanceMayTurnItOff) { EXPECT_TRUE(strict("strict_mode off").accept); }

TEST(GlobalDefaults, ThatAreCopiedReachOnlyTheInstancesThatFollow) {
    const LoadResult result =
        load_string(named("A", 1, with_address) + "global_defs {\n vrrp_garp_master_repeat 9\n vrrp_version 3\n}\n" +
                    named("B", 2, with_address));
    EXPECT_EQ(result.configuration.instances.at(0).announcements.repeat, 5u);
    EXPECT_EQ(result.configuration.instances.at(1).announcements.repeat, 9u);
    EXPECT_EQ(result.configuration.instances.at(0).version, VrrpVersion::v3);  // looked up when all is read
    EXPECT_NE(summary(result, Severity::note).find("note 9:2 this default does not reach the instances above it"), std::string::npos);
}

TEST(Scale, SixtyFiveThousandInstancesKeepTheirValues) {
    constexpr int count = 65'280;
    std::string text;
    for (int n = 0; n < count; ++n) {
        text += "vrrp_instance VI_" + std::to_string(n) + " {\n interface eth" + std::to_string(n / 255) +
                "\n virtual_router_id " + std::to_string(n % 255 + 1) + "\n virtual_ipaddress {\n 10." + std::to_string(n / 255) +
                "." + std::to_string(n % 255) + ".1/24\n }\n}\n";
    }
    const LoadResult result = load_string(text);
    ASSERT_EQ(result.configuration.instances.size(), static_cast<std::size_t>(count));
    EXPECT_TRUE(result.diagnostics.all().empty());
    const VrrpInstance& last = result.configuration.instances.back();
    EXPECT_EQ(last.name, "VI_65279");
    EXPECT_EQ(last.interface, "eth255");
    EXPECT_EQ(to_number(last.vrid), 255);
    EXPECT_EQ(to_string(last.virtual_addresses.at(0).address), "10.255.254.1");
    std::set<const char*> interfaces;
    for (const VrrpInstance& instance : result.configuration.instances) interfaces.insert(instance.interface.data());
    EXPECT_EQ(interfaces.size(), 256u);  // each name is stored once
}

TEST(Scale, ALoopMakesAsManyInstancesAsAFile) {
    const LoadResult result = load_string(
        "$ROUTER=\\\nvrrp_instance VI_${IF}_${ID} {\\\n interface eth${IF}\\\n virtual_router_id $ID\\\n"
        " virtual_ipaddress {\\\n 10.${IF}.${ID}.1/24\\\n }\\\n}\n~SEQ(IF, 0, 99) ~SEQ(ID, 1, 255) $ROUTER\n");
    EXPECT_EQ(result.configuration.instances.size(), 25'500u);
    EXPECT_TRUE(result.diagnostics.all().empty());
}

}  // namespace vigil::config::test
