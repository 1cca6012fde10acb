// What the BFD process says of its sessions, for routers.
//
// The two processes read the configuration each for itself, at a reload not at the same moment, and each may be started anew at any time. So nothing hangs on who comes
// first: this side asks for all states when it has a new name, what it is told of names that it does not know is passed over, and a session that nobody
// has told of is not Up. When the BFD process ends, the parent says so, and all sessions are down until its successor has found their neighbors:
// nobody watches them meanwhile.

#include "engine/daemon/trackers/bfd_tracker.h"

#include <sys/socket.h>

#include <array>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

constexpr std::size_t messages_per_turn = 256;

}  // namespace

BfdTracker::BfdTracker(boost::asio::io_context& io, TrackedThings& things, int fd) : things_(things), descriptor_(io), fd_(fd) {
    if (fd < 0) return;
    descriptor_.assign(fd);
    wait();
}

BfdTracker::~BfdTracker() {
    *alive_ = false;
    if (descriptor_.is_open()) descriptor_.release();
}

void BfdTracker::configure(const std::vector<std::string>& names) {
    auto before = std::exchange(targets_, {});
    bool has_new = false;
    for (const std::string& name : names) {
        if (const auto known = before.find(name); known != before.end()) {
            targets_.insert(before.extract(known));
            continue;
        }
        has_new = true;
        const bool is_ignored = fd_ < 0;
        targets_[name].thing = things_.add({.kind = ThingKind::bfd, .name = name, .is_known = true, .is_ignored = is_ignored, .is_up = false, .value = 0});
        if (is_ignored) spdlog::warn("BFD session {} is not tracked: there is no BFD process", name);
    }
    for (auto& [name, target] : before) things_.remove(target.thing);
    if (has_new) ask();
}

/// When the pair is full, the other side has enough to read already, questions among it.
void BfdTracker::ask() const {
    if (fd_ < 0) return;
    std::array<std::uint8_t, bfd::StateMessage::longest> buffer{};
    const auto message = bfd::write_message({.kind = bfd::StateMessage::Kind::ask}, buffer);
    (void)::send(fd_, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void BfdTracker::wait() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        read_messages();
        wait();
    });
}

void BfdTracker::read_messages() {
    std::array<std::uint8_t, bfd::StateMessage::longest> buffer{};
    for (std::size_t i = 0; i < messages_per_turn; ++i) {
        const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size <= 0) return;
        if (const auto message = bfd::read_message({buffer.data(), static_cast<std::size_t>(size)})) on_message(*message);
    }
}

void BfdTracker::on_message(const bfd::StateMessage& message) {
    if (message.kind == bfd::StateMessage::Kind::reset) {
        for (auto& [name, target] : targets_) publish(name, target, bfd::State::down);
        return;
    }
    const auto found = targets_.find(message.name.view());
    if (message.kind != bfd::StateMessage::Kind::state || found == targets_.end()) return;
    found->second.diagnostic = message.diagnostic;
    publish(found->first, found->second, message.state);
}

void BfdTracker::publish(const std::string& name, Target& target, bfd::State state) {
    const bool was_up = std::exchange(target.state, state) == bfd::State::up;
    const bool is_up = state == bfd::State::up;
    if (was_up != is_up) spdlog::info("BFD session {} is {}", name, is_up ? "Up" : "down");
    things_.set_up(target.thing, is_up);
}

std::string BfdTracker::describe() const {
    std::string text;
    for (const auto& [name, target] : targets_) {
        text += fmt::format(" VRRP Track BFD = {}\n   {:<26} {}\n   {:<26} {}\n", name, "State", packet::to_string(target.state), "Diagnostic",
                            packet::to_string(target.diagnostic));
    }
    return text;
}

}  // namespace vigil::daemon
