#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "packet/units.h"

namespace vigil::cli {

/// One frame of a capture file; the time is that of the capture, in nanoseconds.
struct CapturedFrame {
    Instant at{};
    std::vector<std::uint8_t> bytes;
    bool is_truncated = false;   ///< the capture kept less than was on the wire
};

struct Capture {
    std::vector<CapturedFrame> frames;   ///< at least one; in order of time
    std::string complaint;               ///< why frames at the file's end are missing; empty when none are
};

/// Reads a pcap or pcapng file of Ethernet frames. The error is a sentence for the user, with the remedy where there is one.
tl::expected<Capture, std::string> read_capture(const std::string& path);

}  // namespace vigil::cli
