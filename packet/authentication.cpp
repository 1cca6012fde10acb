#include "packet/authentication.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>

#include <algorithm>

#include "packet/ip.h"

// The authentication of VRRPv2 (RFC 2338 §5.3.6 and §5.3.10; RFC 3768 dropped it, the field did not): a password in the
// clear, and AH with HMAC-MD5-96. Neither keeps an attacker out who sees the LAN (a password is readable, MD5 is old); they
// are spoken because existing peers speak them. MD5 comes from nettle, which needs no context on the heap.
//
// What AH's digest covers was settled with frames of keepalived 2.2.7 (tests/packet/authentication_test.cpp):
// * TOS, flags and fragment offset, header checksum and the digest itself count as zero; Identification counts as sent.
// * TTL counts as zero in unicast advertisements, as RFC 2402 §3.3.3.1.1.1 asks, but as sent (255) in multicast ones. That
//   deviates from the RFC, and follows keepalived because an AH that no peer accepts is none.
// * The key is auth_pass; HMAC pads it with zeros, so the 8 padded octets and the bare password are the same key.
//
// keepalived keeps one sequence counter per virtual router for sending *and* receiving: whoever becomes Active has to go
// on above the highest number heard (AhReplayWindow::highest()), or the other Backups drop its advertisements as replayed.

namespace vigil::packet {

namespace {

/// Octets of the longest IPv4 header with the AH header behind it.
constexpr std::size_t max_covered_headers = 60 + ah_header_size;

}  // namespace

bool is_password_equal(Bytes received, const AuthKey& configured) {
    return received.size() == configured.size() && memeql_sec(received.data(), configured.data(), configured.size()) != 0;
}

std::array<std::uint8_t, 12> ah_digest(Bytes ip_packet, const AuthKey& key) {
    std::array<std::uint8_t, max_covered_headers> headers{};
    const std::size_t ip_header_size = ip_packet.empty() ? 0 : std::size_t{4} * (ip_packet[0] & 0x0f);
    const std::size_t headers_size = ip_header_size + ah_header_size;
    std::array<std::uint8_t, 12> digest{};
    if (ip_header_size < ipv4_header_size || ip_packet.size() < headers_size) return digest;

    std::copy_n(ip_packet.begin(), headers_size, headers.begin());
    headers[1] = 0;
    std::fill_n(headers.begin() + 6, 2, std::uint8_t{0});
    if (!make_address(ip_packet.subspan(16, 4)).is_multicast()) headers[8] = 0;
    std::fill_n(headers.begin() + 10, 2, std::uint8_t{0});
    std::fill_n(headers.begin() + static_cast<std::ptrdiff_t>(headers_size - digest.size()), digest.size(), std::uint8_t{0});

    hmac_md5_ctx context;
    hmac_md5_set_key(&context, key.size(), key.data());
    hmac_md5_update(&context, headers_size, headers.data());
    hmac_md5_update(&context, ip_packet.size() - headers_size, ip_packet.data() + headers_size);
    hmac_md5_digest(&context, digest.size(), digest.data());
    return digest;
}

bool is_ah_digest_valid(const ReceivedFrame& frame, const AuthKey& key) {
    if (!frame.ah) return false;
    const auto expected = ah_digest(frame.ip_packet, key);
    return memeql_sec(expected.data(), frame.ah->digest.data(), expected.size()) != 0;
}

bool AhReplayWindow::accept(std::uint32_t sequence_number) {
    if (sequence_number == 0) return false;  // the first number of an association is 1 (RFC 2402 §2.5)
    if (sequence_number > highest_) {
        const std::uint32_t ahead = sequence_number - highest_;
        seen_ = ahead < window_size ? seen_ << ahead | 1 : 1;
        highest_ = sequence_number;
        return true;
    }
    const std::uint32_t behind = highest_ - sequence_number;
    if (behind >= window_size) return false;
    const std::uint64_t bit = std::uint64_t{1} << behind;
    if ((seen_ & bit) != 0) return false;
    seen_ |= bit;
    return true;
}

}  // namespace vigil::packet
