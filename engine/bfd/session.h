#pragma once

#include <chrono>
#include <cstdint>

#include "packet/bfd_control.h"
#include "packet/units.h"

namespace vigil::bfd {

using State = packet::BfdState;
using Diagnostic = packet::BfdDiagnostic;
using Microseconds = std::chrono::duration<std::uint32_t, std::micro>;   ///< the unit of the wire, up to 71 minutes

/// What an operator chooses for one session.
struct SessionSettings {
    Microseconds min_tx{10'000};     ///< bfd.DesiredMinTxInterval while Up
    Microseconds min_rx{10'000};     ///< bfd.RequiredMinRxInterval
    Microseconds idle_tx{1'000'000}; ///< bfd.DesiredMinTxInterval while not Up, at least 1 s (RFC 5880 §6.8.3)
    std::uint8_t multiplier = 5;     ///< bfd.DetectMult, 1-255
    bool is_passive = false;         ///< says nothing before it has heard the neighbor (RFC 5880 §6.1)

    friend bool operator==(const SessionSettings&, const SessionSettings&) = default;
};

/// The state variables of RFC 5880 §6.8.1, and the two timers. A plain record: only the functions below change it.
struct Session {
    SessionSettings settings;
    State state = State::down;
    State remote_state = State::down;
    Diagnostic diagnostic = Diagnostic::none;
    Diagnostic remote_diagnostic = Diagnostic::none;   ///< as last received
    std::uint32_t local_discriminator = 0;             ///< not 0, unique on this host
    std::uint32_t remote_discriminator = 0;            ///< 0: not heard of for a Detection Time
    Microseconds desired_min_tx{1'000'000};            ///< as said in packets
    Microseconds required_min_rx{10'000};              ///< as said in packets
    Microseconds used_min_tx{1'000'000};               ///< as acted on: lags behind an increase while Up (RFC 5880 §6.8.3)
    Microseconds used_min_rx{10'000};                  ///< as acted on: lags behind a reduction while Up
    Microseconds remote_min_rx{1};                     ///< 0: the neighbor wants no periodic packets
    Microseconds remote_min_tx{0};
    std::uint8_t remote_multiplier = 1;
    bool remote_demand = false;
    bool is_polling = false;                           ///< a Poll Sequence runs
    bool must_poll_again = false;                      ///< something changed since it began, so its Final says nothing of that
    bool awaits_plain_packet = false;                  ///< before another Poll Sequence one without F must come (RFC 5880 §6.8.3)
    std::uint32_t random = 1;                          ///< of the jitter; never 0
    packet::BfdControl last_sent;                      ///< without P and F
    bool has_sent = false;
    Instant last_transmission;                         ///< periodic or because something changed; answers to a Poll do not count
    Instant next_transmission;
    Instant last_reception;                            ///< arrival of the last packet that was taken, or later: see on_pause()
    bool has_respite = false;                          ///< on_pause() has moved it; once, until a packet comes
};

/// Outcome of one event.
struct Step {
    bool sends = false;           ///< a packet, packet_of(session, false), now
    bool answers_poll = false;    ///< a packet with F, packet_of(session, true), now; never together with `sends`
    bool is_change = false;       ///< of the state: `from` is not Session::state
    State from = State::down;
};

/// A session that begins Down. `seed` of the jitter may be anything.
Session make_session(const SessionSettings& settings, std::uint32_t local_discriminator, std::uint32_t seed, Instant now);

/// RFC 5880 §6.8.6, from "set bfd.RemoteDiscr" on. `arrival`: when the kernel got it, not after `now`.
Step on_packet(Session& session, const packet::BfdControl& packet, Instant arrival, Instant now);
/// The timers that are due. Packets that have arrived by `now` are given to on_packet() first.
Step on_time(Session& session, Instant now);
/// This process was held up, so that packets may lie where it has not seen them yet: a Detection Time that is over by `now`, or about to be, ends one
/// interval of the neighbor's later. Once, until a packet comes: a host that is always late must find a dead neighbor, too.
void on_pause(Session& session, Instant now);
/// Intervals, multiplier, role: RFC 5880 §6.8.3, §6.8.10-12. The session goes on.
Step change_settings(Session& session, const SessionSettings& settings, Instant now);
/// RFC 5880 §6.8.16. Enabled again it begins Down.
Step set_administratively_down(Session& session, bool is_down, Instant now);

/// What is to be sent now. P: while a Poll Sequence runs and it is no answer.
packet::BfdControl packet_of(const Session& session, bool is_final);

/// When on_time() has something to do; distant_future when nothing is due by itself.
Instant next_deadline(const Session& session);
constexpr Instant distant_future{INT64_MAX};

/// Agreed interval of our packets, before jitter: RFC 5880 §6.8.2.
Microseconds transmit_interval(const Session& session);
/// RFC 5880 §6.8.4. Zero before the neighbor has said anything.
Nanoseconds detection_time(const Session& session);

}  // namespace vigil::bfd
