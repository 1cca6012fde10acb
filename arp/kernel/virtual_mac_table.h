#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "arp/kernel/nftables_objects.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

/// Start of the names of our nftables tables, and of nobody else's.
constexpr const char* virtual_mac_table_prefix = "vigil_vmac_";

/// Which table and how large.
struct VirtualMacTable {
    std::string name;
    std::string device;
    std::size_t mac_count = 0;      ///< the most MAC addresses that are active at a time
    std::size_t ipv4_count = 0;     ///< the most addresses
    std::size_t ipv6_count = 0;
};

struct MacOfAddress {
    IpAddress address;
    MacAddress mac;
};

/// The table with its sets, chains and rules; see virtual_mac_table.cpp for what they do. It belongs to the batch's socket: the kernel lets nobody else
/// change it, and removes it when the socket is closed.
void write_table(NftablesBatch& batch, const VirtualMacTable& table);

/// The virtual MACs that are ours at present.
void write_active_macs(NftablesBatch& batch, const std::string& table, ElementOperation operation, std::span<const MacAddress> macs);
/// Which address has which virtual MAC at present. All of one family.
void write_macs_of_addresses(NftablesBatch& batch, const std::string& table, ElementOperation operation, std::span<const MacOfAddress> addresses);

/// Addresses for which ARP and ND messages may leave only with a virtual MAC, at present or not. All of one family.
void write_guarded_addresses(NftablesBatch& batch, const std::string& table, std::span<const IpAddress> addresses);

}  // namespace vigil::arp::kernel
