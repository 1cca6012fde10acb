#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

#include "config/model.h"
#include "engine/daemon/interface_health.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/trackers/bfd_tracker.h"
#include "engine/daemon/trackers/file_tracker.h"
#include "engine/daemon/trackers/process_tracker.h"
#include "engine/daemon/trackers/script_tracker.h"
#include "engine/daemon/trackers/tracked_things.h"

namespace vigil::daemon {

/// All that is tracked; of interfaces what polls and delays make of them. Lives as long as the VRRP process, so that a reload disturbs none of what did not change: scripts keep their
/// results, and one that runs goes on. Control thread.
class Trackers {
public:
    /// `bfd_fd`: to the BFD process, see BfdTracker.
    explicit Trackers(boost::asio::io_context& io, int bfd_fd = -1);
    ~Trackers();

    /// What instances of `configuration` track, from now on; the rest stops. Indices of things that are tracked no longer become invalid, so whoever
    /// holds some looks them up again. Nothing of `configuration` is kept.
    void configure(const config::Configuration& configuration);
    /// A child process ended. False: it is none of ours.
    bool on_child_end(pid_t pid, int status) { return scripts_.on_child_end(pid, status); }
    TrackedThings& things() { return things_; }
    InterfaceHealth& interfaces() { return interfaces_; }
    /// A script does not run, for a reason that may be mended without the configuration.
    bool has_ignored_scripts() const { return scripts_.has_ignored(); }
    std::optional<ProcessStanding> process_standing(const std::string& name) const { return processes_.standing(name); }
    /// For the dump of SIGUSR1.
    std::string describe() const { return scripts_.describe() + files_.describe() + processes_.describe() + bfd_.describe(); }

private:
    void tick();

    boost::asio::steady_timer timer_;
    RateLimiter limiter_;
    TrackedThings things_;
    ScriptTracker scripts_;
    FileTracker files_;
    ProcessTracker processes_;
    BfdTracker bfd_;
    InterfaceHealth interfaces_;
    bool is_start_ = true;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
