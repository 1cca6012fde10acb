#include "engine/io/group_membership.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace vigil::io {

GroupMembership GroupMembership::join(unsigned interface_index, std::span<const IpAddress> groups) {
    GroupMembership membership;
    for (const IpAddress& group : groups) membership.join_one(interface_index, group);
    return membership;
}

FileDescriptor* GroupMembership::socket_for(Family family) {
    FileDescriptor& socket = family == Family::ipv4 ? ipv4_ : ipv6_;
    if (!socket.is_open()) {
        // Never bound to a port, so it never receives a datagram.
        socket = FileDescriptor(::socket(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    }
    return socket.is_open() ? &socket : nullptr;
}

void GroupMembership::join_one(unsigned interface_index, const IpAddress& group) {
    const std::string operation = "join group " + to_string(group);
    FileDescriptor* socket = socket_for(group.family);
    if (socket == nullptr) {
        refusals_.push_back(last_error(operation).value());
        return;
    }
    int result = 0;
    if (group.family == Family::ipv4) {
        ip_mreqn request{};
        std::copy_n(group.octets.begin(), 4, reinterpret_cast<std::uint8_t*>(&request.imr_multiaddr));
        request.imr_ifindex = static_cast<int>(interface_index);
        result = ::setsockopt(socket->get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
    } else {
        ipv6_mreq request{};
        std::copy(group.octets.begin(), group.octets.end(), reinterpret_cast<std::uint8_t*>(&request.ipv6mr_multiaddr));
        request.ipv6mr_interface = interface_index;
        result = ::setsockopt(socket->get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
    }
    if (result != 0 && errno != EADDRINUSE) refusals_.push_back(last_error(operation).value());
}

}  // namespace vigil::io
