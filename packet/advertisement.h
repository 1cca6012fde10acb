#pragma once

#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "packet/address.h"
#include "packet/bytes.h"
#include "packet/checksum.h"
#include "packet/receive_error.h"
#include "packet/units.h"

namespace vigil::packet {

/// RFC 9568 §5.1.1.4.
constexpr std::uint8_t vrrp_protocol_number = 112;

/// VRRPv2 Auth Type (RFC 2338 §5.3.6; RFC 3768 §5.3.6 keeps the numbers as reserved).
enum class AuthType : std::uint8_t { none = 0, simple_password = 1, ah = 2 };

/// Which sum a received advertisement carried. Counted per peer, and the first two are accepted over IPv4.
enum class ChecksumForm : std::uint8_t {
    pseudo_header,        ///< RFC 5798 reading over IPv4, and the only form over IPv6
    message_only,         ///< VRRPv2, and RFC 9568 §5.2.8 over IPv4
    group_pseudo_header,  ///< unicast v3 from very old keepalived: 224.0.0.18 as destination of the pseudo-header
};

/// Zero-copy view of a *checked* advertisement: only read_advertisement() makes one, so every accessor is in range for
/// as long as the bytes live.
class AdvertisementView {
public:
    static constexpr std::uint8_t type = 1;        ///< ADVERTISEMENT, the only one (RFC 9568 §5.2.2)
    static constexpr std::size_t fixed_size = 8;   ///< octets before the address list, all versions
    static constexpr std::size_t auth_size = 8;    ///< VRRPv2 authentication data behind the list, always present

    VrrpVersion version() const { return VrrpVersion{static_cast<std::uint8_t>(message_[0] >> 4)}; }
    Vrid vrid() const { return Vrid{message_[1]}; }
    Priority priority() const { return Priority{message_[2]}; }
    std::uint8_t address_count() const { return message_[3]; }
    /// v3: the 12 bits of Max Advertise Interval, 1-4095; v2: Adver Int, 1-255 s as 100-25500 cs.
    Centiseconds max_advertise_interval() const {
        if (version() == VrrpVersion::v2) return Centiseconds{static_cast<std::uint16_t>(message_[5] * 100)};
        return Centiseconds{static_cast<std::uint16_t>((message_[4] & 0x0f) << 8 | message_[5])};
    }
    /// VRRPv2 only: the octet as received; may be none of AuthType.
    std::uint8_t auth_type_octet() const { return message_[4]; }
    /// VRRPv2 only: the 8 octets behind the address list.
    Bytes auth_data() const { return message().subspan(fixed_size + address_bytes(), auth_size); }
    /// `i` < address_count().
    IpAddress address(std::size_t i) const {
        const std::size_t size = family_ == Family::ipv4 ? 4 : 16;
        return make_address(message().subspan(fixed_size + i * size, size));
    }
    /// RFC 9568 §5.2.9 with erratum 8300: the first address of an IPv6 list is link-local. Always false over IPv4. Not a reason
    /// to refuse the message by default: FRR, and keepalived outside strict mode, may list a global address first.
    bool is_first_address_link_local() const { return address_count() > 0 && address(0).is_link_local(); }
    Family family() const { return family_; }
    ChecksumForm checksum_form() const { return form_; }
    /// The message without what may follow it inside the IP payload.
    Bytes message() const { return {message_, size_}; }
    /// What follows it there: nothing, or the trailer of auth_hmac, or octets that nobody knows. Not looked at.
    Bytes behind() const { return {message_ + size_, behind_size_}; }

private:
    friend tl::expected<AdvertisementView, ReceiveError> read_advertisement(Bytes, const IpAddress&, const IpAddress&);
    AdvertisementView(Bytes message, std::size_t behind_size, Family family, ChecksumForm form)
        : message_(message.data()), size_(static_cast<std::uint16_t>(message.size())), behind_size_(static_cast<std::uint16_t>(behind_size)),
          family_(family), form_(form) {}
    std::size_t address_bytes() const { return address_count() * (family_ == Family::ipv4 ? std::size_t{4} : std::size_t{16}); }

    const std::uint8_t* message_;   // not a span: pointer and size copied as one wide value stall behind their two stores (frame.cpp)
    std::uint16_t size_;            // at most 8 + 255 * 16
    std::uint16_t behind_size_;
    Family family_;
    ChecksumForm form_;
};

/// The form that fits a version 3 message over IPv4 whose checksum is not the one with its own pseudo-header.
/// `sum` is that of the message.
tl::expected<ChecksumForm, ReceiveError> find_other_checksum_form(PartialSum sum, std::size_t size, const IpAddress& source,
                                                                  const IpAddress& destination);

/// Over IPv6: is the checksum right for all of the IP payload, as a kernel computes it for a sender whose message has something behind it?
bool covers_payload(Bytes payload, const IpAddress& source, const IpAddress& destination);

/// The form whose sum fits the message, which is of version 2 or 3.
inline tl::expected<ChecksumForm, ReceiveError> find_checksum_form(Bytes message, VrrpVersion version, const IpAddress& source,
                                                                   const IpAddress& destination) {
    const PartialSum sum = add_words(PartialSum{}, message);
    if (version == VrrpVersion::v2) {
        if (is_checksum_valid(sum)) return ChecksumForm::message_only;
        return tl::unexpected(ReceiveError::bad_checksum);
    }
    const PartialSum pseudo_header = pseudo_header_sum(source, destination, vrrp_protocol_number, message.size());
    if (is_checksum_valid(sum + pseudo_header)) return ChecksumForm::pseudo_header;
    return find_other_checksum_form(sum, message.size(), source, destination);
}

/// Checks everything that the message and its IP addresses alone can tell (RFC 9568 §7.1 with errata 8298-8301,
/// RFC 3768 §7.1). `message` is the IP payload from the VRRP version octet on; octets behind the address list (and the
/// authentication data of v2) are not looked at, and over IPv4 count for no checksum. Source and destination of one family.
/// Inline because it is half of the work on a received frame (see frame.cpp).
inline tl::expected<AdvertisementView, ReceiveError> read_advertisement(Bytes message, const IpAddress& source,
                                                                         const IpAddress& destination) {
    if (message.size() < AdvertisementView::fixed_size) return tl::unexpected(ReceiveError::truncated);
    const auto version = VrrpVersion{static_cast<std::uint8_t>(message[0] >> 4)};
    const bool is_v2 = version == VrrpVersion::v2;
    if (version != VrrpVersion::v3 && !(is_v2 && source.family == Family::ipv4)) {
        return tl::unexpected(ReceiveError::bad_version);
    }
    const std::size_t size = AdvertisementView::fixed_size + message[3] * source.size() +
                             (is_v2 ? AdvertisementView::auth_size : std::size_t{0});
    if (message.size() < size) return tl::unexpected(ReceiveError::truncated);
    const Bytes payload = message;
    message = message.first(size);

    if ((message[0] & 0x0f) != AdvertisementView::type) return tl::unexpected(ReceiveError::bad_type);  // RFC 9568 §5.2.2
    if (message[1] == 0) return tl::unexpected(ReceiveError::zero_vrid);                           // RFC 9568 §5.2.3
    if (message[3] == 0 && !is_v2) return tl::unexpected(ReceiveError::no_addresses);              // RFC 9568 §5.2.5
    const std::uint8_t interval_high = is_v2 ? std::uint8_t{0} : static_cast<std::uint8_t>(message[4] & 0x0f);
    if (interval_high == 0 && message[5] == 0) return tl::unexpected(ReceiveError::zero_interval);  // erratum 8301
    const auto form = find_checksum_form(message, version, source, destination);
    if (form) return AdvertisementView(message, payload.size() - size, source.family, *form);
    if (!covers_payload(payload, source, destination)) return tl::unexpected(form.error());
    return AdvertisementView(message, payload.size() - size, source.family, ChecksumForm::pseudo_header);
}

}  // namespace vigil::packet
