#pragma once

#include <span>
#include <vector>

#include "arp/kernel/address_programmer.h"
#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink.h"

namespace vigil::arp::kernel {

/// What a killed run left on this host.
struct Leftovers {
    std::vector<AddressKey> addresses{};
    std::vector<LinkState> macvlans{};
};

/// Addresses with our IFA_PROTO mark on any interface, addresses equal to a configured one (interface, address and prefix
/// length: an older kernel forgets the mark), and macvlans with our alias. Addresses on such a macvlan are not listed: they
/// go with it.
Leftovers find_leftovers(std::span<const LinkState> links, std::span<const AddressState> addresses,
                         std::span<const AddressKey> configured);

/// Removes them; returns what the kernel refused (normally empty). To be called before any address or device of this run exists: a second daemon
/// in the same network namespace would lose its own to it.
std::vector<KernelError> remove_leftovers(NetlinkSocket& socket, AddressProgrammer& programmer, const Leftovers& leftovers);

}  // namespace vigil::arp::kernel
