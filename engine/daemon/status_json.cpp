// keepalived.json.
//
// Exporters read it into typed records, so names and kinds of values are keepalived's to the letter: a whole number of seconds is written without
// fraction (an exporter in Go takes garp_delay for an int and refuses 5.0), some flags are 0 and 1, others false and true.
//
// One instance at a time becomes a JSON object and then text: objects of 65,280 instances at once would take half a gigabyte.

#include "engine/daemon/status_json.h"

#include <nlohmann/json.hpp>

#include "engine/daemon/statistics.h"

namespace vigil::daemon {
namespace {

using nlohmann::ordered_json;

ordered_json seconds(Nanoseconds time) {
    constexpr std::int64_t second = 1'000'000'000;
    if (time.count() % second == 0) return time.count() / second;
    return static_cast<double>(time.count()) / second;
}

/// As keepalived counts them; it has no Initialize that is neither.
int state_number(OperatorState state) {
    switch (state) {
    case OperatorState::init: return 0;
    case OperatorState::backup: return 1;
    case OperatorState::master: return 2;
    case OperatorState::fault: return 3;
    case OperatorState::deleted: return 97;
    case OperatorState::stop: return 98;
    }
    return 0;
}

std::string_view json_name(config::ScriptEvent event) {
    switch (event) {
    case config::ScriptEvent::backup: return "script_backup";
    case config::ScriptEvent::master: return "script_master";
    case config::ScriptEvent::fault: return "script_fault";
    case config::ScriptEvent::stop: return "script_stop";
    case config::ScriptEvent::deleted: return "script_deleted";
    case config::ScriptEvent::any: return "script";
    case config::ScriptEvent::master_rx_lower_priority: return "script_master_rx_lower_pri";
    }
    return "script";
}

void add_scripts(ordered_json& data, const config::VrrpInstance& settings) {
    using config::ScriptEvent;
    for (const ScriptEvent event : {ScriptEvent::backup, ScriptEvent::master, ScriptEvent::fault, ScriptEvent::stop, ScriptEvent::deleted,
                                    ScriptEvent::any, ScriptEvent::master_rx_lower_priority}) {
        if (const auto* script = config::find_script(settings, event)) data[std::string(json_name(event))] = script->command;
    }
}

void add_addresses(ordered_json& data, const DumpInput& input, std::size_t i) {
    const PlannedRouter& router = input.plan->routers[i];
    for (std::size_t k = 0; k < router.address_count; ++k) {
        data[k < router.advertised_count ? "vips" : "evips"].push_back(address_text(input, i, k));
    }
}

void add_tracked(ordered_json& data, const char* name, const std::vector<config::TrackedItem>& items) {
    for (const config::TrackedItem& item : items) data[name].push_back(item.name);
}

void add_announcements(ordered_json& data, const config::AnnouncementSettings& settings) {
    data["garp_delay"] = seconds(settings.delay);
    data["garp_refresh"] = seconds(settings.refresh);
    data["garp_rep"] = settings.repeat;
    data["garp_refresh_rep"] = settings.refresh_repeat;
    data["garp_lower_prio_delay"] = seconds(settings.lower_prio_delay);
    data["garp_lower_prio_rep"] = settings.lower_prio_repeat;
}

ordered_json data_of(const DumpInput& input, std::size_t i) {
    const PlannedRouter& router = input.plan->routers[i];
    const config::VrrpInstance& settings = *router.settings;
    const io::RouterSnapshot& now = input.snapshot->routers[i];
    const OperatorState state = operator_state(now.record.state, now.record.faults);
    ordered_json data;
    data["iname"] = router.name;
    data["dont_track_primary"] = settings.dont_track_primary ? 1 : 0;
    data["skip_check_adv_addr"] = settings.skip_check_adv_addr ? 1 : 0;
    data["strict_mode"] = settings.strict_mode ? 1 : 0;
    const std::string device = input.virtual_device(i);
    data["vmac_ifname"] = device;
    data["ifp_ifname"] = device.empty() ? router.interface : std::string_view(device);
    data["master_priority"] = state == OperatorState::backup ? to_number(now.heard_priority) : std::uint8_t{0};
    data["last_transition"] = static_cast<double>((*input.statuses)[i].since_wall_microseconds) / 1e6;
    add_announcements(data, settings.announcements);
    data["lower_prio_no_advert"] = settings.lower_prio_no_advert ? 1 : 0;
    data["higher_prio_send_advert"] = settings.higher_prio_send_advert ? 1 : 0;
    data["vrid"] = to_number(router.vrid);
    data["base_priority"] = router.base_priority;
    data["effective_priority"] = to_number(now.record.priority);
    data["vipset"] = state == OperatorState::master;
    data["promote_secondaries"] = false;
    data["adver_int"] = seconds(settings.advert_int);
    data["master_adver_int"] = seconds(now.record.active_adver_interval);
    data["accept"] = settings.accept ? 1 : 0;
    data["nopreempt"] = settings.nopreempt;
    data["preempt_delay"] = seconds(settings.preempt_delay);
    data["state"] = state_number(state);
    data["wantstate"] = state_number(state);
    data["version"] = to_number(settings.version);
    data["smtp_alert"] = settings.smtp_alert;
    data["notify_deleted"] = settings.notify_deleted;
    add_scripts(data, settings);
    add_addresses(data, input, i);
    add_tracked(data, "track_ifp", settings.track_interfaces);
    add_tracked(data, "track_script", settings.track_scripts);
    add_tracked(data, "track_process", settings.track_processes);
    data["auth_type"] = static_cast<int>(settings.auth_type);
    if (settings.auth_type != config::AuthenticationType::none) data["auth_data"] = "********";
    return data;
}

std::string_view words_of(config::ParameterMatch match) {
    switch (match) {
    case config::ParameterMatch::none: return "none";
    case config::ParameterMatch::exact: return "exact";
    case config::ParameterMatch::partial: return "partial";
    case config::ParameterMatch::initial: return "initial";
    }
    return "none";
}

/// The vrrp_track_process blocks that somebody tracks.
ordered_json tracked_processes(const DumpInput& input) {
    ordered_json list = ordered_json::array();
    for (const config::TrackedProcess& process : input.processes) {
        const auto standing = input.process_standing(std::string(process.name));
        if (!standing) continue;
        ordered_json one;
        one["process"] = process.program;
        std::string parameters;
        for (const std::string_view word : process.parameters) (parameters += parameters.empty() ? "" : " ") += word;
        one["parameters"] = parameters;
        one["param_match"] = words_of(process.match);
        one["min_processes"] = process.quorum;
        one["max_processes"] = process.quorum_max;
        one["current_processes"] = standing->count;
        one["have_quorum"] = standing->has_quorum;
        one["weight"] = process.weight;
        one["terminate_delay"] = seconds(process.terminate_delay);
        one["fork_delay"] = seconds(process.fork_delay);
        one["fork_delay_timer_running"] = standing->is_fork_delayed;
        one["terminate_delay_timer_running"] = standing->is_terminate_delayed;
        one["full_command"] = process.full_command;
        list.push_back(std::move(one));
    }
    return list;
}

ordered_json statistics_of(const engine::RouterCounters& counters) {
    ordered_json stats;
    for (const Statistic& one : statistics()) stats[std::string(one.json_name)] = one.value(counters);
    return stats;
}

}  // namespace

std::string status_json(const DumpInput& input, int layout) {
    std::string text = layout == 2 ? "{\"vrrp\":[" : "[";
    for (std::size_t i = 0; i < input.plan->routers.size(); ++i) {
        if (i != 0) text += ',';
        ordered_json instance;
        instance["data"] = data_of(input, i);
        instance["stats"] = statistics_of(input.snapshot->routers[i].counters);
        // A name may be any octets, JSON is UTF-8.
        text += instance.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    }
    text += ']';
    if (layout == 2) text += ",\"track_process\":" + tracked_processes(input).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '}';
    return text + '\n';
}

}  // namespace vigil::daemon
