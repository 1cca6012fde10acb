#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "engine/io/system_error.h"

namespace vigil::io {

/// What one interface's receive socket lets through. Everything else costs the kernel a few instructions and us nothing.
struct FilterOptions {
    bool ipv4 = true;
    bool ipv6 = true;
    bool hsrp = true;                     ///< UDP port 1985 over IPv4, so that a foreign protocol on the LAN is noticed
    bool drop_other_hop_limits = false;   ///< multicast with a TTL or hop limit other than 255 (RFC 9568 §7.1) never reaches a
                                          ///< counter; off, so that it does
    std::uint32_t capture_bytes = 65535;  ///< longer frames are cut to this, so that they fit the ring's slot
};

/// The classic BPF program for `options`.
std::vector<sock_filter> make_packet_filter(const FilterOptions& options);

/// Attaches the program; to be done before bind(), so that no frame enters unfiltered.
Result<void> attach_packet_filter(int socket, const FilterOptions& options);

}  // namespace vigil::io
