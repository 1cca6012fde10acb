#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vigil::packet {

/// Why a received frame was not taken as an advertisement. Every enumerator is a counter (engine::Counters), is made
/// somewhere and has a test. Groups in the order in which the checks run; a frame is counted under its first reason.
enum class ReceiveError : std::uint8_t {
    // The frame: packet::read_frame().
    frame_truncated,        ///< shorter than its headers say, or cut by the receive ring
    not_ip,                 ///< neither IPv4 nor IPv6 behind the Ethernet header (or more than two 802.1Q tags)
    bad_ip_header,          ///< IP version or header length impossible
    bad_ip_checksum,        ///< IPv4 header checksum wrong
    ip_fragment,            ///< an advertisement is never fragmented by a conforming sender
    not_vrrp,               ///< another protocol, or an IPv6 extension header in front
    foreign_hsrp,           ///< HSRP hello (UDP 1985): another redundancy protocol on this LAN
    foreign_carp,           ///< CARP advert (OpenBSD, pfSense): shares protocol number 112 and the first byte 0x21
    bad_ttl,                ///< TTL or Hop Limit not 255 on a multicast advert (RFC 9568 §7.1, GTSM)
    bad_ah,                 ///< AH header malformed, or AH carrying something other than VRRP (RFC 2402 §2)
    // The message: packet::read_advertisement().
    truncated,              ///< shorter than 8 octets, or than its address count and authentication data ask for
    bad_version,            ///< neither 2 nor 3, or version 2 over IPv6
    bad_type,               ///< not ADVERTISEMENT (RFC 9568 §5.2.2)
    zero_vrid,              ///< VRID 0 (RFC 9568 §5.2.3)
    no_addresses,           ///< version 3 with address count 0 (RFC 9568 §5.2.5, erratum 8299)
    zero_interval,          ///< Max Advertise Interval 0 (erratum 8301): it would make every timer 0
    bad_checksum,           ///< fits neither accepted form
    not_link_local,         ///< IPv6 first address is not link-local (erratum 8300); only where strict
    // The router it is for: engine::Engine.
    unknown_vrid,           ///< no such VRID of this family on the receiving interface
    own_source,             ///< sent from our own primary address: looped back, or the address is used twice
    version_mismatch,       ///< the router speaks the other VRRP version
    wrong_destination,      ///< multicast for a unicast router, unicast for a multicast router
    not_a_peer,             ///< unicast from an address that is not in unicast_peer (check_unicast_src)
    bad_unicast_ttl,        ///< outside min_ttl-max_ttl of the peer
    unknown_auth_type,      ///< VRRPv2 Auth Type not 0, 1, 2 (RFC 2338 §5.3.6)
    auth_type_mismatch,     ///< another Auth Type than configured
    auth_failed,            ///< wrong password, or AH digest does not match
    auth_replayed,          ///< AH sequence number already seen or left of the window
    hmac_missing,           ///< no trailer, and mode enforce asks for one
    hmac_malformed,         ///< what stands behind the message is no trailer of auth_hmac
    hmac_unknown_key,       ///< signed with a key id that we have not
    hmac_invalid,           ///< another key behind that id, or another message, sender or VRID than was signed
    hmac_stale,             ///< its time is outside time_window (anti_replay time)
    hmac_replayed,          ///< its sequence number is not above the highest heard from this sender
    interval_mismatch,      ///< VRRPv2 only: another advertisement interval than ours (RFC 3768 §7.1)
    owner_ignores,          ///< we own the address and owner_ignore_adverts is set
    router_not_running,     ///< the router is in Initialize
    count_                  ///< number of enumerators, not an error
};

constexpr std::size_t receive_error_count = static_cast<std::size_t>(ReceiveError::count_);

/// Short stable name for counters, logs and transcripts: "bad_ttl".
std::string_view to_string(ReceiveError error);

}  // namespace vigil::packet
