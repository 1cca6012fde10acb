#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arp/kernel/netlink.h"
#include "arp/kernel/nftables_objects.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

/// How the table looks.
struct MarkTableShape {
    std::string table = "keepalived_ipvs";   ///< its name, in the inet family
    std::int32_t priority = -1;              ///< of the chain on the hook prerouting

    friend bool operator==(const MarkTableShape&, const MarkTableShape&) = default;
};

/// What a packet is addressed to.
struct MarkedPlace {
    IpAddress address;
    std::uint8_t protocol = 6;   ///< IPPROTO_*
    std::uint16_t port = 0;      ///< 0: every port that has no entry of its own

    friend auto operator<=>(const MarkedPlace&, const MarkedPlace&) = default;
};
using MarkedPlaces = std::map<MarkedPlace, std::uint32_t>;

/// Gives packets to some places firewall marks, by nftables. See mark_table.cpp for the rules. Control thread only. Everything vanishes from the kernel with
/// this object, also when the process is killed.
class MarkTable {
public:
    /// In the network namespace that the calling thread is in. `send_buffer_bytes`: for the transactions, granted whole with CAP_NET_ADMIN.
    static KernelResult<MarkTable> open(int send_buffer_bytes = 4 << 20);

    /// From now on: only what differs is written. When another process has a table of that name, ours gets a name of its own (see table()). EOPNOTSUPP:
    /// Linux before 5.12, or without nftables for IP. On failure the places are as before, or none.
    KernelResult<void> set(const MarkTableShape& shape, const MarkedPlaces& places);
    /// Removes the table.
    KernelResult<void> clear();
    const std::string& table() const { return table_; }

private:
    explicit MarkTable(NetlinkSocket socket) : socket_(std::move(socket)) {}
    KernelResult<void> build_as(const std::string& table, const MarkTableShape& shape, const MarkedPlaces& places);
    KernelResult<void> write_difference(const MarkedPlaces& places);

    NetlinkSocket socket_;
    MarkTableShape shape_;
    std::string table_;
    bool is_built_ = false;
    MarkedPlaces places_;     // in the kernel
};

}  // namespace vigil::arp::kernel
