// The socket to the load balancer.
//
// Two sockets: one asks, one changes. Answers to questions come in many parts and are read to their end before the next question; verdicts on
// changes are errors alone, matched to their requests by sequence number (netlink/request_batch.cpp). So neither has to look for its answers
// among the other's.
//
// Generic netlink handles a datagram of many requests as rtnetlink does: in order, within our send(), each failed one answered with an error. All
// requests of IPVS except dumps may be batched; a dump is one at a time per socket, so the destinations of each service cost three system calls.
//
// IPVS gives no extended acks: of a refusal there is an errno alone, and what it means depends on the request. hint() says it where it is not
// obvious. Errors that say "the table is not what you think" (EEXIST, ESRCH, ENOENT) mark the outcome as stale, and program() reads and
// compares again. The number of the family changes when the module is loaded anew; the kernel then answers ENOENT, and we ask for the number again.

#include "ipvs/client.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace vigil::ipvs {

namespace {

using netlink::MessageWriter;
using netlink::NetlinkSocket;
using netlink::refused;

constexpr int most_attempts = 3;
/// Datagrams that are thrown away after answers were lost; more cannot be queued.
constexpr int most_drained = 1 << 16;

bool is_about_destination(OperationKind kind) {
    return kind == OperationKind::new_destination || kind == OperationKind::set_destination || kind == OperationKind::delete_destination;
}

MessageWriter write_operation(const RequestHead& head, const Operation& operation) {
    const Service& service = *operation.service;
    switch (operation.kind) {
        case OperationKind::new_service: return write_new_service(head, service);
        case OperationKind::set_service: return write_set_service(head, service);
        case OperationKind::delete_service: return write_delete_service(head, service.key);
        case OperationKind::new_destination: return write_new_destination(head, service.key, *operation.destination);
        case OperationKind::set_destination: return write_set_destination(head, service.key, *operation.destination);
        case OperationKind::delete_destination: return write_delete_destination(head, service.key, operation.destination->key);
    }
    return write_get_info(head);
}

/// The error says that the entry is as it should be: the lost answer to an earlier attempt was a success.
bool is_done_already(OperationKind kind, int error_number) {
    switch (kind) {
        case OperationKind::new_service:
        case OperationKind::new_destination: return error_number == EEXIST;
        case OperationKind::delete_destination:
        case OperationKind::delete_service: return error_number == ESRCH || error_number == ENOENT;
        case OperationKind::set_service:
        case OperationKind::set_destination: return false;
    }
    return false;
}

/// The kernel's table differs from the one that the operation was made for. A service that names what the kernel lacks also gets ENOENT, but that does not
/// get better by looking again.
bool tells_of_change(OperationKind kind, int error_number) {
    if (error_number == EEXIST || error_number == ESRCH) return true;
    return error_number == ENOENT && is_about_destination(kind);
}

std::string_view hint(OperationKind kind, int error_number) {
    const bool is_of_destination = is_about_destination(kind);
    switch (error_number) {
        case EPERM: return "CAP_NET_ADMIN is needed";
        case ENOENT:
            return is_of_destination ? "there is no such destination" : "the kernel lacks its scheduler or persistence engine (modules ip_vs_*, ip_vs_pe_*)";
        case ESRCH: return "there is no such service";
        case EEXIST: return "somebody else added it";
        case ERANGE: return "a negative weight, or a lower threshold above the upper one";
        case EINVAL:
            return is_of_destination ? "an address that is not unicast, a GUE tunnel without a port, or another address family than the service "
                                       "(which needs tunnelling, and no sync daemon)"
                                     : "a value that the kernel does not take";
        case EAFNOSUPPORT: return "the kernel's IPVS has no IPv6";
        default: return {};
    }
}

Refusal make_refusal(const Operation& operation, const KernelError& error) {
    Refusal refusal{operation.kind, operation.service->key, operation.destination != nullptr, {}, error};
    if (operation.destination != nullptr) refusal.destination = operation.destination->key;
    return refusal;
}

}  // namespace

std::string to_string(const Refusal& refusal) {
    const bool is_new_destination = refusal.kind == OperationKind::new_destination;
    std::string text = "cannot " + std::string(verb(refusal.kind)) + ' ';
    if (refusal.has_destination) text += to_string(refusal.destination) + (is_new_destination ? " to " : " of ");
    text += to_string(refusal.service) + ": " + netlink::to_string(refusal.error);
    const std::string_view known = hint(refusal.kind, refusal.error.error_number);
    if (!known.empty()) text += ": " + std::string(known);
    return text;
}

Client::Client(NetlinkSocket questions, NetlinkSocket changes, const ClientOptions& options)
    : questions_(std::move(questions)), changes_(std::move(changes), options.requests_per_send, largest_request_bytes) {}

KernelResult<Client> Client::open(const ClientOptions& options) {
    auto questions = NetlinkSocket::open(options.socket);
    if (!questions) return tl::unexpected(questions.error());
    auto changes = NetlinkSocket::open(options.socket);
    if (!changes) return tl::unexpected(changes.error());
    Client client(std::move(*questions), std::move(*changes), options);
    if (auto found = client.find_family(); !found) return tl::unexpected(found.error());
    return client;
}

KernelResult<void> Client::find_family() {
    auto id = ask_one<std::uint16_t>(write_family_request, read_family_id, "the number of generic netlink family IPVS");
    if (!id && id.error().error_number == ENOENT) {
        return refused(ENOENT, "no IPVS in this kernel: module ip_vs is missing, or cannot be loaded from here (modprobe ip_vs)");
    }
    if (!id) return tl::unexpected(id.error());
    family_ = *id;
    return {};
}

/// Asks for the number again; while it is asked for it is 0, so that an ENOENT to this question asks no further.
bool Client::has_family_changed() {
    const std::uint16_t before = std::exchange(family_, std::uint16_t{0});
    if (find_family()) return family_ != before;
    family_ = before;
    return false;
}

Outcome Client::apply(std::span<const Operation> operations) {
    Outcome outcome;
    outcome.operation_count = operations.size();
    order_.resize(operations.size());
    std::iota(order_.begin(), order_.end(), 0u);
    const auto write = [&](std::span<std::byte> room, std::uint32_t item, std::uint32_t sequence) {
        return write_operation({room, family_, sequence}, operations[item]);
    };
    bool has_enoent = false;
    std::unordered_set<ServiceKey, KeyHash> missing;  // could not be added; their destinations will hear ESRCH, which is no news
    const auto settle = [&](std::uint32_t item, const KernelError& verdict, bool is_repeated) {
        const Operation& operation = operations[item];
        if (verdict.error_number == 0 || (is_repeated && is_done_already(operation.kind, verdict.error_number))) return;
        outcome.refusals.push_back(make_refusal(operation, verdict));
        if (operation.kind == OperationKind::new_service && verdict.error_number != EEXIST) missing.insert(operation.service->key);
        const bool is_news = !is_about_destination(operation.kind) || !missing.contains(operation.service->key);
        outcome.is_stale = outcome.is_stale || (is_news && tells_of_change(operation.kind, verdict.error_number));
        has_enoent = has_enoent || verdict.error_number == ENOENT;
    };
    changes_.run(order_, write, settle, {});
    if (has_enoent && has_family_changed()) outcome.is_stale = true;
    return outcome;
}

KernelResult<Outcome> Client::program(const Table& wanted, const DiffOptions& options) {
    std::size_t written = 0;
    for (int attempt = 1;; ++attempt) {
        const auto found = table();
        if (!found) return tl::unexpected(found.error());
        const Changes changes = compare_tables(wanted, *found, options);
        Outcome outcome = apply(changes.operations);
        written += outcome.operation_count;
        outcome.operation_count = written;
        if (!outcome.is_stale || attempt == most_attempts) return outcome;
    }
}

KernelResult<Outcome> Client::remove(std::span<const ServiceKey> keys) {
    const auto found = services();
    if (!found) return tl::unexpected(found.error());
    const std::unordered_set<ServiceKey, KeyHash> ours(keys.begin(), keys.end());
    std::vector<Operation> operations;
    for (const FoundService& one : *found) {
        if (ours.contains(one.service.key)) operations.push_back({OperationKind::delete_service, &one.service, nullptr});
    }
    return apply(operations);
}

KernelResult<std::vector<FoundService>> Client::services() { return ask_all<FoundService>(write_get_services, read_service); }

KernelResult<FoundService> Client::service(const ServiceKey& key) {
    return ask_one<FoundService>([&](const RequestHead& head) { return write_get_service(head, key); }, read_service, "a service");
}

KernelResult<std::vector<FoundDestination>> Client::destinations(const ServiceKey& service) {
    return ask_all<FoundDestination>([&](const RequestHead& head) { return write_get_destinations(head, service); },
                                     [&](const nlmsghdr& message) { return read_destination(message, service.family()); });
}

KernelResult<Table> Client::table() {
    auto found = services();
    if (!found) return tl::unexpected(found.error());
    Table table;
    table.reserve(found->size());
    for (FoundService& one : *found) {
        const auto there = destinations(one.service.key);
        if (!there) return tl::unexpected(there.error());
        ServiceEntry& entry = table.emplace_back();
        entry.service = std::move(one.service);
        entry.destinations.reserve(there->size());
        for (const FoundDestination& destination : *there) entry.destinations.push_back(destination.destination);
    }
    return table;
}

KernelResult<Timeouts> Client::timeouts() { return ask_one<Timeouts>(write_get_timeouts, read_timeouts, "the timeouts"); }

KernelResult<bool> Client::set_timeouts(const Timeouts& wanted) {
    const auto now = timeouts();
    if (!now) return tl::unexpected(now.error());
    const auto fits = [](std::uint32_t asked, std::uint32_t is) { return asked == 0 || asked == is; };
    if (fits(wanted.tcp, now->tcp) && fits(wanted.tcp_fin, now->tcp_fin) && fits(wanted.udp, now->udp)) return false;
    if (auto told = tell([&](const RequestHead& head) { return write_set_timeouts(head, wanted); }); !told) return tl::unexpected(told.error());
    return true;
}

KernelResult<std::vector<SyncDaemon>> Client::daemons() { return ask_all<SyncDaemon>(write_get_daemons, read_daemon); }

KernelResult<std::size_t> Client::set_daemons(std::span<const SyncDaemon> wanted) {
    const auto found = daemons();
    if (!found) return tl::unexpected(found.error());
    const auto changes = compare_daemons(wanted, *found);
    for (const DaemonChange& change : changes) {
        const auto told = tell([&](const RequestHead& head) {
            return change.is_start ? write_start_daemon(head, change.daemon) : write_stop_daemon(head, change.daemon.role);
        });
        // A thread that ends before it ever ran: the kernel (6.1) does it and sends no answer, and says ESRCH to us, who ask again.
        const bool has_ended = !change.is_start && !told && told.error().error_number == ESRCH;
        if (!told && !has_ended) return tl::unexpected(told.error());
    }
    return changes.size();
}

KernelResult<Info> Client::info() { return ask_one<Info>(write_get_info, read_info, "what IPVS is"); }
KernelResult<void> Client::flush() { return tell(write_flush); }

KernelResult<void> Client::zero(const ServiceKey* service) {
    return tell([&](const RequestHead& head) { return write_zero(head, service); });
}

std::uint64_t Client::system_call_count() const { return questions_.system_call_count() + changes_.system_call_count(); }

KernelResult<void> Client::ask(const Write& write, const std::function<void()>& start_over, const netlink::MessageHandler& on_message) {
    for (int attempt = 1;; ++attempt) {
        start_over();
        netlink::RequestRoom room;
        MessageWriter message = write({room.bytes, family_, questions_.next_sequence()});
        const auto answered = questions_.query(message, on_message);
        if (answered) return {};
        // Lost answers, a table that changed while it was read, a dump that an earlier loss left unfinished.
        const int error = answered.error().error_number;
        if (error == ENOENT && family_ != 0 && attempt < most_attempts && has_family_changed()) continue;
        if ((error != ENOBUFS && error != EAGAIN && error != EBUSY) || attempt == most_attempts) return answered;
        drain();
    }
}

/// Reads and forgets what is queued, so that a dump that was left in the middle comes to its end.
void Client::drain() {
    for (int i = 0; i < most_drained; ++i) {
        const auto datagram = questions_.receive();
        if (datagram ? datagram->empty() : datagram.error().error_number != ENOBUFS) return;
    }
}

template <typename Value, typename Read>
KernelResult<std::vector<Value>> Client::ask_all(const Write& write, const Read& read) {
    std::vector<Value> values;
    const auto on_message = [&](const nlmsghdr& message) {
        if (auto value = read(message)) values.push_back(std::move(*value));
        else ++unreadable_count_;
    };
    if (auto answered = ask(write, [&] { values.clear(); }, on_message); !answered) return tl::unexpected(answered.error());
    return values;
}

template <typename Value, typename Read>
KernelResult<Value> Client::ask_one(const Write& write, const Read& read, const char* what) {
    auto values = ask_all<Value>(write, read);
    if (!values) return tl::unexpected(values.error());
    if (values->size() != 1) return refused(EBADMSG, std::string("no answer that says ") + what);
    return std::move(values->front());
}

KernelResult<void> Client::tell(const Write& write) {
    return ask(write, [] {}, [](const nlmsghdr&) {});
}

}  // namespace vigil::ipvs
