/// A policy rule: what it matches, and what then happens. As in iproute2, `type` may stand before an action. A rule without an action would do nothing, so
/// it is dropped. A rule without a priority gets one, counted down from 16384 for each family in the order of the file, as keepalived has it.

#include <algorithm>
#include <array>

#include "config/object_line.h"

namespace vigil::config {

namespace {

constexpr std::uint32_t any = 0xffff'ffff;
constexpr std::uint32_t first_chosen_priority = 16384;

constexpr std::array<std::pair<std::string_view, RuleAction>, 4> plain_actions{{
    {"nop", RuleAction::nop},
    {"blackhole", RuleAction::blackhole},
    {"unreachable", RuleAction::unreachable},
    {"prohibit", RuleAction::prohibit},
}};

class RuleLine : private ObjectLine {
public:
    RuleLine(Context& context, const Node& item, bool is_static) : ObjectLine(context, item, OptionLine::rule, "rule", is_static) {}

    std::optional<ConfiguredRule> read() {
        rule_.where = item_.where(0);
        while (!is_at_end()) {
            if (!read_word(take())) return std::nullopt;
        }
        if (!finish()) return std::nullopt;
        return std::move(rule_);
    }

private:
    bool read_word(std::string_view word) {
        const bool is_type = word == "type";
        if (!is_type && find_option(OptionLine::rule, word) == nullptr) return drop_unknown(word);
        if (is_type) {
            const auto action = value_of(word);
            return action && (read_action(*action) || drop(*action, in_quotes(*action) + " is no action", "goto, nop, blackhole, prohibit, unreachable, or table"));
        }
        if (is_action(word)) return read_action(word);
        return read_addresses(word) && read_match(word) && read_ranges(word) && read_rest(word);
    }

    static bool is_action(std::string_view word) {
        return word == "table" || word == "lookup" || word == "goto" || std::ranges::find(plain_actions, word, &std::pair<std::string_view, RuleAction>::first) != plain_actions.end();
    }

    /// False without a report: it is none.
    bool read_action(std::string_view word) {
        RuleAction action = RuleAction::none;
        if (word == "table" || word == "lookup") action = RuleAction::lookup;
        else if (word == "goto") action = RuleAction::go_to;
        else if (const auto plain = std::ranges::find(plain_actions, word, &std::pair<std::string_view, RuleAction>::first); plain != plain_actions.end()) action = plain->second;
        if (action == RuleAction::none) return false;
        if (rule_.action != RuleAction::none) return drop(word, "a rule has one action, and " + in_quotes(action_word_) + " stands there already");
        rule_.action = action;
        action_word_ = word;
        if (action == RuleAction::lookup) return set_table(word, rule_.table);
        if (action != RuleAction::go_to) return true;
        const auto target = number_of(word, 0, any);
        if (target) rule_.go_to = *target;
        return target.has_value();
    }

    bool read_addresses(std::string_view word) {
        if (word == "from") return (from_ = prefix_of(word)).has_value();
        if (word == "to") return (to_ = prefix_of(word)).has_value();
        if (word == "dev" || word == "iif") return set_device(word, rule_.input_device);
        if (word == "oif") return set_device(word, rule_.output_device);
        if (word == "inet") return claim_family(Family::ipv4, word);
        if (word == "inet6") return claim_family(Family::ipv6, word);
        return true;
    }

    bool read_match(std::string_view word) {
        if (word == "not") rule_.is_inverted = true;
        else if (word == "l3mdev") rule_.is_l3mdev = true;
        else if (word == "fwmark") return read_mark(word);
        else if (word == "tos" || word == "dsfield") {
            const std::string_view written = peek();
            const auto tos = name_of(word, NameKind::dsfield);
            if (!tos) return false;
            if ((*tos & 0x03) != 0) return drop(written, "the two lowest bits of tos are ECN's, which the kernel refuses");
            rule_.tos = static_cast<std::uint8_t>(*tos);
        } else if (word == "ipproto") {
            const auto number = name_of(word, NameKind::ip_protocol);
            if (number) rule_.ip_protocol = static_cast<std::uint8_t>(*number);
            return number.has_value();
        } else if (word == "tunnel-id") {
            const auto text = value_of(word);
            const auto number = text ? read_based_number(*text) : std::nullopt;
            if (!number || *number < 0) return text && drop(*text, "'tunnel-id' expects a number, not " + in_quotes(*text));
            rule_.tunnel_id = static_cast<std::uint64_t>(*number);
        }
        return true;
    }

    bool read_mark(std::string_view word) {
        const auto text = value_of(word);
        if (!text) return false;
        const std::size_t slash = text->find('/');
        const auto mark = read_based_number(text->substr(0, slash));
        const auto mask = slash == std::string_view::npos ? std::optional<std::int64_t>(any) : read_based_number(text->substr(slash + 1));
        const bool is_good = mark && mask && *mark >= 0 && *mark <= any && *mask >= 0 && *mask <= any;
        if (!is_good) return drop(*text, "'fwmark' expects MARK or MARK/MASK, not " + in_quotes(*text));
        rule_.mark = static_cast<std::uint32_t>(*mark);
        if (slash != std::string_view::npos) rule_.mark_mask = static_cast<std::uint32_t>(*mask);
        return true;
    }

    bool read_ranges(std::string_view word) {
        if (word == "uidrange") return read_range(word, any, rule_.user_ids);
        if (word == "sport") return read_range(word, 65'535, rule_.source_ports);
        if (word == "dport") return read_range(word, 65'535, rule_.destination_ports);
        return true;
    }

    /// A-B, or A alone.
    bool read_range(std::string_view word, std::uint32_t greatest, std::optional<NumberRange>& target) {
        const auto text = value_of(word);
        if (!text) return false;
        const std::size_t dash = text->find('-', 1);
        const auto first = read_number(text->substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : read_number(text->substr(dash + 1));
        const bool is_good = first && last && !first->has_trailing && !last->has_trailing && first->value >= 0 && first->value <= last->value && last->value <= greatest;
        if (!is_good) return drop(*text, in_quotes(word) + " expects FIRST-LAST, not " + in_quotes(*text), "numbers to " + std::to_string(greatest) + ", the lesser one first");
        target = NumberRange{static_cast<std::uint32_t>(first->value), static_cast<std::uint32_t>(last->value)};
        return true;
    }

    bool read_rest(std::string_view word) {
        if (word == "preference" || word == "order" || word == "priority") {
            return (priority_ = number_of(word, 0, any)).has_value();
        }
        if (word == "suppress_prefixlength" || word == "sup_pl") return (rule_.suppressed_prefix_length = number_of(word, 0, 128)).has_value();
        if (word == "suppress_ifgroup" || word == "sup_group") return (rule_.suppressed_group = name_of(word, NameKind::group)).has_value();
        if (word == "realms") {
            realms_word_ = word;
            const auto realms = realms_of(word);
            if (realms) rule_.realms = *realms;
            return realms.has_value();
        }
        if (word == "protocol") return read_protocol();
        if (word == "no_track") tracking_.no_track = true;
        if (word == "track_group") return read_track_group();
        return true;
    }

    // What needs the whole line.

    bool finish() {
        rule_.family = family();
        if (from_ && from_->prefix) rule_.from = from_->prefix;
        if (to_ && to_->prefix) rule_.to = to_->prefix;
        if (rule_.family == Family::ipv6 && !realms_word_.empty()) return drop(realms_word_, "rules of IPv6 have no realms");
        if (!finish_action()) return false;
        finish_priority();
        if (rule_.action == RuleAction::go_to && rule_.go_to <= rule_.priority) {
            return drop(action_word_, "'goto " + std::to_string(rule_.go_to) + "' leads back: the rule's own priority is " + std::to_string(rule_.priority),
                        "a rule can only lead to one behind it, with a greater priority");
        }
        settle_tracking();
        rule_.protocol = tracking_.protocol;
        rule_.no_track = tracking_.no_track;
        rule_.track_group = tracking_.track_group;
        return true;
    }

    bool finish_action() {
        if (rule_.action == RuleAction::none && rule_.is_l3mdev) {
            rule_.action = RuleAction::lookup;
            return true;
        }
        if (rule_.action == RuleAction::none) {
            return drop(item_.word(0), "it has no action", "write lookup TABLE, goto NUMBER, nop, blackhole, prohibit, unreachable or l3mdev");
        }
        if (rule_.is_l3mdev && rule_.action == RuleAction::lookup) return drop(action_word_, "'l3mdev' takes the table of the VRF: there is no other one");
        const bool suppresses = rule_.suppressed_prefix_length || rule_.suppressed_group;
        if (suppresses && rule_.action != RuleAction::lookup) return drop(action_word_, "'suppress_...' needs a table to look up", "write lookup TABLE");
        return true;
    }

    void finish_priority() {
        if (priority_) {
            rule_.priority = *priority_;
            return;
        }
        std::uint32_t& counted = context_.chosen_rule_priorities[rule_.family == Family::ipv4 ? 0 : 1];
        rule_.priority = first_chosen_priority - counted++;
        warn(item_.word(0), "it has no priority: " + std::to_string(rule_.priority) + " is used, and another number when rules without one come or go above it",
             "write priority NUMBER");
    }

    ConfiguredRule rule_;
    std::optional<PrefixWord> from_;
    std::optional<PrefixWord> to_;
    std::optional<std::uint32_t> priority_;
    std::string_view action_word_;
    std::string_view realms_word_;
};

}  // namespace

std::optional<ConfiguredRule> read_rule_line(Context& context, const Node& item, bool is_static) { return RuleLine(context, item, is_static).read(); }

}  // namespace vigil::config
