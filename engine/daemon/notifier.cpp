#include "engine/daemon/notifier.h"

#include <algorithm>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include "engine/daemon/reporter.h"

namespace vigil::daemon {
namespace {

std::optional<config::ScriptEvent> event_of(OperatorState state) {
    switch (state) {
    case OperatorState::init: return std::nullopt;
    case OperatorState::backup: return config::ScriptEvent::backup;
    case OperatorState::master: return config::ScriptEvent::master;
    case OperatorState::fault: return config::ScriptEvent::fault;
    case OperatorState::stop: return config::ScriptEvent::stop;
    case OperatorState::deleted: return config::ScriptEvent::deleted;
    }
    return std::nullopt;
}

}  // namespace

Notifier::Notifier(const Plan& plan, const config::GlobalDefinitions& global, Outlets& outlets) : plan_(plan), outlets_(outlets) {
    for (const config::VrrpInstance& settings : plan.settings.instances()) {
        for (const config::NotifyScript& script : settings.scripts) {
            scripts_.add(script, global);
        }
    }
}

void Notifier::on_state(const PlannedRouter& router, OperatorState state, const RouterStatus& status, std::string_view tracker_fault) {
    const auto event = event_of(state);
    if (!event) return;
    const int priority = status.effective_priority;
    if (const auto* script = config::find_script(*router.settings, *event)) call(router, *script, to_string(state), priority);
    if (const auto* script = config::find_script(*router.settings, config::ScriptEvent::any)) call(router, *script, to_string(state), priority);
    outlets_.fifos.tell_instance(router.name, to_string(state), priority);
    outlets_.snmp.tell_instance(plan_, router, state, status);
    if (outlets_.sync.follows(router.name)) outlets_.sync.on_state(state);
    if (router.settings->smtp_alert) outlets_.mail.on_state("Instance", router.name, state, [&] { return mail_details(router, status, tracker_fault); });
}

std::string Notifier::mail_details(const PlannedRouter& router, const RouterStatus& status, std::string_view tracker_fault) const {
    constexpr std::size_t most_addresses = 20;
    std::string text = fmt::format("Virtual router: {} on {}\nPriority: {}\n", to_number(router.vrid), router.interface(), status.effective_priority);
    if (const std::string reason = describe_reason(status, router, tracker_fault); !reason.empty()) text += fmt::format("Reason: {}\n", reason);
    const auto addresses = plan_.addresses_of(router);
    for (std::size_t i = 0; i < std::min(addresses.size(), most_addresses); ++i) {
        text += fmt::format("Address: {}/{}\n", to_string(addresses[i].address), addresses[i].prefix_length);
    }
    if (addresses.size() > most_addresses) text += fmt::format("... and {} addresses more\n", addresses.size() - most_addresses);
    return text;
}

void Notifier::on_deleted(const PlannedRouter& router, const RouterStatus& status) {
    on_state(router, router.settings->notify_deleted ? OperatorState::deleted : OperatorState::fault, status);
}

void Notifier::on_lower_priority(const PlannedRouter& router, int priority) {
    const auto* script = config::find_script(*router.settings, config::ScriptEvent::master_rx_lower_priority);
    if (script != nullptr) call(router, *script, "", 0);
    outlets_.fifos.tell_instance(router.name, "MASTER_RX_LOWER_PRI", priority);
}

void Notifier::on_priority_change(const PlannedRouter& router, OperatorState state, int priority) {
    if (!router.settings->notify_priority_changes) return;
    outlets_.fifos.tell_instance(router.name, state == OperatorState::master ? "MASTER_PRIORITY" : "BACKUP_PRIORITY", priority);
}

void Notifier::tell_again(const PlannedRouter& router, OperatorState state, int priority) {
    if (state != OperatorState::init) outlets_.fifos.tell_instance(router.name, to_string(state), priority);
}

void Notifier::call(const PlannedRouter& router, const config::NotifyScript& script, std::string_view state, int priority) {
    auto call = scripts_.call(script, fmt::format("({})", router.name), {"INSTANCE", router.name, state, priority});
    // By name, not by index: a reload numbers the routers anew, and their scripts stay in order.
    if (call) outlets_.scripts.enqueue(std::hash<std::string_view>{}(router.name), std::move(*call));
}

}  // namespace vigil::daemon
