// A reload: another engine goes on where one stands.

#include <gtest/gtest.h>

#include <algorithm>

#include "packet/frame.h"
#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

std::vector<RouterIndex> same_places(const EngineSpec& spec) {
    std::vector<RouterIndex> places;
    for (std::uint32_t i = 0; i < spec.routers.size(); ++i) places.push_back(RouterIndex{i});
    return places;
}

void reload(Harness& harness, const EngineSpec& spec, const std::vector<RouterIndex>& predecessors, Instant now) {
    auto next = Engine::make(spec, now);
    ASSERT_TRUE(next.has_value());
    harness.sent();   // what has not been looked at lies in the engine that made it
    next->adopt(harness.engine, predecessors, now);
    harness.engine = std::move(*next);
}

EngineSpec some_routers() {
    RouterSpec ah = v2_router(3, Priority{100});
    ah.auth_type = packet::AuthType::ah;
    RouterSpec patient = v3_router(4, Priority{150});
    patient.preempt_delay_ms = 3000;
    RouterSpec refreshing = v3_router(5, Priority{100});
    refreshing.announcements.refresh = 2s;
    return with({v3_router(1, Priority{100}), v3_router(2, Priority::owner), ah, patient, refreshing, ipv6_router(1, Priority{100}),
                 unicast_router(9, Priority{120})});
}

/// Everything that came out of twenty seconds of adverts, faults, commands and junk, with a reload every `distance`; zero: never. What happened in the same
/// millisecond has no order.
std::vector<std::string> live(Nanoseconds distance) {
    const EngineSpec spec = some_routers();
    Harness harness(spec, 256, 256);
    std::vector<std::string> out;
    const auto write = [&](Instant now) {
        for (const Sent& sent : harness.sent()) {
            out.push_back(std::to_string(now.ns) + " sends " + std::string(sent.bytes.begin(), sent.bytes.end()));
        }
        for (const Event& event : harness.events()) {
            out.push_back(std::to_string(event.at.ns) + " event " + std::to_string(static_cast<int>(event.kind)) + " router " +
                   std::to_string(to_number(event.router)) + " to " + std::to_string(static_cast<int>(event.to)) + " reason " +
                   std::to_string(static_cast<int>(event.reason)) + " value " + std::to_string(event.value) + " detail " + std::to_string(event.detail));
        }
    };
    harness.start(at(0s));
    std::int64_t reloads = 0;
    for (Nanoseconds passed = 0ms; passed < 20s; passed += 10ms) {
        const Instant now = at(passed);
        const std::int64_t second = passed / 1s;
        if (passed % 1s == 500ms) {
            if (second < 6) harness.receive(v3_frame(1, 200), now), harness.receive(ipv6_frame(1, 200), now), harness.receive(v3_frame(4, 60), now);
            if (second == 3) harness.receive(v3_frame(1, 200).bad_checksum(), now), harness.receive(v3_frame(1, 200).interval(200), now);
            if (second == 12) harness.receive(v3_frame(1, 50), now), harness.receive(v3_frame(2, 255), now), harness.receive(v2_frame(3, 200).ah("", 7), now);
            if (second == 8 || second == 13) {
                for (std::uint32_t i = 0; i < spec.routers.size(); ++i) harness.command({.kind = Command::Kind::addresses_ready, .router = RouterIndex{i}}, now);
            }
            if (second == 16) harness.command({.kind = Command::Kind::set_priority, .value = 77, .router = RouterIndex{0}}, now);
            if (second == 17) harness.command({.kind = Command::Kind::link_down, .link = LinkIndex{0}}, now);
            if (second == 18) harness.command({.kind = Command::Kind::link_up, .link = LinkIndex{0}}, now);
        }
        harness.time(now);
        write(now);
        if (distance == 0ms || passed / distance < reloads) continue;
        ++reloads;
        reload(harness, spec, same_places(spec), now);
    }
    for (std::uint32_t i = 0; i < spec.routers.size(); ++i) {
        const RouterCounters counters = harness.counters(i);
        out.push_back("counted " + std::to_string(counters.adverts_received) + " " + std::to_string(counters.adverts_sent) + " " +
                      std::to_string(counters.became_active));
    }
    std::ranges::sort(out);
    return out;
}

TEST(Adopt, TheLanAndTheControlThreadNoticeNothing) {
    const std::vector<std::string> undisturbed = live(0ms);
    EXPECT_GT(undisturbed.size(), 150u);
    EXPECT_TRUE(live(10ms) == undisturbed);
    EXPECT_TRUE(live(330ms) == undisturbed);
}

TEST(Adopt, RoutersMayHaveOtherNumbers) {
    Harness harness(with({v3_router(1, Priority{100}), v3_router(2, Priority::owner)}));
    harness.start(at(0s));
    harness.events();
    const Instant deadline = harness.router(1).deadline;
    reload(harness, with({v3_router(7, Priority{100}), v3_router(2, Priority::owner), v3_router(1, Priority{100})}),
           {RouterIndex::none, RouterIndex{1}, RouterIndex{0}}, at(100ms));
    EXPECT_EQ(harness.router(0).state, State::initialize);
    EXPECT_TRUE(has(harness.router(0), Fault::not_started));
    EXPECT_EQ(harness.router(1).state, State::active);
    EXPECT_EQ(harness.router(1).deadline, deadline);
    EXPECT_EQ(harness.router(2).state, State::backup);
    EXPECT_TRUE(harness.events().empty());
    harness.run_until(at(10s));
    EXPECT_EQ(harness.router(2).state, State::active);
    EXPECT_EQ(harness.router(0).state, State::initialize);
}

TEST(Adopt, WhatIsConfiguredIsNewAndWhatHappenedIsOld) {
    Harness harness(with({v3_router(1, Priority::owner)}));
    harness.start(at(0s));
    harness.command({.kind = Command::Kind::addresses_ready, .router = RouterIndex{0}}, at(0s));
    harness.time(at(0s));
    harness.sent();
    RouterSpec more = v3_router(1, Priority::owner);
    more.advertised.push_back(address_of("10.0.0.101"));
    more.announced.push_back({address_of("10.0.0.101"), LinkIndex{0}, more.source_mac});
    more.interval = Centiseconds{50};
    more.down_timer_adverts = 5;
    reload(harness, with({more}), {RouterIndex{0}}, at(100ms));
    EXPECT_EQ(harness.router().state, State::active);
    EXPECT_EQ(harness.router().down_timer_adverts, 5);
    EXPECT_EQ(harness.counters().became_active, 1u);
    harness.run_until(at(700ms));   // the new interval counts from the reload, not from the last advert
    std::vector<Sent> adverts;
    for (const Harness::Timed& one : harness.log) {
        if (one.sent.is_advertisement()) adverts.push_back(one.sent);
    }
    ASSERT_EQ(adverts.size(), 1u);
    const auto frame = packet::read_frame(adverts[0].bytes);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->advertisement.address_count(), 2u);
}

TEST(Adopt, FaultsAndEffectivePriorityStay) {
    Harness harness(with({v3_router(1, Priority{100})}));
    harness.start(at(0s));
    harness.command({.kind = Command::Kind::set_priority, .value = 77, .router = RouterIndex{0}}, at(0s));
    harness.receive(v3_frame(1, 200), at(1s));
    harness.fault(Fault::tracker, at(1s));
    reload(harness, with({v3_router(1, Priority{110})}), {RouterIndex{0}}, at(2s));
    EXPECT_EQ(harness.router().priority, Priority{77});
    EXPECT_EQ(harness.engine.heard_priority(RouterIndex{0}), Priority{200});
    EXPECT_TRUE(has(harness.router(), Fault::tracker));
    harness.clear_fault(Fault::tracker, at(3s));
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(Adopt, AnnouncementsUnderWayGoOnOverTheNewList) {
    Harness harness(with({v3_router(1, Priority::owner)}));
    harness.start(at(0s));
    harness.command({.kind = Command::Kind::addresses_ready, .router = RouterIndex{0}}, at(0s));
    harness.run_until(at(1s));
    harness.log.clear();
    RouterSpec more = v3_router(1, Priority::owner);
    more.announced.push_back({address_of("10.0.0.101"), LinkIndex{0}, more.source_mac});
    reload(harness, with({more}), {RouterIndex{0}}, at(1s));
    harness.run_until(at(8s));
    // The second burst, garp_master_delay after the first: five rounds.
    EXPECT_EQ(std::ranges::count_if(harness.log, [](const Harness::Timed& one) { return !one.sent.is_urgent; }), 10);
}

TEST(Adopt, WhatTheLanHasTaughtStays) {
    const EngineSpec spec = with({v3_router(1, Priority{100})});
    Harness harness(spec);
    harness.start(at(0s));
    harness.receive(v3_frame(1, 200).interval(200), at(1s));
    harness.receive(v3_frame(1, 200).bad_checksum(), at(1s));
    harness.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address_of("10.0.0.9").octets}, at(1s));
    reload(harness, spec, same_places(spec), at(2s));
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{200});
    EXPECT_EQ(harness.router().primary_address, address_of("10.0.0.9").octets);
    EXPECT_EQ(harness.errors(packet::ReceiveError::bad_checksum), 1u);
    harness.run_until(at(10s));
    ASSERT_FALSE(harness.log.empty());
    const auto frame = packet::read_frame(harness.log[0].sent.bytes);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->source, address_of("10.0.0.9"));
}

TEST(Adopt, DoubtsAndListeningStay) {
    const EngineSpec spec = with({v3_router(1, Priority{100}), v3_router(2, Priority::owner)});
    Harness harness(spec);
    harness.start(at(0s));
    harness.command({.kind = Command::Kind::frames_lost, .link = LinkIndex{0}}, at(3s));
    harness.time(at(10s));   // a pause of seven seconds
    ASSERT_EQ(harness.router(0).doubts, 1);
    ASSERT_TRUE(harness.router(1).is_listening);
    reload(harness, spec, same_places(spec), at(10s));
    EXPECT_EQ(harness.router(0).doubts, 1);
    EXPECT_TRUE(harness.router(1).is_listening);
}

TEST(Adopt, AnAdvertThatIsPlayedAgainIsRefusedAsBefore) {
    RouterSpec router = v2_router(3, Priority{100});
    router.auth_type = packet::AuthType::ah;
    const EngineSpec spec = with({router});
    Harness harness(spec);
    harness.start(at(0s));
    harness.receive(v2_frame(3, 200).ah("", 7), at(1s));
    ASSERT_EQ(harness.counters().adverts_received, 1u);
    reload(harness, spec, same_places(spec), at(1s));
    harness.receive(v2_frame(3, 200).ah("", 7), at(2s));
    EXPECT_EQ(harness.counters().adverts_received, 1u);
    harness.receive(v2_frame(3, 200).ah("", 8), at(2s));
    EXPECT_EQ(harness.counters().adverts_received, 2u);
}

TEST(Adopt, AListThatDiffersIsToldOnceForItsSender) {
    const EngineSpec spec = with({v3_router(1, Priority{100})});
    Harness harness(spec);
    harness.start(at(0s));
    const auto hear = [&](Instant now) {
        harness.receive(v3_frame(1, 200).address("10.0.0.77"), now);
        return count(harness.events(), Event::Kind::address_list_differs);
    };
    EXPECT_EQ(hear(at(1s)), 1u);
    reload(harness, spec, same_places(spec), at(2s));
    EXPECT_EQ(hear(at(3s)), 0u);
}

TEST(Adopt, ARouterThatIsNotThereAnyMoreIsForgotten) {
    Harness harness(with({v3_router(1, Priority::owner), v3_router(2, Priority::owner)}));
    harness.start(at(0s));
    harness.events();
    reload(harness, with({v3_router(2, Priority::owner)}), {RouterIndex{1}}, at(100ms));
    harness.sent();
    harness.run_until(at(3s));
    for (const Harness::Timed& one : harness.log) {
        if (!one.sent.is_advertisement()) continue;
        EXPECT_EQ(packet::read_frame(one.sent.bytes)->advertisement.vrid(), Vrid{2});
    }
    harness.receive(v3_frame(1, 200), at(4s));
    EXPECT_EQ(harness.errors(packet::ReceiveError::unknown_vrid), 1u);
}

}  // namespace
}  // namespace vigil::test
