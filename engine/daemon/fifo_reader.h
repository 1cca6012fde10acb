#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "engine/daemon/script_process.h"
#include "packet/units.h"

namespace vigil::daemon {

/// The program of notify_fifo_script: started with the FIFO, started again when it ends by itself, ended with the FIFO. Control thread.
class FifoReader {
public:
    static constexpr Nanoseconds least_delay = std::chrono::seconds{1};
    static constexpr Nanoseconds longest_delay = std::chrono::seconds{60};

    struct Program {
        std::vector<std::string> arguments;   ///< the first is an absolute path, the last the FIFO's; empty: none
        ScriptIdentity identity;

        friend bool operator==(const Program&, const Program&) = default;
    };

    explicit FifoReader(Program program) : program_(std::move(program)) {}
    /// Ends it without waiting.
    ~FifoReader() { end(SIGTERM); }
    FifoReader(const FifoReader&) = delete;
    FifoReader& operator=(const FifoReader&) = delete;

    /// Starts it when it is due.
    void start(Instant now);
    /// A child process of ours ended; false when it was another.
    bool on_child_end(pid_t pid, int status, Instant now);
    /// A signal for it and everything it started.
    void end(int signal_number);
    /// Its end is no accident any more.
    void expect_end() { is_ending_ = true; }
    bool is_running() const { return pid_ > 0; }
    const Program& program() const { return program_; }

private:
    Program program_;
    pid_t pid_ = 0;
    bool is_ending_ = false;
    Instant started_{};
    Instant start_at_{};
    Nanoseconds delay_ = least_delay;   // before the next start, doubled after each one
};

}  // namespace vigil::daemon
