#include "engine/daemon/tracking.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "packet/units.h"

namespace vigil::daemon {
namespace {

constexpr int file_fault = -254;
constexpr int file_highest = 253;

/// What one entry adds to the priority; nullopt: it is a fault.
std::optional<int> shift_of_file(const TrackedWeight& item, int value) {
    if (item.weight == 0) {
        const bool is_bad = (value != 0) != item.is_reverse;
        return is_bad ? std::nullopt : std::optional(0);
    }
    const std::int64_t product = std::int64_t{value} * item.weight * (item.is_reverse ? -1 : 1);
    if (product <= file_fault) return std::nullopt;
    return static_cast<int>(std::min<std::int64_t>(product, file_highest));
}

std::optional<int> shift_of(const TrackedWeight& item, const Thing& thing) {
    if (thing.is_ignored) return 0;
    if (thing.kind == ThingKind::file) return shift_of_file(item, thing.value);
    if (item.weight == 0) return thing.is_up == item.is_reverse ? std::nullopt : std::optional(0);
    if ((item.weight > 0) != thing.is_up) return 0;
    return item.is_reverse ? -item.weight : item.weight;
}

std::string describe(const TrackedWeight& item, const Thing& thing) {
    switch (thing.kind) {
    case ThingKind::interface: return fmt::format("tracked interface {} is {}", thing.name, item.is_reverse ? "up" : "down");
    case ThingKind::script: return fmt::format("track script {} {}", thing.name, item.is_reverse ? "succeeds" : "fails");
    case ThingKind::file: return fmt::format("track file {} says {}", thing.name, thing.value);
    case ThingKind::bfd: return fmt::format("BFD session {} is {}", thing.name, item.is_reverse ? "Up" : "not Up");
    case ThingKind::process: return fmt::format("tracked process {} has {} quorum", thing.name, item.is_reverse ? "its" : "no");
    case ThingKind::track_group: return fmt::format("a static address, route or rule of track group {} cannot be had", thing.name);
    }
    return {};
}

}  // namespace

TrackingResult evaluate_tracking(int base_priority, std::span<const TrackedWeight> items, const TrackedThings& things) {
    constexpr int owner = vigil::to_number(Priority::owner);
    TrackingResult result;
    std::int64_t sum = base_priority;
    for (const TrackedWeight& item : items) {
        const Thing& thing = things[item.thing];
        const bool counts = item.weight == 0 || base_priority != owner;
        if (!counts) continue;
        if (!thing.is_known && !thing.is_ignored) {
            result.is_waiting = result.is_waiting || item.weight == 0;
            continue;
        }
        const auto shift = shift_of(item, thing);
        result.is_faulty = result.is_faulty || !shift;
        sum += shift.value_or(0);
    }
    const auto limited = std::clamp<std::int64_t>(sum, 1, vigil::to_number(Priority::highest_backup));
    result.priority = static_cast<std::uint8_t>(base_priority == owner ? owner : limited);
    return result;
}

std::string describe_tracking_fault(std::span<const TrackedWeight> items, const TrackedThings& things) {
    std::string text;
    for (const TrackedWeight& item : items) {
        const Thing& thing = things[item.thing];
        if (!thing.is_known || shift_of(item, thing)) continue;
        text += (text.empty() ? "" : ", ") + describe(item, thing);
    }
    return text;
}

}  // namespace vigil::daemon
