#pragma once

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "arp/kernel/nftables_batch.h"

namespace vigil::arp::kernel {

/// Messages that make tables, chains and sets, and change the elements of sets. The family is the batch's.

/// The table belongs to the batch's socket (NFT_TABLE_F_OWNER, since Linux 5.12): the kernel lets nobody else change it, a firewall that flushes everything
/// leaves it alone, and it goes with the socket. EEXIST: there is one of that name.
void write_owned_table(NftablesBatch& batch, const std::string& table);
void write_table_removal(NftablesBatch& batch, const std::string& table);

struct NftablesSet {
    const char* name;
    std::uint32_t key_type;          ///< nft_type_*
    std::uint32_t key_size;          ///< octets
    std::uint32_t value_type = 0;    ///< of a map
    std::uint32_t value_size = 0;    ///< 0: no map
    /// The most elements: the kernel then takes the hash table that never grows while frames look into it. 0: not known.
    std::size_t capacity = 0;
};
/// `id`: a number of its own in the transaction.
void write_set(NftablesBatch& batch, const std::string& table, const NftablesSet& set, std::uint32_t id);

/// Makes a chain be passed: its policy is to accept.
struct NftablesHook {
    std::uint32_t number;            ///< NF_INET_* or NF_NETDEV_*
    std::int32_t priority;
    const char* device = nullptr;    ///< in the netdev family
};
void write_chain(NftablesBatch& batch, const std::string& table, const char* name, const NftablesHook* hook = nullptr);

enum class ElementOperation : std::uint8_t { add, remove };

/// One key or value of an element.
void put_element_part(nlmsghdr* message, std::uint16_t type, std::span<const std::uint8_t> octets);

/// Elements in messages of a length that their attribute's 16-bit size allows. `write_element(message, element)` puts the parts, at most 64 octets.
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

}  // namespace vigil::arp::kernel
