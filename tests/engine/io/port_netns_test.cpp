#include <gtest/gtest.h>

#include "engine/io/clock.h"
#include "packet/frame_template.h"
#include "tests/engine/io/test_namespace.h"
#include "tests/engine/io/test_wire.h"

// What an interface's port lets in, and what it tells the kernel and the LAN.

namespace vigil::io {
namespace {

/// An advert as a peer would send it.
Frame sound_advert(Vrid vrid, std::uint8_t ttl) {
    packet::AdvertisementSpec spec;
    spec.version = VrrpVersion::v3;
    spec.vrid = vrid;
    spec.ttl = ttl;
    spec.destination = vrrp_group_ipv4;
    spec.source = *read_address("10.0.0.1");
    spec.addresses = {&spec.source, 1};
    spec.destination_mac = multicast_mac(vrrp_group_ipv4);
    Frame frame(packet::frame_size(spec));
    EXPECT_TRUE(packet::build_advertisement_frame(spec, frame));
    return frame;
}

class Port : public testing::Test {
protected:
    void SetUp() override { make_veth_pair(); }
    void TearDown() override { remove_veth_pair(); }

    /// Numbers of the frames that reached the ring. veth delivers in order: once the marker is here, whatever was sent before it was refused.
    std::vector<std::uint32_t> numbers_until_marker(LinkPort& port, Tap& sender) {
        constexpr std::uint32_t marker = 999'999;
        EXPECT_TRUE(sender.send(multicast_frame(marker)));
        std::vector<std::uint32_t> numbers;
        const Instant limit = clock::now() + std::chrono::seconds{20};
        while (clock::now() < limit) {
            for (const Received& frame : read_ring(port)) {
                if (number_in(frame.bytes) == marker) return numbers;
                numbers.push_back(number_in(frame.bytes));
            }
        }
        ADD_FAILURE() << "the marker never came";
        return numbers;
    }
};

TEST_F(Port, FramesArriveByteForByte) {
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    const Frame frame = multicast_frame(7, 100);
    ASSERT_TRUE(sender.send(frame));
    std::vector<Received> received;
    while (received.empty()) received = read_ring(*port);
    EXPECT_EQ(received[0].bytes, frame);
    EXPECT_FALSE(received[0].is_truncated);
}

TEST_F(Port, FramesOfAnotherVlanAreNotHeardAndPriorityTaggedOnesAre) {
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    ASSERT_TRUE(sender.send(tagged_frame(1, 5)));
    ASSERT_TRUE(sender.send(tagged_frame(2, 0)));
    ASSERT_TRUE(sender.send(tagged_frame(3, 4095)));
    EXPECT_EQ(numbers_until_marker(*port, sender), std::vector<std::uint32_t>{2});
}

TEST_F(Port, UnicastForAnotherStationIsNotHeardEvenInPromiscuousMode) {
    ASSERT_TRUE(ip("link set v1 promisc on"));
    ASSERT_TRUE(ip("link set v1 address 02:00:00:00:00:01"));
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    Frame foreign = multicast_frame(1);
    Frame own = multicast_frame(2);
    const Frame foreign_mac{0x02, 0, 0, 0, 0, 0x99};
    const Frame own_mac{0x02, 0, 0, 0, 0, 0x01};
    std::copy(foreign_mac.begin(), foreign_mac.end(), foreign.begin());
    std::copy(own_mac.begin(), own_mac.end(), own.begin());
    ASSERT_TRUE(sender.send(foreign) && sender.send(own));
    EXPECT_EQ(numbers_until_marker(*port, sender), std::vector<std::uint32_t>{2});
}

TEST_F(Port, JunkTakesNoSlotAndIsCountedToTheLastFrame) {
    constexpr std::uint32_t junk_count = 20'000;
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    for (std::uint32_t i = 0; i < junk_count; ++i) ASSERT_TRUE(sender.send(junk_frame(i)));
    EXPECT_TRUE(numbers_until_marker(*port, sender).empty());
    EXPECT_EQ(port->packet().take_drops(), 0u);
    port->count_junk();
    EXPECT_EQ(port->counters.junk, junk_count);
    port->count_junk();
    EXPECT_EQ(port->counters.junk, junk_count);
}

TEST_F(Port, JunkIsLookedAtForItsReasons) {
    LinkPortOptions options = port_options("v1", 0);
    options.filter.ipv4_vrids = VridSet{}.set(7);
    auto port = open_port(options);
    Tap sender("v0");
    Frame short_frame = multicast_frame(1);
    short_frame.resize(38);
    const auto looked_at = [&](packet::ReceiveError error) { return port->counters.junk_reasons[static_cast<std::size_t>(error)]; };
    for (int round = 1; round <= 3; ++round) {
        ASSERT_TRUE(sender.send(sound_advert(Vrid{7}, 64)) && sender.send(sound_advert(Vrid{8}, 255)) && sender.send(short_frame));
        EXPECT_TRUE(numbers_until_marker(*port, sender).empty());
        port->count_junk();
        EXPECT_EQ(looked_at(packet::ReceiveError::bad_ttl), static_cast<std::uint64_t>(round));
        EXPECT_EQ(looked_at(packet::ReceiveError::unknown_vrid), static_cast<std::uint64_t>(round));
    }
    EXPECT_EQ(port->counters.junk, 9u);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(sender.send(sound_advert(Vrid{8}, 255)));
    EXPECT_TRUE(numbers_until_marker(*port, sender).empty());
    port->count_junk();
    EXPECT_EQ(looked_at(packet::ReceiveError::unknown_vrid), 3u + 8u);   // no more than it has slots
    EXPECT_EQ(port->counters.junk, 1009u);
}

TEST_F(Port, TrafficThatIsNoneOfOursIsNoJunk) {
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    for (std::uint32_t i = 0; i < 100; ++i) {
        Frame other = multicast_frame(i);
        other[23] = 6;
        ASSERT_TRUE(sender.send(other) && sender.send(tagged_frame(i, 5)));
    }
    EXPECT_TRUE(numbers_until_marker(*port, sender).empty());
    port->count_junk();
    EXPECT_EQ(port->counters.junk, 0u);
}

TEST_F(Port, OwnFramesAreNotHeard) {
    auto port = open_port(port_options("v1", 0));
    Tap same_side("v1");
    Tap sender("v0");
    ASSERT_TRUE(same_side.send(multicast_frame(1)));
    EXPECT_TRUE(numbers_until_marker(*port, sender).empty());
}

TEST_F(Port, AFrameLongerThanTheSlotIsMarkedTruncated) {
    const RingGeometry ring{.slot_bytes = 256, .least_slots = 64};
    auto port = open_port(port_options("v1", 0, ring));
    Tap sender("v0");
    ASSERT_TRUE(sender.send(multicast_frame(1, ring.frame_bytes())));
    ASSERT_TRUE(sender.send(multicast_frame(2, ring.frame_bytes() + 1)));
    std::vector<Received> received;
    while (received.size() < 2) {
        for (const Received& frame : read_ring(*port)) received.push_back(frame);
    }
    EXPECT_FALSE(received[0].is_truncated);
    EXPECT_EQ(received[0].bytes.size(), ring.frame_bytes());
    EXPECT_TRUE(received[1].is_truncated);
    EXPECT_EQ(received[1].bytes.size(), ring.frame_bytes());
}

TEST_F(Port, ArrivalIsWhenTheKernelTookTheFrame) {
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    const Instant before = clock::now();
    for (std::uint32_t i = 0; i < 50; ++i) ASSERT_TRUE(sender.send(multicast_frame(i)));
    std::vector<Received> received;
    while (received.size() < 50) {
        for (const Received& frame : read_ring(*port)) received.push_back(frame);
    }
    const Instant after = clock::now();
    // Two clocks cannot be read at once, hence the allowance.
    constexpr Nanoseconds allowance = std::chrono::milliseconds{1};
    Instant previous = before - allowance;
    for (const Received& frame : received) {
        EXPECT_GE(frame.arrival, previous);
        EXPECT_LE(frame.arrival, after + allowance);
        previous = frame.arrival;
    }
}

TEST_F(Port, ArrivalsStayWithinTheWindow) {
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(sender.send(multicast_frame(i)));
    const clock::ArrivalWindow window{clock::realtime_to_boot() + std::chrono::hours{1}, Instant{100}, Instant{200}};
    std::vector<Received> received;
    while (received.size() < 10) {
        for (const Received& frame : read_ring(*port, window)) received.push_back(frame);
    }
    for (const Received& frame : received) EXPECT_EQ(frame.arrival, Instant{200});
}

TEST_F(Port, TheRingGoesRoundWithoutLosingOrder) {
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    std::uint32_t expected = 0;
    for (std::uint32_t round = 0; round < 20; ++round) {
        for (std::uint32_t i = 0; i < 48; ++i) ASSERT_TRUE(sender.send(multicast_frame(round * 48 + i)));
        while (expected < (round + 1) * 48) {
            for (const Received& frame : read_ring(*port)) ASSERT_EQ(number_in(frame.bytes), expected++);
        }
    }
    EXPECT_EQ(port->packet().take_drops(), 0u);
}

TEST_F(Port, AFullRingIsNoticedAndItsLossesCounted) {
    auto port = open_port(port_options("v1", 0));
    Tap sender("v0");
    Tap control("v1");
    for (std::uint32_t i = 0; i < 200; ++i) ASSERT_TRUE(sender.send(multicast_frame(i)));
    for (std::uint32_t i = 0; i < 200; ++i) ASSERT_FALSE(control.receive().empty());   // all have arrived
    EXPECT_TRUE(port->packet().ring().is_full());
    EXPECT_EQ(read_ring(*port).size(), 64u);
    EXPECT_FALSE(port->packet().ring().is_full());
    EXPECT_EQ(port->packet().take_drops(), 136u);
    EXPECT_EQ(port->packet().take_drops(), 0u);
}

TEST_F(Port, JoinsItsGroupsOnTheDeviceAndTheLanAndLeavesThem) {
    auto port = open_port(port_options("v1", 0));
    EXPECT_TRUE(port->memberships().refusals().empty());
    EXPECT_TRUE(file_contains("/proc/net/dev_mcast", "01005e000012"));
    EXPECT_TRUE(file_contains("/proc/net/dev_mcast", "333300000012"));
    EXPECT_TRUE(file_contains("/proc/net/igmp", "120000E0"));
    EXPECT_TRUE(file_contains("/proc/net/igmp6", "ff020000000000000000000000000012"));
    port.reset();
    EXPECT_FALSE(file_contains("/proc/net/dev_mcast", "01005e000012"));
    EXPECT_FALSE(file_contains("/proc/net/dev_mcast", "333300000012"));
    EXPECT_FALSE(file_contains("/proc/net/igmp", "120000E0"));
    EXPECT_FALSE(file_contains("/proc/net/igmp6", "ff020000000000000000000000000012"));
}

TEST_F(Port, JoinsOnMoreLinksThanOneSocketMayHaveMemberships) {
    std::vector<std::unique_ptr<LinkPort>> ports;
    for (int i = 0; i < 25; ++i) {
        const std::string name = "d" + std::to_string(i);
        ASSERT_TRUE(ip("link add " + name + " type veth peer name " + name + "p") && ip("link set " + name + " up"));
        ports.push_back(open_port(port_options(name, static_cast<std::uint16_t>(i))));
        ASSERT_NE(ports.back(), nullptr);
        EXPECT_TRUE(ports.back()->memberships().refusals().empty()) << i;
    }
    for (int i = 0; i < 25; ++i) ASSERT_TRUE(ip("link del d" + std::to_string(i)));
}

TEST_F(Port, AnInterfaceWithoutIpv6IsOpenedAndTheRefusalTold) {
    ASSERT_TRUE(ip("link set v1 down"));
    ASSERT_EQ(std::system("echo 1 > /proc/sys/net/ipv6/conf/v1/disable_ipv6"), 0);
    ASSERT_TRUE(ip("link set v1 mtu 1000 up"));   // below 1280 the kernel has no IPv6 on it
    auto port = open_port(port_options("v1", 0));
    ASSERT_NE(port, nullptr);
    ASSERT_EQ(port->memberships().refusals().size(), 1u);
    EXPECT_EQ(port->memberships().refusals()[0].operation, "join group ff02::12");
    EXPECT_TRUE(file_contains("/proc/net/dev_mcast", "333300000012"));   // the device listens all the same
}

TEST_F(Port, OpensOnAnInterfaceThatIsDownAndHearsWhenItComesUp) {
    ASSERT_TRUE(ip("link set v1 down"));
    auto port = open_port(port_options("v1", 0));
    ASSERT_NE(port, nullptr);
    ASSERT_TRUE(ip("link set v1 up"));
    wait_until_frames_pass("v0", "v1");
    Tap sender("v0");
    ASSERT_TRUE(sender.send(multicast_frame(3)));
    std::vector<Received> received;
    while (received.empty()) received = read_ring(*port);
    EXPECT_EQ(number_in(received[0].bytes), 3u);
}

TEST_F(Port, AMissingInterfaceIsAnError) {
    LinkPortOptions options = port_options("v1", 0);
    options.interface_index = 4'000'000;
    const auto port = LinkPort::open(options);
    ASSERT_FALSE(port);
    EXPECT_EQ(port.error().number, ENODEV);
}

TEST_F(Port, ManyAreOpenedAndClosedAtOnceEachWithItsOwnResult) {
    std::vector<LinkPortOptions> options;
    for (std::uint16_t i = 0; i < 40; ++i) options.push_back(port_options(i % 2 == 0 ? "v0" : "v1", i));
    options[17].interface_index = 4'000'000;
    auto results = open_ports(options);
    ASSERT_EQ(results.size(), 40u);
    std::vector<std::unique_ptr<LinkPort>> ports;
    for (std::uint16_t i = 0; i < 40; ++i) {
        ASSERT_EQ(results[i].has_value(), i != 17) << i;
        if (!results[i]) continue;
        EXPECT_EQ((*results[i])->link(), engine::LinkIndex{i});
        ports.push_back(std::move(*results[i]));
    }
    close_ports(std::move(ports));
    EXPECT_FALSE(file_contains("/proc/net/igmp", "120000E0"));
}

TEST_F(Port, TakesAVirtualMacIntoTheDevicesFilter) {
    LinkPortOptions options = port_options("v1", 0);
    options.unicast_macs = {virtual_mac(Family::ipv4, Vrid{7})};
    auto port = open_port(options);
    EXPECT_NE(port, nullptr);
}

}  // namespace
}  // namespace vigil::io
