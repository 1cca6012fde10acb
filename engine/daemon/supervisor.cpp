// The parent process.
//
// It waits in poll() on a signalfd and on one pipe per child. A child says on its pipe that it is ready (then the service manager is told) and
// that a reload is done. Nothing here knows VRRP: the parent must be the part that cannot fail, so it has no thread, no event library and no
// state but pids.
//
// A child asks the kernel to send it SIGTERM when the parent dies. So after `kill -9` of the parent the VRRP child says goodbye on the LAN and
// removes its addresses, instead of living on where nobody can stop it.

#include "engine/daemon/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "engine/daemon/service_manager.h"
#include "engine/daemon/signals.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds least_patience{3};   // signs come once a second

std::string reloading_text() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace

Supervisor::Supervisor(SupervisorSettings settings, std::vector<ChildProgram> programs) : settings_(std::move(settings)), reloader_(reload_world()) {
    reloader_.configure(settings_.parent.reload);
    for (ChildProgram& program : programs) {
        const bool is_dormant = program.starts_by != 0;
        children_.push_back({.program = std::move(program), .policy = RestartPolicy(settings_.respawn), .is_dormant = is_dormant, .ready = {}});
    }
}

Reloader::World Supervisor::reload_world() {
    const auto begun = [this] {
        spdlog::info("Reloading ...");
        if (was_told_ready_) notify_service_manager(reloading_text());
    };
    const auto finished = [this] {
        if (was_told_ready_) notify_service_manager("READY=1");
    };
    return {.examine = settings_.examine, .begun = begun, .tell_children = [this] { tell_of_reload(); },
            .adopt = [this](const ParentSettings& settings) { adopt(settings); }, .finished = finished};
}

/// umask(2) tells the mask only by setting one.
void Supervisor::adopt(const ParentSettings& settings) {
    settings_.parent = settings;
    ::umask(static_cast<mode_t>(settings_.umask.value_or(settings.umask.value_or(umask_))));
    if (!settings.process_name.empty()) ::prctl(PR_SET_NAME, settings.process_name.c_str());
}

/// systemd is told that a start or a stop may take longer than it has been configured to wait.
void Supervisor::run_script(const BoundedScript::Call& call) {
    script_.start(call, Clock::now());
    if (script_.is_running()) notify_service_manager(fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::microseconds{call.timeout + least_patience}.count()));
}

int Supervisor::run() {
    block_signals();
    umask_ = ::umask(0);
    adopt(settings_.parent);
    run_script(settings_.startup);
    while (!is_over()) {
        script_.tick(Clock::now());
        if (!is_stopping_ && !script_.is_running()) start_due();
        if (!is_stopping_) reloader_.tick(Clock::now(), std::time(nullptr));
        kill_those_that_stay();
        wait();
    }
    return exit_code_;
}

/// When all children have ended, the last script runs.
bool Supervisor::is_over() {
    if (!is_stopping_ || is_any_running()) return false;
    if (script_.is_running()) return false;
    if (std::exchange(has_run_shutdown_, true)) return true;
    run_script(settings_.parent.shutdown);
    return !script_.is_running();
}

void Supervisor::kill_those_that_stay() {
    if (!is_stopping_ || has_killed_ || Clock::now() < kill_at_) return;
    for (const Child& child : children_) {
        if (child.pid == 0) continue;
        spdlog::error("{} process {} did not end in time, killing it", child.program.name, child.pid);
        ::kill(child.pid, SIGKILL);
    }
    has_killed_ = true;
}

void Supervisor::block_signals() {
    block_handled_signals();
    const sigset_t set = handled_signals();
    std::signal(SIGPIPE, SIG_IGN);
    signals_ = io::FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

void Supervisor::start_due() {
    for (Child& child : children_) {
        if (child.pid == 0 && !child.is_dormant && Clock::now() >= child.start_at) start(child);
    }
}

void Supervisor::start(Child& child) {
    std::array<int, 2> pipe{-1, -1};
    if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) pipe = {-1, -1};  // out of descriptors: the child runs, readiness is unknown
    io::FileDescriptor read_end(pipe[0]);
    io::FileDescriptor write_end(pipe[1]);
    const int pid = ::fork();
    if (pid == 0) become(child, std::move(write_end));
    child.started = Clock::now();
    if (pid < 0) {
        spdlog::error("Cannot start the {} process: {}; next attempt in 1 s", child.program.name, std::strerror(errno));
        child.start_at = child.started + std::chrono::seconds{1};
        return;
    }
    child.pid = pid;
    child.is_ready = false;
    child.ready = std::move(read_end);
    spdlog::info("Starting {} child process, pid={}", child.program.name, pid);
}

void Supervisor::become(Child& child, io::FileDescriptor ready) {
    const int parent = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(0);  // it died in between
    ::prctl(PR_SET_NAME, child.program.process_name.c_str());
    const auto run = child.program.run;
    signals_.reset();
    for (Child& sibling : children_) sibling.ready.reset();
    std::_Exit(run(ready.get()));
}

void Supervisor::wait() {
    std::vector<pollfd> waited{{signals_.get(), POLLIN, 0}};
    for (const Child& child : children_) waited.push_back({child.ready.get(), POLLIN, 0});
    const int woken_by = ::poll(waited.data(), static_cast<nfds_t>(waited.size()), wait_milliseconds());
    if (watchdog_ && Clock::now() >= feed_at_) feed_watchdog();
    if (woken_by <= 0) return;
    for (std::size_t i = 0; i < children_.size(); ++i) {
        if (waited[i + 1].revents != 0) on_sign(children_[i]);
    }
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) on_signal(static_cast<int>(info.ssi_signo));
}

int Supervisor::wait_milliseconds() const {
    std::optional<Clock::time_point> next;
    const auto consider = [&](Clock::time_point at) { next = next ? std::min(*next, at) : at; };
    if (is_stopping_ && !has_killed_) consider(kill_at_);
    if (watchdog_) consider(feed_at_);
    if (const auto at = reloader_.next(); at && !is_stopping_) consider(*at);
    if (const auto at = script_.next()) consider(*at);
    for (const Child& child : children_) {
        if (!is_stopping_ && !script_.is_running() && child.pid == 0 && !child.is_dormant) consider(child.start_at);
    }
    if (!next) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
}

void Supervisor::on_sign(Child& child) {
    char octet = 0;
    const ssize_t size = ::read(child.ready.get(), &octet, 1);
    if (size == 0) child.ready.reset();  // it died; SIGCHLD follows
    if (size != 1) return;
    child.last_sign = Clock::now();
    wake(octet);
    if (octet != sign_ready) return;
    child.is_ready = true;
    end_reload_of(child);
    if (was_told_ready_ || std::any_of(children_.begin(), children_.end(), [](const Child& one) { return !one.is_ready && !one.is_dormant; })) return;
    notify_service_manager("READY=1");
    was_told_ready_ = true;
}

void Supervisor::wake(char sign) {
    for (Child& child : children_) {
        if (child.program.starts_by == sign) child.is_dormant = false;
    }
}

/// A child whose control thread hangs is not our business to kill: the service manager starts everything anew when it hears nothing.
void Supervisor::feed_watchdog() {
    const Clock::time_point now = Clock::now();
    feed_at_ = now + std::chrono::duration_cast<Clock::duration>(*watchdog_ / 4);
    bool is_well = true;
    for (Child& child : children_) is_well = (child.pid == 0 || !child.is_ready || gives_signs(child, now)) && is_well;
    if (is_well) notify_service_manager("WATCHDOG=1");
}

bool Supervisor::gives_signs(Child& child, Clock::time_point now) const {
    const bool is_silent = now - child.last_sign > std::max<Clock::duration>(*watchdog_ / 2, least_patience);
    if (is_silent && !child.is_silent) spdlog::error("{} process {} gives no sign of life: not telling the service manager that all is well", child.program.name, child.pid);
    child.is_silent = is_silent;
    return !is_silent;
}

void Supervisor::on_signal(int number) {
    switch (number) {
    case SIGCHLD: return reap();
    case SIGINT:
        if (settings_.ignore_sigint) return;
        [[fallthrough]];
    case SIGTERM:
        if (!is_stopping_) spdlog::info("Stopping");
        script_.end(Clock::now());
        return begin_stop(0);
    case SIGHUP:
        if (!is_stopping_) reloader_.request(Clock::now());
        return;
    default:
        if (number == SIGRTMAX) log_children();
        return forward(number);
    }
}

/// For TDUMP; each child tells of its own threads.
void Supervisor::log_children() const {
    for (const Child& child : children_) {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - child.started).count();
        if (child.pid == 0) spdlog::info("{} process: not running", child.program.name);
        else spdlog::info("{} process {}: {}, {} s old", child.program.name, child.pid, child.is_ready ? "ready" : "not ready yet", age);
    }
}

void Supervisor::tell_of_reload() {
    for (Child& child : children_) child.is_reloading = child.pid != 0;   // one that is not there reads it when it starts
    forward(SIGHUP);
    if (!is_any_running()) reloader_.children_done(Clock::now());
}

void Supervisor::end_reload_of(Child& child) {
    child.is_reloading = false;
    if (std::none_of(children_.begin(), children_.end(), [](const Child& one) { return one.is_reloading; })) reloader_.children_done(Clock::now());
}

void Supervisor::forward(int number) {
    for (const Child& child : children_) {
        if (child.pid != 0) ::kill(child.pid, number);
    }
}

void Supervisor::reap() {
    int status = 0;
    for (int pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        if (reloader_.on_process_end(pid, status, Clock::now()) || script_.on_process_end(pid, status)) continue;
        const auto child = std::find_if(children_.begin(), children_.end(), [&](const Child& one) { return one.pid == pid; });
        if (child == children_.end()) continue;
        child->pid = 0;
        child->ready.reset();
        end_reload_of(*child);
        if (child->program.on_death) child->program.on_death();
        const bool by_signal = WIFSIGNALED(status);
        on_death(*child, {by_signal, by_signal ? WTERMSIG(status) : WEXITSTATUS(status)});
    }
}

void Supervisor::on_death(Child& child, ChildEnd end) {
    if (is_stopping_) {
        if (end.by_signal || end.code != 0) {
            spdlog::warn("{} process ended by {} {} while stopping", child.program.name, end.by_signal ? "signal" : "exit code", end.code);
        }
        return;
    }
    const std::string how = end.by_signal ? fmt::format("was ended by signal {} ({})", end.code, ::strsignal(end.code))
                                          : fmt::format("ended with exit code {}", end.code);
    const auto lifetime = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - child.started);
    const RestartPolicy::Decision decision = child.policy.on_death(end, lifetime);
    if (!decision.restart) {
        spdlog::error("{} process {}, and is not started again; stopping", child.program.name, how);
        return begin_stop(decision.exit_code);
    }
    child.start_at = Clock::now() + decision.delay;
    spdlog::error("{} process {}; starting it again {}", child.program.name, how,
                  decision.delay.count() == 0 ? "at once" : fmt::format("in {} s", decision.delay.count() / 1000));
}

void Supervisor::begin_stop(int exit_code) {
    if (is_stopping_) return;
    is_stopping_ = true;
    exit_code_ = exit_code;
    kill_at_ = Clock::now() + settings_.parent.child_wait_time;
    notify_service_manager("STOPPING=1");
    forward(SIGTERM);
}

bool Supervisor::is_any_running() const {
    return std::any_of(children_.begin(), children_.end(), [](const Child& child) { return child.pid != 0; });
}

}  // namespace vigil::daemon
