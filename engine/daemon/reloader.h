#pragma once

#include <chrono>
#include <ctime>
#include <functional>
#include <optional>

#include "engine/daemon/parent_settings.h"
#include "engine/daemon/reload_time.h"
#include "engine/io/file_descriptor.h"

namespace vigil::daemon {

/// The parent's part of a reload: SIGHUP or a time that has come, a test of the new configuration when it is to be tested, then the children's
/// turn. Whatever happens meanwhile, only one is under way; what was asked for then follows.
class Reloader {
public:
    using Clock = std::chrono::steady_clock;

    struct World {
        /// Runs in a process of its own: examine_configuration(). Empty: nothing is tested, and settings stay.
        std::function<int(bool tests, const std::string& check_log, int fd)> examine;
        std::function<void()> begun;                           ///< a reload has begun
        std::function<void()> tell_children;                   ///< they read the new configuration now; children_done() follows
        std::function<void(const ParentSettings&)> adopt;      ///< of the new configuration
        std::function<void()> finished;                        ///< with or without a new configuration
    };

    explicit Reloader(World world) : world_(std::move(world)) {}
    ~Reloader();

    /// At the start, and by itself after each reload.
    void configure(const ReloadSettings& settings);
    void request(Clock::time_point now);
    /// All children have read it, or are dead. Of no effect when no reload waits for them.
    void children_done(Clock::time_point now);
    /// False: the process is not ours.
    bool on_process_end(int pid, int status, Clock::time_point now);
    /// What the clocks bring about; to be called at next() at the latest.
    void tick(Clock::time_point now, std::time_t wall_clock);
    std::optional<Clock::time_point> next() const;
    bool is_under_way() const { return phase_ != Phase::idle; }

private:
    enum class Phase : std::uint8_t { idle, testing, children };

    bool start_examiner(bool tests);
    [[noreturn]] void become_examiner(io::FileDescriptor result, bool tests);
    void go_to_children(Clock::time_point now);
    void finish(Clock::time_point now);

    World world_;
    ReloadSettings settings_;
    ReloadSchedule schedule_;
    Phase phase_ = Phase::idle;
    bool is_asked_again_ = false;
    Clock::time_point give_up_{};     // on the children
    Clock::time_point look_at_{};     // at the time file
    int examiner_ = 0;                // process id; 0: none
    Clock::time_point kill_at_{};     // the examiner
    io::FileDescriptor result_;       // read end
    std::string made_file_;           // to be removed
};

}  // namespace vigil::daemon
