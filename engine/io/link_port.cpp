#include "engine/io/link_port.h"

#include "engine/io/clock.h"

namespace vigil::io {

LinkPort::LinkPort(engine::LinkIndex link, PacketPort packet, RoutePort route, GroupMembership memberships)
    : link_(link), packet_(std::move(packet)), route_(std::move(route)), memberships_(std::move(memberships)) {}

Result<std::unique_ptr<LinkPort>> LinkPort::open(const LinkPortOptions& options) {
    PacketPortOptions packet_options{.interface_index = options.interface_index,
                                     .ring = options.ring,
                                     .filter = options.filter,
                                     .multicast_macs = {},
                                     .unicast_macs = options.unicast_macs};
    for (const IpAddress& group : options.groups) packet_options.multicast_macs.push_back(multicast_mac(group));
    const Instant opened = clock::now();
    auto packet = PacketPort::open(packet_options);
    if (!packet) return tl::unexpected(packet.error());
    auto route = RoutePort::open(options.interface_name, options.interface_index, options.routes_ipv4, options.routes_ipv6);
    if (!route) return tl::unexpected(route.error());
    std::unique_ptr<LinkPort> port(new LinkPort(options.link, std::move(*packet), std::move(*route),
                                                GroupMembership::join(options.interface_index, options.groups)));
    port->empty_since = opened;
    return port;
}

}  // namespace vigil::io
