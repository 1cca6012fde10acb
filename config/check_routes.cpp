/// Lines of virtual_routes and virtual_rules are not acted on yet. Their option words are looked through all the same, so that a typo
/// is told now and not when they begin to count.

#include <algorithm>
#include <array>

#include "config/interpreter.h"
#include "config/option_words.h"
#include "config/values.h"

namespace vigil::config {

namespace {

constexpr std::array route_types = {"unicast", "local",       "broadcast", "anycast",   "multicast",
                                    "throw",   "unreachable", "prohibit",  "blackhole", "nat"};
constexpr std::array any_words = {"default", "default6", "any", "all"};

template <typename Words>
bool is_one_of(const Words& words, std::string_view word) {
    return std::any_of(words.begin(), words.end(), [&](const char* each) { return word == each; });
}

bool is_destination(std::string_view word) {
    const auto address = read_address_with_prefix(word);
    return (address && !address->is_prefix_bad) || is_one_of(any_words, word) || word.find('$') != std::string_view::npos;
}

void check_line(Reporter& reporter, const Node& node, OptionLine line, std::string_view what) {
    for (std::size_t index = 0; index < node.word_count(); ++index) {
        const std::string_view word = node.word(index);
        const OptionWord* option = find_option(line, word);
        if (option == nullptr) {
            const bool is_type = line == OptionLine::route ? is_one_of(route_types, word) : word == "type";
            if (is_type || (line == OptionLine::route && is_destination(word))) continue;
            reporter.error(node.line(), word, "unknown word '" + std::string(word) + "' in " + std::string(what),
                           suggest_option(line, word));
            return;
        }
        if (option->takes_rest) return;
        const bool has_family = (word == "via" || word == "gw") && (node.word(index + 1) == "inet" || node.word(index + 1) == "inet6");
        const bool is_locked = option->may_lock && node.word(index + 1) == "lock";
        index += option->values + (has_family || is_locked ? 1u : 0u);
        if (index < node.word_count()) continue;
        reporter.error(node.line(), word, "'" + std::string(word) + "' needs a value behind it");
        return;
    }
}

}  // namespace

void check_route_line(Reporter& reporter, const Node& node) { check_line(reporter, node, OptionLine::route, "a route"); }
void check_rule_line(Reporter& reporter, const Node& node) { check_line(reporter, node, OptionLine::rule, "a rule"); }

}  // namespace vigil::config
