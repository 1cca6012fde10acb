// Scripts and files that are tracked, running.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "engine/daemon/trackers/file_tracker.h"
#include "engine/daemon/trackers/script_tracker.h"
#include "tests/engine/daemon/tracker_fixture.h"

namespace vigil::daemon {
namespace {

class Scripts : public Running {
protected:
    ScriptDefinition script(const std::string& name, const std::string& text, std::chrono::milliseconds interval = 1h, std::chrono::milliseconds timeout = 1h) {
        return {.name = name, .arguments = {"/bin/sh", "-c", "cd " + directory_.string() + "; " + text}, .identity = {}, .interval = interval, .timeout = timeout,
                .rise = 1, .fall = 1, .starts_as_failed = false};
    }
    void configure(std::vector<ScriptDefinition> definitions) { tracker_->configure(std::move(definitions)); }
    bool is_known(const std::string& name) const { return thing(ThingKind::script, name).is_known; }
    bool is_up(const std::string& name) const { return thing(ThingKind::script, name).is_up; }
    void on_turn() override {
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) tracker_->on_child_end(pid, status);
        most_running_ = std::max(most_running_, tracker_->running_count());
    }

    std::unique_ptr<ScriptTracker> tracker_ = std::make_unique<ScriptTracker>(io_, things_, limiter_, 3);
    std::size_t most_running_ = 0;
};

TEST_F(Scripts, ExitCode0IsGoodAndAnyOtherIsBad) {
    configure({script("good", "exit 0"), script("bad", "exit 3"), script("killed", "kill -9 $$")});
    EXPECT_FALSE(is_known("good"));
    ASSERT_TRUE(run_until([&] { return is_known("good") && is_known("bad") && is_known("killed"); }));
    EXPECT_TRUE(is_up("good"));
    EXPECT_FALSE(is_up("bad"));
    EXPECT_FALSE(is_up("killed"));
}

TEST_F(Scripts, ItRunsAgainAfterItsInterval) {
    configure({script("chk", "echo x >>runs; test ! -e broken", 20ms)});
    ASSERT_TRUE(run_until([&] { return is_known("chk") && is_up("chk"); }));
    write("broken", "");
    ASSERT_TRUE(run_until([&] { return !is_up("chk"); }));
    fs::remove(path("broken"));
    ASSERT_TRUE(run_until([&] { return is_up("chk"); }));
    EXPECT_GE(content("runs").size(), 6u);
}

TEST_F(Scripts, FailuresAreCountedUntilFall) {
    ScriptDefinition definition = script("chk", "echo x >>runs; test -e runs.good && exit 0; echo x >>failures; exit 1", 20ms);
    definition.fall = 4;
    write("runs.good", "");
    configure({definition});
    ASSERT_TRUE(run_until([&] { return is_known("chk") && is_up("chk"); }));
    fs::remove(path("runs.good"));
    ASSERT_TRUE(run_until([&] { return !is_up("chk"); }));
    EXPECT_GE(content("failures").size(), 4u * 2);
}

TEST_F(Scripts, InitFailIsBadFromTheBeginning) {
    ScriptDefinition definition = script("chk", "echo x >>runs; exit 0", 20ms);
    definition.starts_as_failed = true;
    definition.rise = 3;
    configure({definition});
    EXPECT_TRUE(is_known("chk"));
    EXPECT_FALSE(is_up("chk"));
    ASSERT_TRUE(run_until([&] { return is_up("chk"); }));
    EXPECT_GE(content("runs").size(), 3u * 2);
}

TEST_F(Scripts, ARunThatHangsHasFailedAndDiesWithAllThatItStarted) {
    configure({script("chk", "(trap '' TERM; exec sleep 1000) & echo $! >child; echo $$ >parent; wait", 1h, 2s)});
    ASSERT_TRUE(run_until([&] { return is_known("chk"); }));
    ASSERT_NE(content("child"), "");
    ASSERT_NE(content("parent"), "");
    EXPECT_FALSE(is_up("chk"));
    ASSERT_TRUE(run_until([&] { return tracker_->running_count() == 0; }));
    EXPECT_FALSE(is_alive(content("parent")));   // it heeds SIGTERM, its child does not
    EXPECT_TRUE(run_until([&] { return !is_alive(content("child")); }));
}

TEST_F(Scripts, OneThatDoesNotHeedSigtermIsKilled) {
    configure({script("chk", "trap '' TERM; echo $$ >parent; while :; do sleep 1; done", 1h, 2s)});
    ASSERT_TRUE(run_until([&] { return is_known("chk"); }));
    ASSERT_NE(content("parent"), "");
    EXPECT_FALSE(is_up("chk"));
    ASSERT_TRUE(run_until([&] { return tracker_->running_count() == 0; }));
    EXPECT_FALSE(is_alive(content("parent")));
}

TEST_F(Scripts, OneThatCannotBeStartedHasFailed) {
    ScriptDefinition definition = script("chk", "");
    definition.arguments = {path("nothing")};
    configure({definition});
    ASSERT_TRUE(run_until([&] { return is_known("chk"); }));
    EXPECT_FALSE(is_up("chk"));
}

TEST_F(Scripts, NeverTwoRunsOfOneAtATime) {
    configure({script("chk", "mkdir lock || echo x >>overlap; sleep 0.1; rmdir lock; echo x >>runs", 10ms)});
    ASSERT_TRUE(run_until([&] { return content("runs").size() >= 5u * 2; }));
    EXPECT_FALSE(exists("overlap"));
}

TEST_F(Scripts, AHangingOneRunsAgainOnlyWhenTheLastRunIsGone) {
    configure({script("chk", "p=$(cat last); test -n \"$p\" && kill -0 $p && echo x >>overlap; echo $$ >last; trap 'sleep 0.2; exit 0' TERM; echo x >>runs; sleep 1000 & wait",
                      60ms, 60ms)});
    ASSERT_TRUE(run_until([&] { return content("runs").size() >= 4u * 2; }));
    EXPECT_FALSE(exists("overlap"));
    EXPECT_FALSE(is_up("chk"));   // what it says after its timeout counts for nothing
}

TEST_F(Scripts, NoMoreThanTheLimitRunAtATime) {
    std::vector<ScriptDefinition> definitions;
    for (int i = 0; i < 40; ++i) definitions.push_back(script("chk" + std::to_string(i), "sleep 0.01"));
    configure(definitions);
    const auto all_known = [&] {
        return std::all_of(definitions.begin(), definitions.end(), [&](const ScriptDefinition& one) { return is_known(one.name); });
    };
    ASSERT_TRUE(run_until(all_known));
    EXPECT_EQ(most_running_, 3u);
}

TEST_F(Scripts, WhatStaysTheSameKeepsItsResultAndGoesOnRunning) {
    const ScriptDefinition definition = script("chk", "echo $$ >>runs; test -e block && sleep 1000; exit 0", 20ms);
    configure({definition});
    ASSERT_TRUE(run_until([&] { return is_known("chk"); }));
    write("block", "");
    const auto runs = [&] { return content("runs"); };
    ASSERT_TRUE(run_until([&, before = runs()] { return runs() != before && tracker_->running_count() == 1; }));
    const std::string before = runs();
    configure({definition, script("other", "exit 0")});
    EXPECT_TRUE(is_known("chk"));
    EXPECT_TRUE(is_up("chk"));
    ASSERT_TRUE(run_until([&] { return is_known("other"); }));
    EXPECT_EQ(runs(), before);
}

TEST_F(Scripts, ReloadsDoNotPutItsNextRunOff) {
    const ScriptDefinition definition = script("chk", "echo x >>runs", 100ms);
    EXPECT_TRUE(run_until([&] {
        configure({definition});
        return content("runs").size() >= 3u * 2;
    }));
}

TEST_F(Scripts, AnotherIntervalOrCommandKeepsTheResultUntilThereIsAnother) {
    configure({script("chk", "exit 0", 1h)});
    ASSERT_TRUE(run_until([&] { return is_known("chk"); }));
    configure({script("chk", "exit 0", 2h)});
    EXPECT_TRUE(is_known("chk") && is_up("chk"));
    ScriptDefinition other = script("chk", "exit 4", 2h);
    other.fall = 5;   // the first result of another command counts at once
    configure({other});
    EXPECT_TRUE(is_known("chk") && is_up("chk"));
    ASSERT_TRUE(run_until([&] { return !is_up("chk"); }));
    other = script("chk", "exit 0", 2h);
    other.starts_as_failed = true;
    other.rise = 5;
    configure({other});
    EXPECT_TRUE(is_known("chk") && !is_up("chk"));
    ASSERT_TRUE(run_until([&] { return is_up("chk"); }));
}

TEST_F(Scripts, ANewCommandWaitsUntilTheOldOneHasEnded) {
    configure({script("chk", "trap 'sleep 0.05; echo old >>order; exit 0' TERM; echo x >started; sleep 1000 & wait")});
    ASSERT_TRUE(run_until([&] { return content("started") == "x\n"; }));
    EXPECT_FALSE(is_known("chk"));
    configure({script("chk", "echo new >>order")});
    ASSERT_TRUE(run_until([&] { return is_known("chk"); }));
    EXPECT_EQ(content("order"), "old\nnew\n");
}

TEST_F(Scripts, OneThatIsRemovedEnds) {
    configure({script("chk", "echo $$ >parent; sleep 1000")});
    ASSERT_TRUE(run_until([&] { return !content("parent").empty(); }));
    configure({});
    EXPECT_EQ(things_.find(ThingKind::script, "chk"), ThingIndex::none);
    ASSERT_TRUE(run_until([&] { return tracker_->running_count() == 0; }));
    EXPECT_FALSE(is_alive(content("parent")));
}

TEST_F(Scripts, OneThatMayNotRunIsIgnored) {
    ScriptDefinition definition = script("chk", "");
    definition.arguments.clear();
    configure({definition, script("other", "exit 0")});
    EXPECT_TRUE(thing(ThingKind::script, "chk").is_ignored);
    ASSERT_TRUE(run_until([&] { return is_known("other"); }));
    configure({script("chk", "exit 0"), script("other", "exit 0")});
    EXPECT_FALSE(thing(ThingKind::script, "chk").is_ignored);
    ASSERT_TRUE(run_until([&] { return is_known("chk"); }));
    EXPECT_TRUE(is_up("chk"));
}

class Files : public Running {
protected:
    void configure(const std::string& file, std::optional<std::int32_t> initial = {}, bool overwrites = false, bool is_start = true) {
        tracker_.configure({{.name = "f", .path = path(file), .initial_value = initial, .overwrites = overwrites}}, is_start);
    }
    int value() const { return thing(ThingKind::file, "f").value; }
    bool becomes(int wanted) {
        return run_until([&] { return value() == wanted; });
    }

    FileTracker tracker_{io_, things_, limiter_};
};

TEST_F(Files, ItIsReadAtOnceAndWheneverItIsWritten) {
    write("v", "7\n");
    configure("v");
    EXPECT_EQ(value(), 7);
    write("v", "-8\n");
    EXPECT_TRUE(becomes(-8));
}

TEST_F(Files, CreationRenameAndDeletionAreSeen) {
    configure("v");
    EXPECT_EQ(value(), 0);
    write("v", "1\n");
    EXPECT_TRUE(becomes(1));
    write("new", "2\n");
    fs::rename(path("new"), path("v"));
    EXPECT_TRUE(becomes(2));
    fs::rename(path("v"), path("away"));
    EXPECT_TRUE(becomes(0));
    fs::create_hard_link(path("away"), path("v"));
    EXPECT_TRUE(becomes(2));
    fs::remove(path("v"));
    EXPECT_TRUE(becomes(0));
}

TEST_F(Files, ALinkOnTheWayMayBeTurned) {
    for (const char* version : {"v1", "v2"}) fs::create_directory(path(version));
    write("v1/weight", "1\n");
    write("v2/weight", "2\n");
    fs::create_symlink("v1", path("data"));
    fs::create_symlink("data/weight", path("weight"));
    configure("weight");
    EXPECT_EQ(value(), 1);
    fs::create_symlink("v2", path("next"));
    fs::rename(path("next"), path("data"));
    EXPECT_TRUE(becomes(2));
    write("v2/weight", "3\n");
    EXPECT_TRUE(becomes(3));
}

TEST_F(Files, ADirectoryThatIsNotThereYetIsLookedForOnceASecond) {
    configure("later/v");
    EXPECT_EQ(value(), 0);
    fs::create_directory(path("later"));
    write("later/v", "4\n");
    tracker_.tick();
    EXPECT_EQ(value(), 4);
    write("later/v", "5\n");
    EXPECT_TRUE(becomes(5));   // from now on it is watched
}

TEST_F(Files, ADirectoryThatIsMovedAwayTakesTheFileWithIt) {
    fs::create_directory(path("d"));
    write("d/v", "6\n");
    configure("d/v");
    EXPECT_EQ(value(), 6);
    fs::rename(path("d"), path("e"));
    EXPECT_TRUE(becomes(0));
}

TEST_F(Files, ADirectoryFurtherUpMayBeReplaced) {
    fs::create_directories(path("release/etc"));
    fs::create_directories(path("next/etc"));
    write("release/etc/v", "6\n");
    write("next/etc/v", "7\n");
    configure("release/etc/v");
    EXPECT_EQ(value(), 6);
    fs::rename(path("release"), path("last"));
    fs::rename(path("next"), path("release"));
    EXPECT_TRUE(becomes(7));
    write("release/etc/v", "8\n");
    EXPECT_TRUE(becomes(8));
}

TEST_F(Files, GarbageCountsAsZeroUntilThereIsANumber) {
    write("v", "5\n");
    configure("v");
    write("v", "five\n");
    EXPECT_TRUE(becomes(0));
    write("v", std::string(100'000, 'x'));
    write("v", "6\n");
    EXPECT_TRUE(becomes(6));
}

TEST_F(Files, WhatIsNoRegularFileIsNotOpened) {
    ASSERT_EQ(::mkfifo(path("v").c_str(), 0600), 0);
    const int pipe = ::open(path("v").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ASSERT_EQ(::write(pipe, "7\n", 2), 2);
    configure("v");
    EXPECT_EQ(value(), 0);
    char text[2];
    EXPECT_EQ(::read(pipe, text, 2), 2) << "somebody else has read what was not for him";
    ::close(pipe);
}

TEST_F(Files, FilesOfProcAreReadOnceASecond) {
    const std::string file = "/proc/" + std::to_string(::getpid()) + "/oom_score_adj";
    const auto set = [&](int value) { std::ofstream(file) << value << std::flush; };
    set(700);   // more than there was: anybody may be less important
    tracker_.configure({{.name = "f", .path = file, .initial_value = {}, .overwrites = false}}, true);
    EXPECT_EQ(value(), 700);
    set(800);
    tracker_.tick();
    EXPECT_EQ(value(), 800);
}

TEST_F(Files, InitFileMakesWhatIsMissingAndOverwritesOnlyAtTheStart) {
    configure("v", -3);
    EXPECT_EQ(content("v"), "-3\n");
    EXPECT_EQ(value(), -3);
    write("w", "8\n");
    configure("w", 9);
    EXPECT_EQ(value(), 8);
    write("x", "8888\n");
    configure("x", 9, true, false);   // a reload
    EXPECT_EQ(value(), 8888);
    write("y", "8888\n");
    configure("y", 9, true, true);
    EXPECT_EQ(content("y"), "9\n");
}

TEST_F(Files, InitFileDoesNotFollowALink) {
    write("target", "1\n");
    fs::create_symlink("target", path("v"));
    configure("v", 9, true);
    EXPECT_EQ(content("target"), "1\n");
}

}  // namespace
}  // namespace vigil::daemon
