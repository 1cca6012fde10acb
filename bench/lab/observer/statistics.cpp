#include "bench/lab/observer/statistics.h"

#include <algorithm>
#include <array>

namespace vigil::lab {
namespace {

/// 00-00-5E-00-01-{VRID} or 00-00-5E-00-02-{VRID}.
bool is_virtual(const MacAddress& mac) {
    constexpr std::array<std::uint8_t, 4> prefix{0x00, 0x00, 0x5e, 0x00};
    return std::equal(prefix.begin(), prefix.end(), mac.octets.begin()) && (mac.octets[4] == 1 || mac.octets[4] == 2);
}

}  // namespace

void Statistics::add(const Sighting& sighting, std::uint32_t interface_index, Nanoseconds arrival) {
    if (arrival < window_.from || arrival >= window_.until) {
        ++outside_count;
        return;
    }
    const TrackKey key{interface_index, sighting.vrid, sighting.address};
    switch (sighting.kind) {
        case SightingKind::other: ++other_count; return;
        case SightingKind::advertisement:
            ++advert_count;
            if (RouterTrack* track = routers_.find_or_make(key)) {
                add_advert(*track, sighting, arrival);
            } else {
                ++overflow_count;
            }
            return;
        case SightingKind::announcement:
            ++announcement_count;
            if (AddressTrack* track = addresses_.find_or_make(key)) {
                if (track->count++ == 0) {
                    track->first = arrival;
                    track->has_virtual_mac = is_virtual(sighting.mac);
                }
                track->last = arrival;
            } else {
                ++overflow_count;
            }
            return;
    }
}

void Statistics::add_advert(RouterTrack& track, const Sighting& sighting, Nanoseconds arrival) {
    if (track.count == 0) {
        track.first = arrival;
    } else {
        add_gap(track, arrival - track.last, sighting.interval);
        track.priority_changes += track.priority != sighting.priority;
    }
    ++track.count;
    track.last = arrival;
    track.interval = sighting.interval;
    track.priority = sighting.priority;
    if (sighting.priority == 0 && track.zero_count++ == 0) track.first_zero = arrival;
}

void Statistics::add_gap(RouterTrack& track, Nanoseconds gap, Nanoseconds interval) {
    gap = std::max(gap, Nanoseconds{0});   // the system clock behind the kernel's time stamps may step back
    track.shortest_gap = std::min(track.shortest_gap, gap);
    track.longest_gap = std::max(track.longest_gap, gap);
    shortest_gap = std::min(shortest_gap, gap);
    longest_gap = std::max(longest_gap, gap);
    const auto bin = std::ranges::find_if(track.gap_bin_ends, [&](std::int64_t end) { return gap * 100 < interval * end; });
    ++track.gap_bins[static_cast<std::size_t>(bin - track.gap_bin_ends.begin())];
    if (gap >= interval) {
        late.add(gap - interval);
    } else {
        early.add(interval - gap);
    }
}

}  // namespace vigil::lab
