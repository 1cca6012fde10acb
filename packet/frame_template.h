#pragma once

#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "packet/advertisement.h"
#include "packet/authentication.h"
#include "packet/hmac_trailer.h"

namespace vigil::packet {

/// Everything that goes into an advertisement frame.
struct AdvertisementSpec {
    VrrpVersion version = VrrpVersion::v2;
    Vrid vrid{1};
    Priority priority = Priority::default_value;
    Centiseconds interval{100};                    ///< v3: 1-4095; v2: a multiple of 100, 100-25500
    IpAddress source;                              ///< primary address of the interface; IPv6: link-local (RFC 9568 §5.1.2.1)
    IpAddress destination;                         ///< group or unicast peer
    MacAddress source_mac;                         ///< virtual MAC, or the interface's own
    MacAddress destination_mac;                    ///< zero for unicast: the kernel's IP layer finds the neighbour
    std::span<const IpAddress> addresses;          ///< 1-255 of the family of `source`; v2 allows none
    std::uint8_t ttl = 255;                        ///< 255 for multicast (RFC 9568 §5.1.1.3)
    ChecksumForm checksum = ChecksumForm::pseudo_header;  ///< v3 over IPv4 only; group form: unicast only
    AuthType auth_type = AuthType::none;           ///< v2 only; ah over IPv4 only
    AuthKey auth_key{};
    bool has_hmac_trailer = false;                 ///< not together with auth_type; set_trailer() before every transmission
};

enum class BuildError : std::uint8_t {
    buffer_too_small,     ///< see frame_size()
    mixed_families,       ///< source, destination and addresses are not of one family (RFC 9568 §5.2.9)
    too_many_addresses,   ///< more than 255
    no_addresses,         ///< none in version 3, which no receiver accepts (RFC 9568 §5.2.5)
    bad_version,          ///< version 2 over IPv6
    bad_interval,         ///< not expressible in this version
    bad_authentication,   ///< authentication with v3 or IPv6, or beside a trailer
};

/// Octets of the complete Ethernet frame, without padding to 60 (the driver pads).
std::size_t frame_size(const AdvertisementSpec& spec);

/// A complete Ethernet frame built once, in memory that somebody else owns (engine::FrameStore), then patched. Each patch keeps
/// the VRRP checksum right by RFC 1624 (eqn. 3) and costs a few nanoseconds. Small and trivially copyable: a handle.
class FrameTemplate {
public:
    static constexpr std::size_t ethernet_size = 14;

    FrameTemplate() = default;
    /// Ethernet header included.
    std::span<const std::uint8_t> bytes() const { return {begin_, size_}; }
    /// From the IP header on, for sockets where the kernel's IP layer routes (unicast).
    std::span<const std::uint8_t> ip_bytes() const { return bytes().subspan(ethernet_size); }

    void set_priority(Priority priority);
    /// Same range as AdvertisementSpec::interval, in the version the frame was built with.
    void set_interval(Centiseconds interval);
    /// Another primary address of the same family: IP header, its checksum, pseudo-header, AH index.
    void set_source(const IpAddress& source);
    void set_source_mac(const MacAddress& mac);
    MacAddress source_mac() const;
    Priority priority() const { return Priority{begin_[vrrp_offset_ + 2]}; }
    /// Frames with AH only: new sequence number and digest. Needed before every transmission. Costs an HMAC-MD5 (about a microsecond).
    void seal(std::uint32_t sequence_number, const AuthKey& key);
    bool needs_seal() const { return has_ah_; }
    /// Frames with a trailer only: what a trailer has to vouch for, and the trailer itself.
    SignedMessage signed_message() const;
    void set_trailer(const HmacTrailer::Octets& trailer);
    bool needs_trailer() const { return has_trailer_; }

private:
    friend tl::expected<FrameTemplate, BuildError> build_advertisement_frame(const AdvertisementSpec&, std::span<std::uint8_t>);
    std::uint8_t* begin_ = nullptr;
    std::uint16_t size_ = 0;
    std::uint16_t vrrp_offset_ = 0;
    bool has_ah_ = false;
    bool has_trailer_ = false;
    bool checksum_covers_source_ = false;   // the pseudo-header forms
};

/// Writes the frame into `buffer` (at least frame_size(spec) octets), which must outlive the template.
tl::expected<FrameTemplate, BuildError> build_advertisement_frame(const AdvertisementSpec& spec, std::span<std::uint8_t> buffer);

}  // namespace vigil::packet
