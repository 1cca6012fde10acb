#include "arp/kernel/nftables_objects.h"

#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>

#include <memory>

namespace vigil::arp::kernel {

void write_owned_table(NftablesBatch& batch, const std::string& name) {
    const std::unique_ptr<nftnl_table, void (*)(const nftnl_table*)> table(nftnl_table_alloc(), nftnl_table_free);
    nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, name.c_str());
    nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    nlmsghdr* const message = batch.begin(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_table_nlmsg_build_payload(message, table.get());
    batch.end(message);
}

void write_table_removal(NftablesBatch& batch, const std::string& table) {
    nlmsghdr* const message = batch.begin(NFT_MSG_DELTABLE, 0);
    mnl_attr_put_strz(message, NFTA_TABLE_NAME, table.c_str());
    batch.end(message);
}

void write_set(NftablesBatch& batch, const std::string& table, const NftablesSet& shape, std::uint32_t id) {
    const std::unique_ptr<nftnl_set, void (*)(const nftnl_set*)> set(nftnl_set_alloc(), nftnl_set_free);
    const bool is_map = shape.value_size != 0;
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table.c_str());
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, shape.name);
    nftnl_set_set_u32(set.get(), NFTNL_SET_ID, id);
    nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, is_map ? NFT_SET_MAP : 0);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, shape.key_type);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, shape.key_size);
    if (is_map) {
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, shape.value_type);
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, shape.value_size);
    }
    if (shape.capacity != 0) nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, static_cast<std::uint32_t>(shape.capacity));
    nlmsghdr* const message = batch.begin(NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_set_nlmsg_build_payload(message, set.get());
    batch.end(message);
}

void write_chain(NftablesBatch& batch, const std::string& table, const char* name, const NftablesHook* hook) {
    const std::unique_ptr<nftnl_chain, void (*)(const nftnl_chain*)> chain(nftnl_chain_alloc(), nftnl_chain_free);
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_FAMILY, batch.family());
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.c_str());
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name);
    if (hook != nullptr) {
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, "filter");
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook->number);
        nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, hook->priority);
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
        if (hook->device != nullptr) nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_DEV, hook->device);
    }
    nlmsghdr* const message = batch.begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_chain_nlmsg_build_payload(message, chain.get());
    batch.end(message);
}

void put_element_part(nlmsghdr* message, std::uint16_t type, std::span<const std::uint8_t> octets) {
    nlattr* const nest = mnl_attr_nest_start(message, type);
    mnl_attr_put(message, NFTA_DATA_VALUE, octets.size(), octets.data());
    mnl_attr_nest_end(message, nest);
}

}  // namespace vigil::arp::kernel
