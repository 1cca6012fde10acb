#include "engine/bfd/io/send_port.h"

#include <linux/filter.h>
#include <linux/pkt_sched.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>

#include "engine/bfd/io/socket_address.h"

// Nothing is ever read from these sockets, and a stranger can send to their ports: a filter that lets nothing pass keeps the kernel from storing it.
//
// Control traffic gets the priority of routing protocols on the way out (internetwork control, 0xc0), as a link full of other traffic is no reason to
// find a neighbor dead.

namespace vigil::bfd {
namespace {

constexpr std::uint16_t first_port = 49152;   // RFC 5881 §4
constexpr unsigned port_count = 65536 - first_port;
constexpr int internetwork_control = IPTOS_PREC_INTERNETCONTROL;

/// The next session begins to look behind the one before.
std::uint16_t next_port() {
    static std::atomic<unsigned> count{0};
    return static_cast<std::uint16_t>(first_port + count.fetch_add(1) % port_count);
}

bool set(int socket, int level, int name, int value) { return ::setsockopt(socket, level, name, &value, sizeof value) == 0; }

void refuse_everything(int socket) {
    sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog program{1, &nothing};
    (void)::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

bool set_options(int socket, const SessionSpec& spec) {
    (void)set(socket, SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL);
    if (spec.neighbor.family == Family::ipv4) {
        (void)set(socket, IPPROTO_IP, IP_TOS, internetwork_control);
        (void)set(socket, IPPROTO_IP, IP_FREEBIND, 1);
        return set(socket, IPPROTO_IP, IP_TTL, spec.ttl);
    }
    (void)set(socket, IPPROTO_IPV6, IPV6_TCLASS, internetwork_control);
    (void)set(socket, IPPROTO_IPV6, IPV6_FREEBIND, 1);   // since Linux 4.15
    return set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) && set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, spec.ttl);
}

}  // namespace

io::Result<SendPort> SendPort::open(const SessionSpec& spec) {
    const bool is_ipv4 = spec.neighbor.family == Family::ipv4;
    SendPort port;
    port.socket_ = io::FileDescriptor(::socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!port.socket_.is_open()) return io::last_error("open a UDP socket");
    refuse_everything(port.socket_.get());
    if (!set_options(port.socket_.get(), spec)) return io::last_error("set the TTL of a UDP socket");
    port.neighbor_size_ = write_socket_address(port.neighbor_, spec.neighbor, spec.is_multihop ? packet::bfd_multihop_port : packet::bfd_port);
    const IpAddress own = spec.source.value_or(IpAddress{{}, spec.neighbor.family});
    for (unsigned attempt = 0; attempt < port_count; ++attempt) {
        port.source_port_ = next_port();
        sockaddr_in6 address{};
        const socklen_t size = write_socket_address(address, own, port.source_port_);
        if (::bind(port.socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return port;
        if (errno != EADDRINUSE) return io::last_error("bind a UDP socket to " + to_string(own));
    }
    return tl::unexpected(io::SystemError{"find a free UDP port from 49152 on", EADDRINUSE});
}

int SendPort::send(std::span<const std::uint8_t> packet) const {
    const ssize_t sent = ::sendto(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&neighbor_), neighbor_size_);
    return sent < 0 ? errno : 0;
}

}  // namespace vigil::bfd
