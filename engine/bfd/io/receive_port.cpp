#include "engine/bfd/io/receive_port.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "engine/bfd/io/socket_address.h"

// The kernel says with each datagram when it came, with what TTL and to which address. The time is the socket's stamp of the wall clock, turned into
// ours as for the rings of adverts (engine/io/clock.h): it is what the Detection Time counts from, so packets that waited while this process could not run keep the session
// alive.
//
// The receive buffer is large, because those who send do so a hundred times a second and more, and what does not fit would be missed exactly when we
// are late already.

namespace vigil::bfd {
namespace {

constexpr std::size_t payload_room = 128;    // what is longer is cut; a control packet has 24 octets, or up to 52 with authentication
constexpr std::size_t control_room = 256;
constexpr int receive_buffer_bytes = 4 << 20;

bool set(int socket, int level, int name, int value) { return ::setsockopt(socket, level, name, &value, sizeof value) == 0; }

bool ask_for_particulars(int socket, Family family) {
    if (!set(socket, SOL_SOCKET, SO_TIMESTAMPNS, 1)) return false;
    if (family == Family::ipv4) return set(socket, IPPROTO_IP, IP_RECVTTL, 1) && set(socket, IPPROTO_IP, IP_PKTINFO, 1);
    return set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) && set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) && set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

template <class T>
T value_of(const cmsghdr& message) {
    T value{};
    std::memcpy(&value, CMSG_DATA(&message), sizeof value);
    return value;
}

void read_particular(Datagram& datagram, const cmsghdr& message, const io::clock::ArrivalWindow& window) {
    if (message.cmsg_level == SOL_SOCKET && message.cmsg_type == SCM_TIMESTAMPNS) {
        const auto stamp = value_of<timespec>(message);
        datagram.arrival = window.arrival(std::int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec);
    } else if (message.cmsg_level == IPPROTO_IP && message.cmsg_type == IP_TTL) {
        datagram.ttl = static_cast<std::uint8_t>(value_of<int>(message));
    } else if (message.cmsg_level == IPPROTO_IP && message.cmsg_type == IP_PKTINFO) {
        const auto info = value_of<in_pktinfo>(message);
        datagram.destination = make_address({reinterpret_cast<const std::uint8_t*>(&info.ipi_addr), 4});
    } else if (message.cmsg_level == IPPROTO_IPV6 && message.cmsg_type == IPV6_HOPLIMIT) {
        datagram.ttl = static_cast<std::uint8_t>(value_of<int>(message));
    } else if (message.cmsg_level == IPPROTO_IPV6 && message.cmsg_type == IPV6_PKTINFO) {
        const auto info = value_of<in6_pktinfo>(message);
        datagram.destination = make_address({info.ipi6_addr.s6_addr, 16});
    }
}

}  // namespace

/// What recvmmsg() fills in.
struct ReceivePort::Buffers {
    struct alignas(cmsghdr) Control {
        std::array<std::uint8_t, control_room> bytes;
    };

    Buffers() {
        for (std::size_t i = 0; i < batch; ++i) pieces[i] = {payloads[i].data(), payloads[i].size()};
    }
    /// The kernel has overwritten the lengths.
    void prepare() {
        for (std::size_t i = 0; i < batch; ++i) {
            messages[i].msg_hdr = {.msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &pieces[i], .msg_iovlen = 1,
                                   .msg_control = controls[i].bytes.data(), .msg_controllen = control_room, .msg_flags = 0};
        }
    }

    std::array<std::array<std::uint8_t, payload_room>, batch> payloads{};
    std::array<Control, batch> controls{};
    std::array<sockaddr_in6, batch> sources{};
    std::array<iovec, batch> pieces{};
    std::array<mmsghdr, batch> messages{};
    std::array<Datagram, batch> datagrams{};
};

ReceivePort::ReceivePort(io::FileDescriptor socket, bool is_multihop)
    : socket_(std::move(socket)), is_multihop_(is_multihop), buffers_(std::make_unique<Buffers>()) {}
ReceivePort::ReceivePort(ReceivePort&&) noexcept = default;
ReceivePort& ReceivePort::operator=(ReceivePort&&) noexcept = default;
ReceivePort::~ReceivePort() = default;

io::Result<ReceivePort> ReceivePort::open(Family family, bool is_multihop) {
    io::FileDescriptor socket(::socket(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) return io::last_error("open a UDP socket");
    if (!ask_for_particulars(socket.get(), family)) return io::last_error("ask for TTL and time of UDP datagrams");
    if (!set(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer_bytes)) (void)set(socket.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
    sockaddr_in6 address{};
    const std::uint16_t port = is_multihop ? packet::bfd_multihop_port : packet::bfd_port;
    const socklen_t size = write_socket_address(address, IpAddress{{}, family}, port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return io::last_error("bind UDP port " + std::to_string(port));
    return ReceivePort(std::move(socket), is_multihop);
}

std::span<const Datagram> ReceivePort::read(const io::clock::ArrivalWindow& window) {
    Buffers& all = *buffers_;
    all.prepare();
    const int count = ::recvmmsg(socket_.get(), all.messages.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        mmsghdr& message = all.messages[at];
        Datagram& datagram = all.datagrams[at];
        datagram = {.payload = packet::Bytes(all.payloads[at].data(), message.msg_len), .source = read_socket_address(all.sources[at]), .destination = {},
                    .ttl = 0, .is_multihop = is_multihop_, .arrival = window.latest};
        for (cmsghdr* part = CMSG_FIRSTHDR(&message.msg_hdr); part != nullptr; part = CMSG_NXTHDR(&message.msg_hdr, part)) {
            read_particular(datagram, *part, window);
        }
    }
    return {all.datagrams.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace vigil::bfd
