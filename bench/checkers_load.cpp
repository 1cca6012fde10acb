// What many health checks cost: a Runner with as many distinct checks as told, of servers in another process, in a network namespace of its own.
//
//   checkers_load METHOD CHECKS PERIOD SECONDS [HANGING]
//
// METHOD: tcp or http. PERIOD: seconds between the checks of one server. SECONDS: how long it is watched, after all have been checked once. HANGING: how many
// of the servers take the connection and never answer (http). Prints what load, checking and a reload in which one check changes cost the checking process in
// processor time, its memory, and what became of healthy servers meanwhile.

#include <sched.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>   // before awaitable.hpp of Boost 1.74, which forgets it

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>

#include "ipvs/checkers/runner.h"

using namespace vigil;
using namespace vigil::checkers;
using boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint16_t good_port = 8080;
constexpr std::uint16_t hanging_port = 8081;

struct NoScripts : ScriptStarter {
    tl::expected<pid_t, std::string> start(const MiscSpec&) override { return tl::unexpected(std::string("none here")); }
};

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(77);
}

void enter_own_network() {
    if (::unshare(CLONE_NEWNET) != 0) give_up("checkers_load: needs root to make a network namespace");
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(fd, SIOCSIFFLAGS, &request) != 0) give_up("checkers_load: lo up");
    ::close(fd);
}

void raise_file_limit() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

/// Answers whatever comes by a page and closes.
void accept_next(tcp::acceptor& acceptor) {
    acceptor.async_accept([&acceptor](const error_code& error, tcp::socket socket) {
        if (!error) {
            auto client = std::make_shared<tcp::socket>(std::move(socket));
            auto request = std::make_shared<std::array<char, 1024>>();
            client->async_read_some(asio::buffer(*request), [client, request](const error_code& failed, std::size_t) {
                static const std::string page = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
                if (!failed) asio::async_write(*client, asio::buffer(page), [client](const error_code&, std::size_t) {});
            });
        }
        accept_next(acceptor);
    });
}

pid_t start_server() {
    int ready[2];
    if (::pipe(ready) != 0) give_up("checkers_load: pipe");
    const pid_t pid = ::fork();
    if (pid != 0) {
        char octet;
        ::close(ready[1]);
        if (::read(ready[0], &octet, 1) != 1) give_up("checkers_load: the server did not start");
        return pid;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    asio::io_context io;
    tcp::acceptor good(io, {tcp::v4(), good_port});
    tcp::acceptor hanging(io, {tcp::v4(), hanging_port});
    good.listen(4096);
    hanging.listen(65535);   // the kernel takes connections, nobody else does
    accept_next(good);
    if (::write(ready[1], "", 1) != 1) ::_exit(1);
    io.run();
    ::_exit(0);
}

CheckSpec make_spec(unsigned number, bool is_http, bool hangs, int period) {
    CheckSpec spec;
    spec.common.address = ipv4(127, static_cast<std::uint8_t>(1 + (number >> 16)), static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
    spec.common.port = hangs ? hanging_port : good_port;
    spec.common.delay_loop = std::chrono::seconds(period);
    spec.common.warmup = std::chrono::seconds(period);
    if (is_http) spec.method = HttpSpec{.urls = {UrlSpec{}}};
    return spec;
}

std::string memory() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line))
        if (line.starts_with("VmRSS:")) return line.substr(line.find_first_of("0123456789"));
    return "?";
}

double processor_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double milliseconds_since(Clock::time_point begin) { return std::chrono::duration<double, std::milli>(Clock::now() - begin).count(); }

struct Watch {
    std::uint64_t good_verdicts = 0;
    std::uint64_t false_alarms = 0;    // healthy servers that were found ill
    std::uint64_t found = 0;           // hanging ones that were found so
    Duration slowest_good{0};

    void operator()(const Report& report) {
        const bool hangs = report.spec.common.port == hanging_port;
        if (hangs) found += report.transition == Transition::went_down ? 1 : 0;
        else if (!report.verdict.is_ok()) ++false_alarms;
        else ++good_verdicts;
        if (!hangs) slowest_good = std::max(slowest_good, report.verdict.duration);
    }
};

}  // namespace

int main(int count, char** arguments) {
    if (count < 5) {
        std::fputs("checkers_load METHOD CHECKS PERIOD SECONDS [HANGING]\n", stderr);
        return 2;
    }
    const bool is_http = std::string(arguments[1]) == "http";
    const auto checks = static_cast<unsigned>(std::atoi(arguments[2]));
    const int period = std::atoi(arguments[3]);
    const int seconds = std::atoi(arguments[4]);
    const auto hanging = static_cast<unsigned>(count > 5 ? std::atoi(arguments[5]) : 0);
    enter_own_network();
    raise_file_limit();
    const pid_t server = start_server();

    asio::io_context io;
    NoScripts scripts;
    Watch watch;
    Runner runner(io, scripts, [&watch](const Report& report) { watch(report); });
    std::vector<CheckId> held;
    const auto acquire_all = [&](int changed) {
        std::vector<CheckId> ids;
        for (unsigned i = 0; i < checks; ++i) ids.push_back(runner.acquire(make_spec(i + (i == 0 ? static_cast<unsigned>(changed) * checks : 0), is_http, i < hanging, period)));
        return ids;
    };
    double processor_begin = processor_seconds();
    held = acquire_all(0);
    fmt::print("{} checks by {}, every {} s, {} of servers that hang; places {}\n", checks, arguments[1], period, hanging, RunnerLimits::of_this_process().most_running);
    fmt::print("load: {:.1f} ms of processor time, memory {}\n", 1000 * (processor_seconds() - processor_begin), memory());
    io.run_for(std::chrono::seconds(period + 2));
    const double processor_before = processor_seconds();
    const std::uint64_t made_before = runner.checks_made();
    const auto begin = Clock::now();
    io.run_for(std::chrono::seconds(seconds));
    const double elapsed = milliseconds_since(begin) / 1000;
    const std::uint64_t made = runner.checks_made() - made_before;
    const double processor = processor_seconds() - processor_before;
    fmt::print("{:.0f} checks a second, {:.1f} % of a processor, {:.1f} us a check, memory {}, running {}, waiting {}\n", static_cast<double>(made) / elapsed,
               100 * processor / elapsed, 1e6 * processor / static_cast<double>(made), memory(), runner.running(), runner.waiting());
    fmt::print("healthy: {} verdicts, {} false alarms, the slowest took {:.1f} ms; hanging: {} found\n", watch.good_verdicts, watch.false_alarms,
               std::chrono::duration<double, std::milli>(watch.slowest_good).count(), watch.found);
    processor_begin = processor_seconds();
    std::vector<CheckId> wanted = acquire_all(1);
    for (const CheckId id : held) runner.release(id);
    fmt::print("reload with one change: {:.1f} ms of processor time, {} checks\n", 1000 * (processor_seconds() - processor_begin), runner.size());
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    return 0;
}
