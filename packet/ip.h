#pragma once

#include <cstdint>

#include <tl/expected.hpp>

#include "packet/bytes.h"
#include "packet/receive_error.h"

namespace vigil::packet {

enum class IpProtocol : std::uint8_t { udp = 17, ah = 51, icmpv6 = 58, vrrp = 112 };

constexpr std::size_t ipv4_header_size = 20;  ///< without options, which are read over and never sent
constexpr std::size_t ipv6_header_size = 40;
/// Type of Service and Traffic Class of advertisements: Internetwork Control, precedence 6 (RFC 791 §3.1).
constexpr std::uint8_t internetwork_control = 0xc0;

/// A checked IP packet: only read_ipv4() and read_ipv6() make one, so its accessors are in range while the bytes live.
struct IpPacket {
    Bytes bytes;            ///< header to the end that its length field gives; no Ethernet padding
    Bytes payload;          ///< behind the IPv4 options or the fixed IPv6 header
    IpProtocol protocol{};  ///< any value, not only the named ones
    std::uint8_t ttl = 0;   ///< TTL or Hop Limit
    Family family = Family::ipv4;

    IpAddress source() const;
    IpAddress destination() const;
};

/// Checks version, header length, total length, header checksum, and that it is no fragment (RFC 1122 §3.2.1). Errors:
/// frame_truncated, bad_ip_header, bad_ip_checksum, ip_fragment.
tl::expected<IpPacket, ReceiveError> read_ipv4(Bytes bytes);

/// Checks version and payload length. Extension headers are not followed: `protocol` is the first Next Header. Errors:
/// frame_truncated, bad_ip_header.
tl::expected<IpPacket, ReceiveError> read_ipv6(Bytes bytes);

struct IpHeader {
    IpAddress source;
    IpAddress destination;
    IpProtocol protocol{};
    std::uint8_t ttl = 255;
    std::uint8_t traffic_class = internetwork_control;  ///< TOS in IPv4
    std::uint16_t payload_size = 0;
};

/// Writes an IPv4 header without options or an IPv6 header, by the family of `source`. IPv4: Don't Fragment set,
/// Identification 0, checksum filled in (see ip.cpp for why).
void write_ip_header(ByteWriter& writer, const IpHeader& header);

}  // namespace vigil::packet
