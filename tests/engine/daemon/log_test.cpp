#include "engine/daemon/log.h"

#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/io/file_descriptor.h"
#include "tests/engine/daemon/directory_fixture.h"

namespace vigil::daemon {
namespace {

TEST(LogFiles, HaveTheProcessBeforeTheLastDot) {
    EXPECT_EQ(log_file_of("/var/log/keepalived.log", "_vrrp"), "/var/log/keepalived_vrrp.log");
    EXPECT_EQ(log_file_of("/var/log/a.b.log", "_vrrp"), "/var/log/a.b_vrrp.log");
    EXPECT_EQ(log_file_of("/var/log.d/keepalived", "_vrrp"), "/var/log.d/keepalived_vrrp");
    EXPECT_EQ(log_file_of("", "_vrrp"), "");
}

class Log : public DirectoryTest {
protected:
    ~Log() override { spdlog::set_default_logger(before_); }

    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

class Syslog : public Log {
protected:
    void open() {
        fd_ = io::FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path("log").copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    std::string read() {
        char buffer[8192];
        const ssize_t size = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        return size < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(size));
    }
    io::FileDescriptor fd_;
};

TEST_F(Syslog, LinesCarryFacilitySeverityAndIdentity) {
    open();
    start_log({.identity = "Keepalived_vrrp", .facility = 16, .file = "", .syslog_socket = path("log")});
    spdlog::warn("something\nhappened");
    const std::string line = read();
    EXPECT_TRUE(line.starts_with("<132>")) << line;   // local0.warning: 16 * 8 + 4
    EXPECT_TRUE(line.ends_with(" Keepalived_vrrp[" + std::to_string(::getpid()) + "]: something?happened")) << line;
    spdlog::error("x");
    EXPECT_TRUE(read().starts_with("<131>"));
    spdlog::debug("only with -D");
    EXPECT_EQ(read(), "");
}

TEST_F(Syslog, ThatReadsNothingStopsNothingAndIsToldWhatWasLost) {
    open();
    start_log({.file = "", .syslog_socket = path("log")});
    for (int i = 0; i < 20'000; ++i) spdlog::info("line {}", i);
    int read_lines = 0;
    while (!read().empty()) ++read_lines;
    EXPECT_GT(read_lines, 0);
    spdlog::info("after");
    EXPECT_NE(read().find(std::to_string(20'000 - read_lines) + " log lines were lost"), std::string::npos);
    EXPECT_NE(read().find("after"), std::string::npos);
}

TEST_F(Syslog, ThatIsNotThereStopsNothing) {
    start_log({.file = "", .syslog_socket = path("log")});
    for (int i = 0; i < 1000; ++i) spdlog::info("line {}", i);
}

TEST_F(Log, AFileGetsLinesWithTheirTimeAtOnce) {
    start_log({.to_syslog = false, .file = path("log")});
    spdlog::info("one");
    std::ifstream file(path("log"));
    std::string line;
    std::getline(file, line);
    EXPECT_TRUE(line.ends_with(": one")) << line;
    EXPECT_EQ(line.size(), std::string("Fri Nov 20 16:02:21 2026: one").size());
}

/// A program that collects logs may stand at the other end, and may stand still.
TEST_F(Log, AFullPipeStopsNothing) {
    ASSERT_EQ(::mkfifo(path("log").c_str(), 0600), 0);
    const io::FileDescriptor reader(::open(path("log").c_str(), O_RDONLY | O_NONBLOCK));
    start_log({.to_syslog = false, .file = path("log")});
    for (int i = 0; i < 20'000; ++i) spdlog::info("line {}", i);
    char buffer[1 << 20];
    EXPECT_GT(::read(reader.get(), buffer, sizeof buffer), 0);
    spdlog::info("after");
    std::string rest;
    for (ssize_t size = 0; (size = ::read(reader.get(), buffer, sizeof buffer)) > 0;) rest.append(buffer, static_cast<std::size_t>(size));
    EXPECT_NE(rest.find(" log lines were lost because this log was not read quickly enough"), std::string::npos);
    EXPECT_NE(rest.find(": after\n"), std::string::npos);
}

TEST_F(Log, ALinkIsNotFollowed) {
    std::filesystem::create_symlink(path("victim"), path("log"));
    start_log({.to_syslog = false, .file = path("log")});
    spdlog::info("one");
    EXPECT_FALSE(std::filesystem::exists(path("victim")));
}

}  // namespace
}  // namespace vigil::daemon
