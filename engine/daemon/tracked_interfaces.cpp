#include "engine/daemon/tracked_interfaces.h"

#include <vector>

#include <spdlog/spdlog.h>

namespace vigil::daemon {

void TrackedInterfaces::update(std::span<const std::uint32_t> numbers) {
    std::vector<ThingIndex> concerned;
    for (const std::uint32_t number : numbers) {
        if (const auto known = last_.find(number); known != last_.end()) {
            concerned.push_back(known->second);
            last_.erase(known);
        }
        const ThingIndex thing = things_.find(ThingKind::interface, world_.name_of(number));
        if (thing == ThingIndex::none) continue;
        concerned.push_back(thing);
        last_[number] = thing;
    }
    for (const ThingIndex thing : concerned) {
        const std::string& name = things_[thing].name;
        const bool is_up = world_.is_running(name);
        if (things_[thing].is_up != is_up && !world_.is_told_of_elsewhere(name)) {
            spdlog::info("Netlink reports tracked interface {} {}", name, is_up ? "up" : "down");
        }
        things_.set_up(thing, is_up);
    }
}

}  // namespace vigil::daemon
