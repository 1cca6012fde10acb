#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/daemon/core_dump.h"
#include "engine/daemon/reloader.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = Reloader::Clock;

/// A Reloader whose examiner really is a process, while time is made up.
class Reloads : public testing::Test {
protected:
    Reloads() : file_(std::filesystem::temp_directory_path() / ("vigil-reloader-" + std::to_string(::getpid()))) {}
    ~Reloads() override { std::filesystem::remove(file_); }

    Reloader reloader(int exit_code) {
        return Reloader({.examine = [this, exit_code](bool, const std::string&, int fd) {
                             const std::string text = write_settings(examined_);
                             return ::write(fd, text.data(), text.size()) > 0 ? exit_code : 99;
                         },
                         .begun = [this] { told_ += "begun "; },
                         .tell_children = [this] { told_ += "children "; },
                         .adopt = [this](const ParentSettings& settings) { adopted_ = settings; },
                         .finished = [this] { told_ += "finished "; }});
    }
    /// Waits for the process that examines, however long it takes.
    void end_examiner(Reloader& reloader) {
        for (;;) {
            int status = 0;
            const int pid = ::waitpid(-1, &status, 0);
            ASSERT_GT(pid, 0);
            if (reloader.on_process_end(pid, status, now_)) return;   // else one that an earlier test has left
        }
    }
    static ReloadSettings tested(const std::string& file = {}) {
        ReloadSettings settings;
        settings.checks_first = true;
        settings.file = file;
        return settings;
    }
    bool file_exists() const { return std::filesystem::exists(file_); }

    std::filesystem::path file_;
    ParentSettings examined_;
    std::optional<ParentSettings> adopted_;
    std::string told_;
    Clock::time_point now_{1000s};
};

TEST_F(Reloads, WithoutATestTheChildrenHearAtOnce) {
    Reloader subject = reloader(0);
    examined_.child_wait_time = 7s;
    subject.request(now_);
    EXPECT_EQ(told_, "begun children ");
    subject.children_done(now_);
    EXPECT_EQ(told_, "begun children finished ");
    EXPECT_FALSE(subject.is_under_way());
    end_examiner(subject);   // it may take longer than they do
    ASSERT_TRUE(adopted_);
    EXPECT_EQ(adopted_->child_wait_time, 7s);
}

TEST_F(Reloads, WithATestTheChildrenHearWhenItHasPassed) {
    Reloader subject = reloader(0);
    subject.configure(tested());
    subject.request(now_);
    EXPECT_EQ(told_, "begun ");
    end_examiner(subject);
    EXPECT_EQ(told_, "begun children ");
    EXPECT_TRUE(adopted_);
}

TEST_F(Reloads, AFailedTestChangesNothing) {
    Reloader subject = reloader(5);
    subject.configure(tested());
    examined_.reload.checks_first = false;
    subject.request(now_);
    end_examiner(subject);
    EXPECT_EQ(told_, "begun finished ");
    EXPECT_FALSE(adopted_);
    subject.request(now_);
    EXPECT_EQ(told_, "begun finished begun ");   // the next one is tested too
    end_examiner(subject);
}

TEST_F(Reloads, WhatIsAskedForMeanwhileFollowsOnce) {
    Reloader subject = reloader(0);
    subject.request(now_);
    subject.request(now_);
    subject.request(now_);
    EXPECT_EQ(told_, "begun children ");
    subject.children_done(now_);
    EXPECT_EQ(told_, "begun children finished begun children ");
    subject.children_done(now_);
    EXPECT_FALSE(subject.is_under_way());
}

TEST_F(Reloads, ChildrenThatNeverAnswerDoNotBlockTheNextOne) {
    Reloader subject = reloader(0);
    subject.request(now_);
    subject.tick(now_ + 59s, 0);
    EXPECT_TRUE(subject.is_under_way());
    ASSERT_TRUE(subject.next());
    EXPECT_LE(*subject.next(), now_ + 60s);
    subject.tick(now_ + 60s, 0);
    EXPECT_FALSE(subject.is_under_way());
}

TEST_F(Reloads, TheReloadFileIsThereWhileItLasts) {
    Reloader subject = reloader(0);
    subject.configure(tested(file_));
    examined_.reload = tested(file_);
    subject.request(now_);
    EXPECT_TRUE(file_exists());
    end_examiner(subject);
    EXPECT_TRUE(file_exists());
    subject.children_done(now_);
    EXPECT_FALSE(file_exists());
}

TEST_F(Reloads, TheReloadFileGoesAfterAFailedTest) {
    Reloader subject = reloader(4);
    subject.configure(tested(file_));
    subject.request(now_);
    EXPECT_TRUE(file_exists());
    end_examiner(subject);
    EXPECT_FALSE(file_exists());
}

TEST_F(Reloads, OtherProcessesAreNotItsBusiness) {
    Reloader subject = reloader(0);
    EXPECT_FALSE(subject.on_process_end(12345, 0, now_));
    EXPECT_FALSE(subject.on_process_end(0, 0, now_));
}

/// A configuration file of the host.
class ParentStartOf : public Reloads {
protected:
    ParentStart read(const std::string& text, Options options = {}) {
        std::ofstream(file_) << text;
        options.configuration = file_;
        return read_parent_start(options);
    }
};

TEST_F(ParentStartOf, NamesComeFromInstanceAndNamespace) {
    const ParentStart start = read("net_namespace blue\ninstance left\nglobal_defs {\n reload_file\n}\n");
    EXPECT_EQ(start.net_namespace, "blue");
    EXPECT_EQ(start.log_suffix, "_blue_left");
    EXPECT_EQ(start.pid_files.vrrp, "/run/keepalived/vrrp_blue_left.pid");
    EXPECT_EQ(start.settings.reload.file, "/run/keepalived/keepalived_blue_left.reload");
    EXPECT_EQ(read("global_defs {\n reload_file\n}\n").settings.reload.file, "/run/keepalived.reload");
    EXPECT_EQ(read("").log_suffix, "");
}

TEST_F(ParentStartOf, TheCommandLineWins) {
    Options options;
    options.net_namespace = "red";
    options.vrrp_pid_file = "/run/mine.pid";
    const ParentStart start = read("net_namespace blue\n", options);
    EXPECT_EQ(start.net_namespace, "red");
    EXPECT_EQ(start.log_suffix, "_red");
    EXPECT_EQ(start.pid_files.parent, "/run/keepalived/keepalived_red.pid");
    EXPECT_EQ(start.pid_files.vrrp, "/run/mine.pid");
}

TEST_F(Reloads, TheCoreFilesOfTheHostGetTheirOldNameBack) {
    std::ofstream(file_) << "|/usr/lib/collector %p\n";
    const auto content = [this] {
        std::string line;
        std::ifstream file(file_);
        std::getline(file, line);
        return line;
    };
    {
        CorePattern pattern(file_);
        EXPECT_EQ(pattern.set("core"), "");
        EXPECT_EQ(content(), "core");
    }
    EXPECT_EQ(content(), "|/usr/lib/collector %p");
    CorePattern absent("/no/such/file");
    EXPECT_NE(absent.set("core"), "");
}

TEST_F(Reloads, TheParentSettingsComeThroughThePipeAsTheyAre) {
    ParentSettings settings{.child_wait_time = 3s, .reload = {true, "/var/log/\"test\"\n", "/run/keepalived.reload", "/etc/when", true}};
    EXPECT_EQ(read_settings(write_settings(settings)), settings);
    settings.shutdown.arguments = {"/bin/down", "two words"};
    settings.shutdown.identity = {33, 34, false, {34, 5}};
    settings.shutdown.timeout = 20s;
    settings.umask = 027;
    settings.process_name = "keeper";
    EXPECT_EQ(read_settings(write_settings(settings)), settings);
    EXPECT_EQ(read_settings(""), std::nullopt);
    EXPECT_EQ(read_settings("[1]"), std::nullopt);
}

}  // namespace
}  // namespace vigil::daemon
