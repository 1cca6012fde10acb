#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "config/model.h"
#include "engine/daemon/accept_rules.h"
#include "engine/daemon/address_keeper.h"
#include "engine/daemon/fast_thread.h"
#include "engine/daemon/kernel_side.h"
#include "engine/daemon/link_watch.h"
#include "engine/daemon/notifier.h"
#include "engine/daemon/options.h"
#include "engine/daemon/reporter.h"
#include "engine/daemon/router_tracking.h"
#include "engine/daemon/status_files.h"
#include "engine/daemon/succession.h"
#include "engine/daemon/sync_groups.h"
#include "engine/daemon/trackers/trackers.h"

namespace vigil::daemon {

/// One configuration at work: plan, packet thread, addresses, scripts. Made at start, and at a reload that changes something from the session before; everything
/// on the control thread.
class Session {
public:
    /// `kernel`, `outlets` and `trackers` outlive it. The error is a sentence. Leftovers of a killed run, and virtual addresses
    /// that somebody else has set, are removed first.
    static tl::expected<std::unique_ptr<Session>, std::string> start(boost::asio::io_context& io, const Options& options,
                                                                     config::Configuration configuration, KernelSide& kernel,
                                                                     Outlets& outlets, Trackers& trackers);
    ~Session();

    /// A reload by difference: the new configuration at work, where routers that did not change notice nothing and others no more than they must
    /// (session_reload.cpp). `before` is of no use afterwards. The error says why the configuration can only be started anew; `before` runs on then.
    static tl::expected<std::unique_ptr<Session>, std::string> succeed(Session& before, config::Configuration configuration);

    /// As it was read, put together anew: only what makes instances different is kept of them.
    config::Configuration configuration() const;
    const config::GlobalDefinitions& global() const { return configuration_.global; }
    /// Of the instance with this name; init: there is none.
    OperatorState state_of(std::string_view instance) const;
    /// Something of it does not run, or waits for this host to change.
    bool has_problems() const { return !plan_.problems.empty() || notifier_->has_refused_scripts() || groups_->has_refused_scripts(); }
    /// The packet thread ended by itself: the io_context was stopped, and only stop() makes sense now.
    bool has_failed() const { return fast_->has_failed() && !is_stopped_; }
    /// Says stop on the LAN and takes the addresses away. `for_good`: routers are notified of STOP. The session is of no use afterwards.
    void stop(bool for_good);
    /// Tells of those that `next` has no more. After stop().
    void tell_removed(const config::Configuration& next);
    /// After a reload that left it running, with fifo_write_vrrp_states_on_reload.
    void tell_states_again();
    /// Writes a file as soon as the packet thread has made the picture. `clears`: the statistics begin anew after it.
    void request_dump(DumpKind kind, bool clears = false) { files_->request(kind, clears); }

private:
    Session(boost::asio::io_context& io, const Options& options, config::Configuration configuration, KernelSide& kernel, Outlets& outlets,
            Trackers& trackers);
    tl::expected<void, std::string> prepare();
    void make_parts();
    void make_tracking();
    void run_parts();
    // session_reload.cpp
    std::string why_not_by_difference(const config::GlobalDefinitions& now) const;
    void come_to_rest();
    bool hand_over_engine(Session& successor, std::unique_ptr<engine::Engine> engine, const Succession& succession);
    void dismiss(const Plan& now, const Succession& succession);
    void retire();
    void go_on_from(Session& before, const Succession& succession);
    void begin_new_routers(const Succession& succession);
    void tell_ready_of(const Session& before, const Succession& succession);
    // session.cpp
    void clear_leftovers();
    void report_problems();
    void drop_load_data();
    void begin_election();
    void watch_events();
    void watch_kernel();
    void tick();
    void drain_journal_often();
    void on_wake();
    void wake_soon();
    void take_events();
    void want(std::size_t router, bool is_active);
    void collect_packet_events();
    void report_events(std::size_t limit);
    void trim_memory();
    void on_event(const engine::Event& event);
    void on_pause(const engine::Event& event);
    void on_unknown_vrid(const engine::Event& event);
    void on_transition(const engine::Event& event);
    std::string tracker_fault(std::size_t router, std::uint8_t faults) const;
    void on_state_report(const engine::Event& event);
    void apply_addresses();
    void tell_ready(std::size_t router);
    void tell_track_groups();
    void lower_devices();
    void post_commands_soon();
    void notify(std::size_t router, OperatorState state);
    void flush_notifications();
    void tell_priorities();
    void write_files();
    void tell_snmp(const DumpInput& picture);
    void watch_snmp();

    boost::asio::io_context& io_;
    const Options& options_;
    config::Configuration configuration_;                    // after the load without the instances that are in plan_
    std::vector<std::uint32_t> unplanned_positions_;         // where those that remain in it stood
    KernelSide& kernel_;
    Outlets& outlets_;
    Trackers& trackers_;
    Plan plan_;
    RateLimiter limiter_;
    std::unique_ptr<FastThread> fast_;
    std::unique_ptr<VirtualMacRules> rules_;
    std::unique_ptr<AcceptRules> accept_;
    std::unique_ptr<AddressKeeper> keeper_;
    std::unique_ptr<LinkWatch> links_;
    std::unique_ptr<RouterTracking> tracking_;
    std::unique_ptr<Notifier> notifier_;
    std::unique_ptr<StatusFiles> files_;
    std::unique_ptr<SyncGroups> groups_;
    std::vector<RouterStatus> statuses_;
    std::vector<engine::Event> backlog_;                    // addresses are as they should be after these, words are still to come
    std::size_t reported_ = 0;                              // of backlog_
    bool is_trim_due_ = false;
    std::vector<arp::kernel::KernelEvent> kernel_events_;   // read while addresses were being programmed
    std::vector<engine::Event> packet_events_;              // the same
    std::vector<std::size_t> ready_for_successor_;          // whose addresses were set when the engine had been handed over
    std::vector<std::pair<std::size_t, OperatorState>> notifications_;   // to be sent after the addresses are as they should be

    boost::asio::posix::stream_descriptor event_descriptor_;
    boost::asio::posix::stream_descriptor kernel_descriptor_;
    boost::asio::steady_timer tick_timer_;
    boost::asio::steady_timer start_timer_;
    boost::asio::steady_timer journal_timer_;
    boost::asio::steady_timer command_timer_;
    bool has_begun_election_ = false;
    bool has_handed_over_ = false;                          // the engine: commands would reach other routers than they name
    bool is_stopped_ = false;
    bool is_lowering_ = false;
    unsigned ticks_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);   // for handlers that outlive us in the io_context's queue
};

}  // namespace vigil::daemon
