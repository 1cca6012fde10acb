// Configuration and kernel facts in, specification of the engine and to-do lists of the control thread out.
//
// The engine knows links by a dense index and never by a name or a kernel number, because an interface may be deleted and come back
// with another number while a router waits for it. So an instance whose interface does not exist (yet) is planned all the same, with a link
// that is down: keepalived stops the whole process in this case, here the instance waits in FAULT and joins when the interface appears.
//
// Virtual MAC: adverts leave through the base interface with the virtual MAC as Ethernet source, which on the wire is what a macvlan
// would send; the macvlan itself only holds the addresses. vmac_xmit_base keeps its meaning: the base's own MAC. With `vmac_mode nftables` there is
// no macvlan, and the addresses are the base's. Where the kernel cannot do that, macvlans are used all the same: slower, but the same on the LAN.

#include "engine/daemon/plan.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/daemon/object_spec.h"
#include "engine/daemon/plan_announcements.h"
#include "engine/daemon/plan_hmac.h"
#include "packet/frame_template.h"

namespace vigil::daemon {
namespace {

using arp::kernel::AddressState;
using arp::kernel::LinkState;
using config::ConfiguredAddress;
using config::VrrpInstance;

class Planner {
public:
    Planner(const config::Configuration& configuration, const KernelFacts& facts, const Plan* before)
        : configuration_(configuration), facts_(facts), addresses_(group_by_interface(facts.addresses)),
          addresses_before_(group_by_interface(facts.addresses_before)) {
        for (const LinkState& link : facts.links) links_by_name_.emplace(link.name, &link);
        if (before != nullptr) keep_places(*before);
    }

    Plan take() && {
        plan_.engine.garp_interval = configuration_.global.vrrp_garp_interval;
        plan_.engine.gna_interval = configuration_.global.vrrp_gna_interval;
        std::size_t addresses = 0;
        for (const VrrpInstance& instance : configuration_.instances) {
            addresses += instance.virtual_addresses.size() + instance.excluded_addresses.size();
        }
        plan_.engine.routers.reserve(configuration_.instances.size());
        plan_.routers.reserve(configuration_.instances.size());
        plan_.addresses.reserve(addresses);
        for (const VrrpInstance& instance : configuration_.instances) add_instance(instance);
        plan_groups();
        plan_.reports_unknown_vrids = configuration_.global.log_unknown_vrids;
        if (plan_.reports_unknown_vrids) open_filters();
        plan_pacing(plan_, configuration_.garp_groups, indices_);
        return std::move(plan_);
    }

private:
    void keep_places(const Plan& before);
    engine::LinkIndex take_place(std::string_view name);
    void open_filters();
    void add_instance(const VrrpInstance& instance);
    bool is_usable(const VrrpInstance& instance, std::string_view interface);
    std::optional<std::string_view> interface_of(const VrrpInstance& instance);
    engine::LinkIndex link_of(std::string_view name);
    void plan_addresses(const VrrpInstance& instance, PlannedRouter& planned, engine::RouterSpec& spec);
    DeviceIndex device_for(const VrrpInstance& instance, const ConfiguredAddress& address, std::string_view own_interface);
    bool uses_rules(const VrrpInstance& instance);
    void plan_virtual_mac(const VrrpInstance& instance, PlannedRouter& planned);
    void plan_source(const VrrpInstance& instance, PlannedRouter& planned, engine::RouterSpec& spec);
    void track_source(const VrrpInstance& instance, PlannedRouter& planned, engine::RouterSpec& spec);
    void note_link_needs(const engine::RouterSpec& spec, bool has_trailer);
    void plan_groups();
    void report(const VrrpInstance& instance, bool is_fatal, std::string text) {
        const config::SourceLocation where = instance.interface_where.line != 0 ? instance.interface_where : instance.where;
        plan_.problems.push_back({where, fmt::format("({}) {}", instance.name, text), is_fatal});
    }

    const config::Configuration& configuration_;
    const KernelFacts& facts_;
    AddressesByInterface addresses_;
    AddressesByInterface addresses_before_;
    std::optional<std::string> why_no_rules_;   // asked once
    std::unordered_map<std::string_view, const LinkState*> links_by_name_;
    std::unordered_map<std::string_view, engine::LinkIndex> indices_;   // names live in the configuration or in plan_
    std::unordered_map<std::string_view, engine::LinkIndex> places_;    // of the links of an earlier plan
    std::vector<engine::LinkIndex> free_places_;                        // that it had left free
    Plan plan_;
};

std::uint16_t flags_of(const VrrpInstance& instance) {
    unsigned flags = 0;
    const auto set = [&](engine::Flag flag, bool on) { flags |= on ? static_cast<unsigned>(flag) : 0u; };
    set(engine::Flag::preempt, !instance.nopreempt);
    set(engine::Flag::no_answer_to_lower, instance.lower_prio_no_advert);
    set(engine::Flag::last_word_to_higher, instance.higher_prio_send_advert);
    set(engine::Flag::owner_ignores_adverts, instance.owner_ignore_adverts);
    set(engine::Flag::strict, instance.strict_mode);
    set(engine::Flag::check_unicast_source, instance.check_unicast_src);
    set(engine::Flag::lacks_peers, instance.lacks_peers);
    return static_cast<std::uint16_t>(flags);
}

packet::ChecksumForm checksum_of(const VrrpInstance& instance) {
    if (instance.family == Family::ipv6) return packet::ChecksumForm::pseudo_header;
    if (instance.v3_checksum_as_v2) return packet::ChecksumForm::message_only;
    const bool is_old_unicast = instance.unicast && instance.old_unicast_checksum == config::OldUnicastChecksum::always;
    return is_old_unicast ? packet::ChecksumForm::group_pseudo_header : packet::ChecksumForm::pseudo_header;
}

packet::AuthType auth_type_of(const VrrpInstance& instance) {
    switch (instance.auth_type) {
    case config::AuthenticationType::none: return packet::AuthType::none;
    case config::AuthenticationType::simple_password: return packet::AuthType::simple_password;
    case config::AuthenticationType::ah: return packet::AuthType::ah;
    }
    return packet::AuthType::none;
}

MacAddress virtual_mac_of(const VrrpInstance& instance) {
    return instance.virtual_mac.address.value_or(virtual_mac(instance.family, instance.vrid));
}

std::optional<arp::kernel::IpvlanSpec> ipvlan_of(const VrrpInstance& instance) {
    using Mode = arp::kernel::IpvlanMode;
    if (!instance.ipvlan) return std::nullopt;
    const config::IpvlanSettings& settings = *instance.ipvlan;
    arp::kernel::IpvlanSpec spec;
    switch (settings.mode) {
    case config::IpvlanMode::bridge: spec.mode = Mode::bridge; break;
    case config::IpvlanMode::isolated: spec.mode = Mode::isolated; break;
    case config::IpvlanMode::vepa: spec.mode = Mode::vepa; break;
    }
    if (settings.address) spec.own = arp::kernel::OwnAddress{*settings.address, settings.prefix_length};
    return spec;
}

bool is_running(const LinkState& link) { return link.is_up && link.is_running; }

void Planner::add_instance(const VrrpInstance& instance) {
    const auto interface = interface_of(instance);
    if (!interface || !is_usable(instance, *interface)) return;

    PlannedRouter planned;
    planned.name = instance.name;
    planned.interface_name = plan_.settings.keep(*interface);
    planned.has_routed_interface = instance.interface.empty();
    planned.settings = plan_.settings.keep(instance);
    if (!instance.virtual_routes.empty() || !instance.virtual_rules.empty()) plan_.objects.try_emplace(instance.name, instance.virtual_routes, instance.virtual_rules);
    planned.where = instance.where;
    planned.position = static_cast<std::uint32_t>(&instance - configuration_.instances.data());
    planned.vrid = instance.vrid;
    planned.link = link_of(*interface);
    planned.ignores_own_link = instance.dont_track_primary;
    planned.base_priority = to_number(instance.priority);

    engine::RouterSpec spec;
    spec.name = instance.name;
    spec.link = planned.link;
    spec.family = instance.family;
    spec.version = instance.version;
    spec.vrid = instance.vrid;
    spec.priority = instance.priority;
    spec.interval = instance.advert_int;
    spec.down_timer_adverts = instance.down_timer_adverts;
    spec.preempt_delay_ms = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(instance.preempt_delay).count());
    spec.stalled_for = instance.timer_expired_backup;
    spec.flags = flags_of(instance);
    spec.group = instance.multicast_group;
    if (instance.unicast) {
        for (const config::UnicastPeer& peer : instance.unicast_peers) spec.peers.push_back({peer.address, peer.min_ttl, peer.max_ttl});
    }
    spec.ttl = instance.unicast_ttl.value_or(255);
    spec.checksum = checksum_of(instance);
    spec.auth_type = auth_type_of(instance);
    spec.auth_key = instance.auth_pass;
    spec.ah_sequence_number = facts_.wall_clock_seconds;
    spec.announcements = announcements_of(instance.announcements);
    const MacAddress own_mac = plan_.engine.links[to_number(spec.link)].mac;
    spec.source_mac = instance.virtual_mac.enabled && !instance.vmac_xmit_base ? virtual_mac_of(instance) : own_mac;
    plan_addresses(instance, planned, spec);
    plan_source(instance, planned, spec);
    note_link_needs(spec, instance.auth_hmac.is_used());
    plan_hmac(plan_.engine, engine::RouterIndex{static_cast<std::uint32_t>(plan_.routers.size())}, instance.auth_hmac);
    plan_extra_refreshes(plan_, instance.announcements, spec);
    plan_.engine.routers.push_back(std::move(spec));
    plan_.routers.push_back(std::move(planned));
}

/// Its `interface`, or where the route to its first peer leads.
std::optional<std::string_view> Planner::interface_of(const VrrpInstance& instance) {
    if (!instance.interface.empty()) return instance.interface;
    const IpAddress peer = instance.unicast_peers.empty() ? IpAddress{} : instance.unicast_peers.front().address;
    const auto route = facts_.find_route ? facts_.find_route(peer, instance.vrf) : std::nullopt;
    if (route) {
        const auto link = std::find_if(facts_.links.begin(), facts_.links.end(),
                                       [&](const LinkState& one) { return one.index == route->interface_index; });
        if (link != facts_.links.end()) return *plan_.settings.keep(std::string_view(link->name));
    }
    report(instance, true, fmt::format("has no 'interface', and there is no route to its peer {}{}; the instance does not run. Name the interface",
                                       to_string(peer), instance.vrf.empty() ? std::string() : fmt::format(" in a VRF '{}'", instance.vrf)));
    return std::nullopt;
}

bool Planner::is_usable(const VrrpInstance& instance, std::string_view interface) {
    const auto found = links_by_name_.find(interface);
    if (found == links_by_name_.end()) {
        report(instance, false, fmt::format("there is no interface '{}' on this host; the instance waits in FAULT until it appears", interface));
        return true;
    }
    if (found->second->is_loopback) {
        report(instance, true, fmt::format("'{}' is a loopback interface, which reaches no other router; the instance does not run. "
                                           "Give the interface of the LAN, and put the address on {} with '... dev {}' if it must live there",
                                           interface, interface, interface));
        return false;
    }
    if (!instance.unicast && !found->second->is_multicast_capable) {
        report(instance, true, fmt::format("interface '{}' carries no multicast; the instance does not run. Use unicast_peer, "
                                           "or 'ip link set {} multicast on'", interface, interface));
        return false;
    }
    return true;
}

/// Numbers that ports and records go by: nobody else gets one whose link this plan gives up, but the next plan does.
void Planner::keep_places(const Plan& before) {
    for (std::size_t i = 0; i < before.links.size(); ++i) {
        const engine::LinkIndex place{static_cast<std::uint16_t>(i)};
        if (before.links[i].is_used) places_.emplace(before.links[i].name, place);
        else free_places_.push_back(place);
    }
    plan_.links.resize(before.links.size());
    plan_.engine.links.resize(before.links.size());
    for (PlannedLink& link : plan_.links) {
        link.is_used = false;
        link.filter = {.ipv4_vrids = {}, .ipv6_vrids = {}};
    }
}

void Planner::open_filters() {
    for (PlannedLink& link : plan_.links) {
        if (link.router_count != 0) link.filter = {};   // every VRID of both families
    }
}

engine::LinkIndex Planner::link_of(std::string_view name) {
    if (const auto known = indices_.find(name); known != indices_.end()) return known->second;
    const engine::LinkIndex index = take_place(name);
    indices_.emplace(name, index);
    engine::LinkSpec& spec = plan_.engine.links[to_number(index)];
    PlannedLink& planned = plan_.links[to_number(index)];
    planned.is_used = true;
    planned.filter = {.ipv4_vrids = {}, .ipv6_vrids = {}};
    spec.name = planned.name = name;
    if (const auto found = links_by_name_.find(name); found != links_by_name_.end()) {
        spec.mac = found->second->mac;
        spec.is_up = is_running(*found->second);
        planned.interface_index = found->second->index;
    }
    spec.forwards_ipv6 = facts_.forwards_ipv6 && facts_.forwards_ipv6(spec.name);
    return index;
}

/// That which it had, one that nobody has, or a new one.
engine::LinkIndex Planner::take_place(std::string_view name) {
    if (const auto place = places_.find(name); place != places_.end()) return place->second;
    if (!free_places_.empty()) {
        const engine::LinkIndex place = free_places_.back();
        free_places_.pop_back();
        return place;
    }
    plan_.engine.links.emplace_back();
    plan_.links.emplace_back();
    return engine::LinkIndex{static_cast<std::uint16_t>(plan_.links.size() - 1)};
}

void Planner::plan_addresses(const VrrpInstance& instance, PlannedRouter& planned, engine::RouterSpec& spec) {
    plan_virtual_mac(instance, planned);
    const bool has_macvlan = planned.macvlan != nullptr;
    const auto add = [&](const ConfiguredAddress& address) {
        const DeviceIndex own_device = device_for(instance, address, planned.interface());
        const bool has_device = own_device != DeviceIndex::none;
        const std::string_view device = !address.device.empty() ? address.device : has_macvlan ? "" : planned.interface();
        plan_.addresses.push_back({address.address, address.prefix_length,
                                   device.empty() || has_device ? engine::LinkIndex::none : link_of(device), own_device, plan_.settings.keep(address)});
        const engine::LinkIndex link = device.empty() ? spec.link : link_of(device);
        const bool is_virtual = device.empty() || (planned.has_ruled_mac && link == spec.link);
        const MacAddress mac = has_device   ? plan_.devices[to_number(own_device)].macvlan.mac
                               : is_virtual && !instance.ipvlan ? virtual_mac_of(instance)
                                                           : plan_.engine.links[to_number(link)].mac;
        spec.announced.push_back({address.address, link, mac});
        if (!device.empty() && device != planned.interface() && !links_by_name_.contains(device)) {
            report(instance, false, fmt::format("there is no interface '{}' for address {}; it is added when the interface appears", device,
                                                to_string(address.address)));
        }
    };
    planned.first_address = static_cast<std::uint32_t>(plan_.addresses.size());
    planned.address_count = static_cast<std::uint16_t>(instance.virtual_addresses.size() + instance.excluded_addresses.size());
    planned.advertised_count = static_cast<std::uint16_t>(instance.virtual_addresses.size());
    for (const ConfiguredAddress& address : instance.virtual_addresses) {
        spec.advertised.push_back(address.address);
        add(address);
    }
    for (const ConfiguredAddress& address : instance.excluded_addresses) add(address);
}

/// One for each interface and family, and none where the router's own has it.
DeviceIndex Planner::device_for(const VrrpInstance& instance, const ConfiguredAddress& address, std::string_view own_interface) {
    const std::string_view base = address.device.empty() ? own_interface : address.device;
    const bool is_elsewhere = base != own_interface || address.address.family != instance.family;
    if (!is_elsewhere || !(address.use_vmac || instance.use_vmac_addr)) return DeviceIndex::none;
    const auto router = static_cast<std::uint32_t>(plan_.routers.size());
    for (std::size_t i = plan_.devices.size(); i-- > 0 && plan_.devices[i].router == router;) {
        const arp::kernel::MacvlanSpec& known = plan_.devices[i].macvlan;
        if (known.base == base && known.family == address.address.family) return DeviceIndex{static_cast<std::uint32_t>(i)};
    }
    const std::string_view prefix = configuration_.global.vmac_addr_prefix;
    plan_.devices.push_back({router, link_of(base),
                             {.vrid = instance.vrid,
                              .family = address.address.family,
                              .base = std::string(base),
                              .name_prefix = std::string(prefix.empty() ? configuration_.global.vmac_prefix : prefix),
                              .mac = instance.virtual_mac.address.value_or(virtual_mac(address.address.family, instance.vrid))}});
    return DeviceIndex{static_cast<std::uint32_t>(plan_.devices.size() - 1)};
}

/// Rules for the interface or a device for the router.
void Planner::plan_virtual_mac(const VrrpInstance& instance, PlannedRouter& planned) {
    if (!instance.virtual_mac.enabled && !instance.ipvlan) return;
    if (!instance.ipvlan && uses_rules(instance)) {
        planned.has_ruled_mac = true;
        const MacAddress mac = virtual_mac_of(instance);
        std::vector<MacAddress>& macs = plan_.links[to_number(planned.link)].unicast_macs;
        if (std::find(macs.begin(), macs.end(), mac) == macs.end()) macs.push_back(mac);
        return;
    }
    const auto is_ipv6 = [](const ConfiguredAddress& address) { return address.address.family == Family::ipv6 && address.device.empty(); };
    planned.macvlan = std::make_unique<const arp::kernel::MacvlanSpec>(arp::kernel::MacvlanSpec{
        .vrid = instance.vrid,
        .family = instance.family,
        .base = std::string(planned.interface()),
        .name = std::string(instance.ipvlan ? instance.ipvlan->name : instance.virtual_mac.name),
        .name_prefix = std::string(configuration_.global.vmac_prefix),
        .mac = instance.ipvlan ? MacAddress{} : virtual_mac_of(instance),
        .group = instance.ipvlan ? instance.ipvlan->group : instance.virtual_mac.group,
        .ipvlan = ipvlan_of(instance),
        .has_ipv6_addresses = std::any_of(instance.excluded_addresses.begin(), instance.excluded_addresses.end(), is_ipv6)});
}

bool Planner::uses_rules(const VrrpInstance& instance) {
    if (instance.virtual_mac.mode != config::VirtualMacMode::nftables) return false;
    const bool is_first = !why_no_rules_;
    if (is_first) why_no_rules_ = facts_.why_no_virtual_mac_rules ? facts_.why_no_virtual_mac_rules() : std::string();
    if (is_first && !why_no_rules_->empty()) {
        report(instance, false, fmt::format("'vmac_mode nftables' cannot be had here: {}. Every instance gets a macvlan instead, as with "
                                            "'vmac_mode macvlan'", *why_no_rules_));
    }
    return why_no_rules_->empty();
}

void Planner::plan_source(const VrrpInstance& instance, PlannedRouter& planned, engine::RouterSpec& spec) {
    spec.primary_address.family = instance.family;
    if (instance.source_address) {
        planned.has_fixed_source = true;
        planned.source = spec.primary_address = *instance.source_address;
        if (instance.track_src_ip) track_source(instance, planned, spec);
        return;
    }
    const std::uint32_t index = plan_.links[to_number(spec.link)].interface_index;
    const auto source = choose_source(addresses_, index, instance.family, plan_.addresses_of(planned), instance.priority == Priority::owner);
    if (source) {
        planned.source = spec.primary_address = *source;
    } else if (index != 0 && (choose_source(addresses_, index, instance.family, plan_.addresses_of(planned), true) ||
                              choose_source(addresses_before_, index, instance.family, plan_.addresses_of(planned), true))) {
        report(instance, false, fmt::format("the only {} address of interface '{}' is the instance's own virtual address; the instance waits in FAULT "
                                            "until the interface has another to send from. Give it one, or make this router the owner with 'priority 255'",
                                            instance.family == Family::ipv4 ? "IPv4" : "IPv6 link-local", planned.interface()));
    } else if (index != 0) {
        report(instance, false, fmt::format("interface '{}' has no {} address to send from; the instance waits in FAULT until it has one",
                                            planned.interface(), instance.family == Family::ipv4 ? "IPv4" : "IPv6 link-local"));
    }
}

/// track_src_ip
void Planner::track_source(const VrrpInstance& instance, PlannedRouter& planned, engine::RouterSpec& spec) {
    const std::uint32_t index = plan_.links[to_number(spec.link)].interface_index;
    planned.source = find_source(addresses_, index, *instance.source_address);
    if (planned.source) return;
    spec.primary_address.octets = {};
    if (index == 0) return;
    report(instance, false, fmt::format("interface '{}' does not have the source address {}; because of 'track_src_ip' the instance waits in FAULT until "
                                        "it has", planned.interface(), to_string(*instance.source_address)));
}

void Planner::note_link_needs(const engine::RouterSpec& spec, bool has_trailer) {
    PlannedLink& link = plan_.links[to_number(spec.link)];
    ++link.router_count;
    (spec.family == Family::ipv4 ? link.filter.ipv4_vrids : link.filter.ipv6_vrids).set(to_number(spec.vrid));
    packet::AdvertisementSpec frame;
    frame.version = spec.version;
    frame.source = spec.primary_address;
    frame.destination = spec.group;
    frame.addresses = spec.advertised;
    frame.auth_type = spec.auth_type;
    frame.has_hmac_trailer = has_trailer;
    link.longest_frame = std::max(link.longest_frame, static_cast<std::uint32_t>(packet::frame_size(frame)));
    if (!spec.peers.empty()) {
        (spec.family == Family::ipv4 ? link.routes_ipv4 : link.routes_ipv6) = true;
    } else if (std::find(link.groups.begin(), link.groups.end(), spec.group) == link.groups.end()) {
        link.groups.push_back(spec.group);
    }
}

/// A member that does not run on this host has been reported; the others go on.
void Planner::plan_groups() {
    if (configuration_.sync_groups.empty()) return;
    std::unordered_map<std::string_view, std::uint32_t> routers;
    for (std::uint32_t i = 0; i < plan_.routers.size(); ++i) routers.emplace(plan_.routers[i].name, i);
    for (const config::VrrpSyncGroup& group : configuration_.sync_groups) {
        engine::GroupSpec spec{std::string(group.name), {}};
        for (const config::GroupMember& member : group.members) {
            const auto found = routers.find(member.name);
            if (found == routers.end()) continue;
            spec.members.push_back(engine::RouterIndex{found->second});
            plan_.routers[found->second].group = engine::GroupIndex{static_cast<std::uint32_t>(plan_.groups.size())};
        }
        if (spec.members.empty()) continue;
        plan_.groups.push_back({group.name, group.scripts, static_cast<std::uint32_t>(spec.members.size()), group.smtp_alert.value_or(false)});
        plan_.engine.groups.push_back(std::move(spec));
    }
}

}  // namespace

Plan make_plan(const config::Configuration& configuration, const KernelFacts& facts, const Plan* before) {
    return Planner(configuration, facts, before).take();
}

}  // namespace vigil::daemon
