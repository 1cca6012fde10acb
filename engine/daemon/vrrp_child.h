#pragma once

#include "engine/daemon/child_process.h"
#include "engine/daemon/options.h"

namespace vigil::daemon {

/// The VRRP process: reads the configuration, runs a Session, obeys signals. Returns its exit code. `ready_fd` gets one octet when elections
/// run and after each reload; -1 for none. `bfd_fd` leads to the BFD process; -1: there is none. To be called with handled_signals() blocked: signals that come early are
/// obeyed when it listens.
int run_vrrp_child(const Options& options, const ChildNames& names, int ready_fd, int bfd_fd);

}  // namespace vigil::daemon
