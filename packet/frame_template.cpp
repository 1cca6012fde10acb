#include "packet/frame_template.h"

#include <algorithm>
#include <cassert>

#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/ethernet.h"
#include "packet/ip.h"

// An advertisement is built once and then sent for months; between two transmissions only its priority (a tracker moved
// it, or the router stops) and seldom its interval change. So the frame lies ready in the frame store, a patch stores one
// 16-bit word and corrects the VRRP checksum by RFC 1624 eqn. 3, and nothing else of the frame is touched. The pseudo-header
// forms need no special care: what a patch changes is never part of the pseudo-header.
//
// Eqn. 3 gives the same checksum as a rebuild, bit for bit: a message is never all zeros, so its sum is never +0 and the two
// zeros of one's complement do not meet.
//
// The IPv4 header checksum does not cover the message and stays. With AH the digest does cover it, so such a frame goes
// out only after seal(). Nor does a frame with the trailer of auth_hmac go out without set_trailer(). Over IPv6 the VRRP checksum covers the
// trailer, over IPv4 it ends before it, and the pseudo-header says how long it is accordingly (hmac_trailer.cpp).

namespace vigil::packet {

namespace {

constexpr std::size_t priority_word = 2;   ///< offset of priority and address count in the message
constexpr std::size_t interval_word = 4;   ///< v2: Auth Type and Adver Int; v3: reserved and Max Advertise Interval
constexpr std::size_t checksum_word = 6;
constexpr std::size_t ah_index_offset = 4;
constexpr std::size_t ah_sequence_offset = 8;
constexpr std::size_t ipv4_checksum_offset = 10;
constexpr std::size_t ipv4_source_offset = 12;
constexpr std::size_t ipv6_source_offset = 8;
constexpr std::uint16_t max_wire_interval = 4095;  ///< RFC 9568 §5.2.7

std::size_t message_size(const AdvertisementSpec& spec) {
    return AdvertisementView::fixed_size + spec.addresses.size() * spec.source.size() +
           (spec.version == VrrpVersion::v2 ? AdvertisementView::auth_size : 0);
}

std::size_t trailer_size(const AdvertisementSpec& spec) { return spec.has_hmac_trailer ? HmacTrailer::size : 0; }

bool is_interval_expressible(VrrpVersion version, Centiseconds interval) {
    if (version == VrrpVersion::v3) return interval.count() >= 1 && interval.count() <= max_wire_interval;
    return interval.count() >= 100 && interval.count() <= 25500 && interval.count() % 100 == 0;
}

std::optional<BuildError> find_error(const AdvertisementSpec& spec, std::size_t buffer_size) {
    const Family family = spec.source.family;
    const auto is_other_family = [family](const IpAddress& address) { return address.family != family; };
    if (is_other_family(spec.destination) || std::any_of(spec.addresses.begin(), spec.addresses.end(), is_other_family)) {
        return BuildError::mixed_families;
    }
    const bool is_v2 = spec.version == VrrpVersion::v2;
    if (spec.auth_type != AuthType::none && (!is_v2 || family == Family::ipv6 || spec.has_hmac_trailer)) return BuildError::bad_authentication;
    if (is_v2 && family == Family::ipv6) return BuildError::bad_version;
    if (spec.addresses.size() > 255) return BuildError::too_many_addresses;
    if (spec.addresses.empty() && !is_v2) return BuildError::no_addresses;
    if (!is_interval_expressible(spec.version, spec.interval)) return BuildError::bad_interval;
    if (buffer_size < frame_size(spec)) return BuildError::buffer_too_small;
    return std::nullopt;
}

/// The word at interval_word, whose high octet is the Auth Type in version 2 and reserved bits otherwise.
std::uint16_t interval_bits(VrrpVersion version, Centiseconds interval) {
    return version == VrrpVersion::v2 ? static_cast<std::uint16_t>(interval.count() / 100) : interval.count();
}

bool has_pseudo_header(const AdvertisementSpec& spec) {
    if (spec.version == VrrpVersion::v2) return false;
    return spec.source.family == Family::ipv6 || spec.checksum != ChecksumForm::message_only;
}

PartialSum pseudo_header_of(const AdvertisementSpec& spec) {
    if (!has_pseudo_header(spec)) return {};
    const bool is_group_form = spec.source.family == Family::ipv4 && !spec.destination.is_multicast() &&
                               spec.checksum == ChecksumForm::group_pseudo_header;
    return pseudo_header_sum(spec.source, is_group_form ? vrrp_group_ipv4 : spec.destination, vrrp_protocol_number,
                             message_size(spec) + (spec.source.family == Family::ipv6 ? trailer_size(spec) : 0));
}

/// AH with a sequence number and a digest of zero: seal() fills in both.
void write_ah(ByteWriter& writer, const IpAddress& source) {
    writer.u8(vrrp_protocol_number);
    writer.u8(ah_payload_length);
    writer.u16(0);
    writer.ip(source);  // as Security Parameters Index: keepalived's convention, and it checks it
    writer.zeros(ah_header_size - ah_sequence_offset);
}

void write_message(ByteWriter& writer, const AdvertisementSpec& spec) {
    const std::size_t begin = writer.size();
    const bool is_v2 = spec.version == VrrpVersion::v2;
    const auto auth_type = static_cast<std::uint8_t>(spec.auth_type);  // none in version 3: its reserved bits are zero
    writer.u8(static_cast<std::uint8_t>(to_number(spec.version) << 4 | 1));
    writer.u8(to_number(spec.vrid));
    writer.u8(to_number(spec.priority));
    writer.u8(static_cast<std::uint8_t>(spec.addresses.size()));
    writer.u16(static_cast<std::uint16_t>(auth_type << 8 | interval_bits(spec.version, spec.interval)));
    writer.u16(0);
    for (const IpAddress& address : spec.addresses) writer.ip(address);
    if (is_v2) writer.bytes(spec.auth_type == AuthType::simple_password ? spec.auth_key : AuthKey{});
    const auto message = writer.written().subspan(begin);
    store_u16(message, checksum_word, finish_checksum(add_words(pseudo_header_of(spec), message)));
    writer.zeros(trailer_size(spec));
}

/// Replaces the aligned word at `offset` of the message and corrects the message's checksum.
void patch_word(std::span<std::uint8_t> message, std::size_t offset, std::uint16_t word) {
    const std::uint16_t checksum = load_u16(message, checksum_word);
    store_u16(message, checksum_word, update_checksum(checksum, load_u16(message, offset), word));
    store_u16(message, offset, word);
}

}  // namespace

std::size_t frame_size(const AdvertisementSpec& spec) {
    const std::size_t ip_size = spec.source.family == Family::ipv4 ? ipv4_header_size : ipv6_header_size;
    return ethernet_header_size + ip_size + (spec.auth_type == AuthType::ah ? ah_header_size : 0) + message_size(spec) + trailer_size(spec);
}

tl::expected<FrameTemplate, BuildError> build_advertisement_frame(const AdvertisementSpec& spec, std::span<std::uint8_t> buffer) {
    if (const auto error = find_error(spec, buffer.size())) return tl::unexpected(*error);
    assert(to_number(spec.vrid) != 0);
    const bool is_ipv4 = spec.source.family == Family::ipv4;
    const bool has_ah = spec.auth_type == AuthType::ah;

    ByteWriter writer(buffer);
    write_ethernet(writer, spec.destination_mac, spec.source_mac, is_ipv4 ? EtherType::ipv4 : EtherType::ipv6);
    IpHeader ip;
    ip.source = spec.source;
    ip.destination = spec.destination;
    ip.protocol = has_ah ? IpProtocol::ah : IpProtocol::vrrp;
    ip.ttl = spec.ttl;
    ip.payload_size = static_cast<std::uint16_t>(message_size(spec) + (has_ah ? ah_header_size : 0) + trailer_size(spec));
    write_ip_header(writer, ip);
    if (has_ah) write_ah(writer, spec.source);
    FrameTemplate frame;
    frame.begin_ = buffer.data();
    frame.vrrp_offset_ = static_cast<std::uint16_t>(writer.size());
    frame.has_ah_ = has_ah;
    frame.has_trailer_ = spec.has_hmac_trailer;
    frame.checksum_covers_source_ = has_pseudo_header(spec);
    write_message(writer, spec);
    frame.size_ = static_cast<std::uint16_t>(writer.size());
    return frame;
}

void FrameTemplate::set_priority(Priority priority) {
    const std::span message(begin_ + vrrp_offset_, AdvertisementView::fixed_size);
    patch_word(message, priority_word, static_cast<std::uint16_t>(to_number(priority) << 8 | message[priority_word + 1]));
}

void FrameTemplate::set_interval(Centiseconds interval) {
    const std::span message(begin_ + vrrp_offset_, AdvertisementView::fixed_size);
    const auto version = VrrpVersion{static_cast<std::uint8_t>(message[0] >> 4)};
    assert(is_interval_expressible(version, interval));
    // The high octet is the Auth Type in version 2; in version 3 it belongs to the interval and reserved bits stay zero.
    const std::uint8_t auth_type = version == VrrpVersion::v2 ? message[interval_word] : std::uint8_t{0};
    patch_word(message, interval_word, static_cast<std::uint16_t>(auth_type << 8 | interval_bits(version, interval)));
}

void FrameTemplate::set_source(const IpAddress& source) {
    const bool is_ipv4 = source.family == Family::ipv4;
    const std::span ip(begin_ + ethernet_size, is_ipv4 ? ipv4_header_size : ipv6_header_size);
    const std::span old = ip.subspan(is_ipv4 ? ipv4_source_offset : ipv6_source_offset, source.size());
    const std::span message(begin_ + vrrp_offset_, AdvertisementView::fixed_size);
    for (std::size_t i = 0; i < source.size(); i += 2) {
        const std::uint16_t before = load_u16(old, i);
        const std::uint16_t after = load_u16(source.bytes(), i);
        store_u16(old, i, after);
        if (is_ipv4) store_u16(ip, ipv4_checksum_offset, update_checksum(load_u16(ip, ipv4_checksum_offset), before, after));
        if (!checksum_covers_source_) continue;
        store_u16(message, checksum_word, update_checksum(load_u16(message, checksum_word), before, after));
    }
    if (has_ah_) std::copy_n(source.octets.begin(), 4, begin_ + vrrp_offset_ - ah_header_size + ah_index_offset);
}

void FrameTemplate::set_source_mac(const MacAddress& mac) {
    std::copy(mac.octets.begin(), mac.octets.end(), begin_ + mac.octets.size());
}

MacAddress FrameTemplate::source_mac() const {
    MacAddress mac;
    std::copy_n(begin_ + mac.octets.size(), mac.octets.size(), mac.octets.begin());
    return mac;
}

void FrameTemplate::seal(std::uint32_t sequence_number, const AuthKey& key) {
    assert(has_ah_);
    ByteWriter ah(std::span(begin_ + vrrp_offset_ - ah_header_size + ah_sequence_offset, ah_header_size - ah_sequence_offset));
    ah.u32(sequence_number);
    ah.bytes(ah_digest(ip_bytes(), key));
}

SignedMessage FrameTemplate::signed_message() const {
    assert(has_trailer_);
    const bool is_ipv4 = begin_[ethernet_size] >> 4 == 4;
    const Bytes source = is_ipv4 ? ip_bytes().subspan(ipv4_source_offset, 4) : ip_bytes().subspan(ipv6_source_offset, 16);
    return {bytes().subspan(vrrp_offset_, size_ - vrrp_offset_ - HmacTrailer::size), make_address(source)};
}

/// Over IPv6 the checksum follows; the trailer begins on an even octet of the message, as all messages end on one.
void FrameTemplate::set_trailer(const HmacTrailer::Octets& trailer) {
    assert(has_trailer_);
    const std::span message(begin_ + vrrp_offset_, static_cast<std::size_t>(size_ - vrrp_offset_));
    const std::size_t begin = message.size() - trailer.size();
    const bool is_ipv6 = begin_[ethernet_size] >> 4 == 6;
    for (std::size_t i = 0; is_ipv6 && i < trailer.size(); i += 2) patch_word(message, begin + i, load_u16(trailer, i));
    std::ranges::copy(trailer, message.begin() + static_cast<std::ptrdiff_t>(begin));
}

}  // namespace vigil::packet
