// auth_hmac as the engine uses it: HmacTable knows how to sign and what to accept, here it is joined with routers, time and events.
//
// The engine reads no clock. Its Instants count since boot, signatures carry UTC, and the difference is told by Command::set_wall_clock: by the fast
// loop before the first pass and after each step of the clock, by simulations and replays as it suits them. It is in the journal like any command, so a
// replay makes the same signatures.

#include <algorithm>

#include "engine/core/engine.h"

namespace vigil::engine {

using packet::ReceiveError;

Command wall_clock_command(Nanoseconds ahead) {
    Command command{.kind = Command::Kind::set_wall_clock};
    const auto value = static_cast<std::uint64_t>(ahead.count());
    for (std::size_t i = 0; i < sizeof value; ++i) command.address[i] = static_cast<std::uint8_t>(value >> 8 * (sizeof value - 1 - i));
    return command;
}

Nanoseconds wall_clock_of(const Command& command) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | command.address[i];
    return Nanoseconds{static_cast<std::int64_t>(value)};
}

/// Limited, so that a journal from anywhere cannot make a sum overflow.
void Engine::set_wall_clock(Nanoseconds ahead) {
    constexpr Nanoseconds most{4'000'000'000'000'000'000};  // 126 years
    wall_clock_ahead_ = std::clamp(ahead, -most, most);
}

/// After all routers.
void Engine::add_hmac_users(const EngineSpec& spec) {
    std::size_t senders = 0;
    for (const HmacUser& user : spec.hmac_users) senders += HmacTable::senders_for(cold_[to_number(user.router)].peer_count);
    hmac_.reserve(spec.hmacs, spec.hmac_users.size(), senders);
    for (const HmacUser& user : spec.hmac_users) {
        ColdRouter& cold = cold_[to_number(user.router)];
        cold.authentication = static_cast<std::uint32_t>(hmac_.add_user(user.hmac, cold.peer_count));
        // Whom we do not know has no place for its sequence number.
        table_[user.router].flags |= static_cast<std::uint16_t>(Flag::hmac) | static_cast<std::uint16_t>(Flag::check_unicast_source);
    }
}

/// Time is that of the arrival: an advert that waited in the ring was fresh when it came.
ReceiveError Engine::check_hmac(const packet::ReceivedFrame& frame, RouterIndex index, Instant at) {
    const HmacVerdict verdict = hmac_.check(hmac_entry(index), frame, wall_clock(at));
    if (!verdict.is_skewed || !may_report(cold_[to_number(index)], Event::Kind::clock_skewed, at)) return verdict.error;
    const State state = table_[index].state;
    emit({.kind = Event::Kind::clock_skewed, .from = state, .to = state, .value = to_number(frame.advertisement.priority()), .router = index,
          .detail = static_cast<std::uint32_t>(verdict.skew_seconds), .at = at, .peer = frame.source.octets});
    return verdict.error;
}

std::uint32_t Engine::rejection_detail(ReceiveError error, const packet::ReceivedFrame& frame, Instant at) const {
    if (error != ReceiveError::hmac_unknown_key && error != ReceiveError::hmac_stale) return frame.advertisement.max_advertise_interval().count();
    const packet::HmacTrailer trailer = packet::read_hmac_trailer(frame.advertisement.behind());
    if (error == ReceiveError::hmac_unknown_key) return trailer.key_id;
    return static_cast<std::uint32_t>(packet::seconds_between(packet::sequence_at(wall_clock(at)), trailer.sequence));
}

}  // namespace vigil::engine
