#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/daemon/bounded_script.h"
#include "engine/daemon/parent_settings.h"
#include "engine/daemon/reloader.h"
#include "engine/daemon/service_manager.h"
#include "engine/daemon/supervisor_policy.h"
#include "engine/io/file_descriptor.h"

namespace vigil::daemon {

/// One process under supervision. `run` is called in the child with handled_signals() blocked and returns its exit code; it is given a descriptor to which it
/// writes `sign_ready` when it is ready and after each reload, and `sign_of_life` once a second.
struct ChildProgram {
    std::string name;                      ///< for the log: "VRRP"
    std::string process_name;              ///< at most 15 characters, what ps shows
    std::function<int(int ready_fd)> run;
    char starts_by = 0;                    ///< not before a sibling has written this sign; 0: at once
    std::function<void()> on_death{};      ///< in the parent, when it has ended by itself
};

constexpr char sign_ready = 'R';
constexpr char sign_of_life = 'L';
constexpr char sign_bfd_wanted = 'B';      ///< the configuration has BFD sessions now
constexpr char sign_checkers_wanted = 'C'; ///< it has virtual servers now

struct SupervisorSettings {
    bool respawn = true;
    bool ignore_sigint = false;
    ParentSettings parent;        ///< at the start
    BoundedScript::Call startup;  ///< the children start when it has ended
    std::optional<unsigned> umask;   ///< of the command line: no file changes it
    /// Reloader::World::examine: reads the configuration in a process of its own; may be empty.
    std::function<int(bool tests, const std::string& check_log, int fd)> examine;
};

/// The parent process: starts the children, starts the dead ones again, passes signals on, and stops them. Single-threaded and without any
/// protocol state, so that it has no reason to die.
class Supervisor {
public:
    Supervisor(SupervisorSettings settings, std::vector<ChildProgram> programs);
    /// Until SIGTERM, SIGINT or a child that must not be restarted; returns the exit code. Never returns in a child.
    int run();

private:
    using Clock = std::chrono::steady_clock;

    struct Child {
        ChildProgram program;
        RestartPolicy policy;
        int pid = 0;                       // 0: not running
        Clock::time_point started{};
        Clock::time_point start_at{};      // when not running
        bool is_dormant = false;           // nobody has asked for it yet
        bool is_ready = false;
        bool is_reloading = false;         // was told to, and has not said that it is done
        bool is_silent = false;            // said so
        Clock::time_point last_sign{};
        io::FileDescriptor ready;          // read end
    };

    void block_signals();
    void start(Child& child);
    [[noreturn]] void become(Child& child, io::FileDescriptor ready);
    void start_due();
    void reap();
    void on_death(Child& child, ChildEnd end);
    void on_signal(int number);
    void on_sign(Child& child);
    void wake(char sign);
    Reloader::World reload_world();
    void adopt(const ParentSettings& settings);
    void run_script(const BoundedScript::Call& call);
    bool is_over();
    void kill_those_that_stay();
    void tell_of_reload();
    void end_reload_of(Child& child);
    void forward(int number);
    void log_children() const;
    void feed_watchdog();
    bool gives_signs(Child& child, Clock::time_point now) const;
    void begin_stop(int exit_code);
    void wait();
    int wait_milliseconds() const;
    bool is_any_running() const;

    SupervisorSettings settings_;
    Reloader reloader_;
    BoundedScript script_;
    bool has_run_shutdown_ = false;
    mode_t umask_ = 0;               // of the daemon's start, for a file that says nothing
    std::vector<Child> children_;
    io::FileDescriptor signals_;
    bool is_stopping_ = false;
    bool was_told_ready_ = false;
    bool has_killed_ = false;
    Clock::time_point kill_at_{};
    std::optional<std::chrono::microseconds> watchdog_ = watchdog_period();
    Clock::time_point feed_at_{};
    int exit_code_ = 0;
};

}  // namespace vigil::daemon
