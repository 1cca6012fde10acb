#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/spec.h"
#include "packet/frame.h"
#include "packet/hmac_trailer.h"
#include "packet/receive_error.h"

namespace vigil::engine {

/// Outcome of looking at a received trailer.
struct HmacVerdict {
    packet::ReceiveError error = packet::ReceiveError::count_;   ///< count_: accepted
    std::int32_t skew_seconds = 0;   ///< our wall clock less the sender's, where time is checked
    bool is_skewed = false;          ///< accepted, but by more than half of the window
};

/// auth_hmac of the routers that have it; the others cost nothing. Filled at load, no allocation afterwards.
class HmacTable {
public:
    enum class Entry : std::uint32_t {};

    /// `users`: how many add_user() there will be; `senders`: the sum of what they ask for.
    void reserve(const std::vector<HmacSpec>& specs, std::size_t users, std::size_t senders);
    /// `spec`: in what reserve() got. Of a router with unicast peers, `peer_count` senders are remembered, else multicast_senders.
    Entry add_user(std::uint32_t spec, std::size_t peer_count);
    /// keepalived remembers 4: of five routers that lose their Active and speak up together, each would forget what the old one had sent.
    static constexpr std::size_t multicast_senders = 8;
    static constexpr std::size_t senders_for(std::size_t peer_count) { return peer_count == 0 ? multicast_senders : peer_count; }

    /// Does the router put a trailer behind what it sends?
    bool signs(Entry entry) const { return mode_of(entry) != HmacMode::receive_only; }
    /// The trailer of its next advert, to be used for all copies of it.
    packet::HmacTrailer::Octets sign(Entry entry, const packet::SignedMessage& message, Nanoseconds wall_clock);
    /// Looks at what is behind the message, and counts. An accepted sequence number is not accepted again.
    HmacVerdict check(Entry entry, const packet::ReceivedFrame& frame, Nanoseconds wall_clock);

    /// The router goes on where `before` stands: what it has sent, whom it has heard, what it counted.
    void adopt(Entry entry, const HmacTable& before, Entry predecessor);
    const HmacCounters& counters(Entry entry) const { return users_[static_cast<std::size_t>(entry)].counters; }
    void clear_counters(Entry entry) { users_[static_cast<std::size_t>(entry)].counters = {}; }
    std::size_t size() const { return users_.size(); }

private:
    struct Key {
        std::uint8_t id;
        packet::HmacKey key;
    };
    struct Settings {
        std::uint32_t first_key = 0;
        std::uint16_t key_count = 0;
        std::uint16_t active_key = 0;     // counted from first_key
        std::uint16_t window_seconds = 0;
        HmacMode mode = HmacMode::enforce;
        bool checks_time = true;
    };
    struct Sender {
        AddressOctets address{};
        packet::HmacSequence highest{};   // heard and accepted
        bool is_known() const { return address != AddressOctets{} || highest != packet::HmacSequence{}; }
    };
    struct User {
        packet::HmacSequence sent{};      // last
        std::uint32_t settings = 0;
        std::uint32_t first_sender = 0;
        std::uint16_t sender_count = 0;
        bool has_sent = false;
        HmacCounters counters{};
    };

    HmacMode mode_of(Entry entry) const { return settings_[users_[static_cast<std::size_t>(entry)].settings].mode; }
    const Key* find_key(const Settings& settings, std::uint8_t id) const;
    std::span<Sender> senders_of(const User& user) { return std::span(senders_).subspan(user.first_sender, user.sender_count); }
    HmacVerdict judge(const User& user, const packet::ReceivedFrame& frame, Nanoseconds wall_clock);
    bool accept_number(const User& user, const AddressOctets& address, packet::HmacSequence sequence, packet::HmacSequence clock);

    std::vector<Key> keys_;
    std::vector<Settings> settings_;
    std::vector<User> users_;
    std::vector<Sender> senders_;         // one router's behind the other's; most recently heard first
};

/// What would break an assumption of the HmacTable; empty when nothing would.
std::string_view find_hmac_error(const EngineSpec& spec);
/// By router.
std::vector<bool> routers_that_sign(const EngineSpec& spec);

}  // namespace vigil::engine
