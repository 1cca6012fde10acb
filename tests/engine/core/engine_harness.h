#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "tests/packet/frame_builder.h"

/// Records, specifications and an engine with its batch, for the tests of engine/core and tests/rfc.
namespace vigil::test {

using namespace std::chrono_literals;

/// Tests begin 1000 s after boot, on a tick of the wheel.
constexpr Instant at(Nanoseconds since_begin) { return Instant{1'000'000'000'000} + since_begin; }

/// A version 3 record without faults, in the state given; its timer is due at `deadline`.
engine::VirtualRouter record(engine::State state, Priority priority, Centiseconds interval = Centiseconds{100},
                             Instant deadline = at(5s));
inline engine::VirtualRouter backup(Priority priority, Centiseconds interval = Centiseconds{100}, Instant deadline = at(5s)) {
    return record(engine::State::backup, priority, interval, deadline);
}
inline engine::VirtualRouter active(Priority priority, Centiseconds interval = Centiseconds{100}, Instant deadline = at(5s)) {
    return record(engine::State::active, priority, interval, deadline);
}
inline void set(engine::VirtualRouter& router, engine::Flag flag) { router.flags |= static_cast<std::uint16_t>(flag); }
inline void clear(engine::VirtualRouter& router, engine::Flag flag) {
    router.flags &= static_cast<std::uint16_t>(~static_cast<unsigned>(flag));
}
inline void set(engine::RouterSpec& router, engine::Flag flag) { router.flags |= static_cast<std::uint16_t>(flag); }
inline void clear(engine::RouterSpec& router, engine::Flag flag) {
    router.flags &= static_cast<std::uint16_t>(~static_cast<unsigned>(flag));
}

/// As a peer at 10.0.0.`host` sends it.
engine::Advertisement advert(Priority priority, std::uint8_t host = 2, Centiseconds interval = Centiseconds{100});

constexpr MacAddress lan_mac{{0x02, 0, 0, 0, 0, 0x0a}};

/// One interface "lan0" that is up, without routers.
engine::EngineSpec one_link();
/// Version 3 over IPv4: 10.0.0.1 on lan0, virtual address 10.0.0.100, virtual MAC, 1 s.
engine::RouterSpec v3_router(std::uint8_t vrid, Priority priority);
/// The same in version 2.
engine::RouterSpec v2_router(std::uint8_t vrid, Priority priority);
/// Version 3 over IPv6: fe80::1 on lan0, virtual addresses fe80::100 and 2001:db8::100.
engine::RouterSpec ipv6_router(std::uint8_t vrid, Priority priority);
/// Version 3 over IPv4 with unicast_peer 10.0.0.2 and 10.0.0.3.
engine::RouterSpec unicast_router(std::uint8_t vrid, Priority priority);
engine::EngineSpec with(std::vector<engine::RouterSpec> routers);

/// Good frames of a peer at 10.0.0.`host` (fe80::`host`) for the routers above.
FrameBuilder v3_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host = 2);
FrameBuilder v2_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host = 2);
FrameBuilder ipv6_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host = 2);
FrameBuilder unicast_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host = 2);

/// A frame that left, with its bytes as they were when the batch was taken.
struct Sent {
    Octets bytes;
    engine::LinkIndex link = engine::LinkIndex::none;
    engine::RouterIndex router = engine::RouterIndex::none;
    engine::TxPath path = engine::TxPath::link;
    bool is_urgent = true;

    /// A unicast packet behind an Ethernet header, so that read_frame() takes it.
    Octets as_frame() const;
    bool is_advertisement() const;
    /// Fails the test, and says why, when our own reader refuses the frame.
    Priority priority() const;
};

/// An engine, its batch, and what came out.
class Harness {
public:
    explicit Harness(const engine::EngineSpec& spec, std::size_t urgent = 64, std::size_t paced = 64, std::size_t scratch = 65536);

    engine::Engine engine;
    engine::TxBatch tx;

    void start(Instant now) { command({.kind = engine::Command::Kind::start}, now); }
    /// Expects to be done in one call.
    void command(const engine::Command& command, Instant now);
    void fault(engine::Fault fault, Instant now, engine::RouterIndex router = engine::RouterIndex{0});
    void clear_fault(engine::Fault fault, Instant now, engine::RouterIndex router = engine::RouterIndex{0});
    void receive(const FrameBuilder& frame, Instant arrival, engine::LinkIndex link = engine::LinkIndex{0});
    void receive(const Octets& bytes, Instant arrival, engine::LinkIndex link = engine::LinkIndex{0});
    void time(Instant now) { engine.on_time(now, tx); }
    /// Runs every timer up to `now` at its own instant; what is sent stays in taken order in `log`.
    void run_until(Instant now);
    /// Takes the batch: what was sent since the last call.
    std::vector<Sent> sent();
    std::vector<Sent> adverts();
    std::vector<engine::Event> events();

    const engine::VirtualRouter& router(std::uint32_t index = 0) const { return engine.router(engine::RouterIndex{index}); }
    engine::RouterCounters counters(std::uint32_t index = 0) const { return engine.counters(engine::RouterIndex{index}); }
    std::uint64_t errors(packet::ReceiveError error) const { return engine.counters().errors[static_cast<std::size_t>(error)]; }

    struct Timed {
        Instant at;
        Sent sent;
    };
    std::vector<Timed> log;
};

/// How many events of this kind.
std::size_t count(const std::vector<engine::Event>& events, engine::Event::Kind kind);

}  // namespace vigil::test
