#include "engine/daemon/kernel_objects.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

namespace kernel = arp::kernel;

/// Statics, as an owner without a name. Empty when there are none: then nothing is watched.
std::vector<ObjectOwner> static_owner(const config::Configuration& configuration) {
    ObjectOwner owner;
    owner.objects.insert(owner.objects.end(), configuration.static_addresses.begin(), configuration.static_addresses.end());
    owner.objects.insert(owner.objects.end(), configuration.static_routes.begin(), configuration.static_routes.end());
    owner.objects.insert(owner.objects.end(), configuration.static_rules.begin(), configuration.static_rules.end());
    std::vector<ObjectOwner> owners;
    if (!owner.objects.empty()) owners.push_back(std::move(owner));
    return owners;
}

std::vector<ObjectOwner> owners_of(const Plan& plan) {
    std::vector<ObjectOwner> owners;
    for (std::size_t i = 0; !plan.objects.empty() && i < plan.routers.size(); ++i) {
        const auto found = plan.objects.find(plan.routers[i].name);
        if (found == plan.objects.end()) continue;
        ObjectOwner owner{std::string(plan.routers[i].name), i, plan.routers[i].settings->steps_back_when_address_deleted, {}};
        owner.objects.insert(owner.objects.end(), found->second.routes.begin(), found->second.routes.end());
        owner.objects.insert(owner.objects.end(), found->second.rules.begin(), found->second.rules.end());
        owners.push_back(std::move(owner));
    }
    return owners;
}

}  // namespace

void KernelObjects::begin(const config::Configuration& configuration, bool is_alone, Instant now) {
    const bool is_first = !std::exchange(has_begun_, true);
    is_alone_ = is_alone;
    if (is_first && is_alone) {
        remove_marked_objects();
        remove_marked_addresses(configuration);
    }
    static_.configure(static_owner(configuration), configuration);
    if (is_first && !is_alone) static_.remove_planned(false);
    static_.want_all(true);
    static_.apply(now);
}

void KernelObjects::configure(const config::Configuration& configuration, const Plan& plan) {
    routers_.configure(owners_of(plan), configuration);
    if (std::exchange(is_first_plan_, false)) routers_.remove_planned(is_alone_);
}

std::vector<std::size_t> KernelObjects::on_events(const std::vector<kernel::KernelEvent>& events, Instant now) {
    static_.on_events(events, now);
    return routers_.on_events(events, now);
}

void KernelObjects::withdraw_routers() {
    routers_.want_all(false);
    routers_.withdraw();
}

void KernelObjects::withdraw_static() {
    static_.want_all(false);
    static_.withdraw();
}

/// Routes and rules with our mark. It is keepalived's as well: what a keepalived of this network namespace has set goes, too.
void KernelObjects::remove_marked_objects() {
    auto found = kernel::find_marked_objects(socket_);
    if (!found) return spdlog::warn("Cannot list the routes and rules of this host: {}", to_string(found.error()));
    if (found->removals.empty()) return;
    spdlog::info("Removing {} rules and {} routes left by an earlier run", found->rules, found->routes);
    remove(found->removals);
}

/// Static addresses that this configuration has no more. The others are there already when they are set, and nothing that uses them is disturbed.
void KernelObjects::remove_marked_addresses(const config::Configuration& configuration) {
    std::vector<kernel::EncodedRequest> removals;
    for (const kernel::AddressState& state : monitor_.addresses()) {
        if (state.protocol != kernel::static_address_protocol) continue;
        const auto link = monitor_.links().find(state.key.interface_index);
        const std::string_view device = link == monitor_.links().end() ? std::string_view{} : std::string_view(link->second.name);
        const bool is_configured = std::ranges::any_of(configuration.static_addresses, [&](const config::StaticAddress& one) {
            return one.address.address == state.key.address && one.address.prefix_length == state.key.prefix_length && one.address.device == device;
        });
        if (is_configured) continue;
        spdlog::info("Removing address {}/{} from {}, left by an earlier run", to_string(state.key.address), state.key.prefix_length, device);
        removals.push_back(kernel::write_delete_address(state.key));
    }
    remove(removals);
}

void KernelObjects::remove(const std::vector<kernel::EncodedRequest>& removals) {
    if (removals.empty()) return;
    auto programmer = kernel::ObjectProgrammer::open();
    if (!programmer) return spdlog::error("Cannot open a netlink socket for routes and rules: {}", to_string(programmer.error()));
    for (const kernel::KernelError& verdict : programmer->apply(removals)) {
        if (verdict.error_number != 0) spdlog::warn("Cannot remove what an earlier run left: {}", to_string(verdict));
    }
}

}  // namespace vigil::daemon
