#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>

#include "bench/lab/observer/flat_table.h"
#include "bench/lab/observer/log_histogram.h"
#include "bench/lab/observer/sighting.h"

namespace vigil::lab {

/// One address on one interface, and for adverts one virtual router.
struct TrackKey {
    std::uint32_t interface_index = 0;
    std::uint8_t vrid = 0;             ///< 0 for announcements
    IpAddress address{};

    friend bool operator==(const TrackKey&, const TrackKey&) = default;

    std::size_t hash() const {
        std::uint64_t high, low;
        std::memcpy(&high, address.octets.data(), 8);
        std::memcpy(&low, address.octets.data() + 8, 8);
        std::uint64_t mixed = (high ^ (low << 1)) * 0x9e3779b97f4a7c15U;
        mixed ^= (std::uint64_t{interface_index} << 8 | vrid) * 0xc2b2ae3d27d4eb4fU;
        return static_cast<std::size_t>(mixed ^ mixed >> 29);
    }
};

/// What was heard of one virtual router from one source.
struct RouterTrack {
    /// Upper ends of the bins of `gap_bins`, in hundredths of the advertised interval; the last bin has none.
    static constexpr std::array<std::int64_t, 8> gap_bin_ends{50, 90, 99, 101, 110, 150, 200, 300};

    std::uint64_t count = 0;
    Nanoseconds first{0};                                       ///< arrival, CLOCK_MONOTONIC
    Nanoseconds last{0};
    Nanoseconds shortest_gap{std::numeric_limits<std::int64_t>::max()};
    Nanoseconds longest_gap{0};
    Nanoseconds interval{0};                                    ///< as advertised last
    Nanoseconds first_zero{0};                                  ///< of the first advert with priority 0; 0 when there was none
    std::uint32_t zero_count = 0;
    std::uint32_t priority_changes = 0;                         ///< changes to and from 0 included
    std::uint8_t priority = 0;                                  ///< as advertised last
    std::array<std::uint32_t, gap_bin_ends.size() + 1> gap_bins{};
};

/// When an address was announced.
struct AddressTrack {
    std::uint64_t count = 0;
    Nanoseconds first{0};
    Nanoseconds last{0};
    bool has_virtual_mac = false;   ///< the first announcement named a VRRP virtual MAC (RFC 9568 §7.3)
};

/// Only arrivals in [from, until) count.
struct Window {
    Nanoseconds from{0};
    Nanoseconds until{std::numeric_limits<std::int64_t>::max()};
};

/// Everything the observer remembers. A frame costs one look-up; nothing is allocated after construction.
class Statistics {
public:
    Statistics(std::size_t router_capacity, std::size_t address_capacity, Window window)
        : window_(window), routers_(router_capacity), addresses_(address_capacity) {}

    void add(const Sighting& sighting, std::uint32_t interface_index, Nanoseconds arrival);

    std::uint64_t advert_count = 0;
    std::uint64_t announcement_count = 0;
    std::uint64_t other_count = 0;         ///< passed the socket's filter, but are neither
    std::uint64_t outside_count = 0;       ///< arrived outside the window
    std::uint64_t overflow_count = 0;      ///< no room for another router or address
    Nanoseconds shortest_gap{std::numeric_limits<std::int64_t>::max()};   ///< of all routers
    Nanoseconds longest_gap{0};
    LogHistogram late;                     ///< gap minus advertised interval, where the gap was not shorter
    LogHistogram early;                    ///< advertised interval minus gap, where it was

    const FlatTable<TrackKey, RouterTrack>& routers() const { return routers_; }
    const FlatTable<TrackKey, AddressTrack>& addresses() const { return addresses_; }

private:
    void add_advert(RouterTrack& track, const Sighting& sighting, Nanoseconds arrival);
    void add_gap(RouterTrack& track, Nanoseconds gap, Nanoseconds interval);

    Window window_;
    FlatTable<TrackKey, RouterTrack> routers_;
    FlatTable<TrackKey, AddressTrack> addresses_;
};

}  // namespace vigil::lab
