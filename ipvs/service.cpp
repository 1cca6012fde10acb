#include "ipvs/service.h"

#include <cstring>

namespace vigil::ipvs {

namespace {

std::uint64_t mix(std::uint64_t value) {
    value *= 0x9e3779b97f4a7c15;
    return value ^ (value >> 32);
}

std::uint64_t hash_of(const IpAddress& address) {
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), address.octets.data(), address.octets.size());
    return mix(words[0] ^ mix(words[1] + static_cast<std::uint64_t>(address.family)));
}

std::string with_port(const IpAddress& address, std::uint16_t port) {
    const std::string text = to_string(address);
    return (address.family == Family::ipv4 ? text : '[' + text + ']') + ':' + std::to_string(port);
}

}  // namespace

bool is_same_service(const Service& left, const Service& right) {
    const bool is_same = left.key == right.key && left.scheduler == right.scheduler && left.persistence_engine == right.persistence_engine &&
                         left.is_persistent == right.is_persistent && left.is_one_packet == right.is_one_packet &&
                         left.scheduler_flags == right.scheduler_flags;
    if (!is_same || !left.is_persistent) return is_same;
    return left.persistence_seconds == right.persistence_seconds && left.granularity == right.granularity;
}

Destination placed(Destination destination, const ServiceKey& service) {
    if (destination.forwarding != Forwarding::masquerade) destination.key.port = service.port;
    return destination;
}

bool is_same_destination(const Destination& left, const Destination& right) {
    if (left.forwarding != Forwarding::tunnel) {
        Destination with_tunnel = left;
        with_tunnel.tunnel = right.tunnel;
        return with_tunnel == right;
    }
    return left == right;
}

bool is_same_daemon(const SyncDaemon& wanted, const SyncDaemon& found) {
    const auto fits = [](auto asked, auto is) { return asked == decltype(asked){} || asked == is; };
    const bool has_group = !wanted.group.is_unspecified();
    return wanted.role == found.role && wanted.interface == found.interface && wanted.sync_id == found.sync_id &&
           fits(wanted.longest_payload, found.longest_payload) && (!has_group || wanted.group == found.group) && fits(wanted.port, found.port) &&
           fits(wanted.ttl, found.ttl);
}

std::string_view to_string(Protocol protocol) {
    switch (protocol) {
        case Protocol::tcp: return "TCP";
        case Protocol::udp: return "UDP";
        case Protocol::sctp: return "SCTP";
    }
    return "unknown";
}

std::string to_string(const ServiceKey& key) {
    if (key.fwmark != 0) return "FWMARK " + std::to_string(key.fwmark) + (key.family() == Family::ipv4 ? " (IPv4)" : " (IPv6)");
    return std::string(to_string(key.protocol)) + ' ' + with_port(key.address, key.port);
}

std::string to_string(const DestinationKey& key) { return with_port(key.address, key.port); }

std::size_t KeyHash::operator()(const ServiceKey& key) const {
    const std::uint64_t rest = std::uint64_t{key.fwmark} << 32 | std::uint64_t{key.port} << 8 | static_cast<std::uint8_t>(key.protocol);
    return mix(hash_of(key.address) ^ rest);
}

std::size_t KeyHash::operator()(const DestinationKey& key) const { return mix(hash_of(key.address) + key.port); }

}  // namespace vigil::ipvs
