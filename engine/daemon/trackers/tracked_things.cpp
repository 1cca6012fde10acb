#include "engine/daemon/trackers/tracked_things.h"

#include <algorithm>

namespace vigil::daemon {

ThingIndex TrackedThings::add(Thing thing) {
    const auto kind = static_cast<std::size_t>(thing.kind);
    ThingIndex index{static_cast<std::uint32_t>(things_.size())};
    if (free_.empty()) {
        things_.emplace_back();
    } else {
        index = free_.back();
        free_.pop_back();
    }
    names_[kind].emplace(thing.name, index);
    by_kind_[kind].push_back(index);
    things_[to_number(index)] = std::move(thing);
    return index;
}

void TrackedThings::remove(ThingIndex index) {
    Thing& thing = things_[to_number(index)];
    const auto kind = static_cast<std::size_t>(thing.kind);
    names_[kind].erase(thing.name);
    std::erase(by_kind_[kind], index);
    thing = Thing();
    free_.push_back(index);
}

ThingIndex TrackedThings::find(ThingKind kind, std::string_view name) const {
    const Names& names = names_[static_cast<std::size_t>(kind)];
    const auto found = names.find(std::string(name));
    return found == names.end() ? ThingIndex::none : found->second;
}

void TrackedThings::set_up(ThingIndex index, bool is_up) {
    Thing& thing = things_[to_number(index)];
    if (thing.is_known && thing.is_up == is_up) return;
    thing.is_known = true;
    thing.is_up = is_up;
    tell(index);
}

void TrackedThings::set_value(ThingIndex index, int value) {
    Thing& thing = things_[to_number(index)];
    if (thing.is_known && thing.value == value) return;
    thing.is_known = true;
    thing.value = value;
    tell(index);
}

void TrackedThings::forget_state(ThingIndex index) {
    Thing& thing = things_[to_number(index)];
    thing.is_known = false;
    thing.is_up = false;
    thing.value = 0;
}

}  // namespace vigil::daemon
