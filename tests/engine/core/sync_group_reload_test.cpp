// Reloads of sync groups: another engine goes on with the records (engine_adopt.cpp), and its groups may have other members.

#include <gtest/gtest.h>

#include "tests/engine/core/sync_group_fixture.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using namespace group_fixture;

/// `predecessors`: by router of `after`, none for a new one.
void reload(Group& before, Group& after, std::vector<RouterIndex> predecessors, Instant now) {
    after.engine.adopt(before.engine, predecessors, now);
    after.time(now);
}
/// Three routers on two LANs; G1 has these members.
EngineSpec three(std::vector<RouterIndex> members) {
    EngineSpec spec = pair();
    spec.routers.push_back(v3_router(3, Priority{100}));
    spec.groups.clear();
    if (!members.empty()) spec.groups.push_back({"G1", std::move(members)});
    return spec;
}
constexpr RouterIndex third{2};

TEST(SyncGroupReload, MovesNobodyWhenNothingChanged) {
    Group before, after;
    before.become_active();
    before.sent();
    reload(before, after, {first, second}, at(4s));
    EXPECT_TRUE(after.both(State::active));
    EXPECT_TRUE(after.adverts().empty());
    EXPECT_TRUE(after.transitions().empty());
    EXPECT_EQ(after.router(1).deadline, before.router(1).deadline);
    after.hear(1, 200, at(4500ms));
    EXPECT_TRUE(after.both(State::backup)) << "and it goes on in step";
}

/// The third is new in an Active group, and started at 4 s.
Group joined(std::uint8_t flags = static_cast<std::uint8_t>(Flag::preempt)) {
    Group before;
    before.become_active();
    EngineSpec spec = three({first, second, third});
    spec.routers[2].flags = flags;
    Group after(spec);
    reload(before, after, {first, second, RouterIndex::none}, at(4s));
    after.command({.kind = Command::Kind::start, .router = third}, at(4s));
    EXPECT_TRUE(after.both(State::active));
    EXPECT_EQ(after.router(2).state, State::backup);
    after.events();
    after.sent();
    return after;
}

TEST(SyncGroupReload, ANewMemberListensBeforeItJoinsAnActiveGroup) {
    Group after = joined();
    after.run_until(at(7500ms));
    EXPECT_EQ(after.router(2).state, State::backup);
    after.run_until(at(8s));
    EXPECT_EQ(after.router(2).state, State::active);
    EXPECT_TRUE(after.both(State::active));
    after.hear(3, 200, at(8500ms));
    EXPECT_TRUE(after.both(State::backup)) << "from then on it is one of them";
}

TEST(SyncGroupReload, ANewMemberThatHearsAHigherActiveTakesTheGroupToBackup) {
    Group after = joined();
    after.hear(3, 200, at(5s));
    EXPECT_TRUE(after.both(State::backup));
    EXPECT_EQ(after.router(2).state, State::backup);
    EXPECT_TRUE(after.adverts().empty());
    after.hear(3, 50, at(6s));
    EXPECT_NE(after.router(2).heard, Heard::superior) << "and is an ordinary Backup again";
}

TEST(SyncGroupReload, ANewMemberDeposesALowerActiveAfterItHasListenedEvenWithNopreempt) {
    Group after = joined(0);
    for (int s = 5; s <= 7; ++s) after.hear(3, 50, at(s * 1s));
    EXPECT_EQ(after.router(2).state, State::backup);
    after.run_until(at(8s));
    EXPECT_EQ(after.router(2).state, State::active);
}

TEST(SyncGroupReload, ANewMemberThatOwnsItsAddressesJoinsAtOnceAndMovesNobody) {
    Group before;
    before.become_active();
    before.sent();
    EngineSpec spec = three({first, second, third});
    spec.routers[2].priority = Priority::owner;
    Group after(spec);
    reload(before, after, {first, second, RouterIndex::none}, at(4s));
    EXPECT_TRUE(after.both(State::active));
    EXPECT_EQ(after.router(2).state, State::initialize);
    EXPECT_TRUE(after.adverts().empty());
    after.command({.kind = Command::Kind::start, .router = third}, at(4s));
    EXPECT_EQ(after.router(2).state, State::active);
    const auto transitions = after.transitions();
    ASSERT_EQ(transitions.size(), 1u);
    EXPECT_EQ(transitions[0].router, third);
    EXPECT_EQ(transitions[0].reason, Reason::sync_group);
    EXPECT_EQ(after.adverts().size(), 1u);
}

TEST(SyncGroupReload, ANewMemberThatCannotRunTakesAllAlong) {
    Group before;
    before.become_active();
    EngineSpec spec = three({first, second, third});
    spec.routers[2].primary_address = {};
    Group after(spec);
    reload(before, after, {first, second, RouterIndex::none}, at(4s));
    EXPECT_TRUE(after.both(State::active)) << "not before it is started";
    after.command({.kind = Command::Kind::start, .router = third}, at(4s));
    EXPECT_TRUE(after.both(State::initialize));
    EXPECT_EQ(after.adverts().size(), 2u);
}

TEST(SyncGroupReload, AMemberThatIsTakenOutMovesNobodyElse) {
    Group before(three({first, second, third}));
    before.start(at(0s));
    before.run_until(at(4s));
    ASSERT_TRUE(before.both(State::active));
    before.events();
    before.sent();
    before.command({.kind = Command::Kind::dismiss, .router = third}, at(4s));
    EXPECT_TRUE(before.both(State::active));
    const auto sent = before.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].router, third);
    EXPECT_EQ(sent[0].priority(), Priority::stop);
    before.hear(1, 200, at(4100ms));
    EXPECT_TRUE(before.both(State::backup)) << "the others are still in step";
    EXPECT_EQ(before.router(2).state, State::initialize);
}

TEST(SyncGroupReload, TakingTheFaultyMemberOutStartsTheOthers) {
    Group before(three({first, second, third}));
    before.start(at(0s));
    before.fault(Fault::tracker, at(1s), third);
    before.command({.kind = Command::Kind::dismiss, .router = third}, at(2s));
    EXPECT_TRUE(before.both(State::backup));
}

TEST(SyncGroupReload, WhoWaitedForAGroupThatIsGoneStarts) {
    Group before;
    before.start(at(0s));
    before.fault(Fault::tracker, at(1s), second);
    Group after(three({}));
    reload(before, after, {first, second, RouterIndex::none}, at(2s));
    EXPECT_EQ(after.router(0).state, State::backup);
    EXPECT_EQ(after.router(1).state, State::initialize);
}

TEST(SyncGroupReload, RoutersThatBecomeAGroupTakeOneState) {
    // The second is Backup, because 10.0.0.2 is Active there with a priority of `peer`.
    for (const std::uint8_t peer : {std::uint8_t{200}, std::uint8_t{50}}) {
        Group before(three({}));
        before.start(at(0s));
        before.command({.kind = Command::Kind::set_fault, .fault = Fault::tracker, .router = third}, at(0s));
        for (int s = 1; s <= 3; ++s) before.hear(2, 200, at(s * 1s));
        before.run_until(at(4s));
        before.hear(2, peer, at(4s));
        ASSERT_EQ(before.router(0).state, State::active);
        ASSERT_EQ(before.router(1).state, State::backup);
        Group after(three({first, second}));
        reload(before, after, {first, second, third}, at(5s));
        EXPECT_TRUE(after.both(peer == 200 ? State::backup : State::active));
    }
}

TEST(SyncGroupReload, AFaultOfANewCompanionIsEverybodys) {
    Group before(three({}));
    before.start(at(0s));
    before.fault(Fault::tracker, at(0s), second);
    before.run_until(at(4s));
    ASSERT_EQ(before.router(0).state, State::active);
    Group after(three({first, second}));
    reload(before, after, {first, second, third}, at(4100ms));
    EXPECT_TRUE(after.both(State::initialize));
    ASSERT_EQ(after.adverts().size(), 1u);
    after.clear_fault(Fault::tracker, at(6s), second);
    EXPECT_TRUE(after.both(State::backup));
}

TEST(SyncGroupReload, IsSettledInSlicesWhenTheBatchIsSmall) {
    EngineSpec grouped = three({first, second});
    Group before(three({}));
    before.start(at(0s));
    before.fault(Fault::tracker, at(0s), second);
    before.run_until(at(4s));
    Group after(grouped, 2);
    after.engine.adopt(before.engine, std::vector{first, second, third}, at(5s));
    EXPECT_TRUE(after.tx.push_urgent({}));
    after.time(at(5s));
    EXPECT_EQ(after.router(0).state, State::active) << "no room for all";
    EXPECT_LE(after.engine.next_deadline(), at(5s)) << "it wants to be called again";
    after.tx.clear();
    after.time(at(5s));
    EXPECT_TRUE(after.both(State::initialize));
}

}  // namespace
}  // namespace vigil::test
