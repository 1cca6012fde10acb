#include <cstdint>
#include <vector>

#include "packet/advertisement.h"
#include "packet/checksum.h"
#include "packet/ip.h"
#include "tests/fuzz/check.h"

// A VRRP message between two addresses: one octet for the family, the addresses, the message. Read as it is and with its
// checksum made right, which must then never be the reason for refusing it.

namespace {

using namespace vigil;
using namespace vigil::packet;

void check(Bytes message, const IpAddress& source, const IpAddress& destination) {
    const auto view = read_advertisement(message, source, destination);
    if (!view) return;
    FUZZ_CHECK(view->message().size() <= message.size());
    FUZZ_CHECK(view->family() == source.family);
    FUZZ_CHECK(view->max_advertise_interval().count() > 0);
    for (std::size_t i = 0; i < view->address_count(); ++i) FUZZ_CHECK(view->address(i).family == source.family);
    if (view->version() == VrrpVersion::v2) FUZZ_CHECK(view->auth_data().size() == AdvertisementView::auth_size);
    FUZZ_CHECK(!view->is_first_address_link_local() || view->family() == Family::ipv6);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader reader({data, size});
    const Family family = reader.u8() % 2 == 0 ? Family::ipv4 : Family::ipv6;
    const IpAddress source = reader.ip(family);
    const IpAddress destination = reader.ip(family);
    if (reader.has_failed()) return 0;
    check(reader.rest(), source, destination);

    std::vector<std::uint8_t> message(reader.rest().begin(), reader.rest().end());
    if (message.size() < AdvertisementView::fixed_size) return 0;
    const bool is_v2 = message[0] >> 4 == 2;
    const std::size_t wanted = AdvertisementView::fixed_size + message[3] * source.size() + (is_v2 ? AdvertisementView::auth_size : 0);
    if (wanted < message.size()) message.resize(wanted);
    store_u16(message, 6, 0);
    const auto protocol = static_cast<std::uint8_t>(IpProtocol::vrrp);
    const PartialSum pseudo_header = is_v2 ? PartialSum{} : pseudo_header_sum(source, destination, protocol, message.size());
    store_u16(message, 6, finish_checksum(add_words(pseudo_header, message)));
    check(message, source, destination);
    const auto view = read_advertisement(message, source, destination);
    FUZZ_CHECK(view || view.error() != ReceiveError::bad_checksum);
    return 0;
}
