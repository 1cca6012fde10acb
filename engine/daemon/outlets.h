#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>

#include "config/model.h"
#include "engine/daemon/lvs_sync.h"
#include "engine/daemon/mailer.h"
#include "engine/daemon/notify_fifos.h"
#include "engine/daemon/script_runner.h"
#include "engine/daemon/snmp_link.h"

namespace vigil::daemon {

/// Everything through which changes of state leave the daemon: notify scripts, FIFOs, mail, SNMP, the sync daemon of IPVS. Outlives configurations and sessions. Control thread.
class Outlets {
public:
    explicit Outlets(boost::asio::io_context& io, Teller teller = Teller::vrrp)
        : fifos(io, teller), mail(io, teller == Teller::vrrp ? "VRRP" : "Servers"), snmp(io), sync(io), timer_(io), teller_(teller) {}

    ScriptRunner scripts;
    NotifyFifos fifos;
    Mailer mail;
    SnmpLink snmp;
    LvsSync sync;

    void configure(const config::Configuration& configuration);
    /// A SIGCHLD came: collects all child processes that ended, and hands on those that are none of ours.
    void reap();
    std::function<void(pid_t, int status)> on_other_child;
    /// The last words were handed over: gives scripts, readers and the mail server a second to take them, then ends the readers, then calls `done`. The io_context
    /// runs meanwhile.
    void finish(std::function<void()> done);

private:
    using Clock = std::chrono::steady_clock;
    enum class Phase : std::uint8_t { draining, closing, ending, killing };

    bool is_phase_over();
    void begin_next_phase();
    void continue_finish();

    boost::asio::steady_timer timer_;
    Teller teller_;
    std::function<void()> done_;
    Phase phase_ = Phase::draining;
    Clock::time_point phase_end_{};
};

}  // namespace vigil::daemon
