#include "packet/advertisement.h"

#include "packet/checksum.h"
#include "packet/ip.h"

// Reading a VRRP message (RFC 9568 §5.2 and §7.1, RFC 3768 §5.3 and §7.1).
//
// Only what the message and its IP addresses can tell is decided here; whether a router with this VRID, version and
// password exists is the engine's matter. A message is refused for the first reason found, in the order of ReceiveError, so
// that counters of two routers on one LAN agree. Nothing is copied: the view points into the receive ring.
//
// Two deliberate deviations:
// * RFC 9568 §5.2.8 wants the IPv4 checksum of version 3 over the message alone; RFC 5798 was read by keepalived, FRR,
//   tcpdump and tshark as "with pseudo-header", and today's peers send that. Both are accepted, and so is the sum of very
//   old keepalived, which put 224.0.0.18 into the pseudo-header of unicast advertisements. The view says which one came.
//   A receiver that accepts three sums accepts a random error three times as often, 3 in 65535.
// * Version 2 with no addresses is accepted: keepalived sends it for an instance that has only excluded addresses.

namespace vigil::packet {

namespace {

constexpr std::uint8_t advertisement_type = 1;

/// The form whose sum fits, or nothing.
tl::expected<ChecksumForm, ReceiveError> find_checksum_form(Bytes message, VrrpVersion version, const IpAddress& source,
                                                            const IpAddress& destination) {
    const PartialSum sum = add_words(PartialSum{}, message);
    if (version == VrrpVersion::v2) {
        if (is_checksum_valid(sum)) return ChecksumForm::message_only;
        return tl::unexpected(ReceiveError::bad_checksum);
    }
    constexpr auto protocol = static_cast<std::uint8_t>(IpProtocol::vrrp);
    if (is_checksum_valid(sum + pseudo_header_sum(source, destination, protocol, message.size()))) {
        return ChecksumForm::pseudo_header;
    }
    if (source.family == Family::ipv6) return tl::unexpected(ReceiveError::bad_checksum);
    if (is_checksum_valid(sum)) return ChecksumForm::message_only;
    if (!destination.is_multicast() &&
        is_checksum_valid(sum + pseudo_header_sum(source, vrrp_group_ipv4, protocol, message.size()))) {
        return ChecksumForm::group_pseudo_header;
    }
    return tl::unexpected(ReceiveError::bad_checksum);
}

}  // namespace

tl::expected<AdvertisementView, ReceiveError> read_advertisement(Bytes message, const IpAddress& source,
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
    message = message.first(size);

    if ((message[0] & 0x0f) != advertisement_type) return tl::unexpected(ReceiveError::bad_type);  // RFC 9568 §5.2.2
    if (message[1] == 0) return tl::unexpected(ReceiveError::zero_vrid);                           // RFC 9568 §5.2.3
    if (message[3] == 0 && !is_v2) return tl::unexpected(ReceiveError::no_addresses);              // RFC 9568 §5.2.5
    const std::uint8_t interval_high = is_v2 ? std::uint8_t{0} : static_cast<std::uint8_t>(message[4] & 0x0f);
    if (interval_high == 0 && message[5] == 0) return tl::unexpected(ReceiveError::zero_interval);  // erratum 8301
    const auto form = find_checksum_form(message, version, source, destination);
    if (!form) return tl::unexpected(form.error());
    return AdvertisementView(message, source.family, *form);
}

}  // namespace vigil::packet
