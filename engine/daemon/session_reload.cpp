// A reload by difference.
//
// The packet thread goes on all the time. A new plan and a new engine are made beside the old ones; then the routers that the new configuration does not
// have say stop; then the packet thread lets the new engine adopt the run of the old one, between two of its passes (engine_adopt.cpp). Up to that
// moment commands and events have the numbers of the old plan, afterwards those of the new one, and neither is under way while the numbers change:
// the control thread waits for the packet thread here, the only place where it does, and never the other way round.
//
// Then every part of the new session takes over what its predecessor knows: addresses that stay are not touched, ports stay open, and what differs is
// brought about by the same calls that bring about any change: an address more is one that is missing, a new interface is one that has appeared, another source is
// a source that has changed, a new priority is a tracker's business. New routers begin last.
//
// A router that cannot go on (another VRID, another interface...) leaves and begins anew. Where the plan does not fit the packet thread the caller stops this
// session and starts another.

#include "engine/daemon/session.h"

#include <unordered_set>

#include <spdlog/spdlog.h>

#include "engine/io/clock.h"

namespace vigil::daemon {

using engine::Command;

tl::expected<std::unique_ptr<Session>, std::string> Session::succeed(Session& before, config::Configuration configuration) {
    if (std::string why = before.why_not_by_difference(configuration.global); !why.empty()) return tl::unexpected(std::move(why));
    before.come_to_rest();
    std::unique_ptr<Session> next(new Session(before.io_, before.options_, std::move(configuration), before.kernel_, before.outlets_, before.trackers_));
    next->plan_ = make_plan(next->configuration_, next->kernel_.facts(), &before.plan_);
    auto engine = before.fast_->make_successor(next->plan_);
    if (!engine) return tl::unexpected(engine.error());
    const Succession succession = make_succession(before.plan_, next->plan_);
    spdlog::info("Configuration changed: {}", describe(succession));
    if (!before.hand_over_engine(*next, std::move(*engine), succession)) return tl::unexpected(std::string("the packet thread has ended"));
    before.dismiss(next->plan_, succession);
    next->go_on_from(before, succession);
    return next;
}

/// What the packet thread has been started with.
std::string Session::why_not_by_difference(const config::GlobalDefinitions& now) const {
    const config::GlobalDefinitions& running = configuration_.global;
    const config::PacketThreadDefinitions& thread = running.process.packet_thread;
    const config::PacketThreadDefinitions& thread_now = now.process.packet_thread;
    const bool is_bound_alike = thread.cpus == thread_now.cpus && thread.rlimit_rttime == thread_now.rlimit_rttime;
    const bool is_scheduled_alike = is_bound_alike && running.vrrp_rt_priority == now.vrrp_rt_priority && running.vrrp_priority == now.vrrp_priority &&
                                    running.vrrp_no_swap == now.vrrp_no_swap;
    if (!is_scheduled_alike) return "the packet thread is to be scheduled in another way";
    return has_failed() ? "the packet thread has ended" : "";
}

/// Everything that is known is dealt with, so that what comes next is of the reload.
void Session::come_to_rest() {
    on_wake();
    while (!backlog_.empty()) report_events(backlog_.size());
    flush_notifications();
}

bool Session::hand_over_engine(Session& successor, std::unique_ptr<engine::Engine> engine, const Succession& succession) {
    for (const std::size_t router : succession.leaving) {
        fast_->send({.kind = Command::Kind::dismiss, .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}});
    }
    return fast_->replace_engine(std::move(engine), successor.plan_, succession.predecessors, [this] { collect_packet_events(); });
}

/// The last events of the old engine, and the end of the routers that leave.
void Session::dismiss(const Plan& now, const Succession& succession) {
    has_handed_over_ = true;
    take_events();
    while (!backlog_.empty()) report_events(backlog_.size());
    flush_notifications();   // DELETED is a router's last word
    std::unordered_set<std::string_view> names;
    for (const PlannedRouter& router : now.routers) names.insert(router.name);
    for (const std::size_t router : succession.leaving) {
        want(router, false);
        if (!names.contains(plan_.routers[router].name)) notifier_->on_deleted(plan_.routers[router], statuses_[router]);
    }
    apply_addresses();
    flush_notifications();
    write_files();   // a picture that is ready has the numbers of this plan, and may be the last with these counts
    for (const std::size_t router : succession.leaving) {
        if (const std::uint32_t device = keeper_->macvlan(router); device != 0) {
            if (auto removed = kernel_.macvlans().remove(device); !removed) {
                spdlog::warn("({}) cannot remove its virtual MAC device: {}", plan_.routers[router].name, to_string(removed.error()));
            }
        }
    }
}

/// Nothing calls us any more.
void Session::retire() {
    is_stopped_ = true;
    event_descriptor_.release();
    kernel_descriptor_.release();
    for (auto* timer : {&tick_timer_, &start_timer_, &journal_timer_, &command_timer_}) timer->cancel();
}

void Session::go_on_from(Session& before, const Succession& succession) {
    before.retire();
    fast_ = std::move(before.fast_);
    limiter_ = std::move(before.limiter_);
    const std::vector<TrackingResult> tracked = before.tracking_->results();
    before.tracking_.reset();   // what it knows of the trackers is about to become invalid
    kernel_.begin_objects(configuration_, io::clock::now());
    make_parts();
    kernel_.remove_addresses(keeper_->go_on_from(*before.keeper_, succession.predecessors));
    rules_->go_on_from(*before.rules_, succession.predecessors, [this](std::size_t router) { return keeper_->is_wanted(router); });
    for (const std::uint32_t device : keeper_->take_abandoned_devices()) (void)kernel_.macvlans().remove(device);
    accept_->go_on_from(*before.accept_, io::clock::now(), *keeper_);
    std::vector<std::size_t> anew;
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
        if (succession.goes_on(i)) statuses_[i] = before.statuses_[engine::to_number(succession.predecessors[i])];
        else anew.push_back(i);
    }
    groups_->go_on_from(statuses_);
    kernel_.remove_foreign(plan_, anew, [&](const arp::kernel::AddressKey& key) { return keeper_->holds(key); });
    kernel_.apply(configuration_.global.process);
    kernel_events_ = std::move(before.kernel_events_);
    files_ = std::move(before.files_);
    const Instant now = io::clock::now();
    fast_->continue_with_events();
    tracking_->go_on_from(tracked, succession.predecessors, before.has_begun_election_);
    links_->go_on_from(*before.links_, succession.predecessors, now);
    tell_ready_of(before, succession);
    lower_devices();
    run_parts();
    if (before.has_begun_election_) begin_new_routers(succession);
    else begin_election();
    files_->ask_again();
}

/// Routers that became Active while the engines changed.
void Session::tell_ready_of(const Session& before, const Succession& succession) {
    if (before.ready_for_successor_.empty()) return;
    const std::unordered_set<std::size_t> ready(before.ready_for_successor_.begin(), before.ready_for_successor_.end());
    for (std::size_t i = 0; i < succession.predecessors.size(); ++i) {
        if (succession.goes_on(i) && ready.contains(engine::to_number(succession.predecessors[i]))) tell_ready(i);
    }
}

void Session::begin_new_routers(const Succession& succession) {
    has_begun_election_ = true;
    for (std::size_t i = 0; i < succession.predecessors.size(); ++i) {
        if (!succession.goes_on(i)) tracking_->begin_election(i);
    }
    fast_->send({.kind = Command::Kind::report_states});  // routers held in FAULT make no transition to tell of
}

}  // namespace vigil::daemon
