#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arp/kernel/address_programmer.h"
#include "arp/kernel/kernel_state.h"
#include "arp/kernel/macvlan.h"
#include "config/model.h"
#include "engine/core/spec.h"
#include "engine/daemon/settings_pool.h"
#include "engine/io/packet_filter.h"

namespace vigil::daemon {

/// What the translation needs to know of this host. Tests give a made-up one.
struct KernelFacts {
    std::vector<arp::kernel::LinkState> links;
    std::vector<arp::kernel::AddressState> addresses;   ///< in the kernel's order: an interface's first address comes first
    std::vector<arp::kernel::AddressState> addresses_before;   ///< as they were before we took virtual ones away at the start; may be empty
    /// For unicast routers without `interface`; nullopt when there is no route, or no such VRF. `vrf` is empty for the usual tables.
    std::function<std::optional<arp::kernel::RouteAnswer>(const IpAddress&, std::string_view vrf)> find_route;
    std::function<bool(const std::string& interface)> forwards_ipv6;
    /// Why there can be no virtual MACs by nftables here, for an operator; empty when there can. Not set: there can.
    std::function<std::string()> why_no_virtual_mac_rules;
    std::uint32_t wall_clock_seconds = 0;               ///< first AH sequence number
};

/// A macvlan for addresses that are not on their router's own interface, or not of its family: use_vmac_addr, or use_vmac behind an address.
struct PlannedDevice {
    std::uint32_t router = 0;          ///< in Plan::routers
    engine::LinkIndex link = engine::LinkIndex::none;   ///< what it sits on
    arp::kernel::MacvlanSpec macvlan;
};
enum class DeviceIndex : std::uint32_t { none = ~0u };
constexpr std::size_t to_number(DeviceIndex index) { return static_cast<std::size_t>(index); }

/// An address that the control thread programs while the router is Active. Small, because there are many: the rest is in the configuration.
struct PlannedAddress {
    IpAddress address;
    std::uint8_t prefix_length = 32;
    engine::LinkIndex link = engine::LinkIndex::none;   ///< of its device; none: a virtual MAC device
    DeviceIndex device = DeviceIndex::none;             ///< which one, in Plan::devices; none: the router's own
    const config::ConfiguredAddress* settings = nullptr;   ///< all else, shared with other addresses

    /// Without its interface index, which may change.
    arp::kernel::AddressSpec spec() const;
};
static_assert(sizeof(PlannedAddress) <= 32);

/// What the control thread knows of one router beside the engine's RouterSpec at the same index. What a router has in
/// common with others is in `settings`.
struct PlannedRouter {
    std::string_view name;             ///< lives as long as the Configuration's texts
    const std::string* interface_name = nullptr;      ///< lives as long as the plan; see interface()
    const config::VrrpInstance* settings = nullptr;   ///< without what is here; lives as long as the plan
    std::unique_ptr<const arp::kernel::MacvlanSpec> macvlan;
    config::SourceLocation where;
    std::uint32_t position = 0;        ///< in Configuration::instances
    std::uint32_t first_address = 0;   ///< in Plan::addresses
    engine::GroupIndex group = engine::GroupIndex::none;   ///< in Plan::groups
    std::uint16_t address_count = 0;   ///< excluded ones included
    std::uint16_t advertised_count = 0;  ///< of these, the first, stand in adverts
    engine::LinkIndex link = engine::LinkIndex::none;
    Vrid vrid{0};
    std::uint8_t base_priority = 100;
    bool has_fixed_source : 1 = false;       ///< mcast_src_ip or unicast_src_ip: no other is taken, whatever addresses the interface has
    bool ignores_own_link : 1 = false;       ///< dont_track_primary
    bool has_routed_interface : 1 = false;   ///< the file names none; interface() is where the route to its peer leads
    bool has_ruled_mac : 1 = false;          ///< its addresses on its own interface get its virtual MAC by nftables rules
    std::optional<IpAddress> source;   ///< of its adverts; kept up to date by LinkWatch

    std::string_view interface() const { return *interface_name; }
    /// That of use_vmac, whether it has one or not.
    MacAddress virtual_mac() const;
    bool is_owner() const { return base_priority == to_number(Priority::owner); }
};
/// There are tens of thousands: what few routers have does not belong here.
static_assert(sizeof(PlannedRouter) <= 88);

/// What the control thread knows of one engine link beside its LinkSpec at the same index.
struct PlannedLink {
    std::string name;
    std::uint32_t interface_index = 0;        ///< 0: there is no such interface now
    std::vector<IpAddress> groups;            ///< to be heard on it
    std::vector<MacAddress> unicast_macs;
    std::uint32_t router_count = 0;
    std::uint32_t longest_frame = 60;
    bool routes_ipv4 = false;
    bool routes_ipv6 = false;
    bool is_used = true;                      ///< not so: a place that an earlier plan had and this one keeps free
    io::FilterOptions filter;                 ///< with the VRIDs of its routers
};

/// What the control thread knows of one sync group beside the engine's GroupSpec at the same index.
struct PlannedGroup {
    std::string_view name;                       ///< lives as long as the Configuration's texts
    std::vector<config::NotifyScript> scripts;
    std::uint32_t member_count = 0;
    bool smtp_alert = false;
};

/// What few routers have, beside their addresses.
struct RouterObjects {
    std::vector<config::ConfiguredRoute> routes;
    std::vector<config::ConfiguredRule> rules;

    friend bool operator==(const RouterObjects&, const RouterObjects&) = default;
};

/// Something about one instance that an operator must know.
struct PlanProblem {
    config::SourceLocation where;
    std::string text;       ///< with the remedy
    bool is_fatal = false;  ///< the instance does not run; otherwise it waits or runs with less
};

struct Plan {
    engine::EngineSpec engine;            ///< its routers are dropped when the engine has been made (drop_load_data())
    std::vector<PlannedRouter> routers;   ///< same index as engine.routers
    std::vector<PlannedAddress> addresses;   ///< of all routers, one router's behind the other's
    std::vector<PlannedDevice> devices;   ///< ordered by router; few have any
    std::vector<PlannedLink> links;       ///< same index as engine.links
    std::vector<PlannedGroup> groups;     ///< same index as engine.groups
    std::unordered_map<std::string_view, RouterObjects> objects;   ///< by name of the router
    std::vector<PlanProblem> problems;
    SettingsPool settings;
    bool reports_unknown_vrids = false;   ///< Engine::report_unknown_vrids(); the links' filters let them through

    std::span<const PlannedAddress> addresses_of(const PlannedRouter& router) const {
        return std::span(addresses).subspan(router.first_address, router.address_count);
    }

    /// Positions in `devices` of a router's, from the first to behind the last.
    std::pair<std::size_t, std::size_t> devices_of(std::size_t router) const;

    /// Takes out a router that the engine refuses; its sync group goes on without it.
    void remove_router(std::size_t at);
    void remove_devices_of(std::size_t router);
    /// What only the engine's making needed: thousands of routers' worth of memory.
    void drop_load_data() {
        engine.routers = std::vector<engine::RouterSpec>();
        engine.hmacs = std::vector<engine::HmacSpec>();
        engine.hmac_users = std::vector<engine::HmacUser>();
    }
};

/// Configuration and this host's facts -> what the two threads need. Pure. The plan needs nothing of `configuration` later but its texts. With `before`, for
/// a reload, the links that both have keep their numbers.
Plan make_plan(const config::Configuration& configuration, const KernelFacts& facts, const Plan* before = nullptr);

/// A planned instance as the file had it, but for the places in the file.
config::VrrpInstance instance_of(const Plan& plan, const PlannedRouter& router);

/// The source of adverts on an interface: its first address of the family that is none of `own` (our virtual addresses), link-local
/// for IPv6 (RFC 9568 §5.1.2.1). An owner's own virtual address is better than none. nullopt when there is no candidate.
using AddressesByInterface = std::unordered_map<std::uint32_t, std::vector<arp::kernel::AddressState>>;
AddressesByInterface group_by_interface(const std::vector<arp::kernel::AddressState>& addresses);
std::optional<IpAddress> choose_source(const AddressesByInterface& addresses, std::uint32_t interface_index, Family family,
                                       std::span<const PlannedAddress> own, bool is_owner);
/// `source`, when the interface has it.
std::optional<IpAddress> find_source(const AddressesByInterface& addresses, std::uint32_t interface_index, const IpAddress& source);

}  // namespace vigil::daemon
