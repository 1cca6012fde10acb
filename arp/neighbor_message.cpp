#include "arp/neighbor_message.h"

#include "packet/checksum.h"
#include "packet/ethernet.h"
#include "packet/ip.h"

// Neighbour solicitations and advertisements of RFC 4861. Written for announcing a virtual IPv6 address, and read for
// answering solicitations for one; a reader that took forged messages would let anybody redirect the answers, so every
// check of RFC 4861 §7.1.1 and §7.1.2 is made before a message is believed.

namespace vigil::arp {

namespace {

constexpr std::size_t fixed_size = 24;  ///< ICMPv6 header, flags or reserved, target
constexpr std::size_t option_size = 8;
constexpr std::uint8_t source_link_layer_option = 1;
constexpr std::uint8_t target_link_layer_option = 2;
constexpr std::uint32_t router_flag = 0x80000000;
constexpr std::uint32_t solicited_flag = 0x40000000;
constexpr std::uint32_t override_flag = 0x20000000;

std::uint8_t link_layer_option(NeighborMessageType type) {
    return type == NeighborMessageType::solicitation ? source_link_layer_option : target_link_layer_option;
}

/// The link-layer address among the options, if there; other options are passed over (RFC 4861 §9).
tl::expected<std::optional<MacAddress>, NeighborError> read_options(packet::Bytes options, std::uint8_t wanted) {
    std::optional<MacAddress> found;
    packet::ByteReader reader(options);
    while (!reader.rest().empty()) {
        const std::uint8_t type = reader.u8();
        const std::size_t size = std::size_t{reader.u8()} * 8;
        if (size == 0) return tl::unexpected(NeighborError::bad_option);
        packet::ByteReader body(reader.take(size - 2));
        if (reader.has_failed()) return tl::unexpected(NeighborError::bad_option);
        if (type == wanted && !found) found = body.mac();
    }
    return found;
}

std::optional<NeighborError> find_destination_error(const NeighborMessage& message) {
    if (message.type == NeighborMessageType::advertisement) {
        if (message.is_solicited && message.destination.is_multicast()) return NeighborError::bad_destination;
        return std::nullopt;
    }
    if (!message.source.is_unspecified()) return std::nullopt;
    if (message.destination != solicited_node_group(message.target)) return NeighborError::bad_destination;
    if (message.link_layer) return NeighborError::unexpected_option;
    return std::nullopt;
}

tl::expected<NeighborMessage, NeighborError> read_icmpv6(const packet::IpPacket& ip) {
    NeighborMessage message;
    message.source = ip.source();
    message.destination = ip.destination();
    packet::ByteReader reader(ip.payload);
    message.type = NeighborMessageType{reader.u8()};
    const std::uint8_t code = reader.u8();
    reader.skip(2);
    const std::uint32_t flags = reader.u32();
    message.target = reader.ip(Family::ipv6);
    if (message.type != NeighborMessageType::solicitation && message.type != NeighborMessageType::advertisement) {
        return tl::unexpected(NeighborError::not_neighbor_message);
    }
    if (ip.ttl != 255) return tl::unexpected(NeighborError::bad_hop_limit);
    if (reader.has_failed()) return tl::unexpected(NeighborError::truncated);
    const auto protocol = static_cast<std::uint8_t>(packet::IpProtocol::icmpv6);
    const auto pseudo_header = packet::pseudo_header_sum(message.source, message.destination, protocol, ip.payload.size());
    if (!packet::is_checksum_valid(packet::add_words(pseudo_header, ip.payload))) {
        return tl::unexpected(NeighborError::bad_checksum);
    }
    if (code != 0) return tl::unexpected(NeighborError::bad_code);
    if (message.target.is_multicast()) return tl::unexpected(NeighborError::multicast_target);
    if (message.type == NeighborMessageType::advertisement) {
        message.is_router = (flags & router_flag) != 0;
        message.is_solicited = (flags & solicited_flag) != 0;
        message.is_override = (flags & override_flag) != 0;
    }
    const auto link_layer = read_options(reader.rest(), link_layer_option(message.type));
    if (!link_layer) return tl::unexpected(link_layer.error());
    message.link_layer = *link_layer;
    if (const auto error = find_destination_error(message)) return tl::unexpected(*error);
    return message;
}

}  // namespace

tl::expected<NeighborMessage, NeighborError> read_neighbor_frame(packet::Bytes frame) {
    const auto ethernet = packet::read_ethernet(frame);
    if (!ethernet) return tl::unexpected(NeighborError::truncated);
    if (ethernet->type != packet::EtherType::ipv6) return tl::unexpected(NeighborError::not_ipv6);
    const auto ip = packet::read_ipv6(ethernet->payload);
    if (!ip) {
        const bool is_short = ip.error() == packet::ReceiveError::frame_truncated;
        return tl::unexpected(is_short ? NeighborError::truncated : NeighborError::not_ipv6);
    }
    if (ip->protocol != packet::IpProtocol::icmpv6) return tl::unexpected(NeighborError::not_neighbor_message);
    return read_icmpv6(*ip);
}

void write_neighbor_frame(packet::ByteWriter& writer, const MacAddress& destination_mac, const MacAddress& source_mac,
                          const NeighborMessage& message) {
    packet::write_ethernet(writer, destination_mac, source_mac, packet::EtherType::ipv6);
    packet::IpHeader ip;
    ip.source = message.source;
    ip.destination = message.destination;
    ip.protocol = packet::IpProtocol::icmpv6;
    ip.traffic_class = 0;
    ip.payload_size = static_cast<std::uint16_t>(fixed_size + (message.link_layer ? option_size : 0));
    packet::write_ip_header(writer, ip);

    const std::size_t begin = writer.size();
    writer.u8(static_cast<std::uint8_t>(message.type));
    writer.u8(0);
    writer.u16(0);
    writer.u32((message.is_router ? router_flag : 0) | (message.is_solicited ? solicited_flag : 0) |
               (message.is_override ? override_flag : 0));
    writer.ip(message.target);
    if (message.link_layer) {
        writer.u8(link_layer_option(message.type));
        writer.u8(option_size / 8);
        writer.mac(*message.link_layer);
    }
    if (writer.has_failed()) return;
    const auto icmp = writer.written().subspan(begin);
    const auto protocol = static_cast<std::uint8_t>(packet::IpProtocol::icmpv6);
    const auto sum = packet::pseudo_header_sum(message.source, message.destination, protocol, icmp.size());
    packet::store_u16(icmp, 2, packet::finish_checksum(packet::add_words(sum, icmp)));
}

}  // namespace vigil::arp
