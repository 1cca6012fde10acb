// The other end of vigil-snmp.
//
// Master agents hang, are restarted, and net-snmp's library then blocks its caller for seconds; in one process with an election that has cost others their virtual addresses.
// So the library is in a process of its own, an executable of its own too, because it brings a megabyte of code and a parser of MIBs. This process only writes
// datagrams that never block and reads short ones. A picture of all instances is a file in memory whose descriptor is passed: one datagram, however large it is, and
// nothing of it stays here.
//
// It is a child of the VRRP process and not of the parent, because it is of no use without it: what it has would be of a process that is gone. It ends when the link does.

#include "engine/daemon/snmp_link.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include <spdlog/spdlog.h>

#include "engine/daemon/reporter.h"
#include "engine/daemon/script_process.h"
#include "engine/daemon/snmp_picture.h"
#include "engine/io/clock.h"
#include "engine/io/file_descriptor.h"
#include "engine/snmp/codec.h"

namespace vigil::daemon {
namespace {

constexpr std::string_view usual_master = "unix:/var/agentx/master";
constexpr std::size_t largest_backlog = 4u << 20;
constexpr int send_buffer = 1 << 20;
constexpr std::chrono::seconds ending_patience{3};

/// Beside the program that runs.
std::string program_path() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::string("/usr/sbin/vigil-snmp") : (self.parent_path() / "vigil-snmp").string();
}

/// A file in memory with this content, or -1.
io::FileDescriptor make_memory_file(std::string_view content) {
    io::FileDescriptor file(::memfd_create("vigil-snmp", MFD_CLOEXEC));
    while (file.is_open() && !content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written <= 0) return {};
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return file;
}

}  // namespace

SnmpLink::~SnmpLink() {
    *alive_ = false;
    if (pid_ != 0) ::kill(pid_, SIGTERM);
    end(SIGKILL);
}

// --- the process ---

void SnmpLink::configure(const config::GlobalDefinitions& global) {
    router_id_ = global.router_id;
    if (router_id_.empty()) {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) == 0) router_id_ = name.data();
    }
    const config::SnmpSettings& settings = global.snmp;
    Wanted wanted{{settings.vrrp, settings.rfc2787, settings.rfc6527, settings.traps}, std::string(settings.socket.empty() ? usual_master : settings.socket)};
    const bool is_same = wanted == wanted_;
    wanted_ = std::move(wanted);
    if (is_same && pid_ != 0) return void(send(std::string_view("c")));
    part();
    timer_.cancel();
    backlog_.clear();
    backlog_size_ = 0;
    if (!is_on()) return began_.clear();
    policy_ = RestartPolicy(true);
    is_missing_ = false;
    start();
}

void SnmpLink::start() {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
        spdlog::error("No SNMP process: {}", std::strerror(errno));
        return start_later(std::chrono::seconds{1});
    }
    io::FileDescriptor ours(ends[0]);
    io::FileDescriptor theirs(ends[1]);
    const io::FileDescriptor passed(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10));
    if (::setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof send_buffer) != 0) {
        ::setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    }
    std::vector<std::string> arguments{program_path(), "--master=" + wanted_.master};
    if (wanted_.service.vrrp) arguments.emplace_back("--vrrp");
    if (wanted_.service.rfc2787) arguments.emplace_back("--rfcv2");
    if (wanted_.service.rfc6527) arguments.emplace_back("--rfcv3");
    if (wanted_.service.traps) arguments.emplace_back("--traps");
    const auto pid = spawn_script(arguments, ScriptIdentity{}, passed.get());
    if (!pid) {
        if (std::exchange(is_missing_, true)) return;
        return spdlog::warn("Cannot run {}: {}. Nobody is told anything by SNMP; it comes with the package vigil-snmp, and a reload looks for it again", arguments.front(),
                            std::strerror(pid.error()));
    }
    pid_ = *pid;
    started_ = Clock::now();
    spdlog::info("Starting SNMP process, pid={}", pid_);
    const int fd = ::fcntl(ours.get(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return;   // it sees the end of the link and ends
    descriptor_.assign(fd);
    wait_for_message();
    send_backlog();
}

/// Lets go of the process that runs, and sees to its end.
void SnmpLink::part() {
    if (descriptor_.is_open()) descriptor_.close();
    is_waiting_to_write_ = false;
    if (pid_ == 0) return;
    ending_.push_back({std::exchange(pid_, 0), Clock::now() + ending_patience});
    kill_overdue();
}

void SnmpLink::kill_overdue() {
    for (const Ending& one : ending_) {
        if (Clock::now() >= one.kill_at) ::kill(one.pid, SIGKILL);
    }
    if (ending_.empty()) return;
    auto look = std::make_shared<boost::asio::steady_timer>(io_, ending_patience + std::chrono::milliseconds{10});
    look->async_wait([this, look, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error) kill_overdue();
    });
}

void SnmpLink::start_later(std::chrono::milliseconds delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error && is_on() && pid_ == 0 && !is_closed_) start();
    });
}

bool SnmpLink::on_child_end(pid_t pid, int status) {
    if (std::erase_if(ending_, [&](const Ending& one) { return one.pid == pid; }) != 0) return true;
    if (pid_ == 0 || pid != pid_) return false;
    pid_ = 0;
    part();
    if (is_closed_) return true;
    const bool by_signal = WIFSIGNALED(status);
    const int code = by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
    const auto lifetime = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
    const RestartPolicy::Decision decision = policy_.on_death({by_signal, code}, lifetime);
    const std::string how = fmt::format("SNMP process {} ended by {} {}", pid, by_signal ? "signal" : "exit code", code);
    if (!decision.restart) {
        spdlog::error("{}, and is not started again before a reload", how);
        return true;
    }
    spdlog::error("{}; starting it again {}", how, decision.delay.count() == 0 ? "at once" : fmt::format("in {} s", decision.delay.count() / 1000));
    start_later(decision.delay);
    return true;
}

void SnmpLink::close() {
    if (std::exchange(is_closed_, true)) return;
    timer_.cancel();
    if (descriptor_.is_open()) descriptor_.close();
}

void SnmpLink::end(int signal_number) {
    if (pid_ != 0) ::kill(pid_, signal_number);
    for (const Ending& one : ending_) ::kill(one.pid, signal_number);
}

// --- what it says ---

void SnmpLink::wait_for_message() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error) read_messages();
    });
}

void SnmpLink::read_messages() {
    constexpr int most = 16;   // in one turn
    std::array<char, 2048> buffer;
    for (int i = 0; i < most; ++i) {
        const ssize_t size = ::recv(descriptor_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size > 0) {
            on_message({buffer.data(), static_cast<std::size_t>(size)});
            continue;
        }
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
        descriptor_.close();   // it died; SIGCHLD follows
        return;
    }
    wait_for_message();
}

void SnmpLink::on_message(std::string_view message) {
    if (message.front() == static_cast<char>(snmp::Message::want_picture)) {
        if (on_picture_wanted) on_picture_wanted();
        return;
    }
    if (message.front() != static_cast<char>(snmp::Message::log) || message.size() < 2) return;
    const std::string_view text = message.substr(2);
    const Instant now = io::clock::now();
    write_summaries(limiter_, now);
    if (limiter_.admit(text, now)) spdlog::log(message[1] == '1' ? spdlog::level::warn : spdlog::level::info, "SNMP: {}", text);
}

// --- what it is told ---

bool SnmpLink::send(std::string_view message, int passed_fd) {
    if (!descriptor_.is_open()) return false;
    iovec place{const_cast<char*>(message.data()), message.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> beside{};
    msghdr header{};
    header.msg_iov = &place;
    header.msg_iovlen = 1;
    if (passed_fd >= 0) {
        header.msg_control = beside.data();
        header.msg_controllen = beside.size();
        cmsghdr* one = CMSG_FIRSTHDR(&header);
        one->cmsg_level = SOL_SOCKET;
        one->cmsg_type = SCM_RIGHTS;
        one->cmsg_len = CMSG_LEN(sizeof passed_fd);
        std::memcpy(CMSG_DATA(one), &passed_fd, sizeof passed_fd);
    }
    return ::sendmsg(descriptor_.native_handle(), &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

void SnmpLink::send_picture(std::string_view picture) {
    const io::FileDescriptor file = make_memory_file(picture);
    if (file.is_open()) send(std::string_view("p"), file.get());
}

void SnmpLink::tell_instance(const Plan& plan, const PlannedRouter& router, OperatorState state, const RouterStatus& status) {
    if (!is_on()) return;
    const bool is_in_initialize = state != OperatorState::backup && state != OperatorState::master;
    if (is_in_initialize) began_.erase(std::string(router.name));
    else began_.try_emplace(std::string(router.name), status.since_wall_microseconds);
    if (!wanted_.service.traps) return;
    snmp::Transition transition;
    transition.name = router.name;
    transition.router_id = router_id_;
    transition.state = state_of(state);
    transition.initial_state = router.settings->state == config::InitialState::master ? snmp::State::master : snmp::State::backup;
    if (router.link != engine::LinkIndex::none) transition.interface_index = plan.links[engine::to_number(router.link)].interface_index;
    transition.vrid = to_number(router.vrid);
    transition.version = to_number(router.settings->version);
    transition.source = router.source.value_or(IpAddress{{}, router.settings->family});
    if (state == OperatorState::master) transition.reason = new_master_reason(status.last_reason);
    tell(transition);
}

void SnmpLink::tell_group(const PlannedGroup& group, OperatorState state) {
    if (!is_on() || !wanted_.service.traps) return;
    snmp::Transition transition;
    transition.is_of_group = true;
    transition.name = group.name;
    transition.router_id = router_id_;
    transition.state = state_of(state);
    tell(transition);
}

void SnmpLink::tell(const snmp::Transition& transition) {
    std::string encoded;
    snmp::Encoder(encoded).put(transition);
    if (encoded.size() + 1 > snmp::longest_message) return;   // a name of thousands of octets
    if (batch_.size() + encoded.size() > snmp::longest_message) add_batch();
    if (batch_.empty()) batch_ = static_cast<char>(snmp::Message::transitions);
    batch_ += encoded;
}

void SnmpLink::add_batch() {
    backlog_size_ += batch_.size();
    backlog_.push_back(std::exchange(batch_, {}));
    for (; backlog_size_ > largest_backlog; ++lost_) {
        backlog_size_ -= backlog_.front().size();
        backlog_.pop_front();
    }
}

void SnmpLink::flush() {
    if (batch_.empty()) return;
    add_batch();
    send_backlog();
}

void SnmpLink::send_backlog() {
    if (is_waiting_to_write_ || !descriptor_.is_open()) return;
    while (!backlog_.empty() && send(backlog_.front())) {
        backlog_size_ -= backlog_.front().size();
        backlog_.pop_front();
    }
    if (backlog_.empty() && lost_ != 0) spdlog::warn("SNMP: {} batches of notifications were lost, because the SNMP process did not take them", std::exchange(lost_, 0));
    if (backlog_.empty()) return;
    is_waiting_to_write_ = true;
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_write, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        is_waiting_to_write_ = false;
        send_backlog();
    });
}

std::int64_t SnmpLink::began(std::string_view instance) const {
    const auto found = began_.find(std::string(instance));
    return found == began_.end() ? 0 : found->second;
}

}  // namespace vigil::daemon
