// The VRRP process.
//
// Its main thread is the control thread: one io_context with signals, the packet thread's events, the kernel's messages and a clock. SIGHUP reads
// the configuration again: with errors in it the old one stays; when nothing changed nothing happens; otherwise the difference is carried out
// (session_reload.cpp). SIGTERM says goodbye on the LAN, takes the addresses away, runs the stop scripts for at most a second, and ends.

#include "engine/daemon/vrrp_child.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>
#include <thread>

#include <spdlog/spdlog.h>

#include "engine/daemon/configuration_load.h"
#include "engine/daemon/exit_code.h"
#include "engine/daemon/log.h"
#include "engine/daemon/pid_file.h"
#include "engine/daemon/rights.h"
#include "engine/daemon/session.h"
#include "engine/daemon/signals.h"
#include "engine/daemon/supervisor.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::milliseconds pid_file_patience{3000};

/// A child of a killed parent may still be saying goodbye.
tl::expected<PidFile, std::string> acquire_patiently(const std::string& path) {
    const auto give_up = std::chrono::steady_clock::now() + pid_file_patience;
    for (;;) {
        auto file = PidFile::acquire(path);
        if (file || is_end_pending() || std::chrono::steady_clock::now() > give_up) return file;
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
}

void tell_ready(int fd) {
    if (fd < 0) return;
    [[maybe_unused]] const ssize_t written = ::write(fd, &sign_ready, 1);
}

/// Tells the parent once a second that this process's io_context runs.
class Heartbeat {
public:
    Heartbeat(boost::asio::io_context& io, int fd) : timer_(io), fd_(fd) { beat(); }

private:
    void beat() {
        if (fd_ < 0) return;
        [[maybe_unused]] const ssize_t written = ::write(fd_, &sign_of_life, 1);
        timer_.expires_after(std::chrono::seconds{1});
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) beat();
        });
    }

    boost::asio::steady_timer timer_;
    int fd_;
};

void log_dump(const config::Configuration& configuration) {
    const std::string text = config::dump(configuration);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        spdlog::info(std::string_view(text).substr(begin, end - begin));
        begin = end + 1;
    }
}

/// Errors that make a new file worse than the running configuration. A script that cannot run is none: everything else works.
bool has_serious_errors(const config::Diagnostics& diagnostics) {
    return std::any_of(diagnostics.all().begin(), diagnostics.all().end(), [](const config::Diagnostic& one) {
        return one.severity == config::Severity::error && one.category != config::Category::script_security;
    });
}

class VrrpChild {
public:
    VrrpChild(const Options& options, int ready_fd) : options_(options), ready_fd_(ready_fd), signals_(io_) {
        for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGRTMAX - 1, SIGRTMIN + 2}) signals_.add(number);
        unblock_handled_signals();
        outlets_.on_other_child = [this](pid_t pid, int status) { trackers_.on_child_end(pid, status); };
    }

    int run();

private:
    void wait_for_signal();
    void on_signal(int number);
    void reload();
    void change_to(config::Configuration configuration);
    void stop();

    const Options& options_;
    int ready_fd_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    std::unique_ptr<KernelSide> kernel_;
    Outlets outlets_{io_};
    Trackers trackers_{io_};
    std::unique_ptr<Session> session_;
    int exit_code_ = exit_success;
    bool is_stopping_ = false;
};

int VrrpChild::run() {
    config::LoadResult loaded = load_configuration(options_, false);
    log_diagnostics(loaded);
    if (!loaded.is_readable) return exit_no_config;
    if (options_.dump_configuration) log_dump(loaded.configuration);
    auto kernel = KernelSide::open();
    if (!kernel) {
        spdlog::error(kernel.error());
        return exit_fatal;
    }
    kernel_ = std::move(*kernel);
    if (loaded.configuration.instances.empty()) spdlog::warn("{} has no usable vrrp_instance; waiting for a reload", options_.configuration);
    outlets_.configure(loaded.configuration);
    auto session = Session::start(io_, options_, std::move(loaded.configuration), *kernel_, outlets_, trackers_);
    if (!session) {
        spdlog::error(session.error());
        return exit_fatal;
    }
    session_ = std::move(*session);
    tell_ready(ready_fd_);
    wait_for_signal();
    const Heartbeat heartbeat(io_, ready_fd_);
    io_.run();
    if (session_ && session_->has_failed()) {
        session_->stop(false);
        exit_code_ = exit_internal;   // the parent starts a new process
    }
    return exit_code_;
}

void VrrpChild::wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        on_signal(number);
        if (!io_.stopped()) wait_for_signal();
    });
}

void VrrpChild::on_signal(int number) {
    if (number == SIGCHLD) return outlets_.reap();
    if (is_stopping_) return;
    if (number == SIGTERM || number == SIGINT) return stop();
    if (number == SIGHUP) return reload();
    if (number == SIGUSR1) return session_->request_dump(DumpKind::state);
    if (number == SIGUSR2) return session_->request_dump(DumpKind::statistics);
    if (number == SIGRTMAX - 1) return session_->request_dump(DumpKind::statistics, true);
    if (number == SIGRTMIN + 2) return session_->request_dump(DumpKind::json);
}

void VrrpChild::reload() {
    config::LoadResult loaded = load_configuration(options_, false);
    log_diagnostics(loaded);
    if (!loaded.is_readable || has_serious_errors(loaded.diagnostics)) {
        spdlog::error("{} has errors: keeping the configuration that runs", options_.configuration);
    } else if (!session_->has_problems() && !trackers_.has_ignored_scripts() && is_same_configuration(session_->configuration(), loaded.configuration)) {
        spdlog::info("Configuration unchanged: nothing to do");
        session_->tell_states_again();
    } else {
        if (options_.dump_configuration) log_dump(loaded.configuration);
        change_to(std::move(loaded.configuration));
        session_->tell_states_again();
    }
    tell_ready(ready_fd_);
}

void VrrpChild::change_to(config::Configuration configuration) {
    auto next = Session::succeed(*session_, configuration);
    if (next) {
        outlets_.configure(configuration);
    } else {
        spdlog::info("Configuration changed: the instances restart, because {}", next.error());
        session_->stop(false);
        session_->tell_removed(configuration);
        session_.reset();
        outlets_.configure(configuration);
        next = Session::start(io_, options_, std::move(configuration), *kernel_, outlets_, trackers_);
    }
    if (!next) {
        spdlog::error(next.error());
        exit_code_ = exit_fatal;
        return io_.stop();
    }
    session_ = std::move(*next);
}

void VrrpChild::stop() {
    is_stopping_ = true;
    session_->stop(true);
    outlets_.finish([this] {
        session_.reset();
        spdlog::info("Stopped");
        io_.stop();
    });
}

}  // namespace

int run_vrrp_child(const Options& options, const std::string& pid_file, int ready_fd) {
    start_log({.identity = "Keepalived_vrrp", .to_console = options.log_to_console, .to_syslog = options.log_to_syslog,
               .facility = options.log_facility, .detail = options.log_detail,
               .file = log_file_of(options.log_file, "_vrrp")});
    auto pid = acquire_patiently(pid_file);
    if (!pid) {
        spdlog::error(pid.error());
        return exit_fatal;
    }
    pid->write_pid();
    ::mallopt(M_ARENA_MAX, 1);   // threads that open ports for a moment need no heaps of their own
    raise_descriptor_limit();
    return VrrpChild(options, ready_fd).run();
}

int run_checkers_child(const Options& options, const std::string& pid_file, int ready_fd) {
    start_log({.identity = "Keepalived_healthcheckers", .to_console = options.log_to_console, .to_syslog = options.log_to_syslog,
               .facility = options.log_facility, .detail = options.log_detail,
               .file = log_file_of(options.log_file, "_healthcheckers")});
    auto pid = acquire_patiently(pid_file);
    if (!pid) {
        spdlog::error(pid.error());
        return exit_fatal;
    }
    pid->write_pid();
    boost::asio::io_context io{1};
    boost::asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
    for (const int number : {SIGUSR1, SIGUSR2, SIGRTMAX - 1, SIGRTMIN + 2}) std::signal(number, SIG_IGN);
    unblock_handled_signals();
    std::function<void()> wait = [&] {
        signals.async_wait([&](const boost::system::error_code& error, int number) {
            if (error || number != SIGHUP) return io.stop();
            tell_ready(ready_fd);
            wait();
        });
    };
    tell_ready(ready_fd);
    wait();
    const Heartbeat heartbeat(io, ready_fd);
    io.run();
    return exit_success;
}

}  // namespace vigil::daemon
