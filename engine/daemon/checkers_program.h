#pragma once

#include <string>
#include <vector>

#include "engine/daemon/child_process.h"

namespace vigil::daemon {

/// What the checkers process gets from the parent, on the command line of a program of its own: OpenSSL, PCRE2 and nghttp2 are a megabyte and more in each
/// process that is linked with them, and only this one needs them.
struct CheckersStart {
    ChildNames names;
    std::string process_name;               ///< what ps shows
    std::string directory;                  ///< where vigild was started: paths of its options are relative to it
    std::vector<std::string> arguments;     ///< vigild's own
    int ready_fd = -1;
    int bfd_fd = -1;
};

/// In the forked child: becomes `vigil-checkers`, beside the program that runs. Returns only when that fails, with an exit code, and has said why.
int become_checkers_program(const CheckersStart& start);

/// The other end, of main()'s arguments without the program; false: nobody but vigild starts it.
bool read_checkers_start(const std::vector<std::string>& words, CheckersStart& start);

}  // namespace vigil::daemon
