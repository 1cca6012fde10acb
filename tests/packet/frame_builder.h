#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "packet/address.h"
#include "packet/advertisement.h"
#include "packet/units.h"

/// Frames for tests, built by name. Shares no code with the product: its sums are the plain definition of RFC 1071, its
/// headers are laid out here once more, so that a mistake in packet/ does not hide behind itself.
namespace vigil::test {

using Octets = std::vector<std::uint8_t>;

/// "0100 5e00 0012": hexadecimal digits with any spaces between.
Octets from_hex(std::string_view text);
/// The address in the text; a test that misspells one ends here.
IpAddress address_of(std::string_view text);
/// One's complement sum of 16-bit big-endian words, an odd last octet padded with zero, complemented (RFC 1071 §1).
std::uint16_t reference_checksum(const Octets& octets);

/// A frame that is right in every field that was not set to something else:
///
///     frame().vlan(5).ipv4("10.0.0.1", "224.0.0.18").vrrp_v3(7, 200).address("10.0.0.100").build()
///
/// Calls may come in any order. What a corrupter changes *before* the checksums leaves them right (the frame is wrong in
/// exactly one way); the ones that spoil a checksum are named so.
class FrameBuilder {
public:
    // Ethernet. Without destination_mac() it is the group address of the IP destination.
    FrameBuilder& source_mac(const MacAddress& mac) { source_mac_ = mac; return *this; }
    FrameBuilder& destination_mac(const MacAddress& mac) { destination_mac_ = mac; return *this; }
    FrameBuilder& vlan(std::uint16_t tag_control, std::uint16_t tag_type = 0x8100);  ///< outermost first; up to any number
    FrameBuilder& ether_type(std::uint16_t type) { ether_type_ = type; return *this; }

    // IP. One of the two is needed unless only the Ethernet part matters.
    FrameBuilder& ipv4(std::string_view source, std::string_view destination) { return ip(source, destination); }
    FrameBuilder& ipv6(std::string_view source, std::string_view destination) { return ip(source, destination); }
    FrameBuilder& ip(const IpAddress& source, const IpAddress& destination);
    FrameBuilder& ip(std::string_view source, std::string_view destination);
    FrameBuilder& ttl(std::uint8_t value) { ttl_ = value; return *this; }
    FrameBuilder& traffic_class(std::uint8_t value) { traffic_class_ = value; return *this; }
    FrameBuilder& ip_protocol(std::uint8_t value) { protocol_ = value; return *this; }
    FrameBuilder& ip_version(std::uint8_t value) { ip_version_ = value; return *this; }
    FrameBuilder& ip_header_words(std::uint8_t value) { ip_header_words_ = value; return *this; }  ///< says so, adds nothing
    FrameBuilder& ip_options(Octets options) { ip_options_ = std::move(options); return *this; }   ///< a multiple of 4 octets
    FrameBuilder& ip_length(std::uint16_t value) { ip_length_ = value; return *this; }  ///< total or payload length field
    FrameBuilder& fragment_word(std::uint16_t value) { fragment_word_ = value; return *this; }     ///< flags and offset
    FrameBuilder& identification(std::uint16_t value) { identification_ = value; return *this; }

    // VRRP. The default is a version 3 message of router 1 with priority 100 and an interval of 1 s.
    FrameBuilder& vrrp_v2(std::uint8_t vrid, std::uint8_t priority);
    FrameBuilder& vrrp_v3(std::uint8_t vrid, std::uint8_t priority);
    FrameBuilder& interval(std::uint16_t wire_value) { interval_ = wire_value; return *this; }  ///< v2: seconds; v3: centiseconds
    FrameBuilder& address(const IpAddress& address) { addresses_.push_back(address); return *this; }
    FrameBuilder& address(std::string_view text) { return address(address_of(text)); }
    FrameBuilder& checksum(packet::ChecksumForm form) { form_ = form; return *this; }
    FrameBuilder& password(std::string_view password);                         ///< v2: Auth Type 1
    FrameBuilder& ah(std::string_view password, std::uint32_t sequence_number);  ///< v2: Auth Type 2 in an AH packet
    /// The trailer of auth_hmac behind the message. `sequence`: seconds since 1970 in its upper half.
    FrameBuilder& hmac(std::string_view key, std::uint8_t key_id, std::uint64_t sequence);
    FrameBuilder& auth_type(std::uint8_t value) { auth_type_ = value; return *this; }
    FrameBuilder& type(std::uint8_t value) { type_ = value; return *this; }
    FrameBuilder& version(std::uint8_t value) { version_octet_ = value; return *this; }  ///< says so, layout unchanged
    FrameBuilder& address_count(std::uint8_t value) { address_count_ = value; return *this; }  ///< says so, adds nothing
    FrameBuilder& message_octet(std::size_t offset, std::uint8_t value);       ///< before the checksum is taken
    FrameBuilder& hmac_octet(std::size_t offset, std::uint8_t value);          ///< of the trailer, before the digest is taken
    FrameBuilder& ah_octet(std::size_t offset, std::uint8_t value);            ///< before the digest is taken
    /// This instead of a VRRP message.
    FrameBuilder& payload(Octets octets) { payload_ = std::move(octets); return *this; }
    /// Behind the VRRP message, within the IP packet.
    FrameBuilder& trailer(Octets octets) { trailer_ = std::move(octets); return *this; }

    // Spoilers, applied last.
    FrameBuilder& bad_checksum() { spoils_checksum_ = true; return *this; }
    FrameBuilder& bad_ip_checksum() { spoils_ip_checksum_ = true; return *this; }
    FrameBuilder& bad_hmac() { spoils_hmac_ = true; return *this; }
    FrameBuilder& bad_ah_digest() { spoils_ah_digest_ = true; return *this; }
    FrameBuilder& pad_to(std::size_t size, std::uint8_t octet = 0) { padding_ = {size, octet}; return *this; }
    FrameBuilder& cut_to(std::size_t size) { cut_ = size; return *this; }

    Octets build() const;
    /// Only the VRRP message, with its checksum.
    Octets message() const;

private:
    Octets message_without_checksum() const;
    Octets signed_message() const;
    Octets with_ah(const Octets& message) const;
    Octets ip_packet(const Octets& payload) const;
    void seal(Octets& packet) const;
    Octets pseudo_header(std::size_t length) const;
    bool is_ipv4() const { return source_.family == Family::ipv4; }

    struct Ah {
        std::array<std::uint8_t, 8> key{};
        std::uint32_t sequence_number = 0;
    };
    struct Hmac {
        Octets key;
        std::uint8_t key_id = 0;
        std::uint64_t sequence = 0;
    };
    struct Padding {
        std::size_t size = 0;
        std::uint8_t octet = 0;
    };

    MacAddress source_mac_{{0x02, 0, 0, 0, 0, 0x01}};
    std::optional<MacAddress> destination_mac_;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> tags_;  // type, control
    std::optional<std::uint16_t> ether_type_;

    IpAddress source_ = ::vigil::ipv4(10, 0, 0, 1);
    IpAddress destination_ = vrrp_group_ipv4;
    std::uint8_t ttl_ = 255;
    std::uint8_t traffic_class_ = 0xc0;
    std::optional<std::uint8_t> protocol_;
    std::optional<std::uint8_t> ip_version_;
    std::optional<std::uint8_t> ip_header_words_;
    Octets ip_options_;
    std::optional<std::uint16_t> ip_length_;
    std::uint16_t fragment_word_ = 0x4000;
    std::uint16_t identification_ = 0;

    bool is_v2_ = false;
    std::uint8_t vrid_ = 1;
    std::uint8_t priority_ = 100;
    std::optional<std::uint16_t> interval_;
    std::vector<IpAddress> addresses_;
    packet::ChecksumForm form_ = packet::ChecksumForm::pseudo_header;
    std::uint8_t auth_type_ = 0;
    std::array<std::uint8_t, 8> auth_data_{};
    std::optional<Ah> ah_;
    std::uint8_t type_ = 1;
    std::optional<std::uint8_t> version_octet_;
    std::optional<std::uint8_t> address_count_;
    std::vector<std::pair<std::size_t, std::uint8_t>> message_octets_;
    std::vector<std::pair<std::size_t, std::uint8_t>> ah_octets_;
    std::optional<Hmac> hmac_;
    std::vector<std::pair<std::size_t, std::uint8_t>> hmac_octets_;
    std::optional<Octets> payload_;
    Octets trailer_;

    bool spoils_checksum_ = false;
    bool spoils_ip_checksum_ = false;
    bool spoils_ah_digest_ = false;
    bool spoils_hmac_ = false;
    Padding padding_;
    std::optional<std::size_t> cut_;
};

inline FrameBuilder frame() { return {}; }

/// An OpenBSD or pfSense CARP advertisement of `vhid`: 36 octets behind protocol 112 to 224.0.0.18, its checksum right.
Octets carp_message(std::uint8_t vhid);
/// An HSRP version 0 hello in UDP 1985 to 224.0.0.2, UDP checksum 0.
Octets hsrp_datagram();

}  // namespace vigil::test
