// keepalived.json.
//
// Exporters read it into typed records, so names and kinds of values are keepalived's to the letter: a whole number of seconds is written without
// fraction (an exporter in Go takes garp_delay for an int and refuses 5.0), some flags are 0 and 1, others false and true.
//
// Instances are written as text without a detour: as objects of the library one takes 26 us instead of 9, and the control thread would do nothing else for
// 1.7 s where there are 65,280 and an exporter asks every 15 s. The library does what is easily got wrong: strings that are not plain.

#include "engine/daemon/status_json.h"

#include <algorithm>
#include <concepts>
#include <iterator>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/daemon/statistics.h"

namespace vigil::daemon {
namespace {

using nlohmann::ordered_json;

/// Members of one object, or elements of one array, into a text.
class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    template <std::integral Number>
    void number(std::string_view key, Number value) {
        begin(key);
        fmt::format_to(std::back_inserter(out_), "{}", static_cast<std::conditional_t<std::signed_integral<Number>, std::int64_t, std::uint64_t>>(value));
    }
    void flag(std::string_view key, bool value) {
        begin(key);
        out_ += value ? "true" : "false";
    }
    void seconds(std::string_view key, Nanoseconds time) {
        constexpr std::int64_t second = 1'000'000'000;
        if (time.count() % second == 0) return number(key, time.count() / second);
        begin(key);
        fmt::format_to(std::back_inserter(out_), "{}", static_cast<double>(time.count()) / second);
    }
    void microseconds_since_1970(std::string_view key, std::int64_t time) {
        begin(key);
        fmt::format_to(std::back_inserter(out_), "{}.{:06}", time / 1'000'000, time % 1'000'000);
    }
    void text(std::string_view key, std::string_view value) {
        begin(key);
        add_quoted(value);
    }
    /// `write` gets a Writer for what is inside; `brackets`: "{}" or "[]".
    template <typename Write>
    void nested(std::string_view key, std::string_view brackets, Write write) {
        begin(key);
        out_ += brackets[0];
        Writer inside(out_);
        write(inside);
        out_ += brackets[1];
    }

private:
    void begin(std::string_view key) {
        if (!std::exchange(is_first_, false)) out_ += ',';
        if (!key.empty()) ((out_ += '"') += key) += "\":";
    }
    /// A name may be any octets, JSON is UTF-8.
    void add_quoted(std::string_view value) {
        const bool is_plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
        if (is_plain) ((out_ += '"') += value) += '"';
        else out_ += ordered_json(std::string(value)).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    }

    std::string& out_;
    bool is_first_ = true;
};

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

void add_scripts(Writer& data, const config::VrrpInstance& settings) {
    using config::ScriptEvent;
    for (const ScriptEvent event : {ScriptEvent::backup, ScriptEvent::master, ScriptEvent::fault, ScriptEvent::stop, ScriptEvent::deleted,
                                    ScriptEvent::any, ScriptEvent::master_rx_lower_priority}) {
        if (const auto* script = config::find_script(settings, event)) data.text(json_name(event), script->command);
    }
}

void add_addresses(Writer& data, const DumpInput& input, std::size_t i) {
    const PlannedRouter& router = input.plan->routers[i];
    const auto add = [&](std::string_view name, std::size_t begin, std::size_t end) {
        if (begin == end) return;
        data.nested(name, "[]", [&](Writer& list) {
            for (std::size_t k = begin; k < end; ++k) list.text("", address_text(input, i, k));
        });
    };
    add("vips", 0, router.advertised_count);
    add("evips", router.advertised_count, router.address_count);
}

void add_routes(Writer& data, const Plan& plan, std::string_view router) {
    const auto found = plan.objects.find(router);
    if (found == plan.objects.end()) return;
    const auto add = [&](std::string_view name, const auto& lines) {
        if (lines.empty()) return;
        data.nested(name, "[]", [&](Writer& list) {
            for (const auto& line : lines) list.text("", config::to_string(line));
        });
    };
    add("vroutes", found->second.routes);
    add("vrules", found->second.rules);
}

void add_tracked(Writer& data, std::string_view name, const std::vector<config::TrackedItem>& items) {
    if (items.empty()) return;
    data.nested(name, "[]", [&](Writer& list) {
        for (const config::TrackedItem& item : items) list.text("", item.name);
    });
}

void add_announcements(Writer& data, const config::AnnouncementSettings& settings) {
    data.seconds("garp_delay", settings.delay);
    data.seconds("garp_refresh", settings.refresh);
    data.number("garp_rep", settings.repeat);
    data.number("garp_refresh_rep", settings.refresh_repeat);
    data.seconds("garp_lower_prio_delay", settings.lower_prio_delay);
    data.number("garp_lower_prio_rep", settings.lower_prio_repeat);
}

void add_data(Writer& data, const DumpInput& input, std::size_t i) {
    const PlannedRouter& router = input.plan->routers[i];
    const config::VrrpInstance& settings = *router.settings;
    const io::RouterSnapshot& now = input.snapshot->routers[i];
    const OperatorState state = operator_state(now.record.state, now.record.faults);
    const std::string device = input.virtual_device(i, DeviceIndex::none);
    data.text("iname", router.name);
    data.number("dont_track_primary", settings.dont_track_primary ? 1 : 0);
    data.number("skip_check_adv_addr", settings.skip_check_adv_addr ? 1 : 0);
    data.number("strict_mode", settings.strict_mode ? 1 : 0);
    data.text("vmac_ifname", device);
    data.text("ifp_ifname", device.empty() ? router.interface() : std::string_view(device));
    data.number("master_priority", state == OperatorState::backup ? to_number(now.heard_priority) : std::uint8_t{0});
    data.microseconds_since_1970("last_transition", (*input.statuses)[i].since_wall_microseconds);
    add_announcements(data, settings.announcements);
    data.number("lower_prio_no_advert", settings.lower_prio_no_advert ? 1 : 0);
    data.number("higher_prio_send_advert", settings.higher_prio_send_advert ? 1 : 0);
    data.number("vrid", to_number(router.vrid));
    data.number("base_priority", router.base_priority);
    data.number("effective_priority", to_number(now.record.priority));
    data.flag("vipset", state == OperatorState::master);
    data.flag("promote_secondaries", settings.promote_secondaries);
    data.seconds("adver_int", settings.advert_int);
    data.seconds("master_adver_int", now.record.active_adver_interval);
    data.number("accept", settings.accept ? 1 : 0);
    data.flag("nopreempt", settings.nopreempt);
    data.seconds("preempt_delay", settings.preempt_delay);
    data.number("state", state_number(state));
    data.number("wantstate", state_number(state));
    data.number("version", to_number(settings.version));
    data.flag("smtp_alert", settings.smtp_alert);
    data.flag("notify_deleted", settings.notify_deleted);
    add_scripts(data, settings);
    add_addresses(data, input, i);
    add_routes(data, *input.plan, router.name);
    add_tracked(data, "track_ifp", settings.track_interfaces);
    add_tracked(data, "track_script", settings.track_scripts);
    add_tracked(data, "track_process", settings.track_processes);
    data.number("auth_type", static_cast<int>(settings.auth_type));
    if (settings.auth_type != config::AuthenticationType::none) data.text("auth_data", "********");
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
void add_tracked_processes(Writer& list, const DumpInput& input) {
    for (const config::TrackedProcess& process : input.processes) {
        const auto standing = input.process_standing(std::string(process.name));
        if (!standing) continue;
        std::string parameters;
        for (const std::string_view word : process.parameters) (parameters += parameters.empty() ? "" : " ") += word;
        list.nested("", "{}", [&](Writer& one) {
            one.text("process", process.program);
            one.text("parameters", parameters);
            one.text("param_match", words_of(process.match));
            one.number("min_processes", process.quorum);
            one.number("max_processes", process.quorum_max);
            one.number("current_processes", standing->count);
            one.flag("have_quorum", standing->has_quorum);
            one.number("weight", process.weight);
            one.seconds("terminate_delay", process.terminate_delay);
            one.seconds("fork_delay", process.fork_delay);
            one.flag("fork_delay_timer_running", standing->is_fork_delayed);
            one.flag("terminate_delay_timer_running", standing->is_terminate_delayed);
            one.flag("full_command", process.full_command);
        });
    }
}

void add_instances(Writer& list, const DumpInput& input) {
    for (std::size_t i = 0; i < input.plan->routers.size(); ++i) {
        list.nested("", "{}", [&](Writer& instance) {
            instance.nested("data", "{}", [&](Writer& data) { add_data(data, input, i); });
            instance.nested("stats", "{}", [&](Writer& stats) {
                const RouterFigures figures = figures_of(*input.snapshot, i);
                for (const Statistic& one : statistics()) stats.number(one.json_name, one.value(figures));
            });
        });
    }
}

}  // namespace

std::string status_json(const DumpInput& input, int layout) {
    std::string text;
    Writer whole(text);
    const auto instances = [&](Writer& list) { add_instances(list, input); };
    if (layout != 2) {
        whole.nested("", "[]", instances);
    } else {
        whole.nested("", "{}", [&](Writer& object) {
            object.nested("vrrp", "[]", instances);
            object.nested("track_process", "[]", [&](Writer& list) { add_tracked_processes(list, input); });
        });
    }
    return text + '\n';
}

}  // namespace vigil::daemon
