#pragma once

#include <linux/filter.h>

#include <bitset>
#include <cstdint>
#include <vector>

#include "engine/io/system_error.h"

namespace vigil::io {

/// VRIDs by number; 0 is never ours.
using VridSet = std::bitset<256>;

/// What one interface's receive socket lets through. Everything else costs the kernel a few instructions and us nothing.
struct FilterOptions {
    VridSet ipv4_vrids = VridSet{}.set().reset(0);   ///< ours on this interface; none: nothing of the family passes
    VridSet ipv6_vrids = VridSet{}.set().reset(0);
    std::uint32_t capture_bytes = 65535;             ///< longer frames are cut to this, so that they fit the ring's slot

    friend bool operator==(const FilterOptions&, const FilterOptions&) = default;
};

/// The two sides of the filter: no frame passes both, and one that is nobody's here passes neither.
enum class FilterSide : std::uint8_t {
    adverts,   ///< what may be good: the engine decides
    junk,      ///< VRRP or HSRP that cannot be good for any of our routers: only to be counted
};

/// The classic BPF program of one side.
std::vector<sock_filter> make_packet_filter(const FilterOptions& options, FilterSide side);

/// Attaches the program; to be done before bind(), so that no frame enters unfiltered.
Result<void> attach_packet_filter(int socket, const FilterOptions& options, FilterSide side);

}  // namespace vigil::io
