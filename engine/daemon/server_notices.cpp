#include "engine/daemon/server_notices.h"

#include <functional>

#include <spdlog/spdlog.h>

#include "engine/daemon/lvs_plan.h"

namespace vigil::daemon {

using Kind = ipvs::PoolEvent::Kind;

namespace {

/// "Gained quorum 2+1=3 <= 4", as keepalived words it.
std::string describe_quorum(const config::VirtualServer& of, bool has_quorum, std::int64_t live_weight) {
    if (has_quorum) return fmt::format("Gained quorum {}+{}={} <= {}", of.quorum, of.hysteresis, of.quorum + of.hysteresis, live_weight);
    return fmt::format("Lost quorum {}-{}={} > {}", of.quorum, of.hysteresis, of.quorum - of.hysteresis, live_weight);
}

std::string reason_line(std::string_view reason) { return reason.empty() ? std::string() : fmt::format("Reason: {}\n", reason); }

}  // namespace

void ServerNotices::configure(const config::Configuration& configuration) {
    configuration_ = &configuration;
    programs_.clear();
    has_refused_ = false;
    for_each_server_script(configuration, [&](const config::NotifyScript& script) {
        auto program = find_script_program(script, configuration.global);
        has_refused_ = has_refused_ || !program;
        if (program) programs_.emplace(Command{script.command, script.user, script.group}, std::move(*program));
    });
}

void ServerNotices::on_event(const ipvs::PoolEvent& event, std::string_view cause) {
    log(event, cause);
    switch (event.kind) {
    case Kind::server_up: return tell_server(event.service, event.server, true, cause);
    case Kind::server_down: return tell_server(event.service, event.server, false, cause);
    case Kind::quorum_gained:
    case Kind::quorum_lost: {
        const bool has_quorum = event.kind == Kind::quorum_gained;
        return tell_quorum(event.service, has_quorum, describe_quorum(service(event.service), has_quorum, event.weight));
    }
    case Kind::weight_changed:
    case Kind::sorry_in:
    case Kind::sorry_out: return;
    }
}

void ServerNotices::log(const ipvs::PoolEvent& event, std::string_view cause) const {
    const config::VirtualServer& of = service(event.service);
    const std::string name = name_of_service(of, *configuration_);
    const auto server = [&] { return name_of_server(of.real_servers[event.server], of); };
    const auto sorry = [&] { return name_of_place(of.sorry_server->address, of.protocol, of.sorry_server->port); };
    const auto is_inhibited = [&] { return of.real_servers[event.server].settings->inhibit_on_failure; };
    const std::string because = cause.empty() ? "" : fmt::format(": {}", cause);
    switch (event.kind) {
    case Kind::server_up: return spdlog::info("{} service {} to VS {}", is_inhibited() ? "Enabling" : "Adding", server(), name);
    case Kind::server_down: return spdlog::info("{} service {} from VS {}{}", is_inhibited() ? "Disabling" : "Removing", server(), name, because);
    case Kind::weight_changed: return spdlog::info("Changing weight from {} to {} for service {} of VS {}", event.before, event.weight, server(), name);
    case Kind::quorum_gained:
    case Kind::quorum_lost: return spdlog::info("{} for VS {}", describe_quorum(of, event.kind == Kind::quorum_gained, event.weight), name);
    case Kind::sorry_in: return spdlog::info("{} sorry server {} to VS {}", of.sorry_server->inhibit ? "Enabling" : "Adding", sorry(), name);
    case Kind::sorry_out: return spdlog::info("{} sorry server {} from VS {}", of.sorry_server->inhibit ? "Disabling" : "Removing", sorry(), name);
    }
}

void ServerNotices::tell_server(std::uint32_t index, std::uint32_t server_index, bool is_up, std::string_view cause) {
    const config::VirtualServer& of = service(index);
    const config::RealServer& server = of.real_servers[server_index];
    const std::string name = name_of_server(server, of);
    const std::string service_name = name_of_service(of, *configuration_);
    const std::string_view state = is_up ? "UP" : "DOWN";
    call(is_up ? server.settings->notify_up : server.settings->notify_down, is_up ? "notify_up" : "notify_down", name + ' ' + service_name);
    outlets_.fifos.tell_server(name, service_name, state);
    if (!server.settings->smtp_alert.value_or(false)) return;
    outlets_.mail.on_server(fmt::format("Realserver {} of virtual server {} - {}", name, service_name, state), is_up,
                            [&] { return reason_line(cause); });
}

void ServerNotices::tell_quorum(std::uint32_t index, bool is_up, std::string_view reason) {
    const config::VirtualServer& of = service(index);
    const std::string name = name_of_service(of, *configuration_);
    call(is_up ? of.quorum_up : of.quorum_down, is_up ? "quorum_up" : "quorum_down", name);
    outlets_.fifos.tell_service(name, is_up ? "UP" : "DOWN");
    if (!of.smtp_alert) return;
    outlets_.mail.on_server(fmt::format("Virtualserver {} - {}", name, is_up ? "UP" : "DOWN"), is_up, [&] { return reason_line(reason); });
}

/// In order for each server and each service, whatever a reload makes of their numbers.
void ServerNotices::call(const std::optional<config::NotifyScript>& script, std::string_view keyword, const std::string& subject) {
    if (!script) return;
    const auto program = programs_.find(Command{script->command, script->user, script->group});
    if (program == programs_.end()) return;
    ScriptCall call{fmt::format("({}) {}", subject, keyword), config::split_command(script->command), program->second.identity};
    call.arguments.front() = program->second.path;
    outlets_.scripts.enqueue(std::hash<std::string>{}(subject), std::move(call));
}

void ServerNotices::on_start(std::uint32_t index, bool has_quorum) {
    const std::string what = fmt::format("Starting with quorum {}", has_quorum ? "up" : "down");
    spdlog::info("{} for VS {}", what, name_of_service(service(index), *configuration_));
    tell_quorum(index, has_quorum, what);
}

void ServerNotices::on_first_state(std::uint32_t index, std::uint32_t server_index, bool is_up) {
    const config::VirtualServer& of = service(index);
    const config::RealServer& server = of.real_servers[server_index];
    const std::string name = name_of_server(server, of);
    const std::string service_name = name_of_service(of, *configuration_);
    call(is_up ? server.settings->notify_up : server.settings->notify_down, is_up ? "notify_up" : "notify_down", name + ' ' + service_name);
    outlets_.fifos.tell_server(name, service_name, is_up ? "UP" : "DOWN");
}

void ServerNotices::say_goodbye(const ipvs::ServerPool& pool) {
    for (std::uint32_t i = 0; i < pool.services().size(); ++i) {
        if (!service(i).omega) continue;
        for (std::uint32_t k = 0; k < pool.services()[i].servers.size(); ++k) {
            if (pool.is_up(i, k)) tell_server(i, k, false, "Stopping");
        }
        if (pool.has_quorum(i)) tell_quorum(i, false, "Stopping");
    }
}

}  // namespace vigil::daemon
