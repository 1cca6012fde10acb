#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/core/engine.h"
#include "engine/core/journal.h"
#include "engine/io/backend.h"
#include "engine/io/clock.h"
#include "engine/io/control_channel.h"
#include "engine/io/retry_lane.h"
#include "engine/io/snapshot.h"

namespace vigil::io {

struct LoopOptions {
    std::size_t link_count = 1;
    engine::BatchCapacity batch{.urgent = 1024, .paced = 256, .scratch_bytes = 1 << 17};
};

/// The fast thread: reads the clock, the rings and the wire, and is the only one to call the engine while it runs. One pass is: ports,
/// commands, frames, time, transmit, events, sleep. See fast_loop_impl.h for why.
///
/// A template only so that tests can put another engine in; the product uses FastLoop. `engine`, `channel` and `journal` outlive it.
/// Made on the control thread, run() on the fast thread, destroyed on the control thread after run() has returned.
template <class EngineType>
class BasicFastLoop {
public:
    /// `journal` may be null.
    BasicFastLoop(EngineType& engine, ControlChannel& channel, std::unique_ptr<Backend> backend, const LoopOptions& options,
                  engine::Journal* journal);
    ~BasicFastLoop();
    BasicFastLoop(const BasicFastLoop&) = delete;
    BasicFastLoop& operator=(const BasicFastLoop&) = delete;

    /// An engine that shall go on where the present one stands (Engine::adopt), and for each of its routers which one it was.
    struct Successor {
        EngineType* engine = nullptr;
        std::span<const engine::RouterIndex> predecessors;
    };
    /// Three steps of the control thread while run() runs. All commands posted before concern the old engine; no others may be posted until the
    /// third step, and `successor` lives until the second.
    void replace_engine(const Successor& successor);
    /// The old engine is the control thread's now, and all its events are in the channel; to be asked for while events are taken.
    bool has_replaced_engine() const { return replacement_.load(std::memory_order_acquire) == Replacement::done; }
    /// Those events have been taken: what comes now is of the new engine.
    void continue_with_events();

    /// A process that was not scheduled for so long is said to have paused.
    static constexpr Nanoseconds least_pause = std::chrono::milliseconds{300};
    /// Shorter ones are told of too, from this on, up to ten in a second; any thread. They are not counted.
    void tell_pauses_from(Nanoseconds least) { least_told_pause_.store(least.count(), std::memory_order_relaxed); }

    /// Until ControlChannel::request_stop(). Allocates nothing, blocks nowhere but in the backend's sleep.
    Result<void> run();

private:
    /// Of the engine. `done`: events are held back until the control thread has taken those of the old one.
    enum class Replacement : std::uint8_t { none, wanted, done };
    struct FailedFrame {
        const engine::TxFrame* frame = nullptr;
        bool is_urgent = false;
    };
    static constexpr std::size_t routers_copied_per_pass = 2048;
    static constexpr Nanoseconds least_clock_step = std::chrono::milliseconds{1};
    static constexpr Nanoseconds retry_pause = std::chrono::milliseconds{1};
    static constexpr Nanoseconds between_told_pauses = std::chrono::milliseconds{100};
    static constexpr Nanoseconds full_channel_pause = std::chrono::milliseconds{10};
    static constexpr Nanoseconds junk_period = std::chrono::seconds{1};

    bool pass();
    void change_ports();
    void change_port(const PortChange& change);
    void return_ports();
    void tell_wall_clock(Instant now);
    void execute_commands(Instant now);
    void command_engine(const engine::Command& command, Instant now);
    bool is_free_for_successor() const { return retries_.is_empty() && snapshot_position_ == 0; }
    void adopt_successor(Instant now);
    void receive(Instant now);
    void note_pause(Instant now);
    void drain(LinkPort& port, Instant now, Nanoseconds realtime_to_boot);
    void handle(std::span<const engine::RxFrame> frames, Instant now);
    void serve_deadline(Instant now);
    void flush(Instant now);
    void send(Instant now, Instant wait_until);
    FailedFrame failed_frame(std::size_t sequence, std::span<const engine::TxFrame> retried) const;
    void process_errors(std::span<const engine::TxFrame> retried, Instant now);
    void send_all_before_end();
    void take_events();
    void publish_events();
    void publish_pause();
    Instant wake_time(Instant now);
    bool has_pending_control();
    void copy_router(engine::RouterIndex router, Snapshot& snapshot);
    void copy_snapshot(Instant now);
    void count_junk(Instant now);

    EngineType* engine_;
    std::atomic<Replacement> replacement_{Replacement::none};
    const Successor* successor_ = nullptr;               // valid while wanted
    ControlChannel& channel_;
    std::unique_ptr<Backend> backend_;
    engine::Journal* journal_;
    engine::TxBatch tx_;
    RetryLane retries_;
    std::vector<LinkPort*> ports_;                       // by LinkIndex
    std::vector<LinkPort*> attached_;                    // those of ports_ that are not null
    std::vector<LinkPort*> held_;                        // every port that is ours to free: attached, leaving or homeless
    std::vector<LinkPort*> homeless_;                    // left the backend, not yet returned
    std::size_t leaving_count_ = 0;                      // detached, not yet out of the backend
    std::vector<engine::RxFrame> frames_;
    std::vector<engine::Event> events_;                  // taken from the engine, not yet in the channel
    std::size_t first_event_ = 0;
    std::size_t event_count_ = 0;
    bool events_are_stuck_ = false;                      // the channel took none
    bool rings_are_empty_ = true;
    std::optional<engine::Command> pending_command_;
    std::optional<PortChange> pending_change_;
    std::optional<Nanoseconds> told_wall_clock_;         // to the engine: by how much it is ahead of our instants
    std::size_t snapshot_position_ = 0;                  // next router to copy
    LoopCounters counters_;
    Instant last_looked_{};                              // at the engine's deadline
    Instant next_junk_count_{};
    Instant wanted_to_run_{};                            // when this pass should have begun at the latest; 0: not known yet
    Instant first_arrival_{};                            // of the frames of this pass
    std::atomic<std::int64_t> least_told_pause_{least_pause.count()};
    Instant told_pause_{};                               // when the last short one was
    std::uint32_t untold_pause_ms_ = 0;                  // not yet in the channel
};

using FastLoop = BasicFastLoop<engine::Engine>;

}  // namespace vigil::io

#include "engine/io/fast_loop_impl.h"

extern template class vigil::io::BasicFastLoop<vigil::engine::Engine>;
