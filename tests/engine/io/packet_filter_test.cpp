#include "engine/io/packet_filter.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

// The program is run by the kernel itself, over the datagrams of a socket pair: no privilege needed. Such datagrams have no VLAN
// metadata and count as addressed to us; those branches are tested over veth (port_netns_test.cpp).

namespace vigil::io {
namespace {

using Frame = std::vector<std::uint8_t>;

Frame ethernet(std::uint16_t type, std::size_t size = 60) {
    Frame frame(size);
    frame[12] = static_cast<std::uint8_t>(type >> 8);
    frame[13] = static_cast<std::uint8_t>(type);
    return frame;
}

Frame ipv4(std::uint8_t protocol, std::uint8_t ttl = 255, std::uint8_t first_octet = 224) {
    Frame frame = ethernet(0x0800);
    frame[14] = 0x45;
    frame[22] = ttl;
    frame[23] = protocol;
    frame[30] = first_octet;
    return frame;
}

Frame udp(std::uint16_t destination_port, std::uint8_t header_words = 5) {
    Frame frame = ipv4(17);
    frame[14] = static_cast<std::uint8_t>(0x40 | header_words);
    const std::size_t port = 14u + header_words * 4u + 2u;
    frame[port] = static_cast<std::uint8_t>(destination_port >> 8);
    frame[port + 1] = static_cast<std::uint8_t>(destination_port);
    return frame;
}

Frame ipv6(std::uint8_t next_header, std::uint8_t hop_limit = 255, std::uint8_t first_octet = 0xff) {
    Frame frame = ethernet(0x86dd, 80);
    frame[14] = 0x60;
    frame[20] = next_header;
    frame[21] = hop_limit;
    frame[38] = first_octet;
    return frame;
}

/// How many bytes of `frame` pass; 0 when it is dropped.
std::size_t passed(const Frame& frame, const FilterOptions& options = {}) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    EXPECT_TRUE(attach_packet_filter(pair[1], options));
    EXPECT_EQ(::send(pair[0], frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
    std::array<std::uint8_t, 4096> buffer{};
    const ssize_t size = ::recv(pair[1], buffer.data(), buffer.size(), 0);
    ::close(pair[0]);
    ::close(pair[1]);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
}

TEST(PacketFilter, TakesVrrpAndAuthenticatedVrrp) {
    EXPECT_EQ(passed(ipv4(112)), 60u);
    EXPECT_EQ(passed(ipv4(51)), 60u);
    EXPECT_EQ(passed(ipv6(112)), 80u);
}

TEST(PacketFilter, DropsEverythingElse) {
    EXPECT_EQ(passed(ipv4(1)), 0u);
    EXPECT_EQ(passed(ipv4(6)), 0u);
    EXPECT_EQ(passed(ipv6(58)), 0u);
    EXPECT_EQ(passed(ipv6(51)), 0u);
    EXPECT_EQ(passed(ethernet(0x0806)), 0u);
}

TEST(PacketFilter, TakesHsrpAlsoBehindIpOptions) {
    EXPECT_EQ(passed(udp(1985)), 60u);
    EXPECT_EQ(passed(udp(1985, 7)), 60u);
    EXPECT_EQ(passed(udp(1986)), 0u);
    EXPECT_EQ(passed(udp(1985), {.hsrp = false}), 0u);
}

TEST(PacketFilter, ALaterFragmentIsNotTakenForHsrp) {
    Frame frame = udp(1985);
    frame[21] = 1;
    EXPECT_EQ(passed(frame), 0u);
}

TEST(PacketFilter, ASecondVlanTagIsNobodysHere) {
    Frame frame = ethernet(0x8100);
    frame[16] = 0x08;
    frame[18] = 0x45;
    frame[27] = 112;
    EXPECT_EQ(passed(frame), 0u);
}

TEST(PacketFilter, FamiliesCanBeLeftOut) {
    EXPECT_EQ(passed(ipv4(112), {.ipv4 = false}), 0u);
    EXPECT_EQ(passed(ipv6(112), {.ipv4 = false}), 80u);
    EXPECT_EQ(passed(ipv6(112), {.ipv6 = false}), 0u);
    EXPECT_EQ(passed(ipv4(112), {.ipv6 = false}), 60u);
}

TEST(PacketFilter, CutsToTheSlot) { EXPECT_EQ(passed(ipv4(112), {.capture_bytes = 40}), 40u); }

TEST(PacketFilter, HopLimitsArriveAtTheCountersUnlessAskedNotTo) {
    EXPECT_EQ(passed(ipv4(112, 254)), 60u);
    EXPECT_EQ(passed(ipv6(112, 1)), 80u);
    const FilterOptions strict{.drop_other_hop_limits = true};
    EXPECT_EQ(passed(ipv4(112, 254), strict), 0u);
    EXPECT_EQ(passed(ipv4(51, 254), strict), 0u);
    EXPECT_EQ(passed(ipv4(112, 255), strict), 60u);
    EXPECT_EQ(passed(ipv6(112, 254), strict), 0u);
    EXPECT_EQ(passed(ipv6(112, 255), strict), 80u);
}

TEST(PacketFilter, UnicastHopLimitsAreTheEnginesBusiness) {
    const FilterOptions strict{.drop_other_hop_limits = true};
    EXPECT_EQ(passed(ipv4(112, 64, 10), strict), 60u);
    EXPECT_EQ(passed(ipv6(112, 64, 0xfe), strict), 80u);
}

TEST(PacketFilter, SurvivesFramesOfEveryLength) {
    for (const Frame& whole : {ipv4(112), udp(1985), ipv6(112)}) {
        for (std::size_t size = 1; size < whole.size(); ++size) {
            EXPECT_LE(passed(Frame(whole.begin(), whole.begin() + static_cast<long>(size))), size);
        }
    }
}

}  // namespace
}  // namespace vigil::io
