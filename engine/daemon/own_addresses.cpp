#include "engine/daemon/own_addresses.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <spdlog/spdlog.h>

namespace vigil::daemon {

OwnAddresses::~OwnAddresses() { *alive_ = false; }

void OwnAddresses::watch(bool is_wanted) {
    if (std::exchange(is_wanted_, is_wanted) == is_wanted) return;
    if (!is_wanted) {
        boost::system::error_code ignored;
        changes_.close(ignored);
        return;
    }
    is_stale_ = true;
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    sockaddr_nl own{};
    own.nl_family = AF_NETLINK;
    own.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
        spdlog::error("ha_suspend: changes of addresses are not seen: {}", std::strerror(errno));
        if (fd >= 0) ::close(fd);
        return;
    }
    changes_.assign(fd);
    wait();
}

/// A lost message (ENOBUFS) is a message as well.
void OwnAddresses::wait() {
    changes_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        std::array<char, 8192> ignored{};
        while (::recv(changes_.native_handle(), ignored.data(), ignored.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS) errno = 0;
        is_stale_ = true;
        wait();
    });
}

bool OwnAddresses::refresh() {
    if (!is_wanted_ || !std::exchange(is_stale_, false)) return false;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) {
        is_stale_ = true;
        return false;
    }
    addresses_.clear();
    for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr) continue;
        if (one->ifa_addr->sa_family == AF_INET) {
            addresses_.insert(make_address({reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr), 4}));
        } else if (one->ifa_addr->sa_family == AF_INET6) {
            addresses_.insert(make_address({reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr), 16}));
        }
    }
    ::freeifaddrs(first);
    return true;
}

}  // namespace vigil::daemon
