#include "engine/core/virtual_host.h"

#include <algorithm>

namespace vigil::engine {
namespace {

constexpr std::size_t batch_frames = 256;

}  // namespace

tl::expected<VirtualHost, LoadError> VirtualHost::make(const EngineSpec& spec, Instant now) {
    auto engine = Engine::make(spec, now);
    if (!engine) return tl::unexpected(engine.error());
    VirtualHost host(std::move(*engine));
    host.now_ = now;
    return host;
}

VirtualHost::VirtualHost(Engine engine)
    : engine_(std::move(engine)),
      tx_(batch_frames + engine_.least_urgent_room(), batch_frames, 65536 + engine_.least_scratch_room()) {}

void VirtualHost::command(Command command, Instant now) {
    advance(now);
    while (!engine_.on_command(command, now_, tx_)) flush(now_);
    flush(now_);
}

void VirtualHost::advance(Instant now) {
    while (next_deadline() <= now) run_due(std::max(next_deadline(), now_));
    now_ = std::max(now_, now);
}

void VirtualHost::receive(std::span<const RxFrame> frames, Instant now) {
    now_ = std::max(now_, now);
    while (!frames.empty()) {
        frames = frames.subspan(engine_.on_frames(frames, tx_));
        flush(now_);
    }
    advance(now_);
}

Instant VirtualHost::next_deadline() const {
    const Instant next = engine_.next_deadline();
    return pending_.empty() ? next : std::min(next, pending_.front().at);
}

void VirtualHost::run_due(Instant now) {
    now_ = now;
    while (!pending_.empty() && pending_.front().at <= now) {
        const RouterIndex router = pending_.front().router;
        pending_.pop_front();
        engine_.on_command({.kind = Command::Kind::addresses_ready, .router = router}, now, tx_);
    }
    engine_.on_time(now, tx_);
    flush(now);
}

/// Hands on what the engine produced, and plays the control thread.
void VirtualHost::flush(Instant at) {
    for (const TxFrame& frame : tx_.urgent()) on_sent_(at, frame);
    for (const TxFrame& frame : tx_.paced()) on_sent_(at, frame);
    tx_.clear();
    std::array<Event, 64> events;
    for (std::size_t count; (count = engine_.take_events(events)) != 0;) {
        for (const Event& event : std::span(events).first(count)) {
            if (event.kind == Event::Kind::transition && event.to == State::active) pending_.push_back({at + address_delay_, event.router});
            on_event_(event);
        }
    }
}

}  // namespace vigil::engine
