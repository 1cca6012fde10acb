#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "config/load.h"
#include "engine/daemon/script_process.h"
#include "engine/daemon/script_runner.h"
#include "engine/daemon/script_security.h"
#include "engine/daemon/usable_scripts.h"
#include "tests/engine/daemon/directory_fixture.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;

config::NotifyScript script(std::string_view command, config::ScriptEvent event) {
    config::NotifyScript result;
    result.command = command;
    result.event = event;
    return result;
}

TEST(ScriptArguments, TheGenericScriptLearnsWhoAndWhat) {
    EXPECT_EQ(script_arguments(script("/usr/bin/tell 'two words' x", config::ScriptEvent::any), {"INSTANCE", "VI_1", "MASTER", 150}),
              (std::vector<std::string>{"/usr/bin/tell", "two words", "x", "INSTANCE", "VI_1", "MASTER", "150"}));
}

TEST(ScriptArguments, AStateScriptGetsItsOwnWordsOnly) {
    EXPECT_EQ(script_arguments(script("/usr/bin/up now", config::ScriptEvent::master), {"INSTANCE", "VI_1", "MASTER", 150}),
              (std::vector<std::string>{"/usr/bin/up", "now"}));
}

TEST(ScriptArguments, NoShellSeesThem) {
    EXPECT_EQ(script_arguments(script("/bin/echo $(reboot) ; rm", config::ScriptEvent::master), {"INSTANCE", "x", "MASTER", 1}),
              (std::vector<std::string>{"/bin/echo", "$(reboot)", ";", "rm"}));
}

/// A file system of made-up entries.
class Files {
public:
    void add(const std::string& path, mode_t mode, uid_t owner = 0, gid_t group = 0) {
        struct stat entry {};
        entry.st_mode = mode;
        entry.st_uid = owner;
        entry.st_gid = group;
        entries_[path] = entry;
    }
    void add_link(const std::string& path, const std::string& target, uid_t owner = 0) {
        add(path, S_IFLNK | 0777, owner);
        targets_[path] = target;
    }
    FileView view() const {
        const auto look_at = [this](const std::string& path) -> std::optional<struct stat> {
            const auto found = entries_.find(path);
            if (found == entries_.end()) return std::nullopt;
            return found->second;
        };
        const auto read_link = [this](const std::string& path) -> std::optional<std::string> {
            const auto found = targets_.find(path);
            if (found == targets_.end()) return std::nullopt;
            return found->second;
        };
        return {look_at, read_link};
    }

private:
    std::map<std::string, struct stat> entries_;
    std::map<std::string, std::string> targets_;
};

class ScriptSecurity : public testing::Test {
protected:
    ScriptSecurity() {
        files_.add("/", S_IFDIR | 0755);
        files_.add("/etc", S_IFDIR | 0755);
        files_.add("/etc/x", S_IFREG | 0755);
    }
    ScriptVerdict check(const std::string& path = "/etc/x", ScriptIdentity identity = {0, 0, true}) { return check_script(path, identity, files_.view()); }
    Files files_;
};

TEST_F(ScriptSecurity, AFileThatOnlyRootCanChangeIsFine) {
    EXPECT_TRUE(check().is_runnable);
    EXPECT_TRUE(check().is_secure);
    EXPECT_TRUE(check().text.empty());
}

TEST_F(ScriptSecurity, AMissingOrUnexecutableFileDoesNotRun) {
    EXPECT_FALSE(check("/etc/y").is_runnable);
    files_.add("/etc/x", S_IFREG | 0644);
    EXPECT_FALSE(check().is_runnable);
    files_.add("/etc/x", S_IFREG | 0700);
    EXPECT_FALSE(check("/etc/x", {1000, 1000, false}).is_runnable);
    EXPECT_FALSE(check("/etc").is_runnable);
}

TEST_F(ScriptSecurity, WhatOthersCanChangeIsInsecureForRoot) {
    files_.add("/etc/x", S_IFREG | 0757);
    EXPECT_FALSE(check().is_secure);
    files_.add("/etc/x", S_IFREG | 0775, 0, 50);
    EXPECT_FALSE(check().is_secure);
    files_.add("/etc/x", S_IFREG | 0775, 0, 0);
    EXPECT_TRUE(check().is_secure);
    files_.add("/etc/x", S_IFREG | 0755, 1000);
    EXPECT_FALSE(check().is_secure);
}

TEST_F(ScriptSecurity, SoIsADirectoryOnTheWayUnlessItIsSticky) {
    files_.add("/etc", S_IFDIR | 0777);
    EXPECT_FALSE(check().is_secure);
    EXPECT_NE(check().text.find("'/etc'"), std::string::npos);
    files_.add("/etc", S_IFDIR | S_ISVTX | 0777);
    EXPECT_TRUE(check().is_secure);
}

TEST_F(ScriptSecurity, ALinkIsFineWhenNobodyElseCanTurnItOrWhatItLeadsThrough) {
    files_.add("/bin", S_IFDIR | 0755);
    files_.add_link("/etc/alias", "../bin/other");
    files_.add_link("/bin/other", "/etc/x");
    EXPECT_TRUE(check("/etc/alias").is_runnable);
    EXPECT_TRUE(check("/etc/alias").is_secure) << check("/etc/alias").text;
    files_.add_link("/bin/other", "/etc/x", 1000);
    EXPECT_FALSE(check("/etc/alias").is_secure);
    EXPECT_NE(check("/etc/alias").text.find("'/bin/other'"), std::string::npos);
    files_.add_link("/bin/other", "/etc/x");
    files_.add("/bin", S_IFDIR | 0777);
    EXPECT_FALSE(check("/etc/alias").is_secure);
    files_.add("/bin", S_IFDIR | 0755);
    files_.add("/etc/x", S_IFREG | 0757);
    EXPECT_FALSE(check("/etc/alias").is_secure);
}

TEST_F(ScriptSecurity, ALinkThatLeadsNowhereDoesNotRun) {
    files_.add_link("/etc/alias", "gone");
    EXPECT_EQ(check("/etc/alias").text, "there is no '/etc/alias'");
    files_.add_link("/etc/alias", "alias");
    EXPECT_FALSE(check("/etc/alias").is_runnable);
    EXPECT_FALSE(check("etc/x").is_runnable);   // found nowhere, so not absolute
}

TEST_F(ScriptSecurity, OtherUsersMayRunWhatTheyLike) {
    files_.add("/etc/x", S_IFREG | 0777, 1000, 1000);
    EXPECT_TRUE(check("/etc/x", {1000, 1000, false}).is_secure);
    files_.add("/etc/x", S_IFREG | S_ISUID | 0777, 0, 0);   // but not a program that becomes root
    EXPECT_FALSE(check("/etc/x", {1000, 1000, false}).is_secure);
}

class ScriptProcess : public DirectoryTest {
protected:
    static int wait_for(pid_t pid) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        return status;
    }
    const ScriptIdentity own_{::geteuid(), ::getegid(), true};
};

TEST_F(ScriptProcess, ArgumentsArriveAsTheyAre) {
    const auto pid = spawn_script({"/bin/sh", "-c", "printf '%s|' \"$@\" > " + path("out"), "sh", "two words", "$HOME", "", "*"}, own_);
    ASSERT_TRUE(pid);
    EXPECT_EQ(wait_for(*pid), 0);
    EXPECT_EQ(content("out"), "two words|$HOME||*|");
}

TEST_F(ScriptProcess, SupplementaryGroupsComeOnlyWhenAskedFor) {
    const auto without = find_identity("daemon", "");
    if (!without) GTEST_SKIP() << "this host has no user 'daemon'";
    EXPECT_TRUE(without->groups.empty());
    const auto with = find_identity("daemon", "", true);
    ASSERT_TRUE(with);
    EXPECT_EQ(std::count(with->groups.begin(), with->groups.end(), with->gid), 1);
}

TEST_F(ScriptProcess, ItHasTheGroupsOfItsIdentity) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
    ASSERT_EQ(::chmod(directory_.c_str(), 0777), 0);
    const auto pid = spawn_script({"/bin/sh", "-c", "id -G > " + path("out")}, {1, 1, false, {1, 33, 34}});
    ASSERT_TRUE(pid);
    EXPECT_EQ(wait_for(*pid), 0);
    EXPECT_EQ(content("out"), "1 33 34\n");
}

TEST_F(ScriptProcess, TheEnvironmentIsCleanedAndSignalsAreReset) {
    ::setenv("IFS", "x", 1);
    ::setenv("VIGIL_TEST", "kept", 1);
    ::signal(SIGPIPE, SIG_IGN);
    const auto pid = spawn_script({"/bin/sh", "-c", "{ env; grep SigIgn /proc/self/status; grep SigBlk /proc/self/status; } > " + path("out")}, own_);
    ASSERT_TRUE(pid);
    wait_for(*pid);
    ::unsetenv("IFS");
    EXPECT_EQ(content("out").find("\nIFS="), std::string::npos);
    EXPECT_NE(content("out").find("VIGIL_TEST=kept"), std::string::npos);
    EXPECT_NE(content("out").find("SigIgn:\t0000000000000000"), std::string::npos) << content("out");
    EXPECT_NE(content("out").find("SigBlk:\t0000000000000000"), std::string::npos) << content("out");
}

TEST_F(ScriptProcess, AProgramThatDoesNotExistIsAnError) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer turns vfork() into fork(), and then posix_spawn() cannot tell of the failure";
#endif
    const auto pid = spawn_script({"/nonexistent/program"}, own_);
    ASSERT_FALSE(pid);
    EXPECT_EQ(pid.error(), ENOENT);
}

TEST_F(ScriptProcess, AnotherUserRunsIt) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to change the user";
    std::filesystem::permissions(directory_, std::filesystem::perms::all);
    const auto pid = spawn_script({"/bin/sh", "-c", "id -u > " + path("out") + "; id -g >> " + path("out")}, {65534, 65533, false});
    ASSERT_TRUE(pid);
    wait_for(*pid);
    EXPECT_EQ(content("out"), "65534\n65533\n");
}

TEST_F(ScriptProcess, IdentitiesByNameAndNumber) {
    EXPECT_EQ(find_identity("root", "")->uid, 0u);
    EXPECT_EQ(find_identity("12345", ":54321")->uid, 12345u);
    EXPECT_EQ(find_identity("12345", ":54321")->gid, 54321u);
    EXPECT_FALSE(find_identity("12345", "")) << "it would have root's group";
    EXPECT_EQ(find_identity("1", "")->gid, find_identity("daemon", "")->gid);
    EXPECT_FALSE(find_identity("no-such-user-here", ""));
    EXPECT_FALSE(find_identity("root", "no-such-group-here"));
}

/// Collects until nothing runs; the scripts here end by themselves.
void run_dry(ScriptRunner& runner, Instant now) {
    while (!runner.is_idle()) {
        runner.pump(now);
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, 0);
        runner.on_child_end(pid, status);
    }
}

/// busybox, killall5 as pidof, and scripts that look at $0.
TEST_F(ScriptProcess, AProgramIsCalledByTheNameThatTheFileSays) {
    std::ofstream(path("real")) << "#!/bin/sh\nbasename \"$0\" > " + path("out") + "\n";
    std::filesystem::permissions(path("real"), std::filesystem::perms::owner_all);
    std::filesystem::create_symlink("real", path("alias"));
    const std::string command = path("alias") + " word";
    UsableScripts scripts;
    const config::NotifyScript wanted = script(command, config::ScriptEvent::master);
    scripts.add(wanted, {});
    EXPECT_FALSE(scripts.has_refused());
    const auto call = scripts.call(wanted, "(VI_1)", {"INSTANCE", "VI_1", "MASTER", 1});
    ASSERT_TRUE(call);
    EXPECT_EQ(call->label, "(VI_1) notify_master");
    const auto pid = spawn_script(call->arguments, call->identity);
    ASSERT_TRUE(pid);
    EXPECT_EQ(wait_for(*pid), 0);
    EXPECT_EQ(content("out"), "alias\n");
}

TEST_F(ScriptProcess, OneThatMayNotRunIsNotCalledAndRemembered) {
    UsableScripts scripts;
    const std::string command = path("missing");
    const config::NotifyScript wanted = script(command, config::ScriptEvent::master);
    scripts.add(wanted, {});
    EXPECT_TRUE(scripts.has_refused());
    EXPECT_FALSE(scripts.call(wanted, "(VI_1)", {"INSTANCE", "VI_1", "MASTER", 1}));
}

TEST(ScriptCheck, SaysOnceThatAGroupsScriptDoesNotRun) {
    const config::LoadResult loaded = config::load_text("test.conf", "vrrp_sync_group G {\n group { A B }\n notify_master /no/such/script\n}\n"
        "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n}\n"
        "vrrp_instance B {\n interface eth0\n virtual_router_id 2\n virtual_ipaddress { 10.0.0.2 }\n}\n");
    const auto found = check_scripts(loaded.configuration);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].message, "there is no '/no/such/script'");
    EXPECT_EQ(found[0].help, "the script does not run");
}

TEST_F(ScriptProcess, ScriptsOfOneRouterRunInOrder) {
    ScriptRunner runner;
    for (const char* word : {"one", "two", "three"}) {
        runner.enqueue(0, {"t", {"/bin/sh", "-c", std::string("echo ") + word + " >> " + path("out")}, own_});
    }
    runner.pump(Instant{});
    EXPECT_EQ(runner.running_count(), 1u);
    run_dry(runner, Instant{});
    EXPECT_EQ(content("out"), "one\ntwo\nthree\n");
}

TEST_F(ScriptProcess, NoMoreThanTheLimitAtATime) {
    ScriptRunner runner(2);
    for (std::size_t router = 0; router < 5; ++router) runner.enqueue(router, {"t", {"/bin/sh", "-c", "echo x >> " + path("out")}, own_});
    runner.pump(Instant{});
    EXPECT_EQ(runner.running_count(), 2u);
    run_dry(runner, Instant{});
    EXPECT_EQ(content("out"), "x\nx\nx\nx\nx\n");
}

TEST_F(ScriptProcess, AScriptThatNeverEndsDoesNotHoldUpItsSuccessorsForEver) {
    ScriptRunner runner(32, 10s);
    // Reads from a pipe that nobody writes to, until the test closes it.
    std::filesystem::path fifo = directory_ / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    runner.enqueue(0, {"t", {"/bin/sh", "-c", "exec cat " + fifo.string()}, own_});
    runner.enqueue(0, {"t", {"/bin/true"}, own_});
    runner.pump(Instant{0});
    runner.pump(Instant{} + 9s);
    EXPECT_EQ(runner.running_count(), 1u);
    runner.pump(Instant{} + 10s);
    EXPECT_EQ(runner.running_count(), 2u);
    std::ofstream(fifo) << "end";
    run_dry(runner, Instant{} + 10s);
}

TEST_F(ScriptProcess, ScriptsThatNeverEndDoNotKeepThePlacesOfOthers) {
    ScriptRunner runner(2, 10s);
    const std::string until_the_end = "while [ ! -e " + path("end") + " ]; do sleep 0.02; done";
    for (std::size_t router = 0; router < 2; ++router) runner.enqueue(router, {"t", {"/bin/sh", "-c", until_the_end}, own_});
    runner.enqueue(2, {"t", {"/bin/sh", "-c", "echo x > " + path("out")}, own_});
    runner.pump(Instant{});
    EXPECT_EQ(runner.running_count(), 2u);
    runner.set_patience(100ms);   // as at the end of the daemon
    runner.pump(Instant{} + 100ms);
    EXPECT_EQ(runner.running_count(), 3u);
    std::ofstream(path("end")) << "now";
    run_dry(runner, Instant{} + 100ms);
    EXPECT_EQ(content("out"), "x\n");
}

class BusyScript : public ScriptProcess {
protected:
    BusyScript() {
        write("script", "#!/bin/sh\necho x >> " + path("out") + "\n");
        std::filesystem::permissions(path("script"), std::filesystem::perms::owner_all);
        writer_.open(path("script"), std::ios::app);
        runner_.enqueue(0, {"t", {path("script")}, own_});
        runner_.pump(Instant{});
    }
    std::ofstream writer_;   // somebody who is writing it
    ScriptRunner runner_{32, 10s};
};

TEST_F(BusyScript, IsRunOnceItHasBeenWritten) {
    EXPECT_EQ(runner_.running_count(), 0u);
    EXPECT_EQ(runner_.waiting_count(), 1u);
    writer_.close();
    runner_.pump(Instant{} + 99ms);   // a pump comes for each child that ends, so for each failed start
    EXPECT_EQ(runner_.running_count(), 0u);
    runner_.pump(Instant{} + 100ms);
    EXPECT_EQ(runner_.running_count(), 1u);
    run_dry(runner_, Instant{} + 100ms);
    EXPECT_EQ(content("out"), "x\n");
}

TEST_F(BusyScript, IsNotWaitedForForEver) {
    runner_.pump(Instant{} + 9s);
    EXPECT_EQ(runner_.waiting_count(), 1u);
    runner_.pump(Instant{} + 10s);
    EXPECT_EQ(runner_.waiting_count(), 0u);
    EXPECT_TRUE(runner_.is_idle());
}

}  // namespace
}  // namespace vigil::daemon
