// The largest configuration that is aimed at: 65,280 addresses, 255 on each of 256 interfaces. Checks that all of them come
// and go; prints what each cost, which decides nothing.

#include <sys/utsname.h>

#include <chrono>
#include <cstdio>

#include "arp/kernel/address_programmer.h"
#include "arp/kernel/macvlan.h"
#include "arp/kernel/monitor.h"
#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel {
namespace {

class ScaleTest : public test::NetworkNamespace {
protected:
    /// Runs the work and prints its time per item, with the kernel and the build that it was measured on.
    template <typename Work>
    void measure(const char* what, std::size_t count, Work work) {
        utsname kernel{};
        uname(&kernel);
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
#ifdef NDEBUG
        const char* const build = "optimised";
#else
        const char* const build = "debug";
#endif
        std::printf("%s: %zu in %.1f ms, %.2f us each (Linux %s, g++ %s, %s)\n", what, count, taken.count() / 1000,
                    taken.count() / static_cast<double>(count), kernel.release, __VERSION__, build);
    }
};

TEST_F(ScaleTest, AllAddressesOfTheLargestConfigurationComeAndGo) {
    std::vector<std::uint32_t> interfaces;
    for (int pair = 0; pair < 128; ++pair) {
        const std::string number = std::to_string(pair);
        interfaces.push_back(make_veth("v" + number, "p" + number));
        interfaces.push_back(link("p" + number).index);
    }
    std::vector<AddressChange> changes;
    for (std::uint32_t host = 0; host < 255; ++host) {
        for (std::uint32_t i = 0; i < interfaces.size(); ++i) {
            changes.push_back({AddressOperation::add, {.key = test::numbered_key(interfaces[i], i << 8 | host)}});
        }
    }
    std::vector<AddressChange> removals = changes;
    for (AddressChange& change : removals) change.operation = AddressOperation::remove;
    auto programmer = AddressProgrammer::open();
    auto monitor = Monitor::open();
    ASSERT_TRUE(programmer && monitor);
    std::size_t done = 0;
    const auto count_done = [&](const std::vector<AddressResult>& results) {
        for (const AddressResult& result : results) done += result.outcome == AddressOutcome::done ? 1 : 0;
    };
    measure("addresses added", changes.size(), [&] { count_done(programmer->apply(changes)); });
    EXPECT_EQ(done, 65'280U);
    measure("addresses found by a resynchronisation", changes.size(), [&] { EXPECT_TRUE(monitor->resync()); });
    for (const AddressChange& change : changes) ASSERT_TRUE(monitor->has_address(change.spec.key));
    measure("addresses removed", changes.size(), [&] { count_done(programmer->apply(removals)); });
    measure("addresses added with a monitor reading", changes.size(), [&] {
        programmer->apply(changes, [&] { monitor->read_events(); });
    });
    measure("addresses removed", changes.size(), [&] { count_done(programmer->apply(removals)); });
    EXPECT_EQ(done, 3 * 65'280U);
    ASSERT_TRUE(monitor->resync());
    for (const AddressChange& change : changes) ASSERT_FALSE(monitor->has_address(change.spec.key));
}

TEST_F(ScaleTest, MacvlansOfAFullVridRangeComeUpAndGo) {
    make_veth("v0", "p0");
    auto socket = NetlinkSocket::open();
    ASSERT_TRUE(socket);
    SysctlKeeper keeper;
    MacvlanDevices devices(*socket, keeper);
    measure("macvlans created", 255, [&] {
        for (int vrid = 1; vrid <= 255; ++vrid) {
            ASSERT_TRUE(devices.create({.vrid = static_cast<Vrid>(vrid), .base = "v0"}));
        }
    });
    measure("macvlans brought up", 255, [&] {
        for (const auto& [index, device] : devices.devices()) ASSERT_TRUE(devices.bring_up(index));
    });
    measure("macvlans brought down", 16, [&] {
        int left = 16;
        for (const auto& [index, device] : devices.devices()) {
            if (left-- == 0) break;
            ASSERT_TRUE(devices.bring_down(index));
        }
    });
    measure("macvlans removed", 255, [&] { EXPECT_TRUE(devices.remove_all_of_ours().empty()); });
    EXPECT_FALSE(has_link("vrrp.1") || has_link("vrrp.255"));
}

}  // namespace
}  // namespace vigil::arp::kernel
