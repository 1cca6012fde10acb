/// Keywords about when announcements leave that are more than a number.
///
/// garp_group: interfaces whose announcements share one pace, because they lead to one switch. An interface is in one group; the one that has named
/// it first keeps it. What concerns interfaces in no group is vrrp_garp_interval and vrrp_gna_interval.

#include <algorithm>

#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {

void add_interface(Context& context, GarpGroup& group, const Node& node, std::size_t number) {
    const std::string_view word = node.word(number);
    const std::string_view name = context.texts.intern(word);
    const auto has_it = [&](const GarpGroup& one) { return std::find(one.interfaces.begin(), one.interfaces.end(), name) != one.interfaces.end(); };
    const auto& groups = context.configuration.garp_groups;
    const auto other = std::find_if(groups.begin(), groups.end(), has_it);
    if (has_it(group) || other != groups.end()) {
        const std::uint32_t line = (other != groups.end() ? *other : group).where.line;
        context.reporter.error(node.line(), word, "interface '" + std::string(name) + "' is in the garp_group of line " + std::to_string(line) +
                                                      " already: ignored", "name each interface once");
        return;
    }
    const auto& is_known = context.options.is_known_interface;
    if (is_known && !is_known(name)) context.reporter.warning(node.line(), word, "there is no interface '" + std::string(name) + "'");
    group.interfaces.push_back(name);
}

/// The words were checked by the caller.
void read_keyword(Context& context, GarpGroup& group, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto interval = [&] { return Nanoseconds{std::chrono::microseconds{read_seconds(node.word(1))->value}}; };
    if (name == "garp_interval") group.garp_interval = interval();
    else if (name == "gna_interval") group.gna_interval = interval();
    else if (name == "interface") add_interface(context, group, node, 1);
    else if (name == "interfaces") {
        node.for_each_child([&](const Node& item) {
            for (std::size_t i = 0; !item.statement().is_deaf && i < item.word_count(); ++i) add_interface(context, group, item, i);
        });
    }
}

}  // namespace

void read_extra_refresh(Context& context, AnnouncementSettings& settings, const Node& node, std::int64_t least) {
    constexpr std::int64_t day = 86'400;
    const bool is_everywhere = node.word(1) == "all";
    const std::string_view word = node.word(is_everywhere ? 2 : 1);
    const auto seconds = read_number(word);
    if (!seconds || seconds->has_trailing || seconds->value < least || seconds->value > day) {
        context.reporter.error(node.line(), word.empty() ? node.word(0) : word,
                               "'" + std::string(node.word(0)) + "' expects [all] and whole seconds, " + std::to_string(least) + " to 86400: ignored",
                               "a third of the time after which a switch forgets, which often is 300 s");
        return;
    }
    settings.extra_refresh = std::chrono::seconds{seconds->value};
    settings.extra_everywhere = is_everywhere;
}

void read_garp_group(Context& context, const Node& block) {
    GarpGroup group;
    group.where = block.where();
    block.for_each_child([&](const Node& node) {
        if (node.statement().is_deaf || !check_arguments(context.reporter, node)) return;
        read_keyword(context, group, node);
    });
    const auto drop = [&](const char* what, const char* help) {
        context.reporter.error(block.line(), block.word(0), std::string("this garp_group has ") + what + ": it is not used", help);
    };
    if (!group.garp_interval && !group.gna_interval) return drop("no interval", "write garp_interval SECONDS or gna_interval SECONDS");
    if (group.interfaces.empty()) return drop("no interface", "write interface NAME, or interfaces { NAME ... }");
    context.configuration.garp_groups.push_back(std::move(group));
}

}  // namespace vigil::config
