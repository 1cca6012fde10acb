#include "engine/daemon/succession.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

bool have_same_macvlan(const PlannedRouter& a, const PlannedRouter& b) {
    return a.macvlan == nullptr || b.macvlan == nullptr ? a.macvlan == b.macvlan : *a.macvlan == *b.macvlan;
}

bool have_same_ruled_mac(const PlannedRouter& a, const PlannedRouter& b) {
    return a.has_ruled_mac == b.has_ruled_mac && (!a.has_ruled_mac || a.virtual_mac() == b.virtual_mac());
}

bool can_go_on(const PlannedRouter& before, const PlannedRouter& now) {
    return before.link == now.link && before.vrid == now.vrid && before.settings->family == now.settings->family &&
           before.settings->version == now.settings->version && before.settings->lacks_peers == now.settings->lacks_peers && before.is_owner() == now.is_owner() &&
           before.ignores_own_link == now.ignores_own_link && have_same_macvlan(before, now) && have_same_ruled_mac(before, now);
}

bool have_same_objects(const Plan& before, const Plan& now, std::string_view name) {
    if (before.objects.empty() && now.objects.empty()) return true;
    const auto old = before.objects.find(name);
    const auto one = now.objects.find(name);
    if (old == before.objects.end() || one == now.objects.end()) return (old == before.objects.end()) == (one == now.objects.end());
    const auto lines = [](const RouterObjects& objects) {
        std::vector<std::string> texts;
        for (const auto& route : objects.routes) texts.push_back(config::to_string(route));
        for (const auto& rule : objects.rules) texts.push_back(config::to_string(rule));
        return texts;
    };
    return lines(old->second) == lines(one->second);
}

bool is_unchanged(const Plan& before, const PlannedRouter& old, const Plan& now, const PlannedRouter& router) {
    return old.base_priority == router.base_priority && old.advertised_count == router.advertised_count && *old.settings == *router.settings &&
           std::ranges::equal(before.addresses_of(old), now.addresses_of(router), is_same_address) && have_same_objects(before, now, router.name);
}

}  // namespace

bool is_same_address(const PlannedAddress& a, const PlannedAddress& b) {
    return a.address == b.address && a.prefix_length == b.prefix_length && a.link == b.link && *a.settings == *b.settings && (a.device == DeviceIndex::none) == (b.device == DeviceIndex::none);
}

Succession make_succession(const Plan& before, const Plan& now) {
    std::unordered_map<std::string_view, std::size_t> by_name;
    for (std::size_t i = 0; i < before.routers.size(); ++i) by_name.emplace(before.routers[i].name, i);
    std::vector<bool> goes_on(before.routers.size(), false);
    Succession succession;
    succession.predecessors.reserve(now.routers.size());
    for (const PlannedRouter& router : now.routers) {
        const auto found = by_name.find(router.name);
        if (found == by_name.end() || goes_on[found->second] || !can_go_on(before.routers[found->second], router)) {
            succession.predecessors.push_back(engine::RouterIndex::none);
            continue;
        }
        goes_on[found->second] = true;
        succession.predecessors.push_back(engine::RouterIndex{static_cast<std::uint32_t>(found->second)});
        ++(is_unchanged(before, before.routers[found->second], now, router) ? succession.unchanged : succession.changed);
    }
    for (std::size_t i = 0; i < goes_on.size(); ++i) {
        if (!goes_on[i]) succession.leaving.push_back(i);
    }
    return succession;
}

std::string describe(const Succession& succession) {
    return fmt::format("{} added, {} removed, {} changed, {} untouched", succession.predecessors.size() - succession.changed - succession.unchanged,
                       succession.leaving.size(), succession.changed, succession.unchanged);
}

}  // namespace vigil::daemon
