#include "engine/daemon/kernel_side.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <unordered_set>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

namespace kernel = arp::kernel;

/// Where changed settings of base interfaces are remembered across a kill: gone after a reboot, as the settings are. One file per network
/// namespace, because namespaces have settings of their own but may share /run, and per daemon in it.
std::filesystem::path settings_journal(const NamespaceClaim& claim) {
    constexpr const char* directory = "/run/vigil";
    ::mkdir(directory, 0755);  // what is wrong with it shows when the file is opened
    struct stat network_namespace{};
    ::stat("/proc/self/ns/net", &network_namespace);
    return std::filesystem::path(directory) / fmt::format("settings-{}-{}", network_namespace.st_ino, claim.place());
}

void log_failures(std::string_view what, const std::vector<kernel::KernelError>& failures) {
    for (const kernel::KernelError& error : failures) spdlog::warn("{}: {}", what, to_string(error));
}

kernel::SysctlPath promotion_setting(const std::string& interface) {
    return kernel::interface_setting(Family::ipv4, interface, "promote_secondaries");
}

void log_promotion(const std::string& interface, const kernel::KernelResult<void>& done) {
    if (done || done.error().error_number == ENOENT) return;   // no such interface now
    spdlog::warn("promote_secondaries cannot be changed on {}: {}", interface, to_string(done.error()));
}

/// The addresses that these routers would set on interfaces that exist. Not an owner's: its interface has them by right.
std::vector<kernel::AddressKey> configured_addresses(const Plan& plan, const std::vector<std::size_t>& routers, const kernel::Monitor& monitor) {
    std::vector<std::uint32_t> numbers;
    for (const PlannedLink& planned : plan.links) {
        const auto* link = monitor.find_link(planned.name);
        numbers.push_back(link == nullptr ? 0 : link->index);
    }
    std::vector<kernel::AddressKey> configured;
    for (const std::size_t i : routers) {
        if (plan.routers[i].is_owner()) continue;
        for (const PlannedAddress& address : plan.addresses_of(plan.routers[i])) {
            if (address.link == engine::LinkIndex::none) continue;
            const std::uint32_t number = numbers[engine::to_number(address.link)];
            if (number == 0) continue;
            kernel::AddressKey key = address.spec().key;
            key.interface_index = number;
            configured.push_back(key);
        }
    }
    return configured;
}

}  // namespace

tl::expected<std::unique_ptr<KernelSide>, std::string> KernelSide::open(const config::ProcessDefinitions& process) {
    kernel::SocketOptions following = kernel::Monitor::default_options();
    if (process.netlink_monitor_buffer != 0) following.receive_buffer_bytes = static_cast<int>(process.netlink_monitor_buffer);
    kernel::ProgrammerOptions programming;
    if (process.netlink_command_buffer != 0) programming.socket.receive_buffer_bytes = static_cast<int>(process.netlink_command_buffer);
    auto monitor = kernel::Monitor::open(following);
    if (!monitor) return tl::unexpected("Cannot follow links and addresses: " + to_string(monitor.error()));
    auto socket = kernel::NetlinkSocket::open();
    if (!socket) return tl::unexpected("Cannot open a netlink socket: " + to_string(socket.error()));
    auto programmer = kernel::AddressProgrammer::open(programming);
    if (!programmer) return tl::unexpected("Cannot open a netlink socket: " + to_string(programmer.error()));
    std::unique_ptr<KernelSide> side(new KernelSide(std::move(*monitor), std::move(*socket), std::move(*programmer)));
    log_failures("Cannot restore a setting that an earlier run changed", side->keeper_.restore_leftovers());
    return side;
}

KernelSide::KernelSide(kernel::Monitor monitor, kernel::NetlinkSocket socket, kernel::AddressProgrammer programmer)
    : monitor_(std::move(monitor)), socket_(std::move(socket)), programmer_(std::move(programmer)), keeper_(settings_journal(claim_)),
      macvlans_(socket_, keeper_), objects_(monitor_, socket_) {}

void KernelSide::apply(const config::ProcessDefinitions& process) {
    if (!process.disable_local_igmp) return;
    if (auto set = keeper_.set("net/ipv4/igmp_link_local_mcast_reports", "0"); !set) spdlog::warn("disable_local_igmp: {}", to_string(set.error()));
}

KernelFacts KernelSide::facts() {
    KernelFacts facts;
    for (const auto& [index, link] : monitor_.links()) facts.links.push_back(link);
    facts.addresses = dump_addresses();
    facts.find_route = [this](const IpAddress& destination, std::string_view vrf) -> std::optional<kernel::RouteAnswer> {
        const kernel::LinkState* const device = vrf.empty() ? nullptr : monitor_.find_link(vrf);
        if (!vrf.empty() && (device == nullptr || device->kind != "vrf")) return std::nullopt;
        auto answer = kernel::find_route(socket_, destination, device == nullptr ? 0 : device->index);
        if (!answer) return std::nullopt;
        return *answer;
    };
    facts.forwards_ipv6 = [](const std::string& interface) {
        return kernel::read_sysctl(kernel::interface_setting(Family::ipv6, interface, "forwarding")).value_or("0") == "1";
    };
    facts.why_no_virtual_mac_rules = [this] { return why_no_virtual_mac_rules(); };
    facts.wall_clock_seconds = static_cast<std::uint32_t>(std::time(nullptr));
    return facts;
}

const std::string& KernelSide::why_no_virtual_mac_rules() {
    if (why_no_virtual_mac_rules_) return *why_no_virtual_mac_rules_;
    auto set = kernel::VirtualMacSet::open();
    const auto probed = set ? set->probe() : kernel::KernelResult<void>(tl::unexpected(set.error()));
    if (probed) {
        virtual_macs_.emplace(std::move(*set));
        return why_no_virtual_mac_rules_.emplace();
    }
    const bool lacks_rights = probed.error().error_number == EPERM;
    return why_no_virtual_mac_rules_.emplace(fmt::format(
        "{} ({})", lacks_rights ? "it needs CAP_NET_ADMIN" : "it needs nftables with the egress hook, which is in Linux 5.16 with CONFIG_NETFILTER_EGRESS",
        to_string(probed.error())));
}

kernel::KernelResult<kernel::AcceptFilter*> KernelSide::accept_filter() {
    if (!accept_filter_) {
        auto opened = kernel::AcceptFilter::open();
        if (!opened) return tl::unexpected(opened.error());
        accept_filter_.emplace(std::move(*opened));
    }
    return &*accept_filter_;
}

std::vector<kernel::AddressState> KernelSide::dump_addresses() {
    auto addresses = kernel::dump_addresses(socket_);
    if (addresses) return std::move(*addresses);
    spdlog::warn("Cannot list the addresses of this host: {}", to_string(addresses.error()));
    return {};
}

void KernelSide::keep_only_planned(kernel::Leftovers& leftovers, const Plan& plan, const std::vector<kernel::AddressKey>& configured) const {
    const std::unordered_set<kernel::AddressKey, kernel::AddressKeyHash> planned(configured.begin(), configured.end());
    std::erase_if(leftovers.addresses, [&](const kernel::AddressKey& key) { return !planned.contains(key); });
    std::erase_if(leftovers.macvlans, [&](const kernel::LinkState& link) {
        return std::none_of(plan.routers.begin(), plan.routers.end(), [&](const PlannedRouter& router) {
            const auto* base = monitor_.find_link(router.interface());
            const bool is_on_base = router.macvlan && base != nullptr && base->index == link.lower;
            return is_on_base && (router.macvlan->ipvlan ? kernel::device_alias(*router.macvlan) == link.alias : router.macvlan->mac == link.mac);
        }) && std::none_of(plan.devices.begin(), plan.devices.end(), [&](const PlannedDevice& device) {
            const auto* base = monitor_.find_link(device.macvlan.base);
            return base != nullptr && base->index == link.lower && device.macvlan.mac == link.mac;
        });
    });
}

void KernelSide::remove_leftovers(const Plan& plan) {
    std::vector<std::size_t> all(plan.routers.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const auto configured = configured_addresses(plan, all, monitor_);
    std::vector<kernel::LinkState> links;
    for (const auto& [index, link] : monitor_.links()) links.push_back(link);
    kernel::Leftovers leftovers = kernel::find_leftovers(links, dump_addresses(), configured);
    if (!claim_.is_alone()) {
        spdlog::info("Another vigild serves this network namespace: only leftovers of this configuration are removed");
        keep_only_planned(leftovers, plan, configured);
    }
    log_removals(leftovers.addresses);
    for (const kernel::LinkState& link : leftovers.macvlans) spdlog::info("Removing device {}, left by an earlier run", link.name);
    log_failures("Cannot remove what an earlier run left", kernel::remove_leftovers(socket_, programmer_, leftovers));
}

void KernelSide::log_removals(const std::vector<kernel::AddressKey>& addresses) const {
    for (const kernel::AddressKey& key : addresses) {
        const auto link = monitor_.links().find(key.interface_index);
        spdlog::info("Removing address {}/{} from {}: left by an earlier run, or set by hand although it is a virtual address",
                     to_string(key.address), key.prefix_length, link == monitor_.links().end() ? "?" : link->second.name);
    }
}

void KernelSide::remove_foreign(const Plan& plan, const std::vector<std::size_t>& routers, const std::function<bool(const kernel::AddressKey&)>& is_ours) {
    std::vector<kernel::AddressKey> foreign = configured_addresses(plan, routers, monitor_);
    std::erase_if(foreign, [&](const kernel::AddressKey& key) { return !monitor_.has_address(key) || is_ours(key); });
    log_removals(foreign);
    remove_addresses(foreign);
}

void KernelSide::remove_addresses(const std::vector<kernel::AddressKey>& addresses) {
    log_failures("Cannot remove an address", kernel::remove_leftovers(socket_, programmer_, {.addresses = addresses}));
}

void KernelSide::promote_secondaries(const Plan& plan) {
    std::set<std::string, std::less<>> wanted;
    for (const PlannedRouter& router : plan.routers) {
        if (!router.settings->promote_secondaries) continue;
        for (const PlannedAddress& address : plan.addresses_of(router)) {
            const bool is_ours = address.address.family == Family::ipv4 && address.link != engine::LinkIndex::none;   // a macvlan has it anyway
            if (is_ours) wanted.insert(plan.links[engine::to_number(address.link)].name);
        }
    }
    for (const std::string& interface : promoting_) {
        if (!wanted.contains(interface)) log_promotion(interface, keeper_.give_back(promotion_setting(interface)));
    }
    promoting_ = std::move(wanted);
    for (const std::string& interface : promoting_) on_interface_appeared(interface);
}

void KernelSide::on_interface_appeared(const std::string& interface) {
    if (promoting_.contains(interface)) log_promotion(interface, keeper_.set(promotion_setting(interface), "1"));
}

void KernelSide::restore_settings() {
    if (virtual_macs_) {
        if (auto cleared = virtual_macs_->clear(); !cleared) spdlog::error("Cannot remove the rules for virtual MAC addresses: {}", to_string(cleared.error()));
    }
    if (accept_filter_) {
        if (auto cleared = accept_filter_->clear(); !cleared) spdlog::error("no_accept: cannot remove the nftables table: {}", to_string(cleared.error()));
    }
    log_failures("Cannot remove a device", macvlans_.remove_all_of_ours());
    log_failures("Cannot restore a setting", keeper_.restore_all());
}

}  // namespace vigil::daemon
