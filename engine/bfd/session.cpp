// The session of RFC 5880 §6.8, asynchronous mode.
//
// One function per event. It changes the record it is given and nothing else, and says what is to be sent: no socket, no clock, no log. Every event ends in
// settle(), which does what the RFC asks for whatever happened: intervals follow the state, the timer follows the interval, and a packet whose contents
// would differ from the last one leaves at once (§6.8.7), so that a neighbor learns of a state in a round trip and not in a second.
//
// Two pairs of intervals are kept. What packets say (desired_min_tx, required_min_rx) changes at once; what timers use (used_min_tx, used_min_rx) may
// have to wait for the end of the Poll Sequence while the session is Up (§6.8.3): before we send less often the neighbor must have a longer Detection Time,
// and before we expect packets more often the neighbor must send them.
//
// Poll Sequences. The P bit is set on packets that leave anyway. A change during a sequence makes its Final ambiguous, so another sequence follows, after
// a packet without F (the third way of §6.8.3). Nobody can be polled while the neighbor's discriminator is not known: then values are just said and used.
//
// Time. The Detection Time counts from the arrival of a packet at the kernel, not from its reading: a process that was held up must not find its
// neighbor dead by its own sleep. Detection is judged before transmission, and both after all packets that have arrived.
//
// What is not here: demand mode on our side and the Echo function (a neighbor's demand mode is obeyed), authentication, point-to-multipoint.

#include "engine/bfd/session.h"

#include <algorithm>
#include <utility>

namespace vigil::bfd {
namespace {

constexpr Microseconds unheard_min_rx{1};   // RFC 5880 §6.8.1, bfd.RemoteMinRxInterval
constexpr Microseconds slow{1'000'000};     // RFC 5880 §6.8.3

Nanoseconds in_ns(Microseconds time) { return Nanoseconds{std::int64_t{time.count()} * 1000}; }

/// xorshift32: uniform enough to keep packets apart.
std::uint32_t next_random(Session& session) {
    std::uint32_t x = session.random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    session.random = x;
    return x;
}

/// 75-100 % of the interval; 75-90 % with a multiplier of 1 (RFC 5880 §6.8.7).
Nanoseconds jittered(Session& session, Microseconds interval) {
    const std::int64_t spread = session.settings.multiplier == 1 ? 15 : 25;
    const std::int64_t whole = in_ns(interval).count();
    const std::int64_t least = whole * 3 / 4;
    return Nanoseconds{least + (whole / 100 * spread) * (next_random(session) >> 16) / 0x10000};
}

bool is_remote_demand_active(const Session& session) {
    return session.remote_demand && session.state == State::up && session.remote_state == State::up;
}

/// RFC 5880 §6.8.7: nothing at all may be sent by itself.
bool is_silent(const Session& session) { return session.settings.is_passive && session.remote_discriminator == 0; }

bool sends_periodically(const Session& session) {
    if (is_silent(session) || session.remote_min_rx.count() == 0) return false;
    return !is_remote_demand_active(session) || session.is_polling;
}

bool is_detecting(const Session& session) { return session.remote_discriminator != 0; }

Instant detection_deadline(const Session& session) { return session.last_reception + detection_time(session); }

void go_to(Session& session, State state, Diagnostic diagnostic) {
    session.state = state;
    session.diagnostic = diagnostic;
}

void begin_poll(Session& session) {
    if (session.is_polling || session.awaits_plain_packet) {
        session.must_poll_again = true;
        return;
    }
    session.is_polling = true;
}

void stop_polling(Session& session) {
    session.is_polling = session.must_poll_again = session.awaits_plain_packet = false;
}

void say_min_tx(Session& session, Microseconds value) {
    if (value == session.desired_min_tx) return;
    session.desired_min_tx = value;
    if (value < session.used_min_tx) session.used_min_tx = value;
    if (session.remote_discriminator != 0) begin_poll(session);
}

void say_min_rx(Session& session, Microseconds value) {
    if (value == session.required_min_rx) return;
    session.required_min_rx = value;
    if (value > session.used_min_rx) session.used_min_rx = value;
    if (session.remote_discriminator != 0) begin_poll(session);
}

void use_what_is_said(Session& session) {
    session.used_min_tx = session.desired_min_tx;
    session.used_min_rx = session.required_min_rx;
}

void on_poll_bits(Session& session, const packet::BfdControl& packet) {
    if (packet.final && session.is_polling) {
        session.is_polling = false;
        session.awaits_plain_packet = true;
        if (!session.must_poll_again) use_what_is_said(session);
    } else if (!packet.final && session.awaits_plain_packet) {
        session.awaits_plain_packet = false;
        if (std::exchange(session.must_poll_again, false)) begin_poll(session);
    }
}

/// The neighbor is as if it had never been heard. RFC 5880 §6.8.1 asks that of the discriminator; the rest would otherwise be obeyed although who said
/// it is gone, and a Required Min RX Interval of 0 would keep us silent for ever.
void forget_remote(Session& session) {
    session.remote_discriminator = 0;
    session.remote_state = State::down;
    session.remote_min_rx = unheard_min_rx;
    session.remote_demand = false;
    stop_polling(session);
}

/// RFC 5880 §6.8.6, the state machine.
void follow_remote_state(Session& session) {
    const State heard = session.remote_state;
    if (heard == State::admin_down) {
        if (session.state != State::down) go_to(session, State::down, Diagnostic::neighbor_signaled_down);
        return;
    }
    switch (session.state) {
    case State::admin_down: return;
    case State::down:
        if (heard == State::down) session.state = State::init;
        else if (heard == State::init) go_to(session, State::up, Diagnostic::none);
        return;
    case State::init:
        if (heard == State::init || heard == State::up) go_to(session, State::up, Diagnostic::none);
        return;
    case State::up:
        if (heard == State::down) go_to(session, State::down, Diagnostic::neighbor_signaled_down);
        return;
    }
}

struct Timing {
    Microseconds interval;
    bool is_periodic;
};
Timing timing_of(const Session& session) { return {transmit_interval(session), sends_periodically(session)}; }

void note_transmission(Session& session, Instant now) {
    session.last_transmission = now;
    session.next_transmission = now + jittered(session, transmit_interval(session));
}

packet::BfdControl contents_of(const Session& session) {
    packet::BfdControl control;
    control.diagnostic = session.diagnostic;
    control.state = session.state;
    control.detect_multiplier = session.settings.multiplier;
    control.my_discriminator = session.local_discriminator;
    control.your_discriminator = session.remote_discriminator;
    control.desired_min_tx = session.desired_min_tx.count();
    control.required_min_rx = session.required_min_rx.count();
    return control;
}

/// The end of every event. `before`: the timing when it began.
Step settle(Session& session, State from, Timing before, Instant now, bool answers_poll) {
    const bool is_up = session.state == State::up;
    say_min_tx(session, is_up ? session.settings.min_tx : std::max(session.settings.idle_tx, slow));
    say_min_rx(session, session.settings.min_rx);
    if (!is_up) use_what_is_said(session);

    Step step{.answers_poll = answers_poll, .is_change = session.state != from, .from = from};
    const packet::BfdControl contents = contents_of(session);
    const bool differs = !session.has_sent || contents != session.last_sent;
    step.sends = !answers_poll && differs && !is_silent(session);
    if (step.sends || answers_poll) {
        session.last_sent = contents;
        session.has_sent = true;
    }
    const Timing after = timing_of(session);
    if (step.sends) {
        note_transmission(session, now);
    } else if (after.interval != before.interval || after.is_periodic != before.is_periodic) {
        // RFC 5880 §6.8.3: a shorter interval is honored immediately, counted from the packet before.
        session.next_transmission = session.last_transmission + jittered(session, after.interval);
    }
    return step;
}

}  // namespace

Session make_session(const SessionSettings& settings, std::uint32_t local_discriminator, std::uint32_t seed, Instant now) {
    Session session;
    session.settings = settings;
    session.local_discriminator = local_discriminator;
    session.random = seed | 1;
    session.desired_min_tx = session.used_min_tx = std::max(settings.idle_tx, slow);
    session.required_min_rx = session.used_min_rx = settings.min_rx;
    session.last_transmission = session.next_transmission = now;
    return session;
}

Step on_packet(Session& session, const packet::BfdControl& packet, Instant arrival, Instant now) {
    const State from = session.state;
    const Timing before = timing_of(session);
    session.remote_discriminator = packet.my_discriminator;
    session.remote_state = packet.state;
    session.remote_diagnostic = packet.diagnostic;
    session.remote_demand = packet.demand;
    session.remote_min_rx = Microseconds{packet.required_min_rx};
    session.remote_min_tx = Microseconds{packet.desired_min_tx};
    session.remote_multiplier = packet.detect_multiplier;
    on_poll_bits(session, packet);
    session.last_reception = std::max(session.last_reception, arrival);
    session.has_respite = false;
    if (session.state == State::admin_down) return settle(session, from, before, now, false);   // discarded from here on
    follow_remote_state(session);
    return settle(session, from, before, now, packet.poll);
}

Step on_time(Session& session, Instant now) {
    const State from = session.state;
    const Timing before = timing_of(session);
    if (is_detecting(session) && detection_deadline(session) <= now) {
        const bool was_alive = session.state == State::init || session.state == State::up;
        if (was_alive) go_to(session, State::down, Diagnostic::detection_time_expired);   // RFC 5880 §6.8.4
        forget_remote(session);
    }
    Step step = settle(session, from, before, now, false);
    if (step.sends || !sends_periodically(session) || session.next_transmission > now) return step;
    step.sends = true;
    note_transmission(session, now);
    return step;
}

void on_pause(Session& session, Instant now) {
    if (!is_detecting(session) || session.has_respite) return;
    const Nanoseconds whole = detection_time(session);
    const Instant latest = now + whole / session.remote_multiplier - whole;
    if (latest <= session.last_reception) return;
    session.last_reception = latest;
    session.has_respite = true;
}

Step change_settings(Session& session, const SessionSettings& settings, Instant now) {
    const Timing before = timing_of(session);
    session.settings = settings;
    return settle(session, session.state, before, now, false);
}

Step set_administratively_down(Session& session, bool is_down, Instant now) {
    const State from = session.state;
    const Timing before = timing_of(session);
    if (is_down) go_to(session, State::admin_down, Diagnostic::administratively_down);
    else if (session.state == State::admin_down) session.state = State::down;
    return settle(session, from, before, now, false);
}

packet::BfdControl packet_of(const Session& session, bool is_final) {
    packet::BfdControl control = contents_of(session);
    control.final = is_final;
    control.poll = session.is_polling && !is_final;   // RFC 5880 §6.5: never both
    return control;
}

Instant next_deadline(const Session& session) {
    Instant next = distant_future;
    if (is_detecting(session)) next = detection_deadline(session);
    if (sends_periodically(session)) next = std::min(next, session.next_transmission);
    return next;
}

Microseconds transmit_interval(const Session& session) { return std::max(session.used_min_tx, session.remote_min_rx); }

Nanoseconds detection_time(const Session& session) {
    if (session.remote_discriminator == 0) return Nanoseconds{0};
    return in_ns(std::max(session.used_min_rx, session.remote_min_tx)) * session.remote_multiplier;
}

}  // namespace vigil::bfd
