// Which virtual MACs are ours, on which interface.
//
// The tables are made once; an election changes one set element per router and one per address, all routers of one pass in one transaction. An
// address that several routers of an interface have (or a MAC: it can be configured) goes with the last of them, and follows the first Active one.
//
// What is in the kernel is remembered here, because a transaction with one element too many or too few is refused as a whole. Nobody else can
// change our tables (they have an owner), except by deleting the device. Whatever is refused nevertheless: the table is removed and
// made anew from what is wanted. That costs a moment without the virtual MAC, and cannot go on being wrong.

#include "arp/kernel/virtual_mac_set.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vigil::arp::kernel {

namespace {

KernelError about(const std::string& interface, KernelError error) {
    error.text = error.text.empty() ? interface : interface + ": " + error.text;
    return error;
}

}  // namespace

VirtualMacSet::VirtualMacSet(NetlinkSocket socket) : socket_(std::move(socket)) {}

KernelResult<VirtualMacSet> VirtualMacSet::open(int send_buffer_bytes) {
    SocketOptions options;
    options.protocol = NETLINK_NETFILTER;
    options.send_buffer_bytes = send_buffer_bytes;
    auto socket = NetlinkSocket::open(options);
    if (!socket) return tl::unexpected(socket.error());
    return VirtualMacSet(std::move(*socket));
}

/// Unique in the network namespace, although several daemons may serve one interface: the port belongs to our socket alone.
std::string VirtualMacSet::table_name(const Interface& interface) const {
    return virtual_mac_table_prefix + std::to_string(socket_.port_id()) + "_" + interface.name;
}

KernelResult<void> VirtualMacSet::probe() {
    Interface loopback{.name = "lo", .routers = {}, .held = {}};
    if (auto made = make(loopback); !made) return made;
    return remove(loopback);
}

std::uint32_t VirtualMacSet::find_or_add(const std::string& name) {
    const auto [at, is_new] = by_name_.try_emplace(name, static_cast<std::uint32_t>(interfaces_.size()));
    if (is_new) interfaces_.push_back({.name = name, .routers = {}, .held = {}});
    return at->second;
}

VirtualMacSet::Member VirtualMacSet::add(const VirtualMacMember& member) {
    const auto number = static_cast<std::uint32_t>(routers_.size());
    Router router{.mac = member.mac, .interface = find_or_add(member.interface), .is_owner = member.is_owner};
    Interface& interface = interfaces_[router.interface];
    router.first_address = static_cast<std::uint32_t>(interface.held.size());
    router.address_count = static_cast<std::uint32_t>(member.addresses.size());
    for (const IpAddress& address : member.addresses) interface.held.push_back({.address = address, .router = number});
    interface.routers.push_back(number);
    routers_.push_back(router);
    return number;
}

void VirtualMacSet::find_shared(Interface& interface) {
    std::vector<Held*> sorted;
    for (Held& held : interface.held) sorted.push_back(&held);
    std::ranges::sort(sorted, {}, [](const Held* held) { return held->address; });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        if (sorted[i - 1]->address == sorted[i]->address) sorted[i - 1]->is_shared = sorted[i]->is_shared = true;
    }
}

/// The first Active router's.
std::optional<MacAddress> VirtualMacSet::mac_of_shared(const Interface& interface, const IpAddress& address) const {
    for (const Held& held : interface.held) {
        if (held.address == address && routers_[held.router].is_active) return routers_[held.router].mac;
    }
    return std::nullopt;
}

/// Two instances may have been given one MAC.
bool VirtualMacSet::has_other_holder(const Interface& interface, const Router& router) const {
    return std::ranges::any_of(interface.routers, [&](std::uint32_t number) {
        const Router& other = routers_[number];
        return &other != &router && other.is_active && other.mac == router.mac;
    });
}

void VirtualMacSet::change(const Interface& interface, Router& router, bool is_active, Changes& changes) {
    const auto operation = static_cast<std::size_t>(is_active ? ElementOperation::add : ElementOperation::remove);
    for (const Held& held : std::span(interface.held).subspan(router.first_address, router.address_count)) {
        const std::size_t family = held.address.family == Family::ipv4 ? 0 : 1;
        if (held.is_shared) changes.shared.try_emplace(held.address, mac_of_shared(interface, held.address));
        else changes.addresses[operation][family].push_back({held.address, router.mac});
    }
    router.is_active = is_active;
    if (!has_other_holder(interface, router)) changes.macs[operation].push_back(router.mac);
}

void VirtualMacSet::write_changes(NftablesBatch& batch, const Interface& interface, Changes& changes) {
    for (const auto& [address, before] : changes.shared) {
        const auto after = mac_of_shared(interface, address);
        if (before == after) continue;
        const std::size_t family = address.family == Family::ipv4 ? 0 : 1;
        if (before) changes.addresses[static_cast<std::size_t>(ElementOperation::remove)][family].push_back({address, *before});
        if (after) changes.addresses[static_cast<std::size_t>(ElementOperation::add)][family].push_back({address, *after});
    }
    const std::string table = table_name(interface);
    for (const ElementOperation operation : {ElementOperation::remove, ElementOperation::add}) {
        write_active_macs(batch, table, operation, changes.macs[static_cast<std::size_t>(operation)]);
        for (const auto& some : changes.addresses[static_cast<std::size_t>(operation)]) write_macs_of_addresses(batch, table, operation, some);
    }
}

/// The whole table, as wanted.
void VirtualMacSet::write_interface(NftablesBatch& batch, Interface& interface) {
    find_shared(interface);
    const std::string table = table_name(interface);
    const auto of_ipv4 = std::ranges::count_if(interface.held, [](const Held& held) { return held.address.family == Family::ipv4; });
    const auto ipv4_count = static_cast<std::size_t>(of_ipv4);
    write_table(batch, {.name = table,
                        .device = interface.name,
                        .mac_count = interface.routers.size(),
                        .ipv4_count = ipv4_count,
                        .ipv6_count = interface.held.size() - ipv4_count});
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        std::vector<IpAddress> guarded;
        for (const Held& held : interface.held) {
            if (held.address.family == family && !routers_[held.router].is_owner) guarded.push_back(held.address);
        }
        std::ranges::sort(guarded);
        guarded.erase(std::unique(guarded.begin(), guarded.end()), guarded.end());
        write_guarded_addresses(batch, table, guarded);
    }
    Changes changes;
    for (const std::uint32_t number : interface.routers) routers_[number].is_active = false;
    for (const std::uint32_t number : interface.routers) {
        if (routers_[number].is_wanted) change(interface, routers_[number], true, changes);
    }
    write_changes(batch, interface, changes);
    interface.table = Table::made;
}

/// Tried again with the next commit, unless there is no such device: then somebody will say when it has appeared.
void VirtualMacSet::refuse(Interface& interface, const KernelError& error) {
    const bool is_missing = error.error_number == ENOENT || error.error_number == ENODEV;
    interface.table = is_missing ? Table::none : Table::refused;
    if (!is_missing && !interface.routers.empty()) changed_.push_back(interface.routers.front());
}

KernelResult<void> VirtualMacSet::make(Interface& interface) {
    NftablesBatch batch(socket_, NFPROTO_NETDEV);
    write_interface(batch, interface);
    auto made = batch.commit();
    if (made) return made;
    refuse(interface, made.error());
    return tl::unexpected(about(interface.name, std::move(made.error())));
}

KernelResult<void> VirtualMacSet::remove(Interface& interface) {
    interface.table = Table::none;
    NftablesBatch batch(socket_, NFPROTO_NETDEV);
    write_table_removal(batch, table_name(interface));
    auto removed = batch.commit();
    if (!removed && removed.error().error_number == ENOENT) return {};
    return removed;
}

std::vector<KernelError> VirtualMacSet::build() {
    NftablesBatch batch(socket_, NFPROTO_NETDEV);
    std::vector<Interface*> made;
    for (Interface& interface : interfaces_) {
        if (interface.table == Table::made) continue;
        write_interface(batch, interface);
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
        refuse(interface, removed.error());
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

/// False when there is nothing to tell the kernel.
bool VirtualMacSet::write_changed(NftablesBatch& batch) {
    std::ranges::stable_sort(changed_, {}, [&](std::uint32_t number) { return routers_[number].interface; });
    bool has_some = false;
    for (std::size_t i = 0; i < changed_.size();) {
        const std::uint32_t number = routers_[changed_[i]].interface;
        const Interface& interface = interfaces_[number];
        Changes changes;
        for (; i < changed_.size() && routers_[changed_[i]].interface == number; ++i) {
            Router& router = routers_[changed_[i]];
            if (interface.table != Table::made || router.is_active == router.is_wanted) continue;
            change(interface, router, router.is_wanted, changes);
            has_some = true;
        }
        write_changes(batch, interface, changes);
    }
    return has_some;
}

std::vector<KernelError> VirtualMacSet::commit() {
    NftablesBatch batch(socket_, NFPROTO_NETDEV);
    const bool has_some = write_changed(batch);
    const bool is_done = !has_some || batch.commit();
    const std::vector<std::uint32_t> changed = std::exchange(changed_, {});   // by interface; what is refused comes in again
    std::vector<KernelError> failures;
    std::uint32_t before = static_cast<std::uint32_t>(interfaces_.size());
    for (const std::uint32_t number : changed) {
        if (std::exchange(before, routers_[number].interface) == routers_[number].interface) continue;
        Interface& interface = interfaces_[routers_[number].interface];
        const bool was_refused = interface.table == Table::refused;
        if (!was_refused && (is_done || interface.table == Table::none)) continue;
        auto rebuilt = rebuild(interface.name);
        if (!rebuilt && !was_refused) failures.push_back(std::move(rebuilt.error()));
    }
    return failures;
}

KernelResult<void> VirtualMacSet::clear() {
    NftablesBatch batch(socket_, NFPROTO_NETDEV);
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
