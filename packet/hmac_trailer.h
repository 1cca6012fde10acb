#pragma once

#include <nettle/hmac.h>

#include <array>
#include <cstdint>

#include "packet/address.h"
#include "packet/bytes.h"
#include "packet/units.h"

namespace vigil::packet {

/// A secret of auth_hmac, ready for use: the hash of its padded octets is taken here and not with every advertisement.
class HmacKey {
public:
    static constexpr std::size_t least_size = 32;
    static constexpr std::size_t most_size = 64;

    /// `octets`: least_size to most_size; others work too, but no peer has them.
    explicit HmacKey(Bytes octets) { hmac_sha256_set_key(&context_, octets.size(), octets.data()); }

private:
    friend class HmacDigest;
    hmac_sha256_ctx context_;
};

/// What a trailer vouches for beside itself.
struct SignedMessage {
    Bytes octets;       ///< of the VRRP message: from the version to the last address, authentication data of version 2 included
    IpAddress source;   ///< of the IP packet; the destination is not covered, so all copies for unicast peers are signed alike
};

/// A number that grows with every advertisement of a sender: 32 bits of seconds since 1970, 16 bits of fraction, 16 bits of counter. It may wrap: order is
/// that of RFC 1982.
enum class HmacSequence : std::uint64_t {};

/// That of an instant of the wall clock (since 1970), with a counter of 0.
constexpr HmacSequence sequence_at(Nanoseconds wall_clock) {
    const auto nanoseconds = static_cast<std::uint64_t>(wall_clock.count());
    const std::uint64_t seconds = nanoseconds / 1'000'000'000;
    const std::uint64_t fraction = (nanoseconds % 1'000'000'000 << 16) / 1'000'000'000;
    return HmacSequence{seconds << 32 | fraction << 16};
}
constexpr HmacSequence successor(HmacSequence sequence) { return HmacSequence{static_cast<std::uint64_t>(sequence) + 1}; }
constexpr bool is_after(HmacSequence a, HmacSequence b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)) > 0;
}
/// Whole seconds of `a` less those of `b`, modulo 2^32.
constexpr std::int32_t seconds_between(HmacSequence a, HmacSequence b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(a) >> 32) -
                                     static_cast<std::uint32_t>(static_cast<std::uint64_t>(b) >> 32));
}

/// What keepalived 2.4.1 and later put behind a message.
struct HmacTrailer {
    static constexpr std::size_t size = 28;
    static constexpr std::uint8_t type_sha256 = 1;   ///< HMAC-SHA256, cut to 16 octets: the only one there is
    using Octets = std::array<std::uint8_t, size>;

    std::uint8_t type = type_sha256;
    std::uint8_t key_id = 0;
    std::uint16_t reserved = 0;   ///< 0, else it is refused
    HmacSequence sequence{};
    std::array<std::uint8_t, 16> digest{};   ///< as received, not yet checked

    bool is_well_formed() const { return type == type_sha256 && reserved == 0; }
};

/// `octets`: HmacTrailer::size of them.
HmacTrailer read_hmac_trailer(Bytes octets);

/// The trailer for `message`. Takes no memory; about a microsecond.
HmacTrailer::Octets make_hmac_trailer(const SignedMessage& message, std::uint8_t key_id, HmacSequence sequence, const HmacKey& key);

/// Was the trailer, in `octets`, made by somebody who has the key, for this message? Compares in constant time.
bool is_hmac_valid(const SignedMessage& message, Bytes octets, const HmacKey& key);

}  // namespace vigil::packet
