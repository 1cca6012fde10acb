// Routes as rtnetlink has them.
//
// What stands in a request to delete is compared by the kernel with what it has (fib_table_delete(), ip6_route_del()), so it names everything that makes a
// route this route: destination, TOS, table, metric, type, scope, protocol, preferred source, the way or ways. Metrics are left out: the kernel
// clamps some of them (an MTU above 65,520) and would not find what it was asked to add. So are lifetime and preference, which it does not compare.

#include "arp/kernel/route_codec.h"
#include "arp/kernel/netlink.h"

#include <endian.h>
#include <linux/lwtunnel.h>
#include <linux/mpls.h>
#include <linux/mpls_iptunnel.h>
#include <linux/ila.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstring>


namespace vigil::arp::kernel {

namespace {

constexpr std::size_t longest_request_bytes = 16 * 1024;

/// Attributes of lightweight tunnels over IPv4 and IPv6 have the same numbers (enum lwtunnel_ip_t and lwtunnel_ip6_t).
static_assert(static_cast<int>(LWTUNNEL_IP_FLAGS) == static_cast<int>(LWTUNNEL_IP6_FLAGS) && static_cast<int>(LWTUNNEL_IP_TOS) == static_cast<int>(LWTUNNEL_IP6_TC) &&
              static_cast<int>(LWTUNNEL_IP_TTL) == static_cast<int>(LWTUNNEL_IP6_HOPLIMIT));

void put_labels(MessageWriter& message, const TunnelSpec& tunnel) {
    std::vector<std::uint8_t> stack;
    for (std::size_t i = 0; i < tunnel.labels.size(); ++i) {
        const bool is_last = i + 1 == tunnel.labels.size();
        const std::uint32_t entry = htobe32(tunnel.labels[i] << MPLS_LS_LABEL_SHIFT | (is_last ? 1u << MPLS_LS_S_SHIFT : 0));
        std::array<std::uint8_t, sizeof entry> octets{};
        std::memcpy(octets.data(), &entry, sizeof entry);
        stack.insert(stack.end(), octets.begin(), octets.end());
    }
    message.put(MPLS_IPTUNNEL_DST, stack);
    if (tunnel.ttl) message.put_u8(MPLS_IPTUNNEL_TTL, *tunnel.ttl);
}

void put_tunnel(MessageWriter& message, const TunnelSpec& tunnel) {
    if (tunnel.type == LWTUNNEL_ENCAP_NONE) return;
    message.put_u16(RTA_ENCAP_TYPE, tunnel.type);
    message.begin_nested(RTA_ENCAP);
    if (tunnel.type == LWTUNNEL_ENCAP_MPLS) {
        put_labels(message, tunnel);
    } else if (tunnel.type == LWTUNNEL_ENCAP_ILA) {
        message.put_u64(ILA_ATTR_LOCATOR, htobe64(tunnel.id));
    } else {
        message.put_u64(LWTUNNEL_IP_ID, htobe64(tunnel.id));
        if (tunnel.destination) message.put_address(LWTUNNEL_IP_DST, *tunnel.destination);
        if (tunnel.source) message.put_address(LWTUNNEL_IP_SRC, *tunnel.source);
        if (tunnel.ttl) message.put_u8(LWTUNNEL_IP_TTL, *tunnel.ttl);
        if (tunnel.tos) message.put_u8(LWTUNNEL_IP_TOS, *tunnel.tos);
        if (tunnel.flags != 0) message.put_u16(LWTUNNEL_IP_FLAGS, htobe16(tunnel.flags));
    }
    message.end_nested();
}

void put_gateway(MessageWriter& message, Family family, const IpAddress& gateway) {
    if (gateway.family == family) return message.put_address(RTA_GATEWAY, gateway);
    const auto number = static_cast<std::uint16_t>(address_family(gateway.family));
    std::vector<std::uint8_t> octets(sizeof number);
    std::memcpy(octets.data(), &number, sizeof number);
    octets.insert(octets.end(), gateway.bytes().begin(), gateway.bytes().end());
    message.put(RTA_VIA, octets);
}

void put_nexthops(MessageWriter& message, const RouteSpec& spec) {
    message.begin_nested(RTA_MULTIPATH);
    for (const NexthopSpec& nexthop : spec.nexthops) {
        const std::size_t start = message.size();
        auto* const header = message.put_structure<rtnexthop>();
        if (header == nullptr) return;
        header->rtnh_hops = static_cast<unsigned char>(nexthop.weight - 1);
        header->rtnh_flags = nexthop.is_onlink ? RTNH_F_ONLINK : 0;
        header->rtnh_ifindex = static_cast<int>(nexthop.interface_index);
        if (nexthop.gateway) put_gateway(message, spec.family(), *nexthop.gateway);
        if (nexthop.realms != 0) message.put_u32(RTA_FLOW, nexthop.realms);
        put_tunnel(message, nexthop.tunnel);
        header->rtnh_len = static_cast<unsigned short>(message.size() - start);
    }
    message.end_nested();
}

void put_metrics(MessageWriter& message, const RouteSpec& spec) {
    if (spec.metrics.empty() && spec.congestion_control.empty()) return;
    std::uint32_t locked = spec.is_congestion_control_locked ? 1u << RTAX_CC_ALGO : 0;
    for (const MetricSpec& metric : spec.metrics) locked |= metric.is_locked ? 1u << metric.number : 0;
    message.begin_nested(RTA_METRICS);
    if (locked != 0) message.put_u32(RTAX_LOCK, locked);
    for (const MetricSpec& metric : spec.metrics) message.put_u32(metric.number, metric.value);
    if (!spec.congestion_control.empty()) message.put_text(RTAX_CC_ALGO, spec.congestion_control);
    message.end_nested();
}

/// What a route is known by.
void put_identity(MessageWriter& message, const RouteSpec& spec) {
    auto* const header = message.put_header<rtmsg>();
    if (header == nullptr) return;
    header->rtm_family = static_cast<unsigned char>(address_family(spec.family()));
    header->rtm_dst_len = spec.destination.length;
    header->rtm_src_len = spec.source ? spec.source->length : std::uint8_t{0};
    header->rtm_tos = spec.tos;
    header->rtm_table = static_cast<unsigned char>(spec.table < 256 ? spec.table : RT_TABLE_UNSPEC);
    header->rtm_protocol = spec.protocol;
    header->rtm_scope = spec.scope;
    header->rtm_type = spec.type;
    header->rtm_flags = spec.nexthops.empty() && spec.next.is_onlink ? RTNH_F_ONLINK : 0;
    if (spec.destination.length != 0) message.put_address(RTA_DST, spec.destination.address);
    if (spec.source && spec.source->length != 0) message.put_address(RTA_SRC, spec.source->address);
    message.put_u32(RTA_TABLE, spec.table);
    if (spec.metric) message.put_u32(RTA_PRIORITY, *spec.metric);
    if (spec.preferred_source) message.put_address(RTA_PREFSRC, *spec.preferred_source);
    if (!spec.nexthops.empty()) return put_nexthops(message, spec);
    if (spec.next.interface_index != 0) message.put_u32(RTA_OIF, spec.next.interface_index);
    if (spec.next.gateway) put_gateway(message, spec.family(), *spec.next.gateway);
    if (spec.next.realms != 0) message.put_u32(RTA_FLOW, spec.next.realms);
    put_tunnel(message, spec.next.tunnel);
}

std::uint16_t flags_of(RouteMode mode) {
    switch (mode) {
        case RouteMode::prepend: return NLM_F_CREATE;
        case RouteMode::append: return NLM_F_CREATE | NLM_F_APPEND;
        case RouteMode::add: return NLM_F_CREATE | NLM_F_EXCL;
        case RouteMode::replace: return NLM_F_CREATE | NLM_F_REPLACE;
    }
    return NLM_F_CREATE;
}

template <typename Put>
EncodedRequest encode(std::uint16_t type, std::uint16_t flags, Put put) {
    EncodedRequest room(longest_request_bytes);
    MessageWriter message(room, type, flags, 0);
    put(message);
    const auto bytes = message.bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace

EncodedRequest write_new_route(const RouteSpec& spec, RouteMode mode) {
    return encode(RTM_NEWROUTE, flags_of(mode), [&](MessageWriter& message) {
        put_identity(message, spec);
        put_metrics(message, spec);
        if (spec.expires) message.put_u32(RTA_EXPIRES, *spec.expires);
        if (spec.preference) message.put_u8(RTA_PREF, *spec.preference);
    });
}

EncodedRequest write_delete_route(const RouteSpec& spec) {
    return encode(RTM_DELROUTE, 0, [&](MessageWriter& message) { put_identity(message, spec); });
}

std::optional<RouteState> read_route_state(const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWROUTE && message.nlmsg_type != RTM_DELROUTE) return std::nullopt;
    const auto* const header = read_header<rtmsg>(message);
    if (header == nullptr || (header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
    const auto family = read_family(header->rtm_family);
    if (!family || header->rtm_dst_len > (*family == Family::ipv4 ? 32 : 128)) return std::nullopt;
    const AttributeTable attributes(message, sizeof *header);
    RouteState state;
    state.destination.address.family = *family;
    state.destination.length = header->rtm_dst_len;
    if (header->rtm_dst_len != 0) {
        const auto destination = attributes.address(RTA_DST, *family);
        if (!destination) return std::nullopt;
        state.destination.address = *destination;
    }
    state.table = attributes.u32(RTA_TABLE).value_or(header->rtm_table);
    state.metric = attributes.u32(RTA_PRIORITY).value_or(0);
    state.tos = header->rtm_tos;
    state.protocol = header->rtm_protocol;
    return state;
}

}  // namespace vigil::arp::kernel
