#pragma once

#include <deque>
#include <functional>

#include "engine/core/engine.h"
#include "engine/core/transcript.h"

namespace vigil::engine {

/// One engine in virtual time, with the control thread's part played at once: addresses are ready as soon as a router is
/// Active. For simulations, replays of captures and journals, and tests. Allocates; never used by the daemon.
class VirtualHost {
public:
    using OnSent = std::function<void(Instant, const TxFrame&)>;
    using OnEvent = std::function<void(const Event&)>;

    static tl::expected<VirtualHost, LoadError> make(const EngineSpec& spec, Instant now);

    void on_sent(OnSent handler) { on_sent_ = std::move(handler); }
    void on_event(OnEvent handler) { on_event_ = std::move(handler); }
    /// How long the control thread takes from a transition to addresses_ready.
    void set_address_delay(Nanoseconds delay) { address_delay_ = delay; }

    Instant now() const { return now_; }
    Engine& engine() { return engine_; }
    const Engine& engine() const { return engine_; }

    void command(Command command, Instant now);
    /// Runs all timers up to and including `now`, each at its own instant.
    void advance(Instant now);
    /// One pass at `now`: frames that arrived before or at `now`, then time.
    void receive(std::span<const RxFrame> frames, Instant now);
    /// Next instant at which something happens by itself.
    Instant next_deadline() const;

private:
    explicit VirtualHost(Engine engine);

    void flush(Instant at);
    void run_due(Instant now);

    Engine engine_;
    TxBatch tx_;
    Instant now_{};
    Nanoseconds address_delay_{0};
    struct PendingAddresses {
        Instant at;
        RouterIndex router;
    };
    std::deque<PendingAddresses> pending_;   // in order of time
    OnSent on_sent_ = [](Instant, const TxFrame&) {};
    OnEvent on_event_ = [](const Event&) {};
};

}  // namespace vigil::engine
