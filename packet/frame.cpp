#include "packet/frame.h"

#include "packet/checksum.h"
#include "packet/ethernet.h"
#include "packet/ip.h"

// From a frame as it lay on the wire to a checked advertisement, or the reason why not.
//
// The layers are read from the outside in, each within the bytes that the one around it left: Ethernet with its tags, IP
// with its length field, AH, VRRP. A frame on a LAN with other redundancy protocols is told apart from a broken one:
//
// * HSRP hellos are UDP to port 1985 (2029 over IPv6).
// * CARP took VRRP's protocol number 112, its group and its first octet 0x21. Its message has always 36 octets, octet 3
//   is the length 7 of its authentication data in 32-bit words, and its checksum covers all 36. Read as VRRPv2 the 7 would be
//   an address count, and 7 addresses with authentication data need 44 octets: so no advertisement can be taken for CARP.
//
// This runs for every frame that the filter lets through, so the readers below it are inline and the result is filled in place.
// A struct assembled on the stack and copied took longer than all the checks together: a wide load right after narrow
// stores to the same place stalls the processor.

namespace vigil::packet {

namespace {

constexpr std::uint16_t hsrp_ipv6_port = 2029;
constexpr std::size_t carp_size = 36;
constexpr std::uint8_t carp_first_octet = 0x21;
constexpr std::uint8_t carp_auth_words = 7;

bool is_hsrp(const IpPacket& ip) {
    ByteReader udp(ip.payload);
    udp.skip(2);
    const std::uint16_t destination_port = udp.u16();
    return ip.protocol == IpProtocol::udp && destination_port == (ip.family == Family::ipv4 ? hsrp_port : hsrp_ipv6_port);
}

bool is_carp(Bytes message) {
    return message.size() == carp_size && message[0] == carp_first_octet && message[3] == carp_auth_words &&
           is_checksum_valid(add_words(PartialSum{}, message));
}

/// Reads the AH header and moves `payload` behind it.
tl::expected<AhHeader, ReceiveError> read_ah(Bytes& payload) {
    ByteReader reader(payload);
    const auto next_header = IpProtocol{reader.u8()};
    const std::uint8_t payload_length = reader.u8();
    reader.skip(2);  // reserved: sent as zero, not looked at (RFC 2402 §2.3)
    AhHeader ah;
    ah.security_parameters_index = reader.u32();
    ah.sequence_number = reader.u32();
    const Bytes digest = reader.take(ah.digest.size());
    if (reader.has_failed() || next_header != IpProtocol::vrrp || payload_length != ah_payload_length) {
        return tl::unexpected(ReceiveError::bad_ah);
    }
    std::copy(digest.begin(), digest.end(), ah.digest.begin());
    payload = reader.rest();
    return ah;
}

tl::expected<IpPacket, ReceiveError> read_ip(const EthernetFrame& ethernet) {
    if (ethernet.type == EtherType::ipv4) return read_ipv4(ethernet.payload);
    if (ethernet.type == EtherType::ipv6) return read_ipv6(ethernet.payload);
    return tl::unexpected(ReceiveError::not_ip);
}

/// Fills the result where the caller will read it.
tl::expected<ReceivedFrame, ReceiveError> make_received_frame(const AdvertisementView& advertisement,
                                                              const EthernetFrame& ethernet, const IpPacket& ip,
                                                              const std::optional<AhHeader>& ah) {
    tl::expected<ReceivedFrame, ReceiveError> result(tl::in_place, advertisement);
    result->source.family = result->destination.family = ip.family;
    ip.copy_source(result->source.octets);
    ip.copy_destination(result->destination.octets);
    result->source_mac = ethernet.source();
    result->vlan_id = ethernet.vlan_id;
    result->ttl = ip.ttl;
    if (ah) result->ah = ah;
    result->ip_packet = ip.bytes;
    return result;
}

}  // namespace

tl::expected<ReceivedFrame, ReceiveError> read_frame(Bytes frame) {
    const auto ethernet = read_ethernet(frame);
    if (!ethernet) return tl::unexpected(ethernet.error());
    const auto ip = read_ip(*ethernet);
    if (!ip) return tl::unexpected(ip.error());

    // AH only over IPv4: RFC 2338 defines it there, and VRRPv3 has no authentication (RFC 9568 §9).
    const bool has_ah = ip->protocol == IpProtocol::ah && ip->family == Family::ipv4;
    if (ip->protocol != IpProtocol::vrrp && !has_ah) {
        return tl::unexpected(is_hsrp(*ip) ? ReceiveError::foreign_hsrp : ReceiveError::not_vrrp);
    }
    if (is_carp(ip->payload)) return tl::unexpected(ReceiveError::foreign_carp);

    const IpAddress source = ip->source();
    const IpAddress destination = ip->destination();
    if (ip->ttl != 255 && destination.is_multicast()) return tl::unexpected(ReceiveError::bad_ttl);  // RFC 9568 §7.1

    Bytes message = ip->payload;
    std::optional<AhHeader> ah;
    if (has_ah) {
        const auto header = read_ah(message);
        if (!header) return tl::unexpected(header.error());
        ah = *header;
    }
    const auto advertisement = read_advertisement(message, source, destination);
    if (!advertisement) return tl::unexpected(advertisement.error());
    return make_received_frame(*advertisement, *ethernet, *ip, ah);
}

}  // namespace vigil::packet
