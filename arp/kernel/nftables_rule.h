#pragma once

#include <libnftnl/rule.h>   // before expr.h, which lacks <stdio.h>
#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "arp/kernel/nftables_batch.h"

namespace vigil::arp::kernel {

/// nft's numbers of data types, so that it can print the sets.
constexpr std::uint32_t nft_type_ipv4 = 7;
constexpr std::uint32_t nft_type_ipv6 = 8;
constexpr std::uint32_t nft_type_mac = 9;
constexpr std::uint32_t nft_type_protocol = 12;
constexpr std::uint32_t nft_type_service = 13;
constexpr std::uint32_t nft_type_mark = 19;
constexpr std::uint32_t nft_type_interface_index = 20;
constexpr std::uint32_t nft_type_interface_name = 41;
/// `first . second` as the key of a set.
constexpr std::uint32_t nft_concatenation(std::uint32_t first, std::uint32_t second) { return first << 6 | second; }

constexpr std::array<std::uint8_t, 2> octets_of(std::uint16_t value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value & 0xff)};
}

/// Where something lies in a frame.
struct FrameField {
    std::uint32_t base;     ///< NFT_PAYLOAD_*_HEADER
    std::uint32_t offset;
    std::uint32_t size;
};

constexpr FrameField ipv4_source_field{NFT_PAYLOAD_NETWORK_HEADER, 12, 4};
constexpr FrameField ipv4_destination_field{NFT_PAYLOAD_NETWORK_HEADER, 16, 4};
constexpr FrameField ipv6_source_field{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
constexpr FrameField ipv6_destination_field{NFT_PAYLOAD_NETWORK_HEADER, 24, 16};
constexpr FrameField destination_port_field{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2};
constexpr FrameField icmp_type_field{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1};

// RFC 4861 §4.3, §4.4. The C library's header for them and the kernel's do not go together.
constexpr std::uint8_t icmpv6_protocol = 58;
constexpr std::uint8_t neighbor_solicitation_type = 135;
constexpr std::uint8_t neighbor_advertisement_type = 136;

/// One rule under construction, written as a sentence of its expressions: each if_ lets the rule go on only when it holds. Values pass through one
/// register; what look_up() finds lies in another, for write().
class NftablesRule {
public:
    /// `batch` outlives it.
    NftablesRule(NftablesBatch& batch, const std::string& table, const char* chain);

    /// The protocol that the kernel noted beside the frame: quick, and blind to a VLAN tag.
    NftablesRule& if_protocol(std::uint16_t protocol) { return load_meta(NFT_META_PROTOCOL).compare(NFT_CMP_EQ, octets_of(protocol)); }
    /// NFPROTO_IPV4 or NFPROTO_IPV6, in a table of the inet family.
    NftablesRule& if_family(std::uint8_t family) { return load_meta(NFT_META_NFPROTO).compare(NFT_CMP_EQ, std::array{family}); }
    /// NFT_META_PKTTYPE: PACKET_OTHERHOST and the like.
    NftablesRule& if_packet_type(std::uint8_t type) { return load_meta(NFT_META_PKTTYPE).compare(NFT_CMP_EQ, std::array{type}); }
    NftablesRule& if_transport(std::uint8_t protocol) { return load_meta(NFT_META_L4PROTO).compare(NFT_CMP_EQ, std::array{protocol}); }
    NftablesRule& if_field(const FrameField& field, std::span<const std::uint8_t> value, nft_cmp_ops operation = NFT_CMP_EQ) {
        return load(field).compare(operation, value);
    }
    NftablesRule& if_member(const FrameField& field, const char* set) { return load(field).find(set, 0); }
    /// `set` has pairs of an address and an interface, by NFT_META_{I,O}IFNAME (16 octets) or NFT_META_{I,O}IF (an index).
    NftablesRule& if_member(const FrameField& field, std::uint32_t interface_key, const char* set);
    /// Goes on only when the map has the field; what it maps it to is for write_found().
    NftablesRule& look_up(const FrameField& field, const char* map) { return load(field).find(map, found_register); }
    /// With a checksum (RFC 1071) at `checksum_offset` of the transport header, which is repaired; negative: there is none.
    NftablesRule& write_found(const FrameField& field, int checksum_offset = -1);
    NftablesRule& set_packet_type(std::uint8_t type);
    /// Looks an address, the transport protocol and, `has_port`, the port up in a map, and gives the packet the mark that it finds.
    NftablesRule& mark_by(const FrameField& address, bool has_port, const char* map);
    NftablesRule& count();
    /// NF_ACCEPT, NF_DROP, or NFT_JUMP with a chain.
    NftablesRule& verdict(int code, const char* chain = nullptr);
    /// Behind the rules that the chain has already.
    void append() const;

private:
    static constexpr std::uint32_t value_register = NFT_REG_1;   // 16 octets each
    static constexpr std::uint32_t found_register = NFT_REG_2;   // right behind: a pair of address and interface is one key

    struct Free {
        void operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }
    };

    nftnl_expr* add(const char* name);
    NftablesRule& load_meta(std::uint32_t key, std::uint32_t to = value_register);
    NftablesRule& load(const FrameField& field, std::uint32_t to = value_register);
    NftablesRule& compare(nft_cmp_ops operation, std::span<const std::uint8_t> value);
    NftablesRule& find(const char* set, std::uint32_t to);

    NftablesBatch& batch_;
    std::unique_ptr<nftnl_rule, Free> rule_;
};

}  // namespace vigil::arp::kernel
