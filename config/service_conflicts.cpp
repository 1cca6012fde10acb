/// Services against each other. The kernel has one service for an address, a port and a protocol, and one for a firewall mark and a family: two virtual
/// servers for it would overwrite each other's servers for ever. All of them become intervals that are sorted once, so that a group of 65,536 addresses
/// costs as much as one address.

#include <algorithm>
#include <tuple>

#include "config/interpreter.h"

namespace vigil::config {

namespace {

/// Addresses with a port and a protocol; a firewall mark is one address of a protocol of its own.
struct Interval {
    bool is_mark = false;
    Protocol protocol = Protocol::none;
    std::uint16_t port = 0;
    IpAddress first;
    IpAddress last;
    std::uint32_t service = 0;   ///< index into Configuration::virtual_servers

    bool is_beside(const Interval& other) const {
        return std::tie(is_mark, protocol, port, first.family) == std::tie(other.is_mark, other.protocol, other.port, other.first.family);
    }
    friend bool operator<(const Interval& a, const Interval& b) {
        return std::tie(a.is_mark, a.protocol, a.port, a.first.family, a.first.octets, a.service) <
               std::tie(b.is_mark, b.protocol, b.port, b.first.family, b.first.octets, b.service);
    }
};

Interval of_mark(std::uint32_t mark, Family family, std::uint32_t service) {
    IpAddress address{{}, family};
    for (std::size_t i = 0; i < 4; ++i) address.octets[i] = static_cast<std::uint8_t>(mark >> (24 - 8 * i) & 0xff);
    return {true, Protocol::none, 0, address, address, service};
}

void add_intervals(std::vector<Interval>& intervals, const Configuration& all, std::uint32_t index) {
    const VirtualServer& service = all.virtual_servers[index];
    switch (service.kind) {
        case ServiceKind::address: intervals.push_back({false, service.protocol, service.port, service.address, service.address, index}); return;
        case ServiceKind::mark: intervals.push_back(of_mark(service.mark, service.family, index)); return;
        case ServiceKind::group: break;
    }
    const VirtualServerGroup& group = all.server_groups[service.group];
    for (const ServiceRange& range : group.ranges) intervals.push_back({false, service.protocol, range.port, range.first, range.last, index});
    for (const FirewallMark& mark : group.marks) intervals.push_back(of_mark(mark.mark, mark.family.value_or(service.family), index));
}

}  // namespace

void drop_colliding_services(Context& context, std::vector<bool>& is_usable) {
    const auto& services = context.configuration.virtual_servers;
    std::vector<Interval> intervals;
    for (std::uint32_t i = 0; i < services.size(); ++i) {
        if (is_usable[i]) add_intervals(intervals, context.configuration, i);
    }
    std::sort(intervals.begin(), intervals.end());
    for (std::size_t reaching = 0, i = 1; i < intervals.size(); ++i) {   // `reaching`: of those before i, the one that goes furthest
        const Interval& one = intervals[reaching];
        const Interval& next = intervals[i];
        const bool collide = one.is_beside(next) && !(one.last < next.first) && one.service != next.service && is_usable[one.service] && is_usable[next.service];
        if (collide) {
            const std::uint32_t later = std::max(one.service, next.service);
            is_usable[later] = false;
            context.reporter.report_at(Severity::error, services[later].where,
                                       "the virtual_server on line " + std::to_string(services[std::min(one.service, next.service)].where.line) +
                                           " answers for this already: it is not used",
                                       "the kernel has each address, port and protocol once, and each firewall mark");
        }
        const bool is_past = !one.is_beside(next) || one.last < next.last || !is_usable[one.service];
        if (is_past && is_usable[next.service]) reaching = i;
    }
}

}  // namespace vigil::config
