#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/virtual_router.h"
#include "engine/io/group_membership.h"
#include "engine/io/packet_port.h"
#include "engine/io/route_port.h"
#include "packet/receive_error.h"

namespace vigil::io {

struct LinkPortOptions {
    engine::LinkIndex link = engine::LinkIndex::none;
    std::string interface_name;
    unsigned interface_index = 0;
    RingGeometry ring;
    FilterOptions filter;
    std::vector<IpAddress> groups;            ///< multicast groups to hear: device filter and IGMP/MLD join
    std::vector<MacAddress> unicast_macs;     ///< further MAC addresses that the device must take
    bool routes_ipv4 = false;                 ///< TxPath::route is used for IPv4 (unicast_peer)
    bool routes_ipv6 = false;
};

/// What the fast thread counted on one link. Reset when the port is replaced.
struct PortCounters {
    std::uint64_t frames = 0;         ///< read from the ring
    std::uint64_t truncated = 0;      ///< longer than a slot: open the port again with larger slots
    std::uint64_t drops = 0;          ///< lost by the kernel for want of a slot
    std::uint64_t overflows = 0;      ///< drains that found every slot used
    std::uint64_t send_errors = 0;
    std::uint64_t junk = 0;           ///< VRRP or HSRP that the filter refused in the kernel (packet_filter.cpp)
    /// Why, of the first few of each second: a sample under a flood, all of it when junk is rare.
    std::array<std::uint64_t, packet::receive_error_count> junk_reasons{};
};

/// Everything that one link has open. Made and destroyed on the control thread; between ControlChannel::hand_over() and its return by
/// take_returned() it belongs to the fast thread.
class LinkPort {
public:
    /// Fails only without the packet sockets; refused group joins are in memberships().refusals().
    static Result<std::unique_ptr<LinkPort>> open(const LinkPortOptions& options);

    engine::LinkIndex link() const { return link_; }
    PacketPort& packet() { return packet_; }
    /// See PacketPort.
    Result<void> change_filter(const FilterOptions& filter) const { return packet_.change_filter(filter); }
    const RoutePort& route() const { return route_; }
    const GroupMembership& memberships() const { return memberships_; }

    /// Brings the junk counters up to date. Bounded; one system call.
    void count_junk();

    PortCounters counters;            ///< fast thread only
    Instant empty_since{};            ///< fast thread only: when the ring was last seen empty

private:
    LinkPort(engine::LinkIndex link, PacketPort packet, RoutePort route, GroupMembership memberships);

    engine::LinkIndex link_;
    PacketPort packet_;
    RoutePort route_;
    GroupMembership memberships_;
};

/// The same for many links at once, results in the order of `options`. The kernel waits for a grace period (5 to 20 ms) when it makes a ring and for
/// three when it closes a port, so that 256 links one after the other would take seconds to open and more to close. Waiting in
/// several threads at once, they share the grace periods.
std::vector<Result<std::unique_ptr<LinkPort>>> open_ports(std::span<const LinkPortOptions> options);
void close_ports(std::vector<std::unique_ptr<LinkPort>> ports);

}  // namespace vigil::io
