#include "engine/daemon/script_runner.h"

#include <sys/wait.h>

#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

namespace vigil::daemon {

void ScriptRunner::enqueue(std::size_t queue, ScriptCall call) {
    queues_[queue].waiting.push_back(std::move(call));
    order_.push_back(queue);
    ++waiting_count_;
}

void ScriptRunner::pump(Instant now) {
    release_impatient(now);
    const std::size_t looks = order_.size();
    for (std::size_t i = 0; i < looks && holder_count_ < limit_; ++i) {
        const std::size_t number = order_.front();
        order_.pop_front();
        Queue& queue = queues_[number];
        if (queue.is_held) {
            order_.push_back(number);
            continue;
        }
        const ScriptCall call = std::move(queue.waiting.front());
        queue.waiting.pop_front();
        --waiting_count_;
        start(number, call, now);
    }
}

void ScriptRunner::release_impatient(Instant now) {
    for (auto& [pid, running] : running_) {
        if (!running.holds_queue || now - running.started < patience_) continue;
        release(running);
        spdlog::info("{} (process {}) runs on; not waiting for it any longer", running.label, pid);
    }
}

void ScriptRunner::release(Running& running) {
    if (!std::exchange(running.holds_queue, false)) return;
    queues_[running.queue].is_held = false;
    --holder_count_;
}

void ScriptRunner::start(std::size_t queue, const ScriptCall& call, Instant now) {
    const auto pid = spawn_script(call.arguments, call.identity);
    if (!pid) {
        spdlog::error("{}: cannot run {}: {}", call.label, call.arguments.empty() ? "nothing" : call.arguments.front(), std::strerror(pid.error()));
        return;
    }
    spdlog::debug("{}: started {} as process {}", call.label, call.arguments.front(), *pid);
    queues_[queue].is_held = true;
    running_[*pid] = {queue, call.label, now};
    ++holder_count_;
}

bool ScriptRunner::on_child_end(pid_t pid, int status) {
    const auto found = running_.find(pid);
    if (found == running_.end()) return false;
    Running& running = found->second;
    if (WIFSIGNALED(status)) spdlog::warn("{} was ended by signal {}", running.label, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0) spdlog::info("{} ended with exit code {}", running.label, WEXITSTATUS(status));
    release(running);
    running_.erase(found);
    return true;
}

}  // namespace vigil::daemon
