// The control thread's work for one configuration.
//
// It is woken by the packet thread (events), by the kernel (links, addresses) and by a clock once a second. Whatever woke it, the order of one
// wake is: read all events, bring the addresses into line in one netlink batch, tell the packet thread which addresses are there so that it
// announces them, then start scripts. So a script started by notify_master finds its address set, and a hundred routers that failed over together
// cost one batch.
//
// The packet thread never waits for any of this. When the control thread is late, adverts go on, and the events of the meantime are handled
// together: only the last state of each router counts for its addresses, while every change is logged and notified. When thousands change at
// once, addresses that change next go before the words about those that have changed.

#include "engine/daemon/session.h"

#include <malloc.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include <algorithm>

#include <spdlog/spdlog.h>

#include "engine/daemon/election_delay.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

using engine::Command;
using engine::Event;

constexpr std::chrono::seconds tick_period{1};
constexpr std::chrono::milliseconds journal_period{50};
/// Adverts of 4,080 routers are a burst of 5 ms; as one among many such a thread is put back in the middle of it (docs/differences.md).
constexpr int usual_nice = -20;
constexpr std::chrono::milliseconds command_period{1};
constexpr unsigned retry_ticks = 10;
constexpr std::size_t events_per_turn = 512;

io::BackendChoice backend_choice(Backend backend) {
    switch (backend) {
    case Backend::automatic: return io::BackendChoice::automatic;
    case Backend::uring: return io::BackendChoice::uring;
    case Backend::epoll: return io::BackendChoice::epoll;
    }
    return io::BackendChoice::automatic;
}

}  // namespace

tl::expected<std::unique_ptr<Session>, std::string> Session::start(boost::asio::io_context& io, const Options& options,
                                                                   config::Configuration configuration, KernelSide& kernel,
                                                                   Outlets& outlets, Trackers& trackers) {
    std::unique_ptr<Session> session(new Session(io, options, std::move(configuration), kernel, outlets, trackers));
    if (auto prepared = session->prepare(); !prepared) return tl::unexpected(prepared.error());
    return session;
}

Session::Session(boost::asio::io_context& io, const Options& options, config::Configuration configuration, KernelSide& kernel,
                 Outlets& outlets, Trackers& trackers)
    : io_(io), options_(options), configuration_(std::move(configuration)), kernel_(kernel), outlets_(outlets), trackers_(trackers),
      event_descriptor_(io), kernel_descriptor_(io), tick_timer_(io), start_timer_(io), journal_timer_(io), command_timer_(io) {}

Session::~Session() {
    *alive_ = false;
    stop(false);
    // The descriptors belong to others.
    if (event_descriptor_.is_open()) event_descriptor_.release();
    if (kernel_descriptor_.is_open()) kernel_descriptor_.release();
}

tl::expected<void, std::string> Session::prepare() {
    kernel_.monitor().read_events();  // what the session before us removed is gone, and must not pass for somebody else's
    plan_ = make_plan(configuration_, kernel_.facts());
    kernel_.begin_objects(configuration_, io::clock::now());
    clear_leftovers();
    const config::GlobalDefinitions& global = configuration_.global;
    kernel_.apply(global.process);
    auto fast = FastThread::make(plan_, {.backend = backend_choice(options_.backend), .journal = options_.journal,
                                           .scheduling = {.priority = global.vrrp_rt_priority, .nice = global.vrrp_priority.value_or(usual_nice),
                                                          .lock_memory = global.vrrp_no_swap, .cpus = global.process.packet_thread.cpus, .rttime_microseconds = global.process.packet_thread.rlimit_rttime}});
    if (!fast) return tl::unexpected(fast.error());
    fast_ = std::move(*fast);
    make_parts();
    accept_->build(io::clock::now());
    links_->start(io::clock::now());
    tracking_->start();
    fast_->start();
    spdlog::info("{} virtual routers on {} interfaces, packet thread uses {}", plan_.routers.size(), plan_.links.size(), fast_->backend_name());
    run_parts();
    begin_election();
    return {};
}

/// All that knows the plan, but for the packet thread.
void Session::make_parts() {
    report_problems();
    fast_->watch_pauses(configuration_.global.process.packet_thread);
    trackers_.configure(configuration_);
    kernel_.objects().configure(configuration_, plan_);
    drop_load_data();
    kernel_.promote_secondaries(plan_);
    rules_ = std::make_unique<VirtualMacRules>(plan_, kernel_);
    accept_ = std::make_unique<AcceptRules>(plan_, configuration_.global, kernel_);
    keeper_ = std::make_unique<AddressKeeper>(plan_, kernel_, *rules_, *accept_);
    keeper_->leave_alone(kernel_.monitor().addresses());
    links_ = std::make_unique<LinkWatch>(plan_, kernel_, *fast_, *keeper_, *rules_, trackers_, limiter_,
                                         LinkWatch::Options{.logs_addresses = options_.log_address_changes,
                                                            .may_change_kind = configuration_.interfaces.may_change_kind, .wake = [this] { wake_soon(); }});
    files_ = std::make_unique<StatusFiles>(fast_->channel());
    make_tracking();
    notifier_ = std::make_unique<Notifier>(plan_, configuration_.global, outlets_);
    groups_ = std::make_unique<SyncGroups>(plan_, configuration_.global, outlets_.scripts);
    groups_->on_group_state = [this](const PlannedGroup& group, OperatorState state) {
        outlets_.fifos.tell_group(group.name, to_string(state));
        outlets_.snmp.tell_group(group, state);
        if (group.smtp_alert) outlets_.mail.on_state("Group", group.name, state, [&] { return groups_->mail_details(group); });
    };
    statuses_.reserve(plan_.routers.size());
    for (const PlannedRouter& router : plan_.routers) statuses_.push_back({.effective_priority = router.base_priority});
}

/// From here on the io_context calls us.
void Session::run_parts() {
    event_descriptor_.assign(fast_->event_fd());
    kernel_descriptor_.assign(kernel_.monitor().fd());
    watch_events();
    watch_kernel();
    watch_snmp();
    ::malloc_trim(0);   // reading the file and making the plan took several times what stays
    tick();
    drain_journal_often();
}

void Session::make_tracking() {
    tracking_ = std::make_unique<RouterTracking>(plan_, trackers_.things(),
                                                 RouterTracking::World{.is_interface_up = [this](std::string_view name) { return links_->is_interface_running(name); },
                                                                       .is_group_complete = [this](std::string_view name) { return kernel_.objects().is_group_complete(name); },
                                                                       .send = [this](const Command& command) { fast_->send(command); },
                                                                       .wake = [this] { wake_soon(); }});
}

/// Addresses of a killed run, and virtual addresses that stand on an interface although nobody elected us: both would answer for an
/// address that another router holds. Such an address may have been taken for a source, so the plan is made anew.
void Session::clear_leftovers() {
    std::vector<arp::kernel::AddressState> before = kernel_.dump_addresses();
    kernel_.remove_leftovers(plan_);
    kernel_.monitor().read_events();
    KernelFacts facts = kernel_.facts();
    facts.addresses_before = std::move(before);
    plan_ = make_plan(configuration_, facts);
}

void Session::report_problems() {
    for (const PlanProblem& problem : plan_.problems) {
        const std::string text = configuration_.describe(problem.where) + ": " + problem.text;
        if (problem.is_fatal) spdlog::error(text);
        else spdlog::warn(text);
    }
}

/// What is left is a hundred octets for a router, instead of a thousand.
void Session::drop_load_data() {
    plan_.drop_load_data();
    std::vector<bool> is_planned(configuration_.instances.size(), false);
    for (const PlannedRouter& router : plan_.routers) is_planned[router.position] = true;
    std::vector<config::VrrpInstance> left;
    for (std::uint32_t i = 0; i < is_planned.size(); ++i) {
        if (is_planned[i]) continue;
        left.push_back(std::move(configuration_.instances[i]));
        unplanned_positions_.push_back(i);
    }
    configuration_.instances = std::move(left);
}

config::Configuration Session::configuration() const {
    config::Configuration whole = configuration_;
    whole.instances.resize(plan_.routers.size() + unplanned_positions_.size());
    for (std::size_t i = 0; i < unplanned_positions_.size(); ++i) whole.instances[unplanned_positions_[i]] = configuration_.instances[i];
    for (const PlannedRouter& router : plan_.routers) whole.instances[router.position] = instance_of(plan_, router);
    return whole;
}

void Session::begin_election() {
    const auto begin = [this] {
        has_begun_election_ = true;
        tracking_->begin_election();
        fast_->send({.kind = Command::Kind::report_states});  // routers held in FAULT make no transition to tell of
    };
    const auto delay = std::chrono::ceil<std::chrono::milliseconds>(election_delay(configuration_.global, io::clock::now()));
    if (delay.count() <= 0) return begin();
    spdlog::info("Delaying startup for {} s", static_cast<double>(delay.count()) / 1000);
    start_timer_.expires_after(delay);
    start_timer_.async_wait([this, alive = alive_, begin](const boost::system::error_code& error) {
        if (!*alive || error || is_stopped_) return;
        begin();
    });
}

void Session::watch_events() {
    fast_->channel().arm();
    event_descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error || is_stopped_) return;
        fast_->channel().clear_event_fd();
        on_wake();
        watch_events();
    });
    // What came before the bell was armed rings no bell.
    wake_soon();
}

void Session::watch_kernel() {
    kernel_descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error || is_stopped_) return;
        on_wake();
        watch_kernel();
    });
}

void Session::tick() {
    tick_timer_.expires_after(tick_period);
    tick_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error || is_stopped_) return;
        const Instant now = io::clock::now();
        write_summaries(limiter_, now);
        files_->collect_results();
        trim_memory();
        if (++ticks_ % retry_ticks == 0) links_->retry(now);
        on_wake();
        tick();
    });
}

void Session::drain_journal_often() {
    if (!fast_->has_journal()) return;
    journal_timer_.expires_after(journal_period);
    journal_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error || is_stopped_) return;
        fast_->drain_journal();
        drain_journal_often();
    });
}

void Session::wake_soon() {
    boost::asio::post(io_, [this, alive = alive_] {
        if (*alive && !is_stopped_) on_wake();
    });
}

/// Everything that may have to be done, whoever woke us: each part is cheap when there is nothing.
void Session::on_wake() {
    if (has_failed()) return io_.stop();
    const Instant now = io::clock::now();
    auto events = std::move(kernel_events_);
    kernel_events_.clear();
    for (auto& event : kernel_.monitor().read_events()) events.push_back(std::move(event));
    if (!events.empty()) links_->on_events(events, now);
    for (const std::size_t router : kernel_.objects().on_events(events, now)) links_->step_back(router);
    take_events();
    apply_addresses();
    tell_track_groups();
    flush_notifications();
    tell_priorities();
    write_files();
    post_commands_soon();
}

/// Thousands of routers at once are more commands than the channel holds. Nothing else may wake us before the packet thread has made room.
void Session::post_commands_soon() {
    if (!fast_->has_waiting()) return;
    command_timer_.expires_after(command_period);
    command_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error || is_stopped_) return;
        fast_->post_waiting();
        post_commands_soon();
    });
}

/// Addresses first, words later: a router that has yielded must fall silent before the new Active's gratuitous ARPs are there, which
/// its kernel would answer otherwise, and a log line costs more than the netlink batch.
void Session::take_events() {
    collect_packet_events();
    const auto events = std::move(packet_events_);
    packet_events_.clear();
    backlog_.insert(backlog_.end(), events.begin(), events.end());
    for (const Event& event : events) {
        const std::size_t router = engine::to_number(event.router);
        const bool tells_state = event.kind == Event::Kind::transition || event.kind == Event::Kind::state_report;
        if (tells_state && router < plan_.routers.size()) want(router, event.to == engine::State::active);
    }
    if (!is_stopped_) apply_addresses();
    report_events(is_stopped_ ? backlog_.size() : events_per_turn);
}

void Session::want(std::size_t router, bool is_active) {
    keeper_->want(router, is_active);
    kernel_.objects().want(router, is_active);
}

void Session::collect_packet_events() {
    const auto events = fast_->take_events();
    packet_events_.insert(packet_events_.end(), events.begin(), events.end());
}

/// Log lines and scripts for events whose addresses are done, some of them: thousands of lines take a second, and what happens meanwhile goes first.
void Session::report_events(std::size_t limit) {
    const std::size_t end = std::min(backlog_.size(), reported_ + limit);
    for (; reported_ < end; ++reported_) on_event(Event(backlog_[reported_]));
    if (reported_ < backlog_.size()) {
        wake_soon();
        return;
    }
    is_trim_due_ = is_trim_due_ || backlog_.size() > 1000;
    if (!backlog_.empty()) backlog_ = std::vector<Event>();
    reported_ = 0;
}

/// After thousands of changes the heap holds ten times what is in use, and keeps it.
void Session::trim_memory() {
    if (!is_trim_due_ || !backlog_.empty()) return;
    is_trim_due_ = false;
    ::malloc_trim(0);
}

void Session::on_event(const Event& event) {
    if (event.kind == Event::Kind::paused) return on_pause(event);
    if (event.router == engine::RouterIndex::none && event.kind == Event::Kind::rejected) return on_unknown_vrid(event);
    const std::size_t router = engine::to_number(event.router);
    if (router >= plan_.routers.size()) return;
    if (event.kind == Event::Kind::state_report) return on_state_report(event);
    statuses_[router].effective_priority = static_cast<std::uint8_t>(tracking_->effective_priority(router));
    write_log(groups_->describe(event), limiter_, io::clock::now());
    write_log(describe_event(event, plan_.routers[router], statuses_[router], tracker_fault(router, event.faults)), limiter_, io::clock::now());
    if (event.kind == Event::Kind::transition) on_transition(event);
    if (event.kind == Event::Kind::lower_heard) notifier_->on_lower_priority(plan_.routers[router], statuses_[router].effective_priority);
}

void Session::on_pause(const Event& event) {
    const config::PacketThreadDefinitions& thread = configuration_.global.process.packet_thread;
    const bool is_long = std::chrono::milliseconds{event.detail} >= io::FastLoop::least_pause;
    if (is_long && thread.max_auto_priority >= 0) write_log({describe_pause(event)}, limiter_, io::clock::now());
    fast_->answer_pause(std::chrono::milliseconds{event.detail}, thread);
}

void Session::on_unknown_vrid(const Event& event) {
    const std::size_t link = event.detail & 0xffff;
    if (link < plan_.links.size()) write_log({describe_unknown_vrid(event, plan_.links[link].name)}, limiter_, io::clock::now());
}

/// What a tracker has against the router, for people; empty when it is something else that holds it.
std::string Session::tracker_fault(std::size_t router, std::uint8_t faults) const {
    const bool has_tracker_fault = (faults & static_cast<unsigned>(engine::Fault::tracker)) != 0;
    return has_tracker_fault ? tracking_->describe_fault(router) : std::string();
}

void Session::on_transition(const Event& event) {
    const std::size_t router = engine::to_number(event.router);
    RouterStatus& status = statuses_[router];
    status.state = operator_state(event.to, event.faults);
    status.faults = event.faults;
    status.since_wall_microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    status.last_peer = event.peer;
    status.last_reason = event.reason;
    status.last_value = event.value;
    // A router that only steps back is not stopped for those whom scripts serve; stop() tells of the end itself.
    if (status.state != OperatorState::stop) notify(router, status.state);
    groups_->on_state(router, status.state);
}

/// After the start: routers that a fault keeps from starting. Later: events were lost, and this is what they led to.
void Session::on_state_report(const Event& event) {
    const OperatorState state = operator_state(event.to, event.faults);
    RouterStatus& status = statuses_[engine::to_number(event.router)];
    if (state == status.state || state == OperatorState::init) return;
    Event transition = event;
    transition.kind = Event::Kind::transition;
    transition.from = status.state == OperatorState::master ? engine::State::active : engine::State::initialize;
    transition.reason = state == OperatorState::fault ? engine::Reason::fault : engine::Reason::none;
    on_event(transition);
}

void Session::apply_addresses() {
    const Instant now = io::clock::now();
    KernelObjects& objects = kernel_.objects();
    if (!keeper_->has_work(now) && !objects.has_work(now)) return;
    const auto between_sends = [this] {
        for (auto& event : kernel_.monitor().read_events()) kernel_events_.push_back(std::move(event));
        collect_packet_events();
    };
    objects.withdraw(between_sends);   // routes and rules come behind the addresses and go before them
    while (keeper_->has_work(now)) {
        for (const std::size_t router : keeper_->apply(now, between_sends)) {
            if (has_handed_over_) ready_for_successor_.push_back(router);
            else tell_ready(router);
        }
    }
    objects.apply(now, between_sends);
    lower_devices();
    // Our own changes come back as kernel messages; the descriptor may not tell again of those that were read in between.
    if (kernel_events_.empty() && packet_events_.empty()) return;
    wake_soon();
}

void Session::tell_ready(std::size_t router) {
    fast_->send({.kind = Command::Kind::addresses_ready, .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}});
}

void Session::tell_track_groups() {
    for (const auto& [group, is_complete] : kernel_.objects().take_changed_groups()) {
        const ThingIndex thing = trackers_.things().find(ThingKind::track_group, group);
        if (thing != ThingIndex::none) trackers_.things().set_up(thing, is_complete);
    }
}

/// One device per turn of the loop: events of the meantime come first.
void Session::lower_devices() {
    if (is_lowering_) return;
    is_lowering_ = true;
    boost::asio::post(io_, [this, alive = alive_] {
        if (!*alive || is_stopped_) return;
        is_lowering_ = false;
        if (keeper_->lower_one_device()) lower_devices();
    });
}

void Session::stop(bool for_good) {
    if (is_stopped_ || !fast_) return;
    is_stopped_ = true;
    if (event_descriptor_.is_open()) event_descriptor_.release();
    if (kernel_descriptor_.is_open()) kernel_descriptor_.release();
    tick_timer_.cancel();
    start_timer_.cancel();
    journal_timer_.cancel();
    command_timer_.cancel();
    fast_->send({.kind = Command::Kind::shutdown});
    fast_->stop();
    take_events();
    notifications_.clear();
    for (std::size_t i = 0; for_good && i < plan_.routers.size(); ++i) notify(i, OperatorState::stop);  // those in FAULT too
    if (for_good) groups_->on_stop();
    if (!options_.keep_addresses || !for_good) {
        kernel_.objects().withdraw_routers();
        for (std::size_t i = 0; i < plan_.routers.size(); ++i) keeper_->want(i, false);
        const Instant now = io::clock::now();
        do {
            keeper_->apply(now, {});
        } while (keeper_->has_work(now));
        if (for_good) kernel_.objects().withdraw_static();
        kernel_.restore_settings();
    }
    flush_notifications();
}

}  // namespace vigil::daemon
