#include "arp/announcement_frame.h"

#include <gtest/gtest.h>

#include "arp/arp_message.h"
#include "arp/neighbor_message.h"
#include "tests/packet/frame_builder.h"

namespace vigil::arp {
namespace {

using test::from_hex;
using test::Octets;

constexpr MacAddress virtual_mac_33{{0x00, 0x00, 0x5e, 0x00, 0x01, 0x33}};
constexpr MacAddress virtual_mac_v6{{0x00, 0x00, 0x5e, 0x00, 0x02, 0x33}};

Octets octets_of(const AnnouncementFrame& frame) { return {frame.bytes().begin(), frame.bytes().end()}; }

TEST(GratuitousArp, RequestFormByHand) {
    EXPECT_EQ(octets_of(gratuitous_arp(ipv4(10, 0, 0, 100), virtual_mac_33, GratuitousForm::request)),
              from_hex("ffffffffffff 00005e000133 0806 0001 0800 06 04 0001"
                       "00005e000133 0a000064 ffffffffffff 0a000064"));
}

TEST(GratuitousArp, ReplyFormByHand) {
    EXPECT_EQ(octets_of(gratuitous_arp(ipv4(10, 0, 0, 100), virtual_mac_33, GratuitousForm::reply)),
              from_hex("ffffffffffff 00005e000133 0806 0001 0800 06 04 0002"
                       "00005e000133 0a000064 00005e000133 0a000064"));
}

TEST(GratuitousArp, RequestFormEqualsKeepalived) {
    // Captured from keepalived 2.2.7.
    EXPECT_EQ(octets_of(gratuitous_arp(ipv4(10, 20, 30, 100), {{0x02, 0, 0, 0, 0, 0x01}}, GratuitousForm::request)),
              from_hex("ffffffffffff 020000000001 0806 0001 0800 0604 0001 020000000001 0a141e64 ffffffffffff 0a141e64"));
}

TEST(NeighborAdvertisement, UnsolicitedByHand) {
    // Sum over the pseudo-header (2001 0db8 0000.. 0100 twice with the target, ff02 0001, length 0020, next header 003a) and the
    // message (8800 0000 a000 0000, target, 0201 0000 5e00 0233):
    // source 2001 + 0db8 + 0100 = 2eb9; the target adds the same: 5d72; + ff02 + 0001 = 15c75; + 0020 + 003a = 15ccf;
    // + 8800 + a000 = 284cf; + 0201 + 5e00 + 0233 = 2e703; e703 + 2 = e705; complement 18fa.
    EXPECT_EQ(octets_of(unsolicited_neighbor_advertisement(test::address_of("2001:db8::100"), virtual_mac_v6, true)),
              from_hex("333300000001 00005e000233 86dd 60000000 0020 3a ff"
                       "20010db8000000000000000000000100 ff020000000000000000000000000001"
                       "88 00 18fa a0000000 20010db8000000000000000000000100 02 01 00005e000233"));
}

TEST(NeighborAdvertisement, OfAHostHasTheRouterFlagClear) {
    const auto frame = unsolicited_neighbor_advertisement(test::address_of("fe80::100"), virtual_mac_v6, false);
    EXPECT_EQ(frame.octets[58], 0x20);  // Override alone
}

TEST(Announcement, IsChosenByTheFamily) {
    const auto arp = announcement(ipv4(10, 0, 0, 100), virtual_mac_33, GratuitousForm::reply, true);
    EXPECT_EQ(arp.size, 42);
    const auto neighbor = announcement(test::address_of("fe80::100"), virtual_mac_v6, GratuitousForm::reply, true);
    EXPECT_EQ(neighbor.size, 86);
    EXPECT_TRUE(read_neighbor_frame(neighbor.bytes())->is_router);
    EXPECT_EQ(read_arp_frame(arp.bytes())->operation, ArpOperation::reply);
}

}  // namespace
}  // namespace vigil::arp
