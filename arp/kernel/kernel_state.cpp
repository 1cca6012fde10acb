// Links, addresses and routes as the kernel tells them.
//
// The same readers serve dumps and notifications. A reader answers nullopt rather than half a value; unknown attributes are
// ignored, so that newer kernels stay readable. Two traps decide the code: RTM_NEWLINK/RTM_DELLINK with ifi_family AF_BRIDGE
// are about a bridge's port, not about the link (a port leaving its bridge would look like a deleted interface); and an
// IPv4 address carries both IFA_LOCAL (ours) and IFA_ADDRESS (the peer's on point-to-point links), an IPv6 address only
// IFA_ADDRESS unless it has a peer.
//
// A dump is not atomic. When the kernel flags a change during it (NLM_F_DUMP_INTR) the dump is repeated a few times; a host
// where addresses are being added by the thousand may need that. After the last attempt the caller hears EAGAIN, because half
// a table would be read as deletions.

#include "arp/kernel/kernel_state.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

namespace vigil::arp::kernel {

namespace {

constexpr int dump_attempts = 8;

template <typename Value, typename Read>
KernelResult<std::vector<Value>> dump(NetlinkSocket& socket, const std::function<void(MessageWriter&)>& write_rest,
                                      std::uint16_t type, Read read) {
    for (int attempt = 1;; ++attempt) {
        RequestRoom room{};
        MessageWriter message(room.bytes, type, NLM_F_DUMP, socket.next_sequence());
        write_rest(message);
        std::vector<Value> values;
        const auto verdict = socket.query(message, [&](const nlmsghdr& answer) {
            if (auto value = read(answer)) values.push_back(std::move(*value));
        });
        if (verdict) return values;
        if (verdict.error().error_number != EAGAIN || attempt == dump_attempts) return tl::unexpected(verdict.error());
    }
}

KernelResult<LinkState> ask_for_link(NetlinkSocket& socket, MessageWriter& message, const std::string& what) {
    message.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    std::optional<LinkState> link;
    const auto verdict = socket.query(message, [&](const nlmsghdr& answer) { link = read_link(answer); });
    if (!verdict) return refused(verdict.error().error_number, what);
    if (!link) return refused(EBADMSG, "the kernel's answer about " + what + " is not readable");
    return *link;
}

}  // namespace

std::size_t AddressKeyHash::operator()(const AddressKey& key) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, key.address.octets.data(), sizeof high);
    std::memcpy(&low, key.address.octets.data() + sizeof high, sizeof low);
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;  // 2^64 divided by the golden ratio
    std::uint64_t hash = (high ^ (low * odd)) * odd;
    hash ^= (std::uint64_t{key.interface_index} << 8 | key.prefix_length) * odd;
    return static_cast<std::size_t>(hash ^ hash >> 32);
}

std::optional<LinkState> read_link(const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) return std::nullopt;
    const auto* const header = read_header<ifinfomsg>(message);
    if (header == nullptr || header->ifi_family != AF_UNSPEC || header->ifi_index <= 0) return std::nullopt;
    const AttributeTable attributes(message, sizeof *header);
    const auto name = attributes.text(IFLA_IFNAME);
    if (!name || name->empty() || name->size() >= IFNAMSIZ) return std::nullopt;
    LinkState link;
    link.index = static_cast<std::uint32_t>(header->ifi_index);
    link.name = *name;
    link.mac = attributes.mac(IFLA_ADDRESS).value_or(MacAddress{});
    link.is_up = (header->ifi_flags & IFF_UP) != 0;
    link.is_running = (header->ifi_flags & IFF_RUNNING) != 0;
    link.is_loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
    link.is_multicast_capable = (header->ifi_flags & IFF_MULTICAST) != 0;
    link.mtu = attributes.u32(IFLA_MTU).value_or(0);
    link.master = attributes.u32(IFLA_MASTER).value_or(0);
    // With a namespace id the index counts in that other namespace and would name a stranger here.
    if (!attributes.has(IFLA_LINK_NETNSID)) link.lower = attributes.u32(IFLA_LINK).value_or(0);
    link.group = attributes.u32(IFLA_GROUP).value_or(0);
    link.kind = AttributeTable(attributes.find(IFLA_LINKINFO)).text(IFLA_INFO_KIND).value_or("");
    link.alias = attributes.text(IFLA_IFALIAS).value_or("");
    return link;
}

std::optional<AddressState> read_address_state(const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWADDR && message.nlmsg_type != RTM_DELADDR) return std::nullopt;
    const auto* const header = read_header<ifaddrmsg>(message);
    if (header == nullptr) return std::nullopt;
    const auto family = read_family(header->ifa_family);
    if (!family || header->ifa_prefixlen > (*family == Family::ipv4 ? 32 : 128)) return std::nullopt;
    const AttributeTable attributes(message, sizeof *header);
    const auto far_end = attributes.address(IFA_ADDRESS, *family);
    const auto address = attributes.has(IFA_LOCAL) ? attributes.address(IFA_LOCAL, *family) : far_end;
    if (!address) return std::nullopt;
    AddressKey key{header->ifa_index, *address, header->ifa_prefixlen, {}};
    if (far_end && *far_end != *address) key.peer = far_end;
    return AddressState{.key = key,
                        .scope = header->ifa_scope,
                        .protocol = attributes.u8(IFA_PROTO).value_or(0),
                        .flags = attributes.u32(IFA_FLAGS).value_or(header->ifa_flags)};
}

std::optional<RouteAnswer> read_route(const nlmsghdr& message) {
    const auto* const header = read_header<rtmsg>(message);
    if (message.nlmsg_type != RTM_NEWROUTE || header == nullptr) return std::nullopt;
    const auto family = read_family(header->rtm_family);
    if (!family) return std::nullopt;
    const AttributeTable attributes(message, sizeof *header);
    const auto interface_index = attributes.u32(RTA_OIF);
    if (!interface_index) return std::nullopt;
    return RouteAnswer{.interface_index = *interface_index,
                       .preferred_source = attributes.address(RTA_PREFSRC, *family),
                       .gateway = attributes.address(RTA_GATEWAY, *family),
                       .is_local = header->rtm_type == RTN_LOCAL};
}

KernelResult<std::vector<LinkState>> dump_links(NetlinkSocket& socket) {
    const auto write = [](MessageWriter& message) {
        message.put_header<ifinfomsg>();
        message.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    };
    return dump<LinkState>(socket, write, RTM_GETLINK, read_link);
}

KernelResult<std::vector<AddressState>> dump_addresses(NetlinkSocket& socket) {
    const auto write = [](MessageWriter& message) { message.put_header<ifaddrmsg>(); };
    return dump<AddressState>(socket, write, RTM_GETADDR, read_address_state);
}

KernelResult<LinkState> find_link(NetlinkSocket& socket, std::string_view name) {
    if (name.empty() || name.size() >= IFNAMSIZ) return refused(ENODEV, "interface '" + std::string(name) + "'");
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_GETLINK, 0, socket.next_sequence());
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, name);
    return ask_for_link(socket, message, "interface '" + std::string(name) + "'");
}

KernelResult<LinkState> find_link(NetlinkSocket& socket, std::uint32_t index) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_GETLINK, 0, socket.next_sequence());
    message.put_header<ifinfomsg>()->ifi_index = static_cast<int>(index);
    return ask_for_link(socket, message, "interface with index " + std::to_string(index));
}

KernelResult<RouteAnswer> find_route(NetlinkSocket& socket, const IpAddress& destination, std::uint32_t vrf) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_GETROUTE, 0, socket.next_sequence());
    auto* const header = message.put_header<rtmsg>();
    header->rtm_family = static_cast<unsigned char>(address_family(destination.family));
    header->rtm_dst_len = static_cast<unsigned char>(8 * destination.size());
    message.put_address(RTA_DST, destination);
    if (vrf != 0) message.put_u32(RTA_OIF, vrf);
    std::optional<RouteAnswer> route;
    const auto verdict = socket.query(message, [&](const nlmsghdr& answer) { route = read_route(answer); });
    if (!verdict) return tl::unexpected(verdict.error());
    if (!route) return refused(ENETUNREACH, "no usable route to " + to_string(destination));
    return *route;
}

}  // namespace vigil::arp::kernel
