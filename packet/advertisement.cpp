#include "packet/advertisement.h"

// Reading a VRRP message (RFC 9568 §5.2 and §7.1, RFC 3768 §5.3 and §7.1).
//
// Only what the message and its IP addresses can tell is decided here; whether a router with this VRID, version and
// password exists is the engine's matter. A message is refused for the first reason found, in the order of ReceiveError, so
// that counters of two routers on one LAN agree. Nothing is copied: the view points into the receive ring.
//
// Three deliberate deviations:
// * RFC 9568 §5.2.8 wants the IPv4 checksum of version 3 over the message alone; RFC 5798 was read by keepalived, FRR,
//   tcpdump and tshark as "with pseudo-header", and today's peers send that. Both are accepted, and so is the sum of very
//   old keepalived, which put 224.0.0.18 into the pseudo-header of unicast advertisements. The view says which one came.
//   A receiver that accepts three sums accepts a random error three times as often, 3 in 65535.
// * Octets behind the message are left to whoever knows them (the trailer of auth_hmac). Over IPv4 the checksum ends with the message; over IPv6
//   senders leave it to their kernel, which takes all of the payload (RFC 8200 §8.1), so either is accepted there.
// * Version 2 with no addresses is accepted: keepalived sends it for an instance that has only excluded addresses.

namespace vigil::packet {

tl::expected<ChecksumForm, ReceiveError> find_other_checksum_form(PartialSum sum, std::size_t size, const IpAddress& source,
                                                                  const IpAddress& destination) {
    if (source.family == Family::ipv6) return tl::unexpected(ReceiveError::bad_checksum);
    if (is_checksum_valid(sum)) return ChecksumForm::message_only;
    const PartialSum group_header = pseudo_header_sum(source, vrrp_group_ipv4, vrrp_protocol_number, size);
    if (!destination.is_multicast() && is_checksum_valid(sum + group_header)) return ChecksumForm::group_pseudo_header;
    return tl::unexpected(ReceiveError::bad_checksum);
}

bool covers_payload(Bytes payload, const IpAddress& source, const IpAddress& destination) {
    if (source.family == Family::ipv4) return false;
    return is_checksum_valid(add_words(pseudo_header_sum(source, destination, vrrp_protocol_number, payload.size()), payload));
}

}  // namespace vigil::packet
