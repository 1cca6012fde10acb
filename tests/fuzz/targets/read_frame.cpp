#include <algorithm>
#include <cstdint>
#include <vector>

#include "packet/authentication.h"
#include "packet/checksum.h"
#include "packet/ethernet.h"
#include "packet/frame.h"
#include "packet/ip.h"
#include "tests/fuzz/check.h"

// Any octets into packet::read_frame(). The input is read as it is, and again with its checksums repaired where the headers
// allow to find them, for mutation alone seldom gets past two checksums in a row.

namespace {

using namespace vigil;
using namespace vigil::packet;

void check_view(const AdvertisementView& view, Bytes frame) {
    const Bytes message = view.message();
    FUZZ_CHECK(message.data() >= frame.data() && message.data() + message.size() <= frame.data() + frame.size());
    FUZZ_CHECK(to_number(view.vrid()) != 0);
    FUZZ_CHECK(view.max_advertise_interval().count() > 0);
    const bool is_v2 = view.version() == VrrpVersion::v2;
    FUZZ_CHECK(is_v2 || view.version() == VrrpVersion::v3);
    for (std::size_t i = 0; i < view.address_count(); ++i) FUZZ_CHECK(view.address(i).family == view.family());
    const Bytes behind = view.behind();
    FUZZ_CHECK(behind.data() == message.data() + message.size() && behind.data() + behind.size() <= frame.data() + frame.size());
    if (is_v2) FUZZ_CHECK(view.auth_data().data() + view.auth_data().size() == message.data() + message.size());
}

void check(Bytes frame) {
    const auto received = read_frame(frame);
    if (!received) {
        FUZZ_CHECK(received.error() <= ReceiveError::bad_checksum);  // the rest is for the engine to say
        return;
    }
    check_view(received->advertisement, frame);
    FUZZ_CHECK(received->source.family == received->destination.family);
    FUZZ_CHECK(received->ttl == 255 || !received->destination.is_multicast());
    FUZZ_CHECK(received->vlan_id < 4096);
    is_ah_digest_valid(*received, AuthKey{'s', 'e', 'c', 'r', 'e', 't'});
}

void repair_word(std::span<std::uint8_t> octets, std::size_t offset, PartialSum pseudo_header) {
    if (octets.size() < offset + 2) return;
    store_u16(octets, offset, 0);
    store_u16(octets, offset, finish_checksum(add_words(pseudo_header, octets)));
}

/// Makes the IPv4 header checksum and the VRRP checksum right, if there is anything to find them by.
void repair(std::span<std::uint8_t> frame) {
    const auto ethernet = read_ethernet(frame);
    if (!ethernet || ethernet->payload.size() < ipv4_header_size) return;
    const auto packet = frame.subspan(frame.size() - ethernet->payload.size());
    const bool is_ipv4 = packet[0] >> 4 == 4;
    const std::size_t header_size = is_ipv4 ? std::size_t{4} * (packet[0] & 0x0f) : ipv6_header_size;
    if (packet.size() < header_size) return;
    if (is_ipv4 && header_size >= ipv4_header_size) repair_word(packet.first(header_size), 10, {});
    const auto ip = is_ipv4 ? read_ipv4(packet) : read_ipv6(packet);
    if (!ip) return;
    std::size_t offset = header_size;
    if (ip->protocol == IpProtocol::ah) offset += ah_header_size;
    if (ip->bytes.size() < offset + AdvertisementView::fixed_size) return;
    auto message = packet.first(ip->bytes.size()).subspan(offset);
    const bool is_v2 = message[0] >> 4 == 2;
    const std::size_t size = AdvertisementView::fixed_size + message[3] * (is_ipv4 ? std::size_t{4} : std::size_t{16}) +
                             (is_v2 ? AdvertisementView::auth_size : std::size_t{0});
    message = message.first(std::min(size, message.size()));
    const auto protocol = static_cast<std::uint8_t>(IpProtocol::vrrp);
    const bool has_pseudo_header = !is_v2 && (!is_ipv4 || (packet[8] & 1) != 0);
    repair_word(message, 6, has_pseudo_header ? pseudo_header_sum(ip->source(), ip->destination(), protocol, size) : PartialSum{});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check({data, size});
    std::vector<std::uint8_t> repaired(data, data + size);
    repair(repaired);
    check(repaired);
    return 0;
}
