// The thread that keeps BFD sessions.
//
// It lives in a process of its own (engine/daemon/bfd_child). With ten milliseconds between packets there is no room for what other threads of a process do
// to it: a fork that copies page tables, a heap that is trimmed, a reload that parses for half a second. Here nobody forks, and what allocates happens on the control thread of
// this process, which reads the configuration, makes sockets and writes the log.
//
// A pass, always in this order: orders, frames, time, packets, news. All datagrams that had arrived when the pass began are taken before a timer is judged, and the
// Detection Time counts from their arrival at the kernel: a thread that was held up finds its neighbors alive in the socket's queue. When it was held up
// itself, the neighbors' packets may not even have reached the queue: then every session gets one more interval (SessionTable::on_pause()).
//
// Whoever tracks a session hears of it from this thread, by one datagram of a socket pair that never blocks. When the pair is full, because the other
// process is busy, the session is marked and told later, as it stands then: what counts is the state, not its history. The log hears through
// a ring that the control thread empties; when that is full, lines are lost and nothing else.

#include "engine/bfd/io/session_loop.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "engine/bfd/state_message.h"
#include "engine/io/clock.h"

namespace vigil::bfd {
namespace {

constexpr std::size_t orders_under_way = 4096;
constexpr std::size_t occurrences_under_way = 2048;
constexpr std::size_t most_batches = 64;                          // of a port in a pass: a flood must not keep us from sending
constexpr Nanoseconds long_pause{std::chrono::milliseconds{5}};
constexpr Nanoseconds telling_period{std::chrono::milliseconds{5}};

}  // namespace

io::Result<std::unique_ptr<SessionLoop>> SessionLoop::make(std::uint64_t seed, Trackers trackers) {
    auto orders = io::Doorbell::make();
    auto news = io::Doorbell::make();
    if (!orders) return tl::unexpected(orders.error());
    if (!news) return tl::unexpected(news.error());
    std::unique_ptr<SessionLoop> loop(new SessionLoop(seed, trackers, std::move(*orders), std::move(*news)));
    if (auto ready = loop->set_up(); !ready) return tl::unexpected(ready.error());
    return loop;
}

SessionLoop::SessionLoop(std::uint64_t seed, Trackers trackers, io::Doorbell orders, io::Doorbell news)
    : table_(seed), audiences_{{{trackers.vrrp, &SessionSpec::tells_vrrp, true, {}}, {trackers.checkers, &SessionSpec::tells_checkers, false, {}}}},
      orders_bell_(std::move(orders)), news_(std::move(news)), orders_(orders_under_way), done_(2 * orders_under_way),
      occurrences_(occurrences_under_way) {}

SessionLoop::~SessionLoop() {
    while (const auto order = orders_.pop()) delete *order;
    while (take_done()) {
    }
}

io::Result<void> SessionLoop::set_up() {
    epoll_ = io::FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.is_open()) return io::last_error("make an epoll descriptor");
    timer_ = io::FileDescriptor(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_.is_open()) return io::last_error("make a timer");
    const bool is_watching = watch(timer_.get()) && watch(orders_bell_.fd()) &&
                             std::ranges::all_of(audiences_, [this](const Audience& one) { return one.fd < 0 || watch(one.fd); });
    if (!is_watching) return io::last_error("wait for events");
    receivers_.reserve(4);
    orders_bell_.arm();
    last_hearing_ = io::clock::now();
    armed_ = distant_future;
    return {};
}

bool SessionLoop::watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

bool SessionLoop::post(std::unique_ptr<Order>& order) {
    if (!orders_.push(order.get())) return false;
    (void)order.release();
    orders_bell_.ring();
    return true;
}

std::unique_ptr<Order> SessionLoop::take_done() {
    const auto done = done_.pop();
    return std::unique_ptr<Order>(done ? *done : nullptr);
}

void SessionLoop::run() {
    while (!is_stopping_) {
        std::array<epoll_event, 8> events;
        const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
        if (count < 0 && errno != EINTR) break;
        pass();
    }
    has_ended_.store(true, std::memory_order_release);
    news_.ring();
}

void SessionLoop::pass() {
    const Instant now = io::clock::now();
    orders_bell_.clear();
    orders_bell_.arm();   // before the look at the ring
    carry_out_orders(now);
    hear(now);
    hear_trackers();
    judge(now);
    deliver();
    arm_timer(now);
    if (std::exchange(has_news_, false)) news_.ring();
}

void SessionLoop::carry_out_orders(Instant now) {
    while (const auto order = orders_.pop()) {
        carry_out(**order, now);
        deliver();
        (void)done_.push(*order);   // has room for more than can be under way
        has_news_ = true;
    }
}

void SessionLoop::carry_out(Order& order, Instant now) {
    switch (order.kind) {
    case Order::Kind::add: {
        const auto index = table_.add(order.spec, now, outcome_);
        if (!index) return;
        if (seats_.size() <= *index) seats_.resize(*index + 1);
        seats_[*index] = {.sender = std::move(order.sender)};
        make_room();
        return mark_untold(*index);
    }
    case Order::Kind::change:
        if (const auto index = table_.find(order.spec.name.view())) {
            table_.change(*index, order.spec, now, outcome_);
            mark_untold(*index);
        }
        return;
    case Order::Kind::remove:
        if (const auto index = table_.find(order.spec.name.view())) {
            table_.remove(*index, now, outcome_);
            deliver();
            order.sender = std::move(seats_[*index].sender);   // closed by who made it
            for (Audience& audience : audiences_) std::erase(audience.untold, *index);
        }
        return;
    case Order::Kind::listen:
        if (watch(order.receiver->fd())) receivers_.push_back(std::move(*order.receiver));
        return;
    case Order::Kind::picture: return take_pictures(order);
    case Order::Kind::stop: is_stopping_ = true; return;
    }
}

/// For all that can be said at once, so that nothing is allocated while sessions run.
void SessionLoop::make_room() {
    constexpr std::size_t of_a_batch = 2 * ReceivePort::batch;
    outcome_.transmissions.reserve(of_a_batch + seats_.capacity());
    outcome_.changes.reserve(of_a_batch + seats_.capacity());
    for (Audience& audience : audiences_) audience.untold.reserve(seats_.capacity());
}

void SessionLoop::take_pictures(Order& order) const {
    for (const SessionIndex index : table_.all()) {
        if (order.pictures.size() == order.pictures.capacity()) break;
        order.pictures.push_back({table_.spec(index), table_.session(index), table_.counters(index), seats_[index].sender.source_port()});
    }
    for (std::size_t i = 0; i < order.errors.size(); ++i) order.errors[i] = table_.error_count(static_cast<packet::BfdReceiveError>(i));
}

void SessionLoop::hear(Instant now) {
    const io::clock::ArrivalWindow window{io::clock::realtime_to_boot(), last_hearing_, now};
    bool is_complete = true;
    for (ReceivePort& receiver : receivers_) {
        std::size_t count = ReceivePort::batch;
        for (std::size_t i = 0; i < most_batches && count == ReceivePort::batch; ++i) {
            const auto datagrams = receiver.read(window);
            count = datagrams.size();
            for (const Datagram& datagram : datagrams) table_.on_datagram(datagram, now, outcome_);
            deliver();
        }
        is_complete = is_complete && count < ReceivePort::batch;
    }
    if (is_complete) last_hearing_ = now;
}

void SessionLoop::hear_trackers() {
    std::array<std::uint8_t, StateMessage::longest> buffer;
    for (std::size_t i = 0; i < audience_count; ++i) {
        while (audiences_[i].fd >= 0) {
            const ssize_t size = ::recv(audiences_[i].fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (size <= 0) break;
            const auto message = read_message({buffer.data(), static_cast<std::size_t>(size)});
            if (!message || message->kind != StateMessage::Kind::ask) continue;
            audiences_[i].is_listening = true;
            for (const SessionIndex index : table_.all()) mark_untold(i, index);
        }
    }
}

void SessionLoop::judge(Instant now) {
    const Nanoseconds lateness = now - armed_;
    if (armed_ != distant_future && lateness > long_pause) {
        table_.on_pause(now);
        tell_log({.kind = Occurrence::Kind::held_up, .delay = lateness});
    }
    table_.on_time(now, outcome_);
}

void SessionLoop::deliver() {
    for (const Transmission& transmission : outcome_.transmissions) transmit(transmission);
    for (const StateChange& change : outcome_.changes) note(change);
    outcome_.clear();
    tell_trackers();
}

void SessionLoop::note(const StateChange& change) {
    tell_log({.kind = Occurrence::Kind::changed, .name = table_.spec(change.session).name, .from = change.from, .to = change.to,
              .diagnostic = change.diagnostic, .remote_diagnostic = change.remote_diagnostic});
    mark_untold(change.session);
}

void SessionLoop::transmit(const Transmission& transmission) {
    if (transmission.session >= seats_.size()) return;
    Seat& seat = seats_[transmission.session];
    const int error = seat.sender.send(transmission.bytes);
    if (error == seat.send_error) return;
    seat.send_error = error;
    tell_log({.kind = error == 0 ? Occurrence::Kind::sends_again : Occurrence::Kind::send_failed, .name = table_.spec(transmission.session).name,
              .error_number = error});
}

void SessionLoop::mark_untold(SessionIndex session) {
    for (std::size_t i = 0; i < audience_count; ++i) mark_untold(i, session);
}

void SessionLoop::mark_untold(std::size_t audience, SessionIndex session) {
    Audience& told = audiences_[audience];
    if (told.fd < 0 || !told.is_listening || session >= seats_.size() || seats_[session].is_untold[audience] || !(table_.spec(session).*told.is_told)) return;
    seats_[session].is_untold[audience] = true;
    told.untold.push_back(session);
}

void SessionLoop::tell_trackers() {
    for (std::size_t i = 0; i < audience_count; ++i) {
        std::vector<SessionIndex>& untold = audiences_[i].untold;
        std::size_t told = 0;
        for (; told < untold.size() && tell(audiences_[i], untold[told]); ++told) seats_[untold[told]].is_untold[i] = false;
        untold.erase(untold.begin(), untold.begin() + static_cast<std::ptrdiff_t>(told));
    }
}

/// False: the other process has not read what it has been told so far.
bool SessionLoop::tell(const Audience& audience, SessionIndex session) const {
    std::array<std::uint8_t, StateMessage::longest> buffer;
    const Session& told = table_.session(session);
    const auto message = write_message({StateMessage::Kind::state, table_.spec(session).name, told.state, told.diagnostic}, buffer);
    const ssize_t sent = ::send(audience.fd, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

void SessionLoop::tell_log(const Occurrence& occurrence) {
    (void)occurrences_.push(occurrence);
    has_news_ = true;
}

void SessionLoop::arm_timer(Instant now) {
    armed_ = table_.next_deadline();
    Instant wake = armed_;
    if (!audiences_[0].untold.empty() || !audiences_[1].untold.empty()) wake = std::min(wake, now + telling_period);
    itimerspec setting{};
    if (wake != distant_future) {
        const std::int64_t at = std::max<std::int64_t>(wake.ns, 1);   // 0 would disarm it
        setting.it_value = {at / 1'000'000'000, at % 1'000'000'000};
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr);   // in the past: at once
}

}  // namespace vigil::bfd
