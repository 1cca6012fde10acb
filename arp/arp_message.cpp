#include "arp/arp_message.h"

#include "packet/ethernet.h"

namespace vigil::arp {

namespace {

constexpr std::uint16_t hardware_ethernet = 1;
constexpr std::uint8_t mac_size = 6;
constexpr std::uint8_t ipv4_size = 4;
constexpr auto protocol_ipv4 = static_cast<std::uint16_t>(packet::EtherType::ipv4);

}  // namespace

tl::expected<ArpMessage, ArpError> read_arp_frame(packet::Bytes frame) {
    const auto ethernet = packet::read_ethernet(frame);
    if (!ethernet) return tl::unexpected(ArpError::truncated);
    if (ethernet->type != packet::EtherType::arp) return tl::unexpected(ArpError::not_arp);
    if (ethernet->payload.size() < arp_message_size) return tl::unexpected(ArpError::truncated);

    packet::ByteReader reader(ethernet->payload);
    const std::uint16_t hardware_type = reader.u16();
    const std::uint16_t protocol_type = reader.u16();
    const std::uint8_t hardware_length = reader.u8();
    const std::uint8_t protocol_length = reader.u8();
    if (hardware_type != hardware_ethernet || hardware_length != mac_size) return tl::unexpected(ArpError::not_ethernet);
    if (protocol_type != protocol_ipv4 || protocol_length != ipv4_size) return tl::unexpected(ArpError::not_ipv4);

    ArpMessage message;
    message.operation = ArpOperation{reader.u16()};
    if (message.operation != ArpOperation::request && message.operation != ArpOperation::reply) {
        return tl::unexpected(ArpError::bad_operation);
    }
    message.sender_mac = reader.mac();
    message.sender = reader.ip(Family::ipv4);
    message.target_mac = reader.mac();
    message.target = reader.ip(Family::ipv4);
    return message;
}

void write_arp_frame(packet::ByteWriter& writer, const MacAddress& destination_mac, const MacAddress& source_mac,
                     const ArpMessage& message) {
    packet::write_ethernet(writer, destination_mac, source_mac, packet::EtherType::arp);
    writer.u16(hardware_ethernet);
    writer.u16(protocol_ipv4);
    writer.u8(mac_size);
    writer.u8(ipv4_size);
    writer.u16(static_cast<std::uint16_t>(message.operation));
    writer.mac(message.sender_mac);
    writer.ip(message.sender);
    writer.mac(message.target_mac);
    writer.ip(message.target);
}

}  // namespace vigil::arp
