#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "arp/netlink/kernel_error.h"
#include "arp/netlink/message.h"

struct mnl_socket;
struct sock_filter;

namespace vigil::netlink {

struct SocketOptions {
    int protocol = NETLINK_ROUTE;   ///< or NETLINK_NETFILTER, NETLINK_GENERIC
    /// Bytes of kernel memory for queued messages. Taken whole with CAP_NET_ADMIN, else up to net.core.rmem_max.
    int receive_buffer_bytes = 4 << 20;
    int send_buffer_bytes = 1 << 20;
    /// RTNLGRP_* to join; none for a socket that only asks.
    std::vector<unsigned> groups{};
};

using MessageHandler = std::function<void(const nlmsghdr&)>;

/// One netlink socket (rtnetlink unless asked otherwise): non-blocking, extended acks on, acks without the echoed request, strict checking of dump requests.
/// The kernel handles a request inside send(), so its answer is queued when send() returns: nothing here ever waits.
class NetlinkSocket {
public:
    static KernelResult<NetlinkSocket> open(const SocketOptions& options = {});

    NetlinkSocket(NetlinkSocket&&) noexcept;
    NetlinkSocket& operator=(NetlinkSocket&&) noexcept;
    ~NetlinkSocket();

    /// To be watched for readability; owned by this object.
    int fd() const;
    /// What the kernel granted, in its own accounting (which is about twice what was asked).
    int receive_buffer_bytes() const { return receive_buffer_bytes_; }
    /// The longest datagram that send() takes, about.
    int send_buffer_bytes() const { return send_buffer_bytes_; }
    /// Our port in this network namespace: unique in it, often the process id.
    std::uint32_t port_id() const;
    std::uint32_t next_sequence() { return ++sequence_; }
    /// Sends and receives so far.
    std::uint64_t system_call_count() const { return system_call_count_; }

    /// Receives messages of one more group, RTNLGRP_*.
    KernelResult<void> join(unsigned group);
    /// Only datagrams that the classic BPF program lets pass are queued.
    KernelResult<void> set_filter(std::span<const sock_filter> program);

    /// Sends whole messages in one datagram: all or none of it is taken.
    KernelResult<void> send(std::span<const std::byte> messages);
    /// One queued datagram of kernel origin, valid until the next call; empty when nothing is queued. ENOBUFS: messages were
    /// lost, those queued before remain to be read.
    KernelResult<std::span<const std::byte>> receive();

    /// Sends one request and returns the kernel's verdict on it.
    KernelResult<void> request(MessageWriter& message);
    /// Sends one request or dump request; `on_message` sees each answer. EAGAIN: the table changed while it was dumped
    /// (NLM_F_DUMP_INTR), what was seen is not one state: ask again.
    KernelResult<void> query(MessageWriter& message, const MessageHandler& on_message);

private:
    struct Close {
        void operator()(mnl_socket* socket) const;
    };

    explicit NetlinkSocket(mnl_socket* socket);
    KernelResult<void> configure(const SocketOptions& options);

    std::unique_ptr<mnl_socket, Close> socket_;
    std::vector<std::byte> buffer_;
    int receive_buffer_bytes_ = 0;
    int send_buffer_bytes_ = 0;
    std::uint32_t sequence_ = 0;
    std::uint64_t system_call_count_ = 0;
};

/// What an NLMSG_ERROR (or the trailing error of NLMSG_DONE) says; error_number 0 is an acknowledgement. EBADMSG when the
/// message is too short or its code is no errno.
KernelError read_verdict(const nlmsghdr& message);

/// Calls `on_message` for each whole message of a datagram; what follows a broken length is dropped.
void for_each_message(std::span<const std::byte> datagram, const MessageHandler& on_message);

}  // namespace vigil::netlink
