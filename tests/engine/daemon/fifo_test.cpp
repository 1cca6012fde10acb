#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "config/load.h"
#include "engine/daemon/fifo.h"
#include "engine/daemon/notify_fifos.h"
#include "engine/io/file_descriptor.h"
#include "tests/engine/daemon/directory_fixture.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;

TEST(FifoLines, AreWhatReadersOfKeepalivedKnow) {
    EXPECT_EQ(instance_line("VI_1", "MASTER", 150), "INSTANCE \"VI_1\" MASTER 150\n");
    EXPECT_EQ(instance_line("VI_1", "MASTER_RX_LOWER_PRI", 255), "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 255\n");
    EXPECT_EQ(group_line("VG_1", "FAULT"), "GROUP \"VG_1\" FAULT 0\n");
}

TEST(FifoLines, ANameMakesNoLineOfItsOwn) {
    EXPECT_EQ(instance_line("a\nINSTANCE \"b\" MASTER 1\n", "BACKUP", 1), "INSTANCE \"a?INSTANCE \"b\" MASTER 1?\" BACKUP 1\n");
    EXPECT_EQ(group_line(std::string("\x1b[2J\x7f") + '\0', "BACKUP"), "GROUP \"?[2J??\" BACKUP 0\n");
    EXPECT_EQ(instance_line("stra\xc3\x9f" "e", "BACKUP", 1), "INSTANCE \"stra\xc3\x9f" "e\" BACKUP 1\n");
    EXPECT_LT(instance_line(std::string(100'000, 'x'), "BACKUP", 1).size(), 4096u);
}

class FifoFile : public DirectoryTest {
protected:
    std::string path(const std::string& name = "fifo") const { return DirectoryTest::path(name); }
    std::unique_ptr<Fifo> opened(std::optional<FifoOwner> owner = std::nullopt) {
        auto fifo = Fifo::open(io_, path(), owner);
        EXPECT_TRUE(fifo) << fifo.error();
        return fifo ? std::move(*fifo) : nullptr;
    }
    io::FileDescriptor reader() const { return io::FileDescriptor(::open(path().c_str(), O_RDONLY | O_NONBLOCK)); }
    static std::string read_some(const io::FileDescriptor& fd) {
        char buffer[65536];
        const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
        return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
    }

    boost::asio::io_context io_{1};
};

TEST_F(FifoFile, IsMadeWhenThereIsNoneAndRemovedAtTheEnd) {
    auto fifo = opened();
    struct stat found {};
    ASSERT_EQ(::stat(path().c_str(), &found), 0);
    EXPECT_TRUE(S_ISFIFO(found.st_mode));
    EXPECT_EQ(found.st_mode & 0777 & ~0644u, 0u);
    fifo.reset();
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(FifoFile, OfSomebodyElseStays) {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    opened().reset();
    EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(FifoFile, ThatTookOurPlaceStays) {
    auto fifo = opened();
    std::filesystem::remove(path());
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    fifo.reset();
    EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(FifoFile, GetsItsOwner) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
    auto fifo = opened(FifoOwner{65534, 65533});
    struct stat found {};
    ASSERT_EQ(::stat(path().c_str(), &found), 0);
    EXPECT_EQ(found.st_uid, 65534u);
    EXPECT_EQ(found.st_gid, 65533u);
}

TEST_F(FifoFile, AnythingElseIsRefusedAndLeftAlone) {
    std::ofstream(path()) << "precious";
    const auto refused = Fifo::open(io_, path(), std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), "'" + path() + "' is a file, not a FIFO");
    EXPECT_EQ(what_else_is_at(path()), "is a file");
    EXPECT_EQ(what_else_is_at(directory_.string()), "is a directory");
    EXPECT_EQ(what_else_is_at(path("nothing")), "");
    EXPECT_EQ(Fifo::open(io_, directory_.string(), std::nullopt).error(), "'" + directory_.string() + "' is a directory, not a FIFO");
    EXPECT_EQ(std::filesystem::file_size(path()), 8u);
    EXPECT_NE(Fifo::open(io_, path("no/such/place"), std::nullopt).error().find("No such file or directory"), std::string::npos);
}

TEST_F(FifoFile, AReaderThatComesLaterFindsTheLines) {
    auto fifo = opened();
    fifo->write("one\n");
    fifo->write("two\n");
    EXPECT_EQ(fifo->unread_bytes(), 8u);
    EXPECT_EQ(read_some(reader()), "one\ntwo\n");
    EXPECT_EQ(fifo->unread_bytes(), 0u);
}

/// More than the pipe holds: the rest follows in order while somebody reads.
TEST_F(FifoFile, WhatThePipeDoesNotHoldFollows) {
    auto fifo = opened();
    std::string written;
    for (int i = 0; i < 20'000; ++i) {
        const std::string line = instance_line("VI_" + std::to_string(i), "MASTER", 100);
        fifo->write(line);
        written += line;
    }
    EXPECT_GT(fifo->kept_bytes(), 100'000u);
    const io::FileDescriptor fd = reader();
    std::string read;
    while (read.size() < written.size()) {
        const std::string more = read_some(fd);
        io_.restart();
        if (more.empty() && io_.run_one_for(10s) == 0) break;
        io_.poll();
        read += more;
    }
    EXPECT_TRUE(read == written);
    EXPECT_EQ(fifo->kept_bytes(), 0u);
    EXPECT_EQ(fifo->take_lost_count(), 0u);
}

TEST_F(FifoFile, ThatNobodyReadsLosesLinesAndCountsThem) {
    auto fifo = opened();
    const std::string line(100, 'x');
    const std::size_t count = (Fifo::backlog_limit + 1024 * 1024) / line.size();
    for (std::size_t i = 0; i < count; ++i) fifo->write(line);
    const std::uint64_t lost = fifo->take_lost_count();
    EXPECT_EQ(lost, count - fifo->unread_bytes() / line.size());
    EXPECT_GT(lost, 5'000u);
    EXPECT_EQ(fifo->take_lost_count(), 0u);
    EXPECT_LE(fifo->kept_bytes(), Fifo::backlog_limit);
}

class Fifos : public FifoFile {
protected:
    config::Configuration configuration(const std::string& text) {
        config::LoadResult loaded = config::load_text("test.conf", "global_defs {\n" + text + "\n}\n", {});
        return std::move(loaded.configuration);
    }
    std::string problems(const std::string& text) {
        const config::Configuration read = configuration(text);
        std::string result;
        for (const config::Diagnostic& one : check_fifos(read)) result += config::to_line(one, read) + "; " + one.help + "\n";
        return result;
    }
};

TEST_F(Fifos, BothGetEveryLine) {
    NotifyFifos fifos(io_);
    fifos.configure(configuration("notify_fifo " + path("a") + "\nvrrp_notify_fifo " + path("b")));
    fifos.tell_instance("VI_1", "BACKUP", 7);
    fifos.tell_group("VG_1", "BACKUP");
    for (const char* name : {"a", "b"}) {
        EXPECT_EQ(read_some(io::FileDescriptor(::open(path(name).c_str(), O_RDONLY | O_NONBLOCK))), "INSTANCE \"VI_1\" BACKUP 7\nGROUP \"VG_1\" BACKUP 0\n");
    }
}

TEST_F(Fifos, StayOpenWhenAReloadDoesNotChangeThem) {
    NotifyFifos fifos(io_);
    fifos.configure(configuration("notify_fifo " + path()));
    fifos.tell_instance("VI_1", "BACKUP", 7);
    fifos.configure(configuration("router_id x\nnotify_fifo " + path()));
    EXPECT_EQ(read_some(reader()), "INSTANCE \"VI_1\" BACKUP 7\n");
    fifos.configure(configuration("vrrp_notify_fifo " + path("other")));
    EXPECT_FALSE(std::filesystem::exists(path()));
    EXPECT_TRUE(std::filesystem::exists(path("other")));
}

TEST_F(Fifos, ThatChangesItsKeywordStaysOpen) {
    NotifyFifos fifos(io_);
    fifos.configure(configuration("vrrp_notify_fifo " + path()));
    fifos.tell_instance("VI_1", "BACKUP", 7);
    fifos.configure(configuration("notify_fifo " + path()));
    fifos.tell_instance("VI_1", "MASTER", 7);
    EXPECT_EQ(read_some(reader()), "INSTANCE \"VI_1\" BACKUP 7\nINSTANCE \"VI_1\" MASTER 7\n");
}

/// The second one is closed, and removes what it made, before the first one is opened at the same path.
TEST_F(Fifos, ThatTakesThePathOfAnotherIsThere) {
    NotifyFifos fifos(io_);
    fifos.configure(configuration("notify_fifo " + path("a") + "\nvrrp_notify_fifo " + path("b")));
    fifos.configure(configuration("notify_fifo " + path("b") + " root\nvrrp_notify_fifo " + path("c")));
    EXPECT_FALSE(fifos.has_refused());
    for (const char* name : {"b", "c"}) EXPECT_TRUE(std::filesystem::is_fifo(path(name))) << name;
    EXPECT_FALSE(std::filesystem::exists(path("a")));
}

TEST_F(Fifos, WhatCannotBeOpenedIsRemembered) {
    NotifyFifos fifos(io_);
    std::ofstream(path()) << "x";
    fifos.configure(configuration("notify_fifo " + path()));
    EXPECT_TRUE(fifos.has_refused());
    std::filesystem::remove(path());
    fifos.configure(configuration("notify_fifo " + path()));
    EXPECT_FALSE(fifos.has_refused());
    fifos.configure(configuration("notify_fifo " + path() + "\nnotify_fifo_script " + path("missing")));
    EXPECT_TRUE(fifos.has_refused());
}

class Readers : public Fifos {
protected:
    std::string script(const std::string& name, const std::string& text) const {
        std::ofstream(path(name)) << "#!/bin/sh\ncd " << directory_.string() << "\n" << text << "\n";
        std::filesystem::permissions(path(name), std::filesystem::perms::owner_all);
        return path(name);
    }
    std::string content(const std::string& name) const {
        std::ifstream in(path(name));
        return {std::istreambuf_iterator<char>(in), {}};
    }
    /// `condition` becomes true; a minute is for ever here.
    template <class Condition>
    bool run_until(NotifyFifos& fifos, Condition condition) {
        const auto give_up = std::chrono::steady_clock::now() + 60s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > give_up) return false;
            io_.restart();
            io_.run_one_for(5ms);
            int status = 0;
            for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) fifos.on_child_end(pid, status);
        }
        return true;
    }
    /// Nothing outlives the test.
    void end(NotifyFifos& fifos) {
        fifos.close();
        fifos.end_readers(SIGKILL);
        EXPECT_TRUE(run_until(fifos, [&] { return !fifos.has_readers(); }));
    }
};

TEST_F(Readers, ANewOneStartsWhenTheOldOneHasEnded) {
    NotifyFifos fifos(io_);
    const std::string old = script("old", "trap 'sleep 0.1; echo old >>order; exit 0' TERM\n: >started\nwhile :; do sleep 0.02; done");
    fifos.configure(configuration("notify_fifo " + path() + "\nnotify_fifo_script " + old));
    ASSERT_TRUE(run_until(fifos, [&] { return std::filesystem::exists(path("started")); }));
    fifos.configure(configuration("notify_fifo " + path() + "\nnotify_fifo_script " + script("new", "echo new >>order\nexec sleep 1000")));
    EXPECT_TRUE(run_until(fifos, [&] { return content("order").find("new") != std::string::npos; }));
    EXPECT_EQ(content("order"), "old\nnew\n");
    end(fifos);
}

TEST_F(Readers, OneThatDoesNotHeedSigtermIsKilledForItsSuccessor) {
    NotifyFifos fifos(io_);
    const std::string old = script("old", "trap '' TERM\necho $$ >pid\nwhile :; do sleep 0.02; done");
    fifos.configure(configuration("notify_fifo " + path() + "\nnotify_fifo_script " + old));
    ASSERT_TRUE(run_until(fifos, [&] { return content("pid").ends_with('\n'); }));
    fifos.configure(configuration("notify_fifo " + path() + "\nnotify_fifo_script " + script("new", ": >started\nexec sleep 1000")));
    EXPECT_TRUE(run_until(fifos, [&] { return std::filesystem::exists(path("started")); }));
    EXPECT_NE(::kill(std::stoi(content("pid")), 0), 0);
    end(fifos);
}

TEST(FifoReader, WaitsASecondBeforeItStartsAgainAndTwiceAsLongEachTimeAfterThat) {
    FifoReader reader({{"/bin/false", "fifo"}, {::geteuid(), ::getegid(), true}});
    Instant now{0};
    const auto end_it = [&] {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, 0);
        EXPECT_TRUE(reader.on_child_end(pid, status, now));
    };
    reader.start(now);
    ASSERT_TRUE(reader.is_running());
    for (const auto delay : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        end_it();
        reader.start(now + delay - 1ns);
        EXPECT_FALSE(reader.is_running()) << delay.count();
        reader.start(now = now + delay);
        ASSERT_TRUE(reader.is_running()) << delay.count();
    }
    now = now + 60s;   // it ran for long
    end_it();
    reader.start(now = now + 1s);
    ASSERT_TRUE(reader.is_running());
    end_it();
}

/// The first report has the number of the first 6,000 that a late reader does not get.
TEST_F(Fifos, LostLinesAreToldOnceWithTheirNumber) {
    std::ostringstream log;
    std::size_t kept = 0;
    const auto before = spdlog::default_logger();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
    {
        NotifyFifos fifos(io_);
        fifos.configure(configuration("notify_fifo " + path()));
        const std::string name(1000, 'x');
        for (int i = 0; i < 6'000; ++i) fifos.tell_instance(name, "MASTER", 100);
        for (int i = 0; i < 3 && log.str().empty(); ++i) io_.run_one_for(10s);
        for (int i = 0; i < 6'000; ++i) fifos.tell_instance(name, "MASTER", 100);
        io_.run_one_for(10s);
        const io::FileDescriptor fd = reader();
        for (std::string more = read_some(fd); !more.empty(); more = read_some(fd)) {
            kept += static_cast<std::size_t>(std::count(more.begin(), more.end(), '\n'));
            fifos.is_read();   // fills the pipe again
        }
    }
    spdlog::set_default_logger(before);
    const std::string words = path() + " is full, because it is not read: ";
    const std::size_t first = log.str().find(words);
    ASSERT_NE(first, std::string::npos) << log.str();
    const auto lost = static_cast<std::size_t>(std::stoul(log.str().substr(first + words.size())));
    EXPECT_EQ(lost, 6'000 - kept);
    EXPECT_NE(log.str().find(" lines were lost", first), std::string::npos);
    EXPECT_EQ(log.str().find(words, first + 1), std::string::npos) << log.str();
}

TEST_F(Fifos, WhatIsWrongIsSaidWithItsPlaceAndTheRemedy) {
    std::ofstream(path()) << "x";
    EXPECT_EQ(problems("notify_fifo " + path()),
              "test.conf:2:13: error: '" + path() + "' is a file, not a FIFO: nothing is told there; remove it, or name another path\n");
    EXPECT_EQ(problems("vrrp_notify_fifo " + path("no/fifo")),
              "test.conf:2:18: error: there is no directory '" + path("no") + "' for the FIFO; make it, or name another path\n");
    EXPECT_EQ(problems("notify_fifo " + path("a") + " no-such-user-here"),
              "test.conf:2:13: error: there is no user 'no-such-user-here': there is no FIFO; name the owner of the FIFO, or leave it out\n");
    EXPECT_EQ(problems("notify_fifo " + path("a") + " root :root"), "");
}

}  // namespace
}  // namespace vigil::daemon
