// auth_hmac: who signed, with what, and is it new?
//
// A signature proves that a holder of the key sent this very advert; that it is not sent again by somebody else is proved by its sequence number, which has to
// grow with each advert of a sender. Sequence numbers are wall-clock time, so that a sender that was restarted goes on above what it sent before without
// having kept it anywhere. `anti_replay time` also asks that this time is within a window around our own: then an advert that we did not hear cannot
// be played to us later. `monotonic` does without, for hosts whose clocks are not set.
//
// In what order a trailer is looked at is keepalived's: form, time, key, signature, number. Time comes before the signature, so that a flood of old adverts
// costs no digests; it can only refuse. Only the number of an advert with a good signature is remembered, or a forged one could shut out its sender.
//
// What is remembered survives changes of state, of keys and of the configuration: a takeover is what a replayed advert would like to bring about or
// to prevent. Lost are the numbers of the sender heard least recently when more senders than there is room for are heard by multicast (unicast peers
// have a place each), and all of them when the process ends; then the window is what remains.
//
// Clocks that are set back. A sender whose number is ahead of the clock by more than the window would be refused by all; where time is checked it begins again
// at the clock. For the same reason a receiver forgets a number that is outside of its window: it orders only adverts that are refused anyway.

#include "engine/core/hmac_table.h"

#include <algorithm>
#include <cassert>

namespace vigil::engine {

using packet::HmacSequence;
using packet::HmacTrailer;
using packet::ReceiveError;

namespace {

bool is_within(std::int32_t seconds, std::int32_t window) { return seconds <= window && seconds >= -window; }

packet::SignedMessage signed_message(const packet::ReceivedFrame& frame) { return {frame.advertisement.message(), frame.source}; }

}  // namespace

std::string_view find_hmac_error(const EngineSpec& spec) {
    for (const HmacSpec& hmac : spec.hmacs) {
        if (hmac.keys.empty() || hmac.keys.size() > 255) return "auth_hmac needs 1 to 255 keys";
        const auto has_bad_size = [](const HmacSpec::Key& key) {
            return key.octets.size() < packet::HmacKey::least_size || key.octets.size() > packet::HmacKey::most_size;
        };
        if (std::ranges::any_of(hmac.keys, has_bad_size)) return "a key of auth_hmac has 32 to 64 octets";
        if (std::ranges::find(hmac.keys, hmac.active_key, &HmacSpec::Key::id) == hmac.keys.end()) return "auth_hmac does not have its active_key";
    }
    for (std::size_t i = 0; i < spec.hmac_users.size(); ++i) {
        const HmacUser& user = spec.hmac_users[i];
        if (to_number(user.router) >= spec.routers.size() || user.hmac >= spec.hmacs.size()) return "auth_hmac of no router";
        if (i != 0 && to_number(user.router) <= to_number(spec.hmac_users[i - 1].router)) return "a router has auth_hmac twice";
    }
    return {};
}

std::vector<bool> routers_that_sign(const EngineSpec& spec) {
    std::vector<bool> signs(spec.routers.size(), false);
    for (const HmacUser& user : spec.hmac_users) signs[to_number(user.router)] = spec.hmacs[user.hmac].mode != HmacMode::receive_only;
    return signs;
}

void HmacTable::reserve(const std::vector<HmacSpec>& specs, std::size_t users, std::size_t senders) {
    users_.reserve(users);
    senders_.reserve(senders);
    settings_.reserve(specs.size());
    for (const HmacSpec& spec : specs) {
        Settings settings{.first_key = static_cast<std::uint32_t>(keys_.size()),
                          .key_count = static_cast<std::uint16_t>(spec.keys.size()),
                          .window_seconds = spec.window_seconds,
                          .mode = spec.mode,
                          .checks_time = spec.checks_time};
        for (std::uint16_t i = 0; i < spec.keys.size(); ++i) {
            if (spec.keys[i].id == spec.active_key) settings.active_key = i;
            keys_.push_back({spec.keys[i].id, packet::HmacKey(spec.keys[i].octets)});
        }
        settings_.push_back(settings);
    }
}

HmacTable::Entry HmacTable::add_user(std::uint32_t spec, std::size_t peer_count) {
    const std::size_t count = senders_for(peer_count);
    users_.push_back({.settings = spec, .first_sender = static_cast<std::uint32_t>(senders_.size()), .sender_count = static_cast<std::uint16_t>(count)});
    senders_.resize(senders_.size() + count);
    return Entry{static_cast<std::uint32_t>(users_.size() - 1)};
}

HmacTrailer::Octets HmacTable::sign(Entry entry, const packet::SignedMessage& message, Nanoseconds wall_clock) {
    User& user = users_[static_cast<std::size_t>(entry)];
    const Settings& settings = settings_[user.settings];
    const HmacSequence clock = packet::sequence_at(wall_clock);
    const bool is_stranded = settings.checks_time && packet::seconds_between(user.sent, clock) > settings.window_seconds;
    user.sent = !user.has_sent || is_stranded || packet::is_after(clock, user.sent) ? clock : packet::successor(user.sent);
    user.has_sent = true;
    const Key& key = keys_[settings.first_key + settings.active_key];
    return packet::make_hmac_trailer(message, key.id, user.sent, key.key);
}

HmacVerdict HmacTable::check(Entry entry, const packet::ReceivedFrame& frame, Nanoseconds wall_clock) {
    User& user = users_[static_cast<std::size_t>(entry)];
    const HmacVerdict verdict = judge(user, frame, wall_clock);
    switch (verdict.error) {
    case ReceiveError::hmac_missing: ++user.counters.missing; break;
    case ReceiveError::hmac_malformed: ++user.counters.malformed; break;
    case ReceiveError::hmac_unknown_key: ++user.counters.unknown_key; break;
    case ReceiveError::hmac_invalid: ++user.counters.invalid; break;
    case ReceiveError::hmac_stale: ++user.counters.stale; break;
    case ReceiveError::hmac_replayed: ++user.counters.replayed; break;
    default: break;
    }
    return verdict;
}

HmacVerdict HmacTable::judge(const User& user, const packet::ReceivedFrame& frame, Nanoseconds wall_clock) {
    const Settings& settings = settings_[user.settings];
    const packet::Bytes behind = frame.advertisement.behind();
    if (behind.empty()) return {settings.mode == HmacMode::enforce ? ReceiveError::hmac_missing : ReceiveError::count_};
    if (behind.size() != HmacTrailer::size) return {ReceiveError::hmac_malformed};
    const HmacTrailer trailer = packet::read_hmac_trailer(behind);
    if (!trailer.is_well_formed()) return {ReceiveError::hmac_malformed};

    const HmacSequence clock = packet::sequence_at(wall_clock);
    HmacVerdict verdict;
    if (settings.checks_time) {
        verdict.skew_seconds = packet::seconds_between(clock, trailer.sequence);
        if (!is_within(verdict.skew_seconds, settings.window_seconds)) return {ReceiveError::hmac_stale, verdict.skew_seconds};
        verdict.is_skewed = !is_within(verdict.skew_seconds, settings.window_seconds / 2);
    }
    const Key* key = find_key(settings, trailer.key_id);
    if (key == nullptr) return {ReceiveError::hmac_unknown_key};
    if (!packet::is_hmac_valid(signed_message(frame), behind, key->key)) return {ReceiveError::hmac_invalid};
    if (!accept_number(user, frame.source.octets, trailer.sequence, clock)) return {ReceiveError::hmac_replayed};
    return verdict;
}

const HmacTable::Key* HmacTable::find_key(const Settings& settings, std::uint8_t id) const {
    const std::span keys = std::span(keys_).subspan(settings.first_key, settings.key_count);
    const auto found = std::ranges::find(keys, id, &Key::id);
    return found == keys.end() ? nullptr : &*found;
}

/// Moves the sender to the front; a new one takes the place of the one not heard for longest.
bool HmacTable::accept_number(const User& user, const AddressOctets& address, HmacSequence sequence, HmacSequence clock) {
    const Settings& settings = settings_[user.settings];
    const std::span<Sender> senders = senders_of(user);
    auto place = std::ranges::find_if(senders, [&](const Sender& sender) { return sender.address == address && sender.is_known(); });
    const bool is_first = place == senders.end();
    if (is_first) *--place = {address, {}};
    std::rotate(senders.begin(), place, place + 1);
    Sender& sender = senders.front();
    const bool is_stranded = settings.checks_time && !is_within(packet::seconds_between(clock, sender.highest), settings.window_seconds);
    if (!is_first && !is_stranded && !packet::is_after(sequence, sender.highest)) return false;
    sender.highest = sequence;
    return true;
}

void HmacTable::adopt(Entry entry, const HmacTable& before, Entry predecessor) {
    User& user = users_[static_cast<std::size_t>(entry)];
    const User& old = before.users_[static_cast<std::size_t>(predecessor)];
    user.sent = old.sent;
    user.has_sent = old.has_sent;
    user.counters = old.counters;
    const std::span old_senders = std::span(before.senders_).subspan(old.first_sender, old.sender_count);
    std::copy_n(old_senders.begin(), std::min(user.sender_count, old.sender_count), senders_of(user).begin());
}

}  // namespace vigil::engine
