#include "engine/daemon/fast_thread.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include <future>

#include <spdlog/spdlog.h>

#include "engine/daemon/reporter.h"
#include "engine/io/clock.h"
#include "engine/io/ring_plan.h"

namespace vigil::daemon {
namespace {

/// Links that reloads may add: a few bytes each.
constexpr std::size_t spare_links = 64;
constexpr std::size_t journal_ring_bytes = std::size_t{8} << 20;

/// Takes refused routers out of the plan until the engine accepts the rest.
tl::expected<engine::Engine, std::string> make_engine(Plan& plan, Instant now) {
    for (;;) {
        auto made = engine::Engine::make(plan.engine, now);
        if (made && plan.reports_unknown_vrids) made->report_unknown_vrids();
        if (made) return std::move(*made);
        const std::size_t at = engine::to_number(made.error().router);
        if (at >= plan.routers.size()) return tl::unexpected("Cannot build the packet engine: " + made.error().text);
        const PlannedRouter& router = plan.routers[at];
        plan.problems.push_back({router.where, fmt::format("({}) does not run: {}", router.name, made.error().text), true});
        plan.remove_router(at);
    }
}

io::RingNeed ring_need(const PlannedLink& link) { return {link.longest_frame, std::max(link.router_count, 1u)}; }

/// By LinkIndex.
std::vector<io::RingGeometry> rings_of(const Plan& plan) {
    std::vector<io::RingNeed> needs;
    for (const PlannedLink& link : plan.links) {
        if (link.is_used) needs.push_back(ring_need(link));
    }
    const std::vector<io::RingGeometry> planned = io::plan_rings(needs);
    std::vector<io::RingGeometry> rings(plan.links.size());
    auto next = planned.begin();
    for (std::size_t i = 0; i < rings.size(); ++i) {
        if (plan.links[i].is_used) rings[i] = *next++;
    }
    return rings;
}

}  // namespace

tl::expected<std::unique_ptr<FastThread>, std::string> FastThread::make(Plan& plan, const FastThreadSettings& settings) {
    std::unique_ptr<FastThread> self(new FastThread);
    const Instant now = io::clock::now();
    auto made = make_engine(plan, now);
    if (!made) return tl::unexpected(made.error());
    self->engine_ = std::make_unique<engine::Engine>(std::move(*made));
    self->rings_ = rings_of(plan);
    self->scheduling_ = settings.scheduling;

    const std::size_t routers = plan.routers.size();
    const std::size_t links = plan.links.size() + spare_links;
    self->ports_.resize(links);
    auto channel = io::ControlChannel::make({.commands = 4096, .events = std::min<std::size_t>(routers + 1024, 16384), .links = links, .routers = routers,
                                                 .hmac_routers = plan.engine.hmac_users.size()});
    if (!channel) return tl::unexpected("Cannot connect the packet thread: " + channel.error().text());
    self->channel_ = std::move(*channel);
    auto backend = io::make_backend(settings.backend, links, self->channel_->to_fast().fd());
    if (!backend) return tl::unexpected("Cannot set up the packet thread: " + backend.error().text());
    self->backend_name_ = backend->backend->name();
    if (!backend->fallback_reason.empty()) spdlog::info("Packet thread uses epoll, because io_uring is not available: {}", backend->fallback_reason);

    io::LoopOptions options{.link_count = links};
    options.batch.urgent = static_cast<std::uint32_t>(std::max<std::size_t>(options.batch.urgent, self->engine_->least_urgent_room()));
    options.batch.scratch_bytes =
        static_cast<std::uint32_t>(std::max<std::size_t>(options.batch.scratch_bytes, self->engine_->least_scratch_room()));
    self->batch_ = options.batch;
    if (!settings.journal.empty() && !self->open_journal(plan.engine, now, options.batch, settings.journal)) {
        spdlog::error("Cannot write the journal {}: {}; running without it", settings.journal, std::strerror(errno));
    }
    self->loop_ = std::make_unique<io::FastLoop>(*self->engine_, *self->channel_, std::move(backend->backend), options, self->journal_.get());
    return self;
}

FastThread::~FastThread() { stop(); }

bool FastThread::open_journal(const engine::EngineSpec& spec, Instant now, const engine::BatchCapacity& capacity, const std::string& path) {
    // What an earlier run or configuration recorded is what somebody wants to look at.
    if (std::rename(path.c_str(), (path + ".1").c_str()) == 0) spdlog::info("The journal so far is {}.1 now", path);
    journal_file_.open(path, std::ios::binary | std::ios::trunc);
    std::error_code ignored;   // the write that follows tells of a file that is not ours
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);   // it holds passwords and keys
    const std::vector<std::uint8_t> header = engine::write_journal_header(spec, now, capacity);
    journal_file_.write(reinterpret_cast<const char*>(header.data()), static_cast<std::streamsize>(header.size()));
    if (!journal_file_) return false;
    journal_ring_ = std::make_unique<engine::JournalRing>(journal_ring_bytes);
    journal_ = std::make_unique<engine::Journal>(*journal_ring_);
    return true;
}

void FastThread::drain_journal() {
    if (!has_journal()) return;
    std::array<std::uint8_t, 65536> buffer;
    for (std::size_t size = 0; (size = journal_ring_->read(buffer)) > 0;) {
        journal_file_.write(reinterpret_cast<const char*>(buffer.data()), static_cast<std::streamsize>(size));
    }
    journal_file_.flush();
}

io::LinkPortOptions FastThread::port_options(engine::LinkIndex link, const PlannedLink& planned) const {
    return {.link = link,
            .interface_name = planned.name,
            .interface_index = planned.interface_index,
            .ring = rings_[engine::to_number(link)],
            .filter = planned.filter,
            .groups = planned.groups,
            .unicast_macs = planned.unicast_macs,
            .routes_ipv4 = planned.routes_ipv4,
            .routes_ipv6 = planned.routes_ipv6};
}

bool FastThread::open_port(engine::LinkIndex link, const PlannedLink& planned) {
    io::LinkPortOptions options = port_options(link, planned);
    auto port = io::LinkPort::open(options);
    return hand_over(std::move(options), std::move(port));
}

std::vector<bool> FastThread::open_ports(const std::vector<PlannedLink>& links, const std::vector<std::size_t>& which) {
    std::vector<io::LinkPortOptions> wanted;
    for (const std::size_t i : which) {
        if (links[i].interface_index != 0) wanted.push_back(port_options(engine::LinkIndex{static_cast<std::uint16_t>(i)}, links[i]));
    }
    std::vector<bool> is_open(links.size(), false);
    auto ports = io::open_ports(wanted);
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const std::size_t link = engine::to_number(wanted[i].link);
        is_open[link] = hand_over(std::move(wanted[i]), std::move(ports[i]));
    }
    return is_open;
}

bool FastThread::refit_port(engine::LinkIndex link, const PlannedLink& planned) {
    OpenPort& open = ports_[engine::to_number(link)];
    io::LinkPortOptions wanted = port_options(link, planned);
    const io::LinkPortOptions& had = open.options;
    const bool hears_groups = std::ranges::all_of(wanted.groups, [&](const IpAddress& group) {
        return std::ranges::find(had.groups, group) != had.groups.end();
    });
    // A ring that would be larger by now, because others have gone, is no reason to lose what is in this one.
    const std::uint32_t least_slots = std::min(io::least_ring(ring_need(planned)).least_slots, wanted.ring.least_slots);
    const bool suits = open.port != nullptr && wanted.interface_index == had.interface_index && hears_groups && wanted.unicast_macs == had.unicast_macs &&
                       wanted.routes_ipv4 <= had.routes_ipv4 && wanted.routes_ipv6 <= had.routes_ipv6 && wanted.ring.slot_bytes <= had.ring.slot_bytes &&
                       least_slots <= had.ring.slot_count();
    if (!suits) return open_port(link, planned);
    if (wanted.filter == had.filter) return true;
    if (!open.port->change_filter(wanted.filter)) return open_port(link, planned);
    open.options.filter = wanted.filter;
    return true;
}

bool FastThread::hand_over(io::LinkPortOptions options, io::Result<std::unique_ptr<io::LinkPort>> port) {
    if (!port) {
        const std::string failure = fmt::format("Cannot send and receive on {}: {}", options.interface_name, port.error().text());
        if (port_failures_.admit(failure, io::clock::now())) spdlog::error(failure);
        return false;
    }
    for (const io::SystemError& refusal : (*port)->memberships().refusals()) {
        spdlog::warn("{}: {}; a switch that snoops may not forward adverts to us", options.interface_name, refusal.text());
    }
    const io::LinkPort* const given = port->get();
    if (channel_->hand_over(std::move(*port)) != nullptr) {
        spdlog::error("Cannot hand over the port of {}: too many changes at a time", options.interface_name);
        return false;
    }
    const std::size_t link = engine::to_number(options.link);
    ports_[link] = {given, std::move(options)};
    return true;
}

void FastThread::close_port(engine::LinkIndex link) {
    ports_[engine::to_number(link)] = {};
    channel_->withdraw(link);
}

tl::expected<std::unique_ptr<engine::Engine>, std::string> FastThread::make_successor(Plan& plan) {
    if (plan.links.size() > ports_.size()) return tl::unexpected(fmt::format("there are {} more interfaces", plan.links.size() - ports_.size()));
    successor_made_at_ = io::clock::now();
    auto made = make_engine(plan, successor_made_at_);
    if (!made) return tl::unexpected(made.error());
    const bool has_room = made->least_urgent_room() <= batch_.urgent && made->least_scratch_room() <= batch_.scratch_bytes;
    if (!has_room) return tl::unexpected(std::string("its adverts go to many more peers, or are much longer, or a sync group has many more members"));
    return std::make_unique<engine::Engine>(std::move(*made));
}

/// Whatever the packet thread wrote before is in the file, record for record, so this stands between two of its records.
bool FastThread::record_successor(const Plan& plan, const std::vector<engine::RouterIndex>& predecessors) {
    if (!has_journal()) return true;
    drain_journal();
    const std::vector<std::uint8_t> record = engine::write_journal_successor(plan.engine, successor_made_at_, predecessors);
    journal_file_.write(reinterpret_cast<const char*>(record.data()), static_cast<std::streamsize>(record.size()));
    return journal_file_.good();
}

bool FastThread::replace_engine(std::unique_ptr<engine::Engine> successor, const Plan& plan, const std::vector<engine::RouterIndex>& predecessors,
                                const std::function<void()>& take_events) {
    const auto wait = [&] {
        take_events();
        std::this_thread::sleep_for(std::chrono::microseconds{200});
    };
    while (has_waiting() && !has_failed()) wait();
    if (!record_successor(plan, predecessors)) spdlog::error("Cannot write to the journal: {}", std::strerror(errno));
    const io::FastLoop::Successor taken_by{successor.get(), predecessors};
    loop_->replace_engine(taken_by);
    while (!loop_->has_replaced_engine() && !has_failed()) wait();
    if (!loop_->has_replaced_engine()) return false;
    engine_ = std::move(successor);
    rings_ = rings_of(plan);
    channel_->set_router_count(plan.routers.size(), plan.engine.hmac_users.size());
    return true;
}

void FastThread::start() {
    // The thread inherits the mask: signals are the control thread's.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::promise<io::Result<void>> scheduled;   // only the control thread writes to the log
    thread_ = std::thread([this, &scheduled] {
        thread_number_.store(::gettid());
        scheduled.set_value(io::enter_real_time(scheduling_));
        run();
    });
    if (const auto entered = scheduled.get_future().get(); !entered) {
        spdlog::warn("The packet thread is scheduled as any other: {}. vrrp_priority and vrrp_rt_priority need CAP_SYS_NICE, vrrp_no_swap CAP_IPC_LOCK",
                     entered.error().text());
    }
    pthread_setname_np(thread_.native_handle(), "vigil-packets");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void FastThread::watch_pauses(const config::PacketThreadDefinitions& settings) {
    const bool may_rise = settings.max_auto_priority > scheduling_.priority;
    const Nanoseconds delay = std::chrono::microseconds{settings.min_auto_priority_delay};
    loop_->tell_pauses_from(may_rise ? std::min<Nanoseconds>(delay, io::FastLoop::least_pause) : io::FastLoop::least_pause);
}

void FastThread::answer_pause(std::chrono::milliseconds pause, const config::PacketThreadDefinitions& settings) {
    const int next = scheduling_.priority + 1;
    const bool is_long_enough = pause >= std::chrono::floor<std::chrono::milliseconds>(std::chrono::microseconds{settings.min_auto_priority_delay});
    if (!is_long_enough || next > settings.max_auto_priority || has_failed()) return;
    if (const auto raised = io::set_real_time_priority(thread_number_.load(), next); !raised) {
        if (port_failures_.admit("priority", io::clock::now())) spdlog::warn("Cannot raise the packet thread's priority: {}", raised.error().text());
        return;
    }
    scheduling_.priority = next;
    spdlog::info("The packet thread was kept waiting for {} ms: its real-time priority is {} now", pause.count(), next);
    watch_pauses(settings);
}

void FastThread::run() {
    if (auto ended = loop_->run(); !ended) loop_error_ = ended.error().text();
    has_ended_.store(true, std::memory_order_release);
    channel_->to_control().ring();
}

void FastThread::send(const engine::Command& command) {
    if (!waiting_.empty() || !channel_->post(command)) waiting_.push_back(command);
}

void FastThread::post_waiting() {
    while (!waiting_.empty() && channel_->post(waiting_.front())) waiting_.pop_front();
}

std::vector<engine::Event> FastThread::take_events() {
    write_summaries(port_failures_, io::clock::now());
    post_waiting();
    std::vector<std::unique_ptr<io::LinkPort>> returned;
    while (auto port = channel_->take_returned()) returned.push_back(std::move(port));
    if (!returned.empty()) io::close_ports(std::move(returned));
    std::vector<engine::Event> events;
    while (const auto event = channel_->next_event()) events.push_back(*event);
    return events;
}

void FastThread::stop() {
    if (!thread_.joinable()) return;
    // More commands than the ring holds: the thread is awake and makes room.
    while (!waiting_.empty()) {
        if (channel_->post(waiting_.front())) waiting_.pop_front();
        else std::this_thread::yield();
    }
    channel_->request_stop();
    thread_.join();
    drain_journal();
    if (loop_error_) spdlog::error("The packet thread ended: {}", *loop_error_);
}

}  // namespace vigil::daemon
