#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/daemon/bounded_script.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = BoundedScript::Clock;

/// Real processes, made-up time.
class BoundedScripts : public testing::Test {
protected:
    BoundedScript::Call shell(const std::string& line) { return {"startup_script", {"/bin/sh", "-c", line}, {::geteuid(), ::getegid(), true}, 10s}; }
    /// Waits as long as it takes; the status.
    int end() {
        for (;;) {
            int status = 0;
            const int pid = ::waitpid(-1, &status, 0);
            if (pid <= 0) return -1;
            if (script_.on_process_end(pid, status)) return status;   // else one that an earlier test has left
        }
    }

    BoundedScript script_;
    Clock::time_point now_{1000s};
};

TEST_F(BoundedScripts, NothingToRunIsOverAtOnce) {
    script_.start({}, now_);
    EXPECT_FALSE(script_.is_running());
    EXPECT_FALSE(script_.next());
}

TEST_F(BoundedScripts, WhatCannotBeStartedIsOverAtOnce) {
    script_.start({"startup_script", {"/no/such/file"}, {}, 10s}, now_);
    EXPECT_FALSE(script_.is_running());
}

TEST_F(BoundedScripts, OneThatEndsIsLeftToEnd) {
    script_.start(shell("exit 3"), now_);
    EXPECT_TRUE(script_.is_running());
    EXPECT_EQ(script_.next(), now_ + 10s);
    script_.tick(now_ + 9s);
    EXPECT_EQ(WEXITSTATUS(end()), 3);
    EXPECT_FALSE(script_.is_running());
}

TEST_F(BoundedScripts, OneThatHangsGetsSigtermAfterItsTime) {
    script_.start(shell("exec sleep 1000"), now_);
    script_.tick(now_ + 10s);
    EXPECT_TRUE(script_.is_running());
    EXPECT_EQ(script_.next(), now_ + 12s);
    EXPECT_EQ(WTERMSIG(end()), SIGTERM);
}

TEST_F(BoundedScripts, OneThatHeedsNoSigtermIsKilled) {
    script_.start(shell("kill -STOP $$; exec sleep 1000"), now_);   // a stopped process takes no SIGTERM before somebody lets it go on
    for (int status = 0; ::waitpid(-1, &status, WUNTRACED) > 0 && !WIFSTOPPED(status);) {}
    script_.tick(now_ + 10s);
    script_.tick(now_ + 12s);
    EXPECT_EQ(script_.next(), now_ + 14s);
    EXPECT_EQ(WTERMSIG(end()), SIGKILL);
}

TEST_F(BoundedScripts, OneThatCannotBeKilledIsNotWaitedFor) {
    script_.start(shell("exec sleep 1000"), now_);
    for (const auto later : {10s, 12s, 14s}) script_.tick(now_ + later);   // its end has not been told of
    EXPECT_FALSE(script_.is_running());
}

TEST_F(BoundedScripts, ItMayBeEndedBeforeItsTime) {
    script_.start(shell("exec sleep 1000"), now_);
    script_.end(now_ + 1s);
    script_.end(now_ + 2s);   // again: the limit stays
    EXPECT_EQ(script_.next(), now_ + 3s);
    EXPECT_EQ(WTERMSIG(end()), SIGTERM);
}

}  // namespace
}  // namespace vigil::daemon
