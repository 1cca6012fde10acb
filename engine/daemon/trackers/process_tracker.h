#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/trackers/process_events.h"
#include "engine/daemon/trackers/process_match.h"
#include "engine/daemon/trackers/process_sweep.h"
#include "engine/daemon/trackers/quorum_judge.h"
#include "engine/daemon/trackers/tracked_things.h"

namespace vigil::daemon {

/// A vrrp_track_process that somebody tracks.
struct ProcessDefinition {
    std::string name;
    ProcessPattern pattern;
    QuorumJudge::Limits limits;

    friend bool operator==(const ProcessDefinition&, const ProcessDefinition&) = default;
};

/// How a vrrp_track_process stands.
struct ProcessStanding {
    std::size_t count = 0;               ///< of processes now
    bool has_quorum = false;
    bool is_fork_delayed = false;        ///< a start is still to be trusted
    bool is_terminate_delayed = false;   ///< an end is
};

/// What /proc tells of one process; nullopt when it runs no more. Its arguments are read only on request: they lie in its memory, which may be
/// swapped out.
std::optional<ProcessFacts> read_process(pid_t process, bool with_arguments);
/// All process ids in /proc.
std::vector<pid_t> list_processes();

/// Counts the processes that vrrp_track_process looks for: by events of the kernel, or by reading /proc once a second where it sends none. Control
/// thread.
class ProcessTracker {
public:
    /// All outlive it. `may_listen`: false in tests of the way without events.
    ProcessTracker(boost::asio::io_context& io, TrackedThings& things, RateLimiter& limiter, bool may_listen = true);
    ~ProcessTracker();

    /// These from now on. Looks at all processes when one of them is new.
    void configure(std::vector<ProcessDefinition> definitions);
    /// process_monitor_rcv_bufs, octets; 0: the usual size, for events from the next listening on.
    void set_receive_buffer(std::uint32_t octets);
    /// Once a second.
    void tick();
    bool has_events() const { return events_.has_value(); }
    /// nullopt when nobody tracks it.
    std::optional<ProcessStanding> standing(const std::string& name) const;
    /// For the dump of SIGUSR1.
    std::string describe() const;

private:
    struct Target {
        ProcessDefinition definition;
        ThingIndex thing = ThingIndex::none;
        std::unordered_set<pid_t> processes;
        std::optional<QuorumJudge> judge;   ///< none before the first look
        bool is_changed = false;
    };

    void listen();
    void size_receive_buffer();
    void hang_up();
    void wait_for_events();
    void on_events();
    void on_event(const ProcessEvent& event);
    void look_at(pid_t process);
    void forget(pid_t process);
    void put(Target& target, pid_t process, bool is_in);
    void look_at_all();
    void forget_those_not_in(const std::unordered_set<pid_t>& alive);
    void settle();
    void publish(Target& target);
    void arm_timer();

    TrackedThings& things_;
    RateLimiter& limiter_;
    std::uint32_t receive_buffer_ = 0;
    bool may_listen_;
    std::map<std::string, std::unique_ptr<Target>> targets_;
    bool needs_arguments_ = false;
    std::optional<ProcessEvents> events_;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer timer_;        // of debounced changes
    ProcessSweep sweep_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
