#include "engine/io/packet_port.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <sys/socket.h>

#include <algorithm>

// One interface's door to the wire.
//
// Receive socket. Made with protocol 0, so that the kernel hooks it nowhere until bind(): filter and ring are in place before the first
// frame, and nothing from another interface can slip in between. ETH_P_ALL, because a socket of one EtherType sits behind the VLAN, bridge
// and macvlan handlers and would miss what they take; PACKET_IGNORE_OUTGOING keeps our own frames out. The socket that counts junk is made the same
// way, with the other side of the filter and a ring of one page.
//
// One ring per interface, not one for all: a flood on one LAN can then only displace adverts of that LAN, the filter costs nothing on
// interfaces without routers, and a deleted interface takes its ring with it. Looking at an idle ring costs one cache line per pass.
//
// Transmit socket. Protocol 0 for ever: it receives nothing. A socket of its own per interface, because a bound socket spares the
// kernel the address copy and the device lookup per frame. The frames go through the queueing discipline. PACKET_QDISC_BYPASS
// would save about a tenth of the cost, but frames would then be invisible to a tcpdump on this host and pass by tc and the nft egress hook;
// an operator who cannot see his own adverts is worth more than that. Instead the socket has the control priority, which
// pfifo_fast serves first and VLAN devices can map to a PCP.
//
// SO_SNDBUF bounds what may sit in driver queues: it is set far above one pass of adverts, so that a full pass never meets EAGAIN.

namespace vigil::io {
namespace {

constexpr int send_buffer_bytes = 16 << 20;

Result<void> bind_to(int socket, unsigned interface_index, std::uint16_t protocol) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(protocol);
    address.sll_ifindex = static_cast<int>(interface_index);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return last_error("bind packet socket");
    return {};
}

/// What the kernel counted since the last call.
tpacket_stats take_statistics(int socket) {
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    (void)::getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &size);
    return statistics;
}

Result<void> take_mac(int socket, unsigned interface_index, const MacAddress& mac, unsigned short kind) {
    packet_mreq request{};
    request.mr_ifindex = static_cast<int>(interface_index);
    request.mr_type = kind;
    request.mr_alen = static_cast<unsigned short>(mac.octets.size());
    std::copy(mac.octets.begin(), mac.octets.end(), request.mr_address);
    if (::setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0) return {};
    return last_error("listen to MAC address " + to_string(mac));
}

/// With what a slot of the ring holds.
Result<void> attach(int fd, FilterOptions filter, FilterSide side, const RingGeometry& ring) {
    filter.capture_bytes = ring.frame_bytes();
    return attach_packet_filter(fd, filter, side);
}

}  // namespace

Result<PacketPort> PacketPort::open(const PacketPortOptions& options) {
    PacketPort port;
    for (const FilterSide side : {FilterSide::adverts, FilterSide::junk}) {
        auto receiver = open_receiver(options, side);
        if (!receiver) return tl::unexpected(receiver.error());
        (side == FilterSide::adverts ? port.receive_ : port.junk_) = std::move(*receiver);
    }
    return port.listen(options).and_then([&] { return port.open_transmitter(options.interface_index); }).map([&] { return std::move(port); });
}

Result<PacketPort::Receiver> PacketPort::open_receiver(const PacketPortOptions& options, FilterSide side) {
    const RingGeometry geometry = side == FilterSide::adverts ? options.ring : junk_geometry;
    Receiver receiver{FileDescriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), {}};
    const int fd = receiver.socket.get();
    if (!receiver.socket.is_open()) return last_error("open packet socket");
    const int on = 1;
    if (::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0) return last_error("ignore own frames");
    if (const auto attached = attach(fd, options.filter, side, geometry); !attached) return tl::unexpected(attached.error());
    auto ring = RxRing::map(fd, geometry);
    if (!ring) return tl::unexpected(ring.error());
    receiver.ring = std::move(*ring);
    if (const auto bound = bind_to(fd, options.interface_index, ETH_P_ALL); !bound) return tl::unexpected(bound.error());
    return receiver;
}

Result<void> PacketPort::change_filter(FilterOptions filter) const {
    const auto attached = attach(receive_.socket.get(), filter, FilterSide::adverts, receive_.ring.geometry());
    return attached ? attach(junk_.socket.get(), filter, FilterSide::junk, junk_.ring.geometry()) : attached;
}

/// The device takes the frames of our groups and MAC addresses from the wire.
Result<void> PacketPort::listen(const PacketPortOptions& options) {
    const int fd = receive_.socket.get();
    for (const MacAddress& mac : options.multicast_macs) {
        if (const auto taken = take_mac(fd, options.interface_index, mac, PACKET_MR_MULTICAST); !taken) return taken;
    }
    for (const MacAddress& mac : options.unicast_macs) {
        if (const auto taken = take_mac(fd, options.interface_index, mac, PACKET_MR_UNICAST); !taken) return taken;
    }
    return {};
}

Result<void> PacketPort::open_transmitter(unsigned interface_index) {
    transmit_ = FileDescriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!transmit_.is_open()) return last_error("open packet socket");
    const int fd = transmit_.get();
    // The forced form needs CAP_NET_ADMIN in the initial namespace; the plain one is bounded by net.core.wmem_max.
    if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer_bytes, sizeof send_buffer_bytes) != 0) {
        (void)::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
    }
    const int priority = TC_PRIO_CONTROL;
    (void)::setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
    return bind_to(fd, interface_index, 0);
}

std::uint32_t PacketPort::take_drops() { return take_statistics(receive_.socket.get()).tp_drops; }

std::uint32_t PacketPort::take_junk_count() { return take_statistics(junk_.socket.get()).tp_packets; }   // those without a slot included

void PacketPort::clear_error() {
    int error = 0;
    socklen_t size = sizeof error;
    (void)::getsockopt(receive_.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
}

}  // namespace vigil::io
