#include "engine/daemon/usable_scripts.h"

#include <fmt/format.h>

namespace vigil::daemon {

std::vector<std::string> script_arguments(const config::NotifyScript& script, const ScriptSubject& subject) {
    std::vector<std::string> words = config::split_command(script.command);
    if (words.empty() || script.event != config::ScriptEvent::any) return words;
    for (const std::string_view word : {subject.kind, subject.name, subject.state}) words.emplace_back(word);
    words.push_back(std::to_string(subject.priority));
    return words;
}

void UsableScripts::add(const config::NotifyScript& script, const config::GlobalDefinitions& global) {
    if (auto program = find_script_program(script, global)) programs_.emplace(&script, std::move(*program));
    else has_refused_ = true;
}

std::optional<ScriptCall> UsableScripts::call(const config::NotifyScript& script, std::string_view title, const ScriptSubject& subject) const {
    const auto found = programs_.find(&script);
    if (found == programs_.end()) return std::nullopt;
    ScriptCall call{fmt::format("{} {}", title, config::keyword_of(script.event)), script_arguments(script, subject), found->second.identity};
    call.arguments.front() = found->second.path;
    return call;
}

}  // namespace vigil::daemon
