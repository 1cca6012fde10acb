// KEEPALIVED-MIB: vrrpRouteTable, vrrpRouteNextHopTable and vrrpRuleTable. What a route or rule does not say is no object; what the kernel wraps packets in (the
// Encap columns) is not told.

#include "engine/snmp/tables.h"
#include "engine/snmp/values.h"

#include <algorithm>

namespace vigil::snmp {
namespace {

/// The kernel's numbers.
namespace rtax {
constexpr std::uint8_t mtu = 2, window = 3, rtt = 4, rttvar = 5, ssthresh = 6, cwnd = 7, advmss = 8, reordering = 9, hoplimit = 10, initcwnd = 11, features = 12,
                       rto_min = 13, initrwnd = 14, quickack = 15, fastopen_no_cookie = 17;
}

const Route& route_of(const Row& row) { return of<Route>(row); }
const Nexthop& hop_of(const Row& row) { return of<Nexthop>(row); }
const Rule& rule_of(const Row& row) { return of<Rule>(row); }

Object gauge_or_none(const std::optional<std::uint32_t>& value) { return value ? Object(gauge(*value)) : Object(); }
Object positive_or_none(std::uint32_t value) { return value != 0 ? Object(gauge(value)) : Object(); }
Object index_or_none(std::uint32_t index) { return index != 0 ? Object(integer(index)) : Object(); }

/// vrrpRouteType for the kernel's RTN_.
Object route_type(const Row& row) {
    constexpr std::uint8_t several = 2;
    if (!route_of(row).nexthops.empty()) return integer(several);
    constexpr int words[] = {0, 1, 0, 6, 4, 5, 3, 7, 8, 9};
    const std::uint8_t type = route_of(row).type;
    return type < std::size(words) && words[type] != 0 ? Object(integer(words[type])) : Object();
}

/// vrrpRoutePref for the kernel's ICMPV6_ROUTER_PREF_.
Object preference(const Row& row) {
    const auto value = route_of(row).preference;
    if (!value) return std::nullopt;
    return integer(*value == 3 ? 1 : *value == 1 ? 3 : 2);
}

const RouteMetric* find_metric(const Row& row, std::uint8_t kind) {
    const auto& all = route_of(row).metrics;
    const auto found = std::find_if(all.begin(), all.end(), [&](const RouteMetric& one) { return one.kind == kind; });
    return found == all.end() ? nullptr : &*found;
}

/// `unit`: how many of the kernel's make one of the MIB's.
template <std::uint8_t kind, std::uint32_t unit = 1>
Object metric(const Row& row) {
    const RouteMetric* found = find_metric(row, kind);
    return found == nullptr ? Object() : Object(gauge(found->value / unit));
}
template <std::uint8_t kind>
Object lock(const Row& row) {
    const RouteMetric* found = find_metric(row, kind);
    return found == nullptr ? Object() : Object(truth(found->is_locked));
}
template <std::uint8_t kind>
Object flag(const Row& row) {
    const RouteMetric* found = find_metric(row, kind);
    return truth(found != nullptr && found->value != 0);
}
template <std::uint8_t kind>
Object flag_if_given(const Row& row) {
    return find_metric(row, kind) == nullptr ? Object() : flag<kind>(row);
}
Object ecn(const Row& row) {
    const RouteMetric* found = find_metric(row, rtax::features);
    return truth(found != nullptr && (found->value & 1) != 0);
}

std::vector<Column> route_columns() {
    return {{2, [](const Row& row) -> Object { return address_type(route_of(row).destination.family); }},
            {3, [](const Row& row) -> Object { return octets(route_of(row).destination); }},
            {4, [](const Row& row) -> Object { return gauge(route_of(row).prefix_length); }},
            {5, [](const Row& row) -> Object { return octets(route_of(row).next.gateway); }},
            {7, [](const Row& row) -> Object { return octets(route_of(row).preferred_source); }},
            {8, [](const Row& row) -> Object { return gauge(route_of(row).metric); }},
            {9, [](const Row& row) -> Object { return scope(route_of(row).scope); }},
            {10, route_type},
            {11, [](const Row& row) -> Object { return index_or_none(route_of(row).next.interface_index); }},
            {12, [](const Row& row) -> Object { return text_or_none(route_of(row).next.interface); }},
            {13, [](const Row& row) -> Object { return gauge(route_of(row).table); }},
            {14, [](const Row& row) -> Object { return truth(route_of(row).is_set); }},
            {15, [](const Row& row) -> Object { return octets(route_of(row).from); }},
            {16, [](const Row& row) -> Object { return route_of(row).from ? Object(gauge(route_of(row).from_length)) : Object(); }},
            {17, [](const Row& row) -> Object { return positive_or_none(route_of(row).tos); }},
            {18, [](const Row& row) -> Object { return integer(route_of(row).protocol + 1); }},
            {19, ecn},
            {20, flag<rtax::quickack>},
            {21, [](const Row& row) -> Object { return route_of(row).expires ? Object(integer(*route_of(row).expires)) : Object(); }},
            {22, metric<rtax::mtu>},
            {23, lock<rtax::mtu>},
            {24, metric<rtax::hoplimit>},
            {25, metric<rtax::advmss>},
            {26, lock<rtax::advmss>},
            {27, metric<rtax::rtt, 8>},
            {28, lock<rtax::rtt>},
            {29, metric<rtax::rttvar, 4>},
            {30, lock<rtax::rttvar>},
            {31, metric<rtax::reordering>},
            {32, lock<rtax::reordering>},
            {33, metric<rtax::window>},
            {34, metric<rtax::cwnd>},
            {35, lock<rtax::cwnd>},
            {36, metric<rtax::ssthresh>},
            {37, lock<rtax::ssthresh>},
            {38, metric<rtax::rto_min>},
            {39, lock<rtax::rto_min>},
            {40, metric<rtax::initcwnd>},
            {41, metric<rtax::initrwnd>},
            {42, [](const Row& row) -> Object { return text_or_none(route_of(row).congestion_control); }},
            {43, preference},
            {44, [](const Row& row) -> Object { return positive_or_none(route_of(row).next.realms & 0xffff); }},
            {45, [](const Row& row) -> Object { return positive_or_none(route_of(row).next.realms >> 16); }},
            {55, flag_if_given<rtax::fastopen_no_cookie>}};
}

std::vector<Column> hop_columns() {
    return {{2, [](const Row& row) -> Object { return hop_of(row).gateway ? Object(address_type(hop_of(row).gateway->family)) : Object(); }},
            {3, [](const Row& row) -> Object { return octets(hop_of(row).gateway); }},
            {4, [](const Row& row) -> Object { return index_or_none(hop_of(row).interface_index); }},
            {5, [](const Row& row) -> Object { return text_or_none(hop_of(row).interface); }},
            {6, [](const Row& row) -> Object { return gauge(hop_of(row).weight); }},
            {7, [](const Row& row) -> Object { return truth(hop_of(row).is_onlink); }},
            {8, [](const Row& row) -> Object { return positive_or_none(hop_of(row).realms & 0xffff); }},
            {9, [](const Row& row) -> Object { return positive_or_none(hop_of(row).realms >> 16); }}};
}

/// Older managers know one address of a rule: the first of the two.
const std::optional<IpAddress>& first_address(const Rule& rule) { return rule.from ? rule.from : rule.to; }

Object type_if(const std::optional<IpAddress>& address) { return address ? Object(address_type(address->family)) : Object(); }
Object length_if(const std::optional<IpAddress>& address, std::uint8_t length) { return address ? Object(gauge(length)) : Object(); }
bool goes_to_table(const Rule& rule) { return rule.action == 1 && !rule.is_l3mdev; }

std::vector<Column> rule_columns() {
    return {{2, [](const Row& row) -> Object { return first_address(rule_of(row)) ? Object(text(rule_of(row).from ? "from" : "to")) : Object(); }},
            {3, [](const Row& row) -> Object { return type_if(first_address(rule_of(row))); }},
            {4, [](const Row& row) -> Object { return octets(first_address(rule_of(row))); }},
            {5, [](const Row& row) -> Object { return length_if(first_address(rule_of(row)), rule_of(row).from ? rule_of(row).from_length : rule_of(row).to_length); }},
            {6, [](const Row& row) -> Object { return goes_to_table(rule_of(row)) ? Object(gauge(rule_of(row).table)) : Object(); }},
            {7, [](const Row& row) -> Object { return truth(rule_of(row).is_set); }},
            {8, [](const Row& row) -> Object { return truth(rule_of(row).is_inverted); }},
            {9, [](const Row& row) -> Object { return type_if(rule_of(row).to); }},
            {10, [](const Row& row) -> Object { return octets(rule_of(row).to); }},
            {11, [](const Row& row) -> Object { return length_if(rule_of(row).to, rule_of(row).to_length); }},
            {12, [](const Row& row) -> Object { return type_if(rule_of(row).from); }},
            {13, [](const Row& row) -> Object { return octets(rule_of(row).from); }},
            {14, [](const Row& row) -> Object { return length_if(rule_of(row).from, rule_of(row).from_length); }},
            {15, [](const Row& row) -> Object { return gauge(rule_of(row).tos); }},
            {16, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).mark); }},
            {17, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).mark_mask); }},
            {18, [](const Row& row) -> Object { return positive_or_none(rule_of(row).realms & 0xffff); }},
            {19, [](const Row& row) -> Object { return positive_or_none(rule_of(row).realms >> 16); }},
            {20, [](const Row& row) -> Object { return text_or_none(rule_of(row).input); }},
            {21, [](const Row& row) -> Object { return text_or_none(rule_of(row).output); }},
            {22, [](const Row& row) -> Object { return positive_or_none(rule_of(row).go_to); }},
            {23, [](const Row& row) -> Object { return integer(rule_of(row).action); }},
            {24, [](const Row& row) -> Object { return goes_to_table(rule_of(row)) ? Object(gauge(rule_of(row).table)) : Object(); }},
            {25, [](const Row& row) -> Object { return gauge(rule_of(row).priority); }},
            {26, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).suppressed_length); }},
            {27, [](const Row& row) -> Object { return rule_of(row).suppressed_group ? Object(text(std::to_string(*rule_of(row).suppressed_group))) : Object(); }},
            {28, [](const Row& row) -> Object { return rule_of(row).tunnel_id ? Object(gauge(static_cast<std::uint32_t>(*rule_of(row).tunnel_id >> 32))) : Object(); }},
            {29, [](const Row& row) -> Object { return rule_of(row).tunnel_id ? Object(gauge(static_cast<std::uint32_t>(*rule_of(row).tunnel_id))) : Object(); }},
            {30, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).user_first); }},
            {31, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).user_last); }},
            {32, [](const Row& row) -> Object { return rule_of(row).is_l3mdev ? Object(truth(true)) : Object(); }},
            {33, [](const Row& row) -> Object { return rule_of(row).protocol != 0 ? Object(integer(rule_of(row).protocol + 1)) : Object(); }},
            {34, [](const Row& row) -> Object { return rule_of(row).ip_protocol ? Object(gauge(*rule_of(row).ip_protocol)) : Object(); }},
            {35, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).source_first); }},
            {36, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).source_last); }},
            {37, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).destination_first); }},
            {38, [](const Row& row) -> Object { return gauge_or_none(rule_of(row).destination_last); }}};
}

}  // namespace

/// Static ones are those of an instance 0, here and for rules.
void add_route_tables(std::vector<Table>& tables, const Picture& picture) {
    Table table{vrrp_entry(7), route_columns(), {}};
    Table hops{vrrp_entry(11), hop_columns(), {}};
    const auto add = [&](std::uint32_t instance, const std::vector<Route>& routes) {
        for (std::size_t k = 0; k < routes.size(); ++k) {
            table.rows.push_back({{instance, position(k)}, &routes[k], nullptr});
            const auto& all = routes[k].nexthops;
            for (std::size_t n = 0; n < all.size(); ++n) hops.rows.push_back({{instance, position(k), position(n)}, &all[n], nullptr});
        }
    };
    add(0, picture.static_routes);
    for (std::size_t i = 0; i < picture.instances.size(); ++i) add(position(i), picture.instances[i].routes);
    tables.push_back(std::move(table));
    tables.push_back(std::move(hops));
}

void add_rule_table(std::vector<Table>& tables, const Picture& picture) {
    Table table{vrrp_entry(8), rule_columns(), {}};
    const auto add = [&](std::uint32_t instance, const std::vector<Rule>& rules) {
        for (std::size_t k = 0; k < rules.size(); ++k) table.rows.push_back({{instance, position(k)}, &rules[k], nullptr});
    };
    add(0, picture.static_rules);
    for (std::size_t i = 0; i < picture.instances.size(); ++i) add(position(i), picture.instances[i].rules);
    tables.push_back(std::move(table));
}

}  // namespace vigil::snmp
