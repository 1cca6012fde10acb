#include "ipvs/checkers/runner.h"

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <map>

using namespace vigil;
using namespace vigil::checkers;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

struct NoScripts : ScriptStarter {
    tl::expected<pid_t, std::string> start(const MiscSpec&) override { return tl::unexpected(std::string("not in this test")); }
};

/// Listens on a port of 127.0.0.1 and takes connections, or lets them hang.
class Server {
public:
    explicit Server(asio::io_context& io) : acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {}
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    void close() { acceptor_.close(); }
    /// Otherwise connections wait in its queue, until that is full.
    void take_all() {
        acceptor_.async_accept([this](const error_code& error, tcp::socket) {
            if (!error) take_all();
        });
    }

private:
    tcp::acceptor acceptor_;
};

/// Answers nothing: HTTP_GET hangs there until its timeout.
CheckSpec http(std::uint16_t port) {
    CheckSpec spec;
    spec.common.address = ipv4(127, 0, 0, 1);
    spec.common.port = port;
    spec.common.warmup = 0s;
    spec.common.delay_loop = 1ms;
    spec.common.delay_before_retry = 1ms;
    spec.common.connect_timeout = 300ms;
    spec.method = HttpSpec{.urls = {UrlSpec{}}};
    return spec;
}

CheckSpec tcp_check(std::uint16_t port) {
    CheckSpec spec = http(port);
    spec.method = TcpSpec{};
    return spec;
}

struct RunnerTest : testing::Test {
    asio::io_context io;
    NoScripts scripts;
    std::vector<std::pair<CheckId, Transition>> transitions;
    std::map<CheckId, int> reports;
    std::map<CheckId, std::string> causes;
    std::function<void(const Report&)> on_report;
    std::optional<Runner> runner;

    Runner& start(RunnerLimits limits = {16, 4}) {
        return runner.emplace(
            io, scripts,
            [this](const Report& report) {
                ++reports[report.id];
                causes[report.id] = report.verdict.cause;
                if (report.transition != Transition::none) transitions.emplace_back(report.id, report.transition);
                if (on_report) on_report(report);
            },
            limits);
    }
    /// Until `condition`, which is the test's verdict: the patience is for machines that are busy.
    bool run_until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!condition() && std::chrono::steady_clock::now() < end) {
            io.restart();   // without any check it has nothing to do
            io.run_for(10ms);
        }
        return condition();
    }
};

}  // namespace

TEST_F(RunnerTest, ChecksAgainAndAgainAndTellsOfDownAndUp) {
    Server server(io);
    const std::uint16_t port = server.port();
    start();
    const CheckId id = runner->acquire(tcp_check(port));
    ASSERT_TRUE(run_until([&] { return reports[id] >= 3; }));
    EXPECT_TRUE(transitions.empty());
    server.close();
    ASSERT_TRUE(run_until([&] { return !transitions.empty(); }));
    EXPECT_EQ(transitions.front().second, Transition::went_down);
    EXPECT_EQ(causes[id], "connection refused");
    EXPECT_FALSE(runner->state(id).is_up);
    EXPECT_EQ(runner->last_cause(id), "connection refused");
    tcp::acceptor again(io, {asio::ip::address_v4::loopback(), port});
    ASSERT_TRUE(run_until([&] { return transitions.size() == 2; }));
    EXPECT_EQ(transitions.back().second, Transition::went_up);
}

TEST_F(RunnerTest, EqualChecksAreOne) {
    Server server(io);
    start();
    const CheckId first = runner->acquire(tcp_check(server.port()));
    const CheckId second = runner->acquire(tcp_check(server.port()));
    CheckSpec other = tcp_check(server.port());
    other.common.retry = 9;
    const CheckId third = runner->acquire(other);
    EXPECT_EQ(first, second);
    EXPECT_NE(first, third);
    EXPECT_EQ(runner->size(), 2u);
    runner->release(first);
    EXPECT_EQ(runner->size(), 2u);
    runner->release(second);
    EXPECT_EQ(runner->size(), 1u);
}

TEST_F(RunnerTest, AReloadKeepsTheStateOfWhatStays) {
    start();
    const CheckSpec spec = tcp_check(1);
    const CheckId id = runner->acquire(spec);
    ASSERT_TRUE(run_until([&] { return !runner->state(id).is_up; }));
    const CheckId kept = runner->acquire(spec);   // all that is wanted, then
    runner->release(id);                          // all that was
    EXPECT_EQ(kept, id);
    EXPECT_FALSE(runner->state(kept).is_up);
    EXPECT_TRUE(runner->state(kept).has_verdict);
}

TEST_F(RunnerTest, AReleasedCheckEndsAtOnceAndIsNotTold) {
    Server server(io);
    start();
    CheckSpec spec = http(server.port());
    spec.common.connect_timeout = 1h;
    const CheckId id = runner->acquire(spec);
    ASSERT_TRUE(run_until([&] { return runner->running() == 1; }));
    runner->release(id);
    ASSERT_TRUE(run_until([&] { return runner->running() == 0; }));
    EXPECT_EQ(reports[id], 0);
}

TEST_F(RunnerTest, TheRunnerMayEndBeforeItsChecks) {
    Server server(io);
    start();
    CheckSpec spec = http(server.port());
    spec.common.connect_timeout = 1h;
    runner->acquire(spec);
    ASSERT_TRUE(run_until([&] { return runner->running() == 1; }));
    runner.reset();
    server.close();
    io.restart();
    io.run();   // returns: nothing waits for an hour
    EXPECT_TRUE(reports.empty());
}

TEST_F(RunnerTest, ServersThatHangCostTheOthersNothing) {
    Server hanging(io);
    Server healthy(io);
    start({8, 1});
    // As many hang as there are places, and more; each holds its place for an hour. They come first.
    for (unsigned i = 0; i < 20; ++i) {
        CheckSpec spec = http(hanging.port());
        spec.common.mark = 0;
        spec.common.retry = i;   // makes them distinct
        runner->acquire(spec);
    }
    ASSERT_TRUE(run_until([&] { return reports.size() == 20; }));   // by now it is known which they are
    const CheckId id = runner->acquire(tcp_check(healthy.port()));
    ASSERT_TRUE(run_until([&] { return reports[id] > 0; }));
    const int before = reports[id];
    const std::uint64_t all_before = runner->checks_made();
    ASSERT_TRUE(run_until([&] { return runner->checks_made() > all_before + 100; }));
    // The hanging make 4 checks in 300 ms at most; what is beyond that is the healthy one's.
    EXPECT_GT(reports[id], before + 50);
    EXPECT_LE(runner->running(), 8u);
}

TEST_F(RunnerTest, ServersThatHangAreFoundOutThoughTheOthersAreTooMany) {
    Server hanging(io);
    Server healthy(io);
    healthy.take_all();
    start({8, 1});
    for (unsigned i = 0; i < 3000; ++i) {   // always due
        CheckSpec spec = tcp_check(healthy.port());
        spec.common.retry = i;
        runner->acquire(spec);
    }
    CheckSpec spec = http(hanging.port());
    spec.common.connect_timeout = 20ms;
    const CheckId id = runner->acquire(spec);
    ASSERT_TRUE(run_until([&] { return reports[id] >= 3 || runner->checks_made() > 30'000; }));
    EXPECT_GE(reports[id], 3);   // the first does not know yet that it hangs
    EXPECT_GT(runner->waiting(), 0u);
}

TEST_F(RunnerTest, PlacesAreLimited) {
    Server hanging(io);
    start({3, 1});
    for (unsigned i = 0; i < 10; ++i) {
        CheckSpec spec = http(hanging.port());
        spec.common.retry = i;
        spec.common.connect_timeout = 1h;
        runner->acquire(spec);
    }
    ASSERT_TRUE(run_until([&] { return runner->waiting() == 7; }));
    EXPECT_EQ(runner->running(), 3u);
}

TEST_F(RunnerTest, ADoubtedCheckIsDownUntilItSucceedsAndDoesNotWaitForItsWarmup) {
    Server server(io);
    start();
    CheckSpec spec = tcp_check(server.port());
    spec.common.warmup = std::chrono::hours{1000};
    const CheckId id = runner->acquire(spec);
    EXPECT_TRUE(runner->state(id).is_up);
    runner->doubt(id);
    EXPECT_FALSE(runner->state(id).is_up);
    ASSERT_TRUE(run_until([&] { return !transitions.empty(); }));
    EXPECT_EQ(transitions.front().second, Transition::went_up);
    runner->doubt(id);
    EXPECT_TRUE(runner->state(id).is_up);   // it knows better by now
}

TEST_F(RunnerTest, ASuspendedCheckIsNotMade) {
    Server server(io);
    start();
    const CheckId id = runner->acquire(tcp_check(server.port()));
    ASSERT_TRUE(run_until([&] { return reports[id] > 0; }));
    runner->suspend(id);
    const int before = reports[id];
    const CheckId other = runner->acquire(tcp_check(1));
    ASSERT_TRUE(run_until([&] { return reports[other] > 20; }));
    EXPECT_EQ(reports[id], before);
    runner->resume(id);
    EXPECT_TRUE(run_until([&] { return reports[id] > before; }));
}

TEST_F(RunnerTest, ExternalVerdictsAreFinalAndShared) {
    start();
    CheckSpec spec;
    spec.common.retry = 0;
    spec.method = ExternalSpec{"BFD_CHECK peer"};
    const CheckId id = runner->acquire(spec);
    EXPECT_EQ(runner->acquire(spec), id);
    runner->tell(id, Verdict{});
    EXPECT_TRUE(transitions.empty());
    runner->tell(id, failed("the session is down"));
    ASSERT_EQ(transitions.size(), 1u);
    EXPECT_EQ(transitions[0].second, Transition::went_down);
    EXPECT_FALSE(runner->state(id).is_up);
}

TEST_F(RunnerTest, AReportMayReleaseItsCheck) {
    start();
    const CheckId id = runner->acquire(tcp_check(1));
    on_report = [&](const Report& report) {
        if (report.id == id) runner->release(id);
    };
    ASSERT_TRUE(run_until([&] { return runner->size() == 0; }));
    on_report = nullptr;
    const CheckId next = runner->acquire(tcp_check(2));
    EXPECT_TRUE(run_until([&] { return reports[next] > 1; }));
}
