#pragma once

#include <cstdint>

#include <tl/expected.hpp>

#include "packet/bytes.h"

namespace vigil::arp {

enum class ArpOperation : std::uint16_t { request = 1, reply = 2 };

/// ARP for IPv4 over Ethernet (RFC 826).
struct ArpMessage {
    ArpOperation operation = ArpOperation::request;
    MacAddress sender_mac;
    IpAddress sender;
    MacAddress target_mac;  ///< means nothing in a request
    IpAddress target;

    /// Sender and target are the same address: an announcement (RFC 5227 §3), not a question.
    bool is_gratuitous() const { return sender == target; }
    /// Asks whether the address is free before using it: sender all zeros (RFC 5227 §2.1.1).
    bool is_probe() const { return operation == ArpOperation::request && sender.is_unspecified(); }
};

/// Why a frame is not an ARP message for us.
enum class ArpError : std::uint8_t {
    truncated,      ///< shorter than header and message
    not_arp,        ///< another EtherType (behind up to two VLAN tags)
    not_ethernet,   ///< hardware type or length is not Ethernet's
    not_ipv4,       ///< protocol type or length is not IPv4's
    bad_operation,  ///< neither request nor reply
};

constexpr std::size_t arp_message_size = 28;

/// Reads a complete Ethernet frame; padding behind the message is ignored.
tl::expected<ArpMessage, ArpError> read_arp_frame(packet::Bytes frame);

/// Writes Ethernet header and message, 42 octets.
void write_arp_frame(packet::ByteWriter& writer, const MacAddress& destination_mac, const MacAddress& source_mac,
                     const ArpMessage& message);

}  // namespace vigil::arp
