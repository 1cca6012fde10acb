// The BFD process.
//
// A process of its own, beside VRRP, so that nothing of VRRP can hold its packets up: no fork of a notify script (the kernel copies page tables while
// threads wait), no heap of sixty thousand routers, no netlink; and so that sessions outlive a VRRP process that is started anew. Two threads: this one reads files, makes sockets, writes the log and
// obeys signals; the session thread (engine/bfd/io/session_loop) does nothing but packets and timers and never waits for this one.
//
// A reload is a difference: sessions whose text did not change are not mentioned to the session thread at all.

#include "engine/daemon/bfd_child.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <csignal>
#include <future>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include <spdlog/spdlog.h>

#include "engine/bfd/io/session_loop.h"
#include "engine/bfd/state_message.h"
#include "engine/daemon/bfd_plan.h"
#include "engine/daemon/child_process.h"
#include "engine/daemon/configuration_load.h"
#include "engine/daemon/dump_file.h"
#include "engine/daemon/exit_code.h"
#include "engine/daemon/log.h"
#include "engine/daemon/process_limits.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/reporter.h"
#include "engine/daemon/rights.h"
#include "engine/daemon/signal_loop.h"
#include "engine/daemon/signals.h"
#include "engine/daemon/supervisor.h"
#include "engine/daemon/thread_list.h"
#include "engine/io/clock.h"
#include "engine/io/real_time.h"

namespace vigil::daemon {
namespace {

using bfd::Occurrence;
using bfd::Order;
using bfd::State;

/// As the packet thread of VRRP: a detection time is a few milliseconds, and one among many waits longer.
constexpr int usual_nice = -20;
constexpr std::chrono::seconds tick_period{1};
constexpr unsigned port_retry_ticks = 10;

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

std::string upper_name(State state) {
    switch (state) {
    case State::admin_down: return "ADMIN DOWN";
    case State::down: return "DOWN";
    case State::init: return "INIT";
    case State::up: return "UP";
    }
    return {};
}

class BfdChild {
public:
    BfdChild(const Options& options, int ready_fd, bfd::SessionLoop::Trackers trackers) : options_(options), ready_fd_(ready_fd), trackers_(trackers), signals_(io_), timer_(io_), news_(io_) {
        for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGRTMAX}) signals_.add(number);
        for (const int number : {SIGUSR2, SIGRTMAX - 1, SIGRTMIN + 2}) std::signal(number, SIG_IGN);
        unblock_handled_signals();
    }

    int run();

private:
    void start_thread(const config::BfdProcessSettings& settings);
    void on_signal(int number);
    void reload();
    void apply(const config::Configuration& configuration);
    void post(std::unique_ptr<Order> order);
    void add(const bfd::SessionSpec& spec);
    void open_ports();
    void wait_for_news();
    void take_news();
    void on_done(const Order& order);
    void report(const Occurrence& occurrence);
    void ask_for_dump();
    void tick();
    void stop();

    const Options& options_;
    int ready_fd_;
    bfd::SessionLoop::Trackers trackers_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    boost::asio::posix::stream_descriptor news_;
    std::unique_ptr<bfd::SessionLoop> loop_;
    std::thread thread_;
    config::Configuration configuration_;
    KnownErrors known_errors_;
    std::vector<bfd::SessionSpec> sessions_;              // that the thread has, or could not be given
    std::vector<bfd::SessionSpec> failed_;                // of these: no socket so far
    std::set<std::pair<Family, bool>> open_ports_;        // and whether multihop
    RateLimiter limiter_;
    unsigned ticks_ = 0;
    bool is_stopping_ = false;
};

int BfdChild::run() {
    config::LoadResult loaded = load_configuration(options_, false);
    if (!loaded.is_readable) return exit_no_config;
    known_errors_ = KnownErrors(loaded.diagnostics);
    auto loop = bfd::SessionLoop::make(random_seed(), trackers_);
    if (!loop) {
        spdlog::error("Cannot set up the BFD process: {}", loop.error().text());
        return exit_fatal;
    }
    loop_ = std::move(*loop);
    start_thread(loaded.configuration.global.bfd);
    news_.assign(loop_->event_fd());
    apply(std::move(loaded.configuration));
    wait_for_news();
    listen_to_signals(io_, signals_, [this](int number) { on_signal(number); });
    tick();
    tell_parent(ready_fd_, sign_ready);
    const Heartbeat heartbeat(io_, ready_fd_);
    io_.run();
    thread_.join();
    take_news();
    news_.release();
    spdlog::info("Stopped");
    return is_stopping_ ? exit_success : exit_internal;   // then the parent starts a new process
}

void BfdChild::start_thread(const config::BfdProcessSettings& settings) {
    limit_process(settings.cpus, settings.rlimit_rttime, "bfd");
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);   // inherited: signals are this thread's
    std::promise<io::Result<void>> scheduled;
    const io::RealTimeOptions scheduling{.priority = settings.rt_priority, .nice = settings.nice.value_or(usual_nice), .lock_memory = settings.no_swap};
    thread_ = std::thread([this, scheduling, &scheduled] {
        scheduled.set_value(io::enter_real_time(scheduling));
        loop_->run();
    });
    if (const auto entered = scheduled.get_future().get(); !entered) {
        spdlog::warn("BFD sessions are scheduled as any other thread: {}. bfd_priority and bfd_rt_priority need CAP_SYS_NICE, bfd_no_swap CAP_IPC_LOCK",
                     entered.error().text());
    }
    pthread_setname_np(thread_.native_handle(), "vigil-sessions");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void BfdChild::on_signal(int number) {
    if (number == SIGHUP) return reload();
    if (number == SIGUSR1) return ask_for_dump();
    if (number == SIGINT && options_.ignore_sigint) return;
    if (number == SIGRTMAX) return log_threads();
    stop();
}

/// What is wrong with the file is said by the VRRP process; both judge it alike.
void BfdChild::reload() {
    config::LoadResult loaded = load_configuration(options_, false);
    if (loaded.is_readable && known_errors_.covers(loaded.diagnostics)) apply(std::move(loaded.configuration));
    tell_parent(ready_fd_, sign_ready);
}

void BfdChild::apply(const config::Configuration& configuration) {
    const bool is_start = sessions_.empty() && configuration_.texts == nullptr;
    if (!is_start && configuration_.global.bfd != configuration.global.bfd) {
        spdlog::warn("How the BFD process is scheduled has changed in the file: that takes effect when the daemon is started anew");
    }
    configuration_ = {};
    configuration_.texts = configuration.texts;
    configuration_.global = configuration.global;
    std::vector<bfd::SessionSpec> now;
    for (const config::BfdInstance& instance : configuration.bfd_instances) now.push_back(session_spec(instance));
    const SessionChanges changes = compare_sessions(sessions_, now);
    sessions_ = std::move(now);
    const auto order_of = [](Order::Kind kind, const bfd::SessionSpec& spec) {
        auto order = std::make_unique<Order>();
        order->kind = kind;
        order->spec = spec;
        return order;
    };
    for (const bfd::SessionSpec& spec : changes.removed) {
        std::erase_if(failed_, [&](const bfd::SessionSpec& failed) { return failed.name == spec.name; });
        post(order_of(Order::Kind::remove, spec));
    }
    for (const bfd::SessionSpec& spec : changes.changed) {
        for (bfd::SessionSpec& failed : failed_) {
            if (failed.name == spec.name) failed = spec;
        }
        post(order_of(Order::Kind::change, spec));
    }
    open_ports();
    for (const bfd::SessionSpec& spec : changes.added) add(spec);
    if (is_start || !changes.is_empty()) {
        spdlog::info("{} BFD sessions: {} added, {} removed, {} changed", sessions_.size(), changes.added.size(), changes.removed.size(), changes.changed.size());
    }
}

/// The thread takes orders at once; only thousands of them at a time have to wait for room.
void BfdChild::post(std::unique_ptr<Order> order) {
    while (!loop_->post(order)) {
        take_news();
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

void BfdChild::add(const bfd::SessionSpec& spec) {
    auto sender = bfd::SendPort::open(spec);
    if (!sender) {
        const std::string cause = fmt::format("BFD_Instance({}) cannot send: {}", spec.name.view(), sender.error().text());
        if (limiter_.admit(cause, io::clock::now())) spdlog::error("{}; trying again in {} s", cause, port_retry_ticks);
        failed_.push_back(spec);
        return;
    }
    auto order = std::make_unique<Order>();
    order->kind = Order::Kind::add;
    order->spec = spec;
    order->sender = std::move(*sender);
    post(std::move(order));
}

/// Only those that some session needs: another BFD daemon of this host may have the others.
void BfdChild::open_ports() {
    for (const bfd::SessionSpec& spec : sessions_) {
        const std::pair<Family, bool> key{spec.neighbor.family, spec.is_multihop};
        if (open_ports_.contains(key)) continue;
        auto receiver = bfd::ReceivePort::open(key.first, key.second);
        if (!receiver) {
            const std::string cause = fmt::format("BFD sessions over {} cannot hear: {}", key.first == Family::ipv4 ? "IPv4" : "IPv6", receiver.error().text());
            if (limiter_.admit(cause, io::clock::now())) spdlog::error("{}; trying again in {} s", cause, port_retry_ticks);
            continue;
        }
        open_ports_.insert(key);
        auto order = std::make_unique<Order>();
        order->kind = Order::Kind::listen;
        order->receiver = std::move(*receiver);
        post(std::move(order));
    }
}

void BfdChild::wait_for_news() {
    take_news();
    news_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
        if (!error) wait_for_news();
    });
}

void BfdChild::take_news() {
    loop_->clear_event();
    loop_->arm_event();   // before the look
    while (const auto done = loop_->take_done()) on_done(*done);
    while (const auto occurrence = loop_->next_occurrence()) report(*occurrence);
    if (loop_->has_ended()) io_.stop();
}

void BfdChild::on_done(const Order& order) {
    if (order.kind != Order::Kind::picture) return;
    std::string text = "------< BFD Topology >------\n";
    for (const bfd::SessionPicture& picture : order.pictures) text += describe_session(picture, io::clock::now());
    for (const bfd::SessionSpec& spec : failed_) text += fmt::format(" BFD Instance = {}\n   has no socket\n", spec.name.view());
    text += "------< Refused packets >------\n";
    for (std::size_t i = 0; i < order.errors.size(); ++i) {
        text += fmt::format("   {:<26} {}\n", packet::to_string(static_cast<packet::BfdReceiveError>(i)), order.errors[i]);
    }
    const DumpPlace place = dump_place(DumpKind::sessions, configuration_.global, host_dump_directories());
    const auto written = write_dump_file(place, text);
    spdlog::info(written ? fmt::format("Wrote {}", place.path) : written.error());
}

void BfdChild::report(const Occurrence& occurrence) {
    const std::string_view name = occurrence.name.view();
    const Instant now = io::clock::now();
    switch (occurrence.kind) {
    case Occurrence::Kind::changed:
        if (!limiter_.admit(fmt::format("BFD_Instance({}) Entering {} state", name, upper_name(occurrence.to)), now)) return;
        if (occurrence.to == State::up || occurrence.to == State::init) {
            spdlog::log(occurrence.to == State::up ? spdlog::level::info : spdlog::level::debug, "BFD_Instance({}) Entering {} state", name, upper_name(occurrence.to));
        } else {
            spdlog::info("BFD_Instance({}) Entering {} state: {} (neighbor: {})", name, upper_name(occurrence.to), packet::to_string(occurrence.diagnostic),
                         packet::to_string(occurrence.remote_diagnostic));
        }
        return;
    case Occurrence::Kind::send_failed: {
        const std::string cause = fmt::format("BFD_Instance({}) cannot send: {}", name, std::strerror(occurrence.error_number));
        if (limiter_.admit(cause, now)) spdlog::warn(cause);
        return;
    }
    case Occurrence::Kind::sends_again:
        if (limiter_.admit(fmt::format("BFD_Instance({}) sends again", name), now)) spdlog::info("BFD_Instance({}) sends again", name);
        return;
    case Occurrence::Kind::held_up:
        if (!limiter_.admit("BFD sessions were held up", now)) return;
        spdlog::warn("BFD sessions were held up for {} ms by this host: their neighbors get one more interval", occurrence.delay.count() / 1'000'000);
        return;
    }
}

void BfdChild::ask_for_dump() {
    auto order = std::make_unique<Order>();
    order->kind = Order::Kind::picture;
    order->pictures.reserve(sessions_.size());
    post(std::move(order));
}

void BfdChild::tick() {
    timer_.expires_after(tick_period);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        write_summaries(limiter_, io::clock::now());
        if (++ticks_ % port_retry_ticks == 0) {
            open_ports();
            for (const bfd::SessionSpec& spec : std::exchange(failed_, {})) add(spec);
        }
        tick();
    });
}

void BfdChild::stop() {
    is_stopping_ = true;
    for (const bfd::SessionSpec& spec : sessions_) {
        auto order = std::make_unique<Order>();
        order->kind = Order::Kind::remove;
        order->spec = spec;
        post(std::move(order));   // says AdminDown to the neighbor
    }
    post(std::make_unique<Order>());
}

}  // namespace

int run_bfd_child(const Options& options, const ChildNames& names, int ready_fd, int vrrp_fd, int checkers_fd) {
    start_log({.identity = "Keepalived_bfd" + names.log_suffix, .to_console = options.log_to_console, .to_syslog = options.log_to_syslog,
               .facility = options.log_facility, .detail = options.log_detail, .file = log_file_of(options.log_file, "_bfd")});
    auto pid = acquire_patiently(names.pid_file);
    if (!pid) {
        spdlog::error(pid.error());
        return exit_fatal;
    }
    pid->write_pid();
    raise_descriptor_limit();
    return BfdChild(options, ready_fd, {.vrrp = vrrp_fd, .checkers = checkers_fd}).run();
}

void tell_bfd_death(int bfd_fd) {
    std::array<std::uint8_t, bfd::StateMessage::longest> buffer{};
    const auto message = bfd::write_message({.kind = bfd::StateMessage::Kind::reset}, buffer);
    (void)::send(bfd_fd, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace vigil::daemon
