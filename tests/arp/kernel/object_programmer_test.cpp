#include "arp/kernel/object_programmer.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "arp/kernel/monitor.h"
#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel {
namespace {

class ObjectProgrammerTest : public test::NetworkNamespace {
protected:
    void SetUp() override {
        NetworkNamespace::SetUp();
        index_ = make_veth("v0", "p0");
    }

    ObjectProgrammer open(const ProgrammerOptions& options = {}) {
        auto opened = ObjectProgrammer::open(options);
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }

    RouteSpec route(std::uint32_t number, std::uint8_t protocol = our_route_protocol) const {
        RouteSpec spec;
        spec.destination = {ipv4(10, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number), 0), 24};
        spec.scope = RT_SCOPE_LINK;
        spec.protocol = protocol;
        spec.next.interface_index = index_;
        return spec;
    }

    static RuleSpec rule(std::uint32_t priority) {
        RuleSpec spec;
        spec.priority = priority;
        spec.table = 100;
        return spec;
    }

    static std::ptrdiff_t count(const std::vector<KernelError>& verdicts, int error_number) { return std::ranges::count(verdicts, error_number, &KernelError::error_number); }

    MarkedObjects marked() {
        auto found = find_marked_objects(socket());
        EXPECT_TRUE(found);
        return found ? std::move(*found) : MarkedObjects{};
    }

    std::uint32_t index_ = 0;
};

TEST_F(ObjectProgrammerTest, SetsAndRemovesInTheOrderGiven) {
    auto programmer = open();
    std::vector<EncodedRequest> requests = {write_new_route(route(1), RouteMode::prepend), write_new_rule(rule(1000)), write_new_route(route(1), RouteMode::prepend),
                                            write_new_rule(rule(1000)), write_delete_route(route(2))};
    const auto verdicts = programmer.apply(requests);
    ASSERT_EQ(verdicts.size(), 5u);
    EXPECT_EQ(verdicts[0].error_number, 0) << to_string(verdicts[0]);
    EXPECT_EQ(verdicts[1].error_number, 0) << to_string(verdicts[1]);
    EXPECT_EQ(verdicts[2].error_number, EEXIST);
    EXPECT_EQ(verdicts[3].error_number, EEXIST);
    EXPECT_EQ(verdicts[4].error_number, ESRCH);
    EXPECT_EQ(marked().routes, 1u);
    EXPECT_EQ(marked().rules, 1u);
    EXPECT_EQ(count(programmer.apply(std::vector<EncodedRequest>{write_delete_rule(rule(1000)), write_delete_route(route(1))}), 0), 2);
    EXPECT_TRUE(marked().removals.empty());
}

TEST_F(ObjectProgrammerTest, ThousandsNeedFewSystemCalls) {
    auto programmer = open();
    std::vector<EncodedRequest> requests;
    for (std::uint32_t i = 0; i < 5000; ++i) requests.push_back(write_new_route(route(i), RouteMode::prepend));
    unsigned sends = 0;
    EXPECT_EQ(count(programmer.apply(requests, [&] { ++sends; }), 0), 5000);
    EXPECT_LE(sends, 10u);
    EXPECT_EQ(count(programmer.apply(requests), EEXIST), 5000) << "also when every one is refused";
}

TEST_F(ObjectProgrammerTest, FindsAndRemovesWhatCarriesOurMarkInAllTables) {
    auto programmer = open();
    RouteSpec elsewhere = route(1);
    elsewhere.table = 70000;
    elsewhere.metrics = {{RTAX_MTU, 70'000, false}};   // clamped by the kernel
    RouteSpec ipv6;
    ipv6.destination = {*read_address("2001:db8:9::"), 48};
    ipv6.next.interface_index = index_;
    RouteSpec multipath;
    multipath.destination = {*read_address("2001:db8:8::"), 48};
    multipath.nexthops = {{.gateway = read_address("fe80::1"), .interface_index = index_}, {.gateway = read_address("fe80::2"), .interface_index = index_}};
    RouteSpec blackhole = route(3);
    blackhole.type = RTN_BLACKHOLE;
    blackhole.scope = 0;
    blackhole.next.interface_index = 0;
    RuleSpec rule6 = rule(5);
    rule6.family = Family::ipv6;
    std::vector<EncodedRequest> requests;
    for (const RouteSpec& spec : {route(0), elsewhere, ipv6, multipath, blackhole, route(7, RTPROT_STATIC)}) requests.push_back(write_new_route(spec, RouteMode::prepend));
    requests.push_back(write_new_rule(rule(4)));
    requests.push_back(write_new_rule(rule6));
    for (const KernelError& verdict : programmer.apply(requests)) EXPECT_EQ(verdict.error_number, 0) << to_string(verdict);
    const MarkedObjects found = marked();
    EXPECT_EQ(found.rules, 2u);
    EXPECT_EQ(found.routes, 5u);
    for (const KernelError& verdict : programmer.apply(found.removals)) EXPECT_EQ(verdict.error_number, 0) << to_string(verdict);
    EXPECT_TRUE(marked().removals.empty());
    EXPECT_EQ(count(programmer.apply(std::vector<EncodedRequest>{write_delete_route(route(7, RTPROT_STATIC))}), 0), 1) << "of another protocol: still there";
}

TEST_F(ObjectProgrammerTest, DeletingTakesTheRightOneOfTwoToTheSamePlace) {
    auto programmer = open();
    RouteSpec first = route(1);
    first.scope = 0;
    first.next = {.gateway = ipv4(192, 0, 2, 1), .interface_index = index_, .is_onlink = true};
    RouteSpec second = first;
    second.next.gateway = ipv4(192, 0, 2, 2);
    const std::vector requests = {write_new_route(first, RouteMode::prepend), write_new_route(second, RouteMode::prepend), write_delete_route(first), write_new_route(second, RouteMode::prepend)};
    const auto verdicts = programmer.apply(requests);
    EXPECT_EQ(count(verdicts, 0), 3);
    EXPECT_EQ(verdicts[3].error_number, EEXIST) << "the second is there still";
}

class ObjectMonitorTest : public ObjectProgrammerTest {
protected:
    void SetUp() override {
        ObjectProgrammerTest::SetUp();
        auto opened = Monitor::open();
        ASSERT_TRUE(opened);
        monitor_.emplace(std::move(*opened));
    }

    /// Events about routes and rules since the last call.
    std::vector<KernelEvent> events() {
        std::vector<KernelEvent> found = monitor_->read_events();
        std::erase_if(found, [](const KernelEvent& event) { return !std::holds_alternative<RouteEvent>(event) && !std::holds_alternative<RuleEvent>(event); });
        return found;
    }

    std::optional<Monitor> monitor_;
};

TEST_F(ObjectMonitorTest, TellsNothingOfThemUntilAsked) {
    auto programmer = open();
    programmer.apply(std::vector<EncodedRequest>{write_new_route(route(1), RouteMode::prepend), write_delete_route(route(1))});
    EXPECT_TRUE(events().empty());
}

TEST_F(ObjectMonitorTest, TellsOfOursThatGoAndWhoDidIt) {
    ASSERT_TRUE(monitor_->watch_objects());
    auto programmer = open();
    programmer.apply(std::vector<EncodedRequest>{write_new_route(route(1), RouteMode::prepend), write_new_rule(rule(1000)), write_delete_route(route(1)), write_delete_rule(rule(1000))});
    const auto found = events();
    ASSERT_EQ(found.size(), 2u);
    const auto* const route_event = std::get_if<RouteEvent>(&found[0]);
    const auto* const rule_event = std::get_if<RuleEvent>(&found[1]);
    ASSERT_TRUE(route_event != nullptr && rule_event != nullptr);
    EXPECT_EQ(route_event->route.destination, route(1).destination);
    EXPECT_FALSE(route_event->is_replaced);
    EXPECT_EQ(route_event->port_id, programmer.port_id());
    EXPECT_EQ(rule_event->rule.priority, 1000u);
    EXPECT_EQ(rule_event->port_id, programmer.port_id());
}

TEST_F(ObjectMonitorTest, OthersCostNothingNotEvenAWakeUp) {
    ASSERT_TRUE(monitor_->watch_objects());
    auto programmer = open();
    std::vector<EncodedRequest> requests;
    for (std::uint32_t i = 0; i < 100; ++i) {
        requests.push_back(write_new_route(route(i, RTPROT_BGP), RouteMode::prepend));
        requests.push_back(write_new_route(route(i, RTPROT_BGP), RouteMode::replace));
        requests.push_back(write_delete_route(route(i, RTPROT_BGP)));
    }
    EXPECT_EQ(count(programmer.apply(requests), 0), 300);
    auto raw = NetlinkSocket::open({.groups = {RTNLGRP_IPV4_ROUTE}});
    ASSERT_TRUE(raw);
    EXPECT_TRUE(monitor_->read_events().empty()) << "the filter drops them before they are queued";
    programmer.apply(requests);
    const auto unfiltered = raw->receive();
    ASSERT_TRUE(unfiltered);
    EXPECT_FALSE(unfiltered->empty()) << "without the filter they are there";
}

TEST_F(ObjectMonitorTest, TellsOfARouteThatAPersonPutInThePlaceOfAnother) {
    ASSERT_TRUE(monitor_->watch_objects());
    auto programmer = open();
    RouteSpec other = route(1, RTPROT_BOOT);
    other.scope = 0;
    other.next = {.gateway = ipv4(192, 0, 2, 9), .interface_index = index_, .is_onlink = true};
    programmer.apply(std::vector<EncodedRequest>{write_new_route(route(1), RouteMode::prepend), write_new_route(other, RouteMode::replace)});
    const auto found = events();
    ASSERT_EQ(found.size(), 1u);
    ASSERT_TRUE(std::holds_alternative<RouteEvent>(found[0]));
    EXPECT_TRUE(std::get<RouteEvent>(found[0]).is_replaced);
    EXPECT_EQ(std::get<RouteEvent>(found[0]).route.destination, route(1).destination);
}

TEST_F(ObjectMonitorTest, LinksAndAddressesAreToldAsBefore) {
    ASSERT_TRUE(monitor_->watch_objects());
    make_veth("v1", "p1");
    const auto found = monitor_->read_events();
    EXPECT_TRUE(std::ranges::any_of(found, [](const KernelEvent& event) { return std::holds_alternative<LinkEvent>(event); }));
}

}  // namespace
}  // namespace vigil::arp::kernel
