#include "arp/kernel/virtual_mac_set.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "arp/kernel/sysctl.h"
#include "tests/arp/kernel/nftables_listing.h"
#include "tests/arp/kernel/two_hosts.h"

namespace vigil::arp::kernel {
namespace {

using test::Frame;
using test::list_tables;
using test::source_of;
using test::type_of;

constexpr IpAddress virtual_ip = ipv4(192, 0, 2, 10);
constexpr MacAddress mac7 = virtual_mac(Family::ipv4, Vrid{7});
constexpr MacAddress mac8 = virtual_mac(Family::ipv4, Vrid{8});
constexpr MacAddress mac7_ipv6 = virtual_mac(Family::ipv6, Vrid{7});

class VirtualMacSetTest : public test::TwoHosts {
protected:
    void SetUp() override {
        TwoHosts::SetUp();
        auto opened = VirtualMacSet::open();
        ASSERT_TRUE(opened) << to_string(opened.error());
        set_.emplace(std::move(*opened));
        if (const auto probed = set_->probe(); !probed) {
            GTEST_SKIP() << "the kernel has no nftables egress hook (Linux 5.16, CONFIG_NETFILTER_EGRESS): " << to_string(probed.error());
        }
    }

    VirtualMacSet::Member add(const MacAddress& mac, std::vector<IpAddress> addresses, bool is_owner = false) {
        return set_->add({.interface = "lan", .mac = mac, .addresses = std::move(addresses), .is_owner = is_owner});
    }
    void build() {
        for (const KernelError& error : set_->build()) ADD_FAILURE() << to_string(error);
    }
    void become(VirtualMacSet::Member member, bool is_active) {
        set_->want(member, is_active);
        for (const KernelError& error : set_->commit()) ADD_FAILURE() << to_string(error);
        EXPECT_FALSE(set_->has_changes());
    }

    std::optional<VirtualMacSet> set_;
};

TEST_F(VirtualMacSetTest, AnActiveAnswersArpWithTheVirtualMac) {
    const auto member = add(mac7, {virtual_ip});
    build();
    become(member, true);
    add_router_address(virtual_ip, 24);
    const auto answer = ask(virtual_ip, router_ip);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->sender_mac, mac7);
}

TEST_F(VirtualMacSetTest, OtherAddressesKeepTheInterfacesMac) {
    const auto member = add(mac7, {virtual_ip});
    build();
    become(member, true);
    add_router_address(ipv4(192, 0, 2, 11), 24);
    const auto answer = ask(ipv4(192, 0, 2, 11), router_ip);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->sender_mac, router_mac());
}

TEST_F(VirtualMacSetTest, ABackupIsSilentEvenWhileTheKernelStillHasTheAddress) {
    const auto member = add(mac7, {virtual_ip});
    build();
    add_router_address(virtual_ip, 24);
    EXPECT_FALSE(ask(virtual_ip, router_ip)) << "before it was ever Active";
    become(member, true);
    EXPECT_TRUE(ask(virtual_ip, router_ip));
    become(member, false);
    EXPECT_FALSE(ask(virtual_ip, router_ip)) << "after it was Active";
}

TEST_F(VirtualMacSetTest, FramesToTheVirtualMacAreTakenOnlyWhileActive) {
    const auto member = add(mac7, {virtual_ip});
    build();
    EXPECT_TRUE(takes_frame_to(router_mac(), router_ip));
    EXPECT_FALSE(takes_frame_to(mac7, router_ip));
    become(member, true);
    EXPECT_TRUE(takes_frame_to(mac7, router_ip));
    EXPECT_FALSE(takes_frame_to(mac8, router_ip)) << "nobody's";
    become(member, false);
    EXPECT_FALSE(takes_frame_to(mac7, router_ip));
}

TEST_F(VirtualMacSetTest, TrafficFromTheAddressCarriesTheVirtualMac) {
    const auto member = add(mac7, {virtual_ip});
    build();
    become(member, true);
    add_router_address(virtual_ip, 24);
    ASSERT_TRUE(exchange_datagrams(virtual_ip));
    std::size_t datagrams = 0;
    for (const Frame& frame : frames_until_answer_for(router_ip)) {
        if (type_of(frame) == 0x0806) {
            EXPECT_EQ(source_of(frame), mac7);
            EXPECT_EQ(read_arp_frame(frame)->sender_mac, mac7) << "answers, and questions that the kernel asks in the address's name";
        }
        if (type_of(frame) != 0x0800) continue;
        ++datagrams;
        EXPECT_EQ(source_of(frame), mac7);
    }
    EXPECT_EQ(datagrams, 1U);
}

TEST_F(VirtualMacSetTest, NeighbourDiscoveryAnswersWithTheVirtualMac) {
    const IpAddress address = *read_address("2001:db8::10");
    const auto member = add(mac7_ipv6, {address});
    build();
    become(member, true);
    add_router_address(address, 64);
    add_host_address(*read_address("2001:db8::100"), 64);
    ASSERT_TRUE(exchange_datagrams(address));
    std::size_t advertisements = 0;
    std::size_t datagrams = 0;
    for (const Frame& frame : frames_until_answer_for(router_ip)) {
        if (type_of(frame) != 0x86dd || !std::equal(address.octets.begin(), address.octets.end(), frame.begin() + 22)) continue;
        EXPECT_EQ(source_of(frame), mac7_ipv6);
        if (frame[20] == 17) ++datagrams;
        if (frame[20] != 58) continue;
        const auto message = read_neighbor_frame(frame);
        ASSERT_TRUE(message) << "error " << static_cast<int>(message.error());   // includes the checksum
        EXPECT_EQ(message->link_layer, mac7_ipv6);
        if (message->type == NeighborMessageType::advertisement) ++advertisements;
    }
    EXPECT_EQ(advertisements, 1U);
    EXPECT_EQ(datagrams, 1U);
}

TEST_F(VirtualMacSetTest, SolicitationsFromTheAddressCarryTheVirtualMac) {
    const IpAddress address = *read_address("2001:db8::10");
    const auto member = add(mac7_ipv6, {address});
    build();
    become(member, true);
    add_router_address(address, 64);
    // Nobody has the destination, so the kernel asks.
    const IpAddress nobody = *read_address("2001:db8::99");
    send_datagram_to(nobody);
    const auto asked = wait_for([&](const Frame& frame) {
        const auto message = read_neighbor_frame(frame);
        return message && message->type == NeighborMessageType::solicitation && message->target == nobody;
    });
    ASSERT_TRUE(asked);
    EXPECT_EQ(source_of(*asked), mac7_ipv6);
    EXPECT_EQ(read_neighbor_frame(*asked)->link_layer, mac7_ipv6);
}

TEST_F(VirtualMacSetTest, ABackupIsSilentInNeighbourDiscovery) {
    const IpAddress address = *read_address("2001:db8::10");
    const IpAddress host = *read_address("2001:db8::100");
    const auto member = add(mac7_ipv6, {address});
    build();
    add_router_address(address, 64);
    const auto answers = [&] {
        Frame frame(86);
        packet::ByteWriter writer(frame);
        const IpAddress group = solicited_node_group(address);
        write_neighbor_frame(writer, multicast_mac(group), host_mac(),
                             {.type = NeighborMessageType::solicitation, .source = host, .destination = group, .target = address, .link_layer = host_mac()});
        send(frame);
        const auto frames = frames_until_answer_for(router_ip);
        return std::ranges::count_if(frames, [&](const Frame& one) { return read_neighbor_frame(one) && read_neighbor_frame(one)->target == address; });
    };
    EXPECT_EQ(answers(), 0);
    become(member, true);
    EXPECT_EQ(answers(), 1) << "the test asks in the right way";
    become(member, false);
    EXPECT_EQ(answers(), 0);
}

TEST_F(VirtualMacSetTest, AnotherRoutersGratuitousArpIsNotAnsweredWhileActive) {
    // With its default the kernel takes nothing that says it comes from an address of its own.
    ASSERT_TRUE(write_sysctl("net/ipv4/conf/lan/accept_local", "1"));
    const auto member = add(mac7, {virtual_ip});
    build();
    become(member, true);
    add_router_address(virtual_ip, 24);
    Frame announcement(42);
    packet::ByteWriter writer(announcement);
    write_arp_frame(writer, broadcast_mac, mac7, {ArpOperation::request, mac7, virtual_ip, {}, virtual_ip});
    send(announcement);
    for (const Frame& frame : frames_until_answer_for(router_ip)) EXPECT_NE(type_of(frame), 0x0806) << "a switch would learn the wrong port";
}

TEST_F(VirtualMacSetTest, ABackupLearnsFromTheActivesGratuitousArp) {
    ASSERT_TRUE(write_sysctl("net/ipv4/conf/lan/arp_accept", "1"));
    add(mac7, {virtual_ip});
    build();
    Frame announcement(42);
    packet::ByteWriter writer(announcement);
    write_arp_frame(writer, broadcast_mac, mac7, {ArpOperation::request, mac7, virtual_ip, {}, virtual_ip});
    send(announcement);
    frames_until_answer_for(router_ip);
    EXPECT_TRUE(test::has_neighbor(socket(), router_index(), virtual_ip, mac7));
}

/// A bridge passes tagged frames on with their tag beside them, as a VLAN device does.
TEST_F(VirtualMacSetTest, TaggedFramesAreAnotherLans) {
    const auto member = add(mac7, {virtual_ip});
    const auto other = add(mac8, {ipv4(192, 0, 2, 11)});
    build();
    become(member, true);
    make_bridge("bridge");
    make_veth("vlan", "port");
    enslave("lan", "bridge");
    enslave("port", "bridge");
    constexpr MacAddress their_mac{{2, 0, 0, 0, 0, 9}};
    for (const IpAddress& address : {virtual_ip, ipv4(192, 0, 2, 11)}) {
        Frame tagged(46);
        packet::ByteWriter writer(std::span<std::uint8_t>(tagged).subspan(4));
        write_arp_frame(writer, broadcast_mac, their_mac, {ArpOperation::request, their_mac, address, {}, ipv4(192, 0, 2, 99)});
        std::copy_n(tagged.begin() + 4, 12, tagged.begin());
        std::ranges::copy(std::array<std::uint8_t, 4>{0x81, 0x00, 0x00, 0x05}, tagged.begin() + 12);
        send_from("vlan", tagged);
        const auto passed = wait_for([](const Frame& frame) { return type_of(frame) == 0x0806; });   // the socket takes the tag off
        ASSERT_TRUE(passed) << "dropped: " << to_string(address);
        EXPECT_EQ(source_of(*passed), their_mac);
        EXPECT_EQ(read_arp_frame(*passed)->sender_mac, their_mac);
    }
    become(other, false);
}

TEST_F(VirtualMacSetTest, AnOwnersAddressIsOrdinaryWhileItIsNotActive) {
    const auto member = add(mac7, {router_ip}, true);
    build();
    add_router_address(virtual_ip, 24);
    EXPECT_EQ(ask(router_ip, virtual_ip).value().sender_mac, router_mac());
    become(member, true);
    EXPECT_EQ(ask(router_ip, virtual_ip).value().sender_mac, mac7);
    become(member, false);
    EXPECT_EQ(ask(router_ip, virtual_ip).value().sender_mac, router_mac());
}

TEST_F(VirtualMacSetTest, AnAddressOfTwoRoutersFollowsTheActiveOne) {
    const auto first = add(mac7, {virtual_ip});
    const auto second = add(mac8, {virtual_ip});
    build();
    add_router_address(virtual_ip, 24);
    EXPECT_FALSE(ask(virtual_ip, router_ip));
    become(second, true);
    EXPECT_EQ(ask(virtual_ip, router_ip).value().sender_mac, mac8);
    become(first, true);
    EXPECT_EQ(ask(virtual_ip, router_ip).value().sender_mac, mac7);
    become(first, false);
    EXPECT_EQ(ask(virtual_ip, router_ip).value().sender_mac, mac8);
    become(second, false);
    EXPECT_FALSE(ask(virtual_ip, router_ip));
}

TEST_F(VirtualMacSetTest, TwoRoutersMayHaveOneMac) {
    const IpAddress other_ip = ipv4(192, 0, 2, 11);
    const auto first = add(mac7, {virtual_ip});
    const auto second = add(mac7, {other_ip});
    build();
    become(first, true);
    become(second, true);
    become(first, false);
    EXPECT_TRUE(takes_frame_to(mac7, router_ip)) << "the second is Active still";
    become(second, false);
    EXPECT_FALSE(takes_frame_to(mac7, router_ip));
}

TEST_F(VirtualMacSetTest, NothingIsLeftWhenItIsCleared) {
    const auto member = add(mac7, {virtual_ip});
    build();
    become(member, true);
    EXPECT_EQ(list_tables().size(), 1U);
    ASSERT_TRUE(set_->clear());
    EXPECT_TRUE(list_tables().empty());
}

TEST_F(VirtualMacSetTest, ProbingLeavesNothing) { EXPECT_TRUE(list_tables().empty()); }

TEST_F(VirtualMacSetTest, AKilledProcessLeavesNothing) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        auto own = VirtualMacSet::open();
        if (!own) _exit(1);
        own->want(own->add({.interface = "lan", .mac = mac7, .addresses = {virtual_ip}}), true);
        const bool is_made = own->build().empty();
        if (::write(ready[1], is_made ? "1" : "0", 1) != 1) _exit(1);
        for (;;) pause();
    }
    char answer = '0';
    ASSERT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, '1');
    EXPECT_EQ(list_tables().size(), 1U);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(list_tables().empty());
    close(ready[0]);
    close(ready[1]);
}

TEST_F(VirtualMacSetTest, AnotherProgramsFlushDoesNotTouchIt) {
    const auto member = add(mac7, {virtual_ip});
    build();
    become(member, true);
    add_router_address(virtual_ip, 24);
    test::flush_ruleset();
    EXPECT_EQ(ask(virtual_ip, router_ip).value().sender_mac, mac7);
}

TEST_F(VirtualMacSetTest, ADeviceThatComesBackIsServedAgain) {
    const auto member = add(mac7, {ipv4(198, 51, 100, 10)});
    const auto other = set_->add({.interface = "v0", .mac = mac8, .addresses = {virtual_ip}});
    make_veth("v0", "v1");
    build();
    become(member, true);
    become(other, true);
    remove_link(link("v0").index);
    set_->forget_device("v0");
    EXPECT_EQ(list_tables().size(), 1U);
    become(other, false);   // meanwhile
    make_veth("v0", "v1");
    const auto rebuilt = set_->rebuild("v0");
    ASSERT_TRUE(rebuilt) << to_string(rebuilt.error());
    become(other, true);
    become(other, false);
    EXPECT_EQ(list_tables().size(), 2U);
}

TEST_F(VirtualMacSetTest, ADeviceThatCannotBeSpoilsNoOther) {
    // A name that no device can have. One that is only missing is refused before Linux 6.16, and waited for since.
    set_->add({.interface = "a_name_much_too_long", .mac = mac8, .addresses = {virtual_ip}});
    const auto member = add(mac7, {virtual_ip});
    const auto failures = set_->build();
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_TRUE(failures[0].text.starts_with("a_name_much_too_long")) << to_string(failures[0]);
    set_->want(member, true);
    EXPECT_TRUE(set_->commit().empty()) << "said already";
    EXPECT_TRUE(set_->has_changes()) << "it is tried again";
    add_router_address(virtual_ip, 24);
    EXPECT_EQ(ask(virtual_ip, router_ip).value().sender_mac, mac7);
}

TEST_F(VirtualMacSetTest, WhatTheKernelRefusedIsSaidOnceAndTriedAgain) {
    const auto member = add(mac7, {virtual_ip});
    const auto other = add(mac8, {ipv4(192, 0, 2, 11)});
    build();
    add_router_address(virtual_ip, 24);
    {
        const test::WithoutNetAdmin refused;
        EXPECT_FALSE(set_->rebuild("lan"));
        EXPECT_TRUE(set_->has_changes());
    }
    EXPECT_TRUE(set_->commit().empty());
    EXPECT_FALSE(set_->has_changes());
    set_->want(member, true);
    {
        const test::WithoutNetAdmin refused;
        const auto failures = set_->commit();
        ASSERT_EQ(failures.size(), 1U);
        EXPECT_EQ(failures[0].error_number, EPERM);
        EXPECT_TRUE(failures[0].text.starts_with("lan")) << failures[0].text;
        EXPECT_TRUE(set_->has_changes());
        set_->want(other, true);
        EXPECT_TRUE(set_->commit().empty()) << "said already";
    }
    EXPECT_TRUE(set_->has_changes());
    EXPECT_TRUE(set_->commit().empty());
    EXPECT_FALSE(set_->has_changes());
    EXPECT_EQ(ask(virtual_ip, router_ip).value().sender_mac, mac7);
    EXPECT_TRUE(takes_frame_to(mac8, router_ip));
    become(other, false);
    EXPECT_FALSE(takes_frame_to(mac8, router_ip));
}

TEST_F(VirtualMacSetTest, ASmallSocketTakesManyRoutersInSeveralTransactions) {
    constexpr int room_for_one_message = 40'000;   // the kernel doubles it
    auto small = VirtualMacSet::open(room_for_one_message);
    ASSERT_TRUE(small);
    set_.emplace(std::move(*small));
    std::vector<VirtualMacSet::Member> members;
    for (unsigned i = 0; i < 510; ++i) {
        std::vector<IpAddress> addresses;
        for (std::uint8_t number = 1; number <= 10; ++number) {
            addresses.push_back(ipv4(10, static_cast<std::uint8_t>(i / 255), static_cast<std::uint8_t>(i % 255), number));
        }
        members.push_back(add(virtual_mac(i < 255 ? Family::ipv4 : Family::ipv6, static_cast<Vrid>(1 + i % 255)), addresses));
    }
    build();
    for (const bool is_active : {true, false, true}) {
        for (const auto member : members) set_->want(member, is_active);
        for (const KernelError& error : set_->commit()) ADD_FAILURE() << to_string(error);
        EXPECT_FALSE(set_->has_changes());
        EXPECT_EQ(takes_frame_to(mac7, router_ip), is_active);
        EXPECT_EQ(takes_frame_to(virtual_mac(Family::ipv6, Vrid{255}), router_ip), is_active);
    }
}

TEST_F(VirtualMacSetTest, WithoutRightsItSaysSo) {
    EXPECT_EQ(test::run_without_net_admin([] {
                  auto own = VirtualMacSet::open();
                  if (!own) return 1;
                  const auto probed = own->probe();
                  return !probed && probed.error().error_number == EPERM ? 0 : 2;
              }),
              0);
}

}  // namespace
}  // namespace vigil::arp::kernel
