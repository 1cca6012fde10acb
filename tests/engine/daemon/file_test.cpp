// What is written to the disc: pid files and dumps.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "engine/daemon/dump_file.h"
#include "engine/daemon/pid_file.h"
#include "tests/engine/daemon/directory_fixture.h"

namespace vigil::daemon {
namespace {

class DaemonFiles : public DirectoryTest {};

TEST_F(DaemonFiles, APidFileIsHeldAgainstASecondDaemonAndRemovedAtTheEnd) {
    {
        auto first = PidFile::acquire(path("x.pid"));
        ASSERT_TRUE(first);
        first->write_pid();
        EXPECT_EQ(content("x.pid"), std::to_string(::getpid()) + "\n");
        const auto second = PidFile::acquire(path("x.pid"));
        ASSERT_FALSE(second);
        EXPECT_NE(second.error().find("already running: process " + std::to_string(::getpid())), std::string::npos) << second.error();
    }
    EXPECT_FALSE(std::filesystem::exists(path("x.pid")));
}

TEST_F(DaemonFiles, APidFileOfAKilledRunMeansNothing) {
    std::ofstream(path("x.pid")) << "1\n";
    EXPECT_TRUE(PidFile::acquire(path("x.pid")));
}

TEST_F(DaemonFiles, ALockWhoseWriterHasEndedIsWaitedFor) {
    const pid_t ended = ::fork();
    if (ended == 0) ::_exit(0);
    ::waitpid(ended, nullptr, 0);
    auto held = std::make_optional(PidFile::acquire(path("x.pid")));   // as a killed daemon's child does, until it has ended, too
    std::ofstream(path("x.pid")) << ended << "\n";
    std::thread dying([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        held.reset();
    });
    EXPECT_TRUE(PidFile::acquire_from_dying(path("x.pid"), std::chrono::minutes{1}));
    dying.join();
}

TEST_F(DaemonFiles, ALockWhoseWriterRunsIsNotWaitedFor) {
    auto first = PidFile::acquire(path("x.pid"));
    first->write_pid();
    EXPECT_FALSE(PidFile::acquire_from_dying(path("x.pid"), std::chrono::hours{24}));
}

/// Two that take it in turns: who has opened the file just before the other removes it must not believe to hold what is at the path.
TEST_F(DaemonFiles, WhoHoldsALockHoldsTheFileThatIsThere) {
    std::atomic<int> holders{0};
    std::atomic<unsigned> wrong{0};
    const auto take_turns = [&] {
        for (unsigned i = 0; i < 20'000; ++i) {
            auto file = PidFile::acquire(path("x.pid"));
            if (!file) continue;
            if (holders.fetch_add(1) != 0 || !std::filesystem::exists(path("x.pid"))) ++wrong;
            file->write_pid();
            holders.fetch_sub(1);
        }
    };
    std::thread other(take_turns);
    take_turns();
    other.join();
    EXPECT_EQ(wrong, 0u);
}

TEST_F(DaemonFiles, AForkedChildDoesNotRemoveItsParentsPidFile) {
    auto file = PidFile::acquire(path("x.pid"));
    file->write_pid();
    const pid_t child = ::fork();
    if (child == 0) {
        { auto copy = std::move(*file); }
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(std::filesystem::exists(path("x.pid")));
}

TEST_F(DaemonFiles, APidFileIsNotWrittenThroughALink) {
    std::filesystem::create_symlink(path("target"), path("x.pid"));
    EXPECT_FALSE(PidFile::acquire(path("x.pid")));
    EXPECT_FALSE(std::filesystem::exists(path("target")));
}

TEST_F(DaemonFiles, PidFileNamesAreKeepaliveds) {
    EXPECT_EQ(pid_file_names("", "", false).parent, "/run/keepalived.pid");
    EXPECT_EQ(pid_file_names("", "", false).vrrp, "/run/vrrp.pid");
    EXPECT_EQ(pid_file_names("", "", false).bfd, "/run/bfd.pid");
    EXPECT_EQ(pid_file_names("two", "", false).bfd, "/run/keepalived/bfd_two.pid");
    EXPECT_EQ(pid_file_names("", "", true).vrrp, "/run/keepalived/vrrp.pid");
    EXPECT_EQ(pid_file_names("two", "", false).checkers, "/run/keepalived/checkers_two.pid");
    EXPECT_NE(pid_file_names("", "red", false).vrrp, pid_file_names("", "blue", false).vrrp);
}

TEST_F(DaemonFiles, ADumpReplacesALinkInsteadOfFollowingIt) {
    std::ofstream(path("victim")) << "precious";
    std::filesystem::create_symlink(path("victim"), path("keepalived.data"));
    ASSERT_TRUE(write_dump_file({path("keepalived.data"), ""}, "text"));
    EXPECT_EQ(content("victim"), "precious");
    EXPECT_EQ(content("keepalived.data"), "text");
    EXPECT_FALSE(std::filesystem::is_symlink(path("keepalived.data")));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 2);   // nothing is left over
}

TEST_F(DaemonFiles, ADumpThatCannotBeWrittenSaysWhy) {
    const auto written = write_dump_file({path("no/such/directory/file"), ""}, "text");
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().find("No such file or directory"), std::string::npos);
}

TEST_F(DaemonFiles, DumpsGoToTmpdirOnlyWhenItIsAbsolute) {
    ::setenv("TMPDIR", "/var/tmp", 1);
    EXPECT_EQ(host_dump_directories().chosen, "/var/tmp");
    ::setenv("TMPDIR", "relative", 1);
    EXPECT_EQ(host_dump_directories().chosen, "");
    ::unsetenv("TMPDIR");
    EXPECT_EQ(host_dump_directories().chosen, "");
}

TEST(DumpPlaces, AreInADirectoryOfOurOwnWithALinkWhereExportersLook) {
    EXPECT_EQ(dump_place(DumpKind::json, {}, {}), (DumpPlace{"/run/vigil/keepalived.json", "/tmp/keepalived.json"}));
    EXPECT_EQ(dump_place(DumpKind::statistics, {}, {}), (DumpPlace{"/run/vigil/keepalived.stats", "/tmp/keepalived.stats"}));
    EXPECT_EQ(dump_place(DumpKind::sessions, {}, {}), (DumpPlace{"/run/vigil/keepalived_bfd.data", "/tmp/keepalived_bfd.data"}));
    EXPECT_EQ(dump_place(DumpKind::state, {}, {.chosen = "/var/tmp"}), (DumpPlace{"/var/tmp/keepalived.data", ""}));
}

TEST(DumpPlaces, MayBeChosen) {
    config::GlobalDefinitions global;
    global.state_dump_file = "/var/lib/x/";
    global.stats_dump_file = "/var/lib/x/my.stats";
    global.json_dump_file = "my.json";
    const DumpDirectories directories{.chosen = "/var/tmp"};
    EXPECT_EQ(dump_place(DumpKind::state, global, directories).path, "/var/lib/x/keepalived.data");
    EXPECT_EQ(dump_place(DumpKind::statistics, global, directories).path, "/var/lib/x/my.stats");
    EXPECT_EQ(dump_place(DumpKind::json, global, directories).path, "/var/tmp/my.json");
    global.data_use_instance = true;
    EXPECT_EQ(dump_place(DumpKind::json, global, directories).path, "/var/tmp/my.json");
    global.instance = "one";
    EXPECT_EQ(dump_place(DumpKind::json, global, directories).path, "/var/tmp/my.json.one");
    global.net_namespace = "blue";
    EXPECT_EQ(dump_place(DumpKind::state, global, directories).path, "/var/lib/x/keepalived.data.blue_one");
}

/// A local user knows our process number, and can make whatever name he likes in /tmp.
TEST_F(DaemonFiles, NobodyCanTakeTheNameUnderWhichTheLinkIsMade) {
    const DumpPlace place{path("own/keepalived.json"), path("keepalived.json")};
    std::ofstream(path("keepalived.json")) << "forged";
    std::ofstream(path("keepalived.json." + std::to_string(::getpid()))) << "taken";
    const auto written = write_dump_file(place, "true");
    EXPECT_TRUE(written) << written.error();
    EXPECT_EQ(content(path("keepalived.json")), "true");
}

TEST_F(DaemonFiles, TheLinkIsReplacedAndLeadsToTheFile) {
    const DumpPlace place{path("own/keepalived.json"), path("keepalived.json")};
    std::ofstream(path("keepalived.json")) << "somebody else's";
    for (const char* text : {"first", "second"}) {
        const auto written = write_dump_file(place, text);
        ASSERT_TRUE(written) << written.error();
        EXPECT_EQ(content("keepalived.json"), text);
    }
    EXPECT_EQ(std::filesystem::read_symlink(path("keepalived.json")), path("own/keepalived.json"));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 2);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("own")), {}), 1);
}

}  // namespace
}  // namespace vigil::daemon
