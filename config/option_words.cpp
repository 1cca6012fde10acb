#include "config/option_words.h"

#include <algorithm>

#include "config/suggestion.h"
#include "config/values.h"

namespace vigil::config {

namespace {

constexpr auto t1 = Tier::t1;
constexpr auto t2 = Tier::t2;
constexpr auto t3 = Tier::t3;

constexpr OptionWord address_options[] = {
    {"dev", t1, 1}, {"brd", t2, 1}, {"broadcast", t2, 1}, {"label", t1, 1}, {"scope", t2, 1}, {"peer", t3, 1}, {"home", t3},
    {"-nodad", t3}, {"mngtmpaddr", t3}, {"noprefixroute", t3}, {"autojoin", t3}, {"preferred_lft", t3, 1}, {"no_track", t3},
    {"track_group", t3, 1}, {"use_vmac", t3},
};

constexpr OptionWord route_options[] = {
    {"inet", t3}, {"inet6", t3}, {"to", t1}, {"src", t1, 1}, {"via", t1, 1}, {"gw", t1, 1}, {"dev", t1, 1}, {"oif", t1, 1},
    {"table", t2, 1}, {"metric", t2, 1}, {"priority", t2, 1}, {"preference", t2, 1}, {"scope", t2, 1}, {"protocol", t3, 1},
    {"tos", t3, 1}, {"dsfield", t3, 1}, {"from", t3, 1}, {"onlink", t2}, {"encap", t3, 1, false, true}, {"expires", t3, 1},
    {"mtu", t2, 1, true}, {"advmss", t3, 1, true}, {"rtt", t3, 1, true}, {"rttvar", t3, 1, true}, {"reordering", t3, 1, true},
    {"cwnd", t3, 1, true}, {"ssthresh", t3, 1, true}, {"rto_min", t3, 1, true}, {"window", t3, 1}, {"initcwnd", t3, 1},
    {"initrwnd", t3, 1}, {"hoplimit", t3, 1}, {"realms", t3, 1}, {"features", t3, 1}, {"quickack", t3, 1},
    {"fastopen_no_cookie", t3, 1}, {"congctl", t3, 1, true}, {"pref", t3, 1}, {"ttl-propagate", t3, 1}, {"add", t3},
    {"prepend", t3}, {"append", t3}, {"or", t3, 1}, {"nexthop", t3, 0, false, true}, {"as", t3, 1, false, true}, {"vrf", t3, 1},
    {"no_track", t3}, {"track_group", t3, 1},
};

constexpr OptionWord rule_options[] = {
    {"inet", t3}, {"inet6", t3}, {"not", t3}, {"from", t1, 1}, {"to", t1, 1}, {"dev", t2, 1}, {"iif", t2, 1}, {"oif", t3, 1},
    {"tos", t3, 1}, {"dsfield", t3, 1}, {"fwmark", t2, 1}, {"uidrange", t3, 1}, {"ipproto", t3, 1}, {"sport", t3, 1},
    {"dport", t3, 1}, {"tunnel-id", t3, 1}, {"l3mdev", t3}, {"table", t1, 1}, {"lookup", t1, 1}, {"preference", t1, 1},
    {"order", t1, 1}, {"priority", t1, 1}, {"realms", t3, 1}, {"suppress_prefixlength", t3, 1}, {"sup_pl", t3, 1},
    {"suppress_ifgroup", t3, 1}, {"sup_group", t3, 1}, {"protocol", t3, 1}, {"goto", t3, 1}, {"nop", t3}, {"blackhole", t3},
    {"prohibit", t3}, {"unreachable", t3}, {"no_track", t3}, {"track_group", t3, 1},
};

}  // namespace

std::span<const OptionWord> option_words(OptionLine line) {
    switch (line) {
        case OptionLine::address: return address_options;
        case OptionLine::route: return route_options;
        case OptionLine::rule: return rule_options;
    }
    return {};
}

const OptionWord* find_option(OptionLine line, std::string_view name) {
    const auto options = option_words(line);
    const auto found = std::find_if(options.begin(), options.end(), [&](const OptionWord& option) { return option.name == name; });
    return found == options.end() ? nullptr : &*found;
}

std::string suggest_option(OptionLine line, std::string_view word) {
    if (word.starts_with("//") || word.starts_with(';')) return "a comment starts with # or !";
    Suggester suggester(word);
    for (const OptionWord& option : option_words(line)) suggester.consider(option.name);
    return suggester.best().empty() ? std::string{} : "did you mean '" + std::string(suggester.best()) + "'?";
}

std::optional<std::uint8_t> read_scope_name(std::string_view word) {
    if (word == "global" || word == "universe") return std::uint8_t{0};
    if (word == "site") return std::uint8_t{200};
    if (word == "link") return std::uint8_t{253};
    if (word == "host") return std::uint8_t{254};
    if (word == "nowhere") return std::uint8_t{255};
    const auto number = read_based_number(word);
    if (!number || *number < 0 || *number > 255) return std::nullopt;
    return static_cast<std::uint8_t>(*number);
}

}  // namespace vigil::config
