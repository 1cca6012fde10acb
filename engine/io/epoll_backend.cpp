#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "engine/io/backend.h"
#include "engine/io/clock.h"
#include "engine/io/transmit_errors.h"

// The epoll backend, for where io_uring is refused: the same rings, sends by sendmmsg().
//
// One sendmmsg() goes to one socket, but the engine's batches name links in any order. queue() therefore threads the frames of each
// socket into a list, keeping their order, and then sends list by list: order matters within a link only. sendmmsg() stops at the first
// frame that fails and says so by its count; the call is repeated from there, and when the first frame of a call fails, that one is reported and
// skipped. So every failure is known exactly.
//
// Sleeping: epoll_wait() knows milliseconds only, so a timerfd stands for the deadline. It counts CLOCK_BOOTTIME like every
// Instant, absolutely, hence without rounding and without drift over a suspend.

namespace vigil::io {
namespace {

constexpr std::size_t most_messages = 512;
constexpr std::size_t sockets_per_link = 3;   // transmit, route IPv4, route IPv6
constexpr std::size_t most_queued = 8192;     // frames per pass of the sorting
constexpr std::uint64_t wake_mark = ~std::uint64_t{0};
constexpr std::uint64_t timer_mark = wake_mark - 1;

class EpollBackend final : public Backend {
public:
    EpollBackend(std::size_t link_count, int wake_fd);
    Result<void> open();

    const char* name() const override { return "epoll"; }
    Result<void> attach_to_this_thread() override { return {}; }
    void attach(LinkPort& port) override;
    void detach(engine::LinkIndex link) override;
    LinkPort* take_detached() override;
    void queue(std::span<const engine::TxFrame> frames) override;
    void finish(Instant wait_until) override;
    std::span<const TransmitError> take_errors() override { return errors_.take(); }

private:
    static constexpr std::uint32_t end = ~0u;
    struct Socket {
        std::uint32_t first = end;   // list of frames, indices into next_
        std::uint32_t last = end;
    };

    Result<void> watch(int fd, std::uint64_t mark);
    void sort_and_send(std::span<const engine::TxFrame> frames);
    void send_list(std::size_t socket_index, std::span<const engine::TxFrame> frames);
    void send_messages(int fd, std::size_t count);
    int fd_of(std::size_t socket_index) const;
    void fill(std::size_t message, const engine::TxFrame& frame, std::uint32_t sequence);
    void sleep(Instant until);

    std::vector<LinkPort*> links_;
    std::vector<LinkPort*> detached_;
    int wake_fd_;
    FileDescriptor epoll_;
    FileDescriptor timer_;
    std::uint32_t sequence_ = 0;
    std::vector<Socket> sockets_;
    std::vector<std::size_t> used_sockets_;
    std::vector<std::uint32_t> next_;
    std::array<mmsghdr, most_messages> messages_{};
    std::array<iovec, most_messages> bytes_{};
    std::array<RouteDestination, most_messages> destinations_{};
    std::array<std::uint32_t, most_messages> sequences_{};
    TransmitErrors errors_;
};

EpollBackend::EpollBackend(std::size_t link_count, int wake_fd)
    : links_(link_count), wake_fd_(wake_fd), sockets_(link_count * sockets_per_link), next_(most_queued) {
    detached_.reserve(link_count + 16);
    used_sockets_.reserve(sockets_.size());
}

Result<void> EpollBackend::open() {
    epoll_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.is_open()) return last_error("make epoll");
    timer_ = FileDescriptor(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_.is_open()) return last_error("make timerfd");
    return watch(wake_fd_, wake_mark).and_then([&] { return watch(timer_.get(), timer_mark); });
}

Result<void> EpollBackend::watch(int fd, std::uint64_t mark) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = mark;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return last_error("watch descriptor");
    return {};
}

void EpollBackend::attach(LinkPort& port) {
    const std::size_t index = engine::to_number(port.link());
    assert(index < links_.size() && links_[index] == nullptr);
    links_[index] = &port;
    // Refused only for want of kernel memory: the ring is then read when something else wakes us.
    (void)watch(port.packet().receive_fd(), index);
}

void EpollBackend::detach(engine::LinkIndex link) {
    const std::size_t index = engine::to_number(link);
    if (index >= links_.size() || links_[index] == nullptr) return;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, links_[index]->packet().receive_fd(), nullptr);
    detached_.push_back(links_[index]);
    links_[index] = nullptr;
}

LinkPort* EpollBackend::take_detached() {
    if (detached_.empty()) return nullptr;
    LinkPort* port = detached_.back();
    detached_.pop_back();
    return port;
}

void EpollBackend::queue(std::span<const engine::TxFrame> frames) {
    while (!frames.empty()) {
        const auto slice = frames.first(std::min(frames.size(), most_queued));
        sort_and_send(slice);
        sequence_ += static_cast<std::uint32_t>(slice.size());
        frames = frames.subspan(slice.size());
    }
}

void EpollBackend::sort_and_send(std::span<const engine::TxFrame> frames) {
    used_sockets_.clear();
    for (std::uint32_t i = 0; i < frames.size(); ++i) {
        const engine::TxFrame& frame = frames[i];
        const std::size_t link = engine::to_number(frame.link);
        if (link >= links_.size() || links_[link] == nullptr) {
            errors_.add(sequence_ + i, ENXIO);
            continue;
        }
        const bool routed = frame.path == engine::TxPath::route;
        const std::size_t offset = !routed ? 0 : family_of(frame.bytes()) == Family::ipv4 ? 1 : 2;
        Socket& socket = sockets_[link * sockets_per_link + offset];
        next_[i] = end;
        if (socket.first == end) {
            socket.first = i;
            used_sockets_.push_back(link * sockets_per_link + offset);
        } else {
            next_[socket.last] = i;
        }
        socket.last = i;
    }
    for (const std::size_t index : used_sockets_) {
        send_list(index, frames);
        sockets_[index] = {};
    }
}

void EpollBackend::send_list(std::size_t socket_index, std::span<const engine::TxFrame> frames) {
    const int fd = fd_of(socket_index);
    std::size_t count = 0;
    for (std::uint32_t i = sockets_[socket_index].first; i != end; i = next_[i]) {
        fill(count++, frames[i], sequence_ + i);
        if (count < most_messages) continue;
        send_messages(fd, count);
        count = 0;
    }
    send_messages(fd, count);
}

int EpollBackend::fd_of(std::size_t socket_index) const {
    LinkPort* port = links_[socket_index / sockets_per_link];
    switch (socket_index % sockets_per_link) {
    case 0: return port->packet().transmit_fd();
    case 1: return port->route().fd(Family::ipv4);
    default: return port->route().fd(Family::ipv6);
    }
}

void EpollBackend::fill(std::size_t message, const engine::TxFrame& frame, std::uint32_t sequence) {
    msghdr& header = messages_[message].msg_hdr;
    bytes_[message] = {const_cast<std::uint8_t*>(frame.data), frame.size};
    header = {};
    header.msg_iov = &bytes_[message];
    header.msg_iovlen = 1;
    sequences_[message] = sequence;
    if (frame.path != engine::TxPath::route) return;
    RouteDestination& destination = destinations_[message];
    destination = destination_of(frame.bytes());
    header.msg_name = destination.size != 0 ? &destination.address : nullptr;   // nullptr: EDESTADDRREQ from the kernel
    header.msg_namelen = destination.size;
}

void EpollBackend::send_messages(int fd, std::size_t count) {
    for (std::size_t sent = 0; sent < count;) {
        const int result = ::sendmmsg(fd, &messages_[sent], static_cast<unsigned>(count - sent), MSG_DONTWAIT);
        if (result > 0) {
            sent += static_cast<std::size_t>(result);
            continue;
        }
        if (result < 0 && errno == EINTR) continue;
        errors_.add(sequences_[sent], result < 0 ? errno : EIO);
        ++sent;
    }
}

void EpollBackend::finish(Instant wait_until) {
    if (errors_.is_empty() && wait_until > clock::now()) sleep(wait_until);
    sequence_ = 0;
}

void EpollBackend::sleep(Instant until) {
    const std::int64_t latest = clock::now().ns + std::chrono::nanoseconds{std::chrono::hours{1}}.count();
    const std::int64_t at = std::min(until.ns, latest);
    itimerspec deadline{};
    deadline.it_value = {.tv_sec = at / 1'000'000'000, .tv_nsec = at % 1'000'000'000};
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &deadline, nullptr);
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == timer_mark) continue;   // set anew before it is waited for again, which makes it unreadable
        if (event.data.u64 == wake_mark) {
            std::uint64_t rung = 0;
            (void)!::read(wake_fd_, &rung, sizeof rung);
        } else if (LinkPort* port = links_[event.data.u64]; port != nullptr && (event.events & EPOLLERR) != 0) {
            port->packet().clear_error();
        }
    }
}

}  // namespace

Result<std::unique_ptr<Backend>> make_epoll_backend(std::size_t link_count, int wake_fd) {
    auto backend = std::make_unique<EpollBackend>(link_count, wake_fd);
    if (auto opened = backend->open(); !opened) return tl::unexpected(opened.error());
    return backend;
}

}  // namespace vigil::io
