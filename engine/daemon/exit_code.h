#pragma once

namespace vigil::daemon {

/// keepalived's exit codes, which unit files and configuration tools look at.
enum ExitCode : int {
    exit_success = 0,
    exit_fatal = 1,           ///< something that a restart would meet again
    exit_config = 2,
    exit_no_permission = 4,
    exit_no_config = 6,       ///< no configuration file, or an include that was to be checked failed
    exit_internal = 70,       ///< a part of the process ended that must not; a restart may help
};

}  // namespace vigil::daemon
