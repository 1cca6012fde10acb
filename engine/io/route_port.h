#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <span>
#include <string>

#include "engine/io/file_descriptor.h"
#include "engine/io/system_error.h"
#include "packet/units.h"

namespace vigil::io {

/// Destination of an IP packet, as sendmsg() wants it.
struct RouteDestination {
    sockaddr_storage address{};
    socklen_t size = 0;              ///< 0: the bytes are no IPv4 or IPv6 packet
};

/// Raw IP sockets for TxPath::route: complete IP packets that the kernel routes to the destination in their header. Send-only.
///
/// Bound to the link's device (SO_BINDTODEVICE), as keepalived does where an interface is configured: in a VRF it selects the VRF's table, and a
/// second path to the peer cannot draw the adverts to an interface on which the peer does not listen. The price: a peer that is reachable only
/// through another interface is not reached.
class RoutePort {
public:
    RoutePort() = default;
    static Result<RoutePort> open(const std::string& interface_name, bool ipv4, bool ipv6);

    /// -1 when the family was not opened.
    int fd(Family family) const { return family == Family::ipv4 ? ipv4_.get() : ipv6_.get(); }

private:
    FileDescriptor ipv4_;
    FileDescriptor ipv6_;
};

/// The destination in the header of `packet`. A link-local one needs no scope here: the socket's device is its scope.
RouteDestination destination_of(std::span<const std::uint8_t> packet);

/// Family of an IP packet by its first nibble; IPv4 unless it says 6.
constexpr Family family_of(std::span<const std::uint8_t> packet) {
    return !packet.empty() && packet[0] >> 4 == 6 ? Family::ipv6 : Family::ipv4;
}

}  // namespace vigil::io
