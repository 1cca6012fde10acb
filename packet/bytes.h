#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "packet/address.h"

namespace vigil::packet {

using Bytes = std::span<const std::uint8_t>;

/// Reads big-endian fields one after the other. Reading past the end gives zeros and sets has_failed(), which stays set, so a
/// whole header may be read and asked once.
class ByteReader {
public:
    constexpr explicit ByteReader(Bytes bytes) : rest_(bytes) {}

    constexpr std::uint8_t u8() {
        if (!has(1)) return 0;
        const std::uint8_t value = rest_[0];
        rest_ = rest_.subspan(1);
        return value;
    }
    constexpr std::uint16_t u16() {
        if (!has(2)) return 0;
        const auto value = static_cast<std::uint16_t>(rest_[0] << 8 | rest_[1]);
        rest_ = rest_.subspan(2);
        return value;
    }
    constexpr std::uint32_t u32() {
        if (!has(4)) return 0;
        const std::uint32_t value = std::uint32_t{rest_[0]} << 24 | std::uint32_t{rest_[1]} << 16 |
                                    std::uint32_t{rest_[2]} << 8 | std::uint32_t{rest_[3]};
        rest_ = rest_.subspan(4);
        return value;
    }
    /// The next `count` octets; empty when there are fewer.
    constexpr Bytes take(std::size_t count) {
        if (!has(count)) return {};
        const Bytes taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }
    constexpr void skip(std::size_t count) { take(count); }
    constexpr MacAddress mac() {
        MacAddress address;
        const Bytes taken = take(address.octets.size());
        std::copy(taken.begin(), taken.end(), address.octets.begin());
        return address;
    }
    constexpr IpAddress ip(Family family) {
        IpAddress address{{}, family};
        const Bytes taken = take(address.size());
        std::copy(taken.begin(), taken.end(), address.octets.begin());
        return address;
    }

    /// What was not read yet; empty after a failure.
    constexpr Bytes rest() const { return rest_; }
    constexpr bool has_failed() const { return has_failed_; }

private:
    constexpr bool has(std::size_t count) {
        if (rest_.size() >= count) return true;
        has_failed_ = true;
        rest_ = {};
        return false;
    }

    Bytes rest_;
    bool has_failed_ = false;
};

/// Writes big-endian fields one after the other. What does not fit is not written and sets has_failed(), which stays set.
class ByteWriter {
public:
    constexpr explicit ByteWriter(std::span<std::uint8_t> buffer) : buffer_(buffer) {}

    constexpr void u8(std::uint8_t value) { bytes(std::array{value}); }
    constexpr void u16(std::uint16_t value) {
        bytes(std::array{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
    }
    constexpr void u32(std::uint32_t value) {
        u16(static_cast<std::uint16_t>(value >> 16));
        u16(static_cast<std::uint16_t>(value));
    }
    constexpr void bytes(Bytes value) {
        if (has_failed_ || buffer_.size() - size_ < value.size()) {
            has_failed_ = true;
            return;
        }
        std::copy(value.begin(), value.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += value.size();
    }
    constexpr void zeros(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) u8(0);
    }
    constexpr void mac(const MacAddress& address) { bytes(address.octets); }
    constexpr void ip(const IpAddress& address) { bytes(address.bytes()); }

    constexpr std::size_t size() const { return size_; }
    constexpr std::span<std::uint8_t> written() const { return buffer_.first(size_); }
    constexpr bool has_failed() const { return has_failed_; }

private:
    std::span<std::uint8_t> buffer_;
    std::size_t size_ = 0;
    bool has_failed_ = false;
};

/// Big-endian 16 bits at `offset`; `offset` + 2 <= bytes.size().
constexpr std::uint16_t load_u16(Bytes bytes, std::size_t offset) {
    return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}
constexpr void store_u16(std::span<std::uint8_t> bytes, std::size_t offset, std::uint16_t value) {
    bytes[offset] = static_cast<std::uint8_t>(value >> 8);
    bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

}  // namespace vigil::packet
