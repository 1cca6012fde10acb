#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "packet/address.h"

namespace vigil::arp {

/// Which ARP operation announces an IPv4 address. Some switches and hosts learn only from one of them.
enum class GratuitousForm : std::uint8_t { request = 1, reply = 2 };

/// A gratuitous ARP (42 octets) or an unsolicited neighbour advertisement (86 octets), complete with Ethernet header.
struct AnnouncementFrame {
    std::array<std::uint8_t, 86> octets{};
    std::uint8_t size = 0;

    std::span<const std::uint8_t> bytes() const { return {octets.data(), size}; }
};

/// Gratuitous ARP: to broadcast, sender MAC = `mac`, sender IP = target IP = `address`, target MAC all ones for the request
/// form and `mac` for the reply form (RFC 5227 §3, RFC 9568 §6.4.2 with erratum 7949). IPv4 only.
AnnouncementFrame gratuitous_arp(const IpAddress& address, const MacAddress& mac, GratuitousForm form);

/// Unsolicited NA to ff02::1, source = target = `address`, Override set, Solicited clear, Router as given, with the target
/// link-layer address option (RFC 4861 §4.4, RFC 9568 §6.4.2). IPv6 only.
AnnouncementFrame unsolicited_neighbor_advertisement(const IpAddress& address, const MacAddress& mac, bool is_router);

/// One of the two by the family of the address.
AnnouncementFrame announcement(const IpAddress& address, const MacAddress& mac, GratuitousForm form, bool is_router);

}  // namespace vigil::arp
