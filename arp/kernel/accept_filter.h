#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "arp/kernel/netlink.h"
#include "arp/kernel/nftables_objects.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

/// How the table looks.
struct AcceptFilterShape {
    std::string table = "keepalived";     ///< its name, in the inet family
    std::int32_t priority = -1;           ///< of its chains, on the hooks input and output
    bool by_interface_index = false;      ///< link-local addresses go by the interface's index, not by its name
    bool has_counters = false;

    friend bool operator==(const AcceptFilterShape&, const AcceptFilterShape&) = default;
};

/// An address that is not to be reached.
struct FilteredAddress {
    IpAddress address;
    /// Of a link-local IPv6 address, the same may be somebody else's on another interface: name, zero padded, or index in the host's order, as
    /// AcceptFilterShape::by_interface_index says. All zero for others.
    std::array<std::uint8_t, 16> interface{};

    friend bool operator==(const FilteredAddress&, const FilteredAddress&) = default;
};

struct FilteredAddressHash {
    std::size_t operator()(const FilteredAddress& address) const noexcept;
};

/// Drops packets to and from addresses of this host: Accept_Mode False (RFC 9568 §6.1). See accept_filter.cpp for the rules. Control thread only. Everything vanishes
/// from the kernel with this object, also when the process is killed.
class AcceptFilter {
public:
    /// Bytes for the transactions to the kernel, granted whole with CAP_NET_ADMIN; with less there are more of them.
    static KernelResult<AcceptFilter> open(int send_buffer_bytes = 4 << 20);

    /// Makes the table with all that is blocked, in place of the one that there is; when another process has one of that name, with a name of its own (see
    /// table()). On failure there is none. EOPNOTSUPP: Linux before 5.12.
    KernelResult<void> build(const AcceptFilterShape& shape);
    bool is_built() const { return is_built_; }
    const std::string& table() const { return table_; }
    const AcceptFilterShape& shape() const { return shape_; }

    /// Takes effect with commit(). Whoever blocks an address a second time has to unblock it once more.
    void block(const FilteredAddress& address);
    void unblock(const FilteredAddress& address);
    bool has_changes() const { return !changed_.empty(); }
    /// All changes since the last commit in one transaction. When the kernel refuses it, the table is made anew; when that fails too, there is none, and the
    /// caller may build() again. Does nothing before build().
    KernelResult<void> commit();

    /// Removes the table and forgets all addresses.
    KernelResult<void> clear();

private:
    struct Standing {
        std::uint32_t blockers = 0;
        bool is_set = false;     // in the kernel
    };
    using Addresses = std::vector<FilteredAddress>;

    explicit AcceptFilter(NetlinkSocket socket);
    KernelResult<void> build_as(const std::string& table, bool replaces);
    void write_changes(NftablesBatch& batch);
    void write(NftablesBatch& batch, ElementOperation operation, const Addresses& addresses) const;

    NetlinkSocket socket_;
    AcceptFilterShape shape_;
    std::string table_;
    bool is_built_ = false;
    std::unordered_map<FilteredAddress, Standing, FilteredAddressHash> addresses_;
    Addresses changed_;     // may not be in the kernel as they should
};

}  // namespace vigil::arp::kernel
