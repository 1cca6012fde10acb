#include "arp/kernel/monitor.h"

#include <algorithm>
#include <cerrno>

#include "arp/kernel/macvlan.h"
#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel {
namespace {

using test::numbered_key;

class MonitorTest : public test::NetworkNamespace {
protected:
    Monitor open(SocketOptions options = Monitor::default_options()) {
        auto opened = Monitor::open(std::move(options));
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }

    void change(AddressOperation operation, std::uint32_t index, std::uint32_t first, std::uint32_t count) {
        std::vector<AddressChange> changes;
        for (std::uint32_t i = first; i < first + count; ++i) changes.push_back({operation, {.key = numbered_key(index, i)}});
        auto programmer = AddressProgrammer::open();
        ASSERT_TRUE(programmer);
        for (const auto& result : programmer->apply(changes)) ASSERT_EQ(result.outcome, AddressOutcome::done);
    }
};

std::ptrdiff_t count_addresses(const std::vector<KernelEvent>& events, bool is_gone) {
    return std::ranges::count_if(events, [&](const KernelEvent& event) {
        const auto* const address = std::get_if<AddressEvent>(&event);
        return address != nullptr && address->address.key.address.family == Family::ipv4 && address->is_gone == is_gone;
    });
}

std::vector<LinkEvent> links_named(const std::vector<KernelEvent>& events, std::string_view name) {
    std::vector<LinkEvent> found;
    for (const KernelEvent& event : events) {
        const auto* const link = std::get_if<LinkEvent>(&event);
        if (link != nullptr && link->link.name == name) found.push_back(*link);
    }
    return found;
}

bool wants_resync(const std::vector<KernelEvent>& events) {
    return !events.empty() && std::holds_alternative<ResyncNeeded>(events.back());
}

TEST_F(MonitorTest, KnowsAtOnceWhatIsThere) {
    const std::uint32_t index = make_veth("v0", "p0");
    change(AddressOperation::add, index, 1, 3);
    auto monitor = open();
    ASSERT_NE(monitor.find_link("v0"), nullptr);
    EXPECT_EQ(monitor.find_link("v0")->index, index);
    EXPECT_EQ(monitor.find_link("v0")->kind, "veth");
    EXPECT_TRUE(monitor.has_address(numbered_key(index, 3)));
    EXPECT_EQ(monitor.find_link("absent"), nullptr);
}

TEST_F(MonitorTest, TellsLinksAndAddressesThatComeAndGo) {
    auto monitor = open();
    const std::uint32_t index = make_veth("v0", "p0");
    change(AddressOperation::add, index, 1, 2);
    auto events = monitor.read_events();
    ASSERT_FALSE(links_named(events, "v0").empty());
    EXPECT_TRUE(links_named(events, "v0").back().link.is_up);
    EXPECT_EQ(count_addresses(events, false), 2);
    EXPECT_FALSE(wants_resync(events));

    change(AddressOperation::remove, index, 1, 1);
    events = monitor.read_events();
    EXPECT_EQ(count_addresses(events, true), 1);
    EXPECT_FALSE(monitor.has_address(numbered_key(index, 1)));

    ASSERT_TRUE(set_link_up(socket(), index, false));
    events = monitor.read_events();
    ASSERT_FALSE(links_named(events, "v0").empty());
    EXPECT_FALSE(links_named(events, "v0").back().link.is_up);
}

TEST_F(MonitorTest, ADeletedInterfaceTakesItsAddressesWithIt) {
    const std::uint32_t index = make_veth("v0", "p0");
    change(AddressOperation::add, index, 1, 2);
    auto monitor = open();
    remove_link(index);
    const auto events = monitor.read_events();
    EXPECT_EQ(count_addresses(events, true), 2);
    ASSERT_FALSE(links_named(events, "v0").empty());
    EXPECT_TRUE(links_named(events, "v0").back().is_gone);
    EXPECT_EQ(monitor.find_link("v0"), nullptr);
}

TEST_F(MonitorTest, APortThatLeavesItsBridgeIsNotGone) {
    const std::uint32_t index = make_veth("v0", "p0");
    const std::uint32_t bridge = make_bridge("br0");
    auto monitor = open();
    set_master(index, bridge);
    auto events = monitor.read_events();
    ASSERT_FALSE(links_named(events, "v0").empty());
    EXPECT_EQ(links_named(events, "v0").back().link.master, bridge);
    set_master(index, 0);
    for (const LinkEvent& event : links_named(monitor.read_events(), "v0")) EXPECT_FALSE(event.is_gone);
    EXPECT_NE(monitor.find_link("v0"), nullptr);
}

TEST_F(MonitorTest, WhatChangesNothingIsNoEvent) {
    const std::uint32_t index = make_veth("v0", "p0");
    auto monitor = open();
    monitor.read_events();
    const auto nothing = monitor.resync();
    ASSERT_TRUE(nothing);
    EXPECT_EQ(count_addresses(*nothing, false) + count_addresses(*nothing, true), 0);
    EXPECT_TRUE(links_named(*nothing, "lo").empty());
    change(AddressOperation::add, index, 1, 1);
    change(AddressOperation::remove, index, 1, 1);
    // Read late: the dump has neither, the queue both.
    ASSERT_TRUE(monitor.resync());
    EXPECT_EQ(monitor.read_events().size(), 0U);
}

TEST_F(MonitorTest, LostNotificationsComeBackAsDifferences) {
    const std::uint32_t index = make_veth("v0", "p0");
    const std::uint32_t doomed = make_veth("v1", "p1");
    change(AddressOperation::add, index, 1, 100);
    SocketOptions tiny = Monitor::default_options();
    tiny.receive_buffer_bytes = 1;
    auto monitor = open(tiny);

    change(AddressOperation::remove, index, 1, 60);
    change(AddressOperation::add, index, 1001, 500);
    remove_link(doomed);
    const auto events = monitor.read_events();
    ASSERT_TRUE(wants_resync(events));
    EXPECT_TRUE(wants_resync(monitor.read_events())) << "repeated until resync";

    const auto difference = monitor.resync();
    ASSERT_TRUE(difference) << to_string(difference.error());
    EXPECT_EQ(count_addresses(events, true) + count_addresses(*difference, true), 60);
    EXPECT_EQ(count_addresses(events, false) + count_addresses(*difference, false), 500);
    ASSERT_EQ(links_named(*difference, "v1").size(), 1U);
    EXPECT_TRUE(links_named(*difference, "v1").front().is_gone);
    EXPECT_EQ(std::ranges::count_if(monitor.addresses(), [&](const auto& entry) {
                  return entry.key.interface_index == index && entry.key.address.family == Family::ipv4;
              }), 540);
    EXPECT_FALSE(wants_resync(monitor.read_events()));
}

TEST_F(MonitorTest, SeesEveryAddressOfALargeClaimWhenReadBetweenSends) {
    const std::uint32_t index = make_veth("v0", "p0");
    SocketOptions modest = Monitor::default_options();
    modest.receive_buffer_bytes = 2 << 20;
    auto monitor = open(modest);
    std::vector<AddressChange> changes;
    for (std::uint32_t i = 1; i <= 3000; ++i) changes.push_back({AddressOperation::add, {.key = numbered_key(index, i)}});
    auto programmer = AddressProgrammer::open();
    ASSERT_TRUE(programmer);
    std::ptrdiff_t seen = 0;
    programmer->apply(changes, [&] {
        const auto events = monitor.read_events();
        EXPECT_FALSE(wants_resync(events));
        seen += count_addresses(events, false);
    });
    EXPECT_EQ(seen, 3000);
}

using KernelStateTest = test::NetworkNamespace;

TEST_F(KernelStateTest, RouteLookupNamesInterfaceSourceAndGateway) {
    const std::uint32_t index = make_veth("v0", "p0");
    auto programmer = AddressProgrammer::open();
    ASSERT_TRUE(programmer);
    const AddressKey four{index, ipv4(192, 0, 2, 1), 24, {}};
    const AddressKey six{index, *read_address("2001:db8::1"), 64, {}};
    programmer->apply(std::vector<AddressChange>{{AddressOperation::add, {.key = four}}, {AddressOperation::add, {.key = six}}});
    const auto route = find_route(socket(), ipv4(192, 0, 2, 77));
    ASSERT_TRUE(route) << to_string(route.error());
    EXPECT_EQ(route->interface_index, index);
    EXPECT_EQ(route->preferred_source, four.address);
    EXPECT_FALSE(route->gateway || route->is_local);
    const auto route6 = find_route(socket(), *read_address("2001:db8::77"));
    ASSERT_TRUE(route6) << to_string(route6.error());
    EXPECT_EQ(route6->interface_index, index);
    EXPECT_EQ(route6->preferred_source, six.address);
    const auto own = find_route(socket(), four.address);
    ASSERT_TRUE(own);
    EXPECT_TRUE(own->is_local);
    EXPECT_EQ(find_route(socket(), ipv4(203, 0, 113, 1)).error().error_number, ENETUNREACH);
    EXPECT_EQ(find_route(socket(), *read_address("2001:db8:99::1")).error().error_number, ENETUNREACH);
}

TEST_F(KernelStateTest, AnAbsentLinkIsENODEV) {
    for (const std::string_view name : {"absent", "", "a-name-longer-than-fifteen"}) {
        EXPECT_EQ(find_link(socket(), name).error().error_number, ENODEV) << name;
    }
    EXPECT_EQ(find_link(socket(), 4711U).error().error_number, ENODEV);
}

}  // namespace
}  // namespace vigil::arp::kernel
