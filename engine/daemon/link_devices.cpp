// LinkWatch's part that concerns devices of our own: the macvlan or ipvlan of a router (arp/kernel/macvlan.cpp says why there is one, and when it is up).
//
// A device lives and dies with its base, so it is made when the base is there, and again when the base is back or somebody deleted it. It belongs to the
// VRF of its base, also when the base goes to another one.

#include <array>

#include <spdlog/spdlog.h>

#include "engine/daemon/link_watch.h"
#include "engine/io/clock.h"

namespace vigil::daemon {

namespace kernel = arp::kernel;

void LinkWatch::make_macvlan(std::size_t router) {
    const PlannedRouter& planned = plan_.routers[router];
    if (!planned.macvlan || keeper_.macvlan(router) != 0) return;
    if (plan_.links[engine::to_number(planned.link)].interface_index == 0) return;
    const auto device = make_device(router, planned.link, *planned.macvlan);
    tell_whether_it_has_its_device(router, device.has_value());
    if (!device) return;
    keeper_.set_macvlan(router, device->index);
    if (device->stays_up) give_own_address(router, device->index);
}

/// Without it an Active would advertise addresses that nobody has. It is tried again when a link appears or goes.
void LinkWatch::tell_whether_it_has_its_device(std::size_t router, bool has_it) {
    const bool changes = has_it ? deviceless_.erase(router) != 0 : deviceless_.insert(router).second;
    if (changes) send_to_router(has_it ? engine::Command::Kind::clear_fault : engine::Command::Kind::set_fault, router, engine::Fault::lacks_means);
}

/// Those of Plan::devices that are not there and whose interface is.
void LinkWatch::make_devices() {
    for (std::size_t i = 0; i < plan_.devices.size(); ++i) {
        const PlannedDevice& planned = plan_.devices[i];
        const DeviceIndex place{static_cast<std::uint32_t>(i)};
        if (keeper_.device(place) != 0) continue;
        if (const auto device = make_device(planned.router, planned.link, planned.macvlan)) keeper_.set_device(place, device->index);
    }
}

/// nullopt: it cannot be made now.
std::optional<kernel::MacvlanDevice> LinkWatch::make_device(std::size_t router, engine::LinkIndex base, const kernel::MacvlanSpec& spec) {
    if (plan_.links[engine::to_number(base)].interface_index == 0) return std::nullopt;
    const std::string_view name = plan_.routers[router].name;
    const std::string_view word = spec.ipvlan ? "ipvlan" : "virtual MAC";
    auto device = kernel_.macvlans().create(spec);
    if (!device) {
        const std::string text = fmt::format("({}) cannot make its {} device on {}: {}", name, word, spec.base, to_string(device.error()));
        if (limiter_.admit(text, io::clock::now())) spdlog::error(text);
        return std::nullopt;
    }
    spdlog::info("({}) {} device {} on {}", name, word, device->name, spec.base);
    for (const kernel::KernelError& warning : device->warnings) {
        spdlog::warn("({}) {}: a setting could not be made: {}", name, device->name, to_string(warning));
    }
    return *std::move(device);
}

/// Of an ipvlan that is to be reached whoever is Active.
void LinkWatch::give_own_address(std::size_t router, std::uint32_t device) {
    const arp::kernel::OwnAddress& own = *plan_.routers[router].macvlan->ipvlan->own;
    kernel::AddressSpec spec;
    spec.key = {device, own.address, own.prefix_length, std::nullopt};
    spec.preferred_lifetime = kernel::lifetime_forever;
    const auto up = kernel_.macvlans().bring_up(device);
    const auto added = kernel_.programmer().apply(std::array{kernel::AddressChange{kernel::AddressOperation::add, spec}});
    note_own_address(router);
    if (!up || added.front().outcome == kernel::AddressOutcome::refused) {
        spdlog::error("({}) cannot give {} to its ipvlan device: {}", plan_.routers[router].name, to_string(own.address),
                      to_string(up ? added.front().error : up.error()));
    }
}

void LinkWatch::note_own_address(std::size_t router) {
    const auto& spec = plan_.routers[router].macvlan;
    if (spec && spec->ipvlan && spec->ipvlan->own && keeper_.macvlan(router) != 0) own_addresses_.insert_or_assign(keeper_.macvlan(router), router);
}

/// Somebody deleted it. False: the address is none of these.
bool LinkWatch::restore_own_address(const kernel::AddressKey& key, Instant now) {
    const auto found = own_addresses_.find(key.interface_index);
    if (found == own_addresses_.end() || plan_.routers[found->second].macvlan->ipvlan->own->address != key.address) return false;
    const std::string what = fmt::format("({}) somebody deleted address {}", plan_.routers[found->second].name, to_string(key.address));
    if (limiter_.admit(what, now)) spdlog::warn("{}; putting it back", what);
    give_own_address(found->second, key.interface_index);
    return true;
}

/// The devices of our routers stay in the VRF of their base.
void LinkWatch::follow_to_vrf(std::size_t link, const kernel::LinkState& state) {
    if (std::exchange(links_[link].master, state.master) == state.master) return;
    const auto& links = kernel_.monitor().links();
    const auto master = links.find(state.master);
    const std::uint32_t vrf = master != links.end() && master->second.kind == "vrf" ? state.master : 0;
    for (const kernel::KernelError& error : kernel_.macvlans().follow_to_vrf(state.name, vrf)) {
        spdlog::warn("{} has gone to another VRF, and a device on it cannot follow: {}", state.name, to_string(error));
    }
}

/// An Active's virtual MAC device that somebody set down answers no ARP and takes no packet, while our adverts keep the others quiet.
void LinkWatch::keep_macvlan_up(const kernel::LinkState& state, Instant now) {
    if (state.is_up || !kernel_.macvlans().devices().contains(state.index)) return;
    const auto current = kernel_.monitor().links().find(state.index);
    if (current == kernel_.monitor().links().end() || current->second.is_up) return;  // our own, and raised since
    const auto router = keeper_.raise_again(state.index);
    if (!router || !limiter_.admit(fmt::format("{} set down", state.name), now)) return;
    spdlog::warn("({}) somebody set its virtual MAC device {} down; raised it again", plan_.routers[*router].name, state.name);
}

}  // namespace vigil::daemon
