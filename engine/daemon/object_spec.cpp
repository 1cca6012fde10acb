#include "engine/daemon/object_spec.h"

#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

namespace kernel = arp::kernel;
using config::ConfiguredRoute;
using config::EncapsulationKind;
using config::RouteMetric;
using config::RouteType;
using config::RuleAction;

static_assert(static_cast<int>(RouteType::throw_away) == RTN_THROW && static_cast<int>(RouteType::blackhole) == RTN_BLACKHOLE);
static_assert(static_cast<int>(RouteMetric::fastopen_no_cookie) == RTAX_FASTOPEN_NO_COOKIE && static_cast<int>(RouteMetric::mtu) == RTAX_MTU);
static_assert(static_cast<int>(EncapsulationKind::ip6) == LWTUNNEL_ENCAP_IP6 && static_cast<int>(EncapsulationKind::ila) == LWTUNNEL_ENCAP_ILA);
static_assert(config::keepalived_protocol == kernel::our_route_protocol && config::main_table == RT_TABLE_MAIN);

kernel::PrefixSpec prefix_spec(const config::Prefix& prefix) { return {prefix.address, prefix.length}; }

template <typename To, typename From, typename Convert>
void copy(std::optional<To>& to, const std::optional<From>& from, Convert convert) {
    if (from) to = convert(*from);
}

kernel::TunnelSpec tunnel_spec(const config::Encapsulation& encapsulation) {
    return {.type = static_cast<std::uint16_t>(encapsulation.kind),
            .labels = encapsulation.labels,
            .id = encapsulation.id,
            .destination = encapsulation.destination,
            .source = encapsulation.source,
            .tos = encapsulation.tos,
            .ttl = encapsulation.ttl,
            .flags = encapsulation.flags};
}

tl::expected<kernel::NexthopSpec, std::string> nexthop_spec(const config::RouteNexthop& nexthop, const HostNames& names) {
    kernel::NexthopSpec spec;
    spec.gateway = nexthop.gateway;
    spec.weight = nexthop.weight;
    spec.is_onlink = nexthop.is_onlink;
    spec.realms = nexthop.realms;
    spec.tunnel = tunnel_spec(nexthop.encapsulation);
    if (nexthop.device.empty()) return spec;
    spec.interface_index = names.index_of(nexthop.device);
    if (spec.interface_index == 0) return tl::unexpected(fmt::format("there is no interface '{}'", nexthop.device));
    return spec;
}

/// As iproute2 has it.
std::uint8_t scope_of(const ConfiguredRoute& route) {
    if (route.scope) return *route.scope;
    if (route.family() == Family::ipv6) return RT_SCOPE_UNIVERSE;
    switch (route.type) {
    case RouteType::local: return RT_SCOPE_HOST;
    case RouteType::broadcast:
    case RouteType::multicast:
    case RouteType::anycast: return RT_SCOPE_LINK;
    case RouteType::unicast: return route.next.gateway || !route.nexthops.empty() ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    case RouteType::blackhole:
    case RouteType::unreachable:
    case RouteType::prohibit:
    case RouteType::throw_away: return RT_SCOPE_UNIVERSE;
    }
    return RT_SCOPE_UNIVERSE;
}

tl::expected<std::uint32_t, std::string> table_of(const ConfiguredRoute& route, const HostNames& names) {
    if (route.vrf.empty()) return route.table == 0 ? std::uint32_t{RT_TABLE_MAIN} : route.table;
    const auto table = names.table_of_vrf(route.vrf);
    if (!table) return tl::unexpected(fmt::format("there is no VRF '{}'", route.vrf));
    return *table;
}

}  // namespace

kernel::AddressSpec address_spec(const config::ConfiguredAddress& address) {
    kernel::AddressSpec spec;
    spec.key.address = address.address;
    spec.key.prefix_length = address.prefix_length;
    spec.key.peer = address.peer;
    spec.broadcast = address.broadcast;
    spec.label = address.label;
    spec.scope = address.scope;
    spec.has_duplicate_detection = address.duplicate_detection;
    spec.is_home_address = address.home_address;
    spec.manages_temporary_addresses = address.manage_temporary;
    spec.has_no_prefix_route = address.no_prefix_route;
    spec.joins_multicast = address.auto_join;
    spec.preferred_lifetime = address.preferred_lifetime;
    return spec;
}

tl::expected<kernel::RouteSpec, std::string> route_spec(const ConfiguredRoute& route, const HostNames& names) {
    kernel::RouteSpec spec;
    spec.destination = prefix_spec(route.destination);
    copy(spec.source, route.source, prefix_spec);
    spec.preferred_source = route.preferred_source;
    spec.type = static_cast<std::uint8_t>(route.type);
    spec.scope = scope_of(route);
    spec.protocol = route.protocol.value_or(kernel::our_route_protocol);
    spec.tos = route.tos;
    spec.metric = route.metric;
    spec.congestion_control = route.congestion_control;
    spec.is_congestion_control_locked = route.is_congestion_control_locked;
    spec.expires = route.expires;
    spec.preference = route.preference;
    for (const config::MetricValue& metric : route.metrics) spec.metrics.push_back({static_cast<std::uint16_t>(metric.metric), metric.value, metric.is_locked});
    const auto table = table_of(route, names);
    if (!table) return tl::unexpected(table.error());
    spec.table = *table;
    auto next = nexthop_spec(route.next, names);
    if (!next) return tl::unexpected(next.error());
    spec.next = std::move(*next);
    for (const config::RouteNexthop& nexthop : route.nexthops) {
        auto one = nexthop_spec(nexthop, names);
        if (!one) return tl::unexpected(one.error());
        spec.nexthops.push_back(std::move(*one));
    }
    return spec;
}

kernel::RuleSpec rule_spec(const config::ConfiguredRule& rule) {
    const auto ports = [](const config::NumberRange& range) {
        return std::pair(static_cast<std::uint16_t>(range.first), static_cast<std::uint16_t>(range.last));
    };
    kernel::RuleSpec spec;
    spec.family = rule.family;
    spec.action = static_cast<std::uint8_t>(rule.action);
    spec.priority = rule.priority;
    spec.table = rule.table;
    spec.go_to = rule.go_to;
    spec.is_inverted = rule.is_inverted;
    spec.is_l3mdev = rule.is_l3mdev;
    copy(spec.from, rule.from, prefix_spec);
    copy(spec.to, rule.to, prefix_spec);
    spec.input_device = rule.input_device;
    spec.output_device = rule.output_device;
    spec.tos = rule.tos;
    spec.protocol = rule.protocol.value_or(kernel::our_route_protocol);
    spec.ip_protocol = rule.ip_protocol;
    spec.mark = rule.mark;
    spec.mark_mask = rule.mark_mask.value_or(0xffff'ffff);
    copy(spec.user_ids, rule.user_ids, [](const config::NumberRange& range) { return std::pair(range.first, range.last); });
    copy(spec.source_ports, rule.source_ports, ports);
    copy(spec.destination_ports, rule.destination_ports, ports);
    spec.tunnel_id = rule.tunnel_id;
    spec.suppressed_prefix_length = rule.suppressed_prefix_length;
    spec.suppressed_group = rule.suppressed_group;
    spec.realms = rule.realms;
    return spec;
}

}  // namespace vigil::daemon
