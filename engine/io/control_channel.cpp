#include "engine/io/control_channel.h"

#include <vector>

namespace vigil::io {

Result<std::unique_ptr<ControlChannel>> ControlChannel::make(const ChannelCapacity& capacity) {
    auto to_fast = Doorbell::make();
    if (!to_fast) return tl::unexpected(to_fast.error());
    auto to_control = Doorbell::make();
    if (!to_control) return tl::unexpected(to_control.error());
    return std::unique_ptr<ControlChannel>(new ControlChannel(capacity, std::move(*to_fast), std::move(*to_control)));
}

// A link can have one port in use and some on their way out when its interface is deleted and made again quickly.
ControlChannel::ControlChannel(const ChannelCapacity& capacity, Doorbell to_fast, Doorbell to_control)
    : commands_(capacity.commands), events_(capacity.events), ports_in_(2 * capacity.links + 16), ports_out_(4 * capacity.links + 16),
      to_fast_(std::move(to_fast)), to_control_(std::move(to_control)), router_count_(capacity.routers), hmac_count_(capacity.hmac_routers), link_count_(capacity.links) {}

ControlChannel::~ControlChannel() {
    std::vector<std::unique_ptr<LinkPort>> left;
    while (const auto change = ports_in_.pop()) left.emplace_back(change->port);
    while (const auto port = ports_out_.pop()) left.emplace_back(*port);
    close_ports(std::move(left));
}

bool ControlChannel::post(const engine::Command& command) {
    const bool posted = commands_.push(command);
    to_fast_.ring();
    return posted;
}

std::unique_ptr<LinkPort> ControlChannel::hand_over(std::unique_ptr<LinkPort> port) {
    if (!ports_in_.push({port->link(), port.get()})) return port;
    port.release();
    to_fast_.ring();
    return nullptr;
}

bool ControlChannel::withdraw(engine::LinkIndex link) {
    const bool pushed = ports_in_.push({link, nullptr});
    to_fast_.ring();
    return pushed;
}

std::unique_ptr<LinkPort> ControlChannel::take_returned() { return std::unique_ptr<LinkPort>(ports_out_.pop().value_or(nullptr)); }

void ControlChannel::request_stop() {
    stop_.store(true, std::memory_order_release);
    to_fast_.ring();
}

bool ControlChannel::request_snapshot(bool clears) {
    if (snapshot_state_.load(std::memory_order_acquire) != SnapshotState::idle) return false;
    snapshot_.routers.resize(router_count_);   // idle: the fast thread does not look at it
    snapshot_.links.resize(link_count_);
    snapshot_.hmacs.resize(hmac_count_);
    snapshot_.hmac_count = 0;
    snapshot_.has_cleared = clears;
    snapshot_state_.store(SnapshotState::wanted, std::memory_order_release);
    to_fast_.ring();
    return true;
}

const Snapshot* ControlChannel::take_snapshot() {
    return snapshot_state_.load(std::memory_order_acquire) == SnapshotState::ready ? &snapshot_ : nullptr;
}

void ControlChannel::release_snapshot() {
    if (snapshot_state_.load(std::memory_order_acquire) != SnapshotState::ready) return;
    snapshot_.routers = std::vector<RouterSnapshot>();
    snapshot_.links = std::vector<LinkSnapshot>();
    snapshot_.hmacs = std::vector<HmacSnapshot>();
    snapshot_state_.store(SnapshotState::idle, std::memory_order_release);
}

Snapshot* ControlChannel::wanted_snapshot() {
    return snapshot_state_.load(std::memory_order_acquire) == SnapshotState::wanted ? &snapshot_ : nullptr;
}

void ControlChannel::snapshot_is_ready() {
    snapshot_state_.store(SnapshotState::ready, std::memory_order_release);
    to_control_.ring();
}

}  // namespace vigil::io
