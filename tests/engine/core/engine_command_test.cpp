// Commands of the control thread, faults, events, and what Engine::make() refuses.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

std::vector<RouterSpec> many(std::uint8_t router_count, Priority priority = Priority{100}) {
    std::vector<RouterSpec> routers;
    for (std::uint8_t vrid = 1; vrid <= router_count; ++vrid) routers.push_back(v3_router(vrid, priority));
    return routers;
}

Harness started(const RouterSpec& router) {
    Harness harness(with({router}));
    harness.start(at(0s));
    harness.events();
    return harness;
}

TEST(EngineCommand, NothingRunsBeforeStart) {
    Harness harness(with({v3_router(7, Priority::owner)}));
    harness.time(at(100s));
    EXPECT_TRUE(harness.tx.is_empty());
    EXPECT_EQ(harness.engine.next_deadline(), TimerWheel<VirtualRouter>::never);
    harness.start(at(100s));
    EXPECT_EQ(harness.router().state, State::active);
}

TEST(EngineCommand, StartOfOneLeavesTheOthers) {
    Harness harness(with(many(3)));
    harness.command({.kind = Command::Kind::start, .router = RouterIndex{1}}, at(0s));
    EXPECT_EQ(harness.router(0).state, State::initialize);
    EXPECT_EQ(harness.router(1).state, State::backup);
    EXPECT_EQ(harness.router(2).state, State::initialize);
}

TEST(EngineCommand, ACommandForNobodyIsDone) {
    Harness harness(with(many(1)));
    harness.command({.kind = Command::Kind::start, .router = RouterIndex{17}}, at(0s));
    EXPECT_EQ(harness.router(0).state, State::initialize);
}

TEST(EngineCommand, ShutdownStaysUntilStart) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.time(at(4s));
    harness.adverts();
    harness.command({.kind = Command::Kind::shutdown}, at(11s));
    EXPECT_EQ(harness.adverts().at(0).priority(), Priority::stop);
    EXPECT_EQ(harness.counters().stop_sent, 1u);
    EXPECT_EQ(harness.router().state, State::initialize);
    harness.time(at(100s));
    harness.command({.kind = Command::Kind::link_up, .link = LinkIndex{0}}, at(100s));
    EXPECT_EQ(harness.router().state, State::initialize);
    harness.start(at(101s));
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(EngineCommand, FaultsAddUpAndOnlyTheLastOneClearedStarts) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.fault(Fault::tracker, at(1s));
    harness.fault(Fault::link_down, at(2s));
    harness.fault(Fault::link_down, at(2s));
    harness.clear_fault(Fault::tracker, at(3s));
    EXPECT_EQ(harness.router().state, State::initialize);
    harness.clear_fault(Fault::link_down, at(4s));
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_EQ(harness.router().deadline, at(7s) + 609'375us);
    EXPECT_EQ(count(harness.events(), Event::Kind::transition), 2u) << "one down, one up";
}

TEST(EngineCommand, ClearingAFaultThatDoesNotHoldIsNothing) {
    Harness harness = started(v3_router(7, Priority{100}));
    const Instant deadline = harness.router().deadline;
    harness.clear_fault(Fault::tracker, at(1s));
    harness.start(at(1s));
    EXPECT_EQ(harness.router().deadline, deadline);
    EXPECT_TRUE(harness.events().empty());
}

TEST(EngineCommand, LinkCommandsConcernTheRoutersOfTheLink) {
    EngineSpec spec = with({v3_router(7, Priority{100}), v3_router(7, Priority{100}), ipv6_router(7, Priority{100})});
    spec.links.push_back({.name = "lan1", .mac = lan_mac, .is_up = true});
    spec.routers[1].link = LinkIndex{1};
    Harness harness(spec);
    harness.start(at(0s));
    harness.command({.kind = Command::Kind::link_gone, .link = LinkIndex{0}}, at(1s));
    harness.command({.kind = Command::Kind::link_down, .link = LinkIndex{0}}, at(1s));
    EXPECT_EQ(harness.router(0).faults, static_cast<unsigned>(Fault::link_gone) | static_cast<unsigned>(Fault::link_down));
    EXPECT_EQ(harness.router(1).state, State::backup);
    EXPECT_EQ(harness.router(2).state, State::initialize);
    harness.command({.kind = Command::Kind::link_up, .link = LinkIndex{0}}, at(2s));
    for (const std::uint32_t i : {0u, 1u, 2u}) EXPECT_EQ(harness.router(i).state, State::backup);
}

TEST(EngineCommand, ALinkThatIsDownAtLoadHoldsItsRouters) {
    EngineSpec spec = with({v3_router(7, Priority{100})});
    spec.links[0].is_up = false;
    Harness harness(spec);
    harness.start(at(0s));
    EXPECT_EQ(harness.router().state, State::initialize);
    harness.command({.kind = Command::Kind::link_up, .link = LinkIndex{0}}, at(1s));
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(EngineCommand, ShutdownOfManyWorksInSlicesOfATinyBatch) {
    Harness harness(with(many(10)), 3, 1, 4096);
    harness.start(at(6s));
    std::size_t taken_over = 0;
    while (taken_over < 10) {
        harness.time(at(10s));
        const std::size_t some = harness.adverts().size();
        ASSERT_LE(some, 3u);
        ASSERT_GT(some, 0u) << "no progress";
        taken_over += some;
    }
    std::vector<std::uint32_t> stopped;
    for (int call = 0;; ++call) {
        ASSERT_LT(call, 10);
        const bool is_done = harness.engine.on_command({.kind = Command::Kind::shutdown}, at(11s), harness.tx);
        for (const Sent& one : harness.adverts()) {
            EXPECT_EQ(one.priority(), Priority::stop);
            stopped.push_back(static_cast<std::uint32_t>(one.router));
        }
        if (is_done) break;
    }
    EXPECT_EQ(stopped, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})) << "each once";
    harness.start(at(12s));
    for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(harness.router(i).state, State::backup) << "the next command begins at the first";
}

TEST(EngineCommand, WithoutRoomForTheWholeFanOutNothingIsBegun) {
    RouterSpec spec = unicast_router(7, Priority{100});
    Harness harness(with({spec}), 1, 1, 4096);  // two peers, room for one
    EXPECT_FALSE(harness.engine.on_command({.kind = Command::Kind::start}, at(0s), harness.tx));
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_EQ(harness.engine.least_urgent_room(), 2u);
}

TEST(EngineCommand, TimersWithoutRoomFireInTheNextPass) {
    Harness harness(with(many(2)), 1, 1, 4096);
    harness.start(at(6s));
    harness.time(at(10s));
    EXPECT_EQ(harness.adverts().size(), 1u);
    EXPECT_LE(harness.engine.next_deadline(), at(10s)) << "at once";
    harness.time(at(10s));
    EXPECT_EQ(harness.adverts().size(), 1u);
    for (const std::uint32_t i : {0u, 1u}) EXPECT_EQ(harness.router(i).state, State::active);
}

// Events.

TEST(EngineEvents, ATransitionSaysFromToWhyAndWho) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.time(at(4s));
    harness.receive(v3_frame(7, 200, 9), at(5s));
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].kind, Event::Kind::transition);
    EXPECT_EQ(events[0].from, State::backup);
    EXPECT_EQ(events[0].to, State::active);
    EXPECT_EQ(events[0].reason, Reason::active_down_timer);
    EXPECT_EQ(events[0].at, at(4s));
    EXPECT_EQ(events[0].value, 100);
    EXPECT_EQ(events[0].peer, AddressOctets{});
    EXPECT_EQ(events[1].to, State::backup);
    EXPECT_EQ(events[1].reason, Reason::higher_priority);
    EXPECT_EQ(events[1].value, 200);
    EXPECT_EQ(events[1].peer, address_of("10.0.0.9").octets);
    EXPECT_EQ(harness.counters().became_active, 1u);
    EXPECT_EQ(harness.counters().released_active, 1u);
}

TEST(EngineEvents, FlappingIsToldAfterThreeDepositionsInARow) {  // RFC 9568 §2.5
    Harness harness = started(v3_router(7, Priority{100}));
    for (int round = 0; round < 5; ++round) {
        harness.time(at(4s * (round + 1)));
        ASSERT_EQ(harness.router().state, State::active);
        harness.receive(v3_frame(7, 200), at(4s * (round + 1)));
    }
    const auto events = harness.events();
    EXPECT_EQ(count(events, Event::Kind::flapping), 2u) << "the fourth and the fifth deposition";
}

TEST(EngineEvents, AnIntervalThatIsNotHeldIsToldAndCounted) {
    Harness harness = started(v3_router(7, Priority{255}));   // Active at 0 s: adverts at 1 s, 2 s, ...
    harness.time(at(1s + 999ms));
    EXPECT_EQ(count(harness.events(), Event::Kind::interval_missed), 0u) << "late, but within its interval";
    harness.time(at(2s + 1500ms));   // due at 2 s
    const auto events = harness.events();
    ASSERT_EQ(count(events, Event::Kind::interval_missed), 1u);
    EXPECT_EQ(events.back().detail, 1500u);
    EXPECT_EQ(harness.engine.counters().intervals_missed, 1u);
}

TEST(EngineEvents, TransmitErrorsAreCountedAndToldOncePerSecond) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (int i = 0; i < 5; ++i) harness.engine.on_transmit_error(RouterIndex{0}, 105, at(1s + i * 300ms));
    harness.engine.on_transmit_error(RouterIndex{99}, 105, at(1s));
    EXPECT_EQ(harness.counters().transmit_failed, 5u);
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].detail, 105u);
}

TEST(EngineCommand, FramesLostPutATakeoverOffOnTheirLinkOnly) {
    EngineSpec spec = with({v3_router(7, Priority{100}), v3_router(8, Priority{100})});
    spec.links.push_back(spec.links[0]);
    spec.routers[1].link = LinkIndex{1};
    Harness harness(spec);
    harness.start(at(0s));
    harness.command({.kind = Command::Kind::frames_lost, .link = LinkIndex{0}}, at(3s));
    harness.command({.kind = Command::Kind::frames_lost, .link = LinkIndex{9}}, at(3s));
    harness.time(at(3700ms));   // Active_Down_Interval of priority 100: 3.609375 s
    EXPECT_EQ(harness.router(0).state, State::backup);
    EXPECT_EQ(harness.router(1).state, State::active);
    EXPECT_EQ(harness.engine.counters().listened, 1u);
    harness.time(at(7400ms));
    EXPECT_EQ(harness.router(0).state, State::active);
}

TEST(EngineEvents, ReportStatesTellsEveryRouterAndWhen) {
    Harness harness(with(many(3)));
    harness.command({.kind = Command::Kind::start, .router = RouterIndex{1}}, at(0s));
    harness.events();
    harness.command({.kind = Command::Kind::report_states}, at(1s));
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 3u);
    for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(events[i].kind, Event::Kind::state_report);
        EXPECT_EQ(events[i].router, RouterIndex{i});
        EXPECT_EQ(events[i].to, i == 1 ? State::backup : State::initialize);
        EXPECT_EQ(events[i].value, 100);
        EXPECT_EQ(events[i].at, at(1s));
    }
    EXPECT_EQ(events[0].faults, static_cast<std::uint8_t>(Fault::not_started));
}

TEST(EngineEvents, OneRouterCanBeAskedAlone) {
    Harness harness(with(many(3)));
    harness.fault(Fault::tracker, at(0s));
    harness.events();
    harness.command({.kind = Command::Kind::report_states, .router = RouterIndex{2}}, at(1s));
    harness.command({.kind = Command::Kind::report_states, .router = RouterIndex{3}}, at(1s));   // there is none
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, Event::Kind::state_report);
    EXPECT_EQ(events[0].router, RouterIndex{2});
    EXPECT_EQ(events[0].faults, static_cast<std::uint8_t>(Fault::not_started));
}

TEST(EngineEvents, AReaderThatSleptIsToldEveryStateAnew) {
    // Room for 2 * 2 + 256 events: 300 transitions of one router are too many.
    Harness harness(with(many(2)));
    for (int i = 0; i < 150; ++i) {
        harness.command({.kind = Command::Kind::start, .router = RouterIndex{0}}, at(i * 1ms));
        harness.fault(Fault::tracker, at(i * 1ms));
        harness.clear_fault(Fault::tracker, at(i * 1ms));
        harness.command({.kind = Command::Kind::shutdown, .router = RouterIndex{0}}, at(i * 1ms));
    }
    EXPECT_GT(harness.engine.counters().events_lost, 0u);
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 262u) << "what fitted, then both states, without waiting for a timer";
    for (const std::size_t i : {260u, 261u}) {
        EXPECT_EQ(events[i].kind, Event::Kind::state_report);
        EXPECT_EQ(events[i].to, State::initialize);
        EXPECT_EQ(events[i].at, at(149ms));
    }
    EXPECT_TRUE(harness.events().empty());
}

// Loading.

std::string refusal(const EngineSpec& spec) {
    const auto engine = Engine::make(spec, at(0s));
    return engine ? "accepted" : engine.error().text;
}

TEST(EngineLoad, SameVridTwiceOnOneLinkAndFamily) {  // RFC 9568 §5.2.3
    EXPECT_EQ(refusal(with({v3_router(7, Priority{100}), v3_router(7, Priority{90})})), "virtual_router_id 7 is used twice on lan0");
    EXPECT_EQ(refusal(with({v3_router(7, Priority{100}), ipv6_router(7, Priority{90})})), "accepted");
}

TEST(EngineLoad, ImpossibleRouters) {
    const auto broken = [](auto&& spoil) {
        EngineSpec spec = with({v3_router(7, Priority{100})});
        spoil(spec.routers[0]);
        return refusal(spec);
    };
    EXPECT_EQ(broken([](RouterSpec& r) { r.link = LinkIndex{1}; }), "no such link");
    EXPECT_EQ(broken([](RouterSpec& r) { r.announced[0].link = LinkIndex{1}; }), "no such link");
    EXPECT_EQ(broken([](RouterSpec& r) { r.vrid = Vrid{0}; }), "virtual_router_id must be 1 to 255");
    EXPECT_EQ(broken([](RouterSpec& r) { r.priority = Priority::stop; }), "priority must be 1 to 255");
    EXPECT_EQ(broken([](RouterSpec& r) { r.down_timer_adverts = 0; }), "down_timer_adverts must be at least 1");
    EXPECT_EQ(broken([](RouterSpec& r) { r.advertised.clear(); }), "VRRPv3 needs at least one address in virtual_ipaddress");
    EXPECT_EQ(broken([](RouterSpec& r) { r.interval = Centiseconds{4096}; }), "advertisement interval cannot be expressed in this VRRP version");
    EXPECT_EQ(broken([](RouterSpec& r) { r.interval = Centiseconds{0}; }), "advertisement interval cannot be expressed in this VRRP version");
    EXPECT_NE(broken([](RouterSpec& r) { r.advertised.push_back(address_of("fe80::1")); }), "accepted");
    EXPECT_NE(broken([](RouterSpec& r) { r.auth_type = packet::AuthType::simple_password; }), "accepted");
    EXPECT_NE(broken([](RouterSpec& r) { r.version = VrrpVersion::v2; r.interval = Centiseconds{150}; }), "accepted");
    EXPECT_NE(broken([](RouterSpec& r) { r.advertised.assign(256, address_of("10.0.0.100")); }), "accepted");
}

TEST(EngineLoad, DerivedFlagsComeFromTheRouterNotFromTheCaller) {
    // An IPv4 frame that is patched as if it were IPv6 would be written beyond its end.
    RouterSpec spec = v3_router(7, Priority{100});
    for (const Flag flag : {Flag::ipv6, Flag::version2, Flag::unicast}) set(spec, flag);
    Harness harness(with({spec}));
    for (const Flag flag : {Flag::ipv6, Flag::version2, Flag::unicast}) EXPECT_FALSE(has(harness.router(), flag));
    EXPECT_TRUE(has(harness.router(), Flag::preempt));
}

TEST(EngineLoad, AnEngineWithoutRoutersDoesNothing) {
    Harness harness(one_link());
    harness.start(at(0s));
    harness.receive(v3_frame(7, 200), at(1s));
    harness.time(at(1s));
    EXPECT_EQ(harness.errors(packet::ReceiveError::unknown_vrid), 1u);
    EXPECT_TRUE(harness.tx.is_empty());
}

}  // namespace
}  // namespace vigil::test
