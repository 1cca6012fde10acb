#include "engine/daemon/tracking.h"

#include <algorithm>

namespace vigil::daemon {

TrackingResult evaluate_tracking(const PlannedRouter& router, const std::function<bool(const std::string&)>& is_interface_up) {
    constexpr int owner = to_number(Priority::owner);
    TrackingResult result;
    int sum = router.base_priority;
    for (const PlannedTrack& track : router.tracks) {
        const bool is_good = is_interface_up(track.interface) != track.is_reversed;
        const int weight = track.weight.value_or(0);
        if (weight == 0) result.is_faulty = result.is_faulty || !is_good;
        else if ((weight > 0) == is_good) sum += weight;
    }
    result.priority = router.base_priority == owner ? owner : std::clamp(sum, 1, int{to_number(Priority::highest_backup)});
    return result;
}

}  // namespace vigil::daemon
