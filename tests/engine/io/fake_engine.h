#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "engine/core/engine.h"

namespace vigil::io {

/// Stands in for engine::Engine in tests of the loop: writes down how it was called and does what the test says. Used by the
/// fast thread while the loop runs, by the test before and after.
struct FakeEngine {
    enum class Call : std::uint8_t { command, frames, time, error };

    std::vector<Call> calls;
    std::vector<Instant> arrivals;
    std::vector<std::vector<std::uint8_t>> frames;
    std::vector<std::pair<engine::RouterIndex, int>> errors;
    std::vector<engine::Command> commands;
    std::deque<engine::Event> events;
    const FakeEngine* adopted = nullptr;
    std::vector<engine::RouterIndex> predecessors;
    Instant deadline = never;
    std::size_t frames_per_call = 1000;
    engine::EngineCounters totals;
    std::vector<engine::RouterCounters> router_counters{1};
    engine::VirtualRouter record;
    bool wants_wall_clock = false;
    std::function<bool(const engine::Command&, Instant, engine::TxBatch&)> command_action = [](auto&, auto, auto&) { return true; };
    std::function<void(Instant, engine::TxBatch&)> time_action = [](auto, auto&) {};

    static constexpr Instant never{INT64_MAX};

    void adopt(const FakeEngine& before, std::span<const engine::RouterIndex> routers, Instant) {
        adopted = &before;
        predecessors.assign(routers.begin(), routers.end());
        deadline = before.deadline;
    }
    std::size_t on_frames(std::span<const engine::RxFrame> received, engine::TxBatch&) {
        calls.push_back(Call::frames);
        const std::size_t count = std::min(received.size(), frames_per_call);
        for (const engine::RxFrame& frame : received.first(count)) {
            arrivals.push_back(frame.arrival);
            frames.emplace_back(frame.bytes.begin(), frame.bytes.end());
            engine::Event event;
            event.kind = engine::Event::Kind::lower_heard;
            event.detail = static_cast<std::uint32_t>(frames.size());
            events.push_back(event);
        }
        return count;
    }
    void on_time(Instant now, engine::TxBatch& tx) {
        calls.push_back(Call::time);
        deadline = never;
        time_action(now, tx);
    }
    bool on_command(const engine::Command& command, Instant now, engine::TxBatch& tx) {
        calls.push_back(Call::command);
        if (!command_action(command, now, tx)) return false;
        commands.push_back(command);
        engine::Event event;
        event.detail = static_cast<std::uint32_t>(commands.size());
        events.push_back(event);
        return true;
    }
    void on_transmit_error(engine::RouterIndex router, int number, Instant) {
        calls.push_back(Call::error);
        errors.emplace_back(router, number);
        engine::Event event;
        event.kind = engine::Event::Kind::transmit_failed;
        event.router = router;
        event.detail = static_cast<std::uint32_t>(number);
        events.push_back(event);
    }
    Instant next_deadline() const { return deadline; }
    std::size_t take_events(std::span<engine::Event> out) {
        const std::size_t count = std::min(out.size(), events.size());
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = events.front();
            events.pop_front();
        }
        return count;
    }
    std::size_t router_count() const { return router_counters.size(); }
    const engine::VirtualRouter& router(engine::RouterIndex) const { return record; }
    const engine::RouterCounters& counters(engine::RouterIndex index) const { return router_counters[engine::to_number(index)]; }
    Priority heard_priority(engine::RouterIndex) const { return Priority{}; }
    void clear_counters(engine::RouterIndex index) { router_counters[engine::to_number(index)] = {}; }
    const engine::EngineCounters& counters() const { return totals; }
    bool needs_wall_clock() const { return wants_wall_clock; }
    const engine::HmacCounters* hmac_counters(engine::RouterIndex) const { return nullptr; }
};

}  // namespace vigil::io
