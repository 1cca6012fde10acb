// Runs a test program in network namespaces of its own. Without the right to make one, everything is skipped: exit code 77.

#include "tests/arp/kernel/network_namespace.h"

#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "arp/kernel/macvlan.h"

namespace vigil::arp::kernel::test {

void NetworkNamespace::SetUp() {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << strerror(errno);
    auto opened = NetlinkSocket::open();
    ASSERT_TRUE(opened) << to_string(opened.error());
    socket_.emplace(std::move(*opened));
    ASSERT_TRUE(set_link_up(*socket_, link("lo").index, true));
}

std::uint32_t NetworkNamespace::add_link(MessageWriter& message, const std::string& name) {
    const auto added = socket_->request(message);
    EXPECT_TRUE(added) << name << ": " << to_string(added.error());
    const std::uint32_t index = link(name).index;
    EXPECT_TRUE(set_link_up(*socket_, index, true));
    return index;
}

std::uint32_t NetworkNamespace::make_veth(const std::string& name, const std::string& peer) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, socket_->next_sequence());
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, name);
    message.begin_nested(IFLA_LINKINFO);
    message.put_text(IFLA_INFO_KIND, "veth");
    message.begin_nested(IFLA_INFO_DATA);
    message.begin_nested(VETH_INFO_PEER);
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, peer);
    message.end_nested();
    message.end_nested();
    message.end_nested();
    const std::uint32_t index = add_link(message, name);
    EXPECT_TRUE(set_link_up(*socket_, link(peer).index, true));
    return index;
}

std::uint32_t NetworkNamespace::make_bridge(const std::string& name) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, socket_->next_sequence());
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, name);
    message.begin_nested(IFLA_LINKINFO);
    message.put_text(IFLA_INFO_KIND, "bridge");
    message.end_nested();
    return add_link(message, name);
}

void NetworkNamespace::set_master(std::uint32_t index, std::uint32_t master) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_SETLINK, 0, socket_->next_sequence());
    message.put_header<ifinfomsg>()->ifi_index = static_cast<int>(index);
    message.put_u32(IFLA_MASTER, master);
    const auto done = socket_->request(message);
    EXPECT_TRUE(done) << to_string(done.error());
}

void NetworkNamespace::remove_link(std::uint32_t index) { EXPECT_TRUE(delete_link(*socket_, index)); }

LinkState NetworkNamespace::link(const std::string& name) {
    const auto found = find_link(*socket_, name);
    EXPECT_TRUE(found) << to_string(found.error());
    return found.value_or(LinkState{});
}

bool NetworkNamespace::has_link(const std::string& name) { return find_link(*socket_, name).has_value(); }

std::vector<AddressState> NetworkNamespace::addresses() {
    auto dumped = dump_addresses(*socket_);
    EXPECT_TRUE(dumped) << to_string(dumped.error());
    return dumped.value_or(std::vector<AddressState>{});
}

bool NetworkNamespace::has_address(const AddressKey& key) {
    const auto all = addresses();
    return std::ranges::find(all, key, &AddressState::key) != all.end();
}

AddressKey numbered_key(std::uint32_t interface_index, std::uint32_t number) {
    const auto octet = [number](int shift) { return static_cast<std::uint8_t>(number >> shift); };
    return {interface_index, ipv4(10, octet(16), octet(8), octet(0)), 32, {}};
}

namespace {

bool set_net_admin(bool is_effective) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (syscall(SYS_capget, &header, data) != 0) return false;
    constexpr auto bit = 1U << CAP_NET_ADMIN;
    data[0].effective = is_effective ? data[0].effective | bit : data[0].effective & ~bit;
    return syscall(SYS_capset, &header, data) == 0;
}

}  // namespace

WithoutNetAdmin::WithoutNetAdmin() { EXPECT_TRUE(set_net_admin(false)); }
WithoutNetAdmin::~WithoutNetAdmin() { EXPECT_TRUE(set_net_admin(true)); }

int run_without_net_admin(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) {
        if (!set_net_admin(false)) _exit(100);
        _exit(body());
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

}  // namespace vigil::arp::kernel::test

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    if (unshare(CLONE_NEWNET) != 0) {
        std::printf("SKIPPED: no network namespace can be made (needs root or CAP_SYS_ADMIN): %s\n", strerror(errno));
        return 77;
    }
    return RUN_ALL_TESTS();
}
