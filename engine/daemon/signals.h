#pragma once

#include <csignal>

namespace vigil::daemon {

/// The signals that each of our processes handles. They are blocked from before its pid file can be read until somebody listens, because
/// by default each of them but SIGCHLD ends the process.
inline sigset_t handled_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGRTMAX - 1, SIGRTMIN + 2, SIGRTMAX}) sigaddset(&set, number);
    return set;
}

inline void block_handled_signals() {
    const sigset_t set = handled_signals();
    sigprocmask(SIG_BLOCK, &set, nullptr);
}

inline void unblock_handled_signals() {
    const sigset_t set = handled_signals();
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

/// Whether SIGTERM or SIGINT came while they were blocked.
inline bool is_end_pending() {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

}  // namespace vigil::daemon
