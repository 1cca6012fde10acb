// One netlink socket: rtnetlink for addresses and routes, nfnetlink for nftables, generic netlink for IPVS.
//
// All handle a request in the sender's own system call: when sendmsg returns, the answer (or the first part of a
// dump; the rest is produced while the parts are read) already waits in our receive queue. So the socket is non-blocking
// and an empty queue where an answer is due means that the answer was lost for want of receive buffer (ENOBUFS), not
// that it is late. The control thread never sleeps in here.
//
// Socket options, and why each:
//  * SO_RCVBUFFORCE/SO_SNDBUFFORCE: a batch of thousand requests is one datagram, and their errors arrive at once. Without
//    CAP_NET_ADMIN the plain options take what net.core.rmem_max allows; receive_buffer_bytes() tells the batcher.
//  * NETLINK_EXT_ACK: the kernel's own sentence about a refusal, worth more than the errno in a log.
//  * NETLINK_CAP_ACK: errors without the echoed request, a third of the queue memory.
//  * NETLINK_GET_STRICT_CHK: dump requests are checked, and their filters obeyed, since Linux 4.20.
// The last three are missing on older kernels, which is no reason to fail.
//
// Messages are taken from the kernel alone (nl_pid 0): other processes may send to our port.

#include "arp/netlink/socket.h"

#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vigil::netlink {

namespace {

/// Dump parts have at most 32 KiB; single notifications are far smaller.
constexpr std::size_t receive_room_bytes = 64 * 1024;

void set_buffer(int fd, int force_option, int option, int bytes) {
    if (setsockopt(fd, SOL_SOCKET, force_option, &bytes, sizeof bytes) == 0) return;
    setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes);
}

}  // namespace

void NetlinkSocket::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

NetlinkSocket::NetlinkSocket(mnl_socket* socket) : socket_(socket), buffer_(receive_room_bytes) {}
NetlinkSocket::NetlinkSocket(NetlinkSocket&&) noexcept = default;
NetlinkSocket& NetlinkSocket::operator=(NetlinkSocket&&) noexcept = default;
NetlinkSocket::~NetlinkSocket() = default;

int NetlinkSocket::fd() const { return mnl_socket_get_fd(socket_.get()); }
std::uint32_t NetlinkSocket::port_id() const { return mnl_socket_get_portid(socket_.get()); }

KernelResult<NetlinkSocket> NetlinkSocket::open(const SocketOptions& options) {
    mnl_socket* const raw = mnl_socket_open2(options.protocol, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (raw == nullptr) return refused(errno, "open a netlink socket");
    NetlinkSocket socket(raw);
    if (auto configured = socket.configure(options); !configured) return tl::unexpected(configured.error());
    return socket;
}

KernelResult<void> NetlinkSocket::configure(const SocketOptions& options) {
    set_buffer(fd(), SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer_bytes);
    set_buffer(fd(), SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer_bytes);
    socklen_t length = sizeof receive_buffer_bytes_;
    getsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes_, &length);
    getsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes_, &length);
    int on = 1;
    for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
        mnl_socket_setsockopt(socket_.get(), option, &on, sizeof on);
    }
    if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) return refused(errno, "bind a netlink socket");
    for (const unsigned group : options.groups) {
        if (auto joined = join(group); !joined) return joined;
    }
    return {};
}

KernelResult<void> NetlinkSocket::join(unsigned group) {
    if (mnl_socket_setsockopt(socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0) return {};
    return refused(errno, "join netlink group " + std::to_string(group));
}

KernelResult<void> NetlinkSocket::set_filter(std::span<const sock_filter> program) {
    const sock_fprog filter{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
    if (setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return {};
    return refused(errno, "filter a netlink socket");
}

KernelResult<void> NetlinkSocket::send(std::span<const std::byte> messages) {
    ssize_t sent = -1;
    do {
        ++system_call_count_;
        sent = mnl_socket_sendto(socket_.get(), messages.data(), messages.size());
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return refused(errno, "send to netlink");
    return {};
}

KernelResult<std::span<const std::byte>> NetlinkSocket::receive() {
    for (;;) {
        sockaddr_nl sender{};
        iovec room{buffer_.data(), buffer_.size()};
        msghdr header{};
        header.msg_name = &sender;
        header.msg_namelen = sizeof sender;
        header.msg_iov = &room;
        header.msg_iovlen = 1;
        ++system_call_count_;
        const ssize_t size = recvmsg(fd(), &header, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return std::span<const std::byte>{};
        if (size < 0) return refused(errno, "receive from netlink");
        if (header.msg_namelen != sizeof sender || sender.nl_pid != 0) continue;
        if ((header.msg_flags & MSG_TRUNC) != 0) return refused(ENOBUFS, "a netlink message longer than the buffer");
        return std::span<const std::byte>(buffer_.data(), static_cast<std::size_t>(size));
    }
}

KernelResult<void> NetlinkSocket::request(MessageWriter& message) {
    return query(message, [](const nlmsghdr&) {});
}

KernelResult<void> NetlinkSocket::query(MessageWriter& message, const MessageHandler& on_message) {
    message.add_flags(NLM_F_ACK);
    if (!message.fits()) return refused(EMSGSIZE, "netlink request too long");
    if (auto sent = send(message.bytes()); !sent) return sent;
    bool is_interrupted = false;
    std::optional<KernelError> verdict;
    while (!verdict) {
        const auto datagram = receive();
        if (!datagram) return tl::unexpected(datagram.error());
        if (datagram->empty()) return refused(ENOBUFS, "the kernel's answer was lost");
        for_each_message(*datagram, [&](const nlmsghdr& answer) {
            if (answer.nlmsg_seq != message.sequence() || verdict) return;
            is_interrupted = is_interrupted || (answer.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            if (answer.nlmsg_type == NLMSG_ERROR || answer.nlmsg_type == NLMSG_DONE) {
                verdict = read_verdict(answer);
            } else if (answer.nlmsg_type >= NLMSG_MIN_TYPE) {
                on_message(answer);
            }
        });
    }
    if (verdict->error_number != 0) return tl::unexpected(*verdict);
    if (is_interrupted) return refused(EAGAIN, "the table changed while it was dumped");
    return {};
}

KernelError read_verdict(const nlmsghdr& message) {
    // Both begin with an int: the negative errno. An error carries the request's header behind it, then attributes if the
    // flags say so (with NETLINK_CAP_ACK nothing of the request's payload lies between).
    const int* const code = read_header<int>(message);
    constexpr int largest_errno = 4095;  // MAX_ERRNO of the kernel
    if (code == nullptr || *code < -largest_errno) return {EBADMSG, "an unreadable netlink error message"};
    KernelError verdict{*code < 0 ? -*code : 0, {}};
    if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0 || verdict.error_number == 0) return verdict;
    const bool is_error = message.nlmsg_type == NLMSG_ERROR;
    std::size_t header_bytes = is_error ? sizeof(nlmsgerr) : sizeof(int);
    const auto* const error = is_error ? read_header<nlmsgerr>(message) : nullptr;
    if (error != nullptr && (message.nlmsg_flags & NLM_F_CAPPED) == 0) {
        if (error->msg.nlmsg_len < NLMSG_HDRLEN) return verdict;
        header_bytes += error->msg.nlmsg_len - NLMSG_HDRLEN;
    }
    verdict.text = AttributeTable(message, header_bytes).text(NLMSGERR_ATTR_MSG).value_or("");
    return verdict;
}

void for_each_message(std::span<const std::byte> datagram, const MessageHandler& on_message) {
    // Not mnl_nlmsg_ok(): it compares as int, and a length of 2^31 and more passes.
    while (datagram.size() >= NLMSG_HDRLEN) {
        const auto& message = *reinterpret_cast<const nlmsghdr*>(datagram.data());
        const std::size_t length = message.nlmsg_len;
        if (length < NLMSG_HDRLEN || length > datagram.size()) return;
        on_message(message);
        datagram = datagram.subspan(std::min(datagram.size(), (length + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1}));
    }
}

}  // namespace vigil::netlink
