#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "engine/daemon/script_process.h"

namespace vigil::daemon {

/// startup_script and shutdown_script: one run, which others wait for, and which therefore ends. The parent process.
class BoundedScript {
public:
    using Clock = std::chrono::steady_clock;

    struct Call {
        std::string keyword;                  ///< for the log
        std::vector<std::string> arguments;   ///< the first is an absolute path; empty: nothing is run
        ScriptIdentity identity;
        std::chrono::seconds timeout{10};

        friend bool operator==(const Call&, const Call&) = default;
    };

    /// Does nothing for an empty call, or when it cannot be started, which is logged.
    void start(const Call& call, Clock::time_point now);
    /// Ends it before its time.
    void end(Clock::time_point now);
    bool is_running() const { return pid_ != 0; }
    /// False: the process is not ours.
    bool on_process_end(int pid, int status);
    /// What the clock brings about: SIGTERM after the timeout, SIGKILL two seconds later; two more, and it is not waited for any longer.
    void tick(Clock::time_point now);
    /// When tick() has something to do; nullopt while nothing runs.
    std::optional<Clock::time_point> next() const;

private:
    enum class Phase : std::uint8_t { running, terminated, killed };

    void signal(int number, Phase phase, Clock::time_point now);

    std::string keyword_;
    pid_t pid_ = 0;
    Phase phase_ = Phase::running;
    Clock::time_point deadline_{};   // of the phase
};

}  // namespace vigil::daemon
