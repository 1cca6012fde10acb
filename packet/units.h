#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

/// The small types that every layer speaks. No behaviour beyond arithmetic.
namespace vigil {

using Nanoseconds = std::chrono::nanoseconds;

/// A point of monotonic time: nanoseconds since boot, suspend included (CLOCK_BOOTTIME). Code below engine/io never
/// reads a clock: every Instant arrives as an argument.
struct Instant {
    std::int64_t ns = 0;

    friend constexpr auto operator<=>(Instant, Instant) = default;
    friend constexpr Instant operator+(Instant t, Nanoseconds d) { return {t.ns + d.count()}; }
    friend constexpr Instant operator-(Instant t, Nanoseconds d) { return {t.ns - d.count()}; }
    friend constexpr Nanoseconds operator-(Instant a, Instant b) { return Nanoseconds{a.ns - b.ns}; }
};

/// Hundredths of a second: the unit of VRRPv3 intervals on the wire (RFC 9568 §5.2.7), where 12 bits hold 1-4095.
/// VRRPv2 intervals (whole seconds, 1-255) are kept in it too, so up to 25500.
using Centiseconds = std::chrono::duration<std::uint16_t, std::centi>;

/// Virtual Router Identifier, 1-255 (RFC 9568 §5.2.3). 0 never passes config::validate().
enum class Vrid : std::uint8_t {};

/// RFC 9568 §5.2.4. 1-254 back up an address, 255 owns it, 0 says "I stop".
enum class Priority : std::uint8_t { stop = 0, lowest = 1, default_value = 100, highest_backup = 254, owner = 255 };

enum class Family : std::uint8_t { ipv4, ipv6 };

enum class VrrpVersion : std::uint8_t { v2 = 2, v3 = 3 };

constexpr std::uint8_t to_number(Vrid vrid) { return static_cast<std::uint8_t>(vrid); }
constexpr std::uint8_t to_number(Priority priority) { return static_cast<std::uint8_t>(priority); }
constexpr std::uint8_t to_number(VrrpVersion version) { return static_cast<std::uint8_t>(version); }

}  // namespace vigil
