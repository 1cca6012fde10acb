#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "arp/kernel/kernel_error.h"
#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink_socket.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

constexpr std::uint32_t lifetime_forever = 0xffff'ffff;

/// One address line of keepalived.conf, resolved. Defaults are keepalived's.
struct AddressSpec {
    AddressKey key{};
    std::optional<IpAddress> broadcast{};  ///< IPv4 only; none sets no broadcast address
    std::string label{};                   ///< IPv4 only, at most 15 characters; empty: the interface's name
    std::uint8_t scope = 0;              ///< RT_SCOPE_*, IPv4 only; 0 global
    bool has_duplicate_detection = false;  ///< `-nodad`: lets IPv6 wait for duplicate address detection
    bool is_home_address = false;          ///< IPv6 only
    bool manages_temporary_addresses = false;  ///< IPv6 only
    bool has_no_prefix_route = false;
    bool joins_multicast = false;          ///< `autojoin`
    /// Seconds, or lifetime_forever. Not set: 0 (deprecated, never a source) for an IPv6 /128, else forever.
    std::optional<std::uint32_t> preferred_lifetime{};
};

enum class AddressOperation : std::uint8_t { add, remove };

struct AddressChange {
    AddressOperation operation = AddressOperation::add;
    AddressSpec spec{};
};

enum class AddressOutcome : std::uint8_t {
    done,            ///< the kernel did what was asked
    already_there,   ///< add: EEXIST, adopted, ours from now on
    already_gone,    ///< remove: EADDRNOTAVAIL, or the interface itself is gone (ENODEV)
    refused,         ///< see error; the address is as it was
};

struct AddressResult {
    AddressOutcome outcome = AddressOutcome::done;
    KernelError error{};  ///< set when refused
};

struct ProgrammerOptions {
    SocketOptions socket{};
    /// Requests per datagram, 1 or more. 0: as many as the receive buffer can hold errors for, 1,000 at most.
    std::size_t requests_per_send = 0;
    /// Keeps the table of what is ours, 70 octets an address. Without it, whoever calls apply() must know what to remove.
    bool remembers_ours = true;
};

/// Puts addresses on interfaces and takes them off again, thousands in a few system calls, and remembers which are ours
/// unless told not to. Control thread only. Destroying it removes nothing: call remove_all_of_ours() at exit.
class AddressProgrammer {
public:
    static KernelResult<AddressProgrammer> open(const ProgrammerOptions& options = {});

    /// Carries out the changes, those of one interface in the order given; the result at index i belongs to the change at
    /// index i. `between_sends` (may be empty) is called after each datagram, so that a monitor socket can be read before its
    /// buffer fills.
    std::vector<AddressResult> apply(std::span<const AddressChange> changes, const std::function<void()>& between_sends = {});

    /// Removes everything in the table; returns what the kernel refused (normally empty), which stays in the table.
    std::vector<AddressResult> remove_all_of_ours();

    bool is_ours(const AddressKey& key) const { return ours_.contains(key); }
    std::size_t our_count() const { return ours_.size(); }
    /// Somebody else deleted it (monitor event): no longer ours to remove.
    void forget(const AddressKey& key) { ours_.erase(key); }
    /// The interface is gone, and its addresses with it. O(our_count()).
    void forget_interface(std::uint32_t interface_index);

private:
    struct Job;
    struct Batch;

    AddressProgrammer(NetlinkSocket socket, std::size_t requests_per_send, bool remembers_ours);
    Batch write_batch(const Job& job, std::span<const std::uint32_t> items);
    std::size_t send_some(Job& job, std::size_t start, std::size_t& limit);
    bool collect_verdicts(Job& job, const Batch& batch, std::vector<bool>& answered);
    void ask_again(const AddressChange& change, AddressResult& result);
    void remember(const AddressChange& change, const AddressResult& result);

    NetlinkSocket socket_;
    std::vector<std::byte> buffer_;
    std::size_t requests_per_send_;
    bool remembers_ours_;
    std::unordered_set<AddressKey, AddressKeyHash> ours_;
};

}  // namespace vigil::arp::kernel
