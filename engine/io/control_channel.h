#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/core/channel.h"
#include "engine/core/messages.h"
#include "engine/io/doorbell.h"
#include "engine/io/snapshot.h"

namespace vigil::io {

struct ChannelCapacity {
    std::size_t commands = 4096;
    std::size_t events = 8192;
    std::size_t links = 256;
    std::size_t routers = 0;       ///< for the snapshot
    std::size_t hmac_routers = 0;  ///< how many of them have auth_hmac
};

/// A change of the port of one link: a new one, or none.
struct PortChange {
    engine::LinkIndex link = engine::LinkIndex::none;
    LinkPort* port = nullptr;
};

/// Everything between the control thread and the fast thread: commands, events, ports, snapshots, the request to stop. No locks; neither side
/// waits for the other. Outlives the fast loop; what is still in transit is freed by the destructor.
class ControlChannel {
public:
    static Result<std::unique_ptr<ControlChannel>> make(const ChannelCapacity& capacity);
    ~ControlChannel();
    ControlChannel(const ControlChannel&) = delete;
    ControlChannel& operator=(const ControlChannel&) = delete;

    // --- control thread ---

    /// Of snapshots asked for from now on.
    void set_router_count(std::size_t count, std::size_t hmac_count) {
        router_count_ = count;
        hmac_count_ = hmac_count;
    }

    /// False when the ring is full: come again after the fast thread has had a pass.
    bool post(const engine::Command& command);
    /// Oldest event, or nothing. Drain, then arm(), then drain once more, then wait for event_fd().
    std::optional<engine::Event> next_event() { return events_.pop(); }
    /// Readable when there are events or returned ports to fetch, or a snapshot is ready.
    int event_fd() const { return to_control_.fd(); }
    void arm() { to_control_.arm(); }
    void clear_event_fd() { to_control_.clear(); }

    /// Gives the fast thread a port for port->link(); it replaces the one that the link has. Opening it was the control thread's work. Returns
    /// the port when the mailbox is full.
    std::unique_ptr<LinkPort> hand_over(std::unique_ptr<LinkPort> port);
    /// The link's port shall be returned; frames for the link then fail with ENXIO. False when the mailbox is full.
    bool withdraw(engine::LinkIndex link);
    /// Ports that were replaced or withdrawn, to be closed here.
    std::unique_ptr<LinkPort> take_returned();

    /// Commands posted before, a shutdown among them, are carried out and their frames sent; then the loop ends.
    void request_stop();

    /// `clears`: the routers' counters begin anew with it. False when one is under way or not yet released.
    bool request_snapshot(bool clears = false);
    /// The picture asked for, once it is ready, else nullptr. Valid until release_snapshot().
    const Snapshot* take_snapshot();
    void release_snapshot();

    // --- fast thread ---

    bool is_stop_requested() const { return stop_.load(std::memory_order_acquire); }
    std::optional<engine::Command> next_command() { return commands_.pop(); }
    std::size_t command_capacity() const { return commands_.capacity(); }
    std::optional<PortChange> next_port_change() { return ports_in_.pop(); }
    bool push_event(const engine::Event& event) { return events_.push(event); }
    bool return_port(LinkPort* port) { return ports_out_.push(port); }
    Doorbell& to_fast() { return to_fast_; }
    Doorbell& to_control() { return to_control_; }
    /// Where to copy to while a snapshot is asked for, else nullptr.
    Snapshot* wanted_snapshot();
    void snapshot_is_ready();

private:
    enum class SnapshotState : std::uint8_t { idle, wanted, ready };

    ControlChannel(const ChannelCapacity& capacity, Doorbell to_fast, Doorbell to_control);

    engine::SpscRing<engine::Command> commands_;
    engine::SpscRing<engine::Event> events_;
    engine::SpscRing<PortChange> ports_in_;
    engine::SpscRing<LinkPort*> ports_out_;
    Doorbell to_fast_;
    Doorbell to_control_;
    std::atomic<bool> stop_{false};
    std::atomic<SnapshotState> snapshot_state_{SnapshotState::idle};
    Snapshot snapshot_;   // has memory only from request to release
    std::size_t router_count_;
    std::size_t hmac_count_;
    std::size_t link_count_;
};

}  // namespace vigil::io
