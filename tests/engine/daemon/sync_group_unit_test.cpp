// Sync groups between configuration and operators: the plan, and what becomes of the members' transitions.

#include "engine/daemon/sync_groups.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace vigil::daemon {
namespace {

using engine::Event;
using engine::Reason;
using engine::RouterIndex;
using engine::State;

constexpr auto tracker = static_cast<std::uint8_t>(engine::Fault::tracker);
constexpr auto by_group = static_cast<std::uint8_t>(engine::Fault::sync_group);
constexpr auto stopped = static_cast<std::uint8_t>(engine::Fault::stopped);

std::string instance(const std::string& name, int vrid, const std::string& interface = "eth0") {
    return "vrrp_instance " + name + " {\n interface " + interface + "\n virtual_router_id " + std::to_string(vrid) + "\n virtual_ipaddress {\n 10.0.0." +
           std::to_string(100 + vrid) + "/24\n }\n}\n";
}

/// VI_0 alone; VI_1 and VI_2 are G1.
struct Planned {
    config::LoadResult loaded;
    Plan plan;
};
Planned plan_text(const std::string& text) {
    Planned planned{config::load_text("test.conf", text), {}};
    arp::kernel::LinkState lo, eth0;
    lo.index = 1;
    lo.name = "lo";
    lo.is_loopback = true;
    eth0.index = 2;
    eth0.name = "eth0";
    eth0.is_up = eth0.is_running = eth0.is_multicast_capable = true;
    KernelFacts facts;
    facts.links = {lo, eth0};
    planned.plan = make_plan(planned.loaded.configuration, facts);
    return planned;
}
Planned usual() {
    return plan_text(instance("VI_0", 9) + "vrrp_sync_group G1 {\n group { VI_1 VI_2 }\n}\n" + instance("VI_1", 1) + instance("VI_2", 2));
}

TEST(SyncGroupPlan, MembersAreRouterIndices) {
    const auto [loaded, plan] = usual();
    ASSERT_EQ(plan.engine.groups.size(), 1u);
    EXPECT_EQ(plan.engine.groups[0].name, "G1");
    EXPECT_EQ(plan.engine.groups[0].members, (std::vector{RouterIndex{1}, RouterIndex{2}}));
    EXPECT_EQ(plan.groups[0].name, "G1");
    EXPECT_EQ(plan.groups[0].member_count, 2u);
    EXPECT_EQ(plan.routers[0].group, engine::GroupIndex::none);
    EXPECT_EQ(plan.routers[2].group, engine::GroupIndex{0});
}

TEST(SyncGroupPlan, AMemberThatDoesNotRunHereIsLeftOut) {
    // The loopback interface under another name than lo gets past the configuration's own check only here.
    Planned planned{config::load_text("test.conf", "vrrp_sync_group G1 {\n group { VI_1 VI_2 }\n}\n" + instance("VI_1", 1, "dummy") + instance("VI_2", 2)), {}};
    arp::kernel::LinkState loopback;
    loopback.index = 1;
    loopback.name = "dummy";
    loopback.is_loopback = true;
    KernelFacts facts;
    facts.links = {loopback};
    planned.plan = make_plan(planned.loaded.configuration, facts);
    ASSERT_EQ(planned.plan.routers.size(), 1u);
    ASSERT_EQ(planned.plan.engine.groups.size(), 1u);
    EXPECT_EQ(planned.plan.engine.groups[0].members, std::vector{RouterIndex{0}});
    EXPECT_EQ(planned.plan.groups[0].member_count, 1u);
}

TEST(SyncGroupPlan, ARouterThatTheEngineRefusesIsTakenOut) {
    auto [loaded, plan] = usual();
    plan.remove_router(1);
    EXPECT_EQ(plan.routers.size(), 2u);
    EXPECT_EQ(plan.engine.groups[0].members, std::vector{RouterIndex{1}});
    EXPECT_EQ(plan.groups[0].member_count, 1u);
    plan.remove_router(0);
    EXPECT_EQ(plan.engine.groups[0].members, std::vector{RouterIndex{0}});
}

class SyncGroupWords : public ::testing::Test {
protected:
    std::vector<std::string> texts(const Event& event) {
        std::vector<std::string> all;
        for (const LogLine& line : groups_.describe(event)) all.push_back(line.text);
        return all;
    }
    static Event transition(std::uint32_t router, State to, Reason reason, std::uint8_t faults = 0) {
        return {.kind = Event::Kind::transition, .to = to, .reason = reason, .faults = faults, .router = RouterIndex{router}};
    }
    void enter(OperatorState state) {
        groups_.on_state(1, state);
        groups_.on_state(2, state);
        groups_.flush();
    }
    using Lines = std::vector<std::string>;

    Planned planned_ = usual();
    ScriptRunner runner_;
    SyncGroups groups_{planned_.plan, planned_.loaded.configuration.global, runner_};
};

TEST_F(SyncGroupWords, FollowingIsSaidOnceForEachChange) {
    EXPECT_EQ(texts(transition(1, State::backup, Reason::startup)), Lines{});
    EXPECT_EQ(texts(transition(1, State::active, Reason::active_down_timer)), Lines{});
    EXPECT_EQ(texts(transition(2, State::active, Reason::sync_group)), Lines{"VRRP_Group(G1) Syncing instances to MASTER state"});
    EXPECT_EQ(texts(transition(2, State::active, Reason::sync_group)), Lines{}) << "of a third member";
    EXPECT_EQ(texts(transition(2, State::backup, Reason::higher_priority)), Lines{});
    EXPECT_EQ(texts(transition(1, State::backup, Reason::sync_group)), Lines{"VRRP_Group(G1) Syncing instances to BACKUP state"});
    EXPECT_EQ(texts(transition(2, State::initialize, Reason::fault, tracker)), Lines{});
    EXPECT_EQ(texts(transition(1, State::initialize, Reason::sync_group, by_group)), Lines{"VRRP_Group(G1) Syncing instances to FAULT state"});
    EXPECT_EQ(texts(transition(0, State::active, Reason::active_down_timer)), Lines{}) << "in no group";
}

TEST_F(SyncGroupWords, WhoIsHeldBackIsTold) {
    const Event event{.kind = Event::Kind::held_by_group, .from = State::backup, .to = State::backup, .reason = Reason::held_by_group, .router = RouterIndex{1}, .detail = 2};
    const std::vector<LogLine> lines = groups_.describe(event);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].text, "(VI_1) hears no adverts on eth0, but VI_2 of sync group G1 hears a master that would win there: the group stays BACKUP. "
                             "Is the LAN of eth0 broken between the routers?");
    EXPECT_FALSE(lines[0].cause.empty()) << "it is said again and again as long as the LAN is broken";
}

TEST_F(SyncGroupWords, AGroupIsInAStateWhenAllMembersAre) {
    std::vector<std::string> told;
    groups_.on_group_state = [&](const PlannedGroup& group, OperatorState state) { told.push_back(std::string(group.name) + " " + std::string(to_string(state))); };
    groups_.on_state(0, OperatorState::master);
    groups_.on_state(1, OperatorState::master);
    groups_.flush();
    EXPECT_EQ(told, Lines{});
    groups_.on_state(2, OperatorState::master);
    groups_.flush();
    EXPECT_EQ(told, Lines{"G1 MASTER"});
    groups_.on_state(2, OperatorState::master);
    groups_.flush();
    EXPECT_EQ(told.size(), 1u) << "no change";
    // Both within one wake of the control thread: nothing is left out.
    for (const OperatorState state : {OperatorState::backup, OperatorState::master}) {
        groups_.on_state(1, state);
        groups_.on_state(2, state);
    }
    groups_.flush();
    EXPECT_EQ(told, (Lines{"G1 MASTER", "G1 BACKUP", "G1 MASTER"}));
}

TEST_F(SyncGroupWords, SteppingBackIsNoStop) {
    std::vector<std::string> told;
    groups_.on_group_state = [&](const PlannedGroup&, OperatorState state) { told.emplace_back(to_string(state)); };
    enter(OperatorState::master);
    enter(operator_state(State::initialize, stopped));
    enter(OperatorState::backup);
    EXPECT_EQ(told, (Lines{"MASTER", "BACKUP"}));
    groups_.on_stop();
    groups_.flush();
    EXPECT_EQ(told.back(), "STOP");
}

TEST_F(SyncGroupWords, AReloadGoesOnWithoutAWord) {
    std::vector<std::string> told;
    groups_.on_group_state = [&](const PlannedGroup&, OperatorState state) { told.emplace_back(to_string(state)); };
    std::vector<RouterStatus> statuses(3);
    statuses[1].state = OperatorState::master;   // the other is new
    groups_.go_on_from(statuses);
    groups_.on_state(2, OperatorState::master);
    groups_.flush();
    EXPECT_EQ(told, Lines{});
    ASSERT_EQ(groups_.states().size(), 1u);
    EXPECT_EQ(groups_.states()[0].second, OperatorState::master);
    enter(OperatorState::backup);
    EXPECT_EQ(told, Lines{"BACKUP"});
}

TEST(SyncGroupScripts, GetKeepalivedsArguments) {
    config::NotifyScript script;
    script.command = "/usr/local/bin/tell 'a b'";
    EXPECT_EQ(script_arguments(script, {"GROUP", "G1", "FAULT", 0}), (std::vector<std::string>{"/usr/local/bin/tell", "a b", "GROUP", "G1", "FAULT", "0"}));
    script.event = config::ScriptEvent::master;
    EXPECT_EQ(script_arguments(script, {"GROUP", "G1", "MASTER", 0}), (std::vector<std::string>{"/usr/local/bin/tell", "a b"}));
}

}  // namespace
}  // namespace vigil::daemon
