#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "engine/daemon/plan.h"

namespace vigil::daemon {

using arp::kernel::AddressState;

AddressesByInterface group_by_interface(const std::vector<AddressState>& addresses) {
    AddressesByInterface groups;
    for (const AddressState& state : addresses) groups[state.key.interface_index].push_back(state);
    return groups;
}

std::optional<IpAddress> choose_source(const AddressesByInterface& addresses, std::uint32_t interface_index, Family family,
                                       std::span<const PlannedAddress> own, bool is_owner) {
    const auto there = addresses.find(interface_index);
    if (there == addresses.end() || interface_index == 0) return std::nullopt;
    std::optional<IpAddress> own_candidate;
    for (const AddressState& state : there->second) {
        if (state.key.address.family != family) continue;
        if (family == Family::ipv6 && !state.key.address.is_link_local()) continue;
        if ((state.flags & IFA_F_DADFAILED) != 0 || state.scope == RT_SCOPE_HOST) continue;
        const bool is_own = std::any_of(own.begin(), own.end(), [&](const PlannedAddress& one) { return one.address == state.key.address; });
        if (!is_own && state.protocol != arp::kernel::our_address_protocol) return state.key.address;
        if (is_own && !own_candidate) own_candidate = state.key.address;
    }
    return is_owner ? own_candidate : std::nullopt;
}

std::optional<IpAddress> find_source(const AddressesByInterface& addresses, std::uint32_t interface_index, const IpAddress& source) {
    const auto there = addresses.find(interface_index);
    if (there == addresses.end()) return std::nullopt;
    const auto is_source = [&](const AddressState& state) { return state.key.address == source && (state.flags & IFA_F_DADFAILED) == 0; };
    return std::any_of(there->second.begin(), there->second.end(), is_source) ? std::optional(source) : std::nullopt;
}

}  // namespace vigil::daemon
