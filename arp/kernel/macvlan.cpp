// `use_vmac`: a macvlan per virtual router that carries the virtual MAC, so that the kernel answers ARP and neighbour
// solicitations for the addresses with 00-00-5E-00-01-{VRID} and takes frames sent to it (RFC 9568 §7.3, §8.1.2). The engine
// does not need the device for VRRP itself: it sends complete Ethernet frames with the virtual MAC from the base, and
// listens there.
//
// Up or down while Backup. keepalived keeps its macvlans up and filters what they leak with nftables; FRR takes their carrier
// away (protodown). Tried on Linux 6.18 over veth, with a capture on the other end:
//  * up with the kernel's defaults: MLD reports, duplicate address detection, a router solicitation, all with the virtual
//    MAC: each teaches the switches that the Backup's port leads to the virtual router;
//  * up with IPv6 off (IPv4) or without a generated link-local (IPv6): silent at creation, but each removed IPv6 address
//    sends an MLD report when the router has just become Backup, each socket that joins a group there sends IGMP, and
//    with IPv6 forwarding the all-routers group is reported;
//  * up at all: the base's unicast filter holds the virtual MAC and the host takes and forwards frames for it, which a
//    Backup must not (RFC 9568 §6.4.2);
//  * down: nothing is sent and nothing is taken, whatever else the host does.
// So the device is down unless the router is Active. The price is a device-up inside the takeover (10 microseconds, after
// the first advertisement), and that routes which an operator put on the device by hand vanish when it goes down; routes of
// the configuration are placed again when the router becomes Active.
//
// Going down is dear: the kernel takes the MAC out of the macvlan's table and waits for an RCU grace period, 8 to 16 ms for
// each device, so 255 routers that lose at once would hold their addresses for seconds. Therefore leaving Active has two
// steps: silence() and the removal of the addresses (neither waits, neither sends a frame), then bring_down() at leisure.
// silence() writes disable_ipv6: the kernel drops the addresses and stops the MLD timers in one go, where deleting the
// addresses one by one would report each group that is left, with the virtual MAC.
//
// Deleting devices waits as well, but once for all that go in one request; the kernel offers that for device groups only, so
// a group is made of them. A device that is deleted while up sends nothing: the kernel closes it before it takes the
// addresses off.
//
// Settings (each is also the answer to a field report):
//  * base: arp_ignore 1 and arp_filter 1, or the base answers ARP for the macvlan's addresses with its own MAC;
//  * macvlan: drop_gratuitous_arp 1, or the kernel of the old Active, which holds the address for some 100 us longer, answers the new
//    Active's gratuitous requests with the virtual MAC, and the switch learns the wrong port from that;
//  * macvlan: arp_ignore 1 for the same reason the other way round; accept_local 1 and rp_filter 0, or packets that arrive
//    on it while routing prefers the base are dropped; promote_secondaries 1, or removing one address removes its subnet's;
//  * IPv6 on the macvlan: off for an IPv4 router without IPv6 addresses; otherwise no generated link-local address, no
//    router solicitation, no autoconfiguration.
// The macvlan's own settings go with it; the base's are given back by SysctlKeeper. NetworkManager and systemd-networkd may
// raise a device that they were told to manage; the alias is what their configuration can match to leave it alone.
//
// `use_ipvlan` makes an ipvlan in layer 2 mode instead, for LANs that allow one MAC for each port: it has the MAC of its base, so nothing that it
// sends teaches a switch anything. Its life is the same, but for one with an address of its own, which it must answer for while Backup: that is
// always up. The base keeps its ARP settings.
//
// Each device is marked by its ifalias. A run that is killed between creation and mark leaves an unmarked device that is
// down, which disturbs nobody; the next run takes another name.

#include "arp/kernel/macvlan.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

namespace vigil::arp::kernel {

namespace {

constexpr std::size_t longest_name = IFNAMSIZ - 1;

struct Setting {
    Family family;
    std::string_view name;
    std::string_view value;
};

constexpr std::array ipv4_router_settings{
    Setting{Family::ipv4, "accept_local", "1"},
    Setting{Family::ipv4, "drop_gratuitous_arp", "1"},
    Setting{Family::ipv4, "rp_filter", "0"},
    Setting{Family::ipv4, "promote_secondaries", "1"},
};
constexpr std::array quiet_ipv6_settings{
    Setting{Family::ipv6, "addr_gen_mode", "1"},  // IN6_ADDR_GEN_MODE_NONE
    Setting{Family::ipv6, "accept_ra", "0"},
    Setting{Family::ipv6, "autoconf", "0"},
    Setting{Family::ipv6, "router_solicitations", "0"},
};

void change(const std::string& interface_name, const Setting& setting, std::vector<KernelError>& warnings) {
    const auto written = write_sysctl(interface_setting(setting.family, interface_name, setting.name), setting.value);
    // A kernel without IPv6 has no settings for it, and needs none.
    if (written || (setting.family == Family::ipv6 && written.error().error_number == ENOENT)) return;
    warnings.push_back(written.error());
}

std::uint16_t ipvlan_flags(IpvlanMode mode) {
    switch (mode) {
    case IpvlanMode::bridge: return 0;
    case IpvlanMode::isolated: return IPVLAN_F_PRIVATE;
    case IpvlanMode::vepa: return IPVLAN_F_VEPA;
    }
    return 0;
}

void put_u16(MessageWriter& message, std::uint16_t type, std::uint16_t value) {
    std::array<std::uint8_t, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    message.put(type, bytes);
}

void put_kind(MessageWriter& message, const MacvlanSpec& spec) {
    message.begin_nested(IFLA_LINKINFO);
    message.put_text(IFLA_INFO_KIND, spec.ipvlan ? "ipvlan" : "macvlan");
    message.begin_nested(IFLA_INFO_DATA);
    if (spec.ipvlan) {
        put_u16(message, IFLA_IPVLAN_MODE, IPVLAN_MODE_L2);
        put_u16(message, IFLA_IPVLAN_FLAGS, ipvlan_flags(spec.ipvlan->mode));
    } else {
        message.put_u32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
    }
    message.end_nested();
    message.end_nested();
}

void prepare_device(const MacvlanSpec& spec, MacvlanDevice& device) {
    change(device.name, {Family::ipv4, "arp_ignore", "1"}, device.warnings);
    if (spec.family == Family::ipv4) {
        for (const Setting& setting : ipv4_router_settings) change(device.name, setting, device.warnings);
    }
    // Switched on by bring_up() for a device that has IPv6.
    change(device.name, {Family::ipv6, "disable_ipv6", "1"}, device.warnings);
    if (!device.has_ipv6) return;
    for (const Setting& setting : quiet_ipv6_settings) change(device.name, setting, device.warnings);
}

}  // namespace

KernelResult<void> set_link_up(NetlinkSocket& socket, std::uint32_t index, bool is_up) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_SETLINK, 0, socket.next_sequence());
    auto* const header = message.put_header<ifinfomsg>();
    header->ifi_index = static_cast<int>(index);
    header->ifi_change = IFF_UP;
    header->ifi_flags = is_up ? static_cast<unsigned>(IFF_UP) : 0U;
    return socket.request(message);
}

KernelResult<void> delete_link(NetlinkSocket& socket, std::uint32_t index) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_DELLINK, 0, socket.next_sequence());
    message.put_header<ifinfomsg>()->ifi_index = static_cast<int>(index);
    auto deleted = socket.request(message);
    if (!deleted && deleted.error().error_number == ENODEV) return {};
    return deleted;
}

namespace {

/// A device group that no link is in. Random, because groups have no owner; far above those that people number.
KernelResult<std::uint32_t> find_free_group(NetlinkSocket& socket) {
    const auto links = dump_links(socket);
    if (!links) return tl::unexpected(links.error());
    std::random_device random;
    for (;;) {
        const std::uint32_t group = static_cast<std::uint32_t>(random()) | 0x8000'0000;
        if (std::ranges::find(*links, group, &LinkState::group) == links->end()) return group;
    }
}

KernelResult<void> move_to_group(NetlinkSocket& socket, std::uint32_t index, std::uint32_t group) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_SETLINK, 0, socket.next_sequence());
    message.put_header<ifinfomsg>()->ifi_index = static_cast<int>(index);
    message.put_u32(IFLA_GROUP, group);
    return socket.request(message);
}

KernelResult<void> delete_group(NetlinkSocket& socket, std::uint32_t group) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_DELLINK, 0, socket.next_sequence());
    message.put_header<ifinfomsg>();
    message.put_u32(IFLA_GROUP, group);
    return socket.request(message);
}

}  // namespace

std::vector<KernelError> delete_links(NetlinkSocket& socket, std::span<const std::uint32_t> indices) {
    if (indices.empty()) return {};
    bool is_gathered = false;
    if (const auto group = find_free_group(socket); group && indices.size() > 1) {
        for (const std::uint32_t index : indices) is_gathered = move_to_group(socket, index, *group).has_value() || is_gathered;
        if (is_gathered) delete_group(socket, *group);
    }
    // What was not gathered, or a group that was refused: one by one; those that are gone answer at once.
    std::vector<KernelError> failures;
    for (const std::uint32_t index : indices) {
        if (auto deleted = delete_link(socket, index); !deleted) failures.push_back(deleted.error());
    }
    return failures;
}

std::string device_alias(const MacvlanSpec& spec) {
    return std::string(macvlan_alias_prefix) + std::to_string(to_number(spec.vrid)) + (spec.family == Family::ipv4 ? " ipv4 on " : " ipv6 on ") + spec.base;
}

std::string choose_macvlan_name(const MacvlanSpec& spec, const IsNameTaken& is_taken) {
    const std::string vrid = "." + std::to_string(to_number(spec.vrid));
    const auto name_with = [&](const std::string& number) {
        const std::string end = number + vrid;
        return spec.name_prefix.substr(0, longest_name - end.size()) + end;
    };
    if (const std::string name = name_with(""); !is_taken(name)) return name;
    if (const std::string name = name_with("6"); spec.family == Family::ipv6 && !is_taken(name)) return name;
    constexpr int most_alternatives = 1000;
    for (int number = 1; number <= most_alternatives; ++number) {
        if (std::string name = name_with(std::to_string(number)); !is_taken(name)) return name;
    }
    return {};
}

KernelResult<MacvlanDevice> MacvlanDevices::create(const MacvlanSpec& spec) {
    const auto base = find_link(socket_, spec.base);
    if (!base) return tl::unexpected(base.error());
    auto name = choose_name(spec);
    if (!name) return tl::unexpected(name.error());
    if (auto added = add_link(spec, *base, *name); !added) return tl::unexpected(added.error());
    const auto link = find_link(socket_, *name);
    if (!link) return tl::unexpected(link.error());

    const bool has_ipv6 = spec.family == Family::ipv6 || spec.has_ipv6_addresses;
    MacvlanDevice device{link->index, *name, spec.base, has_ipv6, spec.ipvlan && spec.ipvlan->own, {}};
    if (auto marked = set_alias(device, spec); !marked) {
        delete_link(socket_, device.index);
        return tl::unexpected(marked.error());
    }
    if (!spec.name.empty() && *name != spec.name) device.warnings.push_back(refused(EEXIST, "name '" + spec.name + "'").value());
    prepare_base(spec, device.warnings);
    prepare_device(spec, device);
    devices_.emplace(device.index, device);
    return device;
}

KernelResult<std::string> MacvlanDevices::choose_name(const MacvlanSpec& spec) {
    if (spec.name.size() > longest_name) return refused(ENAMETOOLONG, "interface name '" + spec.name + "'");
    // A name that another device of ours has will be free when a reload is through; that of somebody else's device may never be.
    const auto is_ours = [&](const auto& device) { return device.second.name == spec.name; };
    const auto is_taken = [this](std::string_view name) { return find_link(socket_, name).has_value(); };
    if (!spec.name.empty() && (!is_taken(spec.name) || std::ranges::any_of(devices_, is_ours))) return spec.name;
    std::string name = choose_macvlan_name(spec, is_taken);
    if (name.empty()) return refused(EEXIST, "every name for VRID " + std::to_string(to_number(spec.vrid)) + " is taken");
    return name;
}

KernelResult<void> MacvlanDevices::add_link(const MacvlanSpec& spec, const LinkState& base, const std::string& name) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, socket_.next_sequence());
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, name);
    message.put_u32(IFLA_LINK, base.index);
    if (!spec.ipvlan) message.put_mac(IFLA_ADDRESS, spec.mac.is_zero() ? virtual_mac(spec.family, spec.vrid) : spec.mac);
    message.put_u32(IFLA_GROUP, spec.group == 0 ? base.group : spec.group);
    // The addresses must stay in the routing domain of their base.
    if (base.master != 0) {
        const auto master = find_link(socket_, base.master);
        if (master && master->kind == "vrf") message.put_u32(IFLA_MASTER, base.master);
    }
    put_kind(message, spec);
    auto added = socket_.request(message);
    if (!added) added.error().text = std::string("create ") + (spec.ipvlan ? "ipvlan '" : "macvlan '") + name + "' on '" + spec.base + "': " + added.error().text;
    return added;
}

KernelResult<void> MacvlanDevices::set_alias(const MacvlanDevice& device, const MacvlanSpec& spec) {
    const std::string alias = device_alias(spec);
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_SETLINK, 0, socket_.next_sequence());
    message.put_header<ifinfomsg>()->ifi_index = static_cast<int>(device.index);
    message.put(IFLA_IFALIAS, {reinterpret_cast<const std::uint8_t*>(alias.data()), alias.size()});
    return socket_.request(message);
}

void MacvlanDevices::prepare_base(const MacvlanSpec& spec, std::vector<KernelError>& warnings) {
    if (spec.family != Family::ipv4) return;
    // An ipvlan has the MAC of its base: it does not matter which of them answers.
    for (const std::string_view name : {"arp_ignore", "arp_filter"}) {
        if (spec.ipvlan) break;
        const auto set = keeper_.set(interface_setting(Family::ipv4, spec.base, name), "1");
        if (!set) warnings.push_back(set.error());
    }
    // Once only: a second time would raise our own devices along with the rest.
    if (std::exchange(is_filter_pushed_down_, true)) return;
    if (auto pushed = push_down_reverse_path_filter(keeper_); !pushed) warnings.push_back(pushed.error());
}

KernelResult<void> MacvlanDevices::bring_up(std::uint32_t index) {
    const auto device = devices_.find(index);
    if (device == devices_.end()) return refused(ENODEV, "no macvlan of ours");
    // First, while the device is down: what switching on sends, it sends when the device is up and has an address.
    if (device->second.has_ipv6) {
        const auto enabled = write_sysctl(interface_setting(Family::ipv6, device->second.name, "disable_ipv6"), "0");
        // A read-only /proc/sys let nobody switch it off either.
        if (!enabled && enabled.error().error_number != EROFS) return enabled;
    }
    return set_link_up(socket_, index, true);
}

KernelResult<void> MacvlanDevices::silence(std::uint32_t index) {
    const auto device = devices_.find(index);
    if (device == devices_.end()) return refused(ENODEV, "no macvlan of ours");
    if (!device->second.has_ipv6 || device->second.stays_up) return {};
    return write_sysctl(interface_setting(Family::ipv6, device->second.name, "disable_ipv6"), "1");
}

KernelResult<void> MacvlanDevices::bring_down(std::uint32_t index) {
    const auto device = devices_.find(index);
    if (device != devices_.end() && device->second.stays_up) return {};
    return set_link_up(socket_, index, false);
}

std::vector<KernelError> MacvlanDevices::follow_to_vrf(std::string_view base, std::uint32_t vrf) {
    std::vector<KernelError> failures;
    for (const auto& [index, device] : devices_) {
        if (device.base != base) continue;
        RequestRoom room{};
        MessageWriter message(room.bytes, RTM_SETLINK, 0, socket_.next_sequence());
        message.put_header<ifinfomsg>()->ifi_index = static_cast<int>(index);
        message.put_u32(IFLA_MASTER, vrf);
        if (auto moved = socket_.request(message); !moved) failures.push_back(moved.error());
    }
    return failures;
}

KernelResult<void> MacvlanDevices::remove(std::uint32_t index) {
    auto deleted = delete_link(socket_, index);
    if (deleted) devices_.erase(index);
    return deleted;
}

std::vector<KernelError> MacvlanDevices::remove_all_of_ours() {
    std::vector<std::uint32_t> indices;
    for (const auto& [index, device] : devices_) indices.push_back(index);
    std::vector<KernelError> failures = delete_links(socket_, indices);
    if (failures.empty()) devices_.clear();
    return failures;
}

}  // namespace vigil::arp::kernel
