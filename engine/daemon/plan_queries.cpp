// What a plan is asked for, and changed in, after it has been made.

#include <algorithm>

#include "engine/daemon/object_spec.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/plan_hmac.h"

namespace vigil::daemon {

std::pair<std::size_t, std::size_t> Plan::devices_of(std::size_t router) const {
    if (devices.empty()) return {0, 0};
    const auto [first, last] = std::ranges::equal_range(devices, router, {}, &PlannedDevice::router);
    return {static_cast<std::size_t>(first - devices.begin()), static_cast<std::size_t>(last - devices.begin())};
}

void Plan::remove_devices_of(std::size_t router) {
    const auto [first, last] = devices_of(router);
    devices.erase(devices.begin() + static_cast<std::ptrdiff_t>(first), devices.begin() + static_cast<std::ptrdiff_t>(last));
    for (PlannedDevice& device : devices) device.router -= device.router > router ? 1u : 0u;
    for (PlannedAddress& address : addresses) {
        if (address.device == DeviceIndex::none || to_number(address.device) < last) continue;
        address.device = DeviceIndex{static_cast<std::uint32_t>(to_number(address.device) - (last - first))};
    }
}

void Plan::remove_router(std::size_t at) {
    if (!devices.empty()) remove_devices_of(at);
    if (routers[at].group != engine::GroupIndex::none) --groups[to_number(routers[at].group)].member_count;
    for (engine::GroupSpec& group : engine.groups) {
        std::erase(group.members, engine::RouterIndex{static_cast<std::uint32_t>(at)});
        for (engine::RouterIndex& member : group.members) {
            if (to_number(member) > at) member = engine::RouterIndex{static_cast<std::uint32_t>(to_number(member) - 1)};
        }
    }
    const engine::RouterIndex removed{static_cast<std::uint32_t>(at)};
    std::erase_if(engine.extra_refreshes, [&](const engine::ExtraRefresh& one) { return one.router == removed; });
    for (engine::ExtraRefresh& one : engine.extra_refreshes) {
        if (to_number(one.router) > at) one.router = engine::RouterIndex{static_cast<std::uint32_t>(to_number(one.router) - 1)};
    }
    remove_hmac_user(engine, at);
    engine.routers.erase(engine.routers.begin() + static_cast<std::ptrdiff_t>(at));
    routers.erase(routers.begin() + static_cast<std::ptrdiff_t>(at));
}

arp::kernel::AddressSpec PlannedAddress::spec() const {
    arp::kernel::AddressSpec spec = address_spec(*settings);
    spec.key.address = address;
    spec.key.prefix_length = prefix_length;
    return spec;
}

MacAddress PlannedRouter::virtual_mac() const {
    return settings->virtual_mac.address.value_or(vigil::virtual_mac(settings->family, vrid));
}

config::VrrpInstance instance_of(const Plan& plan, const PlannedRouter& router) {
    config::VrrpInstance instance = *router.settings;
    instance.name = router.name;
    if (!router.has_routed_interface) instance.interface = router.interface();
    instance.vrid = router.vrid;
    instance.priority = Priority{router.base_priority};
    if (const auto objects = plan.objects.find(router.name); objects != plan.objects.end()) {
        instance.virtual_routes = objects->second.routes;
        instance.virtual_rules = objects->second.rules;
    }
    const auto addresses = plan.addresses_of(router);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        config::ConfiguredAddress address = *addresses[i].settings;
        address.address = addresses[i].address;
        address.prefix_length = addresses[i].prefix_length;
        (i < router.advertised_count ? instance.virtual_addresses : instance.excluded_addresses).push_back(address);
    }
    return instance;
}

}  // namespace vigil::daemon
