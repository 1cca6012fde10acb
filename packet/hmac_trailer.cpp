#include "packet/hmac_trailer.h"

#include <nettle/memops.h>

#include <algorithm>
#include <cassert>

// auth_hmac: what keepalived has put behind the VRRP message since 2.4.0, in the form that it has had since 2.4.1 (draft-cassen-vrrp-auth-hmac). The
// format, octet by octet: type 1; key id; two of zero; sequence number: seconds, fraction, counter; sixteen of digest.
//
// The digest is HMAC-SHA256 over, one behind the other:
// * 20 octets that are not sent: 4 or 6 for the address family, version, VRID, 0, and the source address, padded with zeros to 16. A trailer can therefore not
//   be moved to another virtual router or sender that has the same key;
// * the message with a checksum of zero, because over IPv6 keepalived's kernel writes it after the signature;
// * the trailer with a digest of zero.
//
// Where the trailer counts for the checksum follows from who computes that: over IPv6 the kernel, for the whole payload; over IPv4 keepalived itself, for
// the message alone (frame_template.cpp, advertisement.h).
//
// nettle keeps its state where the caller says, so nothing here takes memory or waits, and the packet thread may call it. The key's share of the work has
// been done by HmacKey; a copy of that state, some 330 octets, is what a digest begins with.

namespace vigil::packet {

namespace {

constexpr std::size_t prefix_size = 12;          // of the trailer, up to the digest
constexpr std::size_t pseudo_header_size = 20;
constexpr std::size_t checksum_offset = 6;
constexpr std::size_t digest_size = 16;
constexpr std::size_t least_message_size = 8;

std::array<std::uint8_t, pseudo_header_size> pseudo_header(const SignedMessage& message) {
    std::array<std::uint8_t, pseudo_header_size> header{};
    header[0] = message.source.family == Family::ipv4 ? 4 : 6;
    header[1] = message.octets[0] >> 4;
    header[2] = message.octets[1];
    std::ranges::copy(message.source.bytes(), header.begin() + 4);
    return header;
}

}  // namespace

class HmacDigest {
public:
    explicit HmacDigest(const HmacKey& key) : context_(key.context_) {}
    void add(Bytes octets) { hmac_sha256_update(&context_, octets.size(), octets.data()); }
    std::array<std::uint8_t, digest_size> finish() {
        std::array<std::uint8_t, digest_size> digest;
        hmac_sha256_digest(&context_, digest.size(), digest.data());
        return digest;
    }

private:
    hmac_sha256_ctx context_;
};

namespace {

std::array<std::uint8_t, digest_size> digest_of(const SignedMessage& message, Bytes prefix, const HmacKey& key) {
    constexpr std::array<std::uint8_t, digest_size> zeros{};
    assert(message.octets.size() >= least_message_size);
    HmacDigest digest(key);
    digest.add(pseudo_header(message));
    digest.add(message.octets.first(checksum_offset));
    digest.add(std::span(zeros).first<2>());
    digest.add(message.octets.subspan(checksum_offset + 2));
    digest.add(prefix);
    digest.add(zeros);
    return digest.finish();
}

}  // namespace

HmacTrailer read_hmac_trailer(Bytes octets) {
    ByteReader reader(octets);
    HmacTrailer trailer;
    trailer.type = reader.u8();
    trailer.key_id = reader.u8();
    trailer.reserved = reader.u16();
    const std::uint64_t seconds = reader.u32();
    trailer.sequence = HmacSequence{seconds << 32 | reader.u32()};
    const Bytes digest = reader.take(trailer.digest.size());
    std::copy(digest.begin(), digest.end(), trailer.digest.begin());
    return trailer;
}

HmacTrailer::Octets make_hmac_trailer(const SignedMessage& message, std::uint8_t key_id, HmacSequence sequence, const HmacKey& key) {
    HmacTrailer::Octets octets{};
    ByteWriter writer(octets);
    writer.u8(HmacTrailer::type_sha256);
    writer.u8(key_id);
    writer.u16(0);
    writer.u32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(sequence) >> 32));
    writer.u32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(sequence)));
    writer.bytes(digest_of(message, std::span(octets).first<prefix_size>(), key));
    return octets;
}

bool is_hmac_valid(const SignedMessage& message, Bytes octets, const HmacKey& key) {
    if (octets.size() != HmacTrailer::size || message.octets.size() < least_message_size) return false;
    const auto expected = digest_of(message, octets.first(prefix_size), key);
    return memeql_sec(expected.data(), octets.data() + prefix_size, expected.size()) != 0;
}

}  // namespace vigil::packet
