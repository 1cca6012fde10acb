#include "packet/checksum.h"

// The sum is taken four octets at a time into 64 bits: a 32-bit word is two 16-bit words side by side, and the carries
// that pile up above them are folded back once at the end, which is what "end-around carry" means. memcpy is the
// aliasing-safe unaligned load; compilers make one instruction of it.

namespace vigil::packet {

PartialSum add_words(PartialSum sum, Bytes bytes) {
    std::uint64_t total = static_cast<std::uint64_t>(sum);
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 4; at += 4, left -= 4) {
        std::uint32_t word;
        std::memcpy(&word, at, sizeof word);
        total += word;
    }
    if (left >= 2) {
        std::uint16_t word;
        std::memcpy(&word, at, sizeof word);
        total += word;
        at += 2;
        left -= 2;
    }
    if (left == 1) {
        std::uint16_t word = 0;
        std::memcpy(&word, at, 1);  // the first octet of the word, whatever the byte order
        total += word;
    }
    return PartialSum{total};
}

PartialSum pseudo_header_sum(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol, std::size_t length) {
    PartialSum sum = add_words(PartialSum{}, source.bytes());
    sum = add_words(sum, destination.bytes());
    sum = add_value(sum, protocol);
    return add_value(sum, static_cast<std::uint16_t>(length));
}

}  // namespace vigil::packet
