#pragma once

#include <cstdint>

#include <tl/expected.hpp>

#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/receive_error.h"

namespace vigil::packet {

enum class IpProtocol : std::uint8_t { udp = 17, ah = 51, icmpv6 = 58, vrrp = 112 };

constexpr std::size_t ipv4_header_size = 20;  ///< without options, which are read over and never sent
constexpr std::size_t ipv6_header_size = 40;
constexpr std::uint16_t ipv4_dont_fragment = 0x4000;
/// More Fragments and the 13 bits of Fragment Offset: zero in a packet that is whole.
constexpr std::uint16_t ipv4_fragment_mask = 0x3fff;
/// Type of Service and Traffic Class of advertisements: Internetwork Control, precedence 6 (RFC 791 §3.1).
constexpr std::uint8_t internetwork_control = 0xc0;

/// A checked IP packet: only read_ipv4() and read_ipv6() make one, so its accessors are in range while the bytes live.
struct IpPacket {
    Bytes bytes;            ///< header to the end that its length field gives; no Ethernet padding
    Bytes payload;          ///< behind the IPv4 options or the fixed IPv6 header
    IpProtocol protocol{};  ///< any value, not only the named ones
    std::uint8_t ttl = 0;   ///< TTL or Hop Limit
    Family family = Family::ipv4;

    IpAddress source() const {
        IpAddress address{{}, family};
        copy_source(address.octets);
        return address;
    }
    IpAddress destination() const {
        IpAddress address{{}, family};
        copy_destination(address.octets);
        return address;
    }
    /// Into zeroed octets; see frame.cpp for why not by value.
    void copy_source(AddressOctets& octets) const {
        if (family == Family::ipv4) {
            std::memcpy(octets.data(), bytes.data() + 12, 4);
        } else {
            std::memcpy(octets.data(), bytes.data() + 8, 16);
        }
    }
    void copy_destination(AddressOctets& octets) const {
        if (family == Family::ipv4) {
            std::memcpy(octets.data(), bytes.data() + 16, 4);
        } else {
            std::memcpy(octets.data(), bytes.data() + 24, 16);
        }
    }
};

/// Checks version, header length, total length, header checksum, and that it is no fragment (RFC 1122 §3.2.1). Errors:
/// frame_truncated, bad_ip_header, bad_ip_checksum, ip_fragment.
inline tl::expected<IpPacket, ReceiveError> read_ipv4(Bytes bytes) {
    if (bytes.size() < ipv4_header_size) return tl::unexpected(ReceiveError::frame_truncated);
    const std::size_t header_size = std::size_t{4} * (bytes[0] & 0x0f);
    const std::size_t total_length = load_u16(bytes, 2);
    if (bytes[0] >> 4 != 4 || header_size < ipv4_header_size || total_length < header_size) {
        return tl::unexpected(ReceiveError::bad_ip_header);
    }
    if (bytes.size() < total_length) return tl::unexpected(ReceiveError::frame_truncated);
    const PartialSum sum = header_size == ipv4_header_size ? add_words(PartialSum{}, bytes.first<ipv4_header_size>())
                                                           : add_words(PartialSum{}, bytes.first(header_size));
    if (!is_checksum_valid(sum)) {
        return tl::unexpected(ReceiveError::bad_ip_checksum);
    }
    if ((load_u16(bytes, 6) & ipv4_fragment_mask) != 0) return tl::unexpected(ReceiveError::ip_fragment);
    const Bytes packet = bytes.first(total_length);
    return IpPacket{packet, packet.subspan(header_size), IpProtocol{bytes[9]}, bytes[8], Family::ipv4};
}

/// Checks version and payload length. Extension headers are not followed: `protocol` is the first Next Header. Errors:
/// frame_truncated, bad_ip_header.
inline tl::expected<IpPacket, ReceiveError> read_ipv6(Bytes bytes) {
    if (bytes.size() < ipv6_header_size) return tl::unexpected(ReceiveError::frame_truncated);
    if (bytes[0] >> 4 != 6) return tl::unexpected(ReceiveError::bad_ip_header);
    const std::size_t total_length = ipv6_header_size + load_u16(bytes, 4);
    if (bytes.size() < total_length) return tl::unexpected(ReceiveError::frame_truncated);
    const Bytes packet = bytes.first(total_length);
    return IpPacket{packet, packet.subspan(ipv6_header_size), IpProtocol{bytes[6]}, bytes[7], Family::ipv6};
}

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
