#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink.h"
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
    std::uint8_t protocol = our_address_protocol;   ///< IFA_PROTO: whose it is
};

enum class AddressOperation : std::uint8_t { add, remove };

struct AddressChange {
    AddressOperation operation = AddressOperation::add;
    AddressSpec spec{};
};

enum class AddressOutcome : std::uint8_t {
    done,            ///< the kernel did what was asked
    already_there,   ///< add: EEXIST, adopted
    already_gone,    ///< remove: EADDRNOTAVAIL, or the interface itself is gone (ENODEV)
    refused,         ///< see error; the address is as it was
};

struct AddressResult {
    AddressOutcome outcome = AddressOutcome::done;
    KernelError error{};  ///< set when refused
};

/// Puts addresses on interfaces and takes them off again, thousands in a few system calls. Remembers none: destroying it removes nothing. Control
/// thread only.
class AddressProgrammer {
public:
    static KernelResult<AddressProgrammer> open(const ProgrammerOptions& options = {});

    /// Carries out the changes, those of one interface in the order given; the result at index i belongs to the change at
    /// index i. `between_sends` (may be empty) is called after each datagram, so that a monitor socket can be read before its
    /// buffer fills.
    std::vector<AddressResult> apply(std::span<const AddressChange> changes, const std::function<void()>& between_sends = {});

private:
    AddressProgrammer(NetlinkSocket socket, std::size_t requests_per_send);

    RequestBatch batch_;
};

/// The request as it is sent.
MessageWriter write_address_change(std::span<std::byte> room, const AddressChange& change, std::uint32_t sequence);

}  // namespace vigil::arp::kernel
