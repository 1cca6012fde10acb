#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arp/kernel/netlink.h"
#include "arp/kernel/nftables_batch.h"
#include "arp/kernel/virtual_mac_table.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

/// One virtual router on one interface.
struct VirtualMacMember {
    std::string interface{};
    MacAddress mac{};
    std::vector<IpAddress> addresses{};   ///< those that live on `interface`
    /// An address owner: while it is not Active, its addresses are ordinary ones of the interface, with the interface's own MAC.
    bool is_owner = false;

    friend bool operator==(const VirtualMacMember&, const VirtualMacMember&) = default;
};

/// Gives addresses of an interface a virtual MAC without a device per virtual router: `vmac_mode nftables`. See virtual_mac_table.cpp for the rules.
/// The caller holds the NIC's filter open (PACKET_MR_UNICAST) and programs the addresses. The order:
///  * becoming Active: want(), commit(), then the addresses;
///  * leaving Active: want(), commit(): from then on the host is silent; then the addresses.
/// Control thread only. Everything vanishes from the kernel with this object, also when the process is killed.
class VirtualMacSet {
public:
    using Member = std::size_t;

    /// Bytes for the transactions to the kernel, granted whole with CAP_NET_ADMIN; with less, and never below 128 KiB, there are more of them.
    static KernelResult<VirtualMacSet> open(int send_buffer_bytes = 16 << 20);

    /// Tries whether this kernel has what is needed, on the loopback interface. EOPNOTSUPP: Linux before 5.16 or CONFIG_NETFILTER_EGRESS is not set.
    KernelResult<void> probe();

    /// The number is for want(). Takes effect with build().
    Member add(const VirtualMacMember& member);
    /// Makes the tables of all interfaces that have members and no table, in one transaction. Returns the interfaces that failed and why: ENOENT when
    /// there is no such device (before Linux 6.16), anything else is tried again with commit().
    std::vector<KernelError> build();
    /// Makes the table of one interface anew: its device has appeared, or a change was refused.
    KernelResult<void> rebuild(std::string_view interface);
    /// The device is gone, and the kernel has dropped the chains with it.
    void forget_device(std::string_view interface);

    /// Takes effect with commit(). Members are not active at first.
    void want(Member member, bool is_active);
    bool has_changes() const { return !changed_.empty(); }
    /// All changes since the last commit in one transaction. When the kernel refuses it, the tables concerned are made anew; an interface for which
    /// that fails too is returned once, has no virtual MACs, and is tried again with each commit.
    std::vector<KernelError> commit();

    /// Removes all tables and forgets all members.
    KernelResult<void> clear();

private:
    struct Held {
        IpAddress address;
        bool is_shared = false;            // with another router of the interface
        std::uint32_t router;
    };
    struct Router {
        MacAddress mac;
        std::uint32_t interface = 0;
        std::uint32_t first_address = 0;   // in Interface::held
        std::uint32_t address_count = 0;
        bool is_owner = false;
        bool is_wanted = false;
        bool is_active = false;            // in the kernel
    };
    enum class Table : std::uint8_t { none, made, refused };
    struct Interface {
        std::string name;
        std::vector<std::uint32_t> routers;
        std::vector<Held> held;            // the routers' addresses, one router behind the other
        Table table = Table::none;
    };
    /// What is to be told to the kernel of one interface.
    struct Changes {
        std::vector<MacAddress> macs[2];               // by ElementOperation
        std::vector<MacOfAddress> addresses[2][2];     // by ElementOperation and family
        std::map<IpAddress, std::optional<MacAddress>> shared;   // touched, with the MAC before
    };

    explicit VirtualMacSet(NetlinkSocket socket);
    std::string table_name(const Interface& interface) const;
    std::uint32_t find_or_add(const std::string& name);
    static void find_shared(Interface& interface);
    std::optional<MacAddress> mac_of_shared(const Interface& interface, const IpAddress& address) const;
    bool has_other_holder(const Interface& interface, const Router& router) const;
    void change(const Interface& interface, Router& router, bool is_active, Changes& changes);
    void write_changes(NftablesBatch& batch, const Interface& interface, Changes& changes);
    void write_interface(NftablesBatch& batch, Interface& interface);
    bool write_changed(NftablesBatch& batch);
    void refuse(Interface& interface, const KernelError& error);
    KernelResult<void> make(Interface& interface);
    KernelResult<void> remove(Interface& interface);

    NetlinkSocket socket_;
    std::vector<Router> routers_;
    std::vector<Interface> interfaces_;
    std::map<std::string, std::uint32_t, std::less<>> by_name_;
    std::vector<std::uint32_t> changed_;       // routers that may not be as wanted
};

}  // namespace vigil::arp::kernel
