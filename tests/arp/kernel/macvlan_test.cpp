#include "arp/kernel/macvlan.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "arp/kernel/address_programmer.h"
#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel {
namespace {

using namespace std::chrono_literals;

/// Counts what arrives on an interface from one Ethernet source: all of it, or what has one EtherType.
class Capture {
public:
    Capture(std::uint32_t index, const MacAddress& source, std::uint16_t ether_type = ETH_P_ALL) : source_(source) {
        fd_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ether_type));
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ether_type);
        address.sll_ifindex = static_cast<int>(index);
        EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    ~Capture() { close(fd_); }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    /// Frames from the source until `enough` have come or `patience` is over.
    int frames(int enough, std::chrono::milliseconds patience) {
        const auto end = std::chrono::steady_clock::now() + patience;
        int count = 0;
        while (count < enough) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
            pollfd waiting{fd_, POLLIN, 0};
            if (left <= 0ms || poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
            std::array<std::uint8_t, 2048> frame{};
            if (recv(fd_, frame.data(), frame.size(), 0) < 14) continue;
            if (std::equal(source_.octets.begin(), source_.octets.end(), frame.begin() + 6)) ++count;
        }
        return count;
    }

    void send(std::span<const std::uint8_t> frame) const {
        EXPECT_EQ(::send(fd_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
    }

private:
    MacAddress source_;
    int fd_ = -1;
};

/// A broadcast ARP request from a host that asks who has `target`.
std::array<std::uint8_t, 42> arp_request(const MacAddress& sender, const IpAddress& sender_address, const IpAddress& target) {
    std::array<std::uint8_t, 42> frame{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
    std::ranges::copy(sender.octets, frame.begin() + 6);
    std::ranges::copy(sender.octets, frame.begin() + 22);
    std::ranges::copy(sender_address.bytes(), frame.begin() + 28);
    std::ranges::copy(target.bytes(), frame.begin() + 38);
    return frame;
}

class MacvlanTest : public test::NetworkNamespace {
protected:
    void SetUp() override {
        NetworkNamespace::SetUp();
        base_ = make_veth("v0", "p0");
        auto opened = NetlinkSocket::open();
        ASSERT_TRUE(opened);
        own_socket_.emplace(std::move(*opened));
        devices_.emplace(*own_socket_, keeper_);
        auto programmer = AddressProgrammer::open();
        ASSERT_TRUE(programmer);
        programmer_.emplace(std::move(*programmer));
    }

    MacvlanDevice create(const MacvlanSpec& spec) {
        auto device = devices_->create(spec);
        EXPECT_TRUE(device) << to_string(device.error());
        return device.value_or(MacvlanDevice{});
    }
    static std::string value(Family family, std::string_view interface_name, std::string_view setting) {
        return read_sysctl(interface_setting(family, interface_name, setting)).value_or("unreadable");
    }
    void add(const AddressKey& key) {
        const auto results = programmer_->apply(std::vector<AddressChange>{{AddressOperation::add, {.key = key}}});
        EXPECT_EQ(results[0].outcome, AddressOutcome::done) << to_string(results[0].error);
    }

    void remove(const AddressKey& key) {
        const auto results = programmer_->apply(std::vector<AddressChange>{{AddressOperation::remove, {.key = key}}});
        EXPECT_NE(results[0].outcome, AddressOutcome::refused) << to_string(results[0].error);
    }

    std::uint32_t base_ = 0;
    SysctlKeeper keeper_;
    std::optional<NetlinkSocket> own_socket_;
    std::optional<MacvlanDevices> devices_;
    std::optional<AddressProgrammer> programmer_;
};

TEST_F(MacvlanTest, CarriesTheVirtualMacAndTheMarkAndIsDown) {
    const auto device = create({.vrid = Vrid{51}, .base = "v0"});
    EXPECT_TRUE(device.warnings.empty());
    const LinkState state = link("vrrp.51");
    EXPECT_EQ(state.index, device.index);
    EXPECT_EQ(to_string(state.mac), "00:00:5e:00:01:33");
    EXPECT_EQ(state.kind, "macvlan");
    EXPECT_EQ(state.lower, base_);
    EXPECT_EQ(state.alias, "vigil vrrp 51 ipv4 on v0");
    EXPECT_FALSE(state.is_up);
}

TEST_F(MacvlanTest, NamesStepAsideAndConfiguredNamesDoNot) {
    EXPECT_EQ(create({.vrid = Vrid{51}, .base = "v0"}).name, "vrrp.51");
    EXPECT_EQ(create({.vrid = Vrid{51}, .family = Family::ipv6, .base = "v0"}).name, "vrrp6.51");
    EXPECT_EQ(to_string(link("vrrp6.51").mac), "00:00:5e:00:02:33");
    EXPECT_EQ(create({.vrid = Vrid{51}, .base = "p0"}).name, "vrrp1.51");
    EXPECT_EQ(devices_->create({.vrid = Vrid{1}, .base = "v0", .name = "vrrp.51"}).error().error_number, EEXIST);
    EXPECT_EQ(devices_->create({.vrid = Vrid{1}, .base = "v0", .name = "sixteen-letters."}).error().error_number, ENAMETOOLONG);
    const MacAddress own = *read_mac("02:11:22:33:44:55");
    EXPECT_EQ(create({.vrid = Vrid{1}, .base = "v0", .name = "gateway", .mac = own}).name, "gateway");
    EXPECT_EQ(link("gateway").mac, own);
    EXPECT_TRUE(devices_->remove_all_of_ours().empty());
    EXPECT_FALSE(has_link("vrrp.51") || has_link("vrrp6.51") || has_link("vrrp1.51") || has_link("gateway"));
}

TEST_F(MacvlanTest, AnAbsentBaseIsENODEV) {
    EXPECT_EQ(devices_->create({.vrid = Vrid{1}, .base = "absent"}).error().error_number, ENODEV);
    EXPECT_EQ(devices_->bring_up(4711).error().error_number, ENODEV);
    EXPECT_TRUE(devices_->remove(4711));
}

TEST_F(MacvlanTest, WithoutCapabilityNothingIsMade) {
    const int exit_code = test::run_without_net_admin([] {
        auto socket = NetlinkSocket::open();
        SysctlKeeper keeper;
        MacvlanDevices devices(*socket, keeper);
        const auto device = devices.create({.vrid = Vrid{51}, .base = "v0"});
        return !device && device.error().error_number == EPERM ? 0 : 1;
    });
    EXPECT_EQ(exit_code, 0);
    EXPECT_FALSE(has_link("vrrp.51"));
}

TEST_F(MacvlanTest, SetsWhatItNeedsAndGivesTheBaseBack) {
    ASSERT_TRUE(write_sysctl("net/ipv4/conf/all/rp_filter", "1"));
    create({.vrid = Vrid{51}, .base = "v0"});
    create({.vrid = Vrid{52}, .family = Family::ipv6, .base = "v0"});
    for (const auto& [setting, expected] : {std::pair{"arp_ignore", "1"}, {"accept_local", "1"}, {"drop_gratuitous_arp", "1"}, {"rp_filter", "0"},
                                            {"promote_secondaries", "1"}}) {
        EXPECT_EQ(value(Family::ipv4, "vrrp.51", setting), expected) << setting;
    }
    EXPECT_EQ(value(Family::ipv6, "vrrp.51", "disable_ipv6"), "1");
    EXPECT_EQ(value(Family::ipv4, "vrrp.52", "arp_ignore"), "1");
    EXPECT_EQ(value(Family::ipv6, "vrrp.52", "disable_ipv6"), "1") << "until it is brought up";
    EXPECT_EQ(value(Family::ipv6, "vrrp.52", "addr_gen_mode"), "1");
    EXPECT_EQ(value(Family::ipv4, "v0", "arp_ignore"), "1");
    EXPECT_EQ(value(Family::ipv4, "v0", "arp_filter"), "1");
    EXPECT_EQ(value(Family::ipv4, "all", "rp_filter"), "0");
    EXPECT_TRUE(devices_->remove_all_of_ours().empty());
    EXPECT_TRUE(keeper_.restore_all().empty());
    EXPECT_EQ(value(Family::ipv4, "v0", "arp_ignore"), "0");
    EXPECT_EQ(value(Family::ipv4, "v0", "arp_filter"), "0");
    EXPECT_EQ(value(Family::ipv4, "all", "rp_filter"), "1");
}

TEST_F(MacvlanTest, AnOperatorWhoRaisesTheFilterLaterDoesNotRaiseOurDevices) {
    create({.vrid = Vrid{51}, .base = "v0"});
    ASSERT_TRUE(write_sysctl("net/ipv4/conf/all/rp_filter", "1"));
    create({.vrid = Vrid{52}, .base = "v0"});
    EXPECT_EQ(value(Family::ipv4, "vrrp.51", "rp_filter"), "0");
    EXPECT_EQ(value(Family::ipv4, "all", "rp_filter"), "1");
}

TEST_F(MacvlanTest, AnIpv4RouterWithIpv6AddressesKeepsIpv6) {
    const auto device = create({.vrid = Vrid{51}, .base = "v0", .has_ipv6_addresses = true});
    EXPECT_EQ(value(Family::ipv6, "vrrp.51", "addr_gen_mode"), "1");
    ASSERT_TRUE(devices_->bring_up(device.index));
    EXPECT_EQ(value(Family::ipv6, "vrrp.51", "disable_ipv6"), "0");
    add({device.index, *read_address("2001:db8::1"), 64, {}});
    const auto all = addresses();
    EXPECT_EQ(std::ranges::count(all, device.index, [](const AddressState& state) { return state.key.interface_index; }), 1)
        << "no generated link-local address";
}

TEST_F(MacvlanTest, StaysUpWhileItsBaseIsDown) {
    const auto device = create({.vrid = Vrid{51}, .base = "v0"});
    ASSERT_TRUE(devices_->bring_up(device.index));
    EXPECT_TRUE(link("vrrp.51").is_up);
    ASSERT_TRUE(set_link_up(socket(), base_, false));
    EXPECT_TRUE(link("vrrp.51").is_up);
    EXPECT_FALSE(link("vrrp.51").is_running);
    ASSERT_TRUE(set_link_up(socket(), base_, true));
    ASSERT_TRUE(devices_->bring_up(device.index));
    EXPECT_TRUE(link("vrrp.51").is_up);
    ASSERT_TRUE(devices_->bring_down(device.index));
    EXPECT_FALSE(link("vrrp.51").is_up);
}

TEST_F(MacvlanTest, GoesWithItsBaseWithoutFailure) {
    create({.vrid = Vrid{51}, .base = "v0"});
    remove_link(base_);
    EXPECT_TRUE(devices_->remove_all_of_ours().empty());
    EXPECT_TRUE(keeper_.restore_all().empty());
}

// The real clock decides how long silence is watched: multicast listener reports are delayed up to a second by design.
constexpr auto silence = 1200ms;

TEST_F(MacvlanTest, ANaiveMacvlanLeaksItsMacWhichProvesTheCapture) {
    const MacAddress mac = virtual_mac(Family::ipv6, Vrid{51});
    Capture capture(link("p0").index, mac);
    const auto device = create({.vrid = Vrid{51}, .family = Family::ipv6, .base = "v0"});
    ASSERT_TRUE(write_sysctl(interface_setting(Family::ipv6, device.name, "addr_gen_mode"), "0"));
    ASSERT_TRUE(devices_->bring_up(device.index));
    EXPECT_EQ(capture.frames(1, 5000ms), 1);
}

TEST_F(MacvlanTest, ABackupSendsNothingWithTheVirtualMac) {
    Capture capture4(link("p0").index, virtual_mac(Family::ipv4, Vrid{51}));
    Capture capture6(link("p0").index, virtual_mac(Family::ipv6, Vrid{51}));
    ASSERT_TRUE(write_sysctl("net/ipv6/conf/all/forwarding", "1"));
    create({.vrid = Vrid{51}, .base = "v0"});
    create({.vrid = Vrid{51}, .family = Family::ipv6, .base = "v0"});
    EXPECT_EQ(capture4.frames(1, silence), 0);
    EXPECT_EQ(capture6.frames(1, 1ms), 0);
}

TEST_F(MacvlanTest, AnIpv4ActiveSendsNothingByItself) {
    Capture capture(link("p0").index, virtual_mac(Family::ipv4, Vrid{51}));
    const auto device = create({.vrid = Vrid{51}, .base = "v0"});
    ASSERT_TRUE(devices_->bring_up(device.index));
    add({device.index, ipv4(192, 0, 2, 51), 24, {}});
    EXPECT_EQ(capture.frames(1, silence), 0);
}

TEST_F(MacvlanTest, OnlyTheVirtualMacAnswersForTheAddress) {
    const MacAddress host = *read_mac("02:00:00:00:00:99");
    const auto device = create({.vrid = Vrid{51}, .base = "v0"});
    add({base_, ipv4(192, 0, 2, 1), 24, {}});
    ASSERT_TRUE(devices_->bring_up(device.index));
    add({device.index, ipv4(192, 0, 2, 51), 24, {}});
    // Of ARP only: the base says, when it likes, which groups of IPv6 it listens to.
    Capture from_virtual(link("p0").index, virtual_mac(Family::ipv4, Vrid{51}), ETH_P_ARP);
    Capture from_base(link("p0").index, link("v0").mac, ETH_P_ARP);
    from_virtual.send(arp_request(host, ipv4(192, 0, 2, 99), ipv4(192, 0, 2, 51)));
    EXPECT_EQ(from_virtual.frames(1, 5000ms), 1);
    // The kernel answers within the delivery of the request; the base's answer would lie beside the other.
    EXPECT_EQ(from_base.frames(1, 50ms), 0);
    from_base.send(arp_request(host, ipv4(192, 0, 2, 99), ipv4(192, 0, 2, 1)));
    EXPECT_EQ(from_base.frames(1, 5000ms), 1);
    EXPECT_EQ(from_virtual.frames(1, 50ms), 0);
}

class ActiveIpv6Test : public MacvlanTest {
protected:
    void SetUp() override {
        MacvlanTest::SetUp();
        device_ = create({.vrid = Vrid{51}, .family = Family::ipv6, .base = "v0"});
        key_ = {device_.index, *read_address("2001:db8::51"), 64, {}};
        Capture while_active(link("p0").index, mac_);
        ASSERT_TRUE(devices_->bring_up(device_.index));
        add(key_);
        // Snooping switches must hear that the Active listens to the solicited-node group. The kernel says it twice, up to a second apart
        // (RFC 3810 §6.1, Robustness Variable 2): before the second, silence proves nothing.
        ASSERT_EQ(while_active.frames(2, 5000ms), 2);
        capture_.emplace(link("p0").index, mac_);
    }

    MacAddress mac_ = virtual_mac(Family::ipv6, Vrid{51});
    MacvlanDevice device_;
    AddressKey key_;
    std::optional<Capture> capture_;
};

TEST_F(ActiveIpv6Test, LeavingActiveSendsNothingWithTheVirtualMac) {
    ASSERT_TRUE(devices_->silence(device_.index));
    EXPECT_FALSE(has_address(key_));
    remove(key_);
    EXPECT_EQ(capture_->frames(1, silence), 0);
    ASSERT_TRUE(devices_->bring_down(device_.index));
    EXPECT_EQ(capture_->frames(1, silence), 0);
    ASSERT_TRUE(devices_->bring_up(device_.index)) << "and back";
    add(key_);
}

TEST_F(ActiveIpv6Test, RemovingTheAddressAloneLeaksWhichIsWhySilenceExists) {
    remove(key_);
    EXPECT_GT(capture_->frames(1, 5000ms), 0);
}

TEST_F(ActiveIpv6Test, RemovingTheDeviceSendsNothingWithTheVirtualMac) {
    ASSERT_TRUE(devices_->remove(device_.index));
    EXPECT_EQ(capture_->frames(1, silence), 0);
}

TEST_F(ActiveIpv6Test, RemovingAllDevicesTogetherSendsNothingWithTheVirtualMac) {
    create({.vrid = Vrid{52}, .family = Family::ipv6, .base = "v0"});
    EXPECT_TRUE(devices_->remove_all_of_ours().empty());
    EXPECT_FALSE(has_link("vrrp.51") || has_link("vrrp.52"));
    EXPECT_EQ(capture_->frames(1, silence), 0);
}

TEST_F(MacvlanTest, DeletingManyLeavesStrangersAndForgivesTheAbsent) {
    const auto first = create({.vrid = Vrid{51}, .base = "v0"});
    const auto second = create({.vrid = Vrid{52}, .base = "v0"});
    const auto third = create({.vrid = Vrid{53}, .base = "v0"});
    EXPECT_TRUE(delete_links(socket(), std::array{first.index, 4711U, second.index}).empty());
    EXPECT_FALSE(has_link("vrrp.51") || has_link("vrrp.52"));
    EXPECT_TRUE(has_link(third.name) && has_link("v0") && has_link("lo"));
    EXPECT_EQ(link(third.name).group, 0U);
}

}  // namespace
}  // namespace vigil::arp::kernel
