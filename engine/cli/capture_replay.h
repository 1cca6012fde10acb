#pragma once

#include <optional>
#include <span>
#include <string>

#include <tl/expected.hpp>

#include "engine/cli/capture_file.h"
#include "engine/core/spec.h"
#include "packet/address.h"

namespace vigil::cli {

struct ReplayOptions {
    /// The router in whose place we are: its own frames in the capture are shown, but not fed back to it.
    std::optional<IpAddress> own_address;
    /// How long to go on in silence after the last frame.
    Nanoseconds afterwards{0};
    /// The interface of the configuration that the capture was made on; empty: the first that fits a frame's VLAN and VRID.
    std::string interface;
};

/// Plays the capture to an engine in virtual time, at the capture's own times, and returns the transcript: what was heard, what our routers
/// would have done and when, each with its reason, and a summary. A link named "eth0.5" hears the frames tagged for VLAN 5, one without
/// a number the untagged ones. The error is a sentence for the user.
tl::expected<std::string, std::string> replay_capture(std::span<const CapturedFrame> capture, const engine::EngineSpec& spec,
                                                      const ReplayOptions& options);

}  // namespace vigil::cli
