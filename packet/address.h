#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "packet/units.h"

namespace vigil {

/// An IPv4 or IPv6 address in network byte order. IPv4 uses the first four octets, the rest are zero; the family is kept
/// beside the address (IpAddress) or known from the context (VirtualRouter).
using AddressOctets = std::array<std::uint8_t, 16>;

struct IpAddress {
    AddressOctets octets{};
    Family family = Family::ipv4;

    /// Order of the wire octets, so "greater" is the comparison of RFC 9568 §6.4.3 within one family.
    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

    constexpr std::size_t size() const { return family == Family::ipv4 ? 4 : 16; }
    constexpr std::span<const std::uint8_t> bytes() const { return {octets.data(), size()}; }
    constexpr bool is_unspecified() const { return octets == AddressOctets{}; }
    /// 224.0.0.0/4 or ff00::/8.
    constexpr bool is_multicast() const { return family == Family::ipv4 ? (octets[0] & 0xf0) == 0xe0 : octets[0] == 0xff; }
    /// fe80::/10; always false for IPv4.
    constexpr bool is_link_local() const { return family == Family::ipv6 && octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80; }
};

/// Reads dotted decimal or RFC 4291 text; nothing else (no prefix, no zone). nullopt when it is neither.
std::optional<IpAddress> read_address(std::string_view text);
/// Canonical text (RFC 5952 for IPv6).
std::string to_string(const IpAddress& address);

/// `bytes` holds 4 or 16 octets in network order. Made for every frame received, so inline and of fixed sizes.
inline IpAddress make_address(std::span<const std::uint8_t> bytes) {
    if (bytes.size() == 4) return {{bytes[0], bytes[1], bytes[2], bytes[3]}, Family::ipv4};
    IpAddress address{{}, Family::ipv6};
    if (bytes.size() >= 16) std::memcpy(address.octets.data(), bytes.data(), 16);
    return address;
}
constexpr IpAddress ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {{a, b, c, d}, Family::ipv4};
}

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};

    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
    constexpr bool is_zero() const { return octets == std::array<std::uint8_t, 6>{}; }
};

/// "00:00:5e:00:01:33"; nullopt when it is not six colon-separated hexadecimal octets.
std::optional<MacAddress> read_mac(std::string_view text);
std::string to_string(const MacAddress& mac);

inline MacAddress make_mac(std::span<const std::uint8_t, 6> bytes) {
    MacAddress mac;
    std::memcpy(mac.octets.data(), bytes.data(), 6);
    return mac;
}

constexpr MacAddress broadcast_mac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/// 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6 (RFC 9568 §7.3).
constexpr MacAddress virtual_mac(Family family, Vrid vrid) {
    return {{0x00, 0x00, 0x5e, 0x00, static_cast<std::uint8_t>(family == Family::ipv4 ? 1 : 2), to_number(vrid)}};
}

/// The Ethernet group address of an IP multicast group: RFC 1112 §6.4 (01:00:5e + 23 bits), RFC 2464 §7 (33:33 + 32 bits).
constexpr MacAddress multicast_mac(const IpAddress& group) {
    const auto& o = group.octets;
    if (group.family == Family::ipv4) return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(o[1] & 0x7f), o[2], o[3]}};
    return {{0x33, 0x33, o[12], o[13], o[14], o[15]}};
}

/// 224.0.0.18 (RFC 9568 §5.1.1.2).
constexpr IpAddress vrrp_group_ipv4 = ipv4(224, 0, 0, 18);
/// ff02::12 (RFC 9568 §5.1.2.2).
constexpr IpAddress vrrp_group_ipv6{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}, Family::ipv6};

}  // namespace vigil
