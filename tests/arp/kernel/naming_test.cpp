#include <gtest/gtest.h>

#include <set>

#include "arp/kernel/leftovers.h"
#include "arp/kernel/macvlan.h"
#include "arp/kernel/sysctl.h"

namespace vigil::arp::kernel {
namespace {

std::string chosen(const MacvlanSpec& spec, const std::set<std::string, std::less<>>& taken) {
    return choose_macvlan_name(spec, [&](std::string_view name) { return taken.contains(name); });
}

TEST(MacvlanName, IsPrefixAndVrid) {
    EXPECT_EQ(chosen({.vrid = Vrid{51}}, {}), "vrrp.51");
    EXPECT_EQ(chosen({.vrid = Vrid{51}, .family = Family::ipv6}, {}), "vrrp.51");
    EXPECT_EQ(chosen({.vrid = Vrid{51}, .name_prefix = "gw"}, {}), "gw.51");
}

TEST(MacvlanName, TakesTheNextNumberWhenTaken) {
    EXPECT_EQ(chosen({.vrid = Vrid{51}}, {"vrrp.51"}), "vrrp1.51");
    EXPECT_EQ(chosen({.vrid = Vrid{51}}, {"vrrp.51", "vrrp1.51", "vrrp2.51"}), "vrrp3.51");
    EXPECT_EQ(chosen({.vrid = Vrid{51}, .family = Family::ipv6}, {"vrrp.51"}), "vrrp6.51");
    EXPECT_EQ(chosen({.vrid = Vrid{51}, .family = Family::ipv6}, {"vrrp.51", "vrrp6.51"}), "vrrp1.51");
}

TEST(MacvlanName, IsCutAtFifteenCharactersBeforeTheNumber) {
    const MacvlanSpec spec{.vrid = Vrid{255}, .name_prefix = "a-very-long-prefix"};
    EXPECT_EQ(chosen(spec, {}), "a-very-long.255");
    EXPECT_EQ(chosen(spec, {"a-very-long.255"}), "a-very-lon1.255");
}

TEST(MacvlanName, IsEmptyWhenAllAreTaken) {
    EXPECT_EQ(choose_macvlan_name({.vrid = Vrid{1}}, [](std::string_view) { return true; }), "");
}

TEST(SysctlPath, KeepsTheDotsOfInterfaceNames) {
    EXPECT_EQ(sysctl_path_from_dots("net.ipv4.conf.vrrp.51.rp_filter"), "net/ipv4/conf/vrrp.51/rp_filter");
    EXPECT_EQ(sysctl_path_from_dots("net.ipv6.conf.eth0.100.disable_ipv6"), "net/ipv6/conf/eth0.100/disable_ipv6");
    EXPECT_EQ(sysctl_path_from_dots("net.ipv4.neigh.a.b.c.app_solicit"), "net/ipv4/neigh/a.b.c/app_solicit");
    EXPECT_EQ(sysctl_path_from_dots("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
    EXPECT_EQ(interface_setting(Family::ipv4, "vrrp.51", "rp_filter"), "net/ipv4/conf/vrrp.51/rp_filter");
}

TEST(SysctlPath, RefusesANameThatLeavesTheDirectory) {
    for (const std::string_view name : {"", ".", "..", "../all", "a/b"}) {
        EXPECT_EQ(interface_setting(Family::ipv4, name, "rp_filter"), "") << name;
    }
}

TEST(Leftovers, AreMarkedAddressesConfiguredAddressesAndMarkedMacvlans) {
    LinkState base{.index = 2, .name = "eth0"};
    LinkState ours{.index = 3, .name = "vrrp.51", .kind = "macvlan", .alias = "vigil vrrp 51 ipv4 on eth0"};
    LinkState other{.index = 4, .name = "vrrp.52", .kind = "macvlan", .alias = "somebody else's"};
    LinkState liar{.index = 5, .name = "veth0", .kind = "veth", .alias = "vigil vrrp 51 ipv4 on eth0"};
    const auto address = [](std::uint32_t index, std::uint8_t last, std::uint8_t prefix, std::uint8_t protocol) {
        return AddressState{.key = {index, ipv4(192, 0, 2, last), prefix, {}}, .protocol = protocol};
    };
    const std::vector links{base, ours, other, liar};
    const std::vector addresses{address(2, 1, 24, 0), address(2, 2, 32, our_address_protocol), address(2, 3, 32, 0),
                                address(2, 4, 24, 0), address(3, 5, 32, our_address_protocol)};
    const std::vector<AddressKey> configured{addresses[2].key, {2, ipv4(192, 0, 2, 4), 32, {}}};
    const Leftovers found = find_leftovers(links, addresses, configured);
    EXPECT_EQ(found.addresses, (std::vector{addresses[1].key, addresses[2].key}));
    EXPECT_EQ(found.macvlans, std::vector{ours});
}

}  // namespace
}  // namespace vigil::arp::kernel
