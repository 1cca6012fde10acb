#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {

/// The words were checked by the caller.
void read_keyword(Context& context, VrrpScript& script, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto count = [&] { return static_cast<std::uint32_t>(read_number(node.word(1))->value); };
    const auto time = [&] { return Nanoseconds{std::chrono::microseconds{read_seconds(node.word(1))->value}}; };
    if (name == "script") {
        const NotifyScript command = read_command(context, node);
        script.command.command = command.command;
        script.command.where = command.where;
        if (!command.user.empty()) script.command.user = command.user;
        if (!command.group.empty()) script.command.group = command.group;
    } else if (name == "interval") {
        script.interval = time() > Nanoseconds{0} ? time() : Nanoseconds{std::chrono::seconds{1}};
    } else if (name == "timeout") {
        script.timeout = time();
    } else if (name == "weight") {
        script.weight = static_cast<std::int16_t>(read_number(node.word(1))->value);
        script.weight_reverse = node.word(2) == "reverse";
    } else if (name == "rise") {
        script.rise = count();
    } else if (name == "fall") {
        script.fall = count();
    } else if (name == "user") {
        const std::string_view group = node.word(2);
        script.command.user = context.texts.intern(node.word(1));
        script.command.group = context.texts.intern(group.substr(group.starts_with(':') ? 1 : 0));
    } else if (name == "init_fail") {
        script.init_fail = true;
    }
}

}  // namespace

void read_vrrp_script(Context& context, const Node& block) {
    VrrpScript script;
    script.name = context.texts.intern(block.word(1));
    script.where = block.where(1);
    block.for_each_child([&](const Node& node) {
        if (!node.statement().is_deaf && check_arguments(context.reporter, node)) read_keyword(context, script, node);
    });
    if (!claim_tracker_name(context, context.scripts, block, !script.command.command.empty(), "script \"/path/to/command arguments\"")) return;
    context.configuration.scripts.push_back(script);
}

}  // namespace vigil::config
