#include "engine/daemon/trackers/file_value.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace vigil::daemon {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

int take_base(std::string_view& digits) {
    if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
        digits.remove_prefix(2);
        return 16;
    }
    return digits.size() > 1 && digits[0] == '0' ? 8 : 10;
}

}  // namespace

std::optional<std::int32_t> read_file_value(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return 0;
    text.remove_prefix(begin);
    const bool is_negative = text.front() == '-';
    if (is_negative || text.front() == '+') text.remove_prefix(1);
    const int base = take_base(text);
    if (text.starts_with('-')) return std::nullopt;   // from_chars would take a second sign
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error == std::errc::invalid_argument) return std::nullopt;
    if (end != text.data() + text.size() && blanks.find(*end) == std::string_view::npos) return std::nullopt;
    constexpr std::int64_t lowest = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t highest = std::numeric_limits<std::int32_t>::max();
    if (error == std::errc::result_out_of_range) number = highest;
    return static_cast<std::int32_t>(std::clamp(is_negative ? -number : number, lowest, highest));
}

}  // namespace vigil::daemon
