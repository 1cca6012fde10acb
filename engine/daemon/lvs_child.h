#pragma once

#include "engine/daemon/child_process.h"
#include "engine/daemon/options.h"

namespace vigil::daemon {

/// The checkers process: reads the configuration, checks real servers, programs IPVS, obeys signals. Returns its exit code. `bfd_fd` leads to the BFD process; -1: there is
/// none. As run_vrrp_child() otherwise.
int run_checkers_child(const Options& options, const ChildNames& names, int ready_fd, int bfd_fd);

}  // namespace vigil::daemon
