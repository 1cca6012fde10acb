// The process connector (CONFIG_PROC_EVENTS): the kernel sends a netlink message for each fork, exec, change of name and exit of any process.
//
// On a busy host these are tens of thousands a second, most of them about threads or of kinds that say nothing about names; a socket filter drops
// those in the kernel. Fields of struct proc_event are in the host's byte order, classic BPF loads are big-endian, hence the htonl().
//
// Whether the connector works is not told by any error: in a container the request is taken and nothing ever comes. But the answer to the
// request is there before sendto() returns, so what does not lie in the socket then will not come.

#include "engine/daemon/trackers/process_events.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

constexpr std::size_t message_offset = NLMSG_ALIGN(sizeof(nlmsghdr));
constexpr std::size_t event_offset = message_offset + sizeof(cn_msg);
constexpr std::size_t data_offset = event_offset + offsetof(proc_event, event_data);
constexpr int receive_buffer_bytes = 4 << 20;
constexpr std::size_t longest_message = 256;

// Newer headers move these enumerators out of struct proc_event.
constexpr std::uint32_t event_none = 0x00000000;
constexpr std::uint32_t event_fork = 0x00000001;
constexpr std::uint32_t event_exec = 0x00000002;
constexpr std::uint32_t event_comm = 0x00000200;
constexpr std::uint32_t event_exit = 0x80000000;

constexpr sock_filter statement(std::uint16_t code, std::uint32_t operand = 0) { return {code, 0, 0, operand}; }
constexpr sock_filter load(std::size_t offset) { return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
sock_filter jump_if(std::uint32_t value, std::uint8_t distance) { return {BPF_JMP | BPF_JEQ | BPF_K, distance, 0, htonl(value)}; }
constexpr sock_filter jump_if_equal(std::uint8_t yes, std::uint8_t no) { return {BPF_JMP | BPF_JEQ | BPF_X, yes, no, 0}; }
/// Field of the event's data. Fork: parent thread, parent, child thread, child. The others: thread, process.
constexpr sock_filter load_field(std::size_t number) { return load(data_offset + 4 * number); }

/// Passes what has no kind of its own (answers), and of fork, exec, comm and exit those about a whole process.
bool attach_filter(int socket) {
    std::array<sock_filter, 17> program = {
        load(event_offset),
        jump_if(event_none, 13),
        jump_if(event_fork, 4),
        jump_if(event_exec, 7),
        jump_if(event_comm, 6),
        jump_if(event_exit, 5),
        statement(BPF_RET | BPF_K, 0),
        load_field(2),                    // fork
        statement(BPF_MISC | BPF_TAX),
        load_field(3),
        jump_if_equal(4, 5),
        load_field(0),                    // exec, comm, exit
        statement(BPF_MISC | BPF_TAX),
        load_field(1),
        jump_if_equal(0, 1),
        statement(BPF_RET | BPF_K, 0xffffffff),
        statement(BPF_RET | BPF_K, 0),
    };
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

bool send_request(int socket, proc_cn_mcast_op operation) {
    std::array<std::byte, event_offset + sizeof operation> request{};
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(request.size());
    header.nlmsg_type = NLMSG_DONE;
    std::memcpy(request.data(), &header, sizeof header);
    const std::array<std::uint32_t, 4> address = {CN_IDX_PROC, CN_VAL_PROC, 0, 0};   // idx, val, seq, ack of struct cn_msg
    std::memcpy(request.data() + message_offset, address.data(), sizeof address);
    const std::uint16_t length = sizeof operation;
    std::memcpy(request.data() + message_offset + offsetof(cn_msg, len), &length, sizeof length);
    std::memcpy(request.data() + event_offset, &operation, sizeof operation);
    return ::send(socket, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size());
}

/// A bound socket, or errno.
tl::expected<io::FileDescriptor, int> make_socket() {
    io::FileDescriptor socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
    if (!socket.is_open()) return tl::unexpected(errno);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    attach_filter(socket.get());   // without it only more is read
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = CN_IDX_PROC;
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return tl::unexpected(errno);
    if (!send_request(socket.get(), PROC_CN_MCAST_LISTEN)) return tl::unexpected(errno);
    return socket;
}

/// A thread of its own, because setns() concerns one thread, and the one that calls us must not be left in the wrong namespace.
tl::expected<io::FileDescriptor, int> make_socket_in(const std::string& network_namespace) {
    tl::expected<io::FileDescriptor, int> socket = tl::unexpected(0);
    std::thread([&] {
        const io::FileDescriptor first(::open(network_namespace.c_str(), O_RDONLY | O_CLOEXEC));
        if (!first.is_open() || ::setns(first.get(), CLONE_NEWNET) != 0) socket = tl::unexpected(errno);
        else socket = make_socket();
    }).join();
    return socket;
}

}  // namespace

std::optional<ProcessEvent> read_process_event(std::span<const std::byte> message) {
    const auto field = [&](std::size_t offset) {
        std::uint32_t value = 0;
        std::memcpy(&value, message.data() + offset, sizeof value);
        return value;
    };
    if (message.size() < data_offset + 8) return std::nullopt;
    if (field(message_offset) != CN_IDX_PROC || field(message_offset + 4) != CN_VAL_PROC) return std::nullopt;
    const auto number = [&](std::size_t index) { return static_cast<pid_t>(field(data_offset + 4 * index)); };
    switch (field(event_offset)) {
    case event_none:
        if (number(0) != 0) return std::nullopt;   // refused, or the answer to somebody else's refusal
        return ProcessEvent{ProcessEvent::Kind::acknowledged, 0, 0};
    case event_fork:
        if (message.size() < data_offset + 16 || number(2) != number(3)) return std::nullopt;
        return ProcessEvent{ProcessEvent::Kind::started, number(3), number(1)};
    case event_exec:
    case event_comm:
        if (number(0) != number(1)) return std::nullopt;
        return ProcessEvent{ProcessEvent::Kind::changed, number(1), 0};
    case event_exit:
        if (number(0) != number(1)) return std::nullopt;
        return ProcessEvent{ProcessEvent::Kind::ended, number(1), 0};
    default: return std::nullopt;
    }
}

void ProcessEvents::set_receive_buffer(int octets) {
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) == 0) return;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
}

tl::expected<ProcessEvents, std::string> ProcessEvents::open(const std::string& first_namespace) {
    auto socket = make_socket();
    if (!socket && socket.error() == ECONNREFUSED) {
        socket = make_socket_in(first_namespace);
        if (!socket) return tl::unexpected(fmt::format("it is not in this network namespace, and another cannot be entered ({})", std::strerror(socket.error())));
    }
    if (!socket) return tl::unexpected(std::string(std::strerror(socket.error())));
    ProcessEvents events(std::move(*socket));
    std::vector<ProcessEvent> answers;
    events.read(answers);
    for (const ProcessEvent& answer : answers) {
        if (answer.kind == ProcessEvent::Kind::acknowledged) return events;
    }
    return tl::unexpected(std::string("it does not answer, as in a container"));
}

ProcessEvents::~ProcessEvents() {
    if (socket_.is_open()) send_request(socket_.get(), PROC_CN_MCAST_IGNORE);   // older kernels go on counting us otherwise
}

bool ProcessEvents::read(std::vector<ProcessEvent>& events) {
    std::array<std::byte, longest_message> message{};
    bool is_complete = true;
    for (;;) {
        const ssize_t length = ::recv(socket_.get(), message.data(), message.size(), 0);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0 && errno == ENOBUFS) {
            is_complete = false;
            continue;
        }
        if (length <= 0) return is_complete;
        if (const auto event = read_process_event(std::span(message).first(static_cast<std::size_t>(length)))) events.push_back(*event);
    }
}

}  // namespace vigil::daemon
