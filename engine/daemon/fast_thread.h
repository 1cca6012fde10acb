#pragma once

#include <atomic>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <tl/expected.hpp>

#include "engine/core/engine.h"
#include "engine/core/journal.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/io/backend.h"
#include "engine/io/control_channel.h"
#include "engine/io/fast_loop.h"
#include "engine/io/real_time.h"

namespace vigil::daemon {

struct FastThreadSettings {
    io::BackendChoice backend = io::BackendChoice::automatic;
    std::string journal;   ///< file; empty: none
    io::RealTimeOptions scheduling;
};

/// The control thread's handle of the fast thread: engine, channel, loop and the ports' making. Everything here is called by the control
/// thread.
class FastThread {
public:
    /// Builds the engine. A router that the engine refuses is taken out of `plan` with a problem, the others stay. The error is a sentence.
    static tl::expected<std::unique_ptr<FastThread>, std::string> make(Plan& plan, const FastThreadSettings& settings);
    ~FastThread();

    // --- reload ---

    /// The engine of another plan, as make() builds the first. The error says why only a new FastThread can run the plan.
    tl::expected<std::unique_ptr<engine::Engine>, std::string> make_successor(Plan& plan);
    /// Lets it go on where the present engine stands. Returns when the packet thread has taken it, some milliseconds later; events of the old engine
    /// remain to be taken, those of the new one wait for continue_with_events(). False when the packet thread has ended.
    bool replace_engine(std::unique_ptr<engine::Engine> successor, const Plan& plan, const std::vector<engine::RouterIndex>& predecessors,
                        const std::function<void()>& take_events);
    void continue_with_events() { loop_->continue_with_events(); }
    /// Makes the port of a link suit the plan: other VRIDs in its filter, or another port. False when there is no port now.
    bool refit_port(engine::LinkIndex link, const PlannedLink& planned);

    // --- ports ---

    /// Opens the port of a link whose interface index is known and hands it over. Logs what was refused; false when there is no port.
    bool open_port(engine::LinkIndex link, const PlannedLink& planned);
    /// The same for all links from `first` on at once, because the kernel waits in each; links without a number get none.
    std::vector<bool> open_ports(const std::vector<PlannedLink>& links, const std::vector<std::size_t>& which);
    void close_port(engine::LinkIndex link);

    // --- the thread ---

    void start();
    /// Keeps the order; what the channel does not take at once is kept: call post_waiting() soon.
    void send(const engine::Command& command);
    void post_waiting();
    bool has_waiting() const { return !waiting_.empty(); }
    /// Oldest first; empty when there is none. Also closes returned ports.
    std::vector<engine::Event> take_events();
    /// From which delay on the thread tells of pauses, and where automatic priorities begin. Not before start() of a first session has been called is it
    /// of use, but it may be called before.
    void watch_pauses(const config::PacketThreadDefinitions& settings);
    /// The thread was kept from running for so long: its real-time priority goes up by one, as far as max_auto_priority allows.
    void answer_pause(std::chrono::milliseconds pause, const config::PacketThreadDefinitions& settings);
    /// Readable when take_events() has something, after arm().
    int event_fd() const { return channel_->event_fd(); }
    io::ControlChannel& channel() { return *channel_; }
    /// Writes what the fast thread recorded to the journal file. Call often enough for its ring (about 8 MiB).
    void drain_journal();
    bool has_journal() const { return journal_ring_ != nullptr; }
    /// The loop ended without stop(): nothing is sent or heard any more.
    bool has_failed() const { return has_ended_.load(std::memory_order_acquire); }
    /// All commands sent before are carried out and their frames leave, then the thread ends. Events remain to be taken.
    void stop();
    const std::string& backend_name() const { return backend_name_; }
    std::size_t router_count() const { return engine_->router_count(); }

private:
    FastThread() = default;
    bool open_journal(const engine::EngineSpec& spec, Instant now, const engine::BatchCapacity& capacity, const std::string& path);
    void run();
    io::LinkPortOptions port_options(engine::LinkIndex link, const PlannedLink& planned) const;
    bool hand_over(io::LinkPortOptions options, io::Result<std::unique_ptr<io::LinkPort>> port);
    bool record_successor(const Plan& plan, const std::vector<engine::RouterIndex>& predecessors);

    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<io::ControlChannel> channel_;
    std::unique_ptr<engine::JournalRing> journal_ring_;
    std::unique_ptr<engine::Journal> journal_;
    std::ofstream journal_file_;
    std::unique_ptr<io::FastLoop> loop_;
    std::vector<io::RingGeometry> rings_;    // by LinkIndex
    Instant successor_made_at_{};            // replays make it at the same instant
    /// The port that a link has, in the hands of the packet thread, and how it was opened.
    struct OpenPort {
        const io::LinkPort* port = nullptr;
        io::LinkPortOptions options;
    };
    std::vector<OpenPort> ports_;            // by LinkIndex
    engine::BatchCapacity batch_;            // what the packet thread has room for
    std::deque<engine::Command> waiting_;
    RateLimiter port_failures_{1, std::chrono::seconds{60}};   // a flapping interface refuses many ports a second
    std::thread thread_;
    std::atomic<int> thread_number_{0};      // the kernel's, once it runs
    std::string backend_name_;
    io::RealTimeOptions scheduling_;
    std::optional<std::string> loop_error_;   // written by the thread, read after join
    std::atomic<bool> has_ended_{false};
};

}  // namespace vigil::daemon
