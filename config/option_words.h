#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/keywords.h"

/// The option words inside address, route and rule lines.
namespace vigil::config {

enum class OptionLine : std::uint8_t { address, route, rule };

struct OptionWord {
    std::string_view name;
    Tier tier = Tier::t3;
    std::uint8_t values = 0;   ///< words that follow
    bool may_lock = false;     ///< `lock` may stand before the value
    bool takes_rest = false;   ///< the rest of the line is a language of its own
};

std::span<const OptionWord> option_words(OptionLine line);
/// nullptr when there is none of that name.
const OptionWord* find_option(OptionLine line, std::string_view name);
/// "did you mean ...", or nothing.
std::string suggest_option(OptionLine line, std::string_view word);

/// Name or number of rt_scopes.
std::optional<std::uint8_t> read_scope_name(std::string_view word);

}  // namespace vigil::config
