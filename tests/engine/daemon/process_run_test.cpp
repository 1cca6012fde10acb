// Processes that are tracked, running.

#include <sched.h>

#include <thread>

#include "engine/daemon/trackers/process_tracker.h"
#include "tests/engine/daemon/tracker_fixture.h"

namespace vigil::daemon {
namespace {

class Processes : public Running {
protected:
    static ProcessDefinition definition(const std::string& program, bool has_full_command = false) {
        ProcessDefinition result;
        result.name = "p";
        result.pattern = {program, {}, config::ParameterMatch::none, has_full_command};
        return result;
    }
    bool is_up() const { return thing(ThingKind::process, "p").is_up; }
    static std::string unique_name() { return "vigil-" + std::to_string(::getpid()); }
};

TEST_F(Processes, WithoutEventsProcIsReadAtEachTick) {
    ProcessTracker tracker(io_, things_, limiter_, false);
    tracker.configure({definition(unique_name())});
    EXPECT_FALSE(is_up());
    EXPECT_TRUE(thing(ThingKind::process, "p").is_known);
    const pid_t pid = start_process(unique_name());
    ASSERT_TRUE(run_until([&] { tracker.tick(); return is_up(); }));
    end_process(pid);
    ASSERT_TRUE(run_until([&] { tracker.tick(); return !is_up(); }));
}

TEST_F(Processes, OnesThatRanBeforeAreCounted) {
    start_process(unique_name());
    const auto has_name = [&] {
        const auto facts = read_process(children_.back(), false);
        return facts && facts->name == unique_name();
    };
    ASSERT_TRUE(run_until(has_name));   // between fork() and exec() it has ours
    ProcessTracker tracker(io_, things_, limiter_, false);
    tracker.configure({definition(path(unique_name()), true)});
    EXPECT_TRUE(is_up());
    EXPECT_NE(tracker.describe().find("Current processes          1"), std::string::npos);
}

TEST_F(Processes, AZombieRunsNoMore) {
    ProcessTracker tracker(io_, things_, limiter_, false);
    tracker.configure({definition(unique_name())});
    const pid_t pid = start_process(unique_name());
    ASSERT_TRUE(run_until([&] { tracker.tick(); return is_up(); }));
    ::kill(pid, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    EXPECT_TRUE(run_until([&] { tracker.tick(); return !is_up(); }));
}

TEST_F(Processes, TheKernelTellsOfThem) {
    if (auto events = ProcessEvents::open(); !events) GTEST_SKIP() << "the process connector is missing: " << events.error();
    ProcessTracker tracker(io_, things_, limiter_);
    tracker.configure({definition(unique_name())});
    ASSERT_TRUE(tracker.has_events());
    EXPECT_FALSE(is_up());
    const pid_t pid = start_process(unique_name());   // a fork, whose name is ours, and an exec
    ASSERT_TRUE(run_until([&] { return is_up(); }));
    end_process(pid);
    ASSERT_TRUE(run_until([&] { return !is_up(); }));
}

TEST_F(Processes, ACopyOfATrackedProcessIsTracked) {
    if (auto events = ProcessEvents::open(); !events) GTEST_SKIP() << "the process connector is missing: " << events.error();
    const std::string name = unique_name();   // of this process, not of the child below
    ProcessDefinition two = definition(name);
    two.limits.quorum = 2;
    ProcessTracker tracker(io_, things_, limiter_);
    tracker.configure({two});
    fs::copy_file(fs::canonical("/bin/sh"), path(name));
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setpgid(0, 0);
        ::execl(path(name).c_str(), name.c_str(), "-c", "(sleep 1000; :); :", nullptr);
        ::_exit(127);
    }
    children_.push_back(pid);
    ASSERT_TRUE(run_until([&] { return is_up(); }));
}

TEST_F(Processes, TheKernelTellsOfThemInAnotherNetworkNamespaceToo) {
    if (auto events = ProcessEvents::open(); !events) GTEST_SKIP() << "the process connector is missing: " << events.error();
    const std::string first = "/proc/" + std::to_string(::getpid()) + "/ns/net";
    std::string refusal;
    bool has_namespace = false;
    bool is_open = false;
    std::thread([&] {   // unshare() concerns this thread alone
        has_namespace = ::unshare(CLONE_NEWNET) == 0;
        if (!has_namespace) return;
        if (auto nowhere = ProcessEvents::open("/nowhere"); !nowhere) refusal = nowhere.error();
        is_open = ProcessEvents::open(first).has_value();
    }).join();
    if (!has_namespace) GTEST_SKIP() << "a network namespace needs CAP_SYS_ADMIN";
    EXPECT_NE(refusal.find("it is not in this network namespace"), std::string::npos) << refusal;
    EXPECT_TRUE(is_open);
}

TEST(ProcessSweep, LooksAtAllInSeveralTurnsAndAtThemAgainWhenAskedMeanwhile) {
    boost::asio::io_context io{1};
    std::vector<pid_t> running(1'000);
    for (std::size_t i = 0; i < running.size(); ++i) running[i] = static_cast<pid_t>(i + 1);
    std::size_t lists = 0;
    std::unordered_set<pid_t> looked_at;
    std::vector<std::unordered_set<pid_t>> finished;
    ProcessSweep sweep(io, {.list = [&] { ++lists; return running; },
                            .look_at = [&](pid_t process) { looked_at.insert(process); },
                            .finish = [&](const auto& seen) { finished.push_back(seen); }});
    sweep.begin();
    EXPECT_LE(looked_at.size(), ProcessSweep::processes_per_turn);
    sweep.on_started(5'000);
    sweep.begin();   // events were lost again: who has been looked at may have ended since
    EXPECT_EQ(lists, 1u);
    running.pop_back();
    io.run();
    ASSERT_EQ(finished.size(), 2u);
    EXPECT_EQ(finished[0].size(), 1'001u);
    EXPECT_TRUE(finished[0].contains(5'000));
    EXPECT_EQ(finished[1].size(), 999u);
    EXPECT_EQ(looked_at.size(), 1'000u);
    EXPECT_FALSE(sweep.is_under_way());
}

}  // namespace
}  // namespace vigil::daemon
