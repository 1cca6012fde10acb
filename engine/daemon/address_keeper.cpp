// The virtual addresses in the kernel.
//
// The election runs ahead of this by design: adverts never wait for netlink. So the keeper works towards a wish per router. A router that became
// Active and lost again before the control thread looked causes no request at all.
//
// Order inside a batch: devices with a virtual MAC are silenced, then removals, because an address may move from one router to another; then
// devices are raised, then additions. Silenced devices go down later, one at a time, because the kernel waits in each. Announcements begin when
// at least one address of the router is there: those that were refused are announced too (the engine's schedule is per router), which is what the
// protocol has promised to the LAN anyway.
//
// Thousands of routers that change at once are brought into line some hundreds at a time: the engine announces the first while the rest are set, and
// no batch needs much memory. With tens of thousands of addresses nothing here may look at all of them: what is to be done stands in a list, refused addresses in a map
// with the time of the next attempt, and an address that the kernel tells of is found in an order by value that is made once.

#include "engine/daemon/address_keeper.h"

#include <algorithm>
#include <numeric>
#include <ranges>
#include <span>

#include <spdlog/spdlog.h>

#include "engine/daemon/succession.h"

namespace vigil::daemon {
namespace {

using arp::kernel::AddressChange;
using arp::kernel::AddressKey;
using arp::kernel::AddressOperation;
using arp::kernel::AddressOutcome;

constexpr Nanoseconds first_delay = std::chrono::seconds{1};
constexpr Nanoseconds last_delay = std::chrono::seconds{30};
constexpr Nanoseconds calm_between_deletions = std::chrono::seconds{10};
constexpr unsigned deletions_put_back_at_once = 5;

}  // namespace

AddressKeeper::AddressKeeper(const Plan& plan, KernelSide& kernel, VirtualMacRules& rules, AcceptRules& accept)
    : plan_(plan), kernel_(kernel), rules_(rules), accept_(accept), routers_(plan.routers.size()), addresses_(plan.addresses.size()), devices_(plan.links.size(), 0),
      made_devices_(plan.devices.size(), 0) {
    by_value_.resize(plan.addresses.size());
    std::iota(by_value_.begin(), by_value_.end(), AddressNumber{0});
    std::sort(by_value_.begin(), by_value_.end(),
              [&](AddressNumber a, AddressNumber b) { return plan.addresses[a].address < plan.addresses[b].address; });
    for (std::size_t i = 1; i < by_value_.size(); ++i) {
        if (plan.addresses[by_value_[i - 1]].address == plan.addresses[by_value_[i]].address) addresses_[by_value_[i - 1]].is_shared = addresses_[by_value_[i]].is_shared = true;
    }
}

void AddressKeeper::leave_alone(const arp::kernel::Monitor::Addresses& present) {
    refresh_devices();
    for (std::size_t router = 0; router < routers_.size(); ++router) {
        for (std::size_t i = 0; plan_.routers[router].is_owner() && i < address_count(router); ++i) {
            const AddressNumber address = first_address(router) + static_cast<AddressNumber>(i);
            const AddressKey key = key_of(router, address);
            addresses_[address].is_foreign = key.interface_index != 0 && present.contains(key);
        }
    }
}

std::vector<AddressKey> AddressKeeper::go_on_from(const AddressKeeper& before, const std::vector<engine::RouterIndex>& predecessors) {
    refresh_devices();
    std::vector<AddressKey> abandoned;
    adopt_devices(before, predecessors);
    std::vector<bool> is_to_lower(before.routers_.size(), false);
    for (const Lowering& one : before.to_lower_) is_to_lower[one.router] = true;
    for (std::size_t i = 0; i < routers_.size(); ++i) {
        if (predecessors[i] == engine::RouterIndex::none) continue;
        const std::size_t predecessor = engine::to_number(predecessors[i]);
        routers_[i] = before.routers_[predecessor];
        routers_[i].is_dirty = false;
        if (is_to_lower[predecessor]) {
            for (const std::uint32_t device : virtual_devices_of(i)) to_lower_.push_back({i, device});
        }
        const bool has_all = adopt_addresses(i, before, predecessor, abandoned);
        if (!routers_[i].is_wanted || has_all) continue;
        routers_[i].is_announced = false;
        mark_dirty(i);
    }
    std::erase_if(abandoned, [this](const AddressKey& key) { return holds(key); });
    return abandoned;
}

/// A device goes on when router, interface and family are the same.
void AddressKeeper::adopt_devices(const AddressKeeper& before, const std::vector<engine::RouterIndex>& predecessors) {
    std::vector<bool> is_adopted(before.made_devices_.size(), false);
    for (std::size_t i = 0; i < plan_.devices.size(); ++i) {
        const engine::RouterIndex predecessor = predecessors[plan_.devices[i].router];
        if (predecessor == engine::RouterIndex::none) continue;
        const auto [first, last] = before.plan_.devices_of(engine::to_number(predecessor));
        for (std::size_t old = first; old < last; ++old) {
            if (before.plan_.devices[old].macvlan != plan_.devices[i].macvlan) continue;
            made_devices_[i] = before.made_devices_[old];
            is_adopted[old] = true;
        }
    }
    for (std::size_t old = 0; old < is_adopted.size(); ++old) {
        if (!is_adopted[old] && before.made_devices_[old] != 0) abandoned_devices_.push_back(before.made_devices_[old]);
    }
}

/// False when one of the router's addresses is not there. Lists are mostly as they were, or somewhat longer or shorter.
bool AddressKeeper::adopt_addresses(std::size_t router, const AddressKeeper& before, std::size_t predecessor, std::vector<AddressKey>& abandoned) {
    const std::span now = plan_.addresses_of(plan_.routers[router]);
    const std::span old = before.plan_.addresses_of(before.plan_.routers[predecessor]);
    std::vector<bool> is_taken(old.size(), false);
    bool has_all = true;
    for (std::size_t i = 0; i < now.size(); ++i) {
        const bool stands_there = i < old.size() && is_same_address(now[i], old[i]);
        const auto found = stands_there ? old.begin() + static_cast<std::ptrdiff_t>(i)
                                        : std::ranges::find_if(old, [&](const PlannedAddress& one) { return is_same_address(now[i], one); });
        const auto at = static_cast<std::size_t>(found - old.begin());
        Address& address = addresses_[first_address(router) + i];
        if (found != old.end() && !is_taken[at]) {
            const Address& known = before.addresses_[before.first_address(predecessor) + at];
            address.device = known.device;
            address.is_present = known.is_present;
            address.is_foreign = known.is_foreign;
            is_taken[at] = true;
        }
        has_all = has_all && (address.is_present || address.is_foreign);
    }
    for (std::size_t i = 0; i < old.size(); ++i) {
        const auto number = before.first_address(predecessor) + static_cast<AddressNumber>(i);
        if (!is_taken[i] && before.addresses_[number].is_present) abandoned.push_back(before.key_of(predecessor, number));
    }
    return has_all;
}

std::uint32_t AddressKeeper::device_of(std::size_t router, const PlannedAddress& address) const {
    if (address.device != DeviceIndex::none) return made_devices_[to_number(address.device)];
    return address.link == engine::LinkIndex::none ? routers_[router].macvlan : devices_[engine::to_number(address.link)];
}

/// Those that are there.
std::vector<std::uint32_t> AddressKeeper::virtual_devices_of(std::size_t router) const {
    std::vector<std::uint32_t> numbers;
    if (routers_[router].macvlan != 0) numbers.push_back(routers_[router].macvlan);
    const auto [first, last] = plan_.devices_of(router);
    for (std::size_t i = first; i < last; ++i) {
        if (made_devices_[i] != 0) numbers.push_back(made_devices_[i]);
    }
    return numbers;
}

AddressKey AddressKeeper::key_of(std::size_t router, AddressNumber address) const {
    AddressKey key = plan_.addresses[address].spec().key;
    key.interface_index = addresses_[address].is_present ? addresses_[address].device : device_of(router, plan_.addresses[address]);
    return key;
}

std::size_t AddressKeeper::router_of(AddressNumber address) const {
    const auto behind = std::upper_bound(plan_.routers.begin(), plan_.routers.end(), address,
                                         [](AddressNumber value, const PlannedRouter& one) { return value < one.first_address; });
    return static_cast<std::size_t>(behind - plan_.routers.begin()) - 1;
}

/// The routers by whom the address is there: several may have the same.
std::vector<AddressKeeper::Pending> AddressKeeper::holders_of(const AddressKey& key) const {
    const auto value = [this](AddressNumber number) -> const IpAddress& { return plan_.addresses[number].address; };
    auto at = std::lower_bound(by_value_.begin(), by_value_.end(), key.address,
                               [&](AddressNumber number, const IpAddress& wanted) { return value(number) < wanted; });
    std::vector<Pending> holders;
    for (; at != by_value_.end() && value(*at) == key.address; ++at) {
        const std::size_t router = router_of(*at);
        if (addresses_[*at].is_present && key_of(router, *at) == key) holders.push_back({router, *at});
    }
    return holders;
}

void AddressKeeper::mark_dirty(std::size_t router) {
    if (std::exchange(routers_[router].is_dirty, true)) return;
    dirty_.push_back(router);
}

void AddressKeeper::want(std::size_t router, bool is_active) {
    Router& one = routers_[router];
    if (one.is_wanted == is_active) return;
    one.is_wanted = is_active;
    one.is_announced = false;
    rules_.want(router, is_active);
    for (std::size_t i = 0; !refused_.empty() && i < address_count(router); ++i) refused_.erase(first_address(router) + static_cast<AddressNumber>(i));
    mark_dirty(router);
}

/// Puts the routers of refused addresses that are due again on the list.
void AddressKeeper::retry_due(Instant now) {
    if (next_attempt_ > now) return;
    next_attempt_ = never;
    for (const auto& [address, refusal] : refused_) {
        if (refusal.next_attempt <= now) mark_dirty(refusal.router);
        else next_attempt_ = std::min(next_attempt_, refusal.next_attempt);
    }
}

std::vector<std::size_t> AddressKeeper::apply(Instant now, const std::function<void()>& between_sends) {
    refresh_devices();
    retry_due(now);
    rules_.apply();   // before the addresses, both ways: an address never answers with the interface's own MAC
    const std::vector<std::size_t> work = take_work();
    for (const std::size_t router : work) {
        if (routers_[router].is_wanted) accept_.hold(router, [&](const PlannedAddress& address) { return device_of(router, address); });
    }
    accept_.apply(now);   // and these before the addresses are there, until they are gone
    std::vector<AddressChange> changes;
    std::vector<Pending> pending;
    for (const std::size_t router : work) collect_removals(router, changes, pending);
    for (const std::size_t router : work) collect_additions(router, now, changes, pending);
    const auto results = kernel_.programmer().apply(changes, between_sends);
    for (std::size_t i = 0; i < results.size(); ++i) settle(pending[i], changes[i], results[i], now);
    for (const std::size_t router : work) {
        if (!routers_[router].is_wanted) accept_.let_go(router);
    }
    accept_.apply(now);
    return take_ready(work);
}

/// An address may move from one router to another, so all removals go before the first addition.
std::vector<std::size_t> AddressKeeper::take_work() {
    std::partition(dirty_.begin(), dirty_.end(), [this](std::size_t router) { return routers_[router].is_wanted; });
    std::vector<std::size_t> work;
    for (std::size_t addresses = 0; !dirty_.empty() && addresses < addresses_per_batch; dirty_.pop_back()) {
        work.push_back(dirty_.back());
        addresses += std::max<std::size_t>(address_count(dirty_.back()), 1);
    }
    if (dirty_.empty()) dirty_.shrink_to_fit();
    for (const std::size_t router : work) routers_[router].is_dirty = false;
    std::sort(work.begin(), work.end());
    return work;
}

std::vector<std::size_t> AddressKeeper::take_ready(const std::vector<std::size_t>& work) {
    std::vector<std::size_t> ready;
    for (const std::size_t i : work) {
        Router& router = routers_[i];
        const auto first = addresses_.begin() + first_address(i);
        const auto last = first + static_cast<std::ptrdiff_t>(address_count(i));
        const bool has_some = first == last || std::any_of(first, last, [](const Address& one) { return one.is_present || one.is_foreign; });
        if (!router.is_wanted || router.is_announced || !has_some) continue;
        router.is_announced = true;
        ready.push_back(i);
    }
    return ready;
}

void AddressKeeper::collect_removals(std::size_t index, std::vector<AddressChange>& changes, std::vector<Pending>& pending) {
    const Router& router = routers_[index];
    if (router.is_wanted) return;
    for (const std::uint32_t device : virtual_devices_of(index)) {
        if (auto silenced = kernel_.macvlans().silence(device); !silenced) {
            spdlog::warn("({}) cannot silence its virtual MAC device: {}", name(index), to_string(silenced.error()));
        }
        to_lower_.push_back({index, device});
    }
    for (std::size_t i = 0; i < address_count(index); ++i) {
        const AddressNumber address = first_address(index) + static_cast<AddressNumber>(i);
        if (!addresses_[address].is_present) continue;
        const AddressKey key = key_of(index, address);
        addresses_[address].is_present = false;  // before the kernel tells us, so that our own deletion is not taken for somebody else's
        if (addresses_[address].is_shared && stays_for_another(key, index)) continue;
        changes.push_back({AddressOperation::remove, plan_.addresses[address].spec()});
        changes.back().spec.key = key;
        pending.push_back({index, address});
    }
}

/// Only when nobody else holds it may it leave the kernel.
bool AddressKeeper::stays_for_another(const AddressKey& key, std::size_t router) const {
    const std::vector<Pending> holders = holders_of(key);
    const auto other = std::find_if(holders.begin(), holders.end(), [&](const Pending& holder) { return holder.router != router; });
    if (other == holders.end()) return false;
    spdlog::info("({}) address {} stays: it is an address of ({}) too", name(router), to_string(key.address), name(other->router));
    return true;
}

bool AddressKeeper::lower_one_device() {
    while (!to_lower_.empty()) {
        const Lowering one = to_lower_.back();
        to_lower_.pop_back();
        if (routers_[one.router].is_wanted || !kernel_.macvlans().devices().contains(one.device)) continue;  // Active again, or the device is gone
        if (auto down = kernel_.macvlans().bring_down(one.device); !down) {
            spdlog::warn("({}) cannot take its virtual MAC device down: {}", name(one.router), to_string(down.error()));
        }
        break;
    }
    return !to_lower_.empty();
}

bool AddressKeeper::raise(std::size_t router) {
    for (const std::uint32_t device : virtual_devices_of(router)) {
        if (auto up = kernel_.macvlans().bring_up(device); !up && up.error().error_number != ENODEV) {   // the message that it is gone is on its way
            spdlog::warn("({}) cannot raise its virtual MAC device: {}", name(router), to_string(up.error()));
        }
    }
    return true;
}

void AddressKeeper::collect_additions(std::size_t index, Instant now, std::vector<AddressChange>& changes, std::vector<Pending>& pending) {
    const Router& router = routers_[index];
    if (!router.is_wanted) return;
    bool was_raised = false;
    for (std::size_t i = 0; i < address_count(index); ++i) {
        const AddressNumber address = first_address(index) + static_cast<AddressNumber>(i);
        if (addresses_[address].is_present || addresses_[address].is_foreign) continue;
        if (const auto refusal = refused_.find(address); refusal != refused_.end() && refusal->second.next_attempt > now) continue;
        if (!was_raised) was_raised = raise(index);
        if (const AddressKey key = key_of(index, address); key.interface_index != 0) {
            changes.push_back({AddressOperation::add, plan_.addresses[address].spec()});
            changes.back().spec.key = key;
            pending.push_back({index, address});
            continue;
        }
        const engine::LinkIndex link = plan_.addresses[address].link;
        postpone({index, address}, now, link == engine::LinkIndex::none ? "its virtual MAC device does not exist"
                                                                        : "there is no interface " + plan_.links[engine::to_number(link)].name);
    }
}

void AddressKeeper::settle(const Pending& pending, const AddressChange& change, const arp::kernel::AddressResult& result, Instant now) {
    const bool is_addition = change.operation == AddressOperation::add;
    const IpAddress& address = change.spec.key.address;
    if (result.outcome != AddressOutcome::refused) {
        if (!is_addition) return;
        addresses_[pending.address].is_present = true;
        addresses_[pending.address].device = change.spec.key.interface_index;
        if (refused_.erase(pending.address) != 0) spdlog::info("({}) address {} is set now", name(pending.router), to_string(address));
        if (result.outcome == AddressOutcome::already_there) {
            spdlog::info("({}) address {} was there already; it is ours now", name(pending.router), to_string(address));
        }
        return;
    }
    if (is_addition) return postpone(pending, now, to_string(result.error));
    spdlog::error("({}) cannot remove address {}: {}", name(pending.router), to_string(address), to_string(result.error));
}

void AddressKeeper::postpone(const Pending& pending, Instant now, const std::string& why) {
    const auto [at, is_first] = refused_.try_emplace(pending.address);
    Refusal& refusal = at->second;
    refusal.router = pending.router;
    refusal.delay = is_first ? first_delay : std::min(2 * refusal.delay, last_delay);
    refusal.next_attempt = now + refusal.delay;
    next_attempt_ = std::min(next_attempt_, refusal.next_attempt);
    if (!is_first) return;
    const PlannedAddress& address = plan_.addresses[pending.address];
    spdlog::error("({}) cannot set address {}/{}: {}; trying again", name(pending.router), to_string(address.address),
                  address.prefix_length, why);
}

std::vector<AddressKeeper::Loss> AddressKeeper::on_address_gone(const AddressKey& key, Instant now) {
    std::vector<Loss> losses;
    const std::vector<Pending> holders = holders_of(key);
    if (holders.empty()) return losses;
    const auto link = kernel_.monitor().links().find(key.interface_index);
    const bool is_link_usable = link != kernel_.monitor().links().end() && link->second.is_up;
    for (const Pending& at : holders) {
        addresses_[at.address].is_present = false;
        if (!routers_[at.router].is_wanted) continue;
        if (is_link_usable) losses.push_back(remedy_for(at, now));   // otherwise it went with the link
        else mark_dirty(at.router);
    }
    return losses;
}

/// A manager of this host's addresses that deletes ours once is corrected at once. Against one that insists nobody wins; then it is a matter of
/// not burning CPU time.
AddressKeeper::Loss AddressKeeper::remedy_for(const Pending& at, Instant now) {
    const bool no_track = plan_.addresses[at.address].settings->no_track;
    if (!no_track && plan_.routers[at.router].settings->steps_back_when_address_deleted) return {at.router, Loss::Remedy::step_back};
    Deletions& deletions = deletions_[at.address];
    if (now - deletions.last > calm_between_deletions) deletions.count = 0;
    deletions.last = now;
    routers_[at.router].is_announced = false;
    if (++deletions.count <= deletions_put_back_at_once) {
        mark_dirty(at.router);
        return {at.router, Loss::Remedy::put_back};
    }
    Refusal& refusal = refused_[at.address];
    refusal = {at.router, now + first_delay, first_delay};
    next_attempt_ = std::min(next_attempt_, refusal.next_attempt);
    return {at.router, Loss::Remedy::put_back_later};
}

void AddressKeeper::on_interface_gone(std::uint32_t index) {
    for (std::size_t router = 0; router < routers_.size(); ++router) {
        for (std::size_t i = 0; i < address_count(router); ++i) {
            const AddressNumber address = first_address(router) + static_cast<AddressNumber>(i);
            if (!addresses_[address].is_present || addresses_[address].device != index) continue;
            addresses_[address].is_present = false;
            mark_dirty(router);
        }
        if (routers_[router].macvlan == index) routers_[router].macvlan = 0;
    }
    std::ranges::replace(made_devices_, index, std::uint32_t{0});
}

std::optional<std::size_t> AddressKeeper::raise_again(std::uint32_t index) {
    auto found = std::find_if(routers_.begin(), routers_.end(), [&](const Router& one) { return one.macvlan == index && one.is_wanted; });
    if (const auto device = std::ranges::find(made_devices_, index); device != made_devices_.end()) {
        const std::uint32_t owner = plan_.devices[static_cast<std::size_t>(device - made_devices_.begin())].router;
        if (routers_[owner].is_wanted) found = routers_.begin() + owner;
    }
    if (index == 0 || found == routers_.end()) return std::nullopt;
    const auto router = static_cast<std::size_t>(found - routers_.begin());
    const auto up = kernel_.macvlans().bring_up(index);
    if (!up && up.error().error_number == ENODEV) return std::nullopt;   // it is being deleted: the next message says so
    for (std::size_t i = 0; i < address_count(router); ++i) {
        const AddressNumber address = first_address(router) + static_cast<AddressNumber>(i);
        // IPv4 addresses outlive it. The messages of the IPv6 ones are still to come: forgotten now, they are not taken for a deletion by hand.
        const bool is_lost = addresses_[address].is_present && addresses_[address].device == index &&
                             plan_.addresses[address].address.family == Family::ipv6;
        if (!is_lost) continue;
        addresses_[address].is_present = false;
        refused_.erase(address);
    }
    if (!up) spdlog::error("({}) cannot raise its virtual MAC device: {}", name(router), to_string(up.error()));
    mark_dirty(router);
    return router;
}

void AddressKeeper::on_link_usable(engine::LinkIndex link, Instant now) {
    for (auto& [address, refusal] : refused_) {
        if (plan_.addresses[address].link != link) continue;
        refusal.next_attempt = now;
        refusal.delay = Nanoseconds{0};
        mark_dirty(refusal.router);
    }
}

void AddressKeeper::set_macvlan(std::size_t router, std::uint32_t index) {
    routers_[router].macvlan = index;
    try_again_at_once(router);
}

void AddressKeeper::set_device(DeviceIndex device, std::uint32_t index) {
    made_devices_[to_number(device)] = index;
    try_again_at_once(plan_.devices[to_number(device)].router);
}

void AddressKeeper::try_again_at_once(std::size_t router) {
    for (std::size_t i = 0; i < address_count(router); ++i) {
        const auto refusal = refused_.find(first_address(router) + static_cast<AddressNumber>(i));
        if (refusal != refused_.end()) refusal->second.next_attempt = Instant{};
    }
    if (routers_[router].is_wanted) mark_dirty(router);
}

void AddressKeeper::refresh_devices() {
    std::unordered_map<std::string_view, std::uint32_t> numbers;
    for (const auto& [index, link] : kernel_.monitor().links()) numbers.emplace(link.name, index);
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        const auto found = numbers.find(plan_.links[i].name);
        devices_[i] = found == numbers.end() ? 0 : found->second;
    }
}

}  // namespace vigil::daemon
