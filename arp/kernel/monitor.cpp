// Links and addresses, followed.
//
// The kernel's notifications are a stream that can break: when our receive buffer is full the kernel drops messages and says
// ENOBUFS once. keepalived's users tune that buffer by hand; here the stream is only a hint of what changed. The last known
// state is kept, every event is the difference to it, and after a loss resync() makes the same differences out of a dump.
// Readers of the events need no second path. Repeated notifications that change nothing (the kernel sends many) vanish.
//
// Order at a resync: what is queued is thrown away first, then the tables are dumped on the other socket. Whatever changes
// after the throwing away is queued again and read as an ordinary event later; when the dump had it already it makes no
// difference and vanishes. A dump that the kernel calls inconsistent is not used.
//
// A link that is gone takes its addresses with it: the kernel sends those deletions itself, but after a loss only the dump
// tells, so gone addresses are reported before gone links in both cases.

#include "arp/kernel/monitor.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <unordered_set>
#include <utility>

namespace vigil::arp::kernel {

namespace {

/// What people and network managers set. Daemons that replace routes by the thousand have protocols of their own.
bool is_by_hand(std::uint8_t protocol) { return protocol == RTPROT_BOOT || protocol == RTPROT_STATIC; }

/// Lets deleted routes of our protocol pass, replaced ones of people's, and everything that is no route. Offsets of struct nlmsghdr and rtmsg;
/// loads of two octets come in network order, which numbers of netlink are not.
std::array<sock_filter, 12> route_filter() {
    constexpr std::uint32_t type_at = 4, flags_at = 6, protocol_at = 21, all = 0xffff'ffff;
    static_assert(offsetof(nlmsghdr, nlmsg_type) == type_at && offsetof(nlmsghdr, nlmsg_flags) == flags_at &&
                  NLMSG_HDRLEN + offsetof(rtmsg, rtm_protocol) == protocol_at);
    return {{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 2),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, our_route_protocol, 6, 7),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 0, 5),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, flags_at),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htons(NLM_F_REPLACE), 0, 4),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTPROT_BOOT, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTPROT_STATIC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, all),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
}

}  // namespace

SocketOptions Monitor::default_options() {
    // 16 MiB hold about 20,000 notifications; more than that between two reads costs one resync.
    return {.receive_buffer_bytes = 16 << 20, .groups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR}};
}

Monitor::Monitor(NetlinkSocket subscription, NetlinkSocket query)
    : subscription_(std::move(subscription)), query_(std::move(query)) {}

KernelResult<Monitor> Monitor::open(SocketOptions options) {
    auto subscription = NetlinkSocket::open(options);
    if (!subscription) return tl::unexpected(subscription.error());
    auto query = NetlinkSocket::open();
    if (!query) return tl::unexpected(query.error());
    Monitor monitor(std::move(*subscription), std::move(*query));
    if (auto events = monitor.resync(); !events) return tl::unexpected(events.error());
    return monitor;
}

KernelResult<void> Monitor::watch_objects() {
    if (watches_objects_) return {};
    const auto filter = route_filter();
    if (auto filtered = subscription_.set_filter(filter); !filtered) return filtered;
    for (const unsigned group : {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE}) {
        if (auto joined = subscription_.join(group); !joined) return joined;
    }
    watches_objects_ = true;
    return {};
}

std::vector<KernelEvent> Monitor::read_events() {
    std::vector<KernelEvent> events;
    for (;;) {
        const auto datagram = subscription_.receive();
        if (!datagram) {
            needs_resync_ = true;
            if (datagram.error().error_number == ENOBUFS) continue;
            break;
        }
        if (datagram->empty()) break;
        for_each_message(*datagram, [&](const nlmsghdr& message) { take(message, events); });
    }
    if (needs_resync_) events.emplace_back(ResyncNeeded{});
    return events;
}

void Monitor::take(const nlmsghdr& message, std::vector<KernelEvent>& events) {
    if (auto link = read_link(message)) {
        take_link(std::move(*link), message.nlmsg_type == RTM_DELLINK, events);
    } else if (const auto address = read_address_state(message)) {
        take_address(*address, message.nlmsg_type == RTM_DELADDR, events);
    } else if (watches_objects_) {
        take_object(message, events);
    }
}

/// The filter has let nothing else of routes pass, but it looks at the first message of a datagram only.
void Monitor::take_object(const nlmsghdr& message, std::vector<KernelEvent>& events) {
    if (message.nlmsg_type == RTM_DELRULE) {
        const auto rule = read_rule_state(message);
        if (rule && rule->protocol == our_route_protocol) events.emplace_back(RuleEvent{*rule, message.nlmsg_pid});
        return;
    }
    const auto route = read_route_state(message);
    if (!route) return;
    const bool is_replaced = message.nlmsg_type == RTM_NEWROUTE && (message.nlmsg_flags & NLM_F_REPLACE) != 0 && is_by_hand(route->protocol);
    const bool is_gone = message.nlmsg_type == RTM_DELROUTE && route->protocol == our_route_protocol;
    if (is_replaced || is_gone) events.emplace_back(RouteEvent{*route, is_replaced, message.nlmsg_pid});
}

void Monitor::take_link(LinkState link, bool is_gone, std::vector<KernelEvent>& events) {
    const auto known = links_.find(link.index);
    if (is_gone) {
        if (known == links_.end()) return;
        events.emplace_back(LinkEvent{std::move(known->second), true});
        links_.erase(known);
        return;
    }
    if (known != links_.end() && known->second == link) return;
    events.emplace_back(LinkEvent{link, false});
    links_.insert_or_assign(link.index, std::move(link));
}

void Monitor::take_address(const AddressState& address, bool is_gone, std::vector<KernelEvent>& events) {
    const AddressKey& key = address.key;
    const auto known = addresses_.find(key);
    if (is_gone) {
        if (known == addresses_.end()) return;
        addresses_.erase(known);
    } else {
        if (known != addresses_.end() && *known == address) return;
        if (known != addresses_.end()) addresses_.erase(known);
        addresses_.insert(address);
    }
    events.emplace_back(AddressEvent{address, is_gone});
}

void Monitor::discard_queue() {
    for (;;) {
        const auto datagram = subscription_.receive();
        if (!datagram && datagram.error().error_number != ENOBUFS) return;
        if (datagram && datagram->empty()) return;
    }
}

KernelResult<std::vector<KernelEvent>> Monitor::resync() {
    // A failed attempt has thrown notifications away, so only success clears the flag.
    needs_resync_ = true;
    discard_queue();
    auto links = dump_links(query_);
    if (!links) return tl::unexpected(links.error());
    const auto addresses = dump_addresses(query_);
    if (!addresses) return tl::unexpected(addresses.error());

    std::unordered_map<std::uint32_t, const LinkState*> new_links;
    for (const LinkState& link : *links) new_links.emplace(link.index, &link);
    std::unordered_set<AddressKey, AddressKeyHash> new_addresses;
    for (const AddressState& address : *addresses) new_addresses.insert(address.key);

    std::vector<AddressState> gone_addresses;
    for (const AddressState& address : addresses_) {
        if (!new_addresses.contains(address.key)) gone_addresses.push_back(address);
    }
    std::vector<LinkState> gone_links;
    for (const auto& [index, link] : links_) {
        if (!new_links.contains(index)) gone_links.push_back(link);
    }
    std::vector<KernelEvent> events;
    for (const AddressState& address : gone_addresses) take_address(address, true, events);
    for (LinkState& link : gone_links) take_link(std::move(link), true, events);
    for (LinkState& link : *links) take_link(std::move(link), false, events);
    for (const AddressState& address : *addresses) take_address(address, false, events);
    needs_resync_ = false;
    return events;
}

const LinkState* Monitor::find_link(std::string_view name) const {
    const auto found = std::find_if(links_.begin(), links_.end(), [&](const auto& entry) { return entry.second.name == name; });
    return found == links_.end() ? nullptr : &found->second;
}

}  // namespace vigil::arp::kernel
