// Whose packet is whose: RFC 5880 §6.8.6, RFC 5881 §3-5, RFC 5883 §3-5.

#include <gtest/gtest.h>

#include <set>

#include "session_fixture.h"

#include "engine/bfd/session_table.h"

namespace vigil::bfd::test {
namespace {

using packet::BfdReceiveError;

const IpAddress neighbor = ipv4(192, 0, 2, 2);
const IpAddress own = ipv4(192, 0, 2, 1);

class Table : public ::testing::Test {
protected:
    SessionSpec spec(std::string_view name = "peer", IpAddress address = neighbor) {
        SessionSpec made;
        made.name = SessionName(name);
        made.neighbor = address;
        return made;
    }
    SessionIndex add(const SessionSpec& made, Instant now = at(0ns)) {
        const auto index = table_.add(made, now, outcome_);
        EXPECT_TRUE(index);
        return index.value_or(0);
    }
    /// A packet that `session` would take, from its neighbor.
    BfdControl packet_for(SessionIndex session, State state) {
        BfdControl control = heard(state);
        control.your_discriminator = table_.session(session).local_discriminator;
        return control;
    }
    Datagram datagram(const BfdControl& control) {
        bytes_ = packet::write_bfd_control(control);
        return {.payload = bytes_, .source = neighbor, .destination = own, .ttl = 255, .is_multihop = false, .arrival = at(1ms)};
    }
    void hear_datagram(const Datagram& heard_one, Instant now = at(1ms)) { table_.on_datagram(heard_one, now, outcome_); }
    std::uint64_t count(BfdReceiveError error) const { return table_.error_count(error); }
    std::uint64_t taken(SessionIndex session) const { return table_.counters(session).received; }

    SessionTable table_{42};
    Outcome outcome_;
    std::array<std::uint8_t, packet::bfd_control_size> bytes_{};
};

TEST_F(Table, ANewSessionSaysDownAtOnce) {
    const SessionIndex session = add(spec());
    ASSERT_EQ(outcome_.transmissions.size(), 1u);
    const auto sent = packet::read_bfd_control(outcome_.transmissions[0].bytes);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->state, State::down);
    EXPECT_EQ(sent->my_discriminator, table_.session(session).local_discriminator);
    EXPECT_TRUE(outcome_.changes.empty());
}

TEST_F(Table, DiscriminatorsAreNeverZeroAndNeverTheSame) {
    std::set<std::uint32_t> seen;
    for (unsigned i = 0; i < 2000; ++i) {
        const SessionIndex session = add(spec("s" + std::to_string(i), ipv4(10, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i))));
        EXPECT_NE(table_.session(session).local_discriminator, 0u);
        EXPECT_TRUE(seen.insert(table_.session(session).local_discriminator).second);
    }
}

TEST_F(Table, OneNeighborHasOneSession) {
    add(spec());
    EXPECT_FALSE(table_.add(spec("again"), at(0ns), outcome_));
}

TEST_F(Table, AHandshakeIsTwoChangesAndIsCounted) {
    const SessionIndex session = add(spec());
    hear_datagram(datagram(packet_for(session, State::down)));
    hear_datagram(datagram(packet_for(session, State::up)));
    ASSERT_EQ(outcome_.changes.size(), 2u);
    EXPECT_EQ(outcome_.changes[0].to, State::init);
    EXPECT_EQ(outcome_.changes[1].from, State::init);
    EXPECT_EQ(outcome_.changes[1].to, State::up);
    EXPECT_EQ(taken(session), 2u);
    EXPECT_EQ(table_.counters(session).went_up, 1u);
    table_.on_time(at(10s), outcome_);
    EXPECT_EQ(table_.counters(session).went_down, 1u);
    EXPECT_EQ(outcome_.changes.back().diagnostic, Diagnostic::detection_time_expired);
}

TEST_F(Table, WhoDoesNotKnowOurDiscriminatorIsFoundByAddress) {
    add(spec("other", ipv4(192, 0, 2, 3)));
    const SessionIndex session = add(spec());
    BfdControl first = heard(State::down);
    first.your_discriminator = 0;
    hear_datagram(datagram(first));
    EXPECT_EQ(taken(session), 1u);
    Datagram stranger = datagram(first);
    stranger.source = ipv4(192, 0, 2, 99);
    hear_datagram(stranger);
    EXPECT_EQ(count(BfdReceiveError::unknown_neighbor), 1u);
}

TEST_F(Table, ADiscriminatorThatIsNotOursIsRefused) {
    const SessionIndex session = add(spec());
    for (const std::uint32_t wrong : {1u, 0x10000u, 0xffffffffu, table_.session(session).local_discriminator ^ 0x80000000u}) {
        BfdControl control = packet_for(session, State::down);
        control.your_discriminator = wrong;
        hear_datagram(datagram(control));
    }
    EXPECT_EQ(count(BfdReceiveError::unknown_discriminator), 4u);
    EXPECT_EQ(taken(session), 0u);
}

TEST_F(Table, AKnownDiscriminatorFromAnotherAddressIsRefused) {
    const SessionIndex session = add(spec());
    Datagram forged = datagram(packet_for(session, State::down));
    forged.source = ipv4(192, 0, 2, 66);
    hear_datagram(forged);
    EXPECT_EQ(count(BfdReceiveError::wrong_address), 1u);
    EXPECT_EQ(table_.counters(session).refused, 1u);
    EXPECT_EQ(table_.session(session).state, State::down);
}

TEST_F(Table, WithASourceAddressOnlyPacketsToItAreTaken) {
    SessionSpec bound = spec();
    bound.source = own;
    const SessionIndex session = add(bound);
    Datagram elsewhere = datagram(packet_for(session, State::down));
    elsewhere.destination = ipv4(192, 0, 2, 100);
    hear_datagram(elsewhere);
    EXPECT_EQ(count(BfdReceiveError::wrong_address), 1u);
    hear_datagram(datagram(packet_for(session, State::down)));
    EXPECT_EQ(taken(session), 1u);
}

TEST_F(Table, ThePortMustBeTheSessions) {
    const SessionIndex session = add(spec());
    Datagram other = datagram(packet_for(session, State::down));
    other.is_multihop = true;
    hear_datagram(other);
    EXPECT_EQ(count(BfdReceiveError::wrong_port), 1u);

    SessionSpec far = spec("far", ipv4(203, 0, 113, 1));
    far.is_multihop = true;
    const SessionIndex multihop = add(far);
    Datagram plain = datagram(packet_for(multihop, State::down));
    plain.source = far.neighbor;
    hear_datagram(plain);
    EXPECT_EQ(count(BfdReceiveError::wrong_port), 2u);
}

TEST_F(Table, Rfc5881_5_ATtlBelow255IsRefused) {
    const SessionIndex session = add(spec());
    Datagram forwarded = datagram(packet_for(session, State::down));
    forwarded.ttl = 254;
    hear_datagram(forwarded);
    EXPECT_EQ(count(BfdReceiveError::too_many_hops), 1u);
    EXPECT_EQ(taken(session), 0u);
}

TEST_F(Table, MaxHopsIsTheGreatestDistanceThatIsTaken) {
    SessionSpec near = spec();
    near.max_hops = 2;
    const SessionIndex session = add(near);
    Datagram one = datagram(packet_for(session, State::down));
    one.ttl = 253;
    hear_datagram(one);
    EXPECT_EQ(taken(session), 1u);
    one.ttl = 252;
    hear_datagram(one);
    EXPECT_EQ(count(BfdReceiveError::too_many_hops), 1u);
    near.max_hops = SessionSpec::any_hops;
    table_.change(session, near, at(2ms), outcome_);
    one.ttl = 0;
    hear_datagram(one);
    EXPECT_EQ(taken(session), 2u);
}

TEST_F(Table, AWrongMessageIsCountedUnderItsReason) {
    const SessionIndex session = add(spec());
    BfdControl control = packet_for(session, State::down);
    control.detect_multiplier = 0;
    hear_datagram(datagram(control));
    EXPECT_EQ(count(BfdReceiveError::zero_multiplier), 1u);
    Datagram nothing = datagram(control);
    nothing.payload = {};
    hear_datagram(nothing);
    EXPECT_EQ(count(BfdReceiveError::truncated), 1u);
}

TEST_F(Table, ARemovedSessionSaysAdminDownAndIsGone) {
    const SessionIndex session = add(spec());
    const BfdControl control = packet_for(session, State::down);
    outcome_.clear();
    table_.remove(session, at(1ms), outcome_);
    ASSERT_EQ(outcome_.transmissions.size(), 1u);
    EXPECT_EQ(packet::read_bfd_control(outcome_.transmissions[0].bytes)->state, State::admin_down);
    EXPECT_EQ(table_.next_deadline(), distant_future);
    EXPECT_TRUE(table_.all().empty());
    EXPECT_FALSE(table_.find("peer"));
    hear_datagram(datagram(control));
    EXPECT_EQ(count(BfdReceiveError::unknown_discriminator), 1u);
}

TEST_F(Table, APlaceThatIsUsedAgainHasAnotherDiscriminator) {
    const SessionIndex session = add(spec());
    const BfdControl old = packet_for(session, State::down);
    table_.remove(session, at(1ms), outcome_);
    EXPECT_EQ(add(spec("next", ipv4(192, 0, 2, 9))), session);
    hear_datagram(datagram(old));
    EXPECT_EQ(count(BfdReceiveError::unknown_discriminator), 1u);
    EXPECT_EQ(table_.counters(session).received, 0u);
    EXPECT_EQ(table_.counters(session).sent, 1u);
}

TEST_F(Table, AnAnswerToAPollLeavesAtOnce) {
    const SessionIndex session = add(spec());
    hear_datagram(datagram(packet_for(session, State::down)));
    outcome_.clear();
    BfdControl poll = packet_for(session, State::down);
    poll.poll = true;
    hear_datagram(datagram(poll), at(2ms));
    ASSERT_EQ(outcome_.transmissions.size(), 1u);
    EXPECT_TRUE(packet::read_bfd_control(outcome_.transmissions[0].bytes)->final);
}

TEST_F(Table, TimeServesWhoIsDueAndNobodyElse) {
    add(spec("one", ipv4(10, 0, 0, 1)), at(0ns));
    add(spec("two", ipv4(10, 0, 0, 2)), at(500ms));
    outcome_.clear();
    const Instant first = table_.next_deadline();
    EXPECT_LE(first, at(1s));
    table_.on_time(first, outcome_);
    ASSERT_EQ(outcome_.transmissions.size(), 1u);
    EXPECT_EQ(table_.spec(outcome_.transmissions[0].session).name.view(), "one");
    EXPECT_GT(table_.next_deadline(), first);
}

TEST_F(Table, APauseMovesTheDeadlinesOfAll) {
    const SessionIndex session = add(spec());
    hear_datagram(datagram(packet_for(session, State::down)));
    hear_datagram(datagram(packet_for(session, State::up)));
    table_.on_pause(at(10s));
    table_.on_time(at(10s), outcome_);
    EXPECT_EQ(table_.session(session).state, State::up);
    table_.on_time(at(10s + 10ms), outcome_);
    EXPECT_EQ(table_.session(session).state, State::down);
}

TEST_F(Table, ItIsFullAtSixtyFiveThousand) {
    for (std::size_t i = 0; i < most_sessions; ++i) {
        const SessionSpec one = spec("s", {{10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}, Family::ipv4});
        ASSERT_TRUE(table_.add(one, at(0ns), outcome_));
        outcome_.clear();
    }
    EXPECT_FALSE(table_.add(spec(), at(0ns), outcome_));
}

}  // namespace
}  // namespace vigil::bfd::test
