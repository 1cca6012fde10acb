#pragma once

#include "engine/daemon/child_process.h"
#include "engine/daemon/options.h"

namespace vigil::daemon {

/// The BFD process: reads the configuration, keeps its sessions, tells the VRRP and the checkers process by `vrrp_fd` and `checkers_fd` (-1: nobody), obeys signals. Returns its exit code.
/// As run_vrrp_child() otherwise.
int run_bfd_child(const Options& options, const ChildNames& names, int ready_fd, int vrrp_fd, int checkers_fd);

/// In the parent, when the BFD process has ended: tells whoever tracks its sessions. `bfd_fd`: the end of the socket pair that the BFD process had.
void tell_bfd_death(int bfd_fd);

}  // namespace vigil::daemon
