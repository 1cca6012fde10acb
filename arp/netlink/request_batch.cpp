// Many requests in one datagram.
//
// A takeover of 65,280 routers must put as many addresses on their interfaces within half a second. One system call and one
// answer per address would double the kernel's own 7 microseconds, so requests are written one behind the other into one
// datagram and only the last asks for an acknowledgement. The kernel works through a datagram in order, answers each failed
// request with an error whether it asked or not, and goes on with the next; when the acknowledgement (or error) of the last
// has been read, every request without an error has succeeded.
//
// That inference needs that no error is lost. Errors wait in our receive queue until the datagram is worked through, so a
// datagram holds no more requests than the queue can hold errors for; and when one is lost all the same (ENOBUFS, or no
// verdict on the last), every request without a verdict is repeated alone with its own acknowledgement. Repeating is safe:
// what is there already, or gone already, is what the first attempt did.

#include "arp/netlink/request_batch.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace vigil::netlink {

namespace {

constexpr std::size_t most_requests_per_send = 1000;
/// A request of the longest kind (a route with 64 nexthops that are all tunnels) has some 8 KiB.
constexpr std::size_t least_buffer_bytes = 16 * 1024;
/// Kernel memory that one queued error occupies, extended ack included (measured: 768 to 1,280).
constexpr int queued_error_bytes = 1536;

std::size_t requests_for(const NetlinkSocket& socket) {
    const int fitting = socket.receive_buffer_bytes() / queued_error_bytes;
    return static_cast<std::size_t>(std::clamp(fitting, 1, static_cast<int>(most_requests_per_send)));
}

}  // namespace

struct RequestBatch::Job {
    std::span<const std::uint32_t> order;
    const Write& write;
    const Settle& settle;
};

/// One datagram on its way: the requests of `items`, with consecutive sequence numbers.
struct RequestBatch::Datagram {
    std::span<const std::uint32_t> items;
    std::uint32_t first_sequence = 0;
    std::size_t used_bytes = 0;
};

RequestBatch::RequestBatch(NetlinkSocket socket, std::size_t requests_per_send, std::size_t largest_request_bytes)
    : socket_(std::move(socket)), requests_per_send_(requests_per_send == 0 ? requests_for(socket_) : requests_per_send) {
    buffer_.resize(std::max(requests_per_send_ * largest_request_bytes, least_buffer_bytes));
}

void RequestBatch::run(std::span<const std::uint32_t> order, const Write& write, const Settle& settle, const std::function<void()>& between_sends) {
    const Job job{order, write, settle};
    std::size_t limit = requests_per_send_;
    for (std::size_t done = 0; done < order.size();) {
        done += send_some(job, done, limit);
        if (between_sends) between_sends();
    }
}

/// As many of the items as there is room for; only the last asks for an acknowledgement.
RequestBatch::Datagram RequestBatch::write_datagram(const Job& job, std::span<const std::uint32_t> items) {
    Datagram datagram{items.first(0), socket_.next_sequence(), 0};
    std::optional<MessageWriter> last;
    std::uint32_t sequence = datagram.first_sequence;
    for (const std::uint32_t item : items) {
        const auto room = std::span(buffer_).subspan(datagram.used_bytes);
        const MessageWriter message = job.write(room, item, sequence);
        if (!message.fits()) break;
        last = message;
        datagram.used_bytes += message.bytes().size();
        datagram.items = items.first(datagram.items.size() + 1);
        sequence = socket_.next_sequence();
    }
    if (last) last->add_flags(NLM_F_ACK);
    return datagram;
}

/// Sends one datagram of the items from `start` on and returns how many are settled by it: 0 when the kernel could not take
/// that much at once, and `limit` is then smaller.
std::size_t RequestBatch::send_some(const Job& job, std::size_t start, std::size_t& limit) {
    const auto waiting = job.order.subspan(start);
    const Datagram datagram = write_datagram(job, waiting.first(std::min(limit, waiting.size())));
    const std::size_t count = datagram.items.size();
    if (count == 0) {
        job.settle(waiting[0], {EMSGSIZE, "request too long"}, false);
        return 1;
    }
    if (auto sent = socket_.send(std::span(buffer_).first(datagram.used_bytes)); !sent) {
        limit = std::max<std::size_t>(count / 2, 1);  // EMSGSIZE, ENOBUFS: nothing was taken, less needs less memory
        if (count > 1) return 0;
        job.settle(waiting[0], sent.error(), false);
        return 1;
    }
    std::vector<bool> answered(count, false);
    if (collect_verdicts(job, datagram, answered)) return count;
    for (std::size_t i = 0; i < count; ++i) {
        if (!answered[i]) ask_again(job, datagram.items[i]);
    }
    return count;
}

/// True when the last request's verdict arrived and none was lost: then silence means success.
bool RequestBatch::collect_verdicts(const Job& job, const Datagram& sent, std::vector<bool>& answered) {
    bool is_complete = true;
    while (!answered.back() || !is_complete) {
        const auto datagram = socket_.receive();
        if (!datagram) {
            is_complete = false;
            if (datagram.error().error_number == ENOBUFS) continue;  // what was queued before the loss can still be read
            return false;
        }
        if (datagram->empty()) return false;
        for_each_message(*datagram, [&](const nlmsghdr& message) {
            const std::uint32_t index = message.nlmsg_seq - sent.first_sequence;
            if (message.nlmsg_type != NLMSG_ERROR || index >= sent.items.size()) return;
            job.settle(sent.items[index], read_verdict(message), false);
            answered[index] = true;
        });
    }
    return true;
}

void RequestBatch::ask_again(const Job& job, std::uint32_t item) {
    MessageWriter message = job.write(buffer_, item, socket_.next_sequence());
    const auto verdict = socket_.request(message);
    job.settle(item, verdict ? KernelError{} : verdict.error(), true);
}

}  // namespace vigil::netlink
