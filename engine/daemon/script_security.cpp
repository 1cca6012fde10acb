// May a script be run? The rules are keepalived's: what is run with root's user or group must not be changeable by anybody else, in itself or by any
// directory on the way to it; such a script is run with a warning, or not at all with enable_script_security.
//
// Deviates from keepalived: a symbolic link on the way does not disable a script. keepalived refuses any, so that on a system where /bin is a link
// /bin/foo never runs. Here the links are followed one by one, and whoever could turn one of them could change what runs. What is executed is the path as it
// was written, because programs with many names (busybox, killall5 as pidof) do what they are called.

#include "engine/daemon/script_security.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <tuple>
#include <unordered_set>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

bool may_execute(const struct stat& file, const ScriptIdentity& identity) {
    if (identity.uid == 0) return (file.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
    if (file.st_uid == identity.uid) return (file.st_mode & S_IXUSR) != 0;
    const bool is_in_group = file.st_gid == identity.gid || std::ranges::find(identity.groups, file.st_gid) != identity.groups.end();
    if (is_in_group) return (file.st_mode & S_IXGRP) != 0;
    return (file.st_mode & S_IXOTH) != 0;
}

/// Links have no permissions: a link is changed by replacing it, which is its directory's or its owner's business. A directory with the sticky bit may be writable: others cannot replace what is in it.
bool is_changeable_by_others(const struct stat& entry) {
    if (entry.st_uid != 0) return true;
    if (S_ISLNK(entry.st_mode)) return false;
    if (S_ISDIR(entry.st_mode) && (entry.st_mode & S_ISVTX) != 0) return false;
    return (entry.st_mode & S_IWOTH) != 0 || ((entry.st_mode & S_IWGRP) != 0 && entry.st_gid != 0);
}

std::string absolute(const std::string& path) {
    std::error_code error;
    const auto result = std::filesystem::absolute(path, error);
    return error ? path : result.string();
}

}  // namespace

FileView host_files() {
    const auto look_at = [](const std::string& path) -> std::optional<struct stat> {
        struct stat entry {};
        if (::lstat(path.c_str(), &entry) != 0) return std::nullopt;
        return entry;
    };
    return {look_at, host_links()};
}

ScriptVerdict check_script(const std::string& path, const ScriptIdentity& identity, const FileView& files) {
    const std::vector<PathStep> steps = path.starts_with('/') ? walk_path(path, files.read_link) : std::vector<PathStep>{};
    const auto file = steps.empty() ? std::nullopt : files.look_at(path_of(steps.back()));
    if (!file) return {false, true, fmt::format("there is no '{}'", path)};
    if (!S_ISREG(file->st_mode)) return {false, true, fmt::format("'{}' is not a file", path)};
    if (!may_execute(*file, identity)) return {false, true, fmt::format("'{}' is not executable for user {}", path, identity.uid)};
    const bool runs_as_root = identity.uid == 0 || identity.gid == 0 || ((file->st_mode & S_ISUID) != 0 && file->st_uid == 0) ||
                              ((file->st_mode & S_ISGID) != 0 && file->st_gid == 0);
    if (!runs_as_root) return {};
    std::vector<std::string> names{"/"};
    for (const PathStep& step : steps) names.push_back(path_of(step));
    for (const std::string& name : names) {
        const auto entry = files.look_at(name);
        if (!entry || is_changeable_by_others(*entry)) {
            return {true, false, fmt::format("'{}' runs as root, but others than root can change '{}'", path, name)};
        }
    }
    return {};
}

std::vector<std::string> program_words(std::string_view command) {
    if (!command.starts_with('<')) return config::split_command(command);
    std::vector<std::string> words = config::split_command(command.substr(1));
    words.insert(words.begin(), {"test", "-r"});
    return words;
}

tl::expected<ScriptProgram, std::string> examine_script(const config::NotifyScript& script, const config::GlobalDefinitions& global) {
    const std::vector<std::string> words = program_words(script.command);
    if (words.empty()) return tl::unexpected(std::string("the command is empty"));
    return examine_program(words.front(), script.user, script.group, global);
}

tl::expected<ScriptProgram, std::string> examine_program(const std::string& word, std::string_view user, std::string_view group, const config::GlobalDefinitions& global) {
    const bool has_own_user = !user.empty();
    auto identity = find_identity(std::string(has_own_user ? user : global.script_user),
                                  std::string(has_own_user ? group : global.script_group),
                                  global.process.set_supplementary_groups);
    if (!identity) return tl::unexpected(identity.error());
    const std::string found = resolve_command(word);
    ScriptProgram program{*identity, found.empty() ? word : absolute(found), {}};
    program.verdict = check_script(program.path, program.identity, host_files());
    return program;
}

std::optional<ScriptProgram> find_script_program(const config::NotifyScript& script, const config::GlobalDefinitions& global) {
    auto program = examine_script(script, global);
    if (!program || !program->verdict.is_runnable) return std::nullopt;
    if (!program->verdict.is_secure && global.enable_script_security) return std::nullopt;
    return std::move(*program);
}

namespace {

struct Judgement {
    std::optional<config::Diagnostic> diagnostic;   ///< what is wrong with it, if anything
    bool runs = true;
};

/// `consequence`: of its not running, beside that.
Judgement judge(const config::NotifyScript& script, const config::GlobalDefinitions& global, const std::string& consequence) {
    const std::string does_not_run = "the script does not run" + consequence;
    const auto refuse = [&](config::Category category, std::string text, std::string help) {
        return Judgement{config::Diagnostic{config::Severity::error, category, script.where, 0, std::move(text), std::move(help), "", false}, false};
    };
    const auto program = examine_script(script, global);
    if (!program) return refuse(config::Category::host, program.error(), does_not_run);
    if (!program->verdict.is_runnable) return refuse(config::Category::host, program->verdict.text, does_not_run);
    if (program->verdict.is_secure) return {};
    if (global.enable_script_security) {
        return refuse(config::Category::script_security, program->verdict.text, "because of enable_script_security " + does_not_run);
    }
    return {config::Diagnostic{config::Severity::warning, config::Category::script_security, script.where, 0, program->verdict.text,
                               "it runs all the same; enable_script_security would prevent that", "", false}};
}

}  // namespace

void for_each_server_script(const config::Configuration& configuration, const std::function<void(const config::NotifyScript&)>& on_script) {
    // Thousands of servers share their settings and checkers, or at least their commands.
    std::unordered_set<const void*> seen;
    std::set<std::tuple<std::string_view, std::string_view, std::string_view>> commands;
    const auto tell = [&](const config::NotifyScript& script) {
        if (commands.emplace(script.command, script.user, script.group).second) on_script(script);
    };
    const auto tell_if = [&](const std::optional<config::NotifyScript>& script) {
        if (script) tell(*script);
    };
    for (const config::VirtualServer& service : configuration.virtual_servers) {
        tell_if(service.quorum_up);
        tell_if(service.quorum_down);
        for (const config::RealServer& server : service.real_servers) {
            if (seen.insert(server.settings.get()).second) {
                tell_if(server.settings->notify_up);
                tell_if(server.settings->notify_down);
            }
            if (!seen.insert(server.checkers.get()).second) continue;
            for (const config::Checker& checker : *server.checkers) {
                if (const auto* misc = std::get_if<config::MiscCheck>(&checker.check)) tell(misc->script);
            }
        }
    }
}

std::vector<config::Diagnostic> check_scripts(const config::Configuration& configuration) {
    std::vector<config::Diagnostic> found;
    std::optional<config::SourceLocation> first_that_runs;
    const auto check = [&](const config::NotifyScript& script, const char* consequence) {
        if (script.command.empty()) return;
        Judgement judgement = judge(script, configuration.global, consequence);
        if (judgement.diagnostic) found.push_back(std::move(*judgement.diagnostic));
        if (judgement.runs && !first_that_runs) first_that_runs = script.where;
    };
    std::unordered_set<std::string_view> tracked;
    for (const config::VrrpInstance& instance : configuration.instances) {
        for (const config::NotifyScript& script : instance.scripts) check(script, "");
        for (const config::TrackedItem& item : instance.track_scripts) tracked.insert(item.name);
    }
    for (const config::VrrpSyncGroup& group : configuration.sync_groups) {
        for (const config::NotifyScript& script : group.scripts) check(script, "");
    }
    for (const config::VrrpScript& script : configuration.scripts) {
        if (tracked.contains(script.name)) check(script.command, ", and nobody tracks it");
    }
    for_each_server_script(configuration, [&](const config::NotifyScript& script) { check(script, ""); });
    check(configuration.global.process.startup.script, "");
    check(configuration.global.process.shutdown.script, "");
    const config::GlobalDefinitions& global = configuration.global;
    for (const config::NotifyFifo* fifo : {&global.notify_fifo, &global.vrrp_notify_fifo, &global.lvs.notify_fifo}) {
        if (!fifo->reader.command.empty()) check(fifo->reader, ", and nobody reads the FIFO");
    }
    if (first_that_runs && !configuration.global.enable_script_security) {
        found.push_back({config::Severity::warning, config::Category::script_security, *first_that_runs, 0,
                         "scripts are run, and enable_script_security is not set: one that others than root can change would run all the same",
                         "write enable_script_security in global_defs, and script_user NAME for who runs them", "", false});
    }
    return found;
}

}  // namespace vigil::daemon
