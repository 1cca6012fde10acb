#include "engine/daemon/parent_settings.h"

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/daemon/configuration_load.h"
#include "engine/daemon/exit_code.h"
#include "engine/daemon/script_security.h"

namespace vigil::daemon {
namespace {

std::string reload_file_of(const config::ReloadDefinitions& reload, const std::string& usual_pid_file) {
    if (!reload.makes_file) return {};
    if (!reload.file.empty()) return std::string(reload.file);
    return usual_pid_file.substr(0, usual_pid_file.rfind('.')) + ".reload";
}

PidFileNames usual_pid_files(const config::GlobalDefinitions& global) {
    return pid_file_names(std::string(global.instance), std::string(global.net_namespace), global.use_pid_dir);
}

std::string log_suffix_of(const config::GlobalDefinitions& global) {
    std::string suffix;
    if (!global.net_namespace.empty()) suffix += fmt::format("_{}", global.net_namespace);
    if (!global.instance.empty()) suffix += fmt::format("_{}", global.instance);
    return suffix;
}

/// A script that may not run has been told of by check_scripts().
BoundedScript::Call call_of(const char* keyword, const config::ParentScript& script, const config::GlobalDefinitions& global) {
    BoundedScript::Call call{keyword, {}, {}, std::chrono::seconds{script.timeout}};
    if (script.script.command.empty()) return call;
    const auto program = find_script_program(script.script, global);
    if (!program) return call;
    call.arguments = program_words(script.script.command);
    call.arguments.front() = program->path;
    call.identity = program->identity;
    return call;
}

ParentSettings settings_of(const config::GlobalDefinitions& global, const PidFileNames& usual) {
    const config::ReloadDefinitions& reload = global.process.reload;
    ParentSettings settings;
    settings.reload = {reload.checks_first, std::string(reload.check_log), reload_file_of(reload, usual.parent), std::string(reload.time_file), reload.repeats};
    settings.child_wait_time = std::chrono::seconds{global.process.child_wait_time};
    settings.shutdown = call_of("shutdown_script", global.process.shutdown, global);
    if (global.process.umask) settings.umask = *global.process.umask;
    settings.process_name = global.process.process_name;
    return settings;
}

}  // namespace

std::string vrrp_process_name(const config::ProcessDefinitions& process) {
    if (!process.vrrp_process_name.empty()) return std::string(process.vrrp_process_name);
    return process.process_names ? "keepalived_vrrp" : "vigild_vrrp";
}

std::string checkers_process_name(const config::ProcessDefinitions& process) {
    if (!process.checker_process_name.empty()) return std::string(process.checker_process_name);
    return process.process_names ? "keepalived_lvs" : "vigild_check";
}

ParentStart read_parent_start(const Options& options) {
    const config::LoadResult loaded = load_configuration(options, false);
    ParentStart start;
    start.is_readable = loaded.is_readable;
    start.known_errors = KnownErrors(loaded.diagnostics);
    for (const config::Diagnostic& diagnostic : loaded.diagnostics.all()) {
        if (!loaded.is_readable) start.problems.push_back(config::to_line(diagnostic, loaded.configuration));
    }
    const config::GlobalDefinitions& global = loaded.configuration.global;
    start.pid_files = usual_pid_files(global);
    start.settings = settings_of(global, start.pid_files);
    start.net_namespace = global.net_namespace;
    start.log_suffix = log_suffix_of(global);
    start.startup = call_of("startup_script", global.process.startup, global);
    start.vrrp_process_name = vrrp_process_name(global.process);
    start.checkers_process_name = checkers_process_name(global.process);
    if (!options.parent_pid_file.empty()) start.pid_files.parent = options.parent_pid_file;
    if (!options.vrrp_pid_file.empty()) start.pid_files.vrrp = options.vrrp_pid_file;
    if (!options.checkers_pid_file.empty()) start.pid_files.checkers = options.checkers_pid_file;
    if (!options.bfd_pid_file.empty()) start.pid_files.bfd = options.bfd_pid_file;
    start.has_checkers = options.checkers_always || !loaded.configuration.virtual_servers.empty();
    start.has_bfd = options.bfd_always || !loaded.configuration.bfd_instances.empty();
    if (!global.bfd.name.empty()) start.bfd_process_name = global.bfd.name;
    return start;
}

int examine_configuration(const Options& options, const KnownErrors& known, bool tests, const std::string& check_log, int fd) {
    const config::LoadResult loaded = load_configuration(options, tests);
    const bool is_usable = loaded.is_readable && known.covers(loaded.diagnostics);
    if (is_usable) {
        const config::GlobalDefinitions& global = loaded.configuration.global;
        const std::string text = write_settings(settings_of(global, usual_pid_files(global)));
        [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());   // less than a pipe holds
    }
    if (!tests) return is_usable ? exit_success : exit_config;
    if (!check_log.empty()) append_report(check_log, config_test_report(options, loaded));
    return config::test_exit_code(loaded.diagnostics);
}

std::string write_settings(const ParentSettings& settings) {
    const ReloadSettings& reload = settings.reload;
    const BoundedScript::Call& shutdown = settings.shutdown;
    return nlohmann::json{{"child_wait_time", settings.child_wait_time.count()},
                          {"process_name", settings.process_name},
                          {"umask", settings.umask ? static_cast<int>(*settings.umask) : -1},
                          {"shutdown", {{"arguments", shutdown.arguments},
                                        {"uid", shutdown.identity.uid},
                                        {"gid", shutdown.identity.gid},
                                        {"is_own", shutdown.identity.is_own},
                                        {"groups", shutdown.identity.groups},
                                        {"timeout", shutdown.timeout.count()}}},
                          {"checks_first", reload.checks_first},
                          {"check_log", reload.check_log},
                          {"reload_file", reload.file},
                          {"time_file", reload.time_file},
                          {"repeats", reload.repeats}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<ParentSettings> read_settings(std::string_view text) {
    try {
        const auto read = nlohmann::json::parse(text);
        const auto& shutdown = read.at("shutdown");
        const ScriptIdentity identity{.uid = shutdown.at("uid").get<uid_t>(), .gid = shutdown.at("gid").get<gid_t>(), .is_own = shutdown.at("is_own").get<bool>(),
                                      .groups = shutdown.at("groups").get<std::vector<gid_t>>()};
        ParentSettings settings;
        settings.child_wait_time = std::chrono::milliseconds{read.at("child_wait_time").get<std::int64_t>()};
        settings.reload = {read.at("checks_first").get<bool>(), read.at("check_log").get<std::string>(), read.at("reload_file").get<std::string>(),
                           read.at("time_file").get<std::string>(), read.at("repeats").get<bool>()};
        settings.shutdown.arguments = shutdown.at("arguments").get<std::vector<std::string>>();
        settings.shutdown.identity = identity;
        settings.shutdown.timeout = std::chrono::seconds{shutdown.at("timeout").get<std::int64_t>()};
        if (const int mask = read.at("umask").get<int>(); mask >= 0) settings.umask = static_cast<unsigned>(mask);
        settings.process_name = read.at("process_name").get<std::string>();
        return settings;
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

}  // namespace vigil::daemon
