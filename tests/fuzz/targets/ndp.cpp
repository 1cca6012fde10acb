#include <array>
#include <cstdint>
#include <vector>

#include "arp/neighbor_message.h"
#include "packet/checksum.h"
#include "packet/ethernet.h"
#include "packet/ip.h"
#include "tests/fuzz/check.h"

// Any octets into arp::read_neighbor_frame(), as they are and with the ICMPv6 checksum repaired; what it takes is written
// again, read again, and must be the same message.

namespace {

using namespace vigil;

void check(packet::Bytes frame) {
    const auto message = arp::read_neighbor_frame(frame);
    if (!message) return;
    FUZZ_CHECK(!message->target.is_multicast());
    std::array<std::uint8_t, 86> buffer{};
    packet::ByteWriter writer(buffer);
    arp::write_neighbor_frame(writer, {}, {}, *message);
    FUZZ_CHECK(!writer.has_failed());
    const auto again = arp::read_neighbor_frame(writer.written());
    FUZZ_CHECK(again);
    FUZZ_CHECK(again->type == message->type && again->target == message->target && again->link_layer == message->link_layer);
    FUZZ_CHECK(again->source == message->source && again->destination == message->destination);
    FUZZ_CHECK(again->is_router == message->is_router && again->is_solicited == message->is_solicited &&
               again->is_override == message->is_override);
}

void repair(std::span<std::uint8_t> frame) {
    const auto ethernet = packet::read_ethernet(frame);
    if (!ethernet) return;
    const auto ip = packet::read_ipv6(ethernet->payload);
    if (!ip || ip->payload.size() < 4) return;
    const auto offset = static_cast<std::size_t>(ip->payload.data() - frame.data());
    const auto icmp = frame.subspan(offset, ip->payload.size());
    packet::store_u16(icmp, 2, 0);
    const auto protocol = static_cast<std::uint8_t>(packet::IpProtocol::icmpv6);
    const auto sum = packet::pseudo_header_sum(ip->source(), ip->destination(), protocol, icmp.size());
    packet::store_u16(icmp, 2, packet::finish_checksum(packet::add_words(sum, icmp)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check({data, size});
    std::vector<std::uint8_t> repaired(data, data + size);
    repair(repaired);
    check(repaired);
    return 0;
}
