#include "engine/daemon/misc_scripts.h"

#include <cstring>

#include <fmt/format.h>

namespace vigil::daemon {

void MiscScripts::configure(const config::GlobalDefinitions& global) {
    global_ = &global;
    programs_.clear();
}

const MiscScripts::Program& MiscScripts::find(const checkers::MiscSpec& spec) {
    const auto [entry, is_new] = programs_.try_emplace({spec.arguments.front(), spec.user, spec.group}, tl::unexpected(std::string()));
    if (!is_new) return entry->second;
    Program program = examine_program(spec.arguments.front(), spec.user, spec.group, *global_);
    const bool is_refused = program && (!program->verdict.is_runnable || (!program->verdict.is_secure && global_->enable_script_security));
    entry->second = is_refused ? tl::unexpected(program->verdict.text) : std::move(program);
    return entry->second;
}

tl::expected<pid_t, std::string> MiscScripts::start(const checkers::MiscSpec& spec) {
    if (spec.arguments.empty()) return tl::unexpected(std::string("the command is empty"));
    const Program& program = find(spec);
    if (!program) return tl::unexpected(program.error());
    std::vector<std::string> arguments = spec.arguments;
    arguments.front() = program->path;
    const auto pid = spawn_script(arguments, program->identity);
    if (!pid) return tl::unexpected(fmt::format("cannot start '{}': {}", program->path, std::strerror(pid.error())));
    return *pid;
}

}  // namespace vigil::daemon
