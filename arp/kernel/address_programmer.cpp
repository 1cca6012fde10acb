// Addresses, thousands at a time.
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
// an address that is there already, or gone already, is what the first attempt did.
//
// Requests go out grouped by interface, in the caller's order within one: adding to interfaces in turn costs the kernel three
// times as much (it walks the address list and the prefix routes of one device each time, cold).
//
// EEXIST on adding is success: an operator's or an earlier run's address is adopted. It is reported as such, because an
// adopted address carries other flags and lifetimes than asked for.

#include "arp/kernel/address_programmer.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <utility>

#include "arp/kernel/kernel_state.h"

namespace vigil::arp::kernel {

namespace {

/// Header, the largest attributes (IPv6 local, peer, flags, cacheinfo, protocol) and a 15-character label: below 160.
constexpr std::size_t largest_request_bytes = 192;
constexpr std::size_t most_requests_per_send = 1000;
/// Kernel memory that one queued error occupies, extended ack included (measured: 768 to 1,280).
constexpr int queued_error_bytes = 1536;

std::size_t requests_for(const NetlinkSocket& socket) {
    const int fitting = socket.receive_buffer_bytes() / queued_error_bytes;
    return static_cast<std::size_t>(std::clamp(fitting, 1, static_cast<int>(most_requests_per_send)));
}

std::uint32_t address_flags(const AddressSpec& spec) {
    std::uint32_t flags = 0;
    if (spec.key.address.family == Family::ipv6) {
        if (!spec.has_duplicate_detection) flags |= IFA_F_NODAD;
        if (spec.is_home_address) flags |= IFA_F_HOMEADDRESS;
        if (spec.manages_temporary_addresses) flags |= IFA_F_MANAGETEMPADDR;
    }
    if (spec.has_no_prefix_route) flags |= IFA_F_NOPREFIXROUTE;
    if (spec.joins_multicast) flags |= IFA_F_MCAUTOJOIN;
    return flags;
}

void put_lifetime(MessageWriter& message, const AddressSpec& spec) {
    const bool is_ipv6 = spec.key.address.family == Family::ipv6;
    if (!is_ipv6 && !spec.preferred_lifetime) return;
    const bool is_host_address = is_ipv6 && spec.key.prefix_length == 128;
    ifa_cacheinfo lifetime{};
    lifetime.ifa_prefered = spec.preferred_lifetime.value_or(is_host_address ? 0 : lifetime_forever);
    lifetime.ifa_valid = lifetime_forever;
    std::array<std::uint8_t, sizeof lifetime> octets{};
    std::memcpy(octets.data(), &lifetime, sizeof lifetime);
    message.put(IFA_CACHEINFO, octets);
}

void write_change(MessageWriter& message, const AddressChange& change) {
    const AddressSpec& spec = change.spec;
    const bool is_ipv4 = spec.key.address.family == Family::ipv4;
    auto* const header = message.put_header<ifaddrmsg>();
    if (header == nullptr) return;
    header->ifa_family = static_cast<std::uint8_t>(address_family(spec.key.address.family));
    header->ifa_prefixlen = spec.key.prefix_length;
    header->ifa_index = spec.key.interface_index;
    message.put_address(IFA_LOCAL, spec.key.address);
    // RTM_DELADDR compares every attribute it gets, so it gets only the key; and it compares the prefix length only when
    // IFA_ADDRESS is there.
    message.put_address(IFA_ADDRESS, spec.key.peer.value_or(spec.key.address));
    if (change.operation == AddressOperation::remove) return;
    header->ifa_scope = is_ipv4 ? spec.scope : std::uint8_t{0};
    if (is_ipv4 && spec.broadcast) message.put_address(IFA_BROADCAST, *spec.broadcast);
    if (is_ipv4 && !spec.label.empty()) message.put_text(IFA_LABEL, spec.label);
    if (const std::uint32_t flags = address_flags(spec); flags != 0) message.put_u32(IFA_FLAGS, flags);
    put_lifetime(message, spec);
    message.put_u8(IFA_PROTO, our_address_protocol);
}

MessageWriter start_change(std::span<std::byte> room, const AddressChange& change, std::uint32_t sequence) {
    const bool is_add = change.operation == AddressOperation::add;
    // Without NLM_F_REPLACE an existing address is EEXIST, which is how adoption is noticed.
    MessageWriter message(room, is_add ? RTM_NEWADDR : RTM_DELADDR, is_add ? NLM_F_CREATE : 0, sequence);
    write_change(message, change);
    return message;
}

AddressResult judge(AddressOperation operation, KernelError verdict) {
    if (verdict.error_number == 0) return {};
    const bool is_add = operation == AddressOperation::add;
    if (is_add && verdict.error_number == EEXIST) return {AddressOutcome::already_there, {}};
    const bool is_gone = verdict.error_number == EADDRNOTAVAIL || verdict.error_number == ENODEV;
    if (!is_add && is_gone) return {AddressOutcome::already_gone, {}};
    return {AddressOutcome::refused, std::move(verdict)};
}

}  // namespace

/// The changes of one apply(), their results at the same indices, and the order in which they go out.
struct AddressProgrammer::Job {
    std::span<const AddressChange> changes;
    std::vector<AddressResult> results;
    std::vector<std::uint32_t> order;
};

/// One datagram on its way: the changes at `items`, with consecutive sequence numbers.
struct AddressProgrammer::Batch {
    std::span<const std::uint32_t> items;
    std::uint32_t first_sequence = 0;
    std::size_t used_bytes = 0;
};

AddressProgrammer::AddressProgrammer(NetlinkSocket socket, std::size_t requests_per_send)
    : socket_(std::move(socket)), requests_per_send_(requests_per_send == 0 ? requests_for(socket_) : requests_per_send) {
    buffer_.resize(requests_per_send_ * largest_request_bytes);
}

KernelResult<AddressProgrammer> AddressProgrammer::open(const ProgrammerOptions& options) {
    auto socket = NetlinkSocket::open(options.socket);
    if (!socket) return tl::unexpected(socket.error());
    return AddressProgrammer(std::move(*socket), options.requests_per_send);
}

std::vector<AddressResult> AddressProgrammer::apply(std::span<const AddressChange> changes,
                                                    const std::function<void()>& between_sends) {
    Job job{changes, std::vector<AddressResult>(changes.size()), std::vector<std::uint32_t>(changes.size())};
    std::iota(job.order.begin(), job.order.end(), 0U);
    std::ranges::stable_sort(job.order, {}, [&](std::uint32_t item) { return changes[item].spec.key.interface_index; });
    std::size_t limit = requests_per_send_;
    for (std::size_t done = 0; done < job.order.size();) {
        const std::size_t count = send_some(job, done, limit);
        done += count;
        if (between_sends) between_sends();
    }
    return std::move(job.results);
}

/// As many of the items as there is room for; only the last asks for an acknowledgement.
AddressProgrammer::Batch AddressProgrammer::write_batch(const Job& job, std::span<const std::uint32_t> items) {
    Batch batch{items.first(0), socket_.next_sequence(), 0};
    std::optional<MessageWriter> last;
    std::uint32_t sequence = batch.first_sequence;
    for (const std::uint32_t item : items) {
        const auto room = std::span(buffer_).subspan(batch.used_bytes);
        const MessageWriter message = start_change(room, job.changes[item], sequence);
        if (!message.fits()) break;
        last = message;
        batch.used_bytes += message.bytes().size();
        batch.items = items.first(batch.items.size() + 1);
        sequence = socket_.next_sequence();
    }
    if (last) last->add_flags(NLM_F_ACK);
    return batch;
}

/// Sends one datagram of the items from `start` on and returns how many are settled by it: 0 when the kernel could not take
/// that much at once, and `limit` is then smaller.
std::size_t AddressProgrammer::send_some(Job& job, std::size_t start, std::size_t& limit) {
    const auto waiting = std::span(job.order).subspan(start);
    const Batch batch = write_batch(job, waiting.first(std::min(limit, waiting.size())));
    const std::size_t count = batch.items.size();
    if (count == 0) {
        job.results[waiting[0]] = {AddressOutcome::refused, {EMSGSIZE, "address request too long"}};
        return 1;
    }
    if (auto sent = socket_.send(std::span(buffer_).first(batch.used_bytes)); !sent) {
        limit = std::max<std::size_t>(count / 2, 1);  // EMSGSIZE, ENOBUFS: nothing was taken, less needs less memory
        if (count > 1) return 0;
        job.results[waiting[0]] = {AddressOutcome::refused, sent.error()};
        return 1;
    }
    std::vector<bool> answered(count, false);
    if (collect_verdicts(job, batch, answered)) return count;
    for (std::size_t i = 0; i < count; ++i) {
        if (!answered[i]) ask_again(job.changes[batch.items[i]], job.results[batch.items[i]]);
    }
    return count;
}

/// True when the last request's verdict arrived and none was lost: then silence means success.
bool AddressProgrammer::collect_verdicts(Job& job, const Batch& batch, std::vector<bool>& answered) {
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
            const std::uint32_t index = message.nlmsg_seq - batch.first_sequence;
            if (message.nlmsg_type != NLMSG_ERROR || index >= batch.items.size()) return;
            const std::uint32_t item = batch.items[index];
            job.results[item] = judge(job.changes[item].operation, read_verdict(message));
            answered[index] = true;
        });
    }
    return true;
}

void AddressProgrammer::ask_again(const AddressChange& change, AddressResult& result) {
    MessageWriter message = start_change(buffer_, change, socket_.next_sequence());
    const auto verdict = socket_.request(message);
    result = verdict ? AddressResult{} : judge(change.operation, verdict.error());
    // The lost first attempt may have been the one that did it.
    if (result.outcome != AddressOutcome::refused) result.outcome = AddressOutcome::done;
}

}  // namespace vigil::arp::kernel
