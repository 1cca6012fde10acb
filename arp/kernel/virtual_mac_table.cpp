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
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <memory>

namespace vigil::arp::kernel {

namespace {

constexpr const char* active_set = "active";
constexpr const char* ipv4_map = "mac4";
constexpr const char* ipv6_map = "mac6";
constexpr const char* guarded_ipv4 = "guarded4";
constexpr const char* guarded_ipv6 = "guarded6";

// nft's numbers of data types, so that it can print the sets.
constexpr std::uint32_t ipv4_type = 7;
constexpr std::uint32_t ipv6_type = 8;
constexpr std::uint32_t mac_type = 9;
constexpr std::uint32_t mac_size = 6;

constexpr std::uint32_t address_register = NFT_REG_1;   // 16 octets each
constexpr std::uint32_t mac_register = NFT_REG_2;

/// Where something lies in a frame.
struct Field {
    std::uint32_t base;
    std::uint32_t offset;
    std::uint32_t size;
};

constexpr Field ethernet_destination{NFT_PAYLOAD_LL_HEADER, 0, 6};
constexpr Field ethernet_source{NFT_PAYLOAD_LL_HEADER, 6, 6};
constexpr Field ether_type{NFT_PAYLOAD_LL_HEADER, 12, 2};
constexpr Field ipv4_source{NFT_PAYLOAD_NETWORK_HEADER, 12, 4};
constexpr Field ipv6_source{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
constexpr Field arp_sender_mac{NFT_PAYLOAD_NETWORK_HEADER, 8, 6};   // RFC 826 with Ethernet and IPv4
constexpr Field arp_sender{NFT_PAYLOAD_NETWORK_HEADER, 14, 4};
constexpr Field icmp_type{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1};
constexpr Field nd_option{NFT_PAYLOAD_TRANSPORT_HEADER, 24, 2};     // type and length (in units of 8) of the first option
constexpr Field nd_option_mac{NFT_PAYLOAD_TRANSPORT_HEADER, 26, 6};
constexpr std::uint32_t icmp_checksum_offset = 2;

// RFC 4861 §4.3, §4.4, §4.6.1. The C library's header for them and the kernel's do not go together.
constexpr std::uint8_t icmpv6_protocol = 58;
constexpr std::uint8_t neighbor_solicitation = 135;
constexpr std::uint8_t neighbor_advertisement = 136;
constexpr std::uint8_t source_link_layer_option = 1;
constexpr std::uint8_t target_link_layer_option = 2;

constexpr std::array<std::uint8_t, 2> octets_of(std::uint16_t value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value & 0xff)};
}

/// One rule under construction, written as a sentence of its expressions.
class Rule {
public:
    Rule(const VirtualMacTable& table, const char* chain) : rule_(nftnl_rule_alloc()) {
        nftnl_rule_set_u32(rule_.get(), NFTNL_RULE_FAMILY, NFPROTO_NETDEV);
        nftnl_rule_set_str(rule_.get(), NFTNL_RULE_TABLE, table.name.c_str());
        nftnl_rule_set_str(rule_.get(), NFTNL_RULE_CHAIN, chain);
    }

    /// The protocol that the kernel noted beside the frame: quick, and blind to a VLAN tag.
    Rule& if_protocol(std::uint16_t protocol) { return load_meta(NFT_META_PROTOCOL).compare(NFT_CMP_EQ, octets_of(protocol)); }
    /// To no MAC of the interface: most frames are spared the look into the set.
    Rule& if_for_another_host() { return load_meta(NFT_META_PKTTYPE).compare(NFT_CMP_EQ, std::array<std::uint8_t, 1>{PACKET_OTHERHOST}); }
    Rule& if_transport(std::uint8_t protocol) {
        return load_meta(NFT_META_L4PROTO).compare(NFT_CMP_EQ, std::array<std::uint8_t, 1>{protocol});
    }
    template <std::size_t size>
    Rule& if_field(const Field& field, const std::array<std::uint8_t, size>& value, nft_cmp_ops operation = NFT_CMP_EQ) {
        return load(field).compare(operation, value);
    }
    Rule& if_member(const Field& field, const char* set) { return load(field).look_up(address_register, set, 0); }
    /// Goes on only when the address at `field` has a virtual MAC at present, for write_mac().
    Rule& look_up_mac(const Field& field, const char* map) { return load(field).look_up(address_register, map, mac_register); }
    Rule& write_mac(const Field& field, bool has_checksum = false) {
        nftnl_expr* const expression = add("payload");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_SREG, mac_register);
        set_place(expression, field);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, has_checksum ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, has_checksum ? icmp_checksum_offset : 0);
        return *this;
    }
    Rule& take_as_ours() {
        nftnl_expr* const value = add("immediate");
        const std::uint8_t host = PACKET_HOST;
        nftnl_expr_set_u32(value, NFTNL_EXPR_IMM_DREG, address_register);
        nftnl_expr_set(value, NFTNL_EXPR_IMM_DATA, &host, sizeof host);
        nftnl_expr* const expression = add("meta");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, NFT_META_PKTTYPE);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_META_SREG, address_register);
        return *this;
    }
    Rule& verdict(int code, const char* chain = nullptr) {
        nftnl_expr* const expression = add("immediate");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
        if (chain != nullptr) nftnl_expr_set_str(expression, NFTNL_EXPR_IMM_CHAIN, chain);
        return *this;
    }
    void write(NftablesBatch& batch) const {
        nlmsghdr* const message = batch.begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
        nftnl_rule_nlmsg_build_payload(message, rule_.get());
        batch.end(message);
    }

private:
    struct Free {
        void operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }
    };

    nftnl_expr* add(const char* name) {
        nftnl_expr* const expression = nftnl_expr_alloc(name);
        nftnl_rule_add_expr(rule_.get(), expression);
        return expression;
    }
    static void set_place(nftnl_expr* expression, const Field& field) {
        nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, field.base);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, field.offset);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, field.size);
    }
    Rule& load_meta(std::uint32_t key) {
        nftnl_expr* const expression = add("meta");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, key);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, address_register);
        return *this;
    }
    Rule& load(const Field& field) {
        nftnl_expr* const expression = add("payload");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, address_register);
        set_place(expression, field);
        return *this;
    }
    template <std::size_t size>
    Rule& compare(nft_cmp_ops operation, const std::array<std::uint8_t, size>& value) {
        nftnl_expr* const expression = add("cmp");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, address_register);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, static_cast<std::uint32_t>(operation));
        nftnl_expr_set(expression, NFTNL_EXPR_CMP_DATA, value.data(), size);
        return *this;
    }
    Rule& look_up(std::uint32_t from, const char* set, std::uint32_t to) {
        nftnl_expr* const expression = add("lookup");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, from);
        nftnl_expr_set_str(expression, NFTNL_EXPR_LOOKUP_SET, set);
        if (to != 0) nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, to);
        return *this;
    }

    std::unique_ptr<nftnl_rule, Free> rule_;
};

struct SetShape {
    const char* name;
    std::uint32_t key_type;
    std::uint32_t key_size;
    bool is_map;
    std::size_t capacity;
};

/// With a capacity, the kernel chooses the hash table that never grows while frames look into it.
void write_set(NftablesBatch& batch, const VirtualMacTable& table, const SetShape& shape, std::uint32_t id) {
    const std::unique_ptr<nftnl_set, void (*)(const nftnl_set*)> set(nftnl_set_alloc(), nftnl_set_free);
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table.name.c_str());
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, shape.name);
    nftnl_set_set_u32(set.get(), NFTNL_SET_ID, id);
    nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, shape.is_map ? NFT_SET_MAP : 0);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, shape.key_type);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, shape.key_size);
    if (shape.is_map) {
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, mac_type);
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, mac_size);
    }
    nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, static_cast<std::uint32_t>(std::max<std::size_t>(shape.capacity, 1)));
    nlmsghdr* const message = batch.begin(NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_set_nlmsg_build_payload(message, set.get());
    batch.end(message);
}

struct Hook {
    std::uint32_t number;
    int priority;
};

void write_chain(NftablesBatch& batch, const VirtualMacTable& table, const char* name, const Hook* hook = nullptr) {
    const std::unique_ptr<nftnl_chain, void (*)(const nftnl_chain*)> chain(nftnl_chain_alloc(), nftnl_chain_free);
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_FAMILY, NFPROTO_NETDEV);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.name.c_str());
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name);
    if (hook != nullptr) {
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, "filter");
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook->number);
        nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, hook->priority);
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_DEV, table.device.c_str());
    }
    nlmsghdr* const message = batch.begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_chain_nlmsg_build_payload(message, chain.get());
    batch.end(message);
}

constexpr auto type_ip = octets_of(ETH_P_IP);
constexpr auto type_arp = octets_of(ETH_P_ARP);
constexpr auto type_ip6 = octets_of(ETH_P_IPV6);

void write_ingress(NftablesBatch& batch, const VirtualMacTable& table) {
    Rule(table, "in")
        .if_for_another_host()
        .if_member(ethernet_destination, active_set)
        .if_field(ether_type, octets_of(ETH_P_8021Q), NFT_CMP_NEQ)
        .if_field(ether_type, octets_of(ETH_P_8021AD), NFT_CMP_NEQ)
        .take_as_ours()
        .write(batch);
    Rule(table, "in").if_protocol(ETH_P_ARP).if_member(arp_sender, ipv4_map).if_field(ether_type, type_arp).verdict(NF_DROP).write(batch);
}

void write_egress(NftablesBatch& batch, const VirtualMacTable& table) {
    Rule(table, "arp")
        .look_up_mac(arp_sender, ipv4_map)
        .if_field(ether_type, type_arp)
        .write_mac(arp_sender_mac)
        .write_mac(ethernet_source)
        .verdict(NF_ACCEPT)
        .write(batch);
    Rule(table, "arp").if_member(arp_sender, guarded_ipv4).if_field(ether_type, type_arp).verdict(NF_DROP).write(batch);

    struct Discovery {
        std::uint8_t type;
        std::uint8_t option;
    };
    constexpr std::array messages{Discovery{neighbor_solicitation, source_link_layer_option},
                                  Discovery{neighbor_advertisement, target_link_layer_option}};
    for (const Discovery& one : messages) {
        Rule(table, "ip6")
            .if_transport(icmpv6_protocol)
            .if_field(icmp_type, std::array{one.type})
            .if_field(nd_option, std::array<std::uint8_t, 2>{one.option, 1})
            .look_up_mac(ipv6_source, ipv6_map)
            .if_field(ether_type, type_ip6)
            .write_mac(nd_option_mac, true)
            .write(batch);
    }
    Rule(table, "ip6").look_up_mac(ipv6_source, ipv6_map).if_field(ether_type, type_ip6).write_mac(ethernet_source).verdict(NF_ACCEPT).write(batch);
    for (const Discovery& one : messages) {
        Rule(table, "ip6")
            .if_transport(icmpv6_protocol)
            .if_field(icmp_type, std::array{one.type})
            .if_member(ipv6_source, guarded_ipv6)
            .if_field(ether_type, type_ip6)
            .verdict(NF_DROP)
            .write(batch);
    }

    Rule(table, "out").if_protocol(ETH_P_IP).look_up_mac(ipv4_source, ipv4_map).if_field(ether_type, type_ip).write_mac(ethernet_source).write(batch);
    Rule(table, "out").if_protocol(ETH_P_ARP).verdict(NFT_JUMP, "arp").write(batch);
    Rule(table, "out").if_protocol(ETH_P_IPV6).verdict(NFT_JUMP, "ip6").write(batch);
}

/// Elements in messages of a length that their attribute's 16-bit size allows.
template <typename Element, typename WriteElement>
void write_elements(NftablesBatch& batch, const std::string& table, const char* set, ElementOperation operation, std::span<const Element> elements,
                    WriteElement write_element) {
    constexpr std::size_t most_per_message = 1000;
    constexpr std::size_t largest_element = 64;
    const bool is_addition = operation == ElementOperation::add;
    while (!elements.empty()) {
        const auto some = elements.first(std::min(elements.size(), most_per_message));
        elements = elements.subspan(some.size());
        nlmsghdr* const message = batch.begin(is_addition ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, is_addition ? NLM_F_CREATE | NLM_F_EXCL : 0,
                                              512 + some.size() * largest_element);
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table.c_str());
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
        nlattr* const list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
        for (const Element& element : some) {
            nlattr* const nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
            write_element(message, element);
            mnl_attr_nest_end(message, nest);
        }
        mnl_attr_nest_end(message, list);
        batch.end(message);
    }
}

void put_value(nlmsghdr* message, std::uint16_t type, std::span<const std::uint8_t> octets) {
    nlattr* const nest = mnl_attr_nest_start(message, type);
    mnl_attr_put(message, NFTA_DATA_VALUE, octets.size(), octets.data());
    mnl_attr_nest_end(message, nest);
}

}  // namespace

void write_table(NftablesBatch& batch, const VirtualMacTable& shape) {
    const std::unique_ptr<nftnl_table, void (*)(const nftnl_table*)> table(nftnl_table_alloc(), nftnl_table_free);
    nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, shape.name.c_str());
    nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    nlmsghdr* const message = batch.begin(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_table_nlmsg_build_payload(message, table.get());
    batch.end(message);

    write_set(batch, shape, {active_set, mac_type, mac_size, false, shape.mac_count}, 1);
    write_set(batch, shape, {ipv4_map, ipv4_type, 4, true, shape.ipv4_count}, 2);
    write_set(batch, shape, {ipv6_map, ipv6_type, 16, true, shape.ipv6_count}, 3);
    write_set(batch, shape, {guarded_ipv4, ipv4_type, 4, false, shape.ipv4_count}, 4);
    write_set(batch, shape, {guarded_ipv6, ipv6_type, 16, false, shape.ipv6_count}, 5);
    for (const char* const chain : {"arp", "ip6"}) write_chain(batch, shape, chain);
    constexpr Hook ingress{NF_NETDEV_INGRESS, -300};
    constexpr Hook egress{NF_NETDEV_EGRESS, 0};
    write_chain(batch, shape, "in", &ingress);
    write_chain(batch, shape, "out", &egress);
    write_ingress(batch, shape);
    write_egress(batch, shape);
}

void write_table_removal(NftablesBatch& batch, const std::string& name) {
    nlmsghdr* const message = batch.begin(NFT_MSG_DELTABLE, 0);
    mnl_attr_put_strz(message, NFTA_TABLE_NAME, name.c_str());
    batch.end(message);
}

void write_active_macs(NftablesBatch& batch, const std::string& table, ElementOperation operation, std::span<const MacAddress> macs) {
    write_elements(batch, table, active_set, operation, macs,
                   [](nlmsghdr* message, const MacAddress& mac) { put_value(message, NFTA_SET_ELEM_KEY, mac.octets); });
}

void write_macs_of_addresses(NftablesBatch& batch, const std::string& table, ElementOperation operation, std::span<const MacOfAddress> addresses) {
    if (addresses.empty()) return;
    const char* const map = addresses.front().address.family == Family::ipv4 ? ipv4_map : ipv6_map;
    write_elements(batch, table, map, operation, addresses, [&](nlmsghdr* message, const MacOfAddress& one) {
        put_value(message, NFTA_SET_ELEM_KEY, one.address.bytes());
        if (operation == ElementOperation::add) put_value(message, NFTA_SET_ELEM_DATA, one.mac.octets);
    });
}

void write_guarded_addresses(NftablesBatch& batch, const std::string& table, std::span<const IpAddress> addresses) {
    if (addresses.empty()) return;
    const char* const set = addresses.front().family == Family::ipv4 ? guarded_ipv4 : guarded_ipv6;
    write_elements(batch, table, set, ElementOperation::add, addresses,
                   [](nlmsghdr* message, const IpAddress& address) { put_value(message, NFTA_SET_ELEM_KEY, address.bytes()); });
}

}  // namespace vigil::arp::kernel
