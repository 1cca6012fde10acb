#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/model.h"
#include "engine/daemon/path_walk.h"
#include "engine/daemon/script_process.h"

namespace vigil::daemon {

/// lstat() of a path, nullopt when there is nothing. Tests give a made-up file system.
using LookAt = std::function<std::optional<struct stat>(const std::string&)>;
struct FileView {
    LookAt look_at;
    ReadLink read_link;
};
FileView host_files();

struct ScriptVerdict {
    bool is_runnable = true;   ///< it exists, is a file, and `identity` may execute it
    bool is_secure = true;     ///< nobody but root can change what root would run
    std::string text;          ///< what is wrong, empty when nothing is
};

/// `path` is absolute. All names that decide what it leads to are looked at, so that what is checked is what runs.
ScriptVerdict check_script(const std::string& path, const ScriptIdentity& identity, const FileView& files);

/// Argument vector of a command. `</path`, which keepalived's vrrp_script takes for "can this file be read?", becomes a call of test(1).
std::vector<std::string> program_words(std::string_view command);

/// The program of a script and who runs it.
struct ScriptProgram {
    ScriptIdentity identity;
    std::string path;          ///< absolute, under the name written: programs such as busybox, and scripts, do what they are called
    ScriptVerdict verdict;
};
/// Looks at this host. The error is a sentence: no such user or group, or an empty command.
tl::expected<ScriptProgram, std::string> examine_script(const config::NotifyScript& script, const config::GlobalDefinitions& global);
/// The same of a program by its first word; `user` and `group` may be empty.
tl::expected<ScriptProgram, std::string> examine_program(const std::string& word, std::string_view user, std::string_view group, const config::GlobalDefinitions& global);
/// nullopt when it may not run.
std::optional<ScriptProgram> find_script_program(const config::NotifyScript& script, const config::GlobalDefinitions& global);

/// The commands of virtual and real servers and of their checkers, each once.
void for_each_server_script(const config::Configuration& configuration, const std::function<void(const config::NotifyScript&)>& on_script);

/// All notify scripts of a configuration, its track scripts and the readers of its FIFOs, as diagnostics: category script_security for what others could change, and
/// once when anything runs without enable_script_security; category host for what cannot run here.
std::vector<config::Diagnostic> check_scripts(const config::Configuration& configuration);

}  // namespace vigil::daemon
