// The rules that give addresses a virtual MAC without a device of its own.
//
// One table of the netdev family per interface, in nft's words:
//
//   set active   { type ether_addr }                virtual MACs of the routers that are Active
//   map mac4     { type ipv4_addr : ether_addr }    the addresses of the routers that are Active
//   map mac6     { type ipv6_addr : ether_addr }
//   set guarded4 { type ipv4_addr }                 all virtual addresses; does not change while we run
//   set guarded6 { type ipv6_addr }
//
//   chain in  { type filter hook ingress priority -300
//     meta pkttype other  ether daddr @active  ether type != 8021q  ether type != 8021ad  meta pkttype set host
//     arp saddr ip @mac4  drop
//   }
//   chain out { type filter hook egress priority 0
//     ether saddr set ip saddr map @mac4
//     meta protocol arp  jump arp
//     meta protocol ip6  jump ip6
//   }
//   chain arp {
//     arp saddr ether set arp saddr ip map @mac4, ether saddr set arp saddr ip map @mac4, accept
//     arp saddr ip @guarded4  drop
//   }
//   chain ip6 {
//     neighbour advertisement or solicitation: MAC in its option set ip6 saddr map @mac6
//     ether saddr set ip6 saddr map @mac6, accept
//     neighbour advertisement or solicitation: ip6 saddr @guarded6  drop
//   }
//
// An election changes elements of `active` and the maps and nothing else. A frame to a virtual MAC that is not in `active` stays PACKET_OTHERHOST, which
// IP and ARP drop: a Backup takes nothing. An ARP or ND message from a guarded address that is in no map is dropped: between the loss of an election
// and the removal of the addresses the kernel answers nobody, and at no time can it answer with the interface's own MAC. Other IP packets from such
// an address pass with the interface's own MAC: they teach switches and hosts nothing wrong, and a director that is a real server of LVS-DR at the
// same time sends them. An address owner's addresses are not guarded: its interface has them by right, Active or not.
//
// The ingress rule for ARP is what drop_gratuitous_arp is for a macvlan: the kernel of a router that has just lost would answer the new
// Active's gratuitous request, where accept_local is set. It is dropped only while the address is ours; a Backup must learn from it. The engine sees it all the same,
// because packet sockets tap before the hook.
//
// Neighbour advertisements (136) carry our MAC in option 2, solicitations (135) in option 1, both as the first option at offset 24, where
// the kernel puts it. The payload expression repairs the checksum (NFT_PAYLOAD_CSUM_INET). Both are sent from the address that they speak
// for, so the map is asked with the source. Frames of our own engine pass here too and are rewritten to what they are already.
//
// VLANs: a tagged frame passes the chains of the base interface with its tag still (or already) beside it. It is another LAN, perhaps with
// another Active of the same VRID; hence the comparisons of the EtherType at its place in the frame, where a tag shows as 0x8100.
//
// Everything is written so that `nft list ruleset` can print it: a lookup of what another lookup found would save elements, and makes
// nft 1.0.6 abort.
//
// The table has NFT_TABLE_F_OWNER (Linux 5.12): `nft flush ruleset` of a firewall does not touch it, and it goes with our socket, so a killed
// run leaves nothing behind. The egress hook is there since Linux 5.16, with CONFIG_NETFILTER_EGRESS.

#include "arp/kernel/virtual_mac_table.h"

#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>

#include "arp/kernel/nftables_rule.h"

namespace vigil::arp::kernel {

namespace {

constexpr const char* active_set = "active";
constexpr const char* ipv4_map = "mac4";
constexpr const char* ipv6_map = "mac6";
constexpr const char* guarded_ipv4 = "guarded4";
constexpr const char* guarded_ipv6 = "guarded6";

constexpr std::uint32_t mac_size = 6;

constexpr FrameField ethernet_destination{NFT_PAYLOAD_LL_HEADER, 0, 6};
constexpr FrameField ethernet_source{NFT_PAYLOAD_LL_HEADER, 6, 6};
constexpr FrameField ether_type{NFT_PAYLOAD_LL_HEADER, 12, 2};
constexpr FrameField arp_sender_mac{NFT_PAYLOAD_NETWORK_HEADER, 8, 6};   // RFC 826 with Ethernet and IPv4
constexpr FrameField arp_sender{NFT_PAYLOAD_NETWORK_HEADER, 14, 4};
constexpr FrameField nd_option{NFT_PAYLOAD_TRANSPORT_HEADER, 24, 2};     // type and length (in units of 8) of the first option
constexpr FrameField nd_option_mac{NFT_PAYLOAD_TRANSPORT_HEADER, 26, 6};
constexpr int icmp_checksum_offset = 2;

// RFC 4861 §4.6.1
constexpr std::uint8_t source_link_layer_option = 1;
constexpr std::uint8_t target_link_layer_option = 2;

constexpr auto type_ip = octets_of(ETH_P_IP);
constexpr auto type_arp = octets_of(ETH_P_ARP);
constexpr auto type_ip6 = octets_of(ETH_P_IPV6);

void write_ingress(NftablesBatch& batch, const std::string& table) {
    NftablesRule(batch, table, "in")
        .if_packet_type(PACKET_OTHERHOST)   // to no MAC of the interface: most frames are spared the look into the set
        .if_member(ethernet_destination, active_set)
        .if_field(ether_type, octets_of(ETH_P_8021Q), NFT_CMP_NEQ)
        .if_field(ether_type, octets_of(ETH_P_8021AD), NFT_CMP_NEQ)
        .set_packet_type(PACKET_HOST)
        .append();
    NftablesRule(batch, table, "in").if_protocol(ETH_P_ARP).if_member(arp_sender, ipv4_map).if_field(ether_type, type_arp).verdict(NF_DROP).append();
}

void write_arp_egress(NftablesBatch& batch, const std::string& table) {
    NftablesRule(batch, table, "arp")
        .look_up(arp_sender, ipv4_map)
        .if_field(ether_type, type_arp)
        .write_found(arp_sender_mac)
        .write_found(ethernet_source)
        .verdict(NF_ACCEPT)
        .append();
    NftablesRule(batch, table, "arp").if_member(arp_sender, guarded_ipv4).if_field(ether_type, type_arp).verdict(NF_DROP).append();
}

void write_ipv6_egress(NftablesBatch& batch, const std::string& table) {
    struct Discovery {
        std::uint8_t type;
        std::uint8_t option;
    };
    constexpr std::array messages{Discovery{neighbor_solicitation_type, source_link_layer_option},
                                  Discovery{neighbor_advertisement_type, target_link_layer_option}};
    for (const Discovery& one : messages) {
        NftablesRule(batch, table, "ip6")
            .if_transport(icmpv6_protocol)
            .if_field(icmp_type_field, std::array{one.type})
            .if_field(nd_option, std::array<std::uint8_t, 2>{one.option, 1})
            .look_up(ipv6_source_field, ipv6_map)
            .if_field(ether_type, type_ip6)
            .write_found(nd_option_mac, icmp_checksum_offset)
            .append();
    }
    NftablesRule(batch, table, "ip6")
        .look_up(ipv6_source_field, ipv6_map)
        .if_field(ether_type, type_ip6)
        .write_found(ethernet_source)
        .verdict(NF_ACCEPT)
        .append();
    for (const Discovery& one : messages) {
        NftablesRule(batch, table, "ip6")
            .if_transport(icmpv6_protocol)
            .if_field(icmp_type_field, std::array{one.type})
            .if_member(ipv6_source_field, guarded_ipv6)
            .if_field(ether_type, type_ip6)
            .verdict(NF_DROP)
            .append();
    }
}

void write_egress(NftablesBatch& batch, const std::string& table) {
    write_arp_egress(batch, table);
    write_ipv6_egress(batch, table);
    NftablesRule(batch, table, "out")
        .if_protocol(ETH_P_IP)
        .look_up(ipv4_source_field, ipv4_map)
        .if_field(ether_type, type_ip)
        .write_found(ethernet_source)
        .append();
    NftablesRule(batch, table, "out").if_protocol(ETH_P_ARP).verdict(NFT_JUMP, "arp").append();
    NftablesRule(batch, table, "out").if_protocol(ETH_P_IPV6).verdict(NFT_JUMP, "ip6").append();
}

/// With a capacity, which must not be 0, lest the kernel take a table that grows.
std::size_t at_least_one(std::size_t count) { return std::max<std::size_t>(count, 1); }

}  // namespace

void write_table(NftablesBatch& batch, const VirtualMacTable& shape) {
    const std::string& table = shape.name;
    write_owned_table(batch, table);
    const NftablesSet sets[] = {
        {.name = active_set, .key_type = nft_type_mac, .key_size = mac_size, .capacity = at_least_one(shape.mac_count)},
        {ipv4_map, nft_type_ipv4, 4, nft_type_mac, mac_size, at_least_one(shape.ipv4_count)},
        {ipv6_map, nft_type_ipv6, 16, nft_type_mac, mac_size, at_least_one(shape.ipv6_count)},
        {.name = guarded_ipv4, .key_type = nft_type_ipv4, .key_size = 4, .capacity = at_least_one(shape.ipv4_count)},
        {.name = guarded_ipv6, .key_type = nft_type_ipv6, .key_size = 16, .capacity = at_least_one(shape.ipv6_count)},
    };
    std::uint32_t id = 0;
    for (const NftablesSet& set : sets) write_set(batch, table, set, ++id);
    for (const char* const chain : {"arp", "ip6"}) write_chain(batch, table, chain);
    const NftablesHook ingress{NF_NETDEV_INGRESS, -300, shape.device.c_str()};
    const NftablesHook egress{NF_NETDEV_EGRESS, 0, shape.device.c_str()};
    write_chain(batch, table, "in", &ingress);
    write_chain(batch, table, "out", &egress);
    write_ingress(batch, table);
    write_egress(batch, table);
}

void write_active_macs(NftablesBatch& batch, const std::string& table, ElementOperation operation, std::span<const MacAddress> macs) {
    write_elements(batch, table, active_set, operation, macs,
                   [](nlmsghdr* message, const MacAddress& mac) { put_element_part(message, NFTA_SET_ELEM_KEY, mac.octets); });
}

void write_macs_of_addresses(NftablesBatch& batch, const std::string& table, ElementOperation operation, std::span<const MacOfAddress> addresses) {
    if (addresses.empty()) return;
    const char* const map = addresses.front().address.family == Family::ipv4 ? ipv4_map : ipv6_map;
    write_elements(batch, table, map, operation, addresses, [&](nlmsghdr* message, const MacOfAddress& one) {
        put_element_part(message, NFTA_SET_ELEM_KEY, one.address.bytes());
        if (operation == ElementOperation::add) put_element_part(message, NFTA_SET_ELEM_DATA, one.mac.octets);
    });
}

void write_guarded_addresses(NftablesBatch& batch, const std::string& table, std::span<const IpAddress> addresses) {
    if (addresses.empty()) return;
    const char* const set = addresses.front().family == Family::ipv4 ? guarded_ipv4 : guarded_ipv6;
    write_elements(batch, table, set, ElementOperation::add, addresses,
                   [](nlmsghdr* message, const IpAddress& address) { put_element_part(message, NFTA_SET_ELEM_KEY, address.bytes()); });
}

}  // namespace vigil::arp::kernel
