#include "engine/daemon/fifo_reader.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

namespace vigil::daemon {

void FifoReader::start(Instant now) {
    if (program_.arguments.empty() || is_running() || is_ending_ || now < start_at_) return;
    const auto pid = spawn_script(program_.arguments, program_.identity);
    started_ = now;
    if (!pid) {
        spdlog::error("Cannot run {}, which is to read {}: {}", program_.arguments.front(), program_.arguments.back(), std::strerror(pid.error()));
        start_at_ = now + longest_delay;
        return;
    }
    pid_ = *pid;
    spdlog::info("Process {}, {}, reads {}", pid_, program_.arguments.front(), program_.arguments.back());
}

bool FifoReader::on_child_end(pid_t pid, int status, Instant now) {
    if (pid != pid_) return false;
    pid_ = 0;
    if (is_ending_) return true;
    const std::string how = WIFSIGNALED(status) ? fmt::format("was ended by signal {}", WTERMSIG(status))
                                                : fmt::format("ended with exit code {}", WEXITSTATUS(status));
    if (now - started_ >= longest_delay) delay_ = least_delay;
    const Nanoseconds delay = std::exchange(delay_, std::min(delay_ * 2, longest_delay));
    start_at_ = now + delay;
    spdlog::warn("Process {}, {}, which read {}, {}; starting it again in {} s", pid, program_.arguments.front(), program_.arguments.back(), how,
                 std::chrono::duration_cast<std::chrono::seconds>(delay).count());
    return true;
}

void FifoReader::end(int signal_number) {
    if (is_running()) ::kill(-pid_, signal_number);
}

}  // namespace vigil::daemon
