#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "packet/frame.h"

namespace vigil::packet {

/// The 8 octets of auth_pass, zero padded (RFC 2338 §5.3.10; keepalived cuts longer passwords).
using AuthKey = std::array<std::uint8_t, 8>;

/// Compares in constant time.
bool is_password_equal(Bytes received, const AuthKey& configured);

/// HMAC-MD5-96 over the IPv4 packet with its mutable fields (TOS, flags and fragment offset, header checksum; TTL only when
/// the destination is unicast, see authentication.cpp) and the digest taken as zero (RFC 2402 §3.3.3, RFC 2403).
/// `ip_packet` starts at the IPv4 header with AH behind it; zeros when it is too short for both.
std::array<std::uint8_t, 12> ah_digest(Bytes ip_packet, const AuthKey& key);
/// Compares in constant time; false for a frame without AH.
bool is_ah_digest_valid(const ReceivedFrame& frame, const AuthKey& key);

/// Anti-replay window of 64 sequence numbers (RFC 2402 §3.4.3). Call accept() only after the digest was found valid. A sender that
/// restarts begins again at a low number: `forget()` when its silence made us Active, so it can be heard again.
class AhReplayWindow {
public:
    /// False when the number was seen already or lies left of the window; 0 never is a valid number.
    bool accept(std::uint32_t sequence_number);
    void forget() { highest_ = 0; seen_ = 0; }
    /// The highest number accepted, 0 when none was. keepalived counts for the whole virtual router: a new Active has to send
    /// above it, or the other Backups take its advertisements for replayed ones.
    std::uint32_t highest() const { return highest_; }

private:
    static constexpr std::uint32_t window_size = 64;

    std::uint32_t highest_ = 0;
    std::uint64_t seen_ = 0;
};

}  // namespace vigil::packet
