#include "tests/arp/kernel/nftables_listing.h"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include <array>

#include "arp/kernel/nftables_batch.h"

namespace vigil::arp::kernel::test {

namespace {

NetlinkSocket open_socket() {
    SocketOptions options;
    options.protocol = NETLINK_NETFILTER;
    auto socket = NetlinkSocket::open(options);
    EXPECT_TRUE(socket);
    return std::move(*socket);
}

}  // namespace

std::vector<std::string> list_tables() {
    NetlinkSocket socket = open_socket();
    RequestRoom room{};
    MessageWriter message(room.bytes, static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE), NLM_F_DUMP, socket.next_sequence());
    message.put_header<nfgenmsg>()->nfgen_family = NFPROTO_UNSPEC;
    std::vector<std::string> names;
    const auto listed = socket.query(message, [&](const nlmsghdr& answer) {
        names.emplace_back(AttributeTable(answer, sizeof(nfgenmsg)).text(NFTA_TABLE_NAME).value_or("?"));
    });
    EXPECT_TRUE(listed) << to_string(listed.error());
    return names;
}

void flush_ruleset() {
    NetlinkSocket socket = open_socket();
    NftablesBatch batch(socket, NFPROTO_UNSPEC);
    nlmsghdr* const message = batch.begin(NFT_MSG_DELTABLE, 0);
    batch.end(message);
    const auto flushed = batch.commit();
    EXPECT_TRUE(flushed) << to_string(flushed.error());
}

bool has_neighbor(NetlinkSocket& socket, std::uint32_t interface_index, const IpAddress& address, const MacAddress& mac) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_GETNEIGH, NLM_F_DUMP, socket.next_sequence());
    message.put_header<ndmsg>();
    bool is_found = false;
    const auto listed = socket.query(message, [&](const nlmsghdr& answer) {
        const auto* const header = read_header<ndmsg>(answer);
        if (header == nullptr || header->ndm_ifindex != static_cast<int>(interface_index)) return;
        const AttributeTable attributes(answer, sizeof(ndmsg));
        is_found = is_found || (attributes.address(NDA_DST, address.family) == address && attributes.mac(NDA_LLADDR) == mac);
    });
    EXPECT_TRUE(listed) << to_string(listed.error());
    return is_found;
}

}  // namespace vigil::arp::kernel::test
