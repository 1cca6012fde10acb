#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arp/kernel/netlink.h"
#include "packet/address.h"

namespace vigil::arp::kernel::test {

/// Names of all nftables tables of this network namespace, any family.
std::vector<std::string> list_tables();
/// What `nft flush ruleset` does, as another process would.
void flush_ruleset();
/// Whether the kernel has learned that `address` is at `mac`.
bool has_neighbor(NetlinkSocket& socket, std::uint32_t interface_index, const IpAddress& address, const MacAddress& mac);

}  // namespace vigil::arp::kernel::test
