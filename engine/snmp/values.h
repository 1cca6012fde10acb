#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/snmp/object_tree.h"
#include "packet/address.h"

/// What the getters of the tables are written with.
namespace vigil::snmp {

using Object = std::optional<Value>;

inline Value number(Type type, std::int64_t value) { return {type, value}; }
inline Value integer(std::int64_t value) { return number(Type::integer, value); }
inline Value gauge(std::uint32_t value) { return number(Type::gauge, value); }
inline Value counter(std::uint64_t value) { return number(Type::counter, static_cast<std::int64_t>(value & 0xffffffff)); }
inline Value counter64(std::uint64_t value) { return number(Type::counter64, static_cast<std::int64_t>(value)); }
inline Value text(std::string_view value) { return {Type::octets, std::string(value)}; }
/// No object when it is empty.
inline Object text_or_none(std::string_view value) { return value.empty() ? Object() : text(value); }
/// TruthValue, and the MIBs' enabled(1) and disabled(2), set(1) and unset(2) and so on.
inline Value truth(bool value) { return integer(value ? 1 : 2); }

/// InetAddress.
inline Value octets(const IpAddress& address) {
    const auto bytes = address.bytes();
    return {Type::octets, std::string(bytes.begin(), bytes.end())};
}
inline Object octets(const std::optional<IpAddress>& address) { return address ? Object(octets(*address)) : Object(); }
/// InetAddressType.
inline Value address_type(Family family) { return integer(family == Family::ipv4 ? 1 : 2); }
/// IpAddress of SMIv2; 0.0.0.0 for anything but IPv4.
inline Value ip_address(const IpAddress& address) {
    const IpAddress shown = address.family == Family::ipv4 ? address : IpAddress{};
    const auto bytes = shown.bytes();
    return {Type::ip_address, std::string(bytes.begin(), bytes.end())};
}
inline Value mac_octets(const MacAddress& mac) { return {Type::octets, std::string(mac.octets.begin(), mac.octets.end())}; }

/// InetScopeType for the kernel's RT_SCOPE_.
inline Value scope(std::uint8_t kernel_scope) {
    switch (kernel_scope) {
    case 0: return integer(14);     // global
    case 200: return integer(5);    // site
    case 253: return integer(2);    // link
    case 254: return integer(1);    // host: interface-local
    default: return integer(0);
    }
}

template <typename Thing>
const Thing& of(const Row& row) { return *static_cast<const Thing*>(row.thing); }

}  // namespace vigil::snmp
