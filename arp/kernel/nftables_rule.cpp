#include "arp/kernel/nftables_rule.h"

#include <linux/netlink.h>

namespace vigil::arp::kernel {

namespace {

void set_place(nftnl_expr* expression, const FrameField& field) {
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, field.base);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, field.offset);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, field.size);
}

}  // namespace

NftablesRule::NftablesRule(NftablesBatch& batch, const std::string& table, const char* chain) : batch_(batch), rule_(nftnl_rule_alloc()) {
    nftnl_rule_set_u32(rule_.get(), NFTNL_RULE_FAMILY, batch.family());
    nftnl_rule_set_str(rule_.get(), NFTNL_RULE_TABLE, table.c_str());
    nftnl_rule_set_str(rule_.get(), NFTNL_RULE_CHAIN, chain);
}

NftablesRule& NftablesRule::if_member(const FrameField& field, std::uint32_t interface_key, const char* set) {
    load(field);
    load_meta(interface_key, found_register);
    return find(set, 0);
}

NftablesRule& NftablesRule::write_found(const FrameField& field, int checksum_offset) {
    nftnl_expr* const expression = add("payload");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_SREG, found_register);
    set_place(expression, field);
    const bool has_checksum = checksum_offset >= 0;
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, has_checksum ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, has_checksum ? static_cast<std::uint32_t>(checksum_offset) : 0);
    return *this;
}

NftablesRule& NftablesRule::set_packet_type(std::uint8_t type) {
    nftnl_expr* const value = add("immediate");
    nftnl_expr_set_u32(value, NFTNL_EXPR_IMM_DREG, value_register);
    nftnl_expr_set(value, NFTNL_EXPR_IMM_DATA, &type, sizeof type);
    nftnl_expr* const expression = add("meta");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, NFT_META_PKTTYPE);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_META_SREG, value_register);
    return *this;
}

/// The key takes the first two registers of 16 octets, in steps of four; the mark comes to the last.
NftablesRule& NftablesRule::mark_by(const FrameField& address, bool has_port, const char* map) {
    constexpr std::uint32_t mark_register = NFT_REG_4;
    const std::uint32_t behind = NFT_REG32_00 + address.size / 4;
    load(address);
    load_meta(NFT_META_L4PROTO, behind);
    if (has_port) load(destination_port_field, behind + 1);
    find(map, mark_register);
    nftnl_expr* const expression = add("meta");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, NFT_META_MARK);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_META_SREG, mark_register);
    return *this;
}

NftablesRule& NftablesRule::count() {
    add("counter");
    return *this;
}

NftablesRule& NftablesRule::verdict(int code, const char* chain) {
    nftnl_expr* const expression = add("immediate");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
    if (chain != nullptr) nftnl_expr_set_str(expression, NFTNL_EXPR_IMM_CHAIN, chain);
    return *this;
}

void NftablesRule::append() const {
    nlmsghdr* const message = batch_.begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    nftnl_rule_nlmsg_build_payload(message, rule_.get());
    batch_.end(message);
}

nftnl_expr* NftablesRule::add(const char* name) {
    nftnl_expr* const expression = nftnl_expr_alloc(name);
    nftnl_rule_add_expr(rule_.get(), expression);
    return expression;
}

NftablesRule& NftablesRule::load_meta(std::uint32_t key, std::uint32_t to) {
    nftnl_expr* const expression = add("meta");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, to);
    return *this;
}

NftablesRule& NftablesRule::load(const FrameField& field, std::uint32_t to) {
    nftnl_expr* const expression = add("payload");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, to);
    set_place(expression, field);
    return *this;
}

NftablesRule& NftablesRule::compare(nft_cmp_ops operation, std::span<const std::uint8_t> value) {
    nftnl_expr* const expression = add("cmp");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, value_register);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, static_cast<std::uint32_t>(operation));
    nftnl_expr_set(expression, NFTNL_EXPR_CMP_DATA, value.data(), static_cast<std::uint32_t>(value.size()));
    return *this;
}

NftablesRule& NftablesRule::find(const char* set, std::uint32_t to) {
    nftnl_expr* const expression = add("lookup");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, value_register);
    nftnl_expr_set_str(expression, NFTNL_EXPR_LOOKUP_SET, set);
    if (to != 0) nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, to);
    return *this;
}

}  // namespace vigil::arp::kernel
