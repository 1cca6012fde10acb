// RFC 9568 §6.4.3 and RFC 3768 §6.4.3: the Active. Delivery and forwarding are the kernel's and are asked of it in tests/netns.

#include "tests/rfc/rfc_harness.h"

namespace vigil::test {
namespace {

/// Active since 10 s; Adver_Timer due at 11 s; own address 10.0.0.1, fe80::1.
Harness v3_active() { return settled_active(v3_router(7, Priority{100})); }
Harness v2_active() { return settled_active(v2_router(7, Priority{100})); }

void expect_stays_active(Harness& harness) {
    EXPECT_EQ(harness.router().state, State::active);
    EXPECT_EQ(count(harness.events(), Event::Kind::transition), 0u);
}

TEST(Rfc9568_6_4_3, ShutdownStopsTheTimerSendsPriorityZeroAndGoesToInitialize) {
    Harness harness = v3_active();
    harness.command({.kind = Command::Kind::shutdown}, at(10s) + 500ms);
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].priority(), Priority::stop);
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_EQ(harness.engine.next_deadline(), TimerWheel<VirtualRouter>::never);
}

TEST(Rfc9568_6_4_3, AfterShutdownNothingMoreIsSent) {
    Harness harness = v3_active();
    harness.command({.kind = Command::Kind::addresses_ready}, at(10s));
    harness.command({.kind = Command::Kind::shutdown}, at(10s) + 500ms);
    harness.sent();
    harness.receive(v3_frame(7, 50), at(11s));
    harness.time(at(60s));
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_6_4_3, AdverTimerFiringSendsAndArmsAgain) {
    Harness harness = v3_active();
    for (int second = 11; second < 20; ++second) {
        harness.time(at(second * 1s));
        EXPECT_EQ(harness.adverts().size(), 1u);
        EXPECT_EQ(harness.router().deadline, at((second + 1) * 1s));
    }
}

TEST(Rfc9568_6_4_3, BetweenTheFiringsNothingIsSent) {
    Harness harness = v3_active();
    harness.time(at(11s) - 1ns);
    EXPECT_TRUE(harness.tx.is_empty());
    harness.time(at(11s));
    EXPECT_EQ(harness.adverts().size(), 1u);
    harness.time(at(12s) - 1ns);
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_6_4_3, PriorityZeroIsAnsweredAtOnceAndArmsAdverTimer) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 0), at(10s) + 400ms);
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].priority(), Priority{100});
    EXPECT_EQ(harness.router().deadline, at(11s) + 400ms);
    expect_stays_active(harness);
}

TEST(Rfc9568_6_4_3, PriorityZeroDeposesNobody) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 0, 9), at(10s) + 400ms);  // from a greater address
    expect_stays_active(harness);
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100});
}

TEST(Rfc9568_6_4_3, GivesWayToAHigherPriority) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 101, 0), at(10s) + 400ms);  // from a smaller address
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_6_4_3, GivesWayToAGreaterAddressOfEqualPriority) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 100, 2), at(10s) + 400ms);
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(Rfc9568_6_4_3, DoesNotGiveWayToALowerPriorityOrASmallerAddress) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 99, 200), at(10s) + 400ms);
    harness.receive(v3_frame(7, 100, 0), at(10s) + 800ms);
    harness.events();
    expect_stays_active(harness);
}

TEST(Rfc9568_6_4_3, DoesNotGiveWayToItsOwnAddress) {
    Harness harness = v3_active();
    EXPECT_FALSE(takes(harness, v3_frame(7, 100, 1), at(10s) + 400ms));
    EXPECT_EQ(harness.router().state, State::active);
}

TEST(Rfc9568_6_4_3, AddressesCompareUnsignedInNetworkOrder) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.primary_address = address_of("10.0.0.200");
    Harness harness = settled_active(spec);
    harness.receive(frame().ipv4("10.0.1.1", "224.0.0.18").vrrp_v3(7, 100).address("10.0.0.100"), at(11s));
    EXPECT_EQ(harness.router().state, State::backup) << "in the other octet order 10.0.0.200 would be greater";
    spec.primary_address = address_of("127.0.0.1");
    harness = settled_active(spec);
    harness.receive(frame().ipv4("128.0.0.1", "224.0.0.18").vrrp_v3(7, 100).address("10.0.0.100"), at(11s));
    EXPECT_EQ(harness.router().state, State::backup) << "signed, 128.0.0.1 would be smaller";
}

TEST(Rfc9568_6_4_3, ASmallerAddressInNetworkOrderDoesNotWin) {
    RouterSpec spec = v3_router(7, Priority{100});
    spec.primary_address = address_of("10.0.1.1");
    Harness harness = settled_active(spec);
    harness.receive(v3_frame(7, 100, 200), at(11s));
    EXPECT_EQ(harness.router().state, State::active);
    RouterSpec six = ipv6_router(7, Priority{100});
    six.primary_address = address_of("fe80::1:0");
    Harness other = settled_active(six);
    other.receive(ipv6_frame(7, 100, 99), at(11s));
    EXPECT_EQ(other.router().state, State::active);
}

TEST(Rfc9568_6_4_3, GivingWayLearnsTheIntervalAndArmsActiveDownTimer) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 200).interval(300), at(10s) + 400ms);
    EXPECT_EQ(harness.router().state, State::backup);
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{300});
    EXPECT_EQ(harness.router().deadline, at(21s) + 228'125us);  // 10.4 s + 9 s + 156/256 of 3 s
}

TEST(Rfc9568_6_4_3, HavingGivenWayAdverTimerDoesNotFire) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 200), at(10s) + 400ms);
    harness.time(at(14s));
    EXPECT_TRUE(harness.tx.is_empty());
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(Rfc9568_6_4_3, ALosingAdvertIsDiscarded) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 99).interval(300), at(10s) + 400ms);
    EXPECT_EQ(harness.router().active_adver_interval, Centiseconds{100}) << "nothing learned";
    harness.events();
    expect_stays_active(harness);
}

TEST(Rfc9568_6_4_3, ALosingAdvertIsAnsweredAtOnce) {
    Harness harness = v3_active();
    harness.receive(v3_frame(7, 99), at(10s) + 400ms);
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].priority(), Priority{100});
}

TEST(Rfc9568_6_4_3, WhatIsNotALosingAdvertIsNotAnswered) {
    Harness harness = v3_active();
    EXPECT_FALSE(takes(harness, v3_frame(7, 100, 1), at(10s) + 100ms)) << "our own, looped back";
    EXPECT_FALSE(takes(harness, v3_frame(7, 99).bad_checksum(), at(10s) + 200ms));
    EXPECT_FALSE(takes(harness, v3_frame(7, 99).ttl(64), at(10s) + 300ms));
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc9568_6_4_3, PreemptModeMeansNothingInActive) {
    RouterSpec spec = v3_router(7, Priority{100});
    clear(spec, Flag::preempt);
    for (const auto& [priority, host] : {std::pair{101, 0}, std::pair{100, 2}}) {
        Harness harness = settled_active(spec);
        harness.receive(v3_frame(7, static_cast<std::uint8_t>(priority), static_cast<std::uint8_t>(host)), at(11s));
        EXPECT_EQ(harness.router().state, State::backup);
    }
}

TEST(Rfc9568_6_4_3, WithoutPreemptModeALosingAdvertStillLoses) {
    RouterSpec spec = v3_router(7, Priority{100});
    clear(spec, Flag::preempt);
    Harness harness = settled_active(spec);
    harness.receive(v3_frame(7, 99), at(11s));
    EXPECT_EQ(harness.router().state, State::active);
    EXPECT_EQ(harness.adverts().size(), 1u);
}

// RFC 3768 §6.4.3.

TEST(Rfc3768_6_4_3, ShutdownStopsTheTimerSendsPriorityZeroAndGoesToInitialize) {
    Harness harness = v2_active();
    harness.command({.kind = Command::Kind::shutdown}, at(10s) + 500ms);
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].priority(), Priority::stop);
    EXPECT_EQ(harness.router().state, State::initialize);
    EXPECT_EQ(harness.engine.next_deadline(), TimerWheel<VirtualRouter>::never);
}

TEST(Rfc3768_6_4_3, AfterShutdownNothingMoreIsSent) {
    Harness harness = v2_active();
    harness.command({.kind = Command::Kind::shutdown}, at(10s) + 500ms);
    harness.sent();
    harness.time(at(60s));
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc3768_6_4_3, AdverTimerFiringSendsAndArmsAgain) {
    Harness harness = v2_active();
    harness.time(at(11s));
    EXPECT_EQ(harness.adverts().size(), 1u);
    EXPECT_EQ(harness.router().deadline, at(12s));
}

TEST(Rfc3768_6_4_3, BetweenTheFiringsNothingIsSent) {
    Harness harness = v2_active();
    harness.time(at(11s) - 1ns);
    EXPECT_TRUE(harness.tx.is_empty());
}

TEST(Rfc3768_6_4_3, PriorityZeroIsAnsweredAndArmsAdverTimer) {
    Harness harness = v2_active();
    harness.receive(v2_frame(7, 0), at(10s) + 400ms);
    EXPECT_EQ(harness.adverts().size(), 1u);
    EXPECT_EQ(harness.router().deadline, at(11s) + 400ms);
}

TEST(Rfc3768_6_4_3, PriorityZeroDeposesNobody) {
    Harness harness = v2_active();
    harness.receive(v2_frame(7, 0, 9), at(10s) + 400ms);
    expect_stays_active(harness);
}

TEST(Rfc3768_6_4_3, GivesWayToAHigherPriorityAndToAGreaterAddress) {
    for (const auto& [priority, host] : {std::pair{101, 0}, std::pair{100, 2}}) {
        Harness harness = v2_active();
        harness.receive(v2_frame(7, static_cast<std::uint8_t>(priority), static_cast<std::uint8_t>(host)), at(10s) + 400ms);
        EXPECT_EQ(harness.router().state, State::backup);
        EXPECT_EQ(harness.router().deadline, at(14s) + 9'375us);  // 10.4 s + 3.609375 s
        EXPECT_TRUE(harness.tx.is_empty());
    }
}

TEST(Rfc3768_6_4_3, DiscardsAnyOtherAdvert) {
    Harness harness = v2_active();
    harness.receive(v2_frame(7, 99, 200), at(10s) + 400ms);
    harness.receive(v2_frame(7, 100, 0), at(10s) + 800ms);
    harness.events();
    expect_stays_active(harness);
}

TEST(Rfc3768_6_4_3, WithLowerPrioNoAdvertADiscardedAdvertIsNotAnswered) {
    RouterSpec spec = v2_router(7, Priority{100});
    set(spec, Flag::no_answer_to_lower);
    Harness harness = settled_active(spec);
    harness.receive(v2_frame(7, 99), at(10s) + 400ms);
    EXPECT_TRUE(harness.tx.is_empty());
    EXPECT_EQ(harness.router().deadline, at(11s));
}

}  // namespace
}  // namespace vigil::test
