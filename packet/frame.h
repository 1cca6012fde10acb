#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "packet/advertisement.h"

namespace vigil::packet {

constexpr std::size_t ah_header_size = 24;
constexpr std::uint16_t hsrp_port = 1985;   ///< UDP, over IPv4 (RFC 2281 §5)
/// AH's Payload Len: its size in 32-bit words minus 2 (RFC 2402 §2.2).
constexpr std::uint8_t ah_payload_length = ah_header_size / 4 - 2;

/// The AH header in front of a VRRPv2 message (RFC 2402 §2, HMAC-MD5-96). Digest not yet verified.
struct AhHeader {
    std::uint32_t security_parameters_index = 0;  ///< keepalived: the source address as a number
    std::uint32_t sequence_number = 0;
    std::array<std::uint8_t, 12> digest{};
};

/// A frame that carries a well-formed advertisement. What depends on the receiving router (VRID, version, password,
/// digest, interval) is not yet checked.
struct ReceivedFrame {
    explicit ReceivedFrame(const AdvertisementView& view) : advertisement(view) {}

    AdvertisementView advertisement;
    IpAddress source;
    IpAddress destination;
    MacAddress source_mac;
    std::uint16_t vlan_id = 0;        ///< innermost 802.1Q VLAN in the frame's own bytes, 0 when untagged or priority-tagged
    std::uint8_t ttl = 0;             ///< TTL or Hop Limit; 255 when destination is multicast
    std::optional<AhHeader> ah;
    Bytes ip_packet;                  ///< IP header to end of IP payload, for the AH digest
};

/// Ethernet (up to two 802.1Q/802.1ad tags), IPv4 or IPv6, optional AH, then read_advertisement(). Trusts no length: the IP
/// total length bounds the message, Ethernet padding behind it is ignored.
tl::expected<ReceivedFrame, ReceiveError> read_frame(Bytes frame);

}  // namespace vigil::packet
