#include "tests/packet/frame_builder.h"

#include <nettle/hmac.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>

// The layers are made from the inside out: message, AH, IP, Ethernet, each a vector around the one before. Nothing here
// is fast and nothing is shared with packet/, on purpose.

namespace vigil::test {

namespace {

constexpr std::size_t checksum_offset = 6;
constexpr std::size_t ah_digest_offset = 12;

void put16(Octets& octets, std::size_t value) {
    octets.push_back(static_cast<std::uint8_t>(value >> 8));
    octets.push_back(static_cast<std::uint8_t>(value));
}

void put32(Octets& octets, std::size_t value) {
    put16(octets, value >> 16 & 0xffff);
    put16(octets, value & 0xffff);
}

template <typename Range>
void put(Octets& octets, const Range& range) {
    for (const std::uint8_t octet : range) octets.push_back(octet);
}

void set16(Octets& octets, std::size_t offset, std::uint16_t value) {
    octets.at(offset) = static_cast<std::uint8_t>(value >> 8);
    octets.at(offset + 1) = static_cast<std::uint8_t>(value);
}

std::array<std::uint8_t, 8> padded(std::string_view password) {
    std::array<std::uint8_t, 8> key{};
    std::copy_n(password.begin(), std::min(password.size(), key.size()), key.begin());
    return key;
}

}  // namespace

Octets from_hex(std::string_view text) {
    Octets octets;
    int digits = 0;
    unsigned value = 0;
    for (const char character : text) {
        if (std::isspace(static_cast<unsigned char>(character))) continue;
        const std::string_view alphabet = "0123456789abcdef";
        value = value << 4 | static_cast<unsigned>(alphabet.find(character));
        if (++digits % 2 == 0) {
            octets.push_back(static_cast<std::uint8_t>(value));
            value = 0;
        }
    }
    return octets;
}

IpAddress address_of(std::string_view text) {
    const auto address = read_address(text);
    if (address) return *address;
    std::fprintf(stderr, "not an address: %.*s\n", static_cast<int>(text.size()), text.data());
    std::abort();
}

std::uint16_t reference_checksum(const Octets& octets) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < octets.size(); i += 2) {
        const unsigned low = i + 1 < octets.size() ? octets[i + 1] : 0;
        sum += static_cast<unsigned>(octets[i]) << 8 | low;
        if (sum > 0xffff) sum -= 0xffff;  // the carry comes back in at the right
    }
    return static_cast<std::uint16_t>(~sum);
}

FrameBuilder& FrameBuilder::vlan(std::uint16_t tag_control, std::uint16_t tag_type) {
    tags_.emplace_back(tag_type, tag_control);
    return *this;
}

FrameBuilder& FrameBuilder::ip(const IpAddress& source, const IpAddress& destination) {
    source_ = source;
    destination_ = destination;
    return *this;
}

FrameBuilder& FrameBuilder::ip(std::string_view source, std::string_view destination) {
    return ip(address_of(source), address_of(destination));
}

FrameBuilder& FrameBuilder::vrrp_v2(std::uint8_t vrid, std::uint8_t priority) {
    is_v2_ = true;
    vrid_ = vrid;
    priority_ = priority;
    return *this;
}

FrameBuilder& FrameBuilder::vrrp_v3(std::uint8_t vrid, std::uint8_t priority) {
    is_v2_ = false;
    vrid_ = vrid;
    priority_ = priority;
    return *this;
}

FrameBuilder& FrameBuilder::password(std::string_view password) {
    auth_type_ = 1;
    auth_data_ = padded(password);
    return *this;
}

FrameBuilder& FrameBuilder::ah(std::string_view password, std::uint32_t sequence_number) {
    auth_type_ = 2;
    ah_ = Ah{padded(password), sequence_number};
    return *this;
}

FrameBuilder& FrameBuilder::hmac(std::string_view key, std::uint8_t key_id, std::uint64_t sequence) {
    hmac_ = Hmac{{key.begin(), key.end()}, key_id, sequence};
    return *this;
}

FrameBuilder& FrameBuilder::hmac_octet(std::size_t offset, std::uint8_t value) {
    hmac_octets_.emplace_back(offset, value);
    return *this;
}

FrameBuilder& FrameBuilder::message_octet(std::size_t offset, std::uint8_t value) {
    message_octets_.emplace_back(offset, value);
    return *this;
}

FrameBuilder& FrameBuilder::ah_octet(std::size_t offset, std::uint8_t value) {
    ah_octets_.emplace_back(offset, value);
    return *this;
}

Octets FrameBuilder::message_without_checksum() const {
    const unsigned version = version_octet_.value_or(is_v2_ ? 2 : 3);
    Octets message{static_cast<std::uint8_t>(version << 4 | type_), vrid_, priority_,
                   address_count_.value_or(static_cast<std::uint8_t>(addresses_.size()))};
    if (is_v2_) {
        message.push_back(auth_type_);
        message.push_back(static_cast<std::uint8_t>(interval_.value_or(1)));
    } else {
        put16(message, interval_.value_or(100));
    }
    put16(message, 0);
    for (const IpAddress& address : addresses_) put(message, address.bytes());
    if (is_v2_) put(message, auth_data_);
    for (const auto& [offset, value] : message_octets_) message.at(offset) = value;
    return message;
}

Octets FrameBuilder::pseudo_header(std::size_t length) const {
    using packet::ChecksumForm;
    Octets header;
    if (is_v2_ || (is_ipv4() && form_ == ChecksumForm::message_only)) return header;
    put(header, source_.bytes());
    put(header, form_ == ChecksumForm::group_pseudo_header ? vrrp_group_ipv4.bytes() : destination_.bytes());
    if (is_ipv4()) {
        put16(header, 112);  // zero, protocol
        put16(header, length);
    } else {
        put32(header, length);
        put32(header, 112);  // zeros, next header
    }
    return header;
}

Octets FrameBuilder::message() const {
    Octets message = message_without_checksum();
    Octets covered = pseudo_header(message.size());
    put(covered, message);
    const std::uint16_t checksum = reference_checksum(covered);
    set16(message, checksum_offset, spoils_checksum_ ? checksum ^ 0x0100 : checksum);
    return message;
}

/// With its trailer: HMAC-SHA256 over family, version, VRID, 0, source (16 octets), the message without checksum, the trailer without digest.
Octets FrameBuilder::signed_message() const {
    Octets message = message_without_checksum();
    Octets trailer{1, hmac_->key_id, 0, 0};
    put32(trailer, hmac_->sequence >> 32);
    put32(trailer, hmac_->sequence & 0xffffffff);
    trailer.resize(28);
    for (const auto& [offset, value] : hmac_octets_) trailer.at(offset) = value;

    Octets covered{static_cast<std::uint8_t>(is_ipv4() ? 4 : 6), static_cast<std::uint8_t>(message[0] >> 4), message[1], 0};
    put(covered, source_.bytes());
    covered.resize(20);
    put(covered, message);
    put(covered, trailer);
    hmac_sha256_ctx context;
    hmac_sha256_set_key(&context, hmac_->key.size(), hmac_->key.data());
    hmac_sha256_update(&context, covered.size(), covered.data());
    hmac_sha256_digest(&context, 16, trailer.data() + 12);
    if (spoils_hmac_) trailer[27] ^= 1;

    if (is_ipv4()) {
        message = this->message();
        put(message, trailer);
        return message;
    }
    put(message, trailer);
    Octets summed = pseudo_header(message.size());
    put(summed, message);
    const std::uint16_t checksum = reference_checksum(summed);
    set16(message, checksum_offset, spoils_checksum_ ? checksum ^ 0x0100 : checksum);
    return message;
}

Octets FrameBuilder::with_ah(const Octets& message) const {
    Octets octets{112, 4, 0, 0};
    put(octets, source_.bytes());  // Security Parameters Index, as keepalived chooses it
    put32(octets, ah_->sequence_number);
    octets.resize(octets.size() + 12);
    for (const auto& [offset, value] : ah_octets_) octets.at(offset) = value;
    put(octets, message);
    return octets;
}

Octets FrameBuilder::ip_packet(const Octets& payload) const {
    Octets packet;
    const std::uint8_t protocol = protocol_.value_or(ah_ ? 51 : 112);
    const unsigned version = ip_version_.value_or(is_ipv4() ? 4 : 6);
    if (is_ipv4()) {
        const std::size_t header_size = 20 + ip_options_.size();
        const unsigned header_words = ip_header_words_.value_or(static_cast<std::uint8_t>(header_size / 4));
        packet = {static_cast<std::uint8_t>(version << 4 | header_words), traffic_class_};
        put16(packet, ip_length_.value_or(static_cast<std::uint16_t>(header_size + payload.size())));
        put16(packet, identification_);
        put16(packet, fragment_word_);
        put(packet, Octets{ttl_, protocol, 0, 0});
        put(packet, source_.bytes());
        put(packet, destination_.bytes());
        put(packet, ip_options_);
        const std::uint16_t checksum = reference_checksum(packet);
        set16(packet, 10, spoils_ip_checksum_ ? checksum ^ 0x0001 : checksum);
    } else {
        put32(packet, static_cast<std::size_t>(version) << 28 | static_cast<std::size_t>(traffic_class_) << 20);
        put16(packet, ip_length_.value_or(static_cast<std::uint16_t>(payload.size())));
        put(packet, Octets{protocol, ttl_});
        put(packet, source_.bytes());
        put(packet, destination_.bytes());
    }
    put(packet, payload);
    return packet;
}

/// HMAC-MD5-96 as keepalived takes it: TOS, fragment word and header checksum zero; TTL zero in unicast only.
void FrameBuilder::seal(Octets& packet) const {
    Octets covered = packet;
    covered.at(1) = 0;
    set16(covered, 6, 0);
    set16(covered, 10, 0);
    if (!destination_.is_multicast()) covered.at(8) = 0;
    hmac_md5_ctx context;
    hmac_md5_set_key(&context, ah_->key.size(), ah_->key.data());
    hmac_md5_update(&context, covered.size(), covered.data());
    std::array<std::uint8_t, 12> digest{};
    hmac_md5_digest(&context, digest.size(), digest.data());
    if (spoils_ah_digest_) digest[0] ^= 1;
    const std::size_t offset = 20 + ip_options_.size() + ah_digest_offset;
    std::copy(digest.begin(), digest.end(), packet.begin() + static_cast<std::ptrdiff_t>(offset));
}

Octets FrameBuilder::build() const {
    Octets inner = payload_ ? *payload_ : hmac_ ? signed_message() : message();
    put(inner, trailer_);
    Octets packet = ip_packet(ah_ ? with_ah(inner) : inner);
    if (ah_) seal(packet);

    Octets octets;
    put(octets, destination_mac_.value_or(multicast_mac(destination_)).octets);
    put(octets, source_mac_.octets);
    for (const auto& [tag_type, tag_control] : tags_) {
        put16(octets, tag_type);
        put16(octets, tag_control);
    }
    put16(octets, ether_type_.value_or(is_ipv4() ? 0x0800 : 0x86dd));
    put(octets, packet);
    if (octets.size() < padding_.size) octets.resize(padding_.size, padding_.octet);
    if (cut_ && *cut_ < octets.size()) octets.resize(*cut_);
    return octets;
}

Octets carp_message(std::uint8_t vhid) {
    // version and type, vhid, advskew 0, authlen 7, demote 0, advbase 1, checksum, counter, SHA1 HMAC (any octets do)
    Octets message{0x21, vhid, 0, 7, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2};
    for (std::uint8_t i = 0; i < 20; ++i) message.push_back(static_cast<std::uint8_t>(0xa0 + i));
    set16(message, checksum_offset, reference_checksum(message));
    return message;
}

Octets hsrp_datagram() {
    Octets datagram;
    put16(datagram, 1985);
    put16(datagram, 1985);
    put16(datagram, 28);
    put16(datagram, 0);
    put(datagram, Octets{0, 0, 16, 3, 10, 100, 1, 0});            // version, hello, Active, hellotime, holdtime, priority, group
    put(datagram, from_hex("636973636f000000 0a000064"));         // "cisco", virtual address
    return datagram;
}

}  // namespace vigil::test
