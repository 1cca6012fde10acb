#include "bench/lab/observer/report.h"

#include <net/if.h>

#include <map>
#include <nlohmann/json.hpp>

namespace vigil::lab {
namespace {

using nlohmann::json;

/// Interface names by index, each asked once.
class InterfaceNames {
public:
    const std::string& of(std::uint32_t index) {
        const auto [found, is_new] = names_.try_emplace(index);
        if (is_new) {
            char name[IF_NAMESIZE];
            found->second = ::if_indextoname(index, name) != nullptr ? std::string(name) : std::to_string(index);
        }
        return found->second;
    }

private:
    std::map<std::uint32_t, std::string> names_;
};

json histogram_json(const LogHistogram& histogram) {
    json buckets = json::array();
    for (std::size_t i = 0; i < LogHistogram::bucket_count; ++i) {
        if (histogram.count(i) > 0) buckets.push_back({LogHistogram::lower_end(i).count(), histogram.count(i)});
    }
    return buckets;
}

json routers_json(const Statistics& statistics, InterfaceNames& names) {
    json rows = json::array();
    statistics.routers().for_each([&](const TrackKey& key, const RouterTrack& track) {
        const bool has_gap = track.count > 1;
        rows.push_back({names.of(key.interface_index), to_string(key.address), key.vrid, track.count, track.first.count(), track.last.count(),
                        has_gap ? track.shortest_gap.count() : 0, track.longest_gap.count(), track.interval.count(), track.priority,
                        track.priority_changes, track.zero_count, track.first_zero.count(), track.gap_bins});
    });
    return rows;
}

json addresses_json(const Statistics& statistics, InterfaceNames& names) {
    json rows = json::array();
    statistics.addresses().for_each([&](const TrackKey& key, const AddressTrack& track) {
        rows.push_back({names.of(key.interface_index), to_string(key.address), track.count, track.first.count(), track.last.count(),
                        track.has_virtual_mac});
    });
    return rows;
}

}  // namespace

std::string make_report(const Statistics& statistics, const RingCounters& counters, Nanoseconds clock_drift) {
    InterfaceNames names;
    const bool has_gap = statistics.longest_gap.count() > 0;
    const json report = {
        {"frames", counters.frames},
        {"drops", counters.drops},
        {"freezes", counters.freezes},
        {"clock_drift_ns", clock_drift.count()},
        {"adverts", statistics.advert_count},
        {"announcements", statistics.announcement_count},
        {"other", statistics.other_count},
        {"outside_window", statistics.outside_count},
        {"table_overflows", statistics.overflow_count},
        {"shortest_gap_ns", has_gap ? statistics.shortest_gap.count() : 0},
        {"longest_gap_ns", statistics.longest_gap.count()},
        {"late", histogram_json(statistics.late)},
        {"early", histogram_json(statistics.early)},
        {"gap_bin_ends_percent", RouterTrack::gap_bin_ends},
        {"router_columns", {"interface", "source", "vrid", "count", "first_ns", "last_ns", "shortest_gap_ns", "longest_gap_ns", "interval_ns",
                            "priority", "priority_changes", "zero_count", "first_zero_ns", "gap_bins"}},
        {"routers", routers_json(statistics, names)},
        {"address_columns", {"interface", "address", "count", "first_ns", "last_ns", "has_virtual_mac"}},
        {"addresses", addresses_json(statistics, names)},
    };
    return report.dump();
}

}  // namespace vigil::lab
