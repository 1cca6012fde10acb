#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/io/file_descriptor.h"
#include "engine/io/system_error.h"
#include "packet/address.h"

namespace vigil::io {

/// The IGMP (IPv4) and MLD (IPv6) side of listening to multicast groups on one interface: without the reports, a snooping switch does not
/// forward the adverts to us. The device's own filter is PacketPort's. Left when destroyed.
class GroupMembership {
public:
    GroupMembership() = default;
    /// Joins `groups` on `interface_index`. What is refused (an interface without IPv6, a missing IGMP stack) is listed in refusals(); the
    /// adverts may still arrive, so it is not fatal.
    static GroupMembership join(unsigned interface_index, std::span<const IpAddress> groups);

    const std::vector<SystemError>& refusals() const { return refusals_; }

private:
    void join_one(unsigned interface_index, const IpAddress& group);
    FileDescriptor* socket_for(Family family);

    // igmp_max_memberships limits one socket to 20 groups by default, so each link has its own pair, opened when first needed.
    FileDescriptor ipv4_;
    FileDescriptor ipv6_;
    std::vector<SystemError> refusals_;
};

}  // namespace vigil::io
