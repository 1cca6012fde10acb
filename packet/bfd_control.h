#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tl/expected.hpp>

#include "packet/bytes.h"

/// The BFD control packet, RFC 5880 §4.1: bytes <-> values.
namespace vigil::packet {

/// RFC 5880 §4.1, Sta. The numbers are those of the wire.
enum class BfdState : std::uint8_t { admin_down, down, init, up };

/// RFC 5880 §4.1, Diag: why the sender's session was last not Up. 9-31 are reserved and may be received.
enum class BfdDiagnostic : std::uint8_t {
    none,
    detection_time_expired,
    echo_failed,
    neighbor_signaled_down,
    forwarding_plane_reset,
    path_down,
    concatenated_path_down,
    administratively_down,
    reverse_concatenated_path_down,
};

/// "AdminDown", "Down", "Init", "Up".
std::string_view to_string(BfdState state);
/// "control detection time expired"; "reserved" for 9-31.
std::string_view to_string(BfdDiagnostic diagnostic);

/// Why a datagram was not taken as a control packet of a session. Every enumerator is a counter. In the order of the checks.
enum class BfdReceiveError : std::uint8_t {
    // The message: read_bfd_control(), RFC 5880 §6.8.6.
    truncated,                  ///< shorter than the 24 octets of the mandatory section
    bad_version,                ///< not 1
    bad_length,                 ///< Length below 24 (26 with the A bit), or beyond the end of the datagram
    zero_multiplier,            ///< Detect Mult 0
    multipoint,                 ///< M bit set
    zero_my_discriminator,
    zero_your_discriminator,    ///< Your Discriminator 0 in another state than Down or AdminDown
    authenticated,              ///< A bit set: no session uses authentication
    // The session it is for: bfd::SessionTable.
    unknown_discriminator,      ///< Your Discriminator is none of ours
    unknown_neighbor,           ///< Your Discriminator 0, and no session with this address
    wrong_address,              ///< the session's neighbor has another address, or its source_ip is not the destination
    wrong_port,                 ///< 3784 for a multihop session, or 4784 for one that is not (RFC 5881 §4, RFC 5883 §5)
    too_many_hops,              ///< TTL or Hop Limit below what max_hops allows (RFC 5881 §5, GTSM)
    administratively_down,      ///< our session is (RFC 5880 §6.8.6)
    count_                      ///< number of enumerators, not an error
};
constexpr std::size_t bfd_receive_error_count = static_cast<std::size_t>(BfdReceiveError::count_);

/// Short stable name for counters: "bad_length".
std::string_view to_string(BfdReceiveError error);

/// The fields of the mandatory section. Intervals are microseconds, as on the wire.
struct BfdControl {
    BfdDiagnostic diagnostic = BfdDiagnostic::none;
    BfdState state = BfdState::down;
    bool poll = false;
    bool final = false;
    bool control_plane_independent = false;
    bool demand = false;
    std::uint8_t detect_multiplier = 1;          ///< 1-255
    std::uint32_t my_discriminator = 0;          ///< never 0 in what was read
    std::uint32_t your_discriminator = 0;        ///< 0: the sender has not heard of us
    std::uint32_t desired_min_tx = 0;            ///< the sender would like to send no faster
    std::uint32_t required_min_rx = 0;           ///< the sender can receive no faster; 0: does not want to hear periodic packets
    std::uint32_t required_min_echo_rx = 0;      ///< 0: no Echo packets

    friend bool operator==(const BfdControl&, const BfdControl&) = default;
};

constexpr std::size_t bfd_control_size = 24;
constexpr std::uint16_t bfd_port = 3784;            ///< RFC 5881 §4
constexpr std::uint16_t bfd_multihop_port = 4784;   ///< RFC 5883 §5

/// Checks all that the message itself can tell, in the order of RFC 5880 §6.8.6. `datagram` is the UDP payload; what follows the Length field is ignored.
tl::expected<BfdControl, BfdReceiveError> read_bfd_control(Bytes datagram);

/// Version 1, without authentication, M clear.
std::array<std::uint8_t, bfd_control_size> write_bfd_control(const BfdControl& control);

}  // namespace vigil::packet
