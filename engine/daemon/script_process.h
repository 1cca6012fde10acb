#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace vigil::daemon {

/// Who runs a script.
struct ScriptIdentity {
    uid_t uid = 0;
    gid_t gid = 0;
    bool is_own = true;   ///< the daemon's own: nothing is changed
    std::vector<gid_t> groups{};   ///< supplementary ones

    friend bool operator==(const ScriptIdentity&, const ScriptIdentity&) = default;
};

/// Looks up `user` and `group` (names or numbers; both may be empty). Empty user: keepalived_script when that account exists, else the
/// daemon's own. The error is a sentence. Asks the system's user database: at load, not while electing.
tl::expected<ScriptIdentity, std::string> find_identity(const std::string& user, const std::string& group, bool with_supplementary_groups = false);

/// Starts a program without a shell and does not wait for it: own process group, default signals, no open files but /dev/null, environment
/// without IFS, LD_PRELOAD and LD_LIBRARY_PATH; ended by SIGTERM if we die. Returns the process id, or errno.
/// `passed_fd`: stays open in it, as descriptor 3; above 3 here, or -1 for none.
tl::expected<pid_t, int> spawn_script(const std::vector<std::string>& arguments, const ScriptIdentity& identity, int passed_fd = -1);

/// Absolute path of a command: a name without '/' is looked for in PATH. Empty when not found.
std::string resolve_command(const std::string& command);

}  // namespace vigil::daemon
