// `use_vmac`: a macvlan per virtual router that carries the virtual MAC, so that the kernel answers ARP and neighbour
// solicitations for the addresses with 00-00-5E-00-01-{VRID} and takes frames sent to it (RFC 9568 §7.3, §8.1.2). The engine
// does not need the device for VRRP itself: it sends complete Ethernet frames with the virtual MAC from the base, and
// listens there.
//
// Up or down while Backup. keepalived keeps its macvlans up and filters what they leak with nftables; FRR keeps them down
// (protodown). Tried on Linux 6.18 over veth, with a capture on the other end:
//  * up with the kernel's defaults: MLD reports, duplicate address detection, a router solicitation, all with the virtual
//    MAC: each teaches the switches that the Backup's port leads to the virtual router;
//  * up with IPv6 off (IPv4) or without a generated link-local (IPv6): silent at creation, but each removed IPv6 address
//    sends an MLD report when the router has just become Backup, each socket that joins a group there sends IGMP, and
//    with IPv6 forwarding the all-routers group is reported;
//  * up at all: the base's unicast filter holds the virtual MAC and the host takes and forwards frames for it, which a
//    Backup must not (RFC 9568 §6.4.2);
//  * down: nothing is sent and nothing is taken, whatever else the host does.
// So the device is down unless the router is Active. The price is a device-up inside the takeover (tens of microseconds, and
// after the first advertisement), and that routes which an operator put on the device by hand vanish when it goes down;
// routes of the configuration are placed again when the router becomes Active.
//
// Settings (each is also the answer to a field report):
//  * base: arp_ignore 1 and arp_filter 1, or the base answers ARP for the macvlan's addresses with its own MAC;
//  * macvlan: arp_ignore 1 for the same reason the other way round; accept_local 1 and rp_filter 0, or packets that arrive
//    on it while routing prefers the base are dropped; promote_secondaries 1, or removing one address removes its subnet's;
//  * IPv6 on the macvlan: off for an IPv4 router without IPv6 addresses; otherwise no generated link-local address, no
//    router solicitation, no autoconfiguration.
// The macvlan's own settings go with it; the base's are given back by SysctlKeeper. NetworkManager and systemd-networkd may
// raise a device that they were told to manage; the alias is what their configuration can match to leave it alone.
//
// Each device is marked by its ifalias. A run that is killed between creation and mark leaves an unmarked device that is
// down, which disturbs nobody; the next run takes another name.

#include "arp/kernel/macvlan.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <cerrno>
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

void prepare_device(const MacvlanSpec& spec, MacvlanDevice& device) {
    change(device.name, {Family::ipv4, "arp_ignore", "1"}, device.warnings);
    if (spec.family == Family::ipv4) {
        for (const Setting& setting : ipv4_router_settings) change(device.name, setting, device.warnings);
    }
    if (spec.family == Family::ipv4 && !spec.has_ipv6_addresses) {
        change(device.name, {Family::ipv6, "disable_ipv6", "1"}, device.warnings);
        return;
    }
    // A host where IPv6 is off by default needs it here.
    change(device.name, {Family::ipv6, "disable_ipv6", "0"}, device.warnings);
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

    MacvlanDevice device{link->index, *name, spec.base, {}};
    if (auto marked = set_alias(device, spec); !marked) {
        delete_link(socket_, device.index);
        return tl::unexpected(marked.error());
    }
    prepare_base(spec, device.warnings);
    prepare_device(spec, device);
    devices_.emplace(device.index, device);
    return device;
}

KernelResult<std::string> MacvlanDevices::choose_name(const MacvlanSpec& spec) {
    const auto is_taken = [this](std::string_view name) { return find_link(socket_, name).has_value(); };
    if (spec.name.size() > longest_name) return refused(ENAMETOOLONG, "interface name '" + spec.name + "'");
    if (!spec.name.empty() && is_taken(spec.name)) return refused(EEXIST, "interface '" + spec.name + "'");
    if (!spec.name.empty()) return spec.name;
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
    message.put_mac(IFLA_ADDRESS, spec.mac.is_zero() ? virtual_mac(spec.family, spec.vrid) : spec.mac);
    message.put_u32(IFLA_GROUP, base.group);
    // The addresses must stay in the routing domain of their base.
    if (base.master != 0) {
        const auto master = find_link(socket_, base.master);
        if (master && master->kind == "vrf") message.put_u32(IFLA_MASTER, base.master);
    }
    message.begin_nested(IFLA_LINKINFO);
    message.put_text(IFLA_INFO_KIND, "macvlan");
    message.begin_nested(IFLA_INFO_DATA);
    message.put_u32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
    message.end_nested();
    message.end_nested();
    auto added = socket_.request(message);
    if (!added) added.error().text = "create macvlan '" + name + "' on '" + spec.base + "': " + added.error().text;
    return added;
}

KernelResult<void> MacvlanDevices::set_alias(const MacvlanDevice& device, const MacvlanSpec& spec) {
    const std::string alias = std::string(macvlan_alias_prefix) + std::to_string(to_number(spec.vrid)) +
                              (spec.family == Family::ipv4 ? " ipv4 on " : " ipv6 on ") + spec.base;
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_SETLINK, 0, socket_.next_sequence());
    message.put_header<ifinfomsg>()->ifi_index = static_cast<int>(device.index);
    message.put(IFLA_IFALIAS, {reinterpret_cast<const std::uint8_t*>(alias.data()), alias.size()});
    return socket_.request(message);
}

void MacvlanDevices::prepare_base(const MacvlanSpec& spec, std::vector<KernelError>& warnings) {
    if (spec.family != Family::ipv4) return;
    for (const std::string_view name : {"arp_ignore", "arp_filter"}) {
        const auto set = keeper_.set(interface_setting(Family::ipv4, spec.base, name), "1");
        if (!set) warnings.push_back(set.error());
    }
    // Once only: a second time would raise our own devices along with the rest.
    if (std::exchange(is_filter_pushed_down_, true)) return;
    if (auto pushed = push_down_reverse_path_filter(keeper_); !pushed) warnings.push_back(pushed.error());
}

KernelResult<void> MacvlanDevices::bring_up(std::uint32_t index) { return set_link_up(socket_, index, true); }

KernelResult<void> MacvlanDevices::bring_down(std::uint32_t index) { return set_link_up(socket_, index, false); }

KernelResult<void> MacvlanDevices::remove(std::uint32_t index) {
    auto deleted = delete_link(socket_, index);
    if (deleted) devices_.erase(index);
    return deleted;
}

std::vector<KernelError> MacvlanDevices::remove_all_of_ours() {
    std::vector<KernelError> failures;
    std::vector<std::uint32_t> indices;
    for (const auto& [index, device] : devices_) indices.push_back(index);
    for (const std::uint32_t index : indices) {
        if (auto removed = remove(index); !removed) failures.push_back(removed.error());
    }
    return failures;
}

}  // namespace vigil::arp::kernel
