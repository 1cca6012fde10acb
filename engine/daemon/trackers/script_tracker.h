#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/script_process.h"
#include "engine/daemon/trackers/script_judge.h"
#include "engine/daemon/trackers/tracked_things.h"

namespace vigil::daemon {

/// A vrrp_script that somebody tracks, ready to run.
struct ScriptDefinition {
    std::string name;
    std::vector<std::string> arguments;   ///< the first is an absolute path; empty: it may not run and is ignored
    ScriptIdentity identity;
    Nanoseconds interval{std::chrono::seconds{1}};
    Nanoseconds timeout{std::chrono::seconds{1}};
    std::uint32_t rise = 1;
    std::uint32_t fall = 1;
    bool starts_as_failed = false;

    friend bool operator==(const ScriptDefinition&, const ScriptDefinition&) = default;
};

/// Runs the scripts of vrrp_script over and over and keeps their things up to date. Never two runs of one script at a time. Control thread.
class ScriptTracker {
public:
    /// `io`, `things` and `limiter` outlive it. At most `limit` scripts run at a time.
    ScriptTracker(boost::asio::io_context& io, TrackedThings& things, RateLimiter& limiter, std::size_t limit = 128);
    /// Ends what runs.
    ~ScriptTracker();

    /// These from now on. Those that are what they were go on undisturbed; one of which only times or counts changed keeps its verdict.
    void configure(std::vector<ScriptDefinition> definitions);
    /// A child process ended, `status` as of waitpid(). False: it is none of ours.
    bool on_child_end(pid_t pid, int status);

    bool has_ignored() const;
    std::size_t running_count() const { return running_.size(); }
    /// For the dump of SIGUSR1.
    std::string describe() const;

private:
    /// `waiting`: for a free place. After `running`: SIGTERM was sent, then SIGKILL.
    enum class Phase : std::uint8_t { idle, waiting, running, terminating, killing };
    struct Script {
        ScriptDefinition definition;
        ThingIndex thing = ThingIndex::none;   ///< none: removed, and kept only until its process has ended
        ScriptJudge judge{1, 1, false};
        Phase phase = Phase::idle;
        bool is_owed = false;   ///< a run was due while the last one had to be ended
        pid_t pid = 0;
        int last_status = 0;    ///< exit code of the last run that had one
        Instant due{};          ///< of the next run
        Instant deadline{};     ///< of the present phase
    };
    /// What is to be done when: runs and deadlines of all scripts.
    enum class Errand : std::uint8_t { deadline, run };
    struct Entry {
        Instant at{};
        Errand errand = Errand::run;
        Script* script = nullptr;

        friend auto operator<=>(const Entry&, const Entry&) = default;
    };

    void add(ScriptDefinition definition, Instant first_repeat);
    void change(Script& script, ScriptDefinition definition, Instant now);
    void retire(std::unique_ptr<Script> script);
    void schedule_run(Script& script, Instant at);
    void set_deadline(Script& script, Instant at);
    void clear_deadline(Script& script);
    void arm_timer();
    void on_timer(Instant now);
    void on_run_due(Script& script, Instant now);
    void on_deadline(Script& script, Instant now);
    void enqueue(Script& script);
    void pump();
    void start(Script& script, Instant now);
    void on_result(Script& script, bool is_success, const std::string& words);
    void on_exit(Script& script, int status);
    void end_group(const Script& script, int signal);

    boost::asio::io_context& io_;
    TrackedThings& things_;
    RateLimiter& limiter_;
    std::size_t limit_;
    std::map<std::string, std::unique_ptr<Script>> scripts_;
    std::vector<std::unique_ptr<Script>> retired_;       // their processes still run
    std::unordered_map<pid_t, Script*> running_;
    std::size_t held_places_ = 0;                        // of `limit_`
    std::deque<Script*> waiting_;
    std::set<Entry> agenda_;
    boost::asio::steady_timer timer_;
    bool is_pump_posted_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
