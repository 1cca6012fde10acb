#include <algorithm>
#include <array>
#include <cstdint>

#include "arp/arp_message.h"
#include "packet/ethernet.h"
#include "tests/fuzz/check.h"

// Any octets into arp::read_arp_frame(); what it takes is written again and must be the same message.

using namespace vigil;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const packet::Bytes frame(data, size);
    const auto message = arp::read_arp_frame(frame);
    if (!message) return 0;
    std::array<std::uint8_t, packet::ethernet_header_size + arp::arp_message_size> buffer{};
    packet::ByteWriter writer(buffer);
    arp::write_arp_frame(writer, {}, {}, *message);
    FUZZ_CHECK(!writer.has_failed() && writer.size() == buffer.size());
    const packet::Bytes read = packet::read_ethernet(frame)->payload;
    FUZZ_CHECK(std::equal(buffer.begin() + packet::ethernet_header_size, buffer.end(), read.begin()));
    return 0;
}
