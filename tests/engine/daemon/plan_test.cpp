#include "engine/daemon/plan.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "engine/core/engine.h"
#include "engine/daemon/election_delay.h"

namespace vigil::daemon {
namespace {

using arp::kernel::AddressState;
using arp::kernel::LinkState;

constexpr MacAddress eth0_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress eth1_mac{{2, 0, 0, 0, 1, 1}};

LinkState link(std::uint32_t index, std::string name, MacAddress mac, bool is_up = true) {
    LinkState state;
    state.index = index;
    state.name = std::move(name);
    state.mac = mac;
    state.is_up = state.is_running = is_up;
    state.is_multicast_capable = true;
    return state;
}

AddressState address(std::uint32_t index, std::string_view text, std::uint8_t prefix = 24) {
    AddressState state;
    state.key = {index, *read_address(text), prefix, std::nullopt};
    return state;
}

KernelFacts usual_facts() {
    KernelFacts facts;
    facts.links = {link(2, "eth0", eth0_mac), link(3, "eth1", eth1_mac)};
    facts.links.push_back(link(1, "lo", {}));
    facts.links.back().is_loopback = true;
    facts.addresses = {address(2, "10.0.0.1"), address(2, "10.0.0.9"), address(2, "fe80::1", 64), address(2, "2001:db8::1", 64)};
    facts.wall_clock_seconds = 1'700'000'000;
    return facts;
}

/// A configuration of one instance on eth0 with `lines` in it, and its plan.
struct Planned {
    config::LoadResult loaded;
    Plan plan;
};

Planned plan_text(const std::string& text, const KernelFacts& facts = usual_facts()) {
    Planned planned{config::load_text("test.conf", text), {}};
    EXPECT_FALSE(planned.loaded.diagnostics.has_errors());
    planned.plan = make_plan(planned.loaded.configuration, facts);
    return planned;
}

std::string instance(const std::string& lines, const std::string& interface = "interface eth0") {
    return "vrrp_instance VI_1 {\n" + interface + "\nvirtual_router_id 51\n" + lines + "\n}\n";
}
const std::string vip = "virtual_ipaddress {\n10.0.0.100/24\n}\n";

TEST(Plan, AnInstanceBecomesARouterOnItsInterface) {
    const auto [loaded, plan] = plan_text(instance("priority 150\nadvert_int 2\n" + vip));
    ASSERT_EQ(plan.engine.routers.size(), 1u);
    const engine::RouterSpec& spec = plan.engine.routers[0];
    EXPECT_EQ(spec.name, "VI_1");
    EXPECT_EQ(plan.engine.links[engine::to_number(spec.link)].name, "eth0");
    EXPECT_EQ(spec.vrid, Vrid{51});
    EXPECT_EQ(spec.priority, Priority{150});
    EXPECT_EQ(spec.interval, Centiseconds{200});
    EXPECT_EQ(spec.version, VrrpVersion::v2);
    EXPECT_EQ(to_string(spec.primary_address), "10.0.0.1");
    EXPECT_EQ(spec.source_mac, eth0_mac);
    EXPECT_EQ(spec.group, vrrp_group_ipv4);
    ASSERT_EQ(spec.announced.size(), 1u);
    EXPECT_EQ(spec.announced[0].mac, eth0_mac);
    ASSERT_EQ(plan.routers[0].address_count, 1u);
    EXPECT_EQ(plan.links[engine::to_number(plan.addresses[0].link)].name, "eth0");
    EXPECT_EQ(plan.addresses[0].spec().key.prefix_length, 24);
    EXPECT_TRUE(plan.problems.empty());
}

TEST(Plan, AVirtualMacIsTheSourceOfAdvertsAndAnnouncements) {
    const auto [loaded, plan] = plan_text(instance("use_vmac\n" + vip));
    const engine::RouterSpec& spec = plan.engine.routers[0];
    const MacAddress expected{{0, 0, 0x5e, 0, 1, 51}};
    EXPECT_EQ(spec.source_mac, expected);
    EXPECT_EQ(spec.announced[0].mac, expected);
    EXPECT_EQ(plan.engine.links.size(), 1u);   // the macvlan carries addresses, not adverts
    ASSERT_TRUE(plan.routers[0].macvlan);
    EXPECT_EQ(plan.routers[0].macvlan->base, "eth0");
    EXPECT_EQ(plan.addresses[0].link, engine::LinkIndex::none);
}

TEST(Plan, XmitBaseSendsAdvertsWithTheInterfacesMacAndAnnouncesTheVirtualOne) {
    const auto [loaded, plan] = plan_text(instance("use_vmac\nvmac_xmit_base\n" + vip));
    EXPECT_EQ(plan.engine.routers[0].source_mac, eth0_mac);
    EXPECT_EQ(plan.engine.routers[0].announced[0].mac, virtual_mac(Family::ipv4, Vrid{51}));
}

TEST(Plan, RulesGiveTheVirtualMacToTheAddressesOfTheInterface) {
    const auto [loaded, plan] = plan_text(instance("use_vmac\nvmac_mode nftables\nvirtual_ipaddress {\n10.0.0.100/24\n10.0.0.101/24 dev eth0\n"
                                                   "10.1.0.100/24 dev eth1\n}\n"));
    const engine::RouterSpec& spec = plan.engine.routers[0];
    const MacAddress expected = virtual_mac(Family::ipv4, Vrid{51});
    EXPECT_EQ(spec.source_mac, expected);
    EXPECT_EQ(spec.announced[0].mac, expected);
    EXPECT_EQ(spec.announced[1].mac, expected);
    EXPECT_EQ(spec.announced[2].mac, eth1_mac);
    EXPECT_FALSE(plan.routers[0].macvlan);
    EXPECT_TRUE(plan.routers[0].has_ruled_mac);
    EXPECT_EQ(plan.routers[0].virtual_mac(), expected);
    EXPECT_EQ(plan.links[engine::to_number(plan.addresses[0].link)].name, "eth0");
    EXPECT_EQ(plan.links[engine::to_number(spec.link)].unicast_macs, std::vector{expected});   // the NIC must let it in
    EXPECT_TRUE(plan.problems.empty());
}

TEST(Plan, WithoutRulesInTheKernelThereAreMacvlans) {
    KernelFacts facts = usual_facts();
    int asked = 0;
    facts.why_no_virtual_mac_rules = [&] {
        ++asked;
        return std::string("it needs Linux 5.16");
    };
    std::string text = "global_defs {\nvmac_mode nftables\n}\n";
    for (const char* vrid : {"1", "2"}) {
        text += std::string("vrrp_instance VI_") + vrid + " {\ninterface eth0\nuse_vmac\nvirtual_router_id " + vrid + "\nvirtual_ipaddress {\n10.0.0.10" +
                vrid + "/24\n}\n}\n";
    }
    const auto [loaded, plan] = plan_text(text, facts);
    EXPECT_EQ(asked, 1);
    ASSERT_EQ(plan.routers.size(), 2u);
    for (const PlannedRouter& router : plan.routers) {
        EXPECT_TRUE(router.macvlan);
        EXPECT_FALSE(router.has_ruled_mac);
    }
    EXPECT_TRUE(plan.links[0].unicast_macs.empty());
    ASSERT_EQ(plan.problems.size(), 1u) << "once for all";
    EXPECT_FALSE(plan.problems[0].is_fatal);
    EXPECT_NE(plan.problems[0].text.find("it needs Linux 5.16. Every instance gets a macvlan"), std::string::npos) << plan.problems[0].text;
}

TEST(Plan, AnAddressOnAnotherDeviceIsAnnouncedThereWithItsMac) {
    const auto [loaded, plan] = plan_text(instance("virtual_ipaddress {\n10.0.0.100/24\n10.1.0.100/24 dev eth1\n}\n"));
    const engine::AnnouncedAddress& other = plan.engine.routers[0].announced[1];
    EXPECT_EQ(plan.engine.links[engine::to_number(other.link)].name, "eth1");
    EXPECT_EQ(other.mac, eth1_mac);
    EXPECT_EQ(plan.links[engine::to_number(plan.addresses[1].link)].name, "eth1");
    EXPECT_EQ(plan.links[1].router_count, 0u);
}

TEST(Plan, ExcludedAddressesAreProgrammedAndAnnouncedButNotAdvertised) {
    const auto [loaded, plan] = plan_text(instance(vip + "virtual_ipaddress_excluded {\n10.0.0.200/24\n2001:db8::200/64\n}\n"));
    EXPECT_EQ(plan.engine.routers[0].advertised.size(), 1u);
    EXPECT_EQ(plan.engine.routers[0].announced.size(), 3u);
    EXPECT_EQ(plan.routers[0].address_count, 3u);
}

TEST(Plan, ConfiguredSourceWinsAndDoesNotFollowTheInterface) {
    const auto [loaded, plan] = plan_text(instance("mcast_src_ip 10.0.0.9\n" + vip));
    EXPECT_EQ(to_string(plan.engine.routers[0].primary_address), "10.0.0.9");
    EXPECT_TRUE(plan.routers[0].has_fixed_source);
}

TEST(Plan, Ipv6SendsFromTheLinkLocalAddress) {
    const auto [loaded, plan] = plan_text(instance("virtual_ipaddress {\nfe80::100\n2001:db8::100/64\n}\n"));
    EXPECT_EQ(to_string(plan.engine.routers[0].primary_address), "fe80::1");
    EXPECT_EQ(plan.engine.routers[0].group, vrrp_group_ipv6);
}

TEST(Plan, UnicastWithoutInterfaceFollowsTheRouteToItsPeer) {
    KernelFacts facts = usual_facts();
    facts.find_route = [](const IpAddress&, std::string_view) { return arp::kernel::RouteAnswer{.interface_index = 3}; };
    facts.addresses.push_back(address(3, "10.1.0.1"));
    const auto [loaded, plan] = plan_text(instance("unicast_peer {\n10.1.0.2\n}\n" + vip, ""), facts);
    ASSERT_EQ(plan.routers.size(), 1u);
    EXPECT_EQ(plan.routers[0].interface(), "eth1");
    EXPECT_TRUE(plan.links[0].routes_ipv4);
    EXPECT_TRUE(plan.links[0].groups.empty());
}

TEST(Plan, UnicastWithoutInterfaceAndWithoutRouteDoesNotRunAndSaysWhatToDo) {
    const auto [loaded, plan] = plan_text(instance("unicast_peer {\n10.9.0.2\n}\n" + vip, ""));
    EXPECT_TRUE(plan.routers.empty());
    ASSERT_EQ(plan.problems.size(), 1u);
    EXPECT_TRUE(plan.problems[0].is_fatal);
    EXPECT_NE(plan.problems[0].text.find("Name the interface"), std::string::npos);
}

TEST(Plan, TheFilterOfALinkKnowsItsVridsByFamily) {
    const std::string text = "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n" + vip + "}\n" +
                             "vrrp_instance B {\ninterface eth0\nvirtual_router_id 255\nvirtual_ipaddress {\nfe80::100\n}\n}\n" +
                             "vrrp_instance C {\ninterface eth1\nvirtual_router_id 9\n" + vip + "}\n";
    const auto [loaded, plan] = plan_text(text);
    ASSERT_EQ(plan.links.size(), 2u);
    EXPECT_EQ(plan.links[0].filter.ipv4_vrids, io::VridSet{}.set(1));
    EXPECT_EQ(plan.links[0].filter.ipv6_vrids, io::VridSet{}.set(255));
    EXPECT_EQ(plan.links[1].filter.ipv4_vrids, io::VridSet{}.set(9));
    EXPECT_TRUE(plan.links[1].filter.ipv6_vrids.none());
}

TEST(Plan, AMissingInterfaceLetsTheInstanceWaitAndTheOthersRun) {
    const std::string text = "vrrp_instance A {\ninterface eth7\nvirtual_router_id 1\n" + vip + "}\n" + instance(vip);
    const auto [loaded, plan] = plan_text(text);
    ASSERT_EQ(plan.routers.size(), 2u);
    EXPECT_FALSE(plan.engine.links[0].is_up);
    EXPECT_EQ(plan.links[0].interface_index, 0u);
    EXPECT_TRUE(plan.engine.routers[0].primary_address.is_unspecified());
    ASSERT_EQ(plan.problems.size(), 1u);
    EXPECT_FALSE(plan.problems[0].is_fatal);
    EXPECT_EQ(plan.problems[0].where.line, 2u);   // the interface keyword
}

TEST(Plan, ALoopbackInterfaceIsRefused) {
    KernelFacts facts = usual_facts();
    facts.links[1].is_loopback = true;   // by its flag, whatever it is called; "lo" is refused when the file is read
    const auto [loaded, plan] = plan_text(instance(vip, "interface eth1"), facts);
    EXPECT_TRUE(plan.routers.empty());
    ASSERT_EQ(plan.problems.size(), 1u);
    EXPECT_TRUE(plan.problems[0].is_fatal);
}

TEST(Plan, AnInterfaceWithoutMulticastNeedsUnicastPeers) {
    KernelFacts facts = usual_facts();
    facts.links[0].is_multicast_capable = false;
    EXPECT_TRUE(plan_text(instance(vip), facts).plan.routers.empty());
    EXPECT_EQ(plan_text(instance("unicast_peer {\n10.0.0.2\n}\n" + vip), facts).plan.routers.size(), 1u);
}

TEST(Plan, ChecksumFormsFollowTheirKeywords) {
    const auto form = [](const std::string& lines) { return plan_text(instance("version 3\n" + lines + vip)).plan.engine.routers[0].checksum; };
    EXPECT_EQ(form(""), packet::ChecksumForm::pseudo_header);
    EXPECT_EQ(form("v3_checksum_as_v2\n"), packet::ChecksumForm::message_only);
    EXPECT_EQ(form("old_unicast_checksum\nunicast_peer {\n10.0.0.2\n}\n"), packet::ChecksumForm::group_pseudo_header);
}

TEST(Plan, AhStartsAboveWhatAnEarlierRunSent) {
    const auto [loaded, plan] = plan_text(instance("authentication {\nauth_type AH\nauth_pass secret\n}\n" + vip));
    EXPECT_EQ(plan.engine.routers[0].auth_type, packet::AuthType::ah);
    EXPECT_EQ(plan.engine.routers[0].ah_sequence_number, 1'700'000'000u);
    EXPECT_EQ(plan.engine.routers[0].auth_key, (packet::AuthKey{'s', 'e', 'c', 'r', 'e', 't', 0, 0}));
}

std::string signed_instance(int vrid, const std::string& key) {
    return "vrrp_instance VI_" + std::to_string(vrid) + " {\ninterface eth0\nvirtual_router_id " + std::to_string(vrid) +
           "\nvirtual_ipaddress {\n10.0.1." + std::to_string(vrid) + "\n}\n" + (key.empty() ? "" : "auth_hmac {\nkey 1 \"" + key + "\"\n}\n") + "}\n";
}

TEST(Plan, RoutersWithTheSameAuthHmacShareIt) {
    const std::string one(32, 'a'), other(32, 'b');
    Planned planned = plan_text(signed_instance(1, one) + signed_instance(2, "") + signed_instance(3, other) + signed_instance(4, one));
    engine::EngineSpec& spec = planned.plan.engine;
    ASSERT_EQ(spec.hmacs.size(), 2u);
    EXPECT_EQ(spec.hmacs[0].keys.at(0).octets, std::vector<std::uint8_t>(32, 'a'));
    EXPECT_EQ(spec.hmacs[0].active_key, 1);
    EXPECT_EQ(spec.hmacs[0].window_seconds, 5);
    ASSERT_EQ(spec.hmac_users.size(), 3u);
    EXPECT_EQ(engine::to_number(spec.hmac_users[1].router), 2u);
    EXPECT_EQ(spec.hmac_users[1].hmac, 1u);
    EXPECT_EQ(spec.hmac_users[2].hmac, 0u);
    planned.plan.remove_router(0);   // VI_1, which the engine has refused
    ASSERT_EQ(spec.hmac_users.size(), 2u);
    EXPECT_EQ(engine::to_number(spec.hmac_users[0].router), 1u);
    EXPECT_EQ(engine::to_number(spec.hmac_users[1].router), 2u);
    EXPECT_TRUE(engine::Engine::make(spec, Instant{0}).has_value());
}

TEST(Plan, ALinkHasRoomForSignedAdverts) {
    const std::uint32_t plain = plan_text(instance(vip)).plan.links[0].longest_frame;
    EXPECT_EQ(plain, 60u);
    EXPECT_EQ(plan_text(instance(vip + "auth_hmac {\nkey 1 " + std::string(32, 'a') + "\n}\n")).plan.links[0].longest_frame, 14u + 20 + 8 + 4 + 8 + 28);
}

TEST(ChooseSource, TakesTheFirstAddressThatIsNotVirtual) {
    const std::vector<PlannedAddress> own{{.address = *read_address("10.0.0.1")}};
    const auto addresses = group_by_interface({address(2, "10.0.0.1"), address(2, "10.0.0.9"), address(3, "10.0.0.3")});
    EXPECT_EQ(choose_source(addresses, 2, Family::ipv4, own, false), read_address("10.0.0.9"));
}

TEST(Plan, APlaceThatIsFreeSinceTheLastReloadIsUsedAgain) {
    const auto plan_with = [](const std::vector<std::string>& interfaces, const Plan* before) {
        std::string text;
        for (const std::string& name : interfaces) {
            text += "vrrp_instance VI_" + name + " {\ninterface " + name + "\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.100/24\n}\n}\n";
        }
        return make_plan(config::load_text("test.conf", text).configuration, usual_facts(), before);
    };
    const Plan both = plan_with({"eth0", "eth1"}, nullptr);
    const Plan one = plan_with({"eth1"}, &both);
    EXPECT_FALSE(one.links[0].is_used);
    // What eth0 left behind is cleared away during the reload that takes it out: nobody may have its place by then.
    const Plan other_at_once = plan_with({"eth1", "vlan7"}, &both);
    EXPECT_EQ(other_at_once.links.size(), 3u);
    const Plan other_later = plan_with({"eth1", "vlan7"}, &one);
    ASSERT_EQ(other_later.links.size(), 2u);
    EXPECT_EQ(other_later.links[0].name, "vlan7");
    EXPECT_EQ(other_later.engine.links[0].name, "vlan7");
    EXPECT_EQ(other_later.links[1].name, "eth1");
}

TEST(Plan, ATrackedSourceAddressThatIsMissingHoldsTheInstance) {
    const std::string text = instance("mcast_src_ip 10.0.0.7\ntrack_src_ip\n" + vip);
    const auto [loaded, plan] = plan_text(text);
    EXPECT_EQ(plan.routers.at(0).source, std::nullopt);
    EXPECT_EQ(plan.engine.routers.at(0).primary_address.octets, AddressOctets{});
    ASSERT_EQ(plan.problems.size(), 1u);
    EXPECT_FALSE(plan.problems[0].is_fatal);
    EXPECT_NE(plan.problems[0].text.find("interface 'eth0' does not have the source address 10.0.0.7"), std::string::npos);

    KernelFacts facts = usual_facts();
    facts.addresses.push_back(address(3, "10.0.0.7"));   // on another interface
    EXPECT_EQ(plan_text(text, facts).plan.routers.at(0).source, std::nullopt);
    facts.addresses.push_back(address(2, "10.0.0.7"));
    const auto [loaded_again, good] = plan_text(text, facts);
    EXPECT_EQ(good.routers.at(0).source, read_address("10.0.0.7"));
    EXPECT_TRUE(good.problems.empty());
    EXPECT_TRUE(plan_text(instance("mcast_src_ip 10.0.0.7\n" + vip)).plan.problems.empty());
}

TEST(Plan, AVrfIsWhereTheRouteToThePeerIsLookedFor) {
    KernelFacts facts = usual_facts();
    facts.find_route = [](const IpAddress&, std::string_view vrf) -> std::optional<arp::kernel::RouteAnswer> {
        if (vrf != "blue") return std::nullopt;
        return arp::kernel::RouteAnswer{.interface_index = 3};
    };
    const auto [loaded, plan] = plan_text(instance("unicast_peer {\n10.0.0.2\n}\n" + vip, "vrf blue"), facts);
    EXPECT_EQ(plan.routers.at(0).interface(), "eth1");
    const auto [loaded_again, lost] = plan_text(instance("unicast_peer {\n10.0.0.2\n}\n" + vip, "vrf red"), facts);
    EXPECT_TRUE(lost.routers.empty());
    EXPECT_NE(lost.problems.at(0).text.find("there is no route to its peer 10.0.0.2 in a VRF 'red'"), std::string::npos);
}

TEST(Plan, AnIpvlanHasTheAddressesAndTheMacOfItsBase) {
    const auto [loaded, plan] = plan_text(instance("use_ipvlan gate 10.0.0.7/24 private group 9\n" + vip));
    const PlannedRouter& router = plan.routers.at(0);
    ASSERT_NE(router.macvlan, nullptr);
    EXPECT_EQ(router.macvlan->name, "gate");
    EXPECT_EQ(router.macvlan->base, "eth0");
    EXPECT_EQ(router.macvlan->group, 9u);
    ASSERT_TRUE(router.macvlan->ipvlan);
    EXPECT_EQ(router.macvlan->ipvlan->mode, arp::kernel::IpvlanMode::isolated);
    ASSERT_TRUE(router.macvlan->ipvlan->own);
    EXPECT_EQ(router.macvlan->ipvlan->own->prefix_length, 24);
    EXPECT_EQ(plan.addresses.at(0).link, engine::LinkIndex::none);
    EXPECT_EQ(plan.engine.routers.at(0).source_mac, eth0_mac);
    EXPECT_EQ(plan.engine.routers.at(0).announced.at(0).mac, eth0_mac);
    EXPECT_EQ(router.source, read_address("10.0.0.7"));
    EXPECT_TRUE(plan.problems.empty());
}

TEST(ChooseSource, AnOwnerMaySendFromItsVirtualAddress) {
    const std::vector<PlannedAddress> own{{.address = *read_address("10.0.0.1")}};
    const auto addresses = group_by_interface({address(2, "10.0.0.1")});
    EXPECT_EQ(choose_source(addresses, 2, Family::ipv4, own, false), std::nullopt);
    EXPECT_EQ(choose_source(addresses, 2, Family::ipv4, own, true), read_address("10.0.0.1"));
}

TEST(ChooseSource, IgnoresWhatVigilAddedForAnotherRouter) {
    std::vector<AddressState> addresses{address(2, "10.0.0.77"), address(2, "10.0.0.9")};
    addresses[0].protocol = arp::kernel::our_address_protocol;
    EXPECT_EQ(choose_source(group_by_interface(addresses), 2, Family::ipv4, {}, false), read_address("10.0.0.9"));
}

TEST(ChooseSource, GlobalIpv6AddressesAreNoSource) {
    EXPECT_EQ(choose_source(group_by_interface({address(2, "2001:db8::1", 64)}), 2, Family::ipv6, {}, false), std::nullopt);
}

TEST(Plan, OneVridPassesTheFilterUnlessUnknownOnesAreLogged) {
    const auto [closed, plan] = plan_text(instance(vip));
    EXPECT_EQ(plan.links.at(0).filter.ipv4_vrids.count(), 1u);
    EXPECT_EQ(plan.links.at(0).filter.ipv6_vrids.count(), 0u);
    EXPECT_FALSE(plan.reports_unknown_vrids);
    const auto [open, wide] = plan_text("global_defs {\n log_unknown_vrids\n}\n" + instance(vip));
    EXPECT_EQ(wide.links.at(0).filter.ipv4_vrids.count(), 255u);
    EXPECT_EQ(wide.links.at(0).filter.ipv6_vrids.count(), 255u);
    EXPECT_FALSE(wide.links.at(0).filter.ipv4_vrids.test(0));
    EXPECT_TRUE(wide.reports_unknown_vrids);
}

TEST(ElectionDelay, TheLaterEndWins) {
    using namespace std::chrono_literals;
    config::GlobalDefinitions global;
    const Instant now = Instant{} + 100s;
    EXPECT_EQ(election_delay(global, now), 0s);
    global.vrrp_delay_after_boot = 90s;
    EXPECT_EQ(election_delay(global, now), 0s);
    global.vrrp_delay_after_boot = 102500ms;
    EXPECT_EQ(election_delay(global, now), 2500ms);
    global.vrrp_startup_delay = 3s;
    EXPECT_EQ(election_delay(global, now), 3s);
    global.vrrp_startup_delay = 1s;
    EXPECT_EQ(election_delay(global, now), 2500ms);
}

}  // namespace
}  // namespace vigil::daemon
