#include "engine/daemon/accept_rules.h"

#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

using arp::kernel::FilteredAddress;

constexpr Nanoseconds first_delay = std::chrono::seconds{1};
constexpr Nanoseconds last_delay = std::chrono::seconds{30};

bool accepts(const PlannedRouter& router) { return router.settings->accept || router.is_owner(); }

}  // namespace

AcceptRules::AcceptRules(const Plan& plan, const config::GlobalDefinitions& global, KernelSide& kernel)
    : plan_(plan), kernel_(kernel),
      shape_{std::string(global.nftables.table), global.nftables.priority, global.nftables.by_interface_index, global.nftables.has_counters} {
    if (std::all_of(plan.routers.begin(), plan.routers.end(), accepts)) return;
    auto filter = kernel.accept_filter();
    if (!filter) {
        spdlog::error("no_accept: cannot open a netlink socket: {}; packets to the addresses are accepted", to_string(filter.error()));
        return;
    }
    filter_ = *filter;
    is_held_.resize(plan.routers.size());
    is_member_.reserve(plan.routers.size());
    for (const PlannedRouter& router : plan.routers) is_member_.push_back(!accepts(router));
}

void AcceptRules::build(Instant now) {
    if (filter_ == nullptr) return;
    if (auto built = filter_->build(shape_); !built) return report(built.error(), now);
    delay_ = Nanoseconds{0};
    const auto count = std::count(is_member_.begin(), is_member_.end(), true);
    spdlog::info("Packets to the addresses of {} routers are not accepted (no_accept, strict mode): nftables table inet {}", count, filter_->table());
    if (filter_->table() != shape_.table) {
        spdlog::warn("The nftables table inet {} is somebody else's. Give each vigild of this network namespace a name of its own with 'nftables NAME'",
                     shape_.table);
    }
}

/// A reload: what both have stays as it is.
void AcceptRules::build_or_clear(Instant now) {
    if (filter_ != nullptr) {
        if (!filter_->is_built() || filter_->shape() != shape_) return build(now);
        return apply(now);
    }
    const auto filter = kernel_.accept_filter_in_use();
    if (filter == nullptr) return;
    if (auto cleared = filter->clear(); !cleared) spdlog::error("no_accept: cannot remove the nftables table: {}", to_string(cleared.error()));
}

void AcceptRules::report(const arp::kernel::KernelError& error, Instant now) {
    const bool is_first = delay_ == Nanoseconds{0};
    delay_ = is_first ? first_delay : std::min(2 * delay_, last_delay);
    next_attempt_ = now + delay_;
    if (!is_first) return;
    spdlog::error("no_accept: cannot make the nftables table (it needs Linux 5.12 and CAP_NET_ADMIN): {}; packets to the addresses are accepted. Trying again",
                  to_string(error));
}

void AcceptRules::apply(Instant now) {
    if (!has_work(now)) return;
    if (!filter_->is_built()) return build(now);
    if (auto committed = filter_->commit(); !committed) report(committed.error(), now);
}

/// By name or by number, as the table has it; all zero when there is no such device now.
std::array<std::uint8_t, 16> AcceptRules::interface_of(std::uint32_t device) const {
    std::array<std::uint8_t, 16> interface{};
    if (shape_.by_interface_index) {
        std::memcpy(interface.data(), &device, sizeof device);
        return interface;
    }
    // Of a device that we have just made the monitor may not have heard yet.
    const auto& macvlans = kernel_.macvlans().devices();
    const auto& links = kernel_.monitor().links();
    const auto macvlan = macvlans.find(device);
    const auto link = links.find(device);
    const std::string_view name = macvlan != macvlans.end() ? macvlan->second.name : link != links.end() ? std::string_view(link->second.name) : "";
    std::copy_n(name.begin(), std::min<std::size_t>(name.size(), IFNAMSIZ - 1), interface.begin());
    return interface;
}

AcceptRules::Elements AcceptRules::elements_of(std::size_t router, const DeviceOf& device_of) const {
    Elements elements;
    for (const PlannedAddress& address : plan_.addresses_of(plan_.routers[router])) {
        FilteredAddress element{address.address, {}};
        if (address.address.is_link_local()) {
            element.interface = interface_of(device_of(address));
            if (element.interface == decltype(element.interface){}) continue;   // not here, and hold() comes again when it is
        }
        elements.push_back(element);
    }
    return elements;
}

bool AcceptRules::has_link_local(std::size_t router) const {
    const auto addresses = plan_.addresses_of(plan_.routers[router]);
    return std::any_of(addresses.begin(), addresses.end(), [](const PlannedAddress& one) { return one.address.is_link_local(); });
}

void AcceptRules::hold(std::size_t router, const DeviceOf& device_of) {
    if (filter_ == nullptr || !is_member_[router]) return;
    const bool may_change = has_link_local(router);
    if (is_held_[router] && !may_change) return;
    Elements elements = elements_of(router, device_of);
    if (is_held_[router] && on_links_[router] == elements) return;
    for (const FilteredAddress& element : elements) filter_->block(element);
    if (is_held_[router]) let_go(router);
    is_held_[router] = true;
    if (may_change) on_links_[router] = std::move(elements);
}

void AcceptRules::let_go(std::size_t router) {
    if (filter_ == nullptr || !is_held_[router]) return;
    is_held_[router] = false;
    const auto remembered = on_links_.extract(router);
    for (const FilteredAddress& element : remembered ? remembered.mapped() : elements_of(router, [](const PlannedAddress&) { return 0u; })) filter_->unblock(element);
}

void AcceptRules::let_all_go() {
    for (std::size_t i = 0; i < is_held_.size(); ++i) let_go(i);
}

}  // namespace vigil::daemon
