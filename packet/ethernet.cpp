#include "packet/ethernet.h"

namespace vigil::packet {

namespace {

bool is_tag(EtherType type) { return type == EtherType::vlan || type == EtherType::provider_vlan; }

}  // namespace

tl::expected<EthernetFrame, ReceiveError> read_ethernet(Bytes frame) {
    ByteReader reader(frame);
    EthernetFrame ethernet;
    ethernet.destination = reader.mac();
    ethernet.source = reader.mac();
    ethernet.type = EtherType{reader.u16()};
    for (int tag = 0; tag < max_vlan_tags && is_tag(ethernet.type); ++tag) {
        ethernet.vlan_id = reader.u16() & 0x0fff;  // the upper bits are priority and drop eligibility
        ethernet.type = EtherType{reader.u16()};
    }
    if (reader.has_failed()) return tl::unexpected(ReceiveError::frame_truncated);
    ethernet.payload = reader.rest();
    return ethernet;
}

void write_ethernet(ByteWriter& writer, const MacAddress& destination, const MacAddress& source, EtherType type) {
    writer.mac(destination);
    writer.mac(source);
    writer.u16(static_cast<std::uint16_t>(type));
}

}  // namespace vigil::packet
