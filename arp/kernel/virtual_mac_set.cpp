// Which virtual MACs are ours, on which interface.
//
// The tables are made once and hold every virtual address; an election changes one set element per router, all routers of one pass in one
// transaction. Two kinds of address need more, and are looked after one by one: an owner's (it has the virtual MAC only while the owner is
// Active, because the interface has the address by right) and an address that several routers of the interface have (it follows the Active one).
//
// What is in the kernel is remembered here, because a transaction with one element too many or too few is refused as a whole. Nobody else can
// change our tables (they have an owner), except by deleting the device. Whatever is refused nevertheless: the table is removed and
// made anew from what is wanted. That costs a moment without the virtual MAC, and cannot go on being wrong.

#include "arp/kernel/virtual_mac_set.h"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vigil::arp::kernel {

namespace {

constexpr int generous_buffer_bytes = 16 << 20;

KernelError about(const std::string& interface, KernelError error) {
    error.text = error.text.empty() ? interface : interface + ": " + error.text;
    return error;
}

}  // namespace

VirtualMacSet::VirtualMacSet(NetlinkSocket socket) : socket_(std::move(socket)) {}

KernelResult<VirtualMacSet> VirtualMacSet::open() {
    SocketOptions options;
    options.protocol = NETLINK_NETFILTER;
    options.send_buffer_bytes = generous_buffer_bytes;
    auto socket = NetlinkSocket::open(options);
    if (!socket) return tl::unexpected(socket.error());
    return VirtualMacSet(std::move(*socket));
}

/// Unique in the network namespace, although several daemons may serve one interface: the port belongs to our socket alone.
std::string VirtualMacSet::table_name(const Interface& interface) const {
    return virtual_mac_table_prefix + std::to_string(socket_.port_id()) + "_" + interface.name;
}

KernelResult<void> VirtualMacSet::probe() {
    Interface loopback{.name = "lo", .members = {}, .held = {}, .moving = {}};
    if (auto made = make(loopback); !made) return made;
    return remove(loopback);
}

std::uint32_t VirtualMacSet::find_or_add(const std::string& name) {
    const auto [at, is_new] = by_name_.try_emplace(name, static_cast<std::uint32_t>(interfaces_.size()));
    if (is_new) interfaces_.push_back({.name = name, .members = {}, .held = {}, .moving = {}});
    return at->second;
}

VirtualMacSet::Member VirtualMacSet::add(const VirtualMacMember& member) {
    const auto number = static_cast<std::uint32_t>(routers_.size());
    Router router{.mac = member.mac, .interface = find_or_add(member.interface), .is_owner = member.is_owner};
    Interface& interface = interfaces_[router.interface];
    router.first_address = static_cast<std::uint32_t>(interface.held.size());
    router.address_count = static_cast<std::uint32_t>(member.addresses.size());
    for (const IpAddress& address : member.addresses) interface.held.push_back({address, number});
    interface.members.push_back(number);
    routers_.push_back(router);
    return number;
}

/// Sorts out the addresses that do not simply belong to one router.
void VirtualMacSet::find_moving(Interface& interface) {
    std::vector<Held> sorted = interface.held;
    std::ranges::sort(sorted, {}, &Held::address);
    interface.moving.clear();
    for (std::size_t i = 0; i < sorted.size();) {
        std::size_t end = i + 1;
        while (end < sorted.size() && sorted[end].address == sorted[i].address) ++end;
        if (end - i > 1 || routers_[sorted[i].member].is_owner) {
            Moving moving;
            for (; i < end; ++i) {
                moving.holders.push_back(sorted[i].member);
                routers_[sorted[i].member].has_moving_addresses = true;
            }
            interface.moving.emplace(sorted[end - 1].address, std::move(moving));
        }
        i = end;
    }
}

/// The Active holder's; the first one's when nobody is Active, so that nothing answers; none when the interface has the address by right.
std::optional<MacAddress> VirtualMacSet::mac_for(const Moving& moving) const {
    for (const std::uint32_t holder : moving.holders) {
        if (routers_[holder].is_active) return routers_[holder].mac;
    }
    const bool has_owner = std::ranges::any_of(moving.holders, [&](std::uint32_t holder) { return routers_[holder].is_owner; });
    return has_owner ? std::nullopt : std::optional(routers_[moving.holders.front()].mac);
}

void VirtualMacSet::write_maps(NftablesBatch& batch, Interface& interface) {
    std::vector<MacOfAddress> of_family[2];
    for (const Held& held : interface.held) {
        if (interface.moving.contains(held.address)) continue;
        of_family[held.address.family == Family::ipv4 ? 0 : 1].push_back({held.address, routers_[held.member].mac});
    }
    for (auto& [address, moving] : interface.moving) {
        moving.present = mac_for(moving);
        if (moving.present) of_family[address.family == Family::ipv4 ? 0 : 1].push_back({address, *moving.present});
    }
    for (const auto& some : of_family) write_macs_of_addresses(batch, table_name(interface), ElementOperation::add, some);
}

/// The whole table, as wanted.
void VirtualMacSet::write(NftablesBatch& batch, Interface& interface) {
    find_moving(interface);
    std::vector<MacAddress> active;
    for (const std::uint32_t member : interface.members) {
        Router& router = routers_[member];
        router.is_active = router.is_wanted;
        if (router.is_active) active.push_back(router.mac);
    }
    std::ranges::sort(active);
    active.erase(std::unique(active.begin(), active.end()), active.end());
    const auto of_ipv4 = std::ranges::count_if(interface.held, [](const Held& held) { return held.address.family == Family::ipv4; });
    const auto ipv4_count = static_cast<std::size_t>(of_ipv4);
    write_table(batch, {.name = table_name(interface),
                        .device = interface.name,
                        .mac_count = interface.members.size(),
                        .ipv4_count = ipv4_count,
                        .ipv6_count = interface.held.size() - ipv4_count});
    write_maps(batch, interface);
    write_active_macs(batch, table_name(interface), ElementOperation::add, active);
    interface.table = Table::made;
}

KernelResult<void> VirtualMacSet::make(Interface& interface) {
    NftablesBatch batch(socket_);
    write(batch, interface);
    auto made = batch.commit();
    if (made) return made;
    interface.table = Table::refused;
    return tl::unexpected(about(interface.name, std::move(made.error())));
}

KernelResult<void> VirtualMacSet::remove(Interface& interface) {
    interface.table = Table::none;
    NftablesBatch batch(socket_);
    write_table_removal(batch, table_name(interface));
    auto removed = batch.commit();
    if (!removed && removed.error().error_number == ENOENT) return {};
    return removed;
}

std::vector<KernelError> VirtualMacSet::build() {
    NftablesBatch batch(socket_);
    std::vector<Interface*> made;
    for (Interface& interface : interfaces_) {
        if (interface.table == Table::made) continue;
        write(batch, interface);
        made.push_back(&interface);
    }
    if (batch.commit()) return {};
    // One of them is at fault (its device may be gone by now): each for itself.
    std::vector<KernelError> failures;
    for (Interface* const interface : made) {
        if (auto rebuilt = rebuild(interface->name); !rebuilt) failures.push_back(std::move(rebuilt.error()));
    }
    return failures;
}

KernelResult<void> VirtualMacSet::rebuild(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return {};
    Interface& interface = interfaces_[found->second];
    if (auto removed = remove(interface); !removed) {
        interface.table = Table::refused;
        return tl::unexpected(about(interface.name, std::move(removed.error())));
    }
    return make(interface);
}

void VirtualMacSet::forget_device(std::string_view name) {
    if (const auto found = by_name_.find(name); found != by_name_.end()) (void)remove(interfaces_[found->second]);
}

void VirtualMacSet::want(Member member, bool is_active) {
    Router& router = routers_[member];
    if (router.is_wanted == is_active) return;
    router.is_wanted = is_active;
    changed_.push_back(static_cast<std::uint32_t>(member));
}

/// Two instances may have been given one MAC.
bool VirtualMacSet::has_other_holder(const Interface& interface, const Router& router) const {
    return std::ranges::any_of(interface.members, [&](std::uint32_t member) {
        const Router& other = routers_[member];
        return &other != &router && other.is_active && other.mac == router.mac;
    });
}

void VirtualMacSet::write_moves(NftablesBatch& batch, Interface& interface, const Router& router) {
    for (const Held& held : std::span(interface.held).subspan(router.first_address, router.address_count)) {
        const auto found = interface.moving.find(held.address);
        if (found == interface.moving.end()) continue;
        const auto mac = mac_for(found->second);
        const auto before = std::exchange(found->second.present, mac);
        if (before == mac) continue;
        const auto write_one = [&](ElementOperation operation, const MacAddress& one) {
            write_macs_of_addresses(batch, table_name(interface), operation, std::array{MacOfAddress{held.address, one}});
        };
        if (before) write_one(ElementOperation::remove, *before);
        if (mac) write_one(ElementOperation::add, *mac);
    }
}

/// False when there is nothing to tell the kernel.
bool VirtualMacSet::write_changes(NftablesBatch& batch) {
    std::ranges::stable_sort(changed_, {}, [&](std::uint32_t member) { return routers_[member].interface; });
    bool has_some = false;
    std::vector<MacAddress> gone;
    std::vector<MacAddress> come;
    for (std::size_t i = 0; i < changed_.size();) {
        const std::uint32_t number = routers_[changed_[i]].interface;
        Interface& interface = interfaces_[number];
        gone.clear();
        come.clear();
        for (; i < changed_.size() && routers_[changed_[i]].interface == number; ++i) {
            Router& router = routers_[changed_[i]];
            if (interface.table != Table::made || router.is_active == router.is_wanted) continue;
            router.is_active = router.is_wanted;
            if (!has_other_holder(interface, router)) (router.is_active ? come : gone).push_back(router.mac);
            if (router.has_moving_addresses) write_moves(batch, interface, router);
            has_some = true;
        }
        write_active_macs(batch, table_name(interface), ElementOperation::remove, gone);
        write_active_macs(batch, table_name(interface), ElementOperation::add, come);
    }
    return has_some;
}

std::vector<KernelError> VirtualMacSet::commit() {
    NftablesBatch batch(socket_);
    const bool has_some = write_changes(batch);
    const bool is_done = !has_some || batch.commit();
    std::vector<KernelError> failures;
    std::vector<std::uint32_t> unfinished;
    for (std::size_t i = 0; i < changed_.size(); ++i) {
        Interface& interface = interfaces_[routers_[changed_[i]].interface];
        const bool is_first_of_interface = i == 0 || routers_[changed_[i - 1]].interface != routers_[changed_[i]].interface;
        const bool was_refused = interface.table == Table::refused;
        if (is_first_of_interface && (was_refused || (!is_done && interface.table == Table::made))) {
            auto rebuilt = rebuild(interface.name);
            if (!rebuilt && !was_refused) failures.push_back(std::move(rebuilt.error()));
        }
        if (interface.table == Table::refused) unfinished.push_back(changed_[i]);
    }
    changed_ = std::move(unfinished);
    return failures;
}

KernelResult<void> VirtualMacSet::clear() {
    NftablesBatch batch(socket_);
    for (const Interface& interface : interfaces_) {
        if (interface.table == Table::made) write_table_removal(batch, table_name(interface));
    }
    routers_.clear();
    interfaces_.clear();
    by_name_.clear();
    changed_.clear();
    return batch.commit();
}

}  // namespace vigil::arp::kernel
