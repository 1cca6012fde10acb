// use_vmac_addr, garp_extra_if and garp_group in the plan.

#include <gtest/gtest.h>

#include "config/load.h"
#include "engine/daemon/plan.h"

namespace vigil::daemon {
namespace {

constexpr MacAddress eth0_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress eth1_mac{{2, 0, 0, 0, 1, 1}};
constexpr MacAddress mac51 = virtual_mac(Family::ipv4, Vrid{51});

arp::kernel::LinkState link(std::uint32_t index, const char* name, MacAddress mac) {
    arp::kernel::LinkState state;
    state.index = index;
    state.name = name;
    state.mac = mac;
    state.is_up = state.is_running = state.is_multicast_capable = true;
    return state;
}

struct Planned {
    config::LoadResult loaded;
    Plan plan;
};

Planned plan_of(const std::string& text) {
    KernelFacts facts;
    facts.links = {link(2, "eth0", eth0_mac), link(3, "eth1", eth1_mac)};
    facts.addresses.push_back({});
    facts.addresses.back().key = {2, *read_address("10.0.0.1"), 24, std::nullopt};
    Planned planned{config::load_text("test.conf", text), {}};
    EXPECT_FALSE(planned.loaded.diagnostics.has_errors());
    planned.plan = make_plan(planned.loaded.configuration, facts);
    return planned;
}

std::string instance(const std::string& lines, const std::string& name = "VI_1", int vrid = 51) {
    return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id " + std::to_string(vrid) + "\n" + lines + "\n}\n";
}

const std::string on_both = "virtual_ipaddress {\n10.0.0.100/24\n10.1.0.100/24 dev eth1\n10.1.0.101/24 dev eth1\n}\n";

TEST(PlanDevices, UseVmacAddrGivesAddressesElsewhereOneMacvlanForEachInterface) {
    const auto [loaded, plan] = plan_of("global_defs {\nvmac_addr_prefix far\n}\n" + instance("use_vmac_addr\n" + on_both));
    ASSERT_EQ(plan.devices.size(), 1u);
    const arp::kernel::MacvlanSpec& macvlan = plan.devices[0].macvlan;
    EXPECT_EQ(macvlan.base, "eth1");
    EXPECT_EQ(macvlan.mac, mac51);
    EXPECT_EQ(macvlan.name_prefix, "far");
    EXPECT_EQ(plan.routers[0].macvlan, nullptr) << "without use_vmac its own interface has none";
    EXPECT_EQ(plan.addresses[0].device, DeviceIndex::none);
    EXPECT_EQ(plan.addresses[1].device, DeviceIndex{0});
    EXPECT_EQ(plan.addresses[2].device, DeviceIndex{0});
    EXPECT_EQ(plan.addresses[1].link, engine::LinkIndex::none);
    const auto& announced = plan.engine.routers[0].announced;
    EXPECT_EQ(announced[0].mac, eth0_mac);
    EXPECT_EQ(announced[1].mac, mac51);
    EXPECT_EQ(plan.links[engine::to_number(announced[1].link)].name, "eth1");
}

TEST(PlanDevices, UseVmacBehindAnAddressIsForThatOne) {
    const auto [loaded, plan] = plan_of(instance("virtual_ipaddress {\n10.1.0.100/24 dev eth1\n10.1.0.101/24 dev eth1 use_vmac\n10.0.0.100/24 use_vmac\n}\n"));
    ASSERT_EQ(plan.devices.size(), 1u);
    EXPECT_EQ(plan.addresses[0].device, DeviceIndex::none);
    EXPECT_EQ(plan.addresses[1].device, DeviceIndex{0});
    EXPECT_EQ(plan.addresses[2].device, DeviceIndex::none);
    EXPECT_EQ(plan.devices[0].macvlan.name_prefix, "vrrp") << "vmac_prefix";
    EXPECT_EQ(loaded.diagnostics.count(config::Severity::note), 1u) << "use_vmac at home means nothing";
}

TEST(PlanDevices, AnExcludedAddressOfTheOtherFamilyHasItsOwnMac) {
    const auto [loaded, plan] = plan_of(instance("use_vmac\nuse_vmac_addr\nvirtual_ipaddress {\n10.0.0.100/24\n}\nvirtual_ipaddress_excluded {\n2001:db8::5/64\n}\n"));
    ASSERT_EQ(plan.devices.size(), 1u);
    EXPECT_EQ(plan.devices[0].macvlan.mac, virtual_mac(Family::ipv6, Vrid{51}));
    EXPECT_EQ(plan.devices[0].macvlan.base, "eth0");
    EXPECT_EQ(plan.addresses[1].device, DeviceIndex{0});
    EXPECT_EQ(plan.engine.routers[0].announced[1].mac, virtual_mac(Family::ipv6, Vrid{51}));
}

TEST(PlanDevices, ARemovedRouterTakesItsDevicesAlong) {
    auto [loaded, plan] = plan_of(instance("use_vmac_addr\ngarp_extra_if 60\n" + on_both) + instance("use_vmac_addr\ngarp_extra_if 60\n" + on_both, "VI_2", 52));
    ASSERT_EQ(plan.devices.size(), 2u);
    ASSERT_EQ(plan.engine.extra_refreshes.size(), 2u);
    plan.remove_router(0);
    ASSERT_EQ(plan.devices.size(), 1u);
    EXPECT_EQ(plan.devices[0].router, 0u);
    EXPECT_EQ(plan.devices[0].macvlan.vrid, Vrid{52});
    EXPECT_EQ(plan.addresses_of(plan.routers[0])[1].device, DeviceIndex{0});
    ASSERT_EQ(plan.engine.extra_refreshes.size(), 1u);
    EXPECT_EQ(plan.engine.extra_refreshes[0].router, engine::RouterIndex{0});
}

TEST(PlanExtraRefresh, IsForVirtualMacsThatTheAdvertsDoNotCarry) {
    const auto [loaded, plan] = plan_of(instance("use_vmac\nuse_vmac_addr\ngarp_extra_if 60\n" + on_both));
    ASSERT_EQ(plan.engine.extra_refreshes.size(), 1u);
    const engine::ExtraRefresh& extra = plan.engine.extra_refreshes[0];
    EXPECT_EQ(extra.period, std::chrono::seconds{60});
    EXPECT_EQ(extra.addresses, (std::vector<std::uint16_t>{1, 2}));
    EXPECT_EQ(plan.links[engine::to_number(extra.link)].name, "eth1");
}

TEST(PlanExtraRefresh, WithXmitBaseItIsForTheOwnInterfaceToo) {
    const auto [loaded, plan] = plan_of(instance("use_vmac\nvmac_xmit_base\ngarp_extra_if 60\n" + on_both));
    ASSERT_EQ(plan.engine.extra_refreshes.size(), 1u);
    EXPECT_EQ(plan.engine.extra_refreshes[0].addresses, std::vector<std::uint16_t>{0});
}

TEST(PlanExtraRefresh, AllMeansInterfacesWithoutAVirtualMacToo) {
    EXPECT_TRUE(plan_of(instance("garp_extra_if 60\n" + on_both)).plan.engine.extra_refreshes.empty());
    const auto [loaded, plan] = plan_of(instance("garp_extra_if all 60\n" + on_both));
    ASSERT_EQ(plan.engine.extra_refreshes.size(), 1u);
    EXPECT_EQ(plan.engine.extra_refreshes[0].addresses, (std::vector<std::uint16_t>{1, 2}));
    EXPECT_TRUE(plan_of(instance("garp_extra_if all 0\n" + on_both)).plan.engine.extra_refreshes.empty());
}

TEST(PlanPacing, GroupsHaveTheLinksThatAreUsed) {
    const auto [loaded, plan] = plan_of("garp_group {\ngarp_interval 0.5\ninterfaces {\neth1\neth9\neth0\n}\n}\ngarp_group {\ngna_interval 1\ninterface eth7\n}\n" +
                                        instance("virtual_ipaddress {\n10.0.0.100/24\n}\n"));
    ASSERT_EQ(plan.engine.pacing_groups.size(), 1u);
    EXPECT_EQ(plan.engine.pacing_groups[0].garp_interval, std::chrono::milliseconds{500});
    EXPECT_EQ(plan.engine.pacing_groups[0].gna_interval, Nanoseconds{0});
    EXPECT_EQ(plan.engine.pacing_groups[0].links, std::vector{plan.routers[0].link});
}

}  // namespace
}  // namespace vigil::daemon
