#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "packet/address.h"

namespace vigil::bfd {

/// Of either family: sockaddr_in6 is the longer one.
inline socklen_t write_socket_address(sockaddr_in6& storage, const IpAddress& address, std::uint16_t port) {
    storage = {};
    if (address.family == Family::ipv4) {
        sockaddr_in ipv4{};
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port);
        std::memcpy(&ipv4.sin_addr, address.octets.data(), 4);
        std::memcpy(&storage, &ipv4, sizeof ipv4);
        return sizeof ipv4;
    }
    storage.sin6_family = AF_INET6;
    storage.sin6_port = htons(port);
    std::memcpy(&storage.sin6_addr, address.octets.data(), 16);
    return sizeof storage;
}

/// `storage` was filled in by the kernel.
inline IpAddress read_socket_address(const sockaddr_in6& storage) {
    if (storage.sin6_family == AF_INET6) return make_address({storage.sin6_addr.s6_addr, 16});
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &storage, sizeof ipv4);
    return make_address({reinterpret_cast<const std::uint8_t*>(&ipv4.sin_addr), 4});
}

}  // namespace vigil::bfd
