#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "packet/address.h"
#include "packet/units.h"

/// Words to values. Decimal only, as the language has it.
namespace vigil::config {

/// A number and whether something that does not belong to it follows ("5s", "100;").
struct ParsedNumber {
    std::int64_t value = 0;
    bool has_trailing = false;
};
/// [-+]digits. nullopt when it does not start with a number or does not fit 64 bits.
std::optional<ParsedNumber> read_number(std::string_view word);

/// Seconds with a fraction, as microseconds. More than six digits of fraction count as trailing.
std::optional<ParsedNumber> read_seconds(std::string_view word);

/// Milliseconds with a fraction, as microseconds. More than three digits of fraction count as trailing.
std::optional<ParsedNumber> read_milliseconds(std::string_view word);

/// "1.5": as a file has it.
std::string seconds_text(Nanoseconds time);

/// Decimal, 0x hexadecimal or 0 octal: only loops and masks take these.
std::optional<std::int64_t> read_based_number(std::string_view word);

/// on, true, yes; off, false, no. Lower case only.
std::optional<bool> read_boolean(std::string_view word);

struct AddressWithPrefix {
    IpAddress address;
    std::optional<std::uint8_t> prefix_length;  ///< absent: none was written
    bool is_prefix_bad = false;                 ///< one was written and is no prefix length
};
/// ADDRESS[/PREFIX].
std::optional<AddressWithPrefix> read_address_with_prefix(std::string_view word);
/// The address of a server: a prefix length behind it is not looked at.
std::optional<IpAddress> read_endpoint_address(std::string_view word);

}  // namespace vigil::config
