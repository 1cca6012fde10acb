#pragma once

#include "engine/daemon/options.h"

namespace vigil::daemon {

/// By what others know a child process.
struct ChildNames {
    std::string pid_file;
    std::string log_suffix;   ///< behind its identity in the log
};

/// The VRRP process: reads the configuration, runs a Session, obeys signals. Returns its exit code. `ready_fd` gets one octet when elections
/// run and after each reload; -1 for none. To be called with handled_signals() blocked: signals that come early are obeyed when it listens.
int run_vrrp_child(const Options& options, const ChildNames& names, int ready_fd);

/// The checkers process. There is nothing to check yet: it answers signals and waits.
int run_checkers_child(const Options& options, const ChildNames& names, int ready_fd);

}  // namespace vigil::daemon
