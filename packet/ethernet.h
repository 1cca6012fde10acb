#pragma once

#include <cstdint>

#include <tl/expected.hpp>

#include "packet/bytes.h"
#include "packet/receive_error.h"

namespace vigil::packet {

enum class EtherType : std::uint16_t {
    ipv4 = 0x0800,
    arp = 0x0806,
    vlan = 0x8100,           ///< IEEE 802.1Q customer tag
    ipv6 = 0x86dd,
    provider_vlan = 0x88a8,  ///< IEEE 802.1ad service tag
};

constexpr std::size_t ethernet_header_size = 14;
constexpr std::size_t vlan_tag_size = 4;
constexpr int max_vlan_tags = 2;

constexpr bool is_vlan_tag(EtherType type) { return type == EtherType::vlan || type == EtherType::provider_vlan; }

/// A frame whose header is complete: only read_ethernet() makes one.
struct EthernetFrame {
    Bytes bytes;
    Bytes payload;               ///< behind the tags, with what pads a short frame
    EtherType type{};            ///< behind the tags; any value, not only the named ones; a tag when there were more than two
    std::uint16_t vlan_id = 0;   ///< of the innermost tag, 1-4095; 0 when untagged or only priority-tagged

    MacAddress destination() const { return make_mac(bytes.first<6>()); }
    MacAddress source() const { return make_mac(bytes.subspan<6, 6>()); }
};

/// Reads the header and up to two 802.1Q or 802.1ad tags. Fails with frame_truncated only.
inline tl::expected<EthernetFrame, ReceiveError> read_ethernet(Bytes frame) {
    ByteReader reader(frame);
    reader.skip(ethernet_header_size - 2);
    EthernetFrame ethernet;
    ethernet.type = EtherType{reader.u16()};
    for (int tag = 0; tag < max_vlan_tags && is_vlan_tag(ethernet.type); ++tag) {
        ethernet.vlan_id = reader.u16() & 0x0fff;  // the upper bits are priority and drop eligibility
        ethernet.type = EtherType{reader.u16()};
    }
    if (reader.has_failed()) return tl::unexpected(ReceiveError::frame_truncated);
    ethernet.bytes = frame;
    ethernet.payload = reader.rest();
    return ethernet;
}

/// Writes an untagged header (VLAN devices of the kernel add their tag themselves).
void write_ethernet(ByteWriter& writer, const MacAddress& destination, const MacAddress& source, EtherType type);

}  // namespace vigil::packet
