#include "packet/ip.h"

#include "packet/checksum.h"

// IPv4 and IPv6 headers, as far as an advertisement, an ARP-like NDP message or a look at a foreign protocol needs them.
//
// Identification and Don't Fragment. keepalived sends with DF clear and a counting Identification; FRR, through the
// kernel, with DF set. Our frames are prebuilt and sent unchanged a thousand times, and a constant Identification is
// allowed only for "atomic" datagrams, that is with DF set (RFC 6864 §4.1). So DF is set and Identification is 0, which has
// two more merits: on a raw socket with IP_HDRINCL the kernel fills in a zero Identification only when DF is clear, so the
// bytes that go out are the bytes that the AH digest covers; and an advertisement is never split on its way, which is
// right because a fragment would be refused by most receivers, by ours with ip_fragment.

namespace vigil::packet {

namespace {

void write_ipv4_header(ByteWriter& writer, const IpHeader& header) {
    const std::size_t begin = writer.size();
    writer.u8(4 << 4 | ipv4_header_size / 4);
    writer.u8(header.traffic_class);
    writer.u16(static_cast<std::uint16_t>(ipv4_header_size + header.payload_size));
    writer.u16(0);
    writer.u16(ipv4_dont_fragment);
    writer.u8(header.ttl);
    writer.u8(static_cast<std::uint8_t>(header.protocol));
    writer.u16(0);
    writer.ip(header.source);
    writer.ip(header.destination);
    if (writer.has_failed()) return;
    const auto written = writer.written().subspan(begin);
    store_u16(written, 10, finish_checksum(add_words(PartialSum{}, written)));
}

void write_ipv6_header(ByteWriter& writer, const IpHeader& header) {
    writer.u32(std::uint32_t{6} << 28 | std::uint32_t{header.traffic_class} << 20);  // flow label 0
    writer.u16(header.payload_size);
    writer.u8(static_cast<std::uint8_t>(header.protocol));
    writer.u8(header.ttl);
    writer.ip(header.source);
    writer.ip(header.destination);
}

}  // namespace

void write_ip_header(ByteWriter& writer, const IpHeader& header) {
    if (header.source.family == Family::ipv4) {
        write_ipv4_header(writer, header);
    } else {
        write_ipv6_header(writer, header);
    }
}

}  // namespace vigil::packet
