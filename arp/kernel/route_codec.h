#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "arp/kernel/route_spec.h"

/// Routes and rules <-> rtnetlink messages. Pure.
namespace vigil::arp::kernel {

/// A whole request without a sequence number; empty: it is longer than any datagram may be.
using EncodedRequest = std::vector<std::byte>;

/// What a new route does to one with the same destination, TOS and metric.
enum class RouteMode : std::uint8_t {
    prepend,   ///< stands before it. IPv6: beside it
    append,    ///< stands behind it
    add,       ///< is refused
    replace,   ///< takes its place
};

EncodedRequest write_new_route(const RouteSpec& spec, RouteMode mode);
/// Only this very route: the kernel compares all that is in the request.
EncodedRequest write_delete_route(const RouteSpec& spec);
EncodedRequest write_new_rule(const RuleSpec& spec);
EncodedRequest write_delete_rule(const RuleSpec& spec);

/// The kernel's default metric of IPv6 routes (IP6_RT_PRIO_USER).
constexpr std::uint32_t default_ipv6_metric = 1024;

/// What tells a route from others, as far as notifications need it: several with other gateways may share it.
struct RouteState {
    PrefixSpec destination{};
    std::uint32_t table = 0;
    std::uint32_t metric = 0;   ///< never 0 for IPv6
    std::uint8_t tos = 0;
    std::uint8_t protocol = 0;
};
/// nullopt for another type, another family, a route of a cache, or a malformed message.
std::optional<RouteState> read_route_state(const nlmsghdr& message);

struct RuleState {
    Family family = Family::ipv4;
    std::uint32_t priority = 0;
    std::uint32_t table = 0;
    std::uint8_t action = 0;
    std::uint8_t protocol = 0;
};
std::optional<RuleState> read_rule_state(const nlmsghdr& message);

}  // namespace vigil::arp::kernel
