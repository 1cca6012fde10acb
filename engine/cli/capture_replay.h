#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/core/spec.h"
#include "packet/address.h"

namespace vigil::cli {

/// One frame of a capture file; the time is that of the capture, in nanoseconds.
struct CapturedFrame {
    Instant at{};
    std::vector<std::uint8_t> bytes;
    bool is_truncated = false;   ///< the capture kept less than was on the wire
};

/// Reads a pcap or pcapng file of Ethernet frames. The error is a sentence for the user.
tl::expected<std::vector<CapturedFrame>, std::string> read_capture(const std::string& path);

/// Routers that watch a capture without knowing its configuration: one for each VRID and family (and VLAN) that speaks in it,
/// of the lowest priority and address, so that it becomes Active only when nobody else is. What they need (version, interval,
/// addresses, password) is taken from the first advert of each.
engine::EngineSpec observers_of(std::span<const CapturedFrame> capture);

struct ReplayOptions {
    /// The router in whose place we are: its own frames in the capture are not fed back to it.
    std::optional<IpAddress> own_address;
    /// How long to go on in silence after the last frame.
    Nanoseconds afterwards{0};
};

/// Plays the capture to an engine in virtual time, at the capture's own times, and returns the transcript: what was heard, what our routers
/// would have done and when, each with its reason. A link named "eth0.5" hears the frames tagged for VLAN 5, one without a
/// dot the untagged ones. The error is a sentence for the user.
tl::expected<std::string, std::string> replay_capture(std::span<const CapturedFrame> capture, const engine::EngineSpec& spec,
                                                      const ReplayOptions& options);

}  // namespace vigil::cli
