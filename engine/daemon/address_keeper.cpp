// The virtual addresses in the kernel.
//
// The election runs ahead of this by design: adverts never wait for netlink. So the keeper works towards a wish per router. A router that became
// Active and lost again before the control thread looked causes no request at all.
//
// Order inside a batch: devices with a virtual MAC are silenced, then removals, because an address may move from one router to another; then
// devices are raised, then additions. Silenced devices go down later, one at a time, because the kernel waits in each. Announcements begin when at least one address of the router is there: those that were refused are announced too (the engine's
// schedule is per router), which is what the protocol has promised to the LAN anyway.

#include "engine/daemon/address_keeper.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

using arp::kernel::AddressChange;
using arp::kernel::AddressKey;
using arp::kernel::AddressOperation;
using arp::kernel::AddressOutcome;

constexpr Nanoseconds first_delay = std::chrono::seconds{1};
constexpr Nanoseconds last_delay = std::chrono::seconds{30};

}  // namespace

AddressKeeper::AddressKeeper(const Plan& plan, KernelSide& kernel) : kernel_(kernel) {
    for (const PlannedRouter& planned : plan.routers) {
        Router router;
        router.name = planned.instance->name;
        for (const PlannedAddress& address : planned.addresses) {
            router.addresses.push_back({.spec = address.spec, .device = address.device, .gives_up_when_deleted = address.gives_up_when_deleted});
        }
        routers_.push_back(std::move(router));
    }
}

void AddressKeeper::leave_alone(const std::unordered_map<AddressKey, arp::kernel::AddressState, arp::kernel::AddressKeyHash>& present) {
    refresh_indices();
    for (Router& router : routers_) {
        for (Address& address : router.addresses) {
            const auto index = indices_.find(address.device);
            if (index == indices_.end()) continue;
            AddressKey key = address.spec.key;
            key.interface_index = index->second;
            address.is_foreign = present.contains(key);
        }
    }
}

void AddressKeeper::want(std::size_t router, bool is_active) {
    Router& one = routers_[router];
    if (one.is_wanted == is_active) return;
    one.is_wanted = is_active;
    one.is_announced = false;
    for (Address& address : one.addresses) {
        address.next_attempt = Instant{};
        address.delay = Nanoseconds{0};
        address.was_reported = false;
    }
    dirty_.push_back(router);
}

bool AddressKeeper::has_work(Instant now) const {
    if (!dirty_.empty()) return true;
    return std::any_of(routers_.begin(), routers_.end(), [&](const Router& router) {
        return router.is_wanted && std::any_of(router.addresses.begin(), router.addresses.end(), [&](const Address& address) {
                   return !address.is_present && !address.is_foreign && address.next_attempt <= now;
               });
    });
}

std::vector<std::size_t> AddressKeeper::apply(Instant now, const std::function<void()>& between_sends) {
    refresh_indices();
    std::vector<std::size_t> work = std::move(dirty_);
    dirty_.clear();
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        if (routers_[i].is_wanted) work.push_back(i);  // refused addresses that are due again; collect_additions() looks at the time
    }
    std::sort(work.begin(), work.end());
    work.erase(std::unique(work.begin(), work.end()), work.end());

    std::vector<AddressChange> changes;
    std::vector<Pending> pending;
    for (const std::size_t router : work) collect_removals(router, changes, pending);
    for (const std::size_t router : work) collect_additions(router, now, changes, pending);
    const auto results = kernel_.programmer().apply(changes, between_sends);
    for (std::size_t i = 0; i < results.size(); ++i) settle(pending[i], changes[i], results[i], now);

    std::vector<std::size_t> ready;
    for (const std::size_t i : work) {
        Router& router = routers_[i];
        const bool has_some = router.addresses.empty() || std::any_of(router.addresses.begin(), router.addresses.end(), [](const Address& one) {
                                  return one.is_present || one.is_foreign;
                              });
        if (!router.is_wanted || router.is_announced || !has_some) continue;
        router.is_announced = true;
        ready.push_back(i);
    }
    return ready;
}

void AddressKeeper::collect_removals(std::size_t index, std::vector<AddressChange>& changes, std::vector<Pending>& pending) {
    Router& router = routers_[index];
    if (router.is_wanted) return;
    if (router.macvlan != 0) {
        if (auto silenced = kernel_.macvlans().silence(router.macvlan); !silenced) {
            spdlog::warn("({}) cannot silence its virtual MAC device: {}", router.name, to_string(silenced.error()));
        }
        to_lower_.push_back(index);
    }
    for (std::size_t i = 0; i < router.addresses.size(); ++i) {
        Address& address = router.addresses[i];
        if (!address.is_present) continue;
        address.is_present = false;  // before the kernel tells us, so that our own deletion is not taken for somebody else's
        if (!let_go(address, index)) continue;
        changes.push_back({AddressOperation::remove, address.spec});
        pending.push_back({index, i});
    }
}

/// Strikes the router from the address's holders. True when nobody else holds it: only then may it leave the kernel.
bool AddressKeeper::let_go(const Address& address, std::size_t router) {
    const auto [begin, end] = present_.equal_range(address.spec.key);
    const auto own = std::find_if(begin, end, [&](const auto& holder) { return holder.second.router == router; });
    const auto other = std::find_if(begin, end, [&](const auto& holder) { return holder.second.router != router; });
    const bool is_shared = other != end;
    if (is_shared) {
        spdlog::info("({}) address {} stays: it is an address of ({}) too", routers_[router].name, to_string(address.spec.key.address),
                     routers_[other->second.router].name);
    }
    if (own != end) present_.erase(own);
    return !is_shared;
}

bool AddressKeeper::lower_one_device() {
    while (!to_lower_.empty()) {
        Router& router = routers_[to_lower_.back()];
        to_lower_.pop_back();
        if (router.is_wanted || router.macvlan == 0) continue;  // Active again, or the device is gone
        if (auto down = kernel_.macvlans().bring_down(router.macvlan); !down) {
            spdlog::warn("({}) cannot take its virtual MAC device down: {}", router.name, to_string(down.error()));
        }
        break;
    }
    return !to_lower_.empty();
}

void AddressKeeper::collect_additions(std::size_t index, Instant now, std::vector<AddressChange>& changes, std::vector<Pending>& pending) {
    Router& router = routers_[index];
    if (!router.is_wanted) return;
    bool was_raised = router.macvlan == 0;
    for (std::size_t i = 0; i < router.addresses.size(); ++i) {
        Address& address = router.addresses[i];
        if (address.is_present || address.is_foreign || address.next_attempt > now) continue;
        if (!was_raised) {
            was_raised = true;
            if (auto up = kernel_.macvlans().bring_up(router.macvlan); !up) {
                spdlog::warn("({}) cannot raise its virtual MAC device: {}", router.name, to_string(up.error()));
            }
        }
        const auto found = indices_.find(address.device);
        const std::uint32_t device = !address.device.empty() ? (found == indices_.end() ? 0 : found->second) : router.macvlan;
        if (device == 0) {
            postpone(router, address, now, address.device.empty() ? "its virtual MAC device does not exist" : "there is no interface " + address.device);
            continue;
        }
        address.spec.key.interface_index = device;
        changes.push_back({AddressOperation::add, address.spec});
        pending.push_back({index, i});
    }
}

void AddressKeeper::settle(const Pending& pending, const AddressChange& change, const arp::kernel::AddressResult& result, Instant now) {
    Router& router = routers_[pending.router];
    Address& address = router.addresses[pending.address];
    const bool is_addition = change.operation == AddressOperation::add;
    if (result.outcome != AddressOutcome::refused) {
        if (!is_addition) return;
        address.is_present = true;
        present_.emplace(address.spec.key, pending);
        if (address.was_reported) spdlog::info("({}) address {} is set now", router.name, to_string(address.spec.key.address));
        if (result.outcome == AddressOutcome::already_there) {
            spdlog::info("({}) address {} was there already; it is ours now", router.name, to_string(address.spec.key.address));
        }
        return;
    }
    if (is_addition) return postpone(router, address, now, to_string(result.error));
    spdlog::error("({}) cannot remove address {}: {}", router.name, to_string(address.spec.key.address), to_string(result.error));
}

void AddressKeeper::postpone(Router& router, Address& address, Instant now, const std::string& why) {
    address.delay = address.delay == Nanoseconds{0} ? first_delay : std::min(2 * address.delay, last_delay);
    address.next_attempt = now + address.delay;
    if (address.was_reported) return;
    address.was_reported = true;
    spdlog::error("({}) cannot set address {}/{}: {}; trying again", router.name, to_string(address.spec.key.address),
                  address.spec.key.prefix_length, why);
}

std::vector<std::size_t> AddressKeeper::on_address_gone(const AddressKey& key) {
    std::vector<std::size_t> giving_up;
    const auto [begin, end] = present_.equal_range(key);
    if (begin == end) return giving_up;
    const auto link = kernel_.monitor().links().find(key.interface_index);
    const bool is_link_usable = link != kernel_.monitor().links().end() && link->second.is_up;
    for (auto holder = begin; holder != end; ++holder) {
        const Pending at = holder->second;
        Address& address = routers_[at.router].addresses[at.address];
        address.is_present = false;
        if (is_link_usable && address.gives_up_when_deleted && routers_[at.router].is_wanted) giving_up.push_back(at.router);
    }
    present_.erase(begin, end);
    kernel_.programmer().forget(key);
    return giving_up;
}

void AddressKeeper::on_interface_gone(std::uint32_t index) {
    kernel_.programmer().forget_interface(index);
    for (Router& router : routers_) {
        if (router.macvlan == index) router.macvlan = 0;
        for (Address& address : router.addresses) {
            if (!address.is_present || address.spec.key.interface_index != index) continue;
            address.is_present = false;
            present_.erase(address.spec.key);
        }
    }
}

std::optional<std::size_t> AddressKeeper::raise_again(std::uint32_t index) {
    const auto found = std::find_if(routers_.begin(), routers_.end(), [&](const Router& one) { return one.macvlan == index && one.is_wanted; });
    if (index == 0 || found == routers_.end()) return std::nullopt;
    for (Address& address : found->addresses) {
        // IPv4 addresses outlive it. The messages of the IPv6 ones are still to come: forgotten now, they are not taken for a deletion by hand.
        if (!address.is_present || address.spec.key.interface_index != index || address.spec.key.address.family != Family::ipv6) continue;
        address.is_present = false;
        address.next_attempt = Instant{};
        present_.erase(address.spec.key);
        kernel_.programmer().forget(address.spec.key);
    }
    if (auto up = kernel_.macvlans().bring_up(index); !up) {
        spdlog::error("({}) cannot raise its virtual MAC device: {}", found->name, to_string(up.error()));
    }
    const auto router = static_cast<std::size_t>(found - routers_.begin());
    dirty_.push_back(router);
    return router;
}

void AddressKeeper::on_device_usable(const std::string& device, Instant now) {
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        for (Address& address : routers_[i].addresses) {
            if (address.device != device || address.is_present || !routers_[i].is_wanted) continue;
            address.next_attempt = now;
            address.delay = Nanoseconds{0};
            dirty_.push_back(i);
        }
    }
}

std::size_t AddressKeeper::present_count(std::size_t router) const {
    const auto& addresses = routers_[router].addresses;
    return static_cast<std::size_t>(std::count_if(addresses.begin(), addresses.end(), [](const Address& one) { return one.is_present; }));
}

void AddressKeeper::refresh_indices() {
    indices_.clear();
    for (const auto& [index, link] : kernel_.monitor().links()) indices_[link.name] = index;
}

}  // namespace vigil::daemon
