#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vigil::daemon {

/// The number at the beginning of a tracked file: blanks, a sign, then decimal digits, 0x and hexadecimal ones or 0 and octal ones, as keepalived
/// reads them. What is beyond 32 bits is the nearest that fits. Only blanks may follow on its line. nullopt: that is no number. Nothing but
/// blanks is 0: a file that was just made.
std::optional<std::int32_t> read_file_value(std::string_view text);

}  // namespace vigil::daemon
