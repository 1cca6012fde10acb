// RFC 9568 §6.4.2 and RFC 3768 §6.4.2: the Backup. What the kernel does (ARP answers, frames for the virtual MAC, packets to the addresses)
// is asked of the kernel in tests/netns; here: what the engine sends, arms and learns.

#include "tests/rfc/rfc_harness.h"

namespace vigil::test {
namespace {

/// Priority 100 heard a good Active at 1 s.
Harness quiet_backup(const RouterSpec& spec, const FrameBuilder& heard) {
    Harness harness = started(spec);
    harness.receive(heard, at(1s));
    EXPECT_EQ(harness.router().deadline, at(4s) + 609'375us);
    return harness;
}
Harness quiet_backup() { return quiet_backup(v3_router(7, Priority{100}), v3_frame(7, 200)); }
Harness quiet_v2_backup() { return quiet_backup(v2_router(7, Priority{100}), v2_frame(7, 200)); }

template <class MakeFrame>
void expect_silent_backup(Harness harness, MakeFrame good) {
    harness.command({.kind = Command::Kind::addresses_ready}, at(1s));
    for (int second = 2; second < 30; ++second) {
        harness.receive(good(), at(second * 1s));
        harness.time(at(second * 1s));
    }
    EXPECT_TRUE(harness.tx.is_empty()) << "no advert, no ARP, no neighbour advertisement";
    EXPECT_EQ(harness.engine.counters().announcements, 0u);
}

TEST(Rfc9568_6_4_2, ABackupAnnouncesNothing) {
    expect_silent_backup(quiet_backup(), [] { return v3_frame(7, 200); });
    expect_silent_backup(quiet_backup(ipv6_router(7, Priority{100}), ipv6_frame(7, 200)), [] { return ipv6_frame(7, 200); });
}

TEST(Rfc9568_6_4_2, ADeposedActiveAnnouncesNothingMore) {
    Harness harness = settled_active(v3_router(7, Priority{100}));
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.receive(v3_frame(7, 200), at(10s));
    harness.time(at(13s));
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_6_4_2, ShutdownStopsTheTimerAndGoesToInitialize) {
    Harness harness = quiet_backup();
    harness.command({.kind = Command::Kind::shutdown}, at(2s));
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_EQ(harness.engine.next_deadline(), TimerWheel<VirtualRouter>::never);
}

TEST(Rfc9568_6_4_2, AfterShutdownNothingIsSentAndNoTimerFires) {
    Harness harness = quiet_backup();
    harness.command({.kind = Command::Kind::shutdown}, at(2s));
    EXPECT_TRUE(harness.tx.is_empty()) << "a Backup has nothing to take back";
    harness.time(at(60s));
    EXPECT_TRUE(harness.tx.is_empty());
    EXPECT_EQ(harness.router().state, State::initialize);
}

TEST(Rfc9568_6_4_2, ActiveDownTimerFiringSendsAnAdvertFirst) {
    Harness harness = taking_over(v3_router(7, Priority{100}));
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.time(at(10s));
    const auto sent = harness.sent();
    ASSERT_EQ(sent.size(), 6u);
    EXPECT_TRUE(sent[0].is_advertisement());
    for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_FALSE(sent[i].is_advertisement());
}

TEST(Rfc9568_6_4_2, BeforeActiveDownTimerFiresNothingIsSent) {
    Harness harness = quiet_backup();
    harness.time(at(4s) + 609ms);
    EXPECT_TRUE(harness.tx.is_empty());
    harness.time(at(4s) + 610ms);
    EXPECT_EQ(harness.adverts().size(), 1u);
}

TEST(Rfc9568_6_4_2, TakeoverBroadcastsAnArpForEachIpv4Address) {  // erratum 7949
    RouterSpec spec = v3_router(7, Priority{100});
    spec.announced.push_back({address_of("10.0.0.101"), LinkIndex{0}, virtual_mac(Family::ipv4, Vrid{7})});
    spec.announcements.repeat = 1;
    const auto announced = announcements_of(spec);
    ASSERT_EQ(announced.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        const Octets address = octets_of(address_of(i == 0 ? "10.0.0.100" : "10.0.0.101"));
        EXPECT_EQ(mac_at(announced[i], 0), broadcast_mac);
        EXPECT_EQ(mac_at(announced[i], 6), virtual_mac(Family::ipv4, Vrid{7}));
        EXPECT_EQ(mac_at(announced[i], ethernet_size + 8), virtual_mac(Family::ipv4, Vrid{7})) << "sender MAC";
        EXPECT_EQ(slice(announced[i], ethernet_size + 14, 4), address) << "sender address";
        EXPECT_EQ(slice(announced[i], ethernet_size + 24, 4), address) << "target address";
    }
}

TEST(Rfc9568_6_4_2, TheReplyFormNamesTheVirtualMacAsTarget) {
    EngineSpec spec = with({v3_router(7, Priority{100})});
    spec.form = arp::GratuitousForm::reply;
    Harness harness(spec);
    harness.start(at(0s));
    harness.time(at(10s));
    harness.sent();
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.time(at(10s));
    for (const Sent& one : harness.sent()) EXPECT_EQ(mac_at(one.bytes, ethernet_size + 18), virtual_mac(Family::ipv4, Vrid{7}));
}

TEST(Rfc9568_6_4_2, TakeoverNeverAnnouncesThePhysicalMac) {
    for (const RouterSpec& spec : {v3_router(7, Priority{100}), ipv6_router(7, Priority{100})}) {
        for (const Octets& frame : announcements_of(spec)) {
            EXPECT_EQ(std::search(frame.begin(), frame.end(), lan_mac.octets.begin(), lan_mac.octets.end()), frame.end());
        }
    }
}

TEST(Rfc9568_6_4_2, TakeoverSendsANeighbourAdvertisementForEachIpv6Address) {
    RouterSpec spec = ipv6_router(7, Priority{100});
    spec.announcements.repeat = 1;
    const auto announced = announcements_of(spec);
    ASSERT_EQ(announced.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        const Octets address = octets_of(address_of(i == 0 ? "fe80::100" : "2001:db8::100"));
        EXPECT_EQ(slice(announced[i], ethernet_size + 24, 16), octets_of(address_of("ff02::1")));
        EXPECT_EQ(announced[i].at(ethernet_size + 7), 255) << "Hop Limit";
        EXPECT_EQ(announced[i].at(ipv6_message), 136) << "Neighbor Advertisement";
        EXPECT_EQ(announced[i].at(ipv6_message + 4), 0xa0) << "R = 1, S = 0, O = 1";
        EXPECT_EQ(slice(announced[i], ipv6_message + 8, 16), address) << "target";
        EXPECT_EQ(announced[i].at(ipv6_message + 24), 2) << "target link-layer address option";
        EXPECT_EQ(mac_at(announced[i], ipv6_message + 26), virtual_mac(Family::ipv6, Vrid{7}));
    }
}

TEST(Rfc9568_6_4_2, TheSolicitedFlagIsNeverSet) {
    for (const Octets& frame : announcements_of(ipv6_router(7, Priority{100}))) EXPECT_EQ(frame.at(ipv6_message + 4) & 0x40, 0);
}

TEST(Rfc9568_6_4_2, TakeoverArmsAdverTimerWithTheOwnInterval) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.receive(v3_frame(7, 200).interval(300), at(1s));  // learned: Active_Down_Interval 3 * 3 s + 156/256 * 3 s = 10.828125 s
    harness.time(at(11s) + 828ms);
    ASSERT_EQ(harness.router().state, State::backup);
    harness.time(at(11s) + 829ms);
    ASSERT_EQ(harness.router().state, State::active);
    EXPECT_EQ(harness.router().deadline, at(12s) + 829ms) << "one second, not three";
}

TEST(Rfc9568_6_4_2, PriorityZeroSetsTheTimerToSkewTime) {
    Harness harness = quiet_backup();
    harness.receive(v3_frame(7, 0), at(2s));
    EXPECT_EQ(harness.router().deadline, at(2s) + 609'375us);
    harness.time(at(2s) + 610ms);
    EXPECT_EQ(harness.router().state, State::active);
}

TEST(Rfc9568_6_4_2, PriorityZeroTeachesNoIntervalAndIsNotTakenOverAtOnce) {
    Harness harness = quiet_backup();
    harness.receive(v3_frame(7, 0).interval(300), at(2s));
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100});
    EXPECT_EQ(harness.router().deadline, at(2s) + 609'375us);
    harness.time(at(2s) + 609ms);
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(Rfc9568_6_4_2, AnAcceptedAdvertTeachesItsIntervalAndRestartsTheTimer) {
    for (const std::uint8_t priority : {std::uint8_t{100}, std::uint8_t{101}, std::uint8_t{255}}) {
        Harness harness = quiet_backup();
        harness.receive(v3_frame(7, priority).interval(300), at(2s));
        EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{300});
        EXPECT_EQ(skew_time(harness.router()), 1'828'125us);  // 156/256 of 3 s
        EXPECT_EQ(harness.router().deadline, at(12s) + 828'125us);
    }
}

TEST(Rfc9568_6_4_2, WithoutPreemptModeALowerAdvertIsAcceptedToo) {
    RouterSpec spec = v3_router(7, Priority{100});
    clear(spec, Flag::preempt);
    Harness harness = quiet_backup(spec, v3_frame(7, 200));
    harness.receive(v3_frame(7, 1).interval(300), at(2s));
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{300});
    EXPECT_EQ(harness.router().deadline, at(12s) + 828'125us);
}

TEST(Rfc9568_6_4_2, ALowerAdvertIsDiscardedWhole) {
    Harness harness = quiet_backup();
    harness.receive(v3_frame(7, 99).interval(300), at(2s));
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100}) << "nothing learned";
    EXPECT_EQ(harness.router().deadline, at(4s) + 609'375us) << "the timer keeps its deadline";
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_6_4_2, ALowerActiveIsPreemptedWhenTheTimerFires) {
    Harness harness = quiet_backup();
    for (int ms = 2'000; ms < 4'609; ms += 100) {
        harness.receive(v3_frame(7, 99), at(ms * 1ms));
        harness.time(at(ms * 1ms));
        ASSERT_EQ(harness.router().state, State::backup);
    }
    harness.time(at(4s) + 610ms);
    EXPECT_EQ(harness.router().state, State::active);
}

TEST(Rfc9568_6_4_2, EqualPriorityIsAcceptedWhateverTheAddress) {
    for (const std::uint8_t host : {std::uint8_t{0}, std::uint8_t{2}}) {
        Harness harness = quiet_backup();
        harness.receive(v3_frame(7, 100, host), at(2s));
        EXPECT_EQ(harness.router().deadline, at(5s) + 609'375us);
    }
}

// RFC 3768 §6.4.2.

TEST(Rfc3768_6_4_2, ABackupAnnouncesNothing) { expect_silent_backup(quiet_v2_backup(), [] { return v2_frame(7, 200); }); }

TEST(Rfc3768_6_4_2, ShutdownStopsTheTimerAndGoesToInitialize) {
    Harness harness = quiet_v2_backup();
    harness.command({.kind = Command::Kind::shutdown}, at(2s));
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_EQ(harness.engine.next_deadline(), TimerWheel<VirtualRouter>::never);
}

TEST(Rfc3768_6_4_2, AfterShutdownNothingIsSent) {
    Harness harness = quiet_v2_backup();
    harness.command({.kind = Command::Kind::shutdown}, at(2s));
    harness.time(at(60s));
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc3768_6_4_2, MasterDownTimerFiringAdvertisesArmsAndIsMaster) {
    Harness harness = quiet_v2_backup();
    harness.time(at(4s) + 610ms);
    EXPECT_EQ(harness.adverts().size(), 1u);
    EXPECT_EQ(harness.router().state, State::active);
    EXPECT_EQ(harness.router().deadline, at(5s) + 610ms);
}

TEST(Rfc3768_6_4_2, BeforeMasterDownTimerFiresNothingIsSent) {
    Harness harness = quiet_v2_backup();
    harness.time(at(4s) + 609ms);
    EXPECT_TRUE(harness.tx.is_empty());
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(Rfc3768_6_4_2, TakeoverBroadcastsAnArpRequestWithTheVirtualMacForEachAddress) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.announced.push_back({address_of("10.0.0.101"), LinkIndex{0}, virtual_mac(Family::ipv4, Vrid{7})});
    spec.announcements.repeat = 1;
    const auto announced = announcements_of(spec);
    ASSERT_EQ(announced.size(), 2u);
    for (const Octets& frame : announced) {
        EXPECT_EQ(slice(frame, ethernet_size + 6, 2), (Octets{0, 1})) << "request";
        EXPECT_EQ(mac_at(frame, ethernet_size + 8), virtual_mac(Family::ipv4, Vrid{7}));
    }
}

TEST(Rfc3768_6_4_2, TakeoverNeverAnnouncesThePhysicalMac) {
    for (const Octets& frame : announcements_of(v2_router(7, Priority{100}))) {
        EXPECT_EQ(std::search(frame.begin(), frame.end(), lan_mac.octets.begin(), lan_mac.octets.end()), frame.end());
    }
}

TEST(Rfc3768_6_4_2, PriorityZeroSetsTheTimerToSkewTime) {
    Harness harness = quiet_v2_backup();
    harness.receive(v2_frame(7, 0), at(2s));
    EXPECT_EQ(harness.router().deadline, at(2s) + 609'375us);
}

TEST(Rfc3768_6_4_2, PriorityZeroIsNotTakenOverAtOnce) {
    Harness harness = quiet_v2_backup();
    harness.receive(v2_frame(7, 0), at(2s));
    harness.time(at(2s) + 609ms);
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc3768_6_4_2, AnAcceptedAdvertRestartsTheTimer) {
    for (const std::uint8_t priority : {std::uint8_t{100}, std::uint8_t{255}}) {
        Harness harness = quiet_v2_backup();
        harness.receive(v2_frame(7, priority), at(2s));
        EXPECT_EQ(harness.router().deadline, at(5s) + 609'375us);
    }
    RouterSpec spec = v2_router(7, Priority{100});
    clear(spec, Flag::preempt);
    Harness harness = quiet_backup(spec, v2_frame(7, 200));
    harness.receive(v2_frame(7, 1), at(2s));
    EXPECT_EQ(harness.router().deadline, at(5s) + 609'375us);
}

TEST(Rfc3768_6_4_2, ALowerAdvertIsDiscarded) {
    Harness harness = quiet_v2_backup();
    harness.receive(v2_frame(7, 99), at(2s));
    EXPECT_EQ(harness.router().deadline, at(4s) + 609'375us);
    EXPECT_TRUE(harness.tx.is_empty());
}

}  // namespace
}  // namespace vigil::test
