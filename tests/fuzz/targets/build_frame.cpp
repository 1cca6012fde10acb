#include <cstdint>
#include <vector>

#include "packet/bytes.h"
#include "packet/frame.h"
#include "packet/frame_template.h"
#include "tests/fuzz/check.h"

// A specification made of the input is built; what was built is read back and must say what was asked for; then it is
// patched by the next octets of the input, and a patch must equal a rebuild.

namespace {

using namespace vigil;
using namespace vigil::packet;

AdvertisementSpec read_spec(ByteReader& reader, std::vector<IpAddress>& addresses) {
    AdvertisementSpec spec;
    const std::uint8_t choices = reader.u8();
    spec.version = choices & 1 ? VrrpVersion::v3 : VrrpVersion::v2;
    const Family family = choices & 2 ? Family::ipv6 : Family::ipv4;
    spec.auth_type = AuthType{static_cast<std::uint8_t>((choices >> 2 & 3) % 3)};
    spec.checksum = ChecksumForm{static_cast<std::uint8_t>((choices >> 4 & 3) % 3)};
    const std::uint8_t vrid = reader.u8();
    spec.vrid = Vrid{vrid == 0 ? std::uint8_t{1} : vrid};
    spec.priority = Priority{reader.u8()};
    spec.interval = Centiseconds{reader.u16()};
    spec.ttl = reader.u8();
    spec.source = reader.ip(family);
    spec.destination = reader.ip(choices & 0x40 ? Family::ipv4 : family);
    spec.source_mac = reader.mac();
    spec.destination_mac = reader.mac();
    for (std::uint8_t& octet : spec.auth_key) octet = reader.u8();
    const std::size_t count = reader.u8();
    for (std::size_t i = 0; i < count; ++i) addresses.push_back(reader.ip(choices & 0x80 && i == 1 ? Family::ipv6 : family));
    spec.addresses = addresses;
    return spec;
}

void check_read_back(const AdvertisementSpec& spec, Bytes frame) {
    const auto received = read_frame(frame);
    if (!received) {
        FUZZ_CHECK(received.error() == ReceiveError::bad_ttl && spec.ttl != 255 && spec.destination.is_multicast());
        return;
    }
    const AdvertisementView& view = received->advertisement;
    FUZZ_CHECK(view.version() == spec.version && view.vrid() == spec.vrid && view.priority() == spec.priority);
    FUZZ_CHECK(view.max_advertise_interval() == spec.interval);
    FUZZ_CHECK(view.address_count() == spec.addresses.size());
    for (std::size_t i = 0; i < spec.addresses.size(); ++i) FUZZ_CHECK(view.address(i) == spec.addresses[i]);
    FUZZ_CHECK(received->source == spec.source && received->destination == spec.destination);
    FUZZ_CHECK(received->source_mac == spec.source_mac && received->ttl == spec.ttl);
    FUZZ_CHECK(received->ah.has_value() == (spec.auth_type == AuthType::ah));
    if (received->ah) FUZZ_CHECK(is_ah_digest_valid(*received, spec.auth_key));
    if (spec.version == VrrpVersion::v2) FUZZ_CHECK(view.auth_type_octet() == static_cast<std::uint8_t>(spec.auth_type));
    if (spec.auth_type == AuthType::simple_password) FUZZ_CHECK(is_password_equal(view.auth_data(), spec.auth_key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader reader({data, size});
    std::vector<IpAddress> addresses;
    AdvertisementSpec spec = read_spec(reader, addresses);
    std::vector<std::uint8_t> memory(frame_size(spec));
    auto frame = build_advertisement_frame(spec, memory);
    if (!frame) return 0;
    FUZZ_CHECK(frame->bytes().size() == memory.size());
    if (frame->needs_seal()) frame->seal(1, spec.auth_key);
    check_read_back(spec, frame->bytes());

    for (int patches = 0; patches < 16 && !reader.rest().empty(); ++patches) {
        spec.priority = Priority{reader.u8()};
        frame->set_priority(spec.priority);
        const std::uint8_t interval = reader.u8();
        const bool is_v2 = spec.version == VrrpVersion::v2;
        spec.interval = Centiseconds{static_cast<std::uint16_t>(is_v2 ? 100 * (1 + interval % 255) : 1 + 16 * interval)};
        frame->set_interval(spec.interval);
        if (frame->needs_seal()) frame->seal(2, spec.auth_key);
        std::vector<std::uint8_t> rebuilt(memory.size());
        auto again = build_advertisement_frame(spec, rebuilt);
        FUZZ_CHECK(again);
        if (again->needs_seal()) again->seal(2, spec.auth_key);
        FUZZ_CHECK(rebuilt == memory);
    }
    return 0;
}
