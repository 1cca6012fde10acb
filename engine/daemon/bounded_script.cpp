#include "engine/daemon/bounded_script.h"

#include <signal.h>
#include <sys/wait.h>

#include <cstring>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds patience_after_signal{2};

}  // namespace

void BoundedScript::start(const Call& call, Clock::time_point now) {
    if (call.arguments.empty() || is_running()) return;
    keyword_ = call.keyword;
    const auto pid = spawn_script(call.arguments, call.identity);
    if (!pid) return spdlog::error("Cannot run {} {}: {}", keyword_, call.arguments.front(), std::strerror(pid.error()));
    spdlog::info("Running {} {}, for at most {} s", keyword_, call.arguments.front(), call.timeout.count());
    pid_ = *pid;
    phase_ = Phase::running;
    deadline_ = now + call.timeout;
}

void BoundedScript::signal(int number, Phase phase, Clock::time_point now) {
    ::kill(-pid_, number);   // with all that it started
    phase_ = phase;
    deadline_ = now + patience_after_signal;
}

void BoundedScript::end(Clock::time_point now) {
    if (is_running() && phase_ == Phase::running) signal(SIGTERM, Phase::terminated, now);
}

void BoundedScript::tick(Clock::time_point now) {
    if (!is_running() || now < deadline_) return;
    switch (phase_) {
    case Phase::running:
        spdlog::error("{} takes too long, ending it", keyword_);
        return signal(SIGTERM, Phase::terminated, now);
    case Phase::terminated: return signal(SIGKILL, Phase::killed, now);
    case Phase::killed:
        spdlog::error("{} cannot be killed: not waiting for it", keyword_);
        pid_ = 0;
        return;
    }
}

bool BoundedScript::on_process_end(int pid, int status) {
    if (pid != pid_ || !is_running()) return false;
    ::kill(-pid_, SIGKILL);   // what it left behind in its group
    pid_ = 0;
    if (WIFSIGNALED(status)) spdlog::warn("{} was ended by signal {}", keyword_, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0) spdlog::warn("{} ended with exit code {}", keyword_, WEXITSTATUS(status));
    return true;
}

std::optional<BoundedScript::Clock::time_point> BoundedScript::next() const {
    if (!is_running()) return std::nullopt;
    return deadline_;
}

}  // namespace vigil::daemon
