#include "config/values.h"

#include <charconv>

#include "config/words.h"

namespace vigil::config {

std::optional<ParsedNumber> read_number(std::string_view word) {
    if (!word.empty() && word.front() == '+') word.remove_prefix(1);
    ParsedNumber number;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number.value);
    if (error != std::errc{}) return std::nullopt;
    number.has_trailing = end != word.data() + word.size();
    return number;
}

namespace {

/// A number with up to `digits` digits of fraction, in units of the last of them.
std::optional<ParsedNumber> read_fraction(std::string_view word, unsigned digits) {
    const bool negative = !word.empty() && word.front() == '-';
    if (negative || (!word.empty() && word.front() == '+')) word.remove_prefix(1);
    if (word.empty() || (!is_digit(word.front()) && word.front() != '.')) return std::nullopt;
    std::int64_t value = 0;
    std::size_t at = 0;
    for (; at < word.size() && is_digit(word[at]); ++at) {
        value = value * 10 + (word[at] - '0');
        if (value > 1'000'000'000'000) return std::nullopt;
    }
    bool has_digits = at > 0;
    const bool has_point = at < word.size() && word[at] == '.';
    if (has_point) ++at;
    for (; digits > 0; --digits) {
        value *= 10;
        if (!has_point || at >= word.size() || !is_digit(word[at])) continue;
        value += word[at++] - '0';
        has_digits = true;
    }
    if (!has_digits) return std::nullopt;
    return ParsedNumber{negative ? -value : value, at != word.size()};
}

}  // namespace

std::optional<ParsedNumber> read_seconds(std::string_view word) { return read_fraction(word, 6); }

std::optional<ParsedNumber> read_milliseconds(std::string_view word) { return read_fraction(word, 3); }

std::string seconds_text(Nanoseconds time) {
    std::string text = std::to_string(time.count() / 1'000'000'000);
    std::string fraction = std::to_string(1'000'000'000 + time.count() % 1'000'000'000).substr(1);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    return fraction.empty() ? text : text + '.' + fraction;
}

std::optional<std::int64_t> read_based_number(std::string_view word) {
    const bool negative = !word.empty() && word.front() == '-';
    if (negative || (!word.empty() && word.front() == '+')) word.remove_prefix(1);
    int base = 10;
    if (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
        base = 16;
        word.remove_prefix(2);
    } else if (word.size() > 1 && word[0] == '0') {
        base = 8;
    }
    if (word.empty() || word.front() == '-') return std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return negative ? -value : value;
}

std::optional<bool> read_boolean(std::string_view word) {
    if (word == "on" || word == "true" || word == "yes") return true;
    if (word == "off" || word == "false" || word == "no") return false;
    return std::nullopt;
}

std::optional<AddressWithPrefix> read_address_with_prefix(std::string_view word) {
    const std::size_t slash = word.find('/');
    const std::optional<IpAddress> address = read_address(word.substr(0, slash));
    if (!address) return std::nullopt;
    AddressWithPrefix result{*address, std::nullopt, false};
    if (slash == std::string_view::npos) return result;
    const std::string_view digits = word.substr(slash + 1);
    std::uint8_t length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > address->size() * 8) result.is_prefix_bad = true;
    else result.prefix_length = length;
    return result;
}

std::optional<IpAddress> read_endpoint_address(std::string_view word) {
    const auto parsed = read_address_with_prefix(word);
    return parsed && !parsed->is_prefix_bad ? std::optional(parsed->address) : std::nullopt;
}

}  // namespace vigil::config
