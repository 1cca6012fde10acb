#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "ipvs/checkers/check_run.h"
#include "ipvs/checkers/resources.h"
#include "ipvs/checkers/schedule.h"
#include "ipvs/checkers/script_table.h"

namespace vigil::checkers {

/// Names a check of a Runner while someone holds it.
enum class CheckId : std::uint32_t {};

/// Told after each verdict.
struct Report {
    CheckId id;
    const CheckSpec& spec;
    const Verdict& verdict;
    Transition transition = Transition::none;
    bool is_worth_a_line = false;   ///< its cause belongs into the log
};

/// How much a Runner may use at a time.
struct RunnerLimits {
    std::size_t most_running = 1024;   ///< checks, each of one file descriptor
    std::size_t most_scripts = 256;    ///< of these, programs of MISC_CHECK

    /// As the open-file limit of this process allows: half of it, 64 at least, 16,384 at most.
    static RunnerLimits of_this_process();
};

/// Makes many checks again and again, each at its times, and tells what they find. Belongs to one thread, that of `io`. Equal checks are one check: whoever
/// needs it holds it. So a reload acquires all it wants, then releases all it had; what is in both never notices.
class Runner {
public:
    using OnReport = std::function<void(const Report&)>;

    /// `on_report` may acquire and release; not destroy the Runner.
    Runner(asio::io_context& io, ScriptStarter& scripts, OnReport on_report, RunnerLimits limits = RunnerLimits::of_this_process());
    /// Ends what is under way. `io` may run on or not.
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// One more holder of the check of `spec`, which begins if there was none.
    CheckId acquire(const CheckSpec& spec);
    /// One holder less; without any, the check ends at once and its id is free for others.
    void release(CheckId id);

    /// A suspended check is not made and keeps its state. Resumed, it is made as at a start (ha_suspend).
    void suspend(CheckId id);
    void resume(CheckId id);

    /// It was down when somebody looked before us. Without a verdict so far it is down, until a success; the first check comes in a second.
    void doubt(CheckId id);

    /// The verdict of something outside, for a check with ExternalSpec. It is final: such a check needs retry 0.
    void tell(CheckId id, const Verdict& verdict);
    /// For the programs of MISC_CHECK: see ScriptTable.
    bool on_process_end(pid_t pid, int status) { return shared_->scripts.on_process_end(pid, status); }
    /// Files of the configuration may have changed: certificates are read again.
    void forget_files() { shared_->resources.forget(); }

    const ScheduleState& state(CheckId id) const { return slots_[index(id)].state; }
    const CheckSpec& spec(CheckId id) const { return *slots_[index(id)].spec; }
    /// The weight of the last MISC_CHECK verdict, when misc_dynamic gave one.
    std::optional<int> weight(CheckId id) const { return slots_[index(id)].weight; }
    /// Why the last verdict was none; empty when it was ok.
    const std::string& last_cause(CheckId id) const { return slots_[index(id)].cause; }

    std::size_t size() const { return by_spec_.size(); }
    std::size_t running() const { return running_; }
    /// Due, but there was no place. Grows when most_running is too small for the servers that hang.
    std::size_t waiting() const;
    /// How long the one that has waited longest has been due.
    Duration lateness() const;
    std::uint64_t checks_made() const { return checks_made_; }

private:
    enum class Phase : std::uint8_t { free, sleeping, waiting, running, suspended, external };
    /// Whose places a check takes.
    enum class Lane : std::uint8_t { quick, slow, script };
    static constexpr std::size_t lane_count = 3;

    struct Slot {
        std::shared_ptr<const CheckSpec> spec;
        CheckRunPtr run;
        std::string cause;
        ScheduleState state;
        std::uint32_t holders = 0;
        std::uint32_t ticket = 0;    // changes whenever what was planned before is void
        std::optional<int> weight;
        Phase phase = Phase::free;
        Lane lane = Lane::quick;     // of the run under way
        bool was_slow = false;       // the last verdict came late
    };
    struct Due {
        Instant at;
        std::uint32_t index;
        std::uint32_t ticket;
        friend bool operator>(const Due& a, const Due& b) { return a.at > b.at; }
    };
    struct Ready {
        std::uint32_t index;
        std::uint32_t ticket;
        Instant since;
    };
    /// What checks under way refer to: lives until the last of them has ended, also without the Runner.
    struct Shared {
        explicit Shared(ScriptStarter& starter) : scripts(starter) {}
        Resources resources;
        ScriptTable scripts;
        Runner* runner = nullptr;   // null once it is gone
    };
    struct HashSpec {
        std::size_t operator()(const CheckSpec* spec) const { return hash_of(*spec); }
    };
    struct EqualSpecs {
        bool operator()(const CheckSpec* a, const CheckSpec* b) const { return *a == *b; }
    };

    static std::uint32_t index(CheckId id) { return static_cast<std::uint32_t>(id); }
    static Instant now() { return std::chrono::steady_clock::now().time_since_epoch(); }

    std::uint32_t take_slot();
    void plan_first(std::uint32_t index);
    void plan(std::uint32_t index, Instant at);
    void void_plans(Slot& slot);
    void arm();
    void on_timer();
    Lane lane_of(const Slot& slot) const;
    bool has_place(Lane lane) const;
    void start_ready();
    void start(std::uint32_t index);
    void on_verdict(std::uint32_t index, std::uint32_t ticket, Lane lane, const Verdict& verdict);
    void judge(std::uint32_t index, const Verdict& verdict);

    asio::io_context& io_;
    OnReport on_report_;
    RunnerLimits limits_;
    std::shared_ptr<Shared> shared_;
    asio::steady_timer timer_;
    Instant armed_ = Instant::max();
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::unordered_map<const CheckSpec*, std::uint32_t, HashSpec, EqualSpecs> by_spec_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::array<std::deque<Ready>, lane_count> ready_;
    std::array<std::size_t, lane_count> in_lane_{};
    std::size_t running_ = 0;
    std::uint64_t checks_made_ = 0;
};

}  // namespace vigil::checkers
