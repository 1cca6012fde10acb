// RFC 5880 §6.5 and §6.8.3: Poll Sequences, and when a changed interval holds.

#include <gtest/gtest.h>

#include "session_fixture.h"

namespace vigil::bfd::test {
namespace {

BfdControl final_packet() {
    BfdControl packet = heard(State::up);
    packet.final = true;
    return packet;
}

SessionSettings with_min_tx(Microseconds value) {
    SessionSettings changed = settings();
    changed.min_tx = value;
    return changed;
}

SessionSettings with_min_rx(Microseconds value) {
    SessionSettings changed = settings();
    changed.min_rx = value;
    return changed;
}

TEST(Rfc5880_6_8_3, ComingUpIsAChangeOfIntervalAndIsPolled) {
    Session session = session_in(State::up);
    EXPECT_TRUE(session.is_polling);
    EXPECT_TRUE(packet_of(session, false).poll);
    EXPECT_EQ(packet_of(session, false).desired_min_tx, 10'000u);
    EXPECT_EQ(transmit_interval(session), Microseconds{10'000});   // shorter: at once
}

TEST(Rfc5880_6_5, ThePollBitStaysUntilTheFinal) {
    Session session = session_in(State::up);
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(packet_of(session, false).poll);
        on_time(session, session.next_transmission);
        hear(session, State::up, session.last_transmission);
    }
    hear(session, final_packet(), session.last_transmission);
    EXPECT_FALSE(packet_of(session, false).poll);
}

TEST(Rfc5880_6_5, ASequenceSendsNoAdditionalPackets) {
    Session session = settled_session();
    const Step step = change_settings(session, with_min_tx(Microseconds{20'000}), at(1ms));
    EXPECT_TRUE(step.sends);                                     // contents differ: one packet at once
    EXPECT_FALSE(on_time(session, at(1ms)).sends);               // and the next in its time
    EXPECT_GE(session.next_transmission, at(1ms) + Nanoseconds{7'500us});
}

TEST(Rfc5880_6_5, PollAndFinalAreNeverInOnePacket) {
    Session session = session_in(State::up);
    ASSERT_TRUE(session.is_polling);
    EXPECT_TRUE(packet_of(session, true).final);
    EXPECT_FALSE(packet_of(session, true).poll);
    EXPECT_FALSE(packet_of(session, false).final);
}

TEST(Rfc5880_6_8_7, APollIsAnsweredInEveryStateButAdministrativelyDown) {
    for (const State state : {State::down, State::init, State::up}) {
        Session session = session_in(state);
        BfdControl poll = heard(state == State::up ? State::up : State::admin_down);
        poll.poll = true;
        const Step step = hear(session, poll, at(1ms));
        EXPECT_TRUE(step.answers_poll) << to_string(state);
        EXPECT_FALSE(step.sends) << to_string(state);            // one packet says both
    }
}

TEST(Rfc5880_6_8_3, AnIncreaseOfMinTxWhileUpWaitsForTheEndOfTheSequence) {
    Session session = settled_session();
    change_settings(session, with_min_tx(Microseconds{40'000}), at(1ms));
    EXPECT_TRUE(packet_of(session, false).poll);
    EXPECT_EQ(packet_of(session, false).desired_min_tx, 40'000u);   // said at once
    EXPECT_EQ(transmit_interval(session), Microseconds{10'000});    // not yet held
    hear(session, State::up, at(2ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{10'000});
    hear(session, final_packet(), at(3ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{40'000});
}

TEST(Rfc5880_6_8_3, AReductionOfMinTxHoldsAtOnce) {
    Session session = settled_session();
    change_settings(session, with_min_tx(Microseconds{5'000}), at(1ms));
    BfdControl fast = heard(State::up);
    fast.required_min_rx = 1'000;
    hear(session, fast, at(1ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{5'000});
}

TEST(Rfc5880_6_8_3, AReductionOfMinRxWhileUpWaitsForTheEndOfTheSequence) {
    Session session = settled_session();
    BfdControl fast = heard(State::up);
    fast.desired_min_tx = 1'000;
    hear(session, fast, at(1ms));
    ASSERT_EQ(detection_time(session), 30ms);
    change_settings(session, with_min_rx(Microseconds{2'000}), at(1ms));
    EXPECT_EQ(packet_of(session, false).required_min_rx, 2'000u);
    EXPECT_EQ(detection_time(session), 30ms);
    fast.final = true;
    hear(session, fast, at(2ms));
    EXPECT_EQ(detection_time(session), 6ms);
}

TEST(Rfc5880_6_8_3, AnIncreaseOfMinRxHoldsAtOnce) {
    Session session = settled_session();
    change_settings(session, with_min_rx(Microseconds{50'000}), at(1ms));
    EXPECT_EQ(detection_time(session), 150ms);
    EXPECT_TRUE(packet_of(session, false).poll);
}

TEST(Rfc5880_6_8_3, WhatIsSetWhileNotUpHoldsAtOnce) {
    Session session = session_in(State::init);
    SessionSettings changed = settings();
    changed.idle_tx = Microseconds{3'000'000};
    changed.min_rx = Microseconds{1'000};
    change_settings(session, changed, at(1ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{3'000'000});
    EXPECT_EQ(session.used_min_rx, Microseconds{1'000});
}

TEST(Rfc5880_6_8_12, AnotherMultiplierNeedsNoSequence) {
    Session session = settled_session();
    SessionSettings changed = settings();
    changed.multiplier = 9;
    const Step step = change_settings(session, changed, at(1ms));
    EXPECT_TRUE(step.sends);
    EXPECT_EQ(packet_of(session, false).detect_multiplier, 9);
    EXPECT_FALSE(packet_of(session, false).poll);
}

TEST(Rfc5880_6_8_3, AChangeDuringASequenceNeedsAnotherOneAfterAPacketWithoutFinal) {
    Session session = settled_session();
    change_settings(session, with_min_tx(Microseconds{40'000}), at(1ms));
    change_settings(session, with_min_tx(Microseconds{60'000}), at(2ms));
    hear(session, final_packet(), at(3ms));                          // of which of the two?
    EXPECT_FALSE(packet_of(session, false).poll);
    EXPECT_EQ(transmit_interval(session), Microseconds{10'000});
    hear(session, final_packet(), at(4ms));                          // the answer to a Poll that was under way
    EXPECT_FALSE(packet_of(session, false).poll);
    hear(session, State::up, at(5ms));
    EXPECT_TRUE(packet_of(session, false).poll);
    hear(session, final_packet(), at(6ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{60'000});
    hear(session, State::up, at(7ms));
    EXPECT_FALSE(packet_of(session, false).poll);
}

TEST(Rfc5880_6_8_3, AChangeRightAfterASequenceWaitsForAPacketWithoutFinal) {
    Session session = settled_session();
    change_settings(session, with_min_tx(Microseconds{40'000}), at(1ms));
    hear(session, final_packet(), at(2ms));
    change_settings(session, with_min_tx(Microseconds{60'000}), at(3ms));
    EXPECT_FALSE(packet_of(session, false).poll);
    hear(session, State::up, at(4ms));
    EXPECT_TRUE(packet_of(session, false).poll);
}

TEST(Rfc5880_6_8_3, AFinalThatNobodyAskedForChangesNothing) {
    Session session = settled_session();
    hear(session, final_packet(), at(1ms));
    EXPECT_FALSE(session.is_polling);
    EXPECT_FALSE(session.awaits_plain_packet);
}

TEST(Rfc5880_6_8_7, ANeighborInDemandModeIsPolledByPeriodicPackets) {
    Session session = settled_session();
    BfdControl demand = heard(State::up);
    demand.demand = true;
    demand.desired_min_tx = 10'000'000;
    hear(session, demand, at(0ns));
    ASSERT_FALSE(on_time(session, at(1s)).sends);
    change_settings(session, with_min_tx(Microseconds{20'000}), at(1s));
    EXPECT_TRUE(on_time(session, at(2s)).sends);
    EXPECT_TRUE(packet_of(session, false).poll);
    demand.final = true;
    hear(session, demand, at(2s));
    EXPECT_FALSE(on_time(session, at(3s)).sends);
}

TEST(Session, NobodyIsPolledWhileTheNeighborIsUnknown) {
    Session session = new_session();
    SessionSettings changed = settings();
    changed.idle_tx = Microseconds{2'000'000};
    change_settings(session, changed, at(1ms));
    EXPECT_FALSE(packet_of(session, false).poll);
    EXPECT_EQ(transmit_interval(session), Microseconds{2'000'000});
}

TEST(Session, ANeighborThatDiesDuringASequenceEndsIt) {
    Session session = session_in(State::up);
    ASSERT_TRUE(session.is_polling);
    on_time(session, at(5s));
    EXPECT_EQ(session.state, State::down);
    EXPECT_FALSE(packet_of(session, false).poll);
}

TEST(Session, AnIncreaseThatWaitedIsNotOwedWhenTheSessionGoesDown) {
    SessionSettings same = settings();
    same.min_tx = same.idle_tx = Microseconds{1'000'000};
    Session session = settled_session();
    change_settings(session, same, at(1ms));
    ASSERT_EQ(transmit_interval(session), Microseconds{10'000});
    hear(session, State::down, at(2ms));
    EXPECT_EQ(transmit_interval(session), Microseconds{1'000'000});
}

TEST(Session, UnchangedSettingsAreNotNoticed) {
    Session session = settled_session();
    const Instant due = session.next_transmission;
    const Step step = change_settings(session, settings(), at(1ms));
    EXPECT_FALSE(step.sends || step.is_change || session.is_polling);
    EXPECT_EQ(session.next_transmission, due);
}

}  // namespace
}  // namespace vigil::bfd::test
