#include "engine/io/route_port.h"

#include <linux/pkt_sched.h>

#include <algorithm>
#include <cstring>

// The IP header is ours (IP_HDRINCL by IPPROTO_RAW for IPv4, IPV6_HDRINCL for IPv6, since Linux 4.5), because TTL, TOS and above all the
// bytes that an AH digest covers were fixed when the frame was built. The kernel still writes the IPv4 header checksum and
// total length, and an identification if that field is 0 and the packet may be fragmented; frames therefore set DF.
//
// Unlike packet sockets these pass netfilter's OUTPUT: EPERM from a firewall is reported like every other failure.

namespace vigil::io {
namespace {

Result<FileDescriptor> open_raw(int domain, const std::string& interface_name) {
    FileDescriptor socket(::socket(domain, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!socket.is_open()) return last_error("open raw IP socket");
    const int on = 1;
    const int included = domain == AF_INET ? ::setsockopt(socket.get(), IPPROTO_IP, IP_HDRINCL, &on, sizeof on)
                                           : ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof on);
    if (included != 0) return last_error("send own IP headers");
    const auto name_size = static_cast<socklen_t>(interface_name.size() + 1);
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface_name.c_str(), name_size) != 0) {
        return last_error("bind raw IP socket to " + interface_name);
    }
    const int priority = TC_PRIO_CONTROL;
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
    return socket;
}

}  // namespace

Result<RoutePort> RoutePort::open(const std::string& interface_name, bool ipv4, bool ipv6) {
    RoutePort port;
    if (ipv4) {
        auto socket = open_raw(AF_INET, interface_name);
        if (!socket) return tl::unexpected(socket.error());
        port.ipv4_ = std::move(*socket);
    }
    if (ipv6) {
        auto socket = open_raw(AF_INET6, interface_name);
        if (!socket) return tl::unexpected(socket.error());
        port.ipv6_ = std::move(*socket);
    }
    return port;
}

RouteDestination destination_of(std::span<const std::uint8_t> packet) {
    RouteDestination destination;
    if (family_of(packet) == Family::ipv4) {
        if (packet.size() < 20) return destination;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        std::copy_n(packet.data() + 16, 4, reinterpret_cast<std::uint8_t*>(&address.sin_addr));
        std::memcpy(&destination.address, &address, sizeof address);
        destination.size = sizeof address;
        return destination;
    }
    if (packet.size() < 40) return destination;
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    std::copy_n(packet.data() + 24, 16, reinterpret_cast<std::uint8_t*>(&address.sin6_addr));
    std::memcpy(&destination.address, &address, sizeof address);
    destination.size = sizeof address;
    return destination;
}

}  // namespace vigil::io
