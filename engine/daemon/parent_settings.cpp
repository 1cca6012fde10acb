#include "engine/daemon/parent_settings.h"

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/daemon/configuration_load.h"
#include "engine/daemon/exit_code.h"

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

ParentSettings settings_of(const config::GlobalDefinitions& global, const PidFileNames& usual) {
    const config::ReloadDefinitions& reload = global.process.reload;
    ParentSettings settings;
    settings.reload = {reload.checks_first, std::string(reload.check_log), reload_file_of(reload, usual.parent), std::string(reload.time_file), reload.repeats};
    return settings;
}

}  // namespace

ParentStart read_parent_start(const Options& options) {
    const config::LoadResult loaded = load_configuration(options, false);
    ParentStart start;
    start.is_readable = loaded.is_readable;
    for (const config::Diagnostic& diagnostic : loaded.diagnostics.all()) {
        if (!loaded.is_readable) start.problems.push_back(config::to_line(diagnostic, loaded.configuration));
    }
    const config::GlobalDefinitions& global = loaded.configuration.global;
    start.pid_files = usual_pid_files(global);
    start.settings = settings_of(global, start.pid_files);
    start.net_namespace = global.net_namespace;
    start.log_suffix = log_suffix_of(global);
    if (!options.parent_pid_file.empty()) start.pid_files.parent = options.parent_pid_file;
    if (!options.vrrp_pid_file.empty()) start.pid_files.vrrp = options.vrrp_pid_file;
    if (!options.checkers_pid_file.empty()) start.pid_files.checkers = options.checkers_pid_file;
    return start;
}

int examine_configuration(const Options& options, bool tests, const std::string& check_log, int fd) {
    const config::LoadResult loaded = load_configuration(options, tests);
    const bool is_usable = loaded.is_readable && !has_serious_errors(loaded.diagnostics);
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
    return nlohmann::json{{"child_wait_time", settings.child_wait_time.count()},
                          {"checks_first", reload.checks_first},
                          {"check_log", reload.check_log},
                          {"reload_file", reload.file},
                          {"time_file", reload.time_file},
                          {"repeats", reload.repeats}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<ParentSettings> read_settings(std::string_view text) {
    const auto read = nlohmann::json::parse(text, nullptr, false);
    if (!read.is_object()) return std::nullopt;
    ParentSettings settings;
    settings.child_wait_time = std::chrono::milliseconds{read.value("child_wait_time", settings.child_wait_time.count())};
    settings.reload = {read.value("checks_first", false), read.value("check_log", ""), read.value("reload_file", ""), read.value("time_file", ""),
                       read.value("repeats", false)};
    return settings;
}

}  // namespace vigil::daemon
