#include "packet/bfd_control.h"

// Reading a BFD control packet (RFC 5880 §6.8.6).
//
// Only what the message can tell is decided here; whether there is a session for it is bfd::SessionTable's matter. A message is refused for the
// first reason found, in the order of the RFC. Two things that a sender must not do are not among the reasons to discard a packet and are let through: Poll and
// Final in one packet (§6.5) and reserved diagnostics.

namespace vigil::packet {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t least_length_with_authentication = 26;

enum Flag : std::uint8_t { poll = 0x20, final_bit = 0x10, control_plane_independent = 0x08, authentication = 0x04, demand = 0x02, multipoint = 0x01 };

}  // namespace

tl::expected<BfdControl, BfdReceiveError> read_bfd_control(Bytes datagram) {
    using Error = BfdReceiveError;
    if (datagram.size() < bfd_control_size) return tl::unexpected(Error::truncated);
    ByteReader reader(datagram);
    const std::uint8_t first = reader.u8();
    const std::uint8_t second = reader.u8();
    const std::uint8_t multiplier = reader.u8();
    const std::uint8_t length = reader.u8();
    const bool is_authenticated = (second & authentication) != 0;

    BfdControl control;
    control.diagnostic = static_cast<BfdDiagnostic>(first & 0x1f);
    control.state = static_cast<BfdState>(second >> 6);
    control.poll = (second & poll) != 0;
    control.final = (second & final_bit) != 0;
    control.control_plane_independent = (second & control_plane_independent) != 0;
    control.demand = (second & demand) != 0;
    control.detect_multiplier = multiplier;
    control.my_discriminator = reader.u32();
    control.your_discriminator = reader.u32();
    control.desired_min_tx = reader.u32();
    control.required_min_rx = reader.u32();
    control.required_min_echo_rx = reader.u32();

    if (first >> 5 != version) return tl::unexpected(Error::bad_version);
    if (length < (is_authenticated ? least_length_with_authentication : bfd_control_size)) return tl::unexpected(Error::bad_length);
    if (length > datagram.size()) return tl::unexpected(Error::bad_length);
    if (multiplier == 0) return tl::unexpected(Error::zero_multiplier);
    if ((second & multipoint) != 0) return tl::unexpected(Error::multipoint);
    if (control.my_discriminator == 0) return tl::unexpected(Error::zero_my_discriminator);
    const bool may_be_unknown = control.state == BfdState::down || control.state == BfdState::admin_down;
    if (control.your_discriminator == 0 && !may_be_unknown) return tl::unexpected(Error::zero_your_discriminator);
    if (is_authenticated) return tl::unexpected(Error::authenticated);
    return control;
}

std::array<std::uint8_t, bfd_control_size> write_bfd_control(const BfdControl& control) {
    std::array<std::uint8_t, bfd_control_size> bytes{};
    ByteWriter writer(bytes);
    writer.u8(static_cast<std::uint8_t>(version << 5 | (static_cast<unsigned>(control.diagnostic) & 0x1f)));
    writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(control.state) << 6 | (control.poll ? poll : 0) | (control.final ? final_bit : 0) |
                                        (control.control_plane_independent ? control_plane_independent : 0) | (control.demand ? demand : 0)));
    writer.u8(control.detect_multiplier);
    writer.u8(bfd_control_size);
    writer.u32(control.my_discriminator);
    writer.u32(control.your_discriminator);
    writer.u32(control.desired_min_tx);
    writer.u32(control.required_min_rx);
    writer.u32(control.required_min_echo_rx);
    return bytes;
}

std::string_view to_string(BfdState state) {
    switch (state) {
    case BfdState::admin_down: return "AdminDown";
    case BfdState::down: return "Down";
    case BfdState::init: return "Init";
    case BfdState::up: return "Up";
    }
    return "";
}

std::string_view to_string(BfdDiagnostic diagnostic) {
    switch (diagnostic) {
    case BfdDiagnostic::none: return "no diagnostic";
    case BfdDiagnostic::detection_time_expired: return "control detection time expired";
    case BfdDiagnostic::echo_failed: return "echo function failed";
    case BfdDiagnostic::neighbor_signaled_down: return "neighbor signaled session down";
    case BfdDiagnostic::forwarding_plane_reset: return "forwarding plane reset";
    case BfdDiagnostic::path_down: return "path down";
    case BfdDiagnostic::concatenated_path_down: return "concatenated path down";
    case BfdDiagnostic::administratively_down: return "administratively down";
    case BfdDiagnostic::reverse_concatenated_path_down: return "reverse concatenated path down";
    }
    return "reserved";
}

std::string_view to_string(BfdReceiveError error) {
    switch (error) {
    case BfdReceiveError::truncated: return "truncated";
    case BfdReceiveError::bad_version: return "bad_version";
    case BfdReceiveError::bad_length: return "bad_length";
    case BfdReceiveError::zero_multiplier: return "zero_multiplier";
    case BfdReceiveError::multipoint: return "multipoint";
    case BfdReceiveError::zero_my_discriminator: return "zero_my_discriminator";
    case BfdReceiveError::zero_your_discriminator: return "zero_your_discriminator";
    case BfdReceiveError::authenticated: return "authenticated";
    case BfdReceiveError::unknown_discriminator: return "unknown_discriminator";
    case BfdReceiveError::unknown_neighbor: return "unknown_neighbor";
    case BfdReceiveError::wrong_address: return "wrong_address";
    case BfdReceiveError::wrong_port: return "wrong_port";
    case BfdReceiveError::too_many_hops: return "too_many_hops";
    case BfdReceiveError::administratively_down: return "administratively_down";
    case BfdReceiveError::count_: break;
    }
    return "";
}

}  // namespace vigil::packet
