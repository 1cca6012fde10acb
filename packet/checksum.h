#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "packet/bytes.h"

/// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
namespace vigil::packet {

/// An unfinished one's complement sum of 16-bit words *as they lie in memory*: RFC 1071 §2(B) allows any byte order
/// until the end. 64 bits wide with end-around carry, so nothing is lost however much is added.
enum class PartialSum : std::uint64_t {};

constexpr PartialSum operator+(PartialSum a, PartialSum b) {
    const std::uint64_t sum = static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b);
    return PartialSum{sum + (sum < static_cast<std::uint64_t>(b) ? 1 : 0)};
}

/// Adds the words of `bytes`. An odd last octet counts as the high octet of a word whose other octet is zero, so only
/// the last piece of a message may have an odd size. Four words are taken side by side; memcpy is the aliasing-safe unaligned
/// load.
inline PartialSum add_words(PartialSum sum, Bytes bytes) {
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t words;
        std::memcpy(&words, at, sizeof words);
        sum = sum + PartialSum{words};
    }
    if (left >= 4) {
        std::uint32_t words;
        std::memcpy(&words, at, sizeof words);
        sum = sum + PartialSum{words};
        at += 4;
        left -= 4;
    }
    if (left >= 2) {
        std::uint16_t word;
        std::memcpy(&word, at, sizeof word);
        sum = sum + PartialSum{word};
        at += 2;
        left -= 2;
    }
    if (left == 1) {
        std::uint16_t word = 0;
        std::memcpy(&word, at, 1);  // the first octet of the word, whatever the byte order
        sum = sum + PartialSum{word};
    }
    return sum;
}

/// The same for a size known beforehand: no loop.
template <std::size_t size>
    requires(size % 4 == 0)
inline PartialSum add_words(PartialSum sum, std::span<const std::uint8_t, size> bytes) {
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
        std::uint64_t words;
        std::memcpy(&words, bytes.data() + i, sizeof words);
        sum = sum + PartialSum{words};
    }
    if constexpr (size % 8 == 4) {
        std::uint32_t words;
        std::memcpy(&words, bytes.data() + size - 4, sizeof words);
        sum = sum + PartialSum{words};
    }
    return sum;
}

inline PartialSum add_address(PartialSum sum, const IpAddress& address) {
    const std::span octets(address.octets);
    return address.family == Family::ipv4 ? add_words(sum, octets.first<4>()) : add_words(sum, octets);
}

/// Adds one value that is not in memory in wire order, such as a length.
constexpr PartialSum add_value(PartialSum sum, std::uint16_t value) {
    const std::uint16_t wire = std::endian::native == std::endian::little
                                   ? static_cast<std::uint16_t>(value << 8 | value >> 8)
                                   : value;
    return sum + PartialSum{wire};
}

/// The 16-bit one's complement sum in memory order; 0xffff when it is "zero" and any octet was not. Adding a number to itself
/// rotated by half leaves the sum of its halves, carry included, in the upper half.
constexpr std::uint16_t fold(PartialSum sum) {
    const auto wide = static_cast<std::uint64_t>(sum);
    const auto half = static_cast<std::uint32_t>((wide + std::rotr(wide, 32)) >> 32);
    return static_cast<std::uint16_t>((half + std::rotr(half, 16)) >> 16);
}

/// True when the sum covers a checksum field that is right.
constexpr bool is_checksum_valid(PartialSum sum_with_checksum) { return fold(sum_with_checksum) == 0xffff; }

/// The checksum field, as a number for store_u16().
constexpr std::uint16_t finish_checksum(PartialSum sum) {
    const auto complement = static_cast<std::uint16_t>(~fold(sum));
    return std::endian::native == std::endian::little ? static_cast<std::uint16_t>(complement << 8 | complement >> 8)
                                                      : complement;
}

/// The pseudo-header of IPv4 (RFC 793 §3.1) or IPv6 (RFC 8200 §8.1) for `length` octets of `protocol`.
/// Both addresses are of one family; `length` <= 65535.
inline PartialSum pseudo_header_sum(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol, std::size_t length) {
    PartialSum sum = add_address(PartialSum{}, source);
    sum = add_address(sum, destination);
    sum = add_value(sum, protocol);
    return add_value(sum, static_cast<std::uint16_t>(length));
}

/// The checksum after one aligned word it covers has changed: HC' = ~(~HC + ~m + m') (RFC 1624 §3, eqn. 3).
constexpr std::uint16_t update_checksum(std::uint16_t checksum, std::uint16_t old_word, std::uint16_t new_word) {
    std::uint32_t sum = static_cast<std::uint16_t>(~checksum) + std::uint32_t{static_cast<std::uint16_t>(~old_word)} + new_word;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace vigil::packet
