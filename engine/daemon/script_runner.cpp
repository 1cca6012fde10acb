#include "engine/daemon/script_runner.h"

#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

// A failed start is a child that ends, which pumps: without a pause that would go round and round.
constexpr std::chrono::milliseconds pause_of_busy{100};

}  // namespace

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
        if (queue.is_held || now < queue.next_try) order_.push_back(number);
        else start(number, now);
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

/// Whoever copies a new version of a script over the old one must not cost the notice of a failover.
bool ScriptRunner::must_wait(Queue& queue, int error, Instant now) const {
    if (error != ETXTBSY) return false;
    if (!queue.busy_since) queue.busy_since = now;
    queue.next_try = now + pause_of_busy;
    return now - *queue.busy_since < patience_;
}

void ScriptRunner::start(std::size_t number, Instant now) {
    Queue& queue = queues_[number];
    const auto pid = spawn_script(queue.waiting.front().arguments, queue.waiting.front().identity);
    if (!pid && must_wait(queue, pid.error(), now)) return order_.push_back(number);
    const ScriptCall call = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    queue.busy_since.reset();
    --waiting_count_;
    if (!pid) {
        spdlog::error("{}: cannot run {}: {}", call.label, call.arguments.empty() ? "nothing" : call.arguments.front(), std::strerror(pid.error()));
        return;
    }
    spdlog::debug("{}: started {} as process {}", call.label, call.arguments.front(), *pid);
    queue.is_held = true;
    running_[*pid] = {number, call.label, now};
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
