#pragma once

#include <cstdint>
#include <optional>

#include <tl/expected.hpp>

#include "packet/bytes.h"

namespace vigil::arp {

/// ff02::1, every node on the link.
constexpr IpAddress all_nodes_ipv6{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01}, Family::ipv6};

/// ff02::1:ffXX:XXXX of an address (RFC 4291 §2.7.1): where a neighbour solicitation for it is sent.
constexpr IpAddress solicited_node_group(const IpAddress& address) {
    const auto& o = address.octets;
    return {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff, o[13], o[14], o[15]}, Family::ipv6};
}

/// ICMPv6 types.
enum class NeighborMessageType : std::uint8_t { solicitation = 135, advertisement = 136 };

/// A neighbour solicitation (RFC 4861 §4.3) or advertisement (§4.4).
struct NeighborMessage {
    NeighborMessageType type = NeighborMessageType::advertisement;
    IpAddress source;
    IpAddress destination;
    IpAddress target;
    /// Source link-layer option of a solicitation, target link-layer option of an advertisement.
    std::optional<MacAddress> link_layer;
    bool is_router = false;     ///< advertisement only
    bool is_solicited = false;  ///< advertisement only
    bool is_override = false;   ///< advertisement only
};

/// Why a frame is no valid neighbour message (RFC 4861 §7.1.1 and §7.1.2).
enum class NeighborError : std::uint8_t {
    truncated,             ///< shorter than its headers say, or ICMPv6 length below 24
    not_ipv6,              ///< another EtherType, or IP version not 6
    not_neighbor_message,  ///< not ICMPv6, an extension header, or another ICMPv6 type
    bad_hop_limit,         ///< not 255: came through a router
    bad_checksum,
    bad_code,              ///< ICMPv6 code not 0
    multicast_target,      ///< the target is a multicast address
    bad_option,            ///< an option of length 0, or longer than the message
    bad_destination,       ///< solicited advertisement to a group; duplicate address probe not to the solicited-node group
    unexpected_option,     ///< source link-layer option in a solicitation from the unspecified address
};

/// Reads a complete Ethernet frame; padding behind the IPv6 packet is ignored.
tl::expected<NeighborMessage, NeighborError> read_neighbor_frame(packet::Bytes frame);

/// Writes Ethernet, IPv6 (hop limit 255) and ICMPv6 with its checksum; the link-layer option only when it is given.
/// 86 octets with it, 78 without.
void write_neighbor_frame(packet::ByteWriter& writer, const MacAddress& destination_mac, const MacAddress& source_mac,
                          const NeighborMessage& message);

}  // namespace vigil::arp
