// RFC 5880 §6.8.6, the state machine: every state with everything that can be heard, and §6.8.4, §6.8.16 for what else changes a state.

#include <gtest/gtest.h>

#include "session_fixture.h"

namespace vigil::bfd::test {
namespace {

struct Row {
    State from;
    State heard;
    State to;
    Diagnostic diagnostic;   ///< afterwards, when the state has changed
};

/// §6.8.6, "If received state is AdminDown" and what follows it; §6.2 has the picture.
constexpr Row table[] = {
    {State::down, State::admin_down, State::down, Diagnostic::none},
    {State::down, State::down, State::init, Diagnostic::none},
    {State::down, State::init, State::up, Diagnostic::none},
    {State::down, State::up, State::down, Diagnostic::none},
    {State::init, State::admin_down, State::down, Diagnostic::neighbor_signaled_down},
    {State::init, State::down, State::init, Diagnostic::none},
    {State::init, State::init, State::up, Diagnostic::none},
    {State::init, State::up, State::up, Diagnostic::none},
    {State::up, State::admin_down, State::down, Diagnostic::neighbor_signaled_down},
    {State::up, State::down, State::down, Diagnostic::neighbor_signaled_down},
    {State::up, State::init, State::up, Diagnostic::none},
    {State::up, State::up, State::up, Diagnostic::none},
    {State::admin_down, State::admin_down, State::admin_down, Diagnostic::administratively_down},
    {State::admin_down, State::down, State::admin_down, Diagnostic::administratively_down},
    {State::admin_down, State::init, State::admin_down, Diagnostic::administratively_down},
    {State::admin_down, State::up, State::admin_down, Diagnostic::administratively_down},
};

TEST(Rfc5880_6_8_6, EveryPairOfStatesLeadsWhereTheTableSays) {
    for (const Row& row : table) {
        Session session = session_in(row.from);
        ASSERT_EQ(session.state, row.from);
        const Step step = hear(session, row.heard, at(1ms));
        const std::string what = std::string(to_string(row.from)) + " hears " + std::string(to_string(row.heard));
        EXPECT_EQ(session.state, row.to) << what;
        EXPECT_EQ(step.is_change, row.from != row.to) << what;
        EXPECT_EQ(step.from, row.from) << what;
        EXPECT_EQ(session.diagnostic, row.diagnostic) << what;
        EXPECT_EQ(session.remote_state, row.heard) << what;
    }
}

TEST(Rfc5880_6_8_6, AChangeOfStateIsSaidAtOnce) {
    for (const Row& row : table) {
        Session session = session_in(row.from);
        const Step step = hear(session, row.heard, at(1ms));
        if (row.from == row.to) continue;
        EXPECT_TRUE(step.sends) << to_string(row.from) << " hears " << to_string(row.heard);
        EXPECT_EQ(packet_of(session, false).state, row.to);
        EXPECT_EQ(packet_of(session, false).diagnostic, row.diagnostic);
    }
}

TEST(Rfc5880_6_8_6, TheNeighborsWordsAreKept) {
    Session session = new_session();
    BfdControl packet = heard(State::down);
    packet.demand = true;
    packet.required_min_rx = 70'000;
    packet.desired_min_tx = 80'000;
    packet.diagnostic = Diagnostic::path_down;
    hear(session, packet, at(1ms));
    EXPECT_EQ(session.remote_discriminator, their_discriminator);
    EXPECT_TRUE(session.remote_demand);
    EXPECT_EQ(session.remote_min_rx, Microseconds{70'000});
    EXPECT_EQ(session.remote_min_tx, Microseconds{80'000});
    EXPECT_EQ(session.remote_multiplier, 3);
    EXPECT_EQ(session.remote_diagnostic, Diagnostic::path_down);
    EXPECT_EQ(packet_of(session, false).your_discriminator, their_discriminator);
}

TEST(Rfc5880_6_8_1, ASessionBeginsDownAndKnowsNobody) {
    const Session session = make_session(settings(), our_discriminator, 7, at(0ns));
    EXPECT_EQ(session.state, State::down);
    EXPECT_EQ(session.remote_state, State::down);
    EXPECT_EQ(session.remote_discriminator, 0u);
    EXPECT_EQ(session.diagnostic, Diagnostic::none);
    EXPECT_EQ(session.remote_min_rx, Microseconds{1});
}

TEST(Rfc5880_6_8_4, AfterTheDetectionTimeTheSessionIsDownAndTheNeighborForgotten) {
    Session session = settled_session();
    EXPECT_EQ(detection_time(session), 30ms);
    EXPECT_FALSE(on_time(session, at(29'999'999ns)).is_change);
    const Step step = on_time(session, at(30ms));
    EXPECT_TRUE(step.is_change);
    EXPECT_EQ(step.from, State::up);
    EXPECT_TRUE(step.sends);
    EXPECT_EQ(session.state, State::down);
    EXPECT_EQ(session.diagnostic, Diagnostic::detection_time_expired);
    EXPECT_EQ(session.remote_discriminator, 0u);   // §6.8.1
    EXPECT_EQ(packet_of(session, false).your_discriminator, 0u);
}

TEST(Rfc5880_6_8_4, InitIsGivenUpAfterTheDetectionTimeToo) {
    Session session = session_in(State::init);
    on_time(session, at(3s));   // 3 times a second
    EXPECT_EQ(session.state, State::down);
    EXPECT_EQ(session.diagnostic, Diagnostic::detection_time_expired);
}

TEST(Rfc5880_6_8_1, ANeighborThatIsNotHeardOfWhileDownIsForgottenWithoutAChange) {
    Session session = new_session();
    hear(session, State::admin_down, at(0ns));
    EXPECT_EQ(session.remote_discriminator, their_discriminator);
    const Step step = on_time(session, at(3s));
    EXPECT_FALSE(step.is_change);
    EXPECT_EQ(session.state, State::down);
    EXPECT_EQ(session.diagnostic, Diagnostic::none);
    EXPECT_EQ(session.remote_discriminator, 0u);
}

TEST(Session, WhatAForgottenNeighborSaidIsObeyedNoMore) {
    Session session = settled_session();
    BfdControl packet = heard(State::up);
    packet.required_min_rx = 0;
    packet.demand = true;
    hear(session, packet, at(1ms));
    on_time(session, at(31ms));
    EXPECT_EQ(session.remote_min_rx, Microseconds{1});
    EXPECT_FALSE(session.remote_demand);
    EXPECT_LE(next_deadline(session), at(1031ms));   // it speaks again
}

TEST(Session, TheDetectionTimeCountsFromTheArrivalAndNotFromTheReading) {
    Session session = settled_session();
    on_packet(session, heard(State::up), at(20ms), at(49ms));   // lay in the socket
    EXPECT_FALSE(on_time(session, at(49'999'999ns)).is_change);
    EXPECT_TRUE(on_time(session, at(50ms)).is_change);
}

TEST(Session, APacketReadInAnotherOrderThanItCameDoesNotShortenTheDetectionTime) {
    Session session = settled_session();
    on_packet(session, heard(State::up), at(20ms), at(20ms));
    on_packet(session, heard(State::up), at(10ms), at(20ms));
    EXPECT_FALSE(on_time(session, at(49ms)).is_change);
}

TEST(Session, AfterAPauseOfThisHostTheNeighborGetsOneMoreIntervalOnce) {
    Session session = settled_session();
    on_pause(session, at(100ms));
    EXPECT_FALSE(on_time(session, at(100ms)).is_change);
    on_pause(session, at(109ms));   // nothing came meanwhile: no second respite
    EXPECT_TRUE(on_time(session, at(110ms)).is_change);
}

TEST(Session, APauseShortensNoDetectionTime) {
    Session session = settled_session();
    on_packet(session, heard(State::up), at(95ms), at(95ms));
    on_pause(session, at(100ms));
    EXPECT_FALSE(on_time(session, at(124'999'999ns)).is_change);
    EXPECT_TRUE(on_time(session, at(125ms)).is_change);
}

TEST(Session, APacketGivesTheRespiteBack) {
    Session session = settled_session();
    on_pause(session, at(100ms));
    on_packet(session, heard(State::up), at(101ms), at(101ms));
    on_pause(session, at(200ms));
    EXPECT_FALSE(on_time(session, at(200ms)).is_change);
}

TEST(Rfc5880_6_8_16, AdministrativelyDownIsSaidAndStays) {
    Session session = settled_session();
    const Step step = set_administratively_down(session, true, at(5ms));
    EXPECT_TRUE(step.is_change);
    EXPECT_TRUE(step.sends);
    EXPECT_EQ(packet_of(session, false).state, State::admin_down);
    EXPECT_EQ(packet_of(session, false).diagnostic, Diagnostic::administratively_down);
    hear(session, State::down, at(6ms));
    EXPECT_EQ(session.state, State::admin_down);
    on_time(session, at(10s));
    EXPECT_EQ(session.state, State::admin_down);
}

TEST(Rfc5880_6_8_16, EnabledAgainItBeginsDown) {
    Session session = session_in(State::admin_down);
    const Step step = set_administratively_down(session, false, at(5ms));
    EXPECT_TRUE(step.is_change);
    EXPECT_EQ(session.state, State::down);
    EXPECT_FALSE(set_administratively_down(session, false, at(6ms)).is_change);
}

TEST(Rfc5880_6_8_6, WhileAdministrativelyDownAPollIsNotAnswered) {
    Session session = session_in(State::admin_down);
    BfdControl poll = heard(State::down);
    poll.poll = true;
    EXPECT_FALSE(hear(session, poll, at(5ms)).answers_poll);   // the packet is discarded before the P bit is looked at
}

}  // namespace
}  // namespace vigil::bfd::test
