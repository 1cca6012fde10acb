// RFC 9568 §6.1-§6.4.1 and RFC 3768 §6.1-§6.4.1: parameters, timers, and the way out of Initialize.
//
// Worked out by hand for one second: priority 100 has Skew_Time 156/256 s = 609.375 ms, Active_Down_Interval 3.609375 s.

#include "tests/rfc/rfc_harness.h"

namespace vigil::test {
namespace {

TEST(Rfc9568_6_1, AdvertisementIntervalFromOneTo4095CentisecondsDefault100) {
    EXPECT_EQ(VirtualRouter{}.advertisement_interval, Centiseconds{100});
    EXPECT_EQ(RouterSpec{}.interval, Centiseconds{100});
    for (const std::uint16_t interval : {std::uint16_t{1}, std::uint16_t{4095}}) {
        RouterSpec spec = v3_router(7, Priority{100});
        spec.interval = Centiseconds{interval};
        EXPECT_TRUE(Engine::make(with({spec}), at(0s)).has_value()) << interval;
    }
}

TEST(Rfc9568_6_1, SkewTimeIsTheShareOf256OfTheLearnedInterval) {
    VirtualRouter router = backup(Priority{100});
    EXPECT_EQ(skew_time(router), 609'375us);
    router.active_adver_interval = Centiseconds{200};
    EXPECT_EQ(skew_time(router), 1'218'750us);
    router.priority = Priority::owner;
    EXPECT_EQ(skew_time(router), 7'812'500ns);  // 1/256 of 2 s
    router.priority = Priority::lowest;
    EXPECT_EQ(skew_time(router), 1'992'187'500ns);  // 255/256 of 2 s
}

TEST(Rfc9568_6_1, SkewTimeIsNotTruncatedToCentiseconds) {
    // Two Backups at 10 ms: in whole centiseconds both skews are zero and they take over together.
    EXPECT_EQ(skew_time(backup(Priority{200}, Centiseconds{1})), 2'187'500ns);  // 56/256 of 10 ms
    EXPECT_LT(skew_time(backup(Priority{200}, Centiseconds{1})), skew_time(backup(Priority{199}, Centiseconds{1})));
}

TEST(Rfc9568_6_1, ActiveDownIntervalIsThreeLearnedIntervalsAndTheSkew) {
    VirtualRouter router = backup(Priority{100});
    EXPECT_EQ(active_down_interval(router), 3'609'375us);
    router.active_adver_interval = Centiseconds{200};
    EXPECT_EQ(active_down_interval(router), 7'218'750us);
}

TEST(Rfc9568_6_1, NoTakeoverBeforeActiveDownIntervalAndOneTickAfter) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.time(at(3s) + 609'374us);
    EXPECT_EQ(harness.router().state, State::backup);
    harness.time(at(3s) + 610ms);
    EXPECT_EQ(harness.router().state, State::active);
}

TEST(Rfc9568_6_1, PreemptModeIsTrueByDefault) {
    EXPECT_TRUE(has(VirtualRouter{}, Flag::preempt));
    Harness harness = started(v3_router(7, Priority{100}));
    const Instant deadline = harness.router().deadline;
    harness.receive(v3_frame(7, 50), at(1s));
    EXPECT_EQ(harness.router().deadline, deadline) << "the lower Active is going to be preempted";
}

TEST(Rfc9568_6_1, PreemptModeDoesNotBindTheOwner) {
    RouterSpec spec = v3_router(7, Priority::owner);
    clear(spec, Flag::preempt);
    Harness harness = started(spec);
    EXPECT_EQ(harness.router().state, State::active) << "at Startup";
    harness.receive(v3_frame(7, 255), at(1s));  // another owner with a greater address: Backup (erratum 8298)
    ASSERT_EQ(harness.router().state, State::backup);
    const Instant deadline = harness.router().deadline;
    harness.receive(v3_frame(7, 254), at(2s));
    EXPECT_EQ(harness.router().deadline, deadline) << "and out of Backup";
}

TEST(Rfc9568_6_1, PreemptModeFalseKeepsALowerActive) {
    RouterSpec spec = v3_router(7, Priority{100});
    clear(spec, Flag::preempt);
    Harness harness = started(spec);
    for (int second = 1; second <= 10; ++second) {
        harness.receive(v3_frame(7, 1), at(second * 1s));
        harness.time(at(second * 1s));
    }
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(Rfc9568_6_4, EachVridFamilyAndInterfaceHasItsOwnStateMachine) {
    EngineSpec spec = with({v3_router(7, Priority{100}), v3_router(8, Priority{100}), ipv6_router(7, Priority{100}), v3_router(7, Priority{100})});
    spec.links.push_back({.name = "lan1", .mac = lan_mac, .is_up = true});
    spec.routers[3].link = LinkIndex{1};
    spec.routers[3].announced[0].link = LinkIndex{1};
    Harness harness(spec);
    harness.start(at(6s));
    harness.time(at(10s));
    harness.sent();
    harness.receive(v3_frame(7, 200), at(11s));
    EXPECT_EQ(harness.router(0).state, State::backup);
    for (const std::uint32_t other : {1u, 2u, 3u}) EXPECT_EQ(harness.router(other).state, State::active);
}

TEST(Rfc9568_6_4, AnAdvertOfAnotherVridFamilyOrInterfaceChangesNothing) {
    EngineSpec spec = with({v3_router(7, Priority{100})});
    spec.links.push_back({.name = "lan1", .mac = lan_mac, .is_up = true});
    Harness harness(spec);
    harness.start(at(0s));
    const Instant deadline = harness.router().deadline;
    harness.receive(v3_frame(8, 200), at(1s));
    harness.receive(ipv6_frame(7, 200), at(1s));
    harness.receive(v3_frame(7, 200), at(1s), LinkIndex{1});
    EXPECT_EQ(harness.router().deadline, deadline);
    EXPECT_EQ(harness.errors(packet::ReceiveError::unknown_vrid), 3u);
}

// §6.4.1 Initialize.

TEST(Rfc9568_6_4_1, TheOwnerAdvertisesAtOnce) {
    Harness harness = started(v3_router(7, Priority::owner));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].priority(), Priority::owner);
}

TEST(Rfc9568_6_4_1, WhoIsNotTheOwnerDoesNotAdvertiseAtStartup) {
    for (const Priority priority : {Priority::lowest, Priority{254}}) {
        Harness harness = started(v3_router(7, priority));
        EXPECT_TRUE(harness.tx.is_empty());
        EXPECT_EQ(harness.router().state, State::backup);
    }
}

TEST(Rfc9568_6_4_1, TheOwnerAnnouncesEveryIpv4Address) {
    RouterSpec spec = v3_router(7, Priority::owner);
    spec.announced.push_back({address_of("10.0.0.101"), LinkIndex{0}, virtual_mac(Family::ipv4, Vrid{7})});
    spec.announcements.repeat = 1;
    Harness harness = started(spec);
    harness.sent();
    harness.command({.kind = Command::Kind::addresses_ready}, at(0s));
    harness.time(at(0s));
    const auto sent = harness.sent();
    ASSERT_EQ(announcement_count(sent), 2u);
    EXPECT_EQ(slice(sent[0].bytes, ethernet_size + 24, 4), octets_of(address_of("10.0.0.100")));
    EXPECT_EQ(slice(sent[1].bytes, ethernet_size + 24, 4), octets_of(address_of("10.0.0.101")));
}

TEST(Rfc9568_6_4_1, TheOwnerAnnouncesEveryIpv6Address) {
    RouterSpec spec = ipv6_router(7, Priority::owner);
    spec.announcements.repeat = 1;
    Harness harness = started(spec);
    harness.sent();
    harness.command({.kind = Command::Kind::addresses_ready}, at(0s));
    harness.time(at(0s));
    EXPECT_EQ(announcement_count(harness.sent()), 2u);
}

TEST(Rfc9568_6_4_1, NothingIsAnnouncedByWhoIsNotTheOwner) {
    for (const RouterSpec& spec : {v3_router(7, Priority{254}), ipv6_router(7, Priority{254})}) {
        Harness harness = started(spec);
        harness.command({.kind = Command::Kind::addresses_ready}, at(0s));
        harness.time(at(0s));
        EXPECT_TRUE(harness.tx.is_empty());
    }
}

TEST(Rfc9568_6_4_1, TheOwnerArmsAdverTimerAndIsActive) {
    Harness harness = started(v3_router(7, Priority::owner));
    EXPECT_EQ(harness.router().state, State::active);
    EXPECT_EQ(harness.router().deadline, at(1s));
    harness.adverts();
    harness.time(at(1s) - 1ns);
    EXPECT_TRUE(harness.adverts().empty()) << "not before Advertisement_Interval";
    harness.time(at(1s));
    EXPECT_EQ(harness.adverts().size(), 1u);
}

TEST(Rfc9568_6_4_1, OthersArmActiveDownTimerWithTheirOwnIntervalAndAreBackup) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.interval = Centiseconds{200};
    Harness harness = started(spec);
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{200});
    EXPECT_EQ(harness.router().deadline, at(7s) + 218'750us);
}

TEST(Rfc9568_6_4_1, StartupDoesNotUseAnIntervalLearnedBefore) {
    Harness harness = started(v3_router(7, Priority{100}));
    harness.receive(v3_frame(7, 200).interval(1000), at(1s));
    harness.fault(Fault::tracker, at(2s));
    harness.clear_fault(Fault::tracker, at(3s));
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100});
    EXPECT_EQ(harness.router().deadline, at(6s) + 609'375us);
}

// RFC 3768 §6.1 and §6.4.1.

TEST(Rfc3768_6_1, SkewTimeIsAShareOfASecondWhateverTheInterval) {
    VirtualRouter router = backup(Priority{100}, Centiseconds{1000});
    set(router, Flag::version2);
    EXPECT_EQ(skew_time(router), 609'375us);
}

TEST(Rfc3768_6_1, MasterDownIntervalIsThreeOwnIntervalsAndTheSkew) {
    RouterSpec spec = v2_router(7, Priority{100});
    spec.interval = Centiseconds{1000};
    EXPECT_EQ(started(spec).router().deadline, at(30s) + 609'375us);
}

TEST(Rfc3768_6_1, NothingIsLearnedFromTheMaster) {
    RouterSpec spec = v2_router(7, Priority{100});
    Harness harness = started(spec);
    EXPECT_FALSE(takes(harness, v2_frame(7, 200).interval(10)));
    EXPECT_TRUE(takes(harness, v2_frame(7, 200).interval(1)));
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100});
}

TEST(Rfc3768_6_1, PreemptModeIsTrueByDefaultAndDoesNotBindTheOwner) {
    Harness harness = started(v2_router(7, Priority{100}));
    const Instant deadline = harness.router().deadline;
    harness.receive(v2_frame(7, 50), at(1s));
    EXPECT_EQ(harness.router().deadline, deadline);
    RouterSpec owner = v2_router(7, Priority::owner);
    clear(owner, Flag::preempt);
    EXPECT_EQ(started(owner).router().state, State::active);
}

TEST(Rfc3768_6_1, PreemptModeFalseKeepsALowerMaster) {
    RouterSpec spec = v2_router(7, Priority{100});
    clear(spec, Flag::preempt);
    Harness harness = started(spec);
    for (int second = 1; second <= 10; ++second) {
        harness.receive(v2_frame(7, 1), at(second * 1s));
        harness.time(at(second * 1s));
    }
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(Rfc3768_6_4_1, TheOwnerAdvertisesAnnouncesArmsAndIsMaster) {
    Harness harness = started(v2_router(7, Priority::owner));
    EXPECT_EQ(harness.adverts().size(), 1u);
    EXPECT_EQ(harness.router().state, State::active);
    EXPECT_EQ(harness.router().deadline, at(1s));
    harness.command({.kind = Command::Kind::addresses_ready}, at(0s));
    harness.time(at(0s));
    EXPECT_EQ(announcement_count(harness.sent()), 5u);
}

TEST(Rfc3768_6_4_1, OthersArmMasterDownTimerAndAreSilentBackups) {
    Harness harness = started(v2_router(7, Priority{254}));
    EXPECT_TRUE(harness.tx.is_empty());
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_EQ(harness.router().deadline, at(3s) + 7'812'500ns);
}

}  // namespace
}  // namespace vigil::test
