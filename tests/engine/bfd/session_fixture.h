#pragma once

#include <chrono>

#include "engine/bfd/session.h"

/// A session and what its neighbour says, by name.
namespace vigil::bfd::test {

using namespace std::chrono_literals;
using packet::BfdControl;

constexpr std::uint32_t our_discriminator = 0x1234;
constexpr std::uint32_t their_discriminator = 0x9876;

inline Instant at(Nanoseconds since_start) { return Instant{1'000'000'000'000} + since_start; }

/// 10 ms both ways, five times, a second while not Up.
inline SessionSettings settings() { return {}; }

/// What a neighbour in `state` says that would like 10 ms both ways, with a multiplier of 3.
inline BfdControl heard(State state) {
    return {.state = state, .detect_multiplier = 3, .my_discriminator = their_discriminator, .your_discriminator = our_discriminator,
            .desired_min_tx = state == State::up ? 10'000u : 1'000'000u, .required_min_rx = 10'000};
}

inline Step hear(Session& session, const BfdControl& packet, Instant now) { return on_packet(session, packet, now, now); }
inline Step hear(Session& session, State state, Instant now) { return hear(session, heard(state), now); }

inline Session new_session(const SessionSettings& chosen = settings(), std::uint32_t seed = 7) {
    Session session = make_session(chosen, our_discriminator, seed, at(0ns));
    on_time(session, at(0ns));   // its first packet
    return session;
}

/// A session in a state that it came to by its neighbour's packets, the last one at `now`.
inline Session session_in(State state, Instant now = at(0ns), const SessionSettings& chosen = settings()) {
    Session session = new_session(chosen);
    if (state == State::admin_down) set_administratively_down(session, true, now);
    if (state == State::init || state == State::up) hear(session, State::down, now);
    if (state == State::up) hear(session, State::up, now);
    return session;
}

/// Up, with the Poll Sequence of coming up at its end and one packet after it, as it is most of the time.
inline Session settled_session(Instant now = at(0ns), const SessionSettings& chosen = settings()) {
    Session session = session_in(State::up, now, chosen);
    BfdControl final = heard(State::up);
    final.final = true;
    hear(session, final, now);
    hear(session, State::up, now);
    return session;
}

}  // namespace vigil::bfd::test
