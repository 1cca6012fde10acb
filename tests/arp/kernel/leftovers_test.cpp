#include "arp/kernel/leftovers.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arp/kernel/macvlan.h"
#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel {
namespace {

class LeftoversTest : public test::NetworkNamespace {
protected:
    void SetUp() override {
        NetworkNamespace::SetUp();
        index_ = make_veth("v0", "p0");
    }

    static std::vector<AddressChange> add(std::initializer_list<AddressKey> keys) {
        std::vector<AddressChange> changes;
        for (const AddressKey& key : keys) changes.push_back({AddressOperation::add, {.key = key}});
        return changes;
    }

    /// Adds addresses and a macvlan in a child process that then kills itself.
    void run_and_kill(const std::vector<AddressChange>& changes) {
        const pid_t child = fork();
        if (child == 0) {
            auto programmer = AddressProgrammer::open();
            auto socket = NetlinkSocket::open();
            SysctlKeeper keeper;
            MacvlanDevices macvlans(*socket, keeper);
            const auto device = macvlans.create({.vrid = Vrid{51}, .base = "v0"});
            programmer->apply(changes);
            programmer->apply(add({{device->index, ipv4(192, 0, 2, 51), 32, {}}}));
            kill(getpid(), SIGKILL);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status));
    }

    Leftovers find() {
        const auto links = dump_links(socket());
        const auto addresses = dump_addresses(socket());
        EXPECT_TRUE(links && addresses);
        return find_leftovers(*links, *addresses, {});
    }

    std::uint32_t index_ = 0;
};

TEST_F(LeftoversTest, OfAKilledRunAreRemovedAndNothingElse) {
    const AddressKey four{index_, ipv4(192, 0, 2, 1), 32, {}};
    const AddressKey six{index_, *read_address("2001:db8::1"), 64, {}};
    AddressKey peered{index_, ipv4(192, 0, 2, 7), 32, ipv4(198, 51, 100, 7)};
    run_and_kill(add({four, six, peered}));
    ASSERT_TRUE(has_link("vrrp.51") && has_address(four) && has_address(six) && has_address(peered));

    auto programmer = AddressProgrammer::open();
    ASSERT_TRUE(programmer);
    const Leftovers found = find();
    EXPECT_EQ(found.addresses.size(), 3U);
    ASSERT_EQ(found.macvlans.size(), 1U);
    EXPECT_EQ(found.macvlans[0].name, "vrrp.51");
    EXPECT_TRUE(remove_leftovers(socket(), *programmer, found).empty());
    EXPECT_FALSE(has_link("vrrp.51") || has_address(four) || has_address(six) || has_address(peered));
    EXPECT_TRUE(has_link("v0"));
    EXPECT_TRUE(find().addresses.empty() && find().macvlans.empty());
}

TEST_F(LeftoversTest, WithoutCapabilityTheFailuresAreReported) {
    run_and_kill(add({{index_, ipv4(192, 0, 2, 1), 32, {}}}));
    const Leftovers found = find();
    const int exit_code = test::run_without_net_admin([&] {
        auto own_socket = NetlinkSocket::open();
        auto programmer = AddressProgrammer::open();
        return remove_leftovers(*own_socket, *programmer, found).size() == 2 ? 0 : 1;
    });
    EXPECT_EQ(exit_code, 0);
    EXPECT_TRUE(has_link("vrrp.51"));
}

}  // namespace
}  // namespace vigil::arp::kernel
