#include "engine/daemon/notifier.h"

#include <functional>
#include <optional>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

std::string_view keyword(config::ScriptEvent event) {
    switch (event) {
    case config::ScriptEvent::any: return "notify";
    case config::ScriptEvent::master: return "notify_master";
    case config::ScriptEvent::backup: return "notify_backup";
    case config::ScriptEvent::fault: return "notify_fault";
    case config::ScriptEvent::stop: return "notify_stop";
    case config::ScriptEvent::deleted: return "notify_deleted";
    case config::ScriptEvent::master_rx_lower_priority: return "notify_master_rx_lower_pri";
    }
    return "notify";
}

std::optional<config::ScriptEvent> event_of(OperatorState state) {
    switch (state) {
    case OperatorState::init: return std::nullopt;
    case OperatorState::backup: return config::ScriptEvent::backup;
    case OperatorState::master: return config::ScriptEvent::master;
    case OperatorState::fault: return config::ScriptEvent::fault;
    case OperatorState::stop: return config::ScriptEvent::stop;
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::string> script_arguments(const config::NotifyScript& script, std::string_view instance, std::string_view state, int priority) {
    std::vector<std::string> words = config::split_command(script.command);
    if (words.empty() || script.event != config::ScriptEvent::any) return words;
    words.emplace_back("INSTANCE");
    words.emplace_back(instance);
    words.emplace_back(state);
    words.push_back(std::to_string(priority));
    return words;
}

Notifier::Notifier(const Plan& plan, const config::GlobalDefinitions& global, ScriptRunner& runner) : runner_(runner) {
    for (const config::VrrpInstance& settings : plan.settings.instances()) {
        for (const config::NotifyScript& script : settings.scripts) {
            if (auto found = find_script_program(script, global)) usable_.emplace(&script, Usable{found->identity, found->path});
        }
    }
}

void Notifier::on_state(const PlannedRouter& router, OperatorState state, int priority) {
    const auto event = event_of(state);
    if (!event) return;
    if (const auto* script = config::find_script(*router.settings, *event)) call(router, *script, to_string(state), priority);
    if (const auto* script = config::find_script(*router.settings, config::ScriptEvent::any)) call(router, *script, to_string(state), priority);
}

void Notifier::on_deleted(const PlannedRouter& router, int priority) {
    const auto* script = config::find_script(*router.settings, config::ScriptEvent::deleted);
    if (script == nullptr) return on_state(router, OperatorState::fault, priority);
    call(router, *script, "DELETED", priority);
    if (const auto* any = config::find_script(*router.settings, config::ScriptEvent::any)) call(router, *any, "DELETED", priority);
}

void Notifier::on_lower_priority(const PlannedRouter& router) {
    const auto* script = config::find_script(*router.settings, config::ScriptEvent::master_rx_lower_priority);
    if (script != nullptr) call(router, *script, "", 0);
}

void Notifier::call(const PlannedRouter& router, const config::NotifyScript& script, std::string_view state,
                    int priority) {
    const auto found = usable_.find(&script);
    if (found == usable_.end()) return;
    std::vector<std::string> arguments = script_arguments(script, router.name, state, priority);
    arguments.front() = found->second.path;
    // By name, not by index: a reload numbers the routers anew, and their scripts stay in order.
    runner_.enqueue(std::hash<std::string_view>{}(router.name), {fmt::format("({}) {}", router.name, keyword(script.event)), std::move(arguments), found->second.identity});
}

}  // namespace vigil::daemon
