#include "config/object_line.h"

#include <algorithm>

#include "config/suggestion.h"

namespace vigil::config {

namespace {

bool is_everything(std::string_view word) { return word == "default" || word == "any" || word == "all"; }

std::string_view family_name(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

}  // namespace

bool ObjectLine::take_if(std::string_view word) {
    if (is_at_end() || peek() != word) return false;
    ++next_;
    return true;
}

bool ObjectLine::drop(std::string_view part, std::string message, std::string help) {
    context_.reporter.error(item_.line(), part, message + ": the " + std::string(what_) + " is dropped", std::move(help));
    return false;
}

bool ObjectLine::drop_unknown(std::string_view word) {
    return drop(word, "unknown word " + in_quotes(word) + " in a " + std::string(what_), suggest_option(line_, word));
}

std::optional<std::string_view> ObjectLine::value_of(std::string_view option) {
    if (!is_at_end()) return take();
    drop(option, in_quotes(option) + " needs a value behind it");
    return std::nullopt;
}

std::optional<std::uint32_t> ObjectLine::number_of(std::string_view option, std::uint32_t low, std::uint32_t high) {
    const auto word = value_of(option);
    if (!word) return std::nullopt;
    const auto number = read_based_number(*word);
    if (number && *number >= low && *number <= high) return static_cast<std::uint32_t>(*number);
    drop(*word, in_quotes(option) + " expects a number from " + std::to_string(low) + " to " + std::to_string(high) + ", not " + in_quotes(*word));
    return std::nullopt;
}

std::optional<std::uint32_t> ObjectLine::name_of(std::string_view option, NameKind kind) {
    const auto word = value_of(option);
    if (!word) return std::nullopt;
    if (const auto number = context_.find_name(kind, *word)) return number;
    const std::string file(NameTables::file_of(kind));
    const bool is_iproute2 = kind != NameKind::ip_protocol;
    drop(*word, in_quotes(*word) + " is neither a number that fits nor a name of " + file,
         is_iproute2 ? "add a line 'NUMBER " + std::string(*word) + "' to /etc/iproute2/" + file + ", or write the number" : "write the number");
    return std::nullopt;
}

std::optional<std::uint32_t> ObjectLine::realms_of(std::string_view option) {
    const auto word = value_of(option);
    if (!word) return std::nullopt;
    const std::size_t slash = word->find('/');
    const auto part = [&](std::string_view text) { return context_.find_name(NameKind::realm, text); };
    const auto to = part(slash == std::string_view::npos ? *word : word->substr(slash + 1));
    const auto from = slash == std::string_view::npos ? std::optional<std::uint32_t>(0) : part(word->substr(0, slash));
    if (to && from) return *from << 16 | *to;
    drop(*word, in_quotes(option) + " expects REALM or FROM/TO, not " + in_quotes(*word), "a realm is a number to 65535, or a name of rt_realms");
    return std::nullopt;
}

std::optional<IpAddress> ObjectLine::address_of(std::string_view option) {
    const auto word = value_of(option);
    if (!word) return std::nullopt;
    if (const auto address = read_address(*word)) return address;
    drop(*word, in_quotes(option) + " expects an address, not " + in_quotes(*word));
    return std::nullopt;
}

std::optional<PrefixWord> ObjectLine::prefix_of(std::string_view option) {
    const auto word = value_of(option);
    return word ? read_prefix(*word) : std::nullopt;
}

std::optional<PrefixWord> ObjectLine::read_prefix(std::string_view word) {
    if (is_everything(word)) return PrefixWord{std::nullopt, word};
    const auto parsed = read_address_with_prefix(word);
    if (!parsed || parsed->is_prefix_bad) {
        drop(word, "expected ADDRESS, ADDRESS/PREFIX or default, not " + in_quotes(word));
        return std::nullopt;
    }
    const auto host_length = static_cast<std::uint8_t>(parsed->address.size() * 8);
    if (!claim_family(parsed->address.family, word)) return std::nullopt;
    return PrefixWord{Prefix{parsed->address, parsed->prefix_length.value_or(host_length)}, word};
}

std::optional<std::string_view> ObjectLine::device_of(std::string_view option) {
    const auto word = value_of(option);
    if (!word) return std::nullopt;
    if (word->size() <= 15) return context_.texts.intern(*word);
    drop(*word, in_quotes(*word) + " is no name of an interface", "these have at most 15 octets");
    return std::nullopt;
}

bool ObjectLine::set_device(std::string_view option, std::string_view& target) {
    const auto name = device_of(option);
    if (!name) return false;
    if (!target.empty()) return drop(item_.word(next_ - 1), in_quotes(option) + " is given twice");
    target = *name;
    return true;
}

bool ObjectLine::set_table(std::string_view option, std::uint32_t& table) {
    const auto number = name_of(option, NameKind::table);
    if (!number) return false;
    table = *number == 0 ? main_table : *number;
    return true;
}

bool ObjectLine::claim_family(Family family, std::string_view word) {
    if (!family_) {
        family_ = family;
        family_word_ = word;
    }
    if (*family_ == family) return true;
    return drop(word, in_quotes(word) + " is " + std::string(family_name(family)) + ", but " + in_quotes(family_word_) + " is " +
                          std::string(family_name(*family_)));
}

bool ObjectLine::read_protocol() {
    tracking_.protocol_word = peek();
    const auto number = name_of("protocol", NameKind::protocol);
    if (number) tracking_.protocol = static_cast<std::uint8_t>(*number);
    return number.has_value();
}

bool ObjectLine::read_track_group() {
    const auto name = value_of("track_group");
    if (!name) return false;
    if (is_static_) {
        tracking_.track_group = context_.texts.intern(*name);
        tracking_.track_group_word = *name;
    } else {
        context_.reporter.error(item_.line(), *name, "'track_group' belongs into static_ lines: passed over", "what an instance sets is tracked by it");
    }
    return true;
}

void ObjectLine::settle_tracking() {
    if (!tracking_.track_group.empty() && tracking_.no_track) {
        context_.reporter.error(item_.line(), tracking_.track_group_word, "'track_group' does not go with 'no_track': it is ignored", "leave one out");
        tracking_.track_group = {};
    }
    if (tracking_.no_track || !tracking_.protocol) return;
    if (*tracking_.protocol != keepalived_protocol) {
        warn(tracking_.protocol_word, "'protocol' is 'keepalived' for all that is tracked, because we know our own by it: this one is not used",
             "write no_track as well");
    }
    tracking_.protocol.reset();
}

}  // namespace vigil::config
