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

/// HMAC-MD5-96 over the IPv4 packet with its mutable fields (TOS, flags and fragment offset, TTL, header checksum) and the
/// digest taken as zero (RFC 2402 §3.3.3, RFC 2403). `ip_packet` starts at the IPv4 header with AH behind it.
std::array<std::uint8_t, 12> ah_digest(Bytes ip_packet, const AuthKey& key);
bool is_ah_digest_valid(const ReceivedFrame& frame, const AuthKey& key);

/// Anti-replay window of 64 sequence numbers (RFC 2402 §3.4.3). Call accept() only after the digest was found valid. A sender that
/// restarts begins again at a low number: `forget()` when its silence made us Active, so it can be heard again.
class AhReplayWindow {
public:
    bool accept(std::uint32_t sequence_number);
    void forget() { highest_ = 0; seen_ = 0; }

private:
    std::uint32_t highest_ = 0;
    std::uint64_t seen_ = 0;
};

}  // namespace vigil::packet
