#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/daemon/script_process.h"
#include "packet/units.h"

namespace vigil::daemon {

/// A script to run.
struct ScriptCall {
    std::string label;                    ///< for the log: "(VI_1) notify_master"
    std::vector<std::string> arguments;   ///< the first is an absolute path
    ScriptIdentity identity;
};

/// Runs scripts in order per queue (one per router), a bounded number at a time over all queues. A script that runs longer than
/// `patience` holds up nobody any longer, neither its queue nor the others: keepalived's users have notify scripts that never end. A script that somebody is writing
/// just now (ETXTBSY) is tried again for as long. Control thread.
class ScriptRunner {
public:
    explicit ScriptRunner(std::size_t limit = 32, Nanoseconds patience = std::chrono::seconds{10}) : limit_(limit), patience_(patience) {}

    void enqueue(std::size_t queue, ScriptCall call);
    /// Starts what may start.
    void pump(Instant now);
    /// A child process ended; false when it was no script of ours. Call pump() afterwards.
    bool on_child_end(pid_t pid, int status);
    /// At the end of the daemon there is no time to wait for those that hang.
    void set_patience(Nanoseconds patience) { patience_ = patience; }
    bool is_idle() const { return running_.empty() && waiting_count_ == 0; }
    std::size_t running_count() const { return running_.size(); }
    std::size_t waiting_count() const { return waiting_count_; }

private:
    struct Running {
        std::size_t queue;
        std::string label;
        Instant started{};
        bool holds_queue = true;
    };
    struct Queue {
        std::deque<ScriptCall> waiting;
        bool is_held = false;
        std::optional<Instant> busy_since{};   // its first script was being written then
        Instant next_try{};
    };

    bool must_wait(Queue& queue, int error, Instant now) const;
    void start(std::size_t number, Instant now);
    void release_impatient(Instant now);
    void release(Running& running);

    std::size_t limit_;
    Nanoseconds patience_;
    std::unordered_map<std::size_t, Queue> queues_;
    std::deque<std::size_t> order_;        // queues with something waiting, in order of arrival
    std::unordered_map<pid_t, Running> running_;
    std::size_t waiting_count_ = 0;
    std::size_t holder_count_ = 0;         // of those running, whom somebody waits for
};

}  // namespace vigil::daemon
