#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/script.h"
#include "packet/address.h"
#include "packet/units.h"

/// Routes and policy rules as the file has them: names of iproute2's tables are numbers already, interfaces are still names.
namespace vigil::config {

struct Prefix {
    IpAddress address;
    std::uint8_t length = 0;  ///< 0: everything

    friend bool operator==(const Prefix&, const Prefix&) = default;
};

/// Numbers are the kernel's RTN_*.
enum class RouteType : std::uint8_t { unicast = 1, local, broadcast, anycast, multicast, blackhole, unreachable, prohibit, throw_away };

/// Beside routes to the same destination: before them, behind them, or only when there is none.
enum class RouteCreation : std::uint8_t { prepend, append, add };

/// Numbers are the kernel's RTAX_*.
enum class RouteMetric : std::uint8_t {
    mtu = 2, window, rtt, rttvar, ssthresh, cwnd, advmss, reordering, hoplimit, initcwnd, features, rto_min, initrwnd, quickack, congctl,
    fastopen_no_cookie
};

struct MetricValue {
    RouteMetric metric = RouteMetric::mtu;
    std::uint32_t value = 0;  ///< in the kernel's unit: rtt in 1/8 ms, rttvar in 1/4 ms, rto_min in ms
    bool is_locked = false;   ///< the kernel does not change it by what it measures

    friend bool operator==(const MetricValue&, const MetricValue&) = default;
};

/// Numbers are the kernel's LWTUNNEL_ENCAP_*.
enum class EncapsulationKind : std::uint8_t { none = 0, mpls = 1, ip = 2, ila = 3, ip6 = 4 };

/// `encap`: what packets are wrapped in on this path.
struct Encapsulation {
    EncapsulationKind kind = EncapsulationKind::none;
    std::vector<std::uint32_t> labels;      ///< mpls: outermost first, each below 2^20
    std::uint64_t id = 0;                   ///< ip, ip6: of the tunnel; ila: the locator
    std::optional<IpAddress> destination;   ///< ip, ip6
    std::optional<IpAddress> source;
    std::optional<std::uint8_t> tos;        ///< ip: tos; ip6: traffic class
    std::optional<std::uint8_t> ttl;        ///< ip, mpls: ttl; ip6: hop limit
    std::uint16_t flags = 0;                ///< ip, ip6: TUNNEL_* of the kernel

    friend bool operator==(const Encapsulation&, const Encapsulation&) = default;
};

/// One way to the destination.
struct RouteNexthop {
    std::optional<IpAddress> gateway;  ///< may be of another family than the route
    std::string_view device;           ///< empty: the kernel finds it by the gateway
    std::uint16_t weight = 1;          ///< 1-256; of `nexthop` only
    bool is_onlink = false;
    std::uint32_t realms = 0;          ///< source realm << 16 | destination realm; IPv4
    Encapsulation encapsulation;

    friend bool operator==(const RouteNexthop&, const RouteNexthop&) = default;
};

/// One line of virtual_routes or static_routes.
struct ConfiguredRoute {
    Prefix destination;
    RouteType type = RouteType::unicast;
    RouteCreation creation = RouteCreation::prepend;
    std::optional<Prefix> source;                ///< `from`: source routing of IPv6
    std::optional<IpAddress> preferred_source;   ///< `src`
    RouteNexthop next;                           ///< the only way, when `nexthops` is empty
    std::vector<RouteNexthop> nexthops;
    std::uint32_t table = 0;                     ///< 0: main, or that of `vrf`
    std::string_view vrf;                        ///< name of a VRF device; empty: none
    std::optional<std::uint32_t> metric;
    std::optional<std::uint8_t> scope;           ///< IPv4; absent: what follows from type and gateway
    std::optional<std::uint8_t> protocol;        ///< only with no_track; otherwise `keepalived`, by which we know our own
    std::optional<std::uint8_t> preference;      ///< IPv6 router preference: 0 medium, 1 high, 3 low
    std::optional<std::uint32_t> expires;        ///< seconds; IPv6
    std::uint8_t tos = 0;                        ///< IPv4
    std::vector<MetricValue> metrics;
    std::string_view congestion_control;         ///< `congctl`; empty: the host's
    bool is_congestion_control_locked = false;
    bool no_track = false;                       ///< deletion by somebody else is tolerated
    std::string_view track_group;                ///< static routes only: its instances are in FAULT while the route cannot be had
    SourceLocation where;

    Family family() const { return destination.address.family; }
    friend bool operator==(const ConfiguredRoute&, const ConfiguredRoute&) = default;
};

/// Numbers are the kernel's FR_ACT_*.
enum class RuleAction : std::uint8_t { none = 0, lookup = 1, go_to = 2, nop = 3, blackhole = 6, unreachable = 7, prohibit = 8 };

/// First and last, both included.
struct NumberRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;

    friend bool operator==(const NumberRange&, const NumberRange&) = default;
};

/// One line of virtual_rules or static_rules.
struct ConfiguredRule {
    Family family = Family::ipv4;
    RuleAction action = RuleAction::none;
    std::uint32_t priority = 0;        ///< always set: one that the file does not give is chosen at load
    std::uint32_t table = 0;           ///< of RuleAction::lookup; 0 with is_l3mdev
    std::uint32_t go_to = 0;           ///< priority of the rule to go on with
    bool is_inverted = false;          ///< `not`
    bool is_l3mdev = false;            ///< table of the VRF that the packet's interface is in
    std::optional<Prefix> from;
    std::optional<Prefix> to;
    std::string_view input_device;     ///< iif
    std::string_view output_device;    ///< oif
    std::uint8_t tos = 0;
    std::optional<std::uint8_t> protocol;      ///< as in routes
    std::optional<std::uint8_t> ip_protocol;   ///< ipproto
    std::optional<std::uint32_t> mark;         ///< fwmark
    std::optional<std::uint32_t> mark_mask;    ///< absent: all bits
    std::optional<NumberRange> user_ids;       ///< uidrange
    std::optional<NumberRange> source_ports;
    std::optional<NumberRange> destination_ports;
    std::optional<std::uint64_t> tunnel_id;
    std::optional<std::uint32_t> suppressed_prefix_length;
    std::optional<std::uint32_t> suppressed_group;
    std::uint32_t realms = 0;          ///< source realm << 16 | destination realm; IPv4
    bool no_track = false;
    std::string_view track_group;
    SourceLocation where;

    friend bool operator==(const ConfiguredRule&, const ConfiguredRule&) = default;
};

/// The line again, for dumps and logs (dump_routes.cpp).
std::string to_string(const ConfiguredRoute& route);
std::string to_string(const ConfiguredRule& rule);

/// Numbers of words that the kernel's interface fixes.
constexpr std::uint8_t keepalived_protocol = 18;   ///< RTPROT_KEEPALIVED
constexpr std::uint32_t main_table = 254;

}  // namespace vigil::config
