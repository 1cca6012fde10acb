// From the ring to the router: every reason for which the engine refuses a frame is counted under its name and changes nothing else.

#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using packet::ReceiveError;

/// A refused frame leaves the record, its timer and the wire as they were; it is counted once, under `error`.
void expect_refused(Harness& harness, const Octets& bytes, ReceiveError error, Instant arrival, LinkIndex link = LinkIndex{0},
                    std::uint32_t index = 0) {
    const VirtualRouter before = harness.router(index);
    const Instant deadline = harness.engine.next_deadline();
    const std::uint64_t counted = harness.errors(error);
    const std::uint64_t accepted = harness.counters(index).adverts_received;
    harness.sent();
    harness.receive(bytes, arrival, link);
    EXPECT_EQ(harness.errors(error), counted + 1) << packet::to_string(error);
    EXPECT_EQ(harness.counters(index).adverts_received, accepted);
    EXPECT_EQ(std::memcmp(&before, &harness.router(index), sizeof before), 0) << "the record changed: " << packet::to_string(error);
    EXPECT_EQ(harness.engine.next_deadline(), deadline);
    EXPECT_TRUE(harness.tx.is_empty());
}

void expect_refused(Harness& harness, const FrameBuilder& frame, ReceiveError error, Instant arrival = at(1s), LinkIndex link = LinkIndex{0}) {
    expect_refused(harness, frame.build(), error, arrival, link);
}

Harness started(const RouterSpec& router) {
    Harness harness(with({router}));
    harness.start(at(0s));
    harness.events();
    return harness;
}

Harness started_active(const RouterSpec& router) {
    Harness harness(with({router}));
    harness.start(at(6s));
    harness.time(at(10s));
    EXPECT_EQ(harness.router().state, State::active);
    harness.sent();
    harness.events();
    return harness;
}

TEST(EngineReceive, AGoodAdvertIsCountedAndRestartsTheTimer) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.receive(v3_frame(7, 200), at(2s));
    EXPECT_EQ(harness.counters().adverts_received, 1u);
    EXPECT_EQ(harness.engine.counters().frames, 1u);
    EXPECT_EQ(harness.router().deadline, at(5s) + 609'375us);
    EXPECT_EQ(harness.engine.counters().checksum_forms[static_cast<std::size_t>(packet::ChecksumForm::pseudo_header)], 1u);
}

TEST(EngineReceive, ElectsByArrivalNotByWhenItLooked) {
    // A process that stalled for 9 s holds adverts of each second in its ring; when it wakes up it must not take over.
    Harness harness = started(v3_router(7, Priority{100}));
    for (int second = 1; second <= 9; ++second) harness.receive(v3_frame(7, 200), at(second * 1s));
    harness.time(at(9s) + 100ms);
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_EQ(harness.router().deadline, at(12s) + 609'375us);
}

TEST(EngineReceive, TruncatedByTheRing) {
    Harness harness = started(v3_router(7, Priority{100}));
    const Octets bytes = v3_frame(7, 200).build();
    const RxFrame cut{.bytes = bytes, .arrival = at(1s), .link = LinkIndex{0}, .is_truncated = true};
    EXPECT_EQ(harness.engine.on_frames(std::span(&cut, 1), harness.tx), 1u);
    EXPECT_EQ(harness.errors(ReceiveError::frame_truncated), 1u);
    EXPECT_EQ(harness.counters().adverts_received, 0u);
}

TEST(EngineReceive, WhatThePacketLayerRefusesIsCountedUnderItsReason) {
    Harness harness = started(v3_router(7, Priority{100}));
    expect_refused(harness, v3_frame(7, 200).cut_to(20), ReceiveError::frame_truncated);
    expect_refused(harness, v3_frame(7, 200).ttl(254), ReceiveError::bad_ttl);
    expect_refused(harness, v3_frame(7, 200).bad_checksum(), ReceiveError::bad_checksum);
    expect_refused(harness, v3_frame(7, 200).type(2), ReceiveError::bad_type);
    expect_refused(harness, v3_frame(7, 200).interval(0), ReceiveError::zero_interval);
    expect_refused(harness, frame().ipv4("10.0.0.2", "224.0.0.18").vrrp_v3(7, 200), ReceiveError::no_addresses);
    expect_refused(harness, v3_frame(0, 200), ReceiveError::zero_vrid);
}

/// What an operator finds in the statistics of the router that such a frame seems to be for.
TEST(EngineReceive, MisreadFramesAreCountedForTheirRouter) {
    Harness harness(with({v3_router(7, Priority{100}), v3_router(8, Priority{100})}));
    harness.start(at(0s));
    expect_refused(harness, v3_frame(8, 200).ttl(254), ReceiveError::bad_ttl);
    expect_refused(harness, v3_frame(8, 200).type(2), ReceiveError::bad_type);
    expect_refused(harness, v3_frame(8, 200).address_count(9), ReceiveError::truncated);
    expect_refused(harness, v3_frame(9, 200).ttl(254), ReceiveError::bad_ttl);   // nobody's
    EXPECT_EQ(harness.counters(1).ttl_errors, 1u);
    EXPECT_EQ(harness.counters(1).type_errors, 1u);
    EXPECT_EQ(harness.counters(1).length_errors, 1u);
    EXPECT_EQ(harness.counters(0).ttl_errors + harness.counters(0).type_errors + harness.counters(0).length_errors, 0u);
}

TEST(EngineReceive, CountersBeginAnewWhenCleared) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.receive(v3_frame(7, 200), at(1s));
    expect_refused(harness, v3_frame(7, 200).ttl(254), ReceiveError::bad_ttl);
    EXPECT_EQ(harness.engine.heard_priority(RouterIndex{0}), Priority{200});
    harness.engine.clear_counters(RouterIndex{0});
    EXPECT_EQ(harness.counters().adverts_received, 0u);
    EXPECT_EQ(harness.counters().ttl_errors, 0u);
    EXPECT_EQ(harness.engine.heard_priority(RouterIndex{0}), Priority{200});   // no counter
    harness.receive(v3_frame(7, 200), at(2s));
    EXPECT_EQ(harness.counters().adverts_received, 1u);
}

TEST(EngineReceive, UnknownVridOrFamilyOrLink) {
    EngineSpec spec = with({v3_router(7, Priority{100})});
    spec.links.push_back({.name = "lan1", .mac = lan_mac, .is_up = true});
    Harness harness(spec);
    harness.start(at(0s));
    expect_refused(harness, v3_frame(8, 200), ReceiveError::unknown_vrid);
    expect_refused(harness, ipv6_frame(7, 200), ReceiveError::unknown_vrid);
    expect_refused(harness, v3_frame(7, 200), ReceiveError::unknown_vrid, at(1s), LinkIndex{1});
    expect_refused(harness, v3_frame(7, 200), ReceiveError::unknown_vrid, at(1s), LinkIndex{9});
    expect_refused(harness, v3_frame(7, 200), ReceiveError::unknown_vrid, at(1s), LinkIndex::none);
}

TEST(EngineReceive, RouterNotRunning) {
    Harness harness(with({v3_router(7, Priority{100})}));
    expect_refused(harness, v3_frame(7, 200), ReceiveError::router_not_running);
    EXPECT_TRUE(harness.events().empty());
}

TEST(EngineReceive, OwnSourceIsToldOnceASecond) {
    Harness harness = started_active(v3_router(7, Priority{100}));
    expect_refused(harness, v3_frame(7, 100, 1), ReceiveError::own_source, at(20s));
    expect_refused(harness, v3_frame(7, 255, 1), ReceiveError::own_source, at(20s) + 999ms);
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, Event::Kind::own_address_seen);
    expect_refused(harness, v3_frame(7, 255, 1), ReceiveError::own_source, at(21s));
    EXPECT_EQ(harness.events().size(), 1u);
}

TEST(EngineReceive, VersionMismatchBothWays) {
    Harness v3 = started(v3_router(7, Priority{100}));
    expect_refused(v3, v2_frame(7, 200), ReceiveError::version_mismatch);
    Harness v2 = started(v2_router(7, Priority{100}));
    expect_refused(v2, v3_frame(7, 200), ReceiveError::version_mismatch);
}

TEST(EngineReceive, WrongDestinationBothWays) {
    Harness multicast = started(v3_router(7, Priority{100}));
    expect_refused(multicast, unicast_frame(7, 200), ReceiveError::wrong_destination);
    Harness unicast = started(unicast_router(7, Priority{100}));
    expect_refused(unicast, v3_frame(7, 200), ReceiveError::wrong_destination);
}

TEST(EngineReceive, UnicastFromAStrangerIsRefusedOnlyWhenToldToLook) {
    RouterSpec spec = unicast_router(7, Priority{100});
    Harness open = started(spec);
    open.receive(unicast_frame(7, 200, 9), at(1s));
    EXPECT_EQ(open.counters().adverts_received, 1u);
    set(spec, Flag::check_unicast_source);
    Harness checked = started(spec);
    expect_refused(checked, unicast_frame(7, 200, 9), ReceiveError::not_a_peer);
    checked.receive(unicast_frame(7, 200, 3), at(1s));
    EXPECT_EQ(checked.counters().adverts_received, 1u);
}

TEST(EngineReceive, UnicastTtlOutsideThePeersRange) {
    RouterSpec spec = unicast_router(7, Priority{100});
    spec.peers[0].min_ttl = 60;
    spec.peers[0].max_ttl = 64;
    Harness harness = started(spec);
    expect_refused(harness, unicast_frame(7, 200).ttl(59), ReceiveError::bad_unicast_ttl);
    expect_refused(harness, unicast_frame(7, 200).ttl(65), ReceiveError::bad_unicast_ttl);
    EXPECT_EQ(harness.counters().ttl_errors, 2u);
    harness.receive(unicast_frame(7, 200).ttl(60), at(1s));
    harness.receive(unicast_frame(7, 200).ttl(64), at(1s));
    harness.receive(unicast_frame(7, 200, 3).ttl(1), at(1s));
    EXPECT_EQ(harness.counters().adverts_received, 3u);
}

TEST(EngineReceive, Version2WithAnotherInterval) {
    Harness harness = started(v2_router(7, Priority{100}));
    expect_refused(harness, v2_frame(7, 200).interval(2), ReceiveError::interval_mismatch);
    EXPECT_EQ(harness.counters().interval_mismatch, 1u);
}

TEST(EngineReceive, OwnerIgnoresAdvertsWhenToldTo) {
    RouterSpec spec = v3_router(7, Priority::owner);
    Harness harness = started(spec);
    harness.receive(v3_frame(7, 255, 2), at(1s));
    EXPECT_EQ(harness.router().state, State::backup) << "by default an owner takes part in the election (erratum 8298)";
    set(spec, Flag::owner_ignores_adverts);
    Harness deaf = started(spec);
    expect_refused(deaf, v3_frame(7, 255, 2), ReceiveError::owner_ignores);
    EXPECT_EQ(deaf.router().state, State::active);
}

TEST(EngineReceive, StrictIpv6WantsALinkLocalAddressFirst) {
    RouterSpec spec = ipv6_router(7, Priority{100});
    const auto global_first = frame().ipv6("fe80::2", "ff02::12").vrrp_v3(7, 200).address("2001:db8::100");
    Harness lenient = started(spec);
    lenient.receive(global_first, at(1s));
    EXPECT_EQ(lenient.counters().adverts_received, 1u);
    set(spec, Flag::strict);
    Harness strict = started(spec);
    expect_refused(strict, global_first, ReceiveError::not_link_local);
    strict.receive(ipv6_frame(7, 200), at(1s));
    EXPECT_EQ(strict.counters().adverts_received, 1u);
}

TEST(EngineReceive, ARefusedFrameIsToldOncePerSecondWithItsReason) {
    Harness harness = started(v2_router(7, Priority{100}));
    harness.receive(v2_frame(7, 200).interval(2), at(1s));
    harness.receive(v2_frame(7, 200).interval(3), at(1s) + 10ms);
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, Event::Kind::rejected);
    EXPECT_EQ(events[0].error, ReceiveError::interval_mismatch);
    EXPECT_EQ(events[0].value, 200);
    EXPECT_EQ(events[0].detail, 200u);
    EXPECT_EQ(events[0].peer, address_of("10.0.0.2").octets);
}

TEST(EngineReceive, OneCauseOfReportsDoesNotHideAnother) {
    Harness harness = started_active(v2_router(7, Priority{100}));
    harness.receive(v2_frame(7, 90).interval(2), at(20s));
    harness.receive(v2_frame(7, 90, 3), at(20s) + 1ms);
    harness.engine.on_transmit_error(RouterIndex{0}, 100, at(20s) + 2ms);
    const auto events = harness.events();
    EXPECT_EQ(count(events, Event::Kind::rejected), 1u);
    EXPECT_EQ(count(events, Event::Kind::lower_heard), 1u);
    EXPECT_EQ(count(events, Event::Kind::transmit_failed), 1u);
}

TEST(EngineReceive, JunkDoesNotSilenceAnActive) {
    // keepalived re-arms its advert timer after any frame: a thousand bad ones a second keep it quiet until the Backups take over.
    Harness harness = started_active(v3_router(7, Priority{100}));
    const Octets junk = v3_frame(7, 50).bad_checksum().build();
    std::size_t adverts = 0;
    for (int ms = 10'000; ms < 15'000; ++ms) {
        harness.receive(junk, at(ms * 1ms));
        harness.time(at(ms * 1ms));
        adverts += harness.adverts().size();
    }
    EXPECT_EQ(adverts, 4u);  // due at 11, 12, 13 and 14 s
}

// What is told and not acted on (RFC 9568 §7.1).

TEST(EngineReceive, AnotherIntervalIsToldOnce) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (int second = 1; second <= 3; ++second) harness.receive(v3_frame(7, 200).interval(150), at(second * 1s));
    const auto events = harness.events();
    ASSERT_EQ(count(events, Event::Kind::interval_learned), 1u);
    EXPECT_EQ(events[0].detail, 150u);
}

TEST(EngineReceive, TwoPeersWithDifferentIntervalsDoNotFloodTheEvents) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (int i = 0; i < 100; ++i) harness.receive(v3_frame(7, 200, i % 2 == 0 ? 2 : 3).interval(i % 2 == 0 ? 100 : 150), at(1s + i * 10ms));
    EXPECT_LE(count(harness.events(), Event::Kind::interval_learned), 2u);
}

TEST(EngineReceive, AnotherAddressListIsToldAndAccepted) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.receive(v3_frame(7, 200).address("10.0.0.101"), at(1s));
    EXPECT_EQ(harness.counters().address_list_differs, 1u);
    EXPECT_EQ(harness.counters().adverts_received, 1u);
    const auto events = harness.events();
    ASSERT_EQ(count(events, Event::Kind::address_list_differs), 1u);
    EXPECT_EQ(events[0].detail, 2u);
}

TEST(EngineReceive, TwoPeersWithDifferentAddressesDoNotFloodTheEvents) {
    Harness harness = started(v3_router(7, Priority{100}));
    for (int i = 0; i < 100; ++i) harness.receive(v3_frame(7, 200, i % 2 == 0 ? 2 : 3).address("10.0.0.101"), at(1s + i * 10ms));
    EXPECT_LE(count(harness.events(), Event::Kind::address_list_differs), 2u);
}

TEST(EngineReceive, TheSameAddressesInAnotherOrderAreEqual) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.advertised.push_back(address_of("10.0.0.101"));
    Harness harness = started(spec);
    harness.receive(frame().ipv4("10.0.0.2", "224.0.0.18").vrrp_v3(7, 200).address("10.0.0.101").address("10.0.0.100"), at(1s));
    EXPECT_EQ(harness.counters().address_list_differs, 0u);
}

TEST(EngineReceive, AnOwnerThatHearsAdvertsTellsIt) {  // erratum 8298
    Harness harness = started(v3_router(7, Priority::owner));
    harness.events();
    harness.receive(v3_frame(7, 100), at(1s));
    EXPECT_EQ(count(harness.events(), Event::Kind::owner_conflict), 1u);
}

TEST(EngineReceive, ALosingAdvertIsAnsweredToldAndLimited) {
    Harness harness = started_active(v3_router(7, Priority{100}));
    harness.receive(v3_frame(7, 50), at(20s));
    EXPECT_EQ(harness.adverts().size(), 1u);
    harness.receive(v3_frame(7, 50), at(20s) + 100ms);
    EXPECT_TRUE(harness.adverts().empty());
    EXPECT_EQ(harness.counters().answers_suppressed, 1u);
    const auto events = harness.events();
    ASSERT_EQ(count(events, Event::Kind::lower_heard), 1u);
    EXPECT_EQ(events[0].value, 50);
}

TEST(EngineReceive, BackPressureLeavesFramesForTheNextPass) {
    Harness harness(with({v3_router(7, Priority{100})}), 1, 1, 4096);
    harness.start(at(6s));
    harness.time(at(10s));
    const Octets lower = v3_frame(7, 50).build();
    const std::array<RxFrame, 2> frames{RxFrame{lower, at(11s), LinkIndex{0}}, RxFrame{lower, at(12s), LinkIndex{0}}};
    EXPECT_EQ(harness.engine.on_frames(frames, harness.tx), 0u) << "the advert of the takeover still fills the batch";
    harness.sent();
    EXPECT_EQ(harness.engine.on_frames(frames, harness.tx), 1u);
    EXPECT_EQ(harness.engine.counters().frames, 1u);
}

/// What the engine tells of adverts that are nobody's here: (detail, priority).
std::vector<std::pair<std::uint32_t, unsigned>> unknown_reports(Harness& harness) {
    std::vector<std::pair<std::uint32_t, unsigned>> reports;
    for (const Event& event : harness.events()) {
        EXPECT_EQ(event.kind, Event::Kind::rejected);
        EXPECT_EQ(event.error, ReceiveError::unknown_vrid);
        EXPECT_EQ(event.router, RouterIndex::none);
        reports.emplace_back(event.detail, event.value);
    }
    return reports;
}

TEST(UnknownVrids, AreToldOfOnlyWhenAskedFor) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.receive(v3_frame(8, 200).build(), at(1s));
    EXPECT_TRUE(harness.events().empty());
    harness.engine.report_unknown_vrids();
    expect_refused(harness, v3_frame(8, 200), ReceiveError::unknown_vrid);
    expect_refused(harness, ipv6_frame(9, 150), ReceiveError::unknown_vrid);
    EXPECT_EQ(unknown_reports(harness), (std::vector<std::pair<std::uint32_t, unsigned>>{{8u << 16, 200}, {1u << 24 | 9u << 16, 150}}));
}

TEST(UnknownVrids, AreToldOfTenTimesASecondAndNotTheSameTwiceInARow) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.engine.report_unknown_vrids();
    harness.receive(v3_frame(8, 200).build(), at(1s));
    harness.receive(v3_frame(8, 200).build(), at(1s) + 500ms);
    EXPECT_EQ(unknown_reports(harness).size(), 1u);
    for (std::uint8_t vrid = 10; vrid < 40; ++vrid) harness.receive(v3_frame(vrid, 200).build(), at(1s) + 600ms);
    EXPECT_EQ(unknown_reports(harness).size(), 9u);
    harness.receive(v3_frame(39, 200).build(), at(2s) - 1ns);
    EXPECT_EQ(unknown_reports(harness).size(), 0u);
    harness.receive(v3_frame(39, 200).build(), at(2s));
    EXPECT_EQ(unknown_reports(harness).size(), 1u);
}

}  // namespace
}  // namespace vigil::test
