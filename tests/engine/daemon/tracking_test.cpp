// What instances make of what they track: pure.

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "engine/daemon/router_tracking.h"
#include "engine/daemon/trackers/file_value.h"
#include "engine/daemon/path_walk.h"
#include "engine/daemon/trackers/process_match.h"
#include "engine/daemon/trackers/quorum_judge.h"
#include "engine/daemon/trackers/script_judge.h"
#include "engine/daemon/tracking.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;
using engine::Command;

constexpr Instant at(std::chrono::milliseconds since) { return Instant{std::chrono::nanoseconds{since}.count()}; }

class Tracking : public testing::Test {
protected:
    ThingIndex add(ThingKind kind, const std::string& name, bool is_up, int value = 0) {
        return things_.add({.kind = kind, .name = name, .is_known = true, .is_ignored = false, .is_up = is_up, .value = value});
    }
    TrackingResult evaluate(int base, std::vector<TrackedWeight> items) { return evaluate_tracking(base, items, things_); }

    TrackedThings things_;
    ThingIndex up_ = add(ThingKind::interface, "eth1", true);
    ThingIndex down_ = add(ThingKind::script, "chk", false);
};

TEST_F(Tracking, WithoutWeightWhatIsDownIsAFault) {
    EXPECT_TRUE(evaluate(100, {{down_, 0, false}}).is_faulty);
    EXPECT_FALSE(evaluate(100, {{up_, 0, false}}).is_faulty);
}

TEST_F(Tracking, WithoutWeightAndReversedWhatIsUpIsAFault) {
    EXPECT_TRUE(evaluate(100, {{up_, 0, true}}).is_faulty);
    EXPECT_FALSE(evaluate(100, {{down_, 0, true}}).is_faulty);
}

TEST_F(Tracking, APositiveWeightCountsWhileUpANegativeOneWhileDown) {
    EXPECT_EQ(evaluate(100, {{up_, 20, false}}).priority, 120);
    EXPECT_EQ(evaluate(100, {{down_, 20, false}}).priority, 100);
    EXPECT_EQ(evaluate(100, {{up_, -20, false}}).priority, 100);
    EXPECT_EQ(evaluate(100, {{down_, -20, false}}).priority, 80);
}

TEST_F(Tracking, ReverseGivesTheShiftTheOtherSign) {
    EXPECT_EQ(evaluate(100, {{up_, 20, true}}).priority, 80);
    EXPECT_EQ(evaluate(100, {{down_, 20, true}}).priority, 100);
    EXPECT_EQ(evaluate(100, {{up_, -20, true}}).priority, 100);
    EXPECT_EQ(evaluate(100, {{down_, -20, true}}).priority, 120);
}

TEST_F(Tracking, ShiftsAddUpBeforeTheSumIsCutOff) {
    EXPECT_EQ(evaluate(200, {{up_, 100, false}}).priority, 254);
    EXPECT_EQ(evaluate(50, {{down_, -100, false}}).priority, 1);
    EXPECT_EQ(evaluate(200, {{up_, 100, false}, {down_, -100, false}}).priority, 200);
}

TEST_F(Tracking, ABfdSessionCountsWhileItIsUp) {
    const ThingIndex session = add(ThingKind::bfd, "peer", false);
    EXPECT_TRUE(evaluate(100, {{session, 0, false}}).is_faulty);
    EXPECT_FALSE(evaluate(100, {{session, 0, true}}).is_faulty);
    EXPECT_EQ(evaluate(100, {{session, -20, false}}).priority, 80);
    EXPECT_EQ(describe_tracking_fault(std::vector<TrackedWeight>{{session, 0, false}}, things_), "BFD session peer is not Up");
    things_.set_up(session, true);
    EXPECT_EQ(describe_tracking_fault(std::vector<TrackedWeight>{{session, 0, true}}, things_), "BFD session peer is Up");
}

TEST_F(Tracking, NoWeightTouchesAnOwner) {
    const ThingIndex file = add(ThingKind::file, "f", false, -254);
    EXPECT_EQ(evaluate(255, {{down_, -100, false}, {file, 1, false}}), (TrackingResult{false, false, 255}));
    EXPECT_TRUE(evaluate(255, {{down_, 0, false}}).is_faulty);
}

TEST_F(Tracking, AFilesNumberIsMultipliedAndLimited) {
    const ThingIndex file = add(ThingKind::file, "f", false, -5);
    EXPECT_EQ(evaluate(100, {{file, 2, false}}).priority, 90);
    EXPECT_EQ(evaluate(100, {{file, 2, true}}).priority, 110);
    things_.set_value(file, 1000);
    EXPECT_EQ(evaluate(1, {{file, 1, false}, {down_, -200, false}}).priority, 54);   // at most 253 is added
    things_.set_value(file, 2'000'000'000);
    EXPECT_EQ(evaluate(1, {{file, 254, false}}).priority, 254);
}

TEST_F(Tracking, AFilesProductOfMinus254OrLessIsAFault) {
    const ThingIndex file = add(ThingKind::file, "f", false, -253);
    EXPECT_EQ(evaluate(100, {{file, 1, false}}), (TrackingResult{false, false, 1}));
    things_.set_value(file, -254);
    EXPECT_TRUE(evaluate(100, {{file, 1, false}}).is_faulty);
    EXPECT_FALSE(evaluate(100, {{file, 1, true}}).is_faulty);
    things_.set_value(file, -127);
    EXPECT_TRUE(evaluate(100, {{file, 2, false}}).is_faulty);
}

TEST_F(Tracking, AFileWithoutWeightIsAFaultUnlessItSaysZero) {
    const ThingIndex file = add(ThingKind::file, "f", false, 0);
    EXPECT_FALSE(evaluate(100, {{file, 0, false}}).is_faulty);
    EXPECT_TRUE(evaluate(100, {{file, 0, true}}).is_faulty);
    things_.set_value(file, 3);
    EXPECT_TRUE(evaluate(100, {{file, 0, false}}).is_faulty);
    EXPECT_FALSE(evaluate(100, {{file, 0, true}}).is_faulty);
}

TEST_F(Tracking, WhatIsNotKnownYetKeepsOneWaitingOnlyWithoutWeight) {
    const ThingIndex unknown = things_.add({.kind = ThingKind::script, .name = "slow", .is_known = false, .is_ignored = false, .is_up = false, .value = 0});
    EXPECT_EQ(evaluate(100, {{unknown, 0, false}}), (TrackingResult{false, true, 100}));
    EXPECT_EQ(evaluate(100, {{unknown, -20, false}}), (TrackingResult{false, false, 100}));
    things_.set_up(unknown, false);
    EXPECT_EQ(evaluate(100, {{unknown, 0, false}}), (TrackingResult{true, false, 100}));
}

TEST_F(Tracking, AScriptThatMayNotRunCountsForNothing) {
    things_.set_ignored(down_, true);
    EXPECT_EQ(evaluate(100, {{down_, 0, false}, {down_, -20, false}}), (TrackingResult{false, false, 100}));
    things_.forget_state(down_);
    EXPECT_FALSE(evaluate(100, {{down_, 0, false}}).is_waiting);
}

TEST_F(Tracking, AFaultIsDescribedByAllThatCausesIt) {
    const ThingIndex file = add(ThingKind::file, "f", false, -254);
    const ThingIndex process = add(ThingKind::process, "web", false);
    const std::vector<TrackedWeight> items = {{up_, 0, true}, {down_, 0, false}, {file, 1, false}, {process, 0, false}, {up_, 0, false}};
    EXPECT_EQ(describe_tracking_fault(items, things_),
              "tracked interface eth1 is up, track script chk fails, track file f says -254, tracked process web has no quorum");
    EXPECT_EQ(describe_tracking_fault(std::vector<TrackedWeight>{{up_, 0, false}}, things_), "");
}

TEST_F(Tracking, ARemovedPlaceIsUsedAgain) {
    things_.remove(up_);
    EXPECT_EQ(things_.find(ThingKind::interface, "eth1"), ThingIndex::none);
    EXPECT_TRUE(things_.of_kind(ThingKind::interface).empty());
    EXPECT_EQ(add(ThingKind::file, "eth1", false), up_);
    EXPECT_EQ(things_.find(ThingKind::file, "eth1"), up_);
}

/// Three routers: A and B track the script, C nothing.
class Routers : public Tracking {
protected:
    Routers() {
        settings_[0].track_scripts = {{"chk", 0, false, {}}};
        settings_[1].track_scripts = {{"chk", -20, false, {}}};
        settings_[1].track_interfaces = {{"lan7", {}, false, {}}};
        for (std::size_t i = 0; i < 3; ++i) {
            PlannedRouter router;
            router.name = names_[i];
            router.settings = &settings_[i];
            router.base_priority = 100;
            plan_.routers.push_back(std::move(router));
        }
    }
    RouterTracking make() {
        return RouterTracking(plan_, things_, {.is_interface_up = [](std::string_view) { return true; },
                                               .send = [this](const Command& command) { sent_.push_back(command); },
                                               .wake = [this] { ++wakes_; }});
    }
    /// "start A", "set_fault A", "set_priority B 80".
    std::vector<std::string> take() {
        std::vector<std::string> words;
        for (const Command& command : sent_) {
            const char* kind = command.kind == Command::Kind::start           ? "start"
                               : command.kind == Command::Kind::set_fault     ? "fault"
                               : command.kind == Command::Kind::clear_fault   ? "clear"
                               : command.kind == Command::Kind::set_priority  ? "priority"
                               : command.kind == Command::Kind::report_states ? "report"
                                                                              : "?";
            std::string text = kind;
            text += command.router == engine::RouterIndex::none ? " all" : std::string(" ") + names_[engine::to_number(command.router)];
            if (command.value != 0) text += " " + std::to_string(command.value);
            words.push_back(text);
        }
        sent_.clear();
        return words;
    }

    using Words = std::vector<std::string>;
    const char* names_[3] = {"A", "B", "C"};
    config::VrrpInstance settings_[3];
    Plan plan_;
    std::vector<Command> sent_;
    int wakes_ = 0;
};

TEST_F(Routers, AChangeGoesToThoseThatTrackIt) {
    RouterTracking tracking = make();
    tracking.start();
    EXPECT_EQ(take(), (Words{"fault A", "priority B 80"}));
    EXPECT_EQ(tracking.effective_priority(1), 80);
    tracking.begin_election();
    EXPECT_EQ(take(), Words{"start all"});
    EXPECT_EQ(wakes_, 0);
    things_.set_up(down_, true);
    EXPECT_EQ(take(), (Words{"clear A", "priority B 100"}));
    EXPECT_EQ(wakes_, 1);
    things_.set_up(things_.find(ThingKind::interface, "lan7"), false);
    EXPECT_EQ(take(), Words{"fault B"});
    EXPECT_EQ(tracking.describe_fault(1), "tracked interface lan7 is down");
    EXPECT_EQ(tracking.describe_fault(2), "");
}

TEST_F(Routers, WhoWaitsForAFirstResultStartsWithIt) {
    things_.forget_state(down_);
    RouterTracking tracking = make();
    tracking.start();
    EXPECT_EQ(take(), Words{});
    tracking.begin_election();
    EXPECT_EQ(take(), (Words{"start B", "start C"}));
    things_.set_up(down_, true);
    EXPECT_EQ(take(), Words{"start A"});
}

TEST_F(Routers, AFirstResultThatIsAFaultIsReported) {
    things_.forget_state(down_);
    RouterTracking tracking = make();
    tracking.start();
    tracking.begin_election();
    take();
    things_.set_up(down_, false);
    EXPECT_EQ(take(), (Words{"fault A", "start A", "report A", "priority B 80"}));
}

TEST_F(Routers, AResultThatComesBeforeTheElectionStartsNobody) {
    things_.forget_state(down_);
    RouterTracking tracking = make();
    tracking.start();
    things_.set_up(down_, true);
    EXPECT_EQ(take(), Words{});
    tracking.begin_election();
    EXPECT_EQ(take(), Words{"start all"});
}

TEST_F(Routers, TrackedInterfacesGoWithIt) {
    {
        const RouterTracking tracking = make();
        EXPECT_NE(things_.find(ThingKind::interface, "lan7"), ThingIndex::none);
    }
    EXPECT_EQ(things_.find(ThingKind::interface, "lan7"), ThingIndex::none);
    things_.set_up(down_, true);
    EXPECT_EQ(take(), Words{});
}

using Verdict = ScriptJudge::Verdict;

TEST(ScriptJudge, TheFirstResultCountsAtOnce) {
    ScriptJudge good(3, 3, false);
    EXPECT_EQ(good.verdict(), Verdict::unknown);
    EXPECT_TRUE(good.on_result(true));
    EXPECT_EQ(good.verdict(), Verdict::good);
    ScriptJudge bad(3, 3, false);
    EXPECT_TRUE(bad.on_result(false));
    EXPECT_EQ(bad.verdict(), Verdict::bad);
}

TEST(ScriptJudge, FallAndRiseAreCountedInARow) {
    ScriptJudge judge(2, 3, false);
    judge.on_result(true);
    for (const bool result : {false, false, true, false, false}) EXPECT_FALSE(judge.on_result(result));
    EXPECT_TRUE(judge.on_result(false));
    EXPECT_EQ(judge.verdict(), Verdict::bad);
    for (const bool result : {true, false, true}) EXPECT_FALSE(judge.on_result(result));
    EXPECT_TRUE(judge.on_result(true));
    EXPECT_EQ(judge.verdict(), Verdict::good);
}

TEST(ScriptJudge, InitFailStartsBadUntilRiseSuccesses) {
    ScriptJudge judge(2, 1, true);
    EXPECT_EQ(judge.verdict(), Verdict::bad);
    EXPECT_FALSE(judge.on_result(true));
    EXPECT_TRUE(judge.on_result(true));
    EXPECT_EQ(judge.verdict(), Verdict::good);
}

TEST(QuorumJudge, ItIsBetweenTheLimitsInclusive) {
    const QuorumJudge::Limits limits{.quorum = 2, .quorum_max = 3, .fork_delay = {}, .terminate_delay = {}};
    EXPECT_FALSE(QuorumJudge(limits, 1).has_quorum());
    EXPECT_TRUE(QuorumJudge(limits, 2).has_quorum());
    EXPECT_TRUE(QuorumJudge(limits, 3).has_quorum());
    EXPECT_FALSE(QuorumJudge(limits, 4).has_quorum());
    const QuorumJudge::Limits absent{.quorum = 0, .quorum_max = 0, .fork_delay = {}, .terminate_delay = {}};
    EXPECT_TRUE(QuorumJudge(absent, 0).has_quorum());
    EXPECT_FALSE(QuorumJudge(absent, 1).has_quorum());
}

TEST(QuorumJudge, WithoutDelayAChangeCountsAtOnce) {
    QuorumJudge judge({.quorum = 1, .quorum_max = 10, .fork_delay = {}, .terminate_delay = {}}, 1);
    EXPECT_TRUE(judge.on_count(0, at(1s)));
    EXPECT_FALSE(judge.has_quorum());
    EXPECT_TRUE(judge.on_count(2, at(1s)));
    EXPECT_TRUE(judge.has_quorum());
    EXPECT_FALSE(judge.on_count(3, at(1s)));
}

TEST(QuorumJudge, AnEndThatIsMadeGoodInTimeIsNone) {
    QuorumJudge judge({.quorum = 1, .quorum_max = 10, .fork_delay = 5s, .terminate_delay = 2s}, 1);
    EXPECT_FALSE(judge.on_count(0, at(10s)));
    EXPECT_EQ(judge.due(), at(12s));
    EXPECT_FALSE(judge.on_count(1, at(11s)));
    EXPECT_FALSE(judge.due().has_value());
    EXPECT_FALSE(judge.on_count(0, at(20s)));
    EXPECT_FALSE(judge.on_time(at(21999ms)));
    EXPECT_TRUE(judge.on_time(at(22s)));
    EXPECT_FALSE(judge.has_quorum());
}

TEST(QuorumJudge, WhatAStartChangesWaitsForForkDelayAlsoWhenItIsTooMany) {
    QuorumJudge judge({.quorum = 1, .quorum_max = 1, .fork_delay = 5s, .terminate_delay = 2s}, 1);
    EXPECT_FALSE(judge.on_count(2, at(10s)));
    EXPECT_EQ(judge.due(), at(15s));
    EXPECT_FALSE(judge.on_count(3, at(12s)));
    EXPECT_EQ(judge.due(), at(15s));   // counted from when the quorum was lost
    EXPECT_TRUE(judge.on_time(at(15s)));
    EXPECT_FALSE(judge.on_count(1, at(16s)));
    EXPECT_EQ(judge.due(), at(18s));
}

TEST(FileValue, ANumberAtTheBeginningOfItsLine) {
    EXPECT_EQ(read_file_value("5\n"), 5);
    EXPECT_EQ(read_file_value(" \n\t-254 # drained\n7"), -254);
    EXPECT_EQ(read_file_value("+3"), 3);
    EXPECT_EQ(read_file_value("0"), 0);
    EXPECT_EQ(read_file_value("0x10"), 16);
    EXPECT_EQ(read_file_value("-010"), -8);
}

TEST(FileValue, WhatIsTooGreatIsTheGreatestThatFits) {
    EXPECT_EQ(read_file_value("99999999999999999999999"), 2'147'483'647);
    EXPECT_EQ(read_file_value("-99999999999"), -2'147'483'648);
}

TEST(FileValue, AnEmptyFileIsZeroAndGarbageIsNone) {
    EXPECT_EQ(read_file_value(""), 0);
    EXPECT_EQ(read_file_value(" \n"), 0);
    for (const char* text : {"abc", "5x", "--5", "-", "0x-5", "0xg", "08", "1.5", "\x01\x02"}) EXPECT_FALSE(read_file_value(text).has_value()) << text;
}

TEST(PathWalk, TheLastNameAndEveryLinkOnTheWay) {
    const std::map<std::string, std::string> links = {{"/etc/weight", "..data/weight"}, {"/etc/..data", "..v1"}, {"/var/here", "/etc"}, {"/a/b", "../c"}};
    const auto read_link = [&](const std::string& path) -> std::optional<std::string> {
        const auto found = links.find(path);
        return found == links.end() ? std::nullopt : std::optional(found->second);
    };
    using Steps = std::vector<PathStep>;
    EXPECT_EQ(walk_path("/run/x", read_link), (Steps{{"/", "run"}, {"/run", "x"}}));
    EXPECT_EQ(walk_path("/x", read_link), (Steps{{"/", "x"}}));
    EXPECT_EQ(walk_path("/etc/weight", read_link), (Steps{{"/", "etc"}, {"/etc", "weight"}, {"/etc", "..data"}, {"/etc", "..v1"}, {"/etc/..v1", "weight"}}));
    EXPECT_EQ(walk_path("/var/here//./x", read_link), (Steps{{"/", "var"}, {"/var", "here"}, {"/", "etc"}, {"/etc", "x"}}));
    EXPECT_EQ(walk_path("/a/b/x", read_link), (Steps{{"/", "a"}, {"/a", "b"}, {"/", "c"}, {"/c", "x"}}));
    EXPECT_EQ(walk_path("/", read_link), Steps{});
}

TEST(PathWalk, LinksInACircleEnd) {
    EXPECT_LE(walk_path("/a", [](const std::string&) { return std::optional<std::string>("a"); }).size(), 41u);
}

ProcessPattern pattern(config::ParameterMatch match, std::vector<std::string> parameters) {
    return {"/usr/sbin/web", std::move(parameters), match, true};
}

TEST(ProcessMatch, ByNameOfWhichTheKernelKeeps15Octets) {
    EXPECT_TRUE(matches({"web", {}, config::ParameterMatch::none, false}, {"web", {}}));
    EXPECT_FALSE(matches({"web", {}, config::ParameterMatch::none, false}, {"webd", {}}));
    EXPECT_TRUE(matches({"a-very-long-program", {}, config::ParameterMatch::none, false}, {"a-very-long-pro", {}}));
}

TEST(ProcessMatch, ByFullCommandAndParameters) {
    using config::ParameterMatch;
    const ProcessFacts web{"web", {"/usr/sbin/web", "-c", "/etc/web.conf"}};
    EXPECT_TRUE(matches(pattern(ParameterMatch::none, {}), web));
    EXPECT_FALSE(matches(pattern(ParameterMatch::none, {}), {"web", {"web"}}));
    EXPECT_FALSE(matches(pattern(ParameterMatch::none, {}), {"web", {}}));   // a kernel thread
    EXPECT_TRUE(matches(pattern(ParameterMatch::exact, {"-c", "/etc/web.conf"}), web));
    EXPECT_FALSE(matches(pattern(ParameterMatch::exact, {"-c"}), web));
    EXPECT_FALSE(matches(pattern(ParameterMatch::exact, {}), web));
    EXPECT_TRUE(matches(pattern(ParameterMatch::exact, {}), {"web", {"/usr/sbin/web"}}));
    EXPECT_TRUE(matches(pattern(ParameterMatch::partial, {"-c"}), web));
    EXPECT_FALSE(matches(pattern(ParameterMatch::partial, {"-c", "/etc/web"}), web));
    EXPECT_TRUE(matches(pattern(ParameterMatch::initial, {"-c", "/etc/web"}), web));
    EXPECT_TRUE(matches(pattern(ParameterMatch::initial, {"-"}), web)) << "more may follow, as with partial";
    EXPECT_FALSE(matches(pattern(ParameterMatch::initial, {"-", "/etc/web.conf"}), web));
}

TEST(ProcessMatch, ANameMayHoldBracketsAndAZombieHasNone) {
    EXPECT_EQ(name_in_stat("7 (a) b) S 1 7"), "a) b");
    EXPECT_EQ(name_in_stat("7 (web) Z 1 7"), "");
    EXPECT_EQ(name_in_stat("7 (web"), "");
    EXPECT_EQ(name_in_stat(""), "");
}

TEST(ProcessMatch, ACommandLineIsSplitAtItsZeros) {
    EXPECT_EQ(split_command_line(std::string_view("web\0-d\0\0", 8)), (std::vector<std::string>{"web", "-d", ""}));
    EXPECT_EQ(split_command_line("web"), std::vector<std::string>{"web"});   // cut off, or overwritten by the program
    EXPECT_TRUE(split_command_line("").empty());
}

}  // namespace
}  // namespace vigil::daemon
