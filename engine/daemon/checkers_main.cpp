// vigil-checkers: the checkers process, as a program of its own (checkers_program.h).

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>

#include "engine/daemon/checkers_program.h"
#include "engine/daemon/exit_code.h"
#include "engine/daemon/lvs_child.h"

int main(int argc, char** argv) {
    using namespace vigil::daemon;
    CheckersStart start;
    if (!read_checkers_start({argv + 1, argv + argc}, start)) {
        std::fputs("vigil-checkers: vigild starts it\n", stderr);
        return exit_fatal;
    }
    ::prctl(PR_SET_NAME, start.process_name.c_str());
    for (const int fd : {start.ready_fd, start.bfd_fd}) {
        if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);   // its scripts must not hold them
    }
    const int there = ::open(".", O_PATH | O_CLOEXEC);
    if (!start.directory.empty() && ::chdir(start.directory.c_str()) != 0) std::fputs("vigil-checkers: the directory of the start is gone\n", stderr);
    const ParsedOptions parsed = parse_options(start.arguments);
    if (there >= 0 && ::fchdir(there) == 0) ::close(there);
    if (parsed.answer) return parsed.answer->exit_code;
    return run_checkers_child(parsed.options, start.names, start.ready_fd, start.bfd_fd);
}
