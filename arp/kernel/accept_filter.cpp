// The rules that keep packets from virtual addresses: Accept_Mode False.
//
// One table of the inet family for the daemon, in nft's words:
//
//   set vips4      { type ipv4_addr }
//   set vips6      { type ipv6_addr }
//   set vips6_link { type ipv6_addr . ifname }      link-local addresses
//
//   chain in  { type filter hook input priority -1
//     ip daddr @vips4  drop
//     icmpv6 type nd-neighbor-solicit, nd-neighbor-advert  accept
//     ip6 daddr @vips6  drop
//     ip6 daddr . iifname @vips6_link  drop
//   }
//   chain out { type filter hook output priority -1
//     the same with the source and oifname
//   }
//
// The sets hold the addresses of the routers that are Active now: becoming Active is an element per address, all of a pass in one transaction, before the
// addresses are set; leaving it is the same afterwards, so that no packet slips through in between. While a router is Backup its addresses are not this host's,
// and where they are (a real server of LVS-DR has them on its loopback) that is none of the router's business.
//
// Neighbour discovery passes, as RFC 9568 §6.1 demands; ARP does not come by here at all. Adverts go to a group or to a peer's own address. Packets to other
// hosts that are sent to the virtual MAC are forwarded: the input hook does not see them.
//
// Addresses are counted, because routers may have one in common: it goes with the last of them. What is in the kernel is remembered, because a
// transaction with one element too many or too few is refused as a whole. Whatever is refused nevertheless: the table is made anew from what is wanted.
//
// The table has an owner, our socket: a firewall that begins with `flush ruleset` leaves it, and a killed run leaves nothing behind. keepalived has tables
// of the families ip and ip6, so that its name, which is the default, is free for ours.

#include "arp/kernel/accept_filter.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "arp/kernel/nftables_rule.h"

namespace vigil::arp::kernel {

namespace {

constexpr const char* ipv4_set = "vips4";
constexpr const char* ipv6_set = "vips6";
constexpr const char* link_set = "vips6_link";
constexpr std::size_t name_size = 16;    // IFNAMSIZ
constexpr std::size_t index_size = 4;

/// What is different between packets that come in and those that go out.
struct Direction {
    const char* chain;
    std::uint32_t hook;
    FrameField ipv4;
    FrameField ipv6;
    std::uint32_t interface_name;
    std::uint32_t interface_index;
};
constexpr Direction directions[] = {
    {"in", NF_INET_LOCAL_IN, ipv4_destination_field, ipv6_destination_field, NFT_META_IIFNAME, NFT_META_IIF},
    {"out", NF_INET_LOCAL_OUT, ipv4_source_field, ipv6_source_field, NFT_META_OIFNAME, NFT_META_OIF},
};

void write_sets(NftablesBatch& batch, const std::string& table, bool by_index) {
    const NftablesSet sets[] = {
        {.name = ipv4_set, .key_type = nft_type_ipv4, .key_size = 4},
        {.name = ipv6_set, .key_type = nft_type_ipv6, .key_size = 16},
        {.name = link_set,
         .key_type = nft_concatenation(nft_type_ipv6, by_index ? nft_type_interface_index : nft_type_interface_name),
         .key_size = static_cast<std::uint32_t>(16 + (by_index ? index_size : name_size))},
    };
    std::uint32_t id = 0;
    for (const NftablesSet& set : sets) write_set(batch, table, set, ++id);
}

void write_rules(NftablesBatch& batch, const std::string& table, const AcceptFilterShape& shape, const Direction& direction) {
    const auto rule = [&](std::uint8_t family) {
        NftablesRule begun(batch, table, direction.chain);
        begun.if_family(family);
        return begun;
    };
    const auto finish = [&](NftablesRule& begun, int verdict) {
        if (shape.has_counters) begun.count();
        begun.verdict(verdict).append();
    };
    finish(rule(NFPROTO_IPV4).if_member(direction.ipv4, ipv4_set), NF_DROP);
    for (const std::uint8_t type : {neighbor_solicitation_type, neighbor_advertisement_type}) {
        finish(rule(NFPROTO_IPV6).if_transport(icmpv6_protocol).if_field(icmp_type_field, std::array{type}), NF_ACCEPT);
    }
    finish(rule(NFPROTO_IPV6).if_member(direction.ipv6, ipv6_set), NF_DROP);
    const std::uint32_t interface = shape.by_interface_index ? direction.interface_index : direction.interface_name;
    finish(rule(NFPROTO_IPV6).if_member(direction.ipv6, interface, link_set), NF_DROP);
}

bool is_on_a_link(const FilteredAddress& address) { return address.interface != decltype(address.interface){}; }

}  // namespace

std::size_t FilteredAddressHash::operator()(const FilteredAddress& address) const noexcept {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;  // 2^64 divided by the golden ratio
    std::uint64_t hash = static_cast<std::uint64_t>(address.address.family);
    for (const auto& octets : {address.address.octets, address.interface}) {
        for (std::size_t at = 0; at < octets.size(); at += sizeof hash) {
            std::uint64_t part = 0;
            std::memcpy(&part, octets.data() + at, sizeof part);
            hash = (hash ^ part) * odd;
            hash ^= hash >> 32;
        }
    }
    return static_cast<std::size_t>(hash);
}

AcceptFilter::AcceptFilter(NetlinkSocket socket) : socket_(std::move(socket)) {}

KernelResult<AcceptFilter> AcceptFilter::open(int send_buffer_bytes) {
    SocketOptions options;
    options.protocol = NETLINK_NETFILTER;
    options.send_buffer_bytes = send_buffer_bytes;
    auto socket = NetlinkSocket::open(options);
    if (!socket) return tl::unexpected(socket.error());
    return AcceptFilter(std::move(*socket));
}

KernelResult<void> AcceptFilter::build(const AcceptFilterShape& shape) {
    shape_ = shape;
    auto built = build_as(shape.table, is_built_);
    const bool is_taken = !built && (built.error().error_number == EEXIST || built.error().error_number == EPERM);   // EPERM: it has an owner
    // The port is ours alone in this network namespace.
    if (is_taken) built = build_as(shape.table + "_" + std::to_string(socket_.port_id()), is_built_);
    if (built || !is_built_) return built;
    // Neither could be made beside the old one, which does not look as wanted.
    NftablesBatch batch(socket_, NFPROTO_INET);
    write_table_removal(batch, table_);
    (void)batch.commit();
    is_built_ = false;
    return built;
}

/// `replaces`: the one that there is goes in the same transaction.
KernelResult<void> AcceptFilter::build_as(const std::string& table, bool replaces) {
    NftablesBatch batch(socket_, NFPROTO_INET);
    if (replaces) write_table_removal(batch, table_);
    write_owned_table(batch, table);
    write_sets(batch, table, shape_.by_interface_index);
    for (const Direction& direction : directions) {
        const NftablesHook hook{direction.hook, shape_.priority};
        write_chain(batch, table, direction.chain, &hook);
        write_rules(batch, table, shape_, direction);
    }
    const std::string before = std::exchange(table_, table);
    std::erase_if(addresses_, [](const auto& one) { return one.second.blockers == 0; });
    Addresses all;
    for (auto& [address, standing] : addresses_) all.push_back(address);
    write(batch, ElementOperation::add, all);
    auto built = batch.commit();
    if (!built) {
        table_ = before;
        return built;
    }
    is_built_ = true;
    changed_.clear();
    for (auto& [address, standing] : addresses_) standing.is_set = true;
    return built;
}

void AcceptFilter::block(const FilteredAddress& address) {
    if (addresses_[address].blockers++ == 0) changed_.push_back(address);
}

void AcceptFilter::unblock(const FilteredAddress& address) {
    const auto found = addresses_.find(address);
    if (found == addresses_.end() || found->second.blockers == 0) return;
    if (--found->second.blockers == 0) changed_.push_back(address);
}

void AcceptFilter::write_changes(NftablesBatch& batch) {
    Addresses added;
    Addresses removed;
    for (const FilteredAddress& address : changed_) {
        const auto found = addresses_.find(address);
        if (found == addresses_.end()) continue;
        Standing& standing = found->second;
        const bool is_blocked = standing.blockers != 0;
        if (is_blocked != standing.is_set) (is_blocked ? added : removed).push_back(address);
        standing.is_set = is_blocked;
        if (!is_blocked) addresses_.erase(found);
    }
    changed_.clear();
    write(batch, ElementOperation::remove, removed);
    write(batch, ElementOperation::add, added);
}

void AcceptFilter::write(NftablesBatch& batch, ElementOperation operation, const Addresses& addresses) const {
    struct Part {
        const char* set;
        Addresses members;
    };
    Part parts[] = {{ipv4_set, {}}, {ipv6_set, {}}, {link_set, {}}};
    for (const FilteredAddress& address : addresses) parts[address.address.family == Family::ipv4 ? 0 : is_on_a_link(address) ? 2 : 1].members.push_back(address);
    const std::size_t interface_size = shape_.by_interface_index ? index_size : name_size;
    for (const Part& part : parts) {
        write_elements(batch, table_, part.set, operation, std::span<const FilteredAddress>(part.members), [&](nlmsghdr* message, const FilteredAddress& one) {
            std::array<std::uint8_t, 32> key{};
            const auto octets = one.address.bytes();
            std::ranges::copy(octets, key.begin());
            std::size_t size = octets.size();
            if (is_on_a_link(one)) {
                std::copy_n(one.interface.begin(), interface_size, key.begin() + static_cast<std::ptrdiff_t>(size));
                size += interface_size;
            }
            put_element_part(message, NFTA_SET_ELEM_KEY, std::span(key).first(size));
        });
    }
}

KernelResult<void> AcceptFilter::commit() {
    if (!is_built_ || changed_.empty()) return {};
    NftablesBatch batch(socket_, NFPROTO_INET);
    write_changes(batch);
    if (batch.commit()) return {};
    return build(AcceptFilterShape(shape_));
}

KernelResult<void> AcceptFilter::clear() {
    addresses_.clear();
    changed_.clear();
    if (!std::exchange(is_built_, false)) return {};
    NftablesBatch batch(socket_, NFPROTO_INET);
    write_table_removal(batch, table_);
    return batch.commit();
}

}  // namespace vigil::arp::kernel
