#include "arp/kernel/accept_filter.h"

#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "tests/arp/kernel/nftables_listing.h"
#include "tests/arp/kernel/two_hosts.h"

namespace vigil::arp::kernel {
namespace {

using test::Frame;
using test::list_tables;

constexpr IpAddress virtual_ip = ipv4(192, 0, 2, 10);

class AcceptFilterTest : public test::TwoHosts {
protected:
    void SetUp() override {
        TwoHosts::SetUp();
        filter_ = open();
        const auto built = filter_->build({});
        if (!built && built.error().error_number == EOPNOTSUPP) GTEST_SKIP() << "nftables tables have no owners here (Linux 5.12)";
        ASSERT_TRUE(built) << to_string(built.error());
    }

    static AcceptFilter open() {
        auto opened = AcceptFilter::open();
        EXPECT_TRUE(opened) << to_string(opened.error());
        return std::move(*opened);
    }
    void block(const FilteredAddress& address) {
        filter_->block(address);
        commit();
    }
    void unblock(const FilteredAddress& address) {
        filter_->unblock(address);
        commit();
    }
    void commit() {
        const auto done = filter_->commit();
        EXPECT_TRUE(done) << to_string(done.error());
        EXPECT_FALSE(filter_->has_changes());
    }
    bool takes(const IpAddress& address) { return takes_frame_to(router_mac(), address); }
    FilteredAddress on_interface(const IpAddress& address, const char* name) const {
        FilteredAddress blocked{address, {}};
        if (filter_->shape().by_interface_index) {
            const unsigned index = if_nametoindex(name);
            std::memcpy(blocked.interface.data(), &index, sizeof index);
        } else {
            std::copy_n(name, std::strlen(name), blocked.interface.begin());
        }
        return blocked;
    }
    /// How often the router answers a solicitation for one of its addresses; IPv4's ARP marks the end.
    std::ptrdiff_t neighbor_answers_for(const IpAddress& address) {
        Frame frame(86);
        packet::ByteWriter writer(frame);
        const IpAddress group = solicited_node_group(address);
        write_neighbor_frame(writer, multicast_mac(group), host_mac(),
                             {.type = NeighborMessageType::solicitation, .source = *read_address("fe80::100"), .destination = group,
                              .target = address, .link_layer = host_mac()});
        send(frame);
        const auto frames = frames_until_answer_for(router_ip);
        return std::ranges::count_if(frames, [&](const Frame& one) { return read_neighbor_frame(one) && read_neighbor_frame(one)->target == address; });
    }

    std::optional<AcceptFilter> filter_;
};

TEST_F(AcceptFilterTest, Rfc9568_6_4_3_8_PacketsToABlockedAddressAreNotTaken) {
    add_router_address(virtual_ip, 24);
    EXPECT_TRUE(takes(virtual_ip));
    block({virtual_ip});
    EXPECT_FALSE(takes(virtual_ip));
    EXPECT_TRUE(takes(router_ip)) << "no virtual address";
    unblock({virtual_ip});
    EXPECT_TRUE(takes(virtual_ip));
}

TEST_F(AcceptFilterTest, Rfc9568_6_4_3_1_ArpIsAnsweredAllTheSame) {
    add_router_address(virtual_ip, 24);
    block({virtual_ip});
    EXPECT_TRUE(ask(virtual_ip, router_ip));
}

TEST_F(AcceptFilterTest, Rfc9568_6_1_7_NeighbourDiscoveryPasses) {
    const IpAddress address = *read_address("2001:db8::10");
    add_router_address(address, 64);
    ASSERT_EQ(neighbor_answers_for(address), 1) << "the test asks in the right way";
    block({address});
    EXPECT_EQ(neighbor_answers_for(address), 1);
}

TEST_F(AcceptFilterTest, AnAddressThatTwoBlockIsFreeWhenBothLetGo) {
    add_router_address(virtual_ip, 24);
    block({virtual_ip});
    block({virtual_ip});
    unblock({virtual_ip});
    EXPECT_FALSE(takes(virtual_ip));
    unblock({virtual_ip});
    EXPECT_TRUE(takes(virtual_ip));
    unblock({virtual_ip});   // one too many
    block({virtual_ip});
    EXPECT_FALSE(takes(virtual_ip));
}

TEST_F(AcceptFilterTest, ChangesThatCancelEachOtherAreNone) {
    block({virtual_ip});
    filter_->unblock({virtual_ip});
    filter_->block({virtual_ip});
    commit();
    add_router_address(virtual_ip, 24);
    EXPECT_FALSE(takes(virtual_ip));
}

TEST_F(AcceptFilterTest, LinkLocalAddressesGoByTheirInterface) {
    for (const bool by_index : {false, true}) {
        ASSERT_TRUE(filter_->build({.by_interface_index = by_index}));
        const FilteredAddress elsewhere = on_interface(*read_address("fe80::10"), "lo");
        block(elsewhere);
        const FilteredAddress here = on_interface(*read_address("fe80::10"), "lan");
        block(here);
        unblock(here);
        unblock(elsewhere);
    }
}

TEST_F(AcceptFilterTest, AFirewallThatFlushesEverythingLeavesIt) {
    add_router_address(virtual_ip, 24);
    block({virtual_ip});
    test::flush_ruleset();
    EXPECT_EQ(list_tables(), std::vector<std::string>{"keepalived"});
    EXPECT_FALSE(takes(virtual_ip));
}

TEST_F(AcceptFilterTest, GoesWithItsSocketAsAfterAKill) {
    block({virtual_ip});
    filter_.reset();
    EXPECT_TRUE(list_tables().empty());
}

TEST_F(AcceptFilterTest, TakesANameOfItsOwnWhereAnotherHasTheTable) {
    AcceptFilter second = open();
    ASSERT_TRUE(second.build({}));
    EXPECT_TRUE(second.table().starts_with("keepalived_")) << second.table();
    EXPECT_EQ(list_tables().size(), 2U);
    add_router_address(virtual_ip, 24);
    second.block({virtual_ip});
    ASSERT_TRUE(second.commit());
    EXPECT_FALSE(takes(virtual_ip));
    ASSERT_TRUE(second.clear());
    EXPECT_EQ(list_tables(), std::vector<std::string>{"keepalived"});
    EXPECT_TRUE(takes(virtual_ip));
}

TEST_F(AcceptFilterTest, AnotherShapeKeepsWhatIsBlocked) {
    add_router_address(virtual_ip, 24);
    block({virtual_ip});
    ASSERT_TRUE(filter_->build({.table = "other", .priority = 5, .has_counters = true}));
    EXPECT_EQ(list_tables(), std::vector<std::string>{"other"});
    EXPECT_FALSE(takes(virtual_ip));
    ASSERT_TRUE(filter_->build({.table = "other", .priority = 7}));
    EXPECT_EQ(list_tables(), std::vector<std::string>{"other"});
    EXPECT_FALSE(takes(virtual_ip));
    unblock({virtual_ip});
    EXPECT_TRUE(takes(virtual_ip));
}

TEST_F(AcceptFilterTest, WhatIsBlockedBeforeItIsBuiltCounts) {
    AcceptFilter other = open();
    other.block({virtual_ip});
    EXPECT_TRUE(other.commit());
    add_router_address(virtual_ip, 24);
    EXPECT_TRUE(takes(virtual_ip));
    ASSERT_TRUE(other.build({.table = "other"}));
    EXPECT_FALSE(takes(virtual_ip));
}

TEST_F(AcceptFilterTest, ClearingTakesAllAway) {
    add_router_address(virtual_ip, 24);
    block({virtual_ip});
    ASSERT_TRUE(filter_->clear());
    EXPECT_TRUE(list_tables().empty());
    EXPECT_TRUE(takes(virtual_ip));
    ASSERT_TRUE(filter_->build({}));
    EXPECT_TRUE(takes(virtual_ip));
}

/// In several messages, and with a small buffer in several transactions.
TEST_F(AcceptFilterTest, ThousandsAtOnce) {
    auto small = AcceptFilter::open(32 << 10);
    ASSERT_TRUE(small);
    ASSERT_TRUE(small->build({.table = "small"}));
    const auto address_of = [](std::uint32_t i) { return ipv4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i & 0xff)); };
    for (std::uint32_t i = 0; i < 5000; ++i) small->block({address_of(i)});
    small->block({virtual_ip});
    ASSERT_TRUE(small->commit());
    add_router_address(virtual_ip, 24);
    EXPECT_FALSE(takes(virtual_ip));
    for (std::uint32_t i = 0; i < 5000; ++i) small->unblock({address_of(i)});
    ASSERT_TRUE(small->commit());
    EXPECT_FALSE(takes(virtual_ip));
    small->unblock({virtual_ip});
    ASSERT_TRUE(small->commit());
    EXPECT_TRUE(takes(virtual_ip));
}

}  // namespace
}  // namespace vigil::arp::kernel
