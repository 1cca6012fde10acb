#pragma once

#include <cstdint>
#include <vector>

#include "config/script.h"

namespace vigil::config {

/// `key` of auth_hmac, read from its file when it has one.
struct HmacKey {
    static constexpr std::size_t least_octets = 32;
    static constexpr std::size_t most_octets = 64;

    std::uint8_t id = 0;                  ///< 1-255
    std::vector<std::uint8_t> octets;     ///< 32-64
    SourceLocation where;

    /// Wherever it stands.
    friend bool operator==(const HmacKey& a, const HmacKey& b) { return a.id == b.id && a.octets == b.octets; }
};

/// What is done about an advert without a trailer, and whether we send one.
enum class HmacMode : std::uint8_t { enforce, permissive, receive_only };

/// The auth_hmac block of an instance.
struct HmacSettings {
    std::vector<HmacKey> keys;            ///< in file order, each id once; none: the instance has no auth_hmac
    std::uint8_t active_key = 0;          ///< the id of one of them
    bool checks_time = true;              ///< anti_replay time
    HmacMode mode = HmacMode::enforce;
    std::uint16_t time_window = 5;        ///< seconds, 1-300

    bool is_used() const { return !keys.empty(); }
    friend bool operator==(const HmacSettings&, const HmacSettings&) = default;
};

}  // namespace vigil::config
