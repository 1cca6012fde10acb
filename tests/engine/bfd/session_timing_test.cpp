// RFC 5880 §6.8.2, §6.8.4 and §6.8.7: when packets leave, and how long the neighbor may be silent.

#include <gtest/gtest.h>

#include <algorithm>

#include "session_fixture.h"

namespace vigil::bfd::test {
namespace {

/// Gaps between periodic packets that the neighbor, alive all the time, gets to see.
struct Gaps {
    Nanoseconds least{Nanoseconds::max()};
    Nanoseconds greatest{0};
    Nanoseconds sum{0};
    int count = 0;
};

Gaps gaps_of(Session session, Instant begin, int count) {
    Gaps gaps;
    Instant last = session.last_transmission;
    Instant now = begin;
    while (gaps.count < count) {
        hear(session, session.remote_state, now);
        now = session.next_transmission;
        if (!on_time(session, now).sends) continue;
        const Nanoseconds gap = now - std::exchange(last, now);
        gaps.least = std::min(gaps.least, gap);
        gaps.greatest = std::max(gaps.greatest, gap);
        gaps.sum += gap;
        ++gaps.count;
    }
    return gaps;
}

TEST(Rfc5880_6_8_7, PacketsAreJitteredBetween75And100Percent) {
    const Gaps gaps = gaps_of(settled_session(), at(0ns), 10'000);
    EXPECT_GE(gaps.least, 7'500us);
    EXPECT_LE(gaps.greatest, 10ms);
    EXPECT_LT(gaps.least, 7'510us);       // all of the range is used
    EXPECT_GT(gaps.greatest, 9'990us);
    EXPECT_NEAR(static_cast<double>((gaps.sum / gaps.count).count()), 8.75e6, 2e4);   // "roughly 12.5% less"
}

TEST(Rfc5880_6_8_7, WithAMultiplierOfOneBetween75And90Percent) {
    SessionSettings one = settings();
    one.multiplier = 1;
    const Gaps gaps = gaps_of(settled_session(at(0ns), one), at(0ns), 10'000);
    EXPECT_GE(gaps.least, 7'500us);
    EXPECT_LE(gaps.greatest, 9ms);
    EXPECT_GT(gaps.greatest, 8'990us);
}

TEST(Rfc5880_6_8_7, TheLongestIntervalIsJitteredWithoutOverflow) {
    SessionSettings slow = settings();
    slow.idle_tx = Microseconds{4'294'967'295};
    Session session = new_session(slow);
    EXPECT_GE(session.next_transmission, at(3'221'225ms));
    EXPECT_LE(session.next_transmission, at(4'294'968ms));
}

TEST(Rfc5880_6_8_3, WhileNotUpNoMoreThanAPacketASecondIsOffered) {
    for (const State state : {State::down, State::init, State::admin_down}) {
        const Session session = session_in(state);
        EXPECT_EQ(packet_of(session, false).desired_min_tx, 1'000'000u);
        EXPECT_GE(session.next_transmission, at(750ms));
    }
    SessionSettings hasty = settings();
    hasty.idle_tx = Microseconds{5'000};   // the configuration does not let it pass; the session does not either
    EXPECT_EQ(packet_of(new_session(hasty), false).desired_min_tx, 1'000'000u);
}

TEST(Rfc5880_6_8_2, TheSlowerOfTheTwoDecides) {
    Session session = settled_session();
    EXPECT_EQ(transmit_interval(session), Microseconds{10'000});
    BfdControl slow = heard(State::up);
    slow.required_min_rx = 50'000;
    hear(session, slow, at(1ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{50'000});
    EXPECT_GE(session.next_transmission, session.last_transmission + Nanoseconds{37'500us});
    slow.required_min_rx = 5'000;
    hear(session, slow, at(2ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{10'000});
}

TEST(Rfc5880_6_8_3, AShorterIntervalHoldsAtOnceEvenWhenItIsOverAlready) {
    Session session = settled_session();
    BfdControl slow = heard(State::up);
    slow.required_min_rx = 1'000'000;
    hear(session, slow, at(0ns));
    hear(session, State::up, at(20ms));   // 10 ms again, and 20 have passed
    EXPECT_LE(session.next_transmission, at(20ms));
    EXPECT_TRUE(on_time(session, at(20ms)).sends);
}

TEST(Rfc5880_6_8_4, TheDetectionTimeIsTheNeighborsMultiplierTimesTheSlowerInterval) {
    Session session = settled_session();
    BfdControl packet = heard(State::up);
    packet.desired_min_tx = 40'000;
    packet.detect_multiplier = 4;
    hear(session, packet, at(1ms));
    EXPECT_EQ(detection_time(session), 160ms);
    packet.desired_min_tx = 1'000;   // ours is the greater: 10 ms
    hear(session, packet, at(1ms));
    EXPECT_EQ(detection_time(session), 40ms);
}

TEST(Rfc5880_6_8_7, APassiveSessionSaysNothingBeforeItHasHeard) {
    SessionSettings passive = settings();
    passive.is_passive = true;
    Session session = make_session(passive, our_discriminator, 7, at(0ns));
    EXPECT_FALSE(on_time(session, at(0ns)).sends);
    EXPECT_EQ(next_deadline(session), distant_future);
    EXPECT_TRUE(hear(session, State::down, at(5s)).sends);
    EXPECT_EQ(session.state, State::init);
    on_time(session, at(8s));   // it has fallen silent
    EXPECT_FALSE(on_time(session, at(20s)).sends);
    EXPECT_EQ(next_deadline(session), distant_future);
}

TEST(Rfc5880_6_8_7, ANeighborThatWantsNoPeriodicPacketsGetsNone) {
    Session session = settled_session();
    BfdControl deaf = heard(State::up);
    deaf.required_min_rx = 0;
    deaf.desired_min_tx = 10'000'000;
    hear(session, deaf, at(1ms));
    EXPECT_FALSE(on_time(session, at(20s)).sends);
    EXPECT_EQ(next_deadline(session), at(1ms) + 30s);   // detection alone
}

TEST(Rfc5880_6_8_7, WhatDiffersIsSaidEvenToANeighborThatWantsNoPeriodicPackets) {
    Session session = settled_session();
    BfdControl deaf = heard(State::up);
    deaf.required_min_rx = 0;
    hear(session, deaf, at(1ms));
    deaf.state = State::down;
    EXPECT_TRUE(hear(session, deaf, at(2ms)).sends);
}

TEST(Rfc5880_6_8_6, ANeighborInDemandModeGetsNoPeriodicPacketsWhileBothAreUp) {
    Session session = settled_session();
    BfdControl demand = heard(State::up);
    demand.demand = true;
    demand.desired_min_tx = 10'000'000;
    hear(session, demand, at(1ms));
    EXPECT_FALSE(on_time(session, at(5s)).sends);
    demand.demand = false;
    hear(session, demand, at(6s));
    EXPECT_TRUE(on_time(session, at(6s)).sends);   // the interval is over long since
}

TEST(Rfc5880_6_8_6, DemandModeMeansNothingUnlessBothAreUp) {
    Session session = session_in(State::init);
    BfdControl demand = heard(State::down);
    demand.demand = true;
    hear(session, demand, at(1ms));
    EXPECT_TRUE(on_time(session, at(1s)).sends);
}

TEST(Rfc5880_6_8_7, WeNeverSetTheDemandBitNorMultipoint) {
    for (const State state : {State::down, State::init, State::up, State::admin_down}) EXPECT_FALSE(packet_of(session_in(state), false).demand);
}

TEST(Rfc5880_6_8_7, AnAnswerToAPollMovesNoTimer) {
    Session session = settled_session();
    const Instant due = session.next_transmission;
    BfdControl poll = heard(State::up);
    poll.poll = true;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(hear(session, poll, at(1ms)).answers_poll);
    EXPECT_EQ(session.next_transmission, due);
}

TEST(Session, NothingIsDueTwice) {
    Session session = settled_session();
    const Instant due = session.next_transmission;
    EXPECT_TRUE(on_time(session, due).sends);
    EXPECT_FALSE(on_time(session, due).sends);
    EXPECT_GT(next_deadline(session), due);
}

TEST(Session, LatenessIsNotMadeUpForByABurst) {
    Session session = settled_session();
    BfdControl patient = heard(State::up);
    patient.desired_min_tx = 10'000'000;   // it would wait half a minute
    hear(session, patient, at(0ns));
    EXPECT_TRUE(on_time(session, at(1s)).sends);
    EXPECT_FALSE(on_time(session, at(1s)).sends);
    EXPECT_GE(session.next_transmission, at(1s) + Nanoseconds{7'500us});
}

}  // namespace
}  // namespace vigil::bfd::test
