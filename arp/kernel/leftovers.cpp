// What a killed run left behind.
//
// kill -9 leaves addresses and macvlans in the kernel. An address left on a Backup is the worst of all failures: two hosts
// answer for it. So each start looks for what carries our mark before it elects anything: IFA_PROTO on addresses, the
// ifalias on macvlans. Kernels before 5.18 forget IFA_PROTO; there an address that equals a configured one is taken for a
// leftover as well, as keepalived does at its start.

#include "arp/kernel/leftovers.h"

#include <cstdint>
#include <unordered_set>
#include <utility>

#include "arp/kernel/macvlan.h"

namespace vigil::arp::kernel {

Leftovers find_leftovers(std::span<const LinkState> links, std::span<const AddressState> addresses,
                         std::span<const AddressKey> configured) {
    Leftovers leftovers;
    std::unordered_set<std::uint32_t> macvlan_indices;
    for (const LinkState& link : links) {
        if ((link.kind != "macvlan" && link.kind != "ipvlan") || !link.alias.starts_with(macvlan_alias_prefix)) continue;
        macvlan_indices.insert(link.index);
        leftovers.macvlans.push_back(link);
    }
    const std::unordered_set<AddressKey, AddressKeyHash> wanted(configured.begin(), configured.end());
    for (const AddressState& address : addresses) {
        if (macvlan_indices.contains(address.key.interface_index)) continue;
        if (address.protocol == our_address_protocol || wanted.contains(address.key)) leftovers.addresses.push_back(address.key);
    }
    return leftovers;
}

std::vector<KernelError> remove_leftovers(NetlinkSocket& socket, AddressProgrammer& programmer, const Leftovers& leftovers) {
    std::vector<std::uint32_t> macvlan_indices;
    for (const LinkState& link : leftovers.macvlans) macvlan_indices.push_back(link.index);
    std::vector<KernelError> failures = delete_links(socket, macvlan_indices);
    std::vector<AddressChange> changes;
    changes.reserve(leftovers.addresses.size());
    for (const AddressKey& key : leftovers.addresses) changes.push_back({AddressOperation::remove, {.key = key}});
    for (AddressResult& result : programmer.apply(changes)) {
        if (result.outcome == AddressOutcome::refused) failures.push_back(std::move(result.error));
    }
    return failures;
}

}  // namespace vigil::arp::kernel
