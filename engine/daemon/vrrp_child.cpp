// The VRRP process.
//
// Its main thread is the control thread: one io_context with signals, the packet thread's events, the kernel's messages and a clock. SIGHUP reads
// the configuration again: with errors in it the old one stays; when nothing changed nothing happens; otherwise the difference is carried out
// (session_reload.cpp). SIGTERM says goodbye on the LAN, takes the addresses away, runs the stop scripts for at most a second, and ends.

#include "engine/daemon/vrrp_child.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>

#include <spdlog/spdlog.h>

#include "config/text_pool.h"
#include "engine/daemon/child_process.h"
#include "engine/daemon/configuration_archive.h"
#include "engine/daemon/configuration_load.h"
#include "engine/daemon/exit_code.h"
#include "engine/daemon/log.h"
#include "engine/daemon/parent_settings.h"
#include "engine/daemon/pid_file.h"
#include "engine/daemon/rights.h"
#include "engine/daemon/session.h"
#include "engine/daemon/signal_loop.h"
#include "engine/daemon/signals.h"
#include "engine/daemon/supervisor.h"
#include "engine/daemon/thread_list.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

void log_dump(const config::Configuration& configuration) {
    const std::string text = config::dump(configuration);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        spdlog::info(std::string_view(text).substr(begin, end - begin));
        begin = end + 1;
    }
}

class VrrpChild {
public:
    VrrpChild(const Options& options, int ready_fd, int bfd_fd) : options_(options), ready_fd_(ready_fd), signals_(io_), trackers_(io_, bfd_fd) {
        for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGRTMAX - 1, SIGRTMIN + 2, SIGRTMAX}) signals_.add(number);
        unblock_handled_signals();
        outlets_.on_other_child = [this](pid_t pid, int status) { trackers_.on_child_end(pid, status); };
    }

    int run();

private:
    void on_signal(int number);
    void reload();
    void read_again();
    void keep_names(config::Configuration& configuration) const;
    void save_configuration(void (ConfigurationArchive::*save)(std::string_view, std::string));
    void change_to(config::Configuration configuration);
    void follow_process_definitions() const;
    void stop();

    const Options& options_;
    int ready_fd_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    std::unique_ptr<KernelSide> kernel_;
    Outlets outlets_{io_};
    Trackers trackers_;
    std::unique_ptr<Session> session_;
    ConfigurationArchive archive_{"vrrp", [this](std::string error) {
                                      boost::asio::post(io_, [error = std::move(error)] { spdlog::error(error); });   // only this thread logs
                                  }};
    KnownErrors known_errors_;
    int exit_code_ = exit_success;
    bool is_stopping_ = false;
};

int VrrpChild::run() {
    config::LoadResult loaded = load_configuration(options_, false);
    log_diagnostics(loaded);
    if (!loaded.is_readable) return exit_no_config;
    known_errors_ = KnownErrors(loaded.diagnostics);
    if (options_.dump_configuration) log_dump(loaded.configuration);
    auto kernel = KernelSide::open(loaded.configuration.global.process);
    if (!kernel) {
        spdlog::error(kernel.error());
        return exit_fatal;
    }
    kernel_ = std::move(*kernel);
    if (loaded.configuration.instances.empty() && (loaded.configuration.virtual_servers.empty() || !options_.checkers)) spdlog::warn("{} has no usable vrrp_instance; waiting for a reload", options_.configuration);
    outlets_.configure(loaded.configuration);
    auto session = Session::start(io_, options_, std::move(loaded.configuration), *kernel_, outlets_, trackers_);
    if (!session) {
        spdlog::error(session.error());
        return exit_fatal;
    }
    session_ = std::move(*session);
    tell_parent(ready_fd_, sign_ready);
    listen_to_signals(io_, signals_, [this](int number) { on_signal(number); });
    const Heartbeat heartbeat(io_, ready_fd_);
    io_.run();
    if (session_ && session_->has_failed()) {
        session_->stop(false);
        exit_code_ = exit_internal;   // the parent starts a new process
    }
    return exit_code_;
}

void VrrpChild::on_signal(int number) {
    if (number == SIGCHLD) return outlets_.reap();
    if (is_stopping_) return;
    if (number == SIGINT && options_.ignore_sigint) return;
    if (number == SIGTERM || number == SIGINT) return stop();
    if (number == SIGHUP) return reload();
    if (number == SIGUSR1) return session_->request_dump(DumpKind::state);
    if (number == SIGUSR2) return session_->request_dump(DumpKind::statistics);
    if (number == SIGRTMAX - 1) return session_->request_dump(DumpKind::statistics, true);
    if (number == SIGRTMIN + 2) return session_->request_dump(DumpKind::json);
    if (number == SIGRTMAX) log_threads();
}

void VrrpChild::reload() {
    save_configuration(&ConfigurationArchive::save_before);
    read_again();
    if (session_) save_configuration(&ConfigurationArchive::save_after);
    tell_parent(ready_fd_, sign_ready);
}

/// For config_save_dir, as the running configuration has it.
void VrrpChild::save_configuration(void (ConfigurationArchive::*save)(std::string_view, std::string)) {
    const std::string directory(session_->global().process.reload.save_directory);
    if (!directory.empty()) (archive_.*save)(directory, config::dump(session_->configuration()));
}

void VrrpChild::read_again() {
    config::LoadResult loaded = load_configuration(options_, false);
    log_diagnostics(loaded);
    keep_names(loaded.configuration);
    if (!loaded.is_readable || !known_errors_.covers(loaded.diagnostics)) {
        spdlog::error("{} has errors that what runs has not: keeping the configuration that runs", options_.configuration);
    } else if (!session_->has_problems() && !trackers_.has_ignored_scripts() && !outlets_.fifos.has_refused() && is_same_configuration(session_->configuration(), loaded.configuration)) {
        spdlog::info("Configuration unchanged: nothing to do");
        session_->tell_states_again();
    } else {
        if (options_.dump_configuration) log_dump(loaded.configuration);
        if (!loaded.configuration.bfd_instances.empty()) tell_parent(ready_fd_, sign_bfd_wanted);
        if (!loaded.configuration.virtual_servers.empty()) tell_parent(ready_fd_, sign_checkers_wanted);
        change_to(std::move(loaded.configuration));
        if (session_) session_->tell_states_again();
    }
}

/// The process is in its namespace, and its files have their names.
void VrrpChild::keep_names(config::Configuration& configuration) const {
    const auto keep = [&](const char* keyword, std::string_view had, std::string_view& has) {
        if (had == has) return;
        spdlog::warn("{} does not change while vigild runs: it stays {}", keyword, had.empty() ? "unset" : had);
        has = configuration.texts->intern(had);
    };
    keep("net_namespace", session_->global().net_namespace, configuration.global.net_namespace);
    keep("instance", session_->global().instance, configuration.global.instance);
    if (session_->global().use_pid_dir != configuration.global.use_pid_dir) spdlog::warn("use_pid_dir takes effect when vigild is started anew");
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
    if (const std::string_view instance = outlets_.sync.instance(); !instance.empty()) outlets_.sync.on_state(session_->state_of(instance));
    follow_process_definitions();
}

/// The parent has given us those of the start.
void VrrpChild::follow_process_definitions() const {
    const config::ProcessDefinitions& process = session_->global().process;
    ::prctl(PR_SET_NAME, vrrp_process_name(process).c_str());
    if (process.umask && !options_.umask) ::umask(static_cast<mode_t>(*process.umask));
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

int run_vrrp_child(const Options& options, const ChildNames& names, int ready_fd, int bfd_fd) {
    start_log({.identity = "Keepalived_vrrp" + names.log_suffix, .to_console = options.log_to_console, .to_syslog = options.log_to_syslog,
               .facility = options.log_facility, .detail = options.log_detail,
               .file = log_file_of(options.log_file, "_vrrp")});
    auto pid = acquire_patiently(names.pid_file);
    if (!pid) {
        spdlog::error(pid.error());
        return exit_fatal;
    }
    pid->write_pid();
    ::mallopt(M_ARENA_MAX, 1);   // threads that open ports for a moment need no heaps of their own
    raise_descriptor_limit();
    return VrrpChild(options, ready_fd, bfd_fd).run();
}

}  // namespace vigil::daemon
