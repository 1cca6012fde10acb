#include "engine/daemon/tracking.h"

#include <algorithm>

namespace vigil::daemon {

TrackingResult evaluate_tracking(int base_priority, std::span<const config::TrackedItem> items,
                                 const std::function<bool(std::string_view)>& is_interface_up) {
    constexpr int owner = to_number(Priority::owner);
    TrackingResult result;
    int sum = base_priority;
    for (const config::TrackedItem& item : items) {
        const bool is_good = is_interface_up(item.name) != item.reverse;
        const int weight = item.weight.value_or(0);
        if (weight == 0) result.is_faulty = result.is_faulty || !is_good;
        else if ((weight > 0) == is_good) sum += weight;
    }
    result.priority = static_cast<std::uint8_t>(base_priority == owner ? owner : std::clamp(sum, 1, int{to_number(Priority::highest_backup)}));
    return result;
}

}  // namespace vigil::daemon
