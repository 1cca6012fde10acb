/// The root level's words about interfaces: interface_up_down_delays, linkbeat_interfaces, and dynamic_interfaces of global_defs.
///
/// A missing UP is DOWN, as keepalived's manual has it. Whether a delay is short enough for the instances on its interface is known when all
/// is read (validate_interfaces.cpp).

#include "config/interface_definitions.h"

#include <algorithm>
#include <array>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::int64_t longest_delay_us = 255'000'000;
constexpr std::size_t longest_name = 15;

struct ProbeName {
    std::string_view name;
    LinkProbe probe;
};
constexpr std::array probe_names{ProbeName{"MII", LinkProbe::mii}, ProbeName{"ETHTOOL", LinkProbe::ethtool}, ProbeName{"IOCTL", LinkProbe::ioctl}};

/// nullopt when it was reported.
std::optional<Nanoseconds> read_delay(Context& context, const Node& item, std::size_t at) {
    const auto delay = read_seconds(item.word(at));
    if (delay && !delay->has_trailing && delay->value >= 0 && delay->value <= longest_delay_us) return std::chrono::microseconds{delay->value};
    context.reporter.error(item.line(), item.word(at), "a delay is seconds from 0 to 255, not " + in_quotes(item.word(at)) + ": the line is dropped",
                           "write INTERFACE DOWN [UP]");
    return std::nullopt;
}

/// The interface's name, when it can be one that is not in the list yet; else it was reported.
template <typename Entry>
bool is_new_name(Context& context, const std::vector<Entry>& entries, const Node& item) {
    const std::string_view name = item.word(0);
    if (name.size() > longest_name) {
        context.reporter.error(item.line(), name, in_quotes(name) + " is no name of an interface: the line is dropped");
        return false;
    }
    const auto first = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
    if (first == entries.end()) return true;
    context.reporter.error(item.line(), name, in_quotes(name) + " is in the list on line " + std::to_string(first->where.line) + " already: this one is ignored");
    return false;
}

void read_delays(Context& context, const Node& item) {
    auto& delays = context.configuration.interfaces.delays;
    if (!is_new_name(context, delays, item)) return;
    if (item.word_count() < 2) {
        context.reporter.error(item.line(), item.word(0), in_quotes(item.word(0)) + " has no delay: the line is dropped", "write INTERFACE DOWN [UP]");
        return;
    }
    const auto down = read_delay(context, item, 1);
    const auto up = down && item.word_count() > 2 ? read_delay(context, item, 2) : down;
    if (!down || !up) return;
    if (item.word_count() > 3) context.reporter.note(item.line(), item.word(3), in_quotes(item.word(3)) + " and what follows it is not looked at");
    delays.push_back({context.texts.intern(item.word(0)), *down, *up, item.where(0)});
}

void read_polled(Context& context, const Node& item) {
    auto& polled = context.configuration.interfaces.polled;
    if (!is_new_name(context, polled, item)) return;
    PolledInterface interface{context.texts.intern(item.word(0)), std::nullopt, item.where(0)};
    if (const std::string_view word = item.word(1); !word.empty()) {
        const auto known = std::find_if(probe_names.begin(), probe_names.end(), [&](const ProbeName& one) { return one.name == word; });
        if (known != probe_names.end()) {
            interface.probe = known->probe;
        } else {
            Suggester suggester(word);
            for (const ProbeName& one : probe_names) suggester.consider(one.name);
            context.reporter.error(item.line(), word, "unknown word " + in_quotes(word) + " behind " + in_quotes(item.word(0)) + ": what the link can is used",
                                   suggester.best().empty() ? "one of MII, ETHTOOL, IOCTL, or nothing" : "did you mean " + in_quotes(suggester.best()) + "?");
        }
    }
    polled.push_back(interface);
}

}  // namespace

std::string_view name_of(LinkProbe probe) {
    return std::find_if(probe_names.begin(), probe_names.end(), [&](const ProbeName& one) { return one.probe == probe; })->name;
}

void read_interface_list(Context& context, const Node& block) {
    const bool is_of_delays = block.statement().keyword->name == "interface_up_down_delays";
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        if (is_of_delays) read_delays(context, item);
        else read_polled(context, item);
    });
}

void read_dynamic_interfaces(Context& context, const Node& node) {
    InterfaceDefinitions& interfaces = context.configuration.interfaces;
    interfaces.may_be_absent = true;
    const std::string_view word = node.word(1);
    interfaces.may_change_kind = word == "allow_if_changes";
    if (word.empty() || interfaces.may_change_kind) return;
    context.reporter.error(node.line(), word, "'dynamic_interfaces' stands alone or with 'allow_if_changes', not with " + in_quotes(word) + ": taken as if it stood alone");
}

}  // namespace vigil::config
