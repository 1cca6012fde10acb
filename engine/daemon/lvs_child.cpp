// The checkers process.
//
// One thread with one io_context: signals, checks, the kernel's table, whoever is told. It shares nothing with the VRRP process but the files it reads, so whatever a server sends to a
// checker, elections go on. When it dies the parent starts it again, and it adopts the table that it finds.
//
// SIGHUP reads the configuration again and carries out the difference. SIGTERM takes what is ours out of the kernel's table, unless -I, and says so to those
// that omega wants to know.

#include "engine/daemon/lvs_child.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <memory>

#include <spdlog/spdlog.h>

#include "engine/daemon/balancer.h"
#include "engine/daemon/configuration_load.h"
#include "engine/daemon/dump_file.h"
#include "engine/daemon/exit_code.h"
#include "engine/daemon/log.h"
#include "engine/daemon/parent_settings.h"
#include "engine/daemon/process_limits.h"
#include "engine/daemon/rights.h"
#include "engine/daemon/signal_loop.h"
#include "engine/daemon/signals.h"
#include "engine/daemon/supervisor.h"
#include "engine/daemon/thread_list.h"
#include "engine/io/clock.h"
#include "engine/io/real_time.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds tick_period{1};

void schedule_process(const config::CheckerProcessSettings& settings) {
    limit_process(settings.cpus, settings.rlimit_rttime, "checker");
    if (settings.rt_priority == 0 && !settings.nice && !settings.no_swap) return;
    const io::RealTimeOptions scheduling{.priority = settings.rt_priority, .nice = settings.nice.value_or(0), .lock_memory = settings.no_swap};
    if (const auto entered = io::enter_real_time(scheduling); !entered) {
        spdlog::warn("Checkers are scheduled as any other process: {}. checker_priority and checker_rt_priority need CAP_SYS_NICE, checker_no_swap CAP_IPC_LOCK",
                     entered.error().text());
    }
}

class CheckersChild {
public:
    CheckersChild(const Options& options, int ready_fd, int bfd_fd)
        : options_(options), ready_fd_(ready_fd), bfd_fd_(bfd_fd), signals_(io_), timer_(io_), outlets_(io_, options.vrrp ? Teller::checkers : Teller::checkers_alone) {
        for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGRTMAX}) signals_.add(number);
        for (const int number : {SIGUSR2, SIGRTMAX - 1, SIGRTMIN + 2}) std::signal(number, SIG_IGN);
        unblock_handled_signals();
    }

    int run();

private:
    void on_signal(int number);
    void reload();
    void adopt(config::Configuration configuration, Instant begin);
    void write_dump() const;
    void tick();
    void stop();

    const Options& options_;
    int ready_fd_;
    int bfd_fd_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    KnownErrors known_errors_;
    Outlets outlets_;
    std::unique_ptr<Balancer> balancer_;
    bool is_stopping_ = false;
};

int CheckersChild::run() {
    const Instant begin = io::clock::now();
    config::LoadResult loaded = load_configuration(options_, false);
    if (!options_.vrrp) log_diagnostics(loaded);   // else the VRRP process does
    if (!loaded.is_readable) return exit_no_config;
    known_errors_ = KnownErrors(loaded.diagnostics);
    schedule_process(loaded.configuration.global.lvs.process);
    balancer_ = std::make_unique<Balancer>(io_, outlets_, bfd_fd_, !options_.vrrp);
    outlets_.on_other_child = [this](pid_t pid, int status) { balancer_->on_process_end(pid, status); };
    adopt(std::move(loaded.configuration), begin);
    listen_to_signals(io_, signals_, [this](int number) { on_signal(number); });
    tick();
    tell_parent(ready_fd_, sign_ready);
    const Heartbeat heartbeat(io_, ready_fd_);
    io_.run();
    return exit_success;
}

/// `begin`: when it was begun to read it.
void CheckersChild::adopt(config::Configuration configuration, Instant begin) {
    std::size_t server_count = 0;
    for (const config::VirtualServer& service : configuration.virtual_servers) server_count += service.real_servers.size();
    const std::size_t service_count = configuration.virtual_servers.size();
    outlets_.configure(configuration);
    balancer_->configure(std::move(configuration));
    const std::chrono::duration<double, std::milli> taken = io::clock::now() - begin;
    spdlog::info("{} virtual servers with {} real servers, read and carried out in {:.0f} ms", service_count, server_count, taken.count());
}

void CheckersChild::on_signal(int number) {
    if (number == SIGCHLD) return outlets_.reap();
    if (is_stopping_) return;
    if (number == SIGINT && options_.ignore_sigint) return;
    if (number == SIGHUP) return reload();
    if (number == SIGUSR1) return write_dump();
    if (number == SIGRTMAX) return log_threads();
    stop();
}

/// Judged as the VRRP process does: both keep what runs, or none.
void CheckersChild::reload() {
    const Instant begin = io::clock::now();
    config::LoadResult loaded = load_configuration(options_, false);
    if (!options_.vrrp) log_diagnostics(loaded);
    if (!loaded.is_readable || !known_errors_.covers(loaded.diagnostics)) {
        spdlog::error("{} has errors: keeping the configuration that runs", options_.configuration);
    } else {
        if (balancer_->configuration().global.lvs.process != loaded.configuration.global.lvs.process) {
            spdlog::warn("How the checkers process is scheduled has changed in the file: that takes effect when the daemon is started anew");
        }
        const config::ProcessDefinitions& process = loaded.configuration.global.process;
        ::prctl(PR_SET_NAME, checkers_process_name(process).c_str());
        if (process.umask && !options_.umask) ::umask(static_cast<mode_t>(*process.umask));
        adopt(std::move(loaded.configuration), begin);
    }
    tell_parent(ready_fd_, sign_ready);
}

void CheckersChild::write_dump() const {
    const DumpPlace place = dump_place(DumpKind::servers, balancer_->configuration().global, host_dump_directories());
    const auto written = write_dump_file(place, balancer_->describe());
    spdlog::info(written ? fmt::format("Wrote {}", place.path) : written.error());
}

void CheckersChild::tick() {
    timer_.expires_after(tick_period);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || is_stopping_) return;
        balancer_->tick();
        tick();
    });
}

void CheckersChild::stop() {
    is_stopping_ = true;
    timer_.cancel();
    balancer_->stop(options_.keep_ipvs);
    outlets_.finish([this] {
        spdlog::info("Stopped");
        io_.stop();
    });
}

}  // namespace

int run_checkers_child(const Options& options, const ChildNames& names, int ready_fd, int bfd_fd) {
    start_log({.identity = "Keepalived_healthcheckers" + names.log_suffix, .to_console = options.log_to_console, .to_syslog = options.log_to_syslog,
               .facility = options.log_facility, .detail = options.log_detail,
               .file = log_file_of(options.log_file, "_healthcheckers")});
    auto pid = acquire_patiently(names.pid_file);
    if (!pid) {
        spdlog::error(pid.error());
        return exit_fatal;
    }
    pid->write_pid();
    raise_descriptor_limit();
    return CheckersChild(options, ready_fd, bfd_fd).run();
}

}  // namespace vigil::daemon
