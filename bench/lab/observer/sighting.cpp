#include "bench/lab/observer/sighting.h"

#include <algorithm>

namespace vigil::lab {
namespace {

constexpr std::uint16_t ether_type_ipv4 = 0x0800, ether_type_arp = 0x0806, ether_type_ipv6 = 0x86dd;
constexpr std::uint8_t protocol_ah = 51, protocol_icmp_v6 = 58, protocol_vrrp = 112;
constexpr std::uint8_t neighbor_advertisement = 136;
constexpr Nanoseconds second{1'000'000'000}, centisecond{10'000'000};

Sighting read_vrrp(packet::ByteReader reader, const IpAddress& source) {
    const std::uint8_t version_and_type = reader.u8();
    Sighting sighting{.vrid = reader.u8(), .priority = reader.u8(), .address = source};
    reader.skip(1);
    const std::uint16_t interval_field = reader.u16();
    if (reader.has_failed()) return {};
    if (version_and_type == 0x21) {
        sighting.interval = (interval_field & 0xff) * second;          // RFC 3768 §5.3.7
    } else if (version_and_type == 0x31) {
        sighting.interval = (interval_field & 0x0fff) * centisecond;   // RFC 9568 §5.2.7
    } else {
        return {};
    }
    sighting.kind = SightingKind::advertisement;
    return sighting;
}

Sighting read_ipv4(packet::ByteReader reader) {
    const packet::Bytes header = reader.take(20);
    if (header.empty()) return {};
    const std::size_t header_bytes = (header[0] & 0x0fU) * 4;
    reader.skip(std::max<std::size_t>(header_bytes, 20) - 20);
    std::uint8_t protocol = header[9];
    if (protocol == protocol_ah) {
        protocol = reader.u8();
        const std::uint8_t length = reader.u8();   // in 32-bit words, minus 2 (RFC 4302 §2.2)
        reader.skip(length * 4U + 6U);
    }
    return protocol == protocol_vrrp ? read_vrrp(reader, make_address(header.subspan(12, 4))) : Sighting{};
}

Sighting read_ipv6(packet::ByteReader reader, const MacAddress& ethernet_source) {
    const packet::Bytes header = reader.take(40);
    if (header.empty()) return {};
    if (header[6] == protocol_vrrp) return read_vrrp(reader, make_address(header.subspan(8, 16)));
    if (header[6] != protocol_icmp_v6) return {};
    if (reader.u8() != neighbor_advertisement) return {};
    reader.skip(7);
    const packet::Bytes target = reader.take(16);
    if (target.empty()) return {};
    // Without looking for the target link-layer option, which follows: routers put the same address there.
    return {.kind = SightingKind::announcement, .address = make_address(target), .mac = ethernet_source};
}

/// Request or reply form; gratuitous when sender and target address are the same.
Sighting read_arp(packet::ByteReader reader) {
    reader.skip(8);
    const MacAddress mac = reader.mac();
    const packet::Bytes sender = reader.take(4);
    reader.skip(6);
    const packet::Bytes target = reader.take(4);
    if (target.empty() || !std::equal(sender.begin(), sender.end(), target.begin())) return {};
    return {.kind = SightingKind::announcement, .address = make_address(target), .mac = mac};
}

}  // namespace

Sighting read_sighting(packet::Bytes frame) {
    packet::ByteReader reader(frame);
    reader.skip(6);
    const MacAddress ethernet_source = reader.mac();
    switch (reader.u16()) {
        case ether_type_ipv4: return read_ipv4(reader);
        case ether_type_ipv6: return read_ipv6(reader, ethernet_source);
        case ether_type_arp: return read_arp(reader);
        default: return {};
    }
}

}  // namespace vigil::lab
