#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "arp/netlink/kernel_error.h"
#include "arp/netlink/message.h"
#include "arp/netlink/socket.h"

namespace vigil::netlink {

struct ProgrammerOptions {
    SocketOptions socket{};
    /// Requests per datagram, 1 or more. 0: as many as the receive buffer can hold errors for, 1,000 at most.
    std::size_t requests_per_send = 0;
};

/// Sends thousands of netlink requests in a few system calls and finds out what became of each. Control thread only.
class RequestBatch {
public:
    /// Writes request `item` into the room; a message that does not fit goes into the next datagram.
    using Write = std::function<MessageWriter(std::span<std::byte> room, std::uint32_t item, std::uint32_t sequence)>;
    /// The kernel's verdict on request `item`; error_number 0 is success. `is_repeated`: an earlier attempt may have been what did it. Requests
    /// that are not told of have succeeded.
    using Settle = std::function<void(std::uint32_t item, const KernelError& verdict, bool is_repeated)>;

    /// `largest_request_bytes`: room that most requests do with.
    RequestBatch(NetlinkSocket socket, std::size_t requests_per_send, std::size_t largest_request_bytes);

    /// The items in this order. `between_sends` (may be empty) is called after each datagram, so that a monitor socket can be read before its
    /// buffer fills.
    void run(std::span<const std::uint32_t> order, const Write& write, const Settle& settle, const std::function<void()>& between_sends);
    /// As which the kernel's notifications name us.
    std::uint32_t port_id() const { return socket_.port_id(); }
    std::uint64_t system_call_count() const { return socket_.system_call_count(); }

private:
    struct Job;
    struct Datagram;

    Datagram write_datagram(const Job& job, std::span<const std::uint32_t> items);
    std::size_t send_some(const Job& job, std::size_t start, std::size_t& limit);
    bool collect_verdicts(const Job& job, const Datagram& datagram, std::vector<bool>& answered);
    void ask_again(const Job& job, std::uint32_t item);

    NetlinkSocket socket_;
    std::vector<std::byte> buffer_;
    std::size_t requests_per_send_;
};

}  // namespace vigil::netlink
