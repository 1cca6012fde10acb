#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "packet/address.h"

namespace vigil::arp::kernel {

/// RTPROT_KEEPALIVED: marks routes and rules as ours, as keepalived marks its own.
constexpr std::uint8_t our_route_protocol = 18;

struct PrefixSpec {
    IpAddress address{};
    std::uint8_t length = 0;

    friend bool operator==(const PrefixSpec&, const PrefixSpec&) = default;
};

/// A lightweight tunnel.
struct TunnelSpec {
    std::uint16_t type = 0;                     ///< LWTUNNEL_ENCAP_NONE, _MPLS, _IP, _ILA or _IP6
    std::vector<std::uint32_t> labels{};        ///< MPLS, outermost first
    std::uint64_t id = 0;                       ///< IP, IP6: tunnel id; ILA: locator
    std::optional<IpAddress> destination{};
    std::optional<IpAddress> source{};
    std::optional<std::uint8_t> tos{};          ///< IP6: traffic class
    std::optional<std::uint8_t> ttl{};          ///< IP6: hop limit
    std::uint16_t flags = 0;
};

struct NexthopSpec {
    std::optional<IpAddress> gateway{};         ///< of another family than the route: RTA_VIA
    std::uint32_t interface_index = 0;          ///< 0: the kernel finds it
    std::uint16_t weight = 1;                   ///< 1-256
    bool is_onlink = false;
    std::uint32_t realms = 0;
    TunnelSpec tunnel{};
};

struct MetricSpec {
    std::uint16_t number = 0;                   ///< RTAX_*
    std::uint32_t value = 0;
    bool is_locked = false;
};

/// A route, resolved: one message of rtnetlink.
struct RouteSpec {
    PrefixSpec destination{};
    std::optional<PrefixSpec> source{};         ///< IPv6 source routing
    std::optional<IpAddress> preferred_source{};
    std::uint8_t type = 1;                      ///< RTN_*
    std::uint8_t scope = 0;                     ///< RT_SCOPE_*
    std::uint8_t protocol = our_route_protocol;
    std::uint8_t tos = 0;
    std::uint32_t table = 254;
    std::optional<std::uint32_t> metric{};
    NexthopSpec next{};                         ///< when there are no `nexthops`
    std::vector<NexthopSpec> nexthops{};
    std::vector<MetricSpec> metrics{};
    std::string congestion_control{};           ///< empty: none
    bool is_congestion_control_locked = false;
    std::optional<std::uint32_t> expires{};     ///< seconds
    std::optional<std::uint8_t> preference{};   ///< ICMPV6_ROUTER_PREF_*

    Family family() const { return destination.address.family; }
};

/// A policy rule. Interfaces are names: the kernel holds a rule while its interface is not there.
struct RuleSpec {
    Family family = Family::ipv4;
    std::uint8_t action = 1;                    ///< FR_ACT_*
    std::uint32_t priority = 0;
    std::uint32_t table = 0;                    ///< 0: none
    std::uint32_t go_to = 0;                    ///< with FR_ACT_GOTO
    bool is_inverted = false;
    bool is_l3mdev = false;
    std::optional<PrefixSpec> from{};
    std::optional<PrefixSpec> to{};
    std::string input_device{};                 ///< empty: any
    std::string output_device{};
    std::uint8_t tos = 0;
    std::uint8_t protocol = our_route_protocol;
    std::optional<std::uint8_t> ip_protocol{};
    std::optional<std::uint32_t> mark{};
    std::uint32_t mark_mask = 0xffff'ffff;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> user_ids{};
    std::optional<std::pair<std::uint16_t, std::uint16_t>> source_ports{};
    std::optional<std::pair<std::uint16_t, std::uint16_t>> destination_ports{};
    std::optional<std::uint64_t> tunnel_id{};
    std::optional<std::uint32_t> suppressed_prefix_length{};
    std::optional<std::uint32_t> suppressed_group{};
    std::uint32_t realms = 0;
};

}  // namespace vigil::arp::kernel
