#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "arp/kernel/netlink.h"

namespace vigil::arp::kernel {

/// Changes of one nftables family, gathered into as few transactions as the socket's buffer allows: normally one, which the kernel carries
/// out whole or not at all. Changes that are too many for one go out in several, in the order given; after a failure the rest is dropped.
class NftablesBatch {
public:
    /// `socket`: one of NETLINK_NETFILTER; outlives the batch. `family`: NFPROTO_*.
    NftablesBatch(NetlinkSocket& socket, std::uint8_t family);

    std::uint8_t family() const { return family_; }

    /// A message of type NFT_MSG_*, to be filled with at most `room` bytes of attributes by libmnl or libnftnl and ended before the next one.
    nlmsghdr* begin(std::uint16_t type, std::uint16_t flags, std::size_t room = 2048);
    void end(const nlmsghdr* message);
    /// What is gathered goes out as a transaction of its own, before what comes next.
    void send_now();
    /// Sends what is left. The error is the first of all transactions. The batch is empty afterwards and can be used again.
    KernelResult<void> commit();

private:
    void open_transaction();
    void send_transaction();
    KernelResult<void> read_verdicts(std::uint32_t first_sequence);

    NetlinkSocket& socket_;
    std::uint8_t family_;
    std::vector<std::byte> bytes_;
    std::size_t used_ = 0;
    std::size_t last_message_ = 0;         // where in bytes_; 0: there is none
    std::uint32_t first_sequence_ = 0;
    std::uint32_t last_sequence_ = 0;
    std::optional<KernelError> error_;
};

}  // namespace vigil::arp::kernel
