// The ways out, and how they end.
//
// At the end there are four phases, each with a limit, each over early when nothing is left to wait for: scripts run, readers read what was
// written, mails are sent; the FIFOs are closed, which a reader sees as the end of its file; readers that go on get SIGTERM, then SIGKILL. A stop takes less than
// two seconds whatever the others do.

#include "engine/daemon/outlets.h"

#include <sys/wait.h>

#include <csignal>

#include <spdlog/spdlog.h>

#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::milliseconds draining_limit{1000};   // keepalived's, for stop scripts
constexpr std::chrono::milliseconds stop_patience{100};     // notify_stop runs also behind a script that hangs
constexpr std::chrono::milliseconds closing_limit{100};
constexpr std::chrono::milliseconds ending_limit{300};
constexpr std::chrono::milliseconds look_period{5};

}  // namespace

void Outlets::configure(const config::Configuration& configuration) {
    fifos.configure(configuration);
    mail.configure(configuration.global);
    if (teller_ == Teller::vrrp) snmp.configure(configuration.global);
    if (teller_ == Teller::vrrp) sync.configure(configuration.global.lvs);
    if (teller_ == Teller::checkers_alone) {
        config::LvsDefinitions settings = configuration.global.lvs;
        if (settings.sync_daemon && !settings.sync_daemon->instance.empty()) settings.sync_daemon.reset();   // there is nobody to follow
        sync.configure(settings);
    }
}

void Outlets::reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        if (scripts.on_child_end(pid, status) || fifos.on_child_end(pid, status) || snmp.on_child_end(pid, status)) continue;
        if (on_other_child) on_other_child(pid, status);
    }
    scripts.pump(io::clock::now());
}

void Outlets::finish(std::function<void()> done) {
    done_ = std::move(done);
    sync.end();
    scripts.set_patience(stop_patience);
    mail.finish();
    phase_ = Phase::draining;
    phase_end_ = Clock::now() + draining_limit;
    continue_finish();
}

bool Outlets::is_phase_over() {
    if (Clock::now() >= phase_end_) return true;
    return phase_ == Phase::draining ? scripts.is_idle() && fifos.is_read() && mail.is_idle() && snmp.is_idle() : !fifos.has_readers() && !snmp.is_running();
}

void Outlets::begin_next_phase() {
    const auto begin = [this](Phase phase, std::chrono::milliseconds limit) {
        phase_ = phase;
        phase_end_ = Clock::now() + limit;
    };
    switch (phase_) {
    case Phase::draining:
        if (scripts.waiting_count() != 0) spdlog::warn("{} notify scripts were not run: there was a second for all of them", scripts.waiting_count());
        if (mail.unsent_count() != 0) spdlog::warn("{} mails were not sent: there was a second for all of them", mail.unsent_count());
        fifos.close();
        snmp.close();
        return begin(Phase::closing, closing_limit);
    case Phase::closing:
        fifos.end_readers(SIGTERM);
        snmp.end(SIGTERM);
        return begin(Phase::ending, ending_limit);
    case Phase::ending:
        fifos.end_readers(SIGKILL);
        snmp.end(SIGKILL);
        return begin(Phase::killing, ending_limit);
    case Phase::killing: return;
    }
}

void Outlets::continue_finish() {
    reap();
    while (is_phase_over()) {
        if (phase_ == Phase::killing) return done_();
        begin_next_phase();
    }
    timer_.expires_after(look_period);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) continue_finish();
    });
}

}  // namespace vigil::daemon
