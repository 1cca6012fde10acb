// The client with connections on the table, with tables of full size, and when answers are lost or the module goes away.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "tests/uml/ipvs_fixture.h"

namespace vigil::ipvs {
namespace {

using namespace test;

/// A TCP socket that waits 10 s at most.
class Socket {
public:
    explicit Socket(int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) : fd_(fd) {
        const timeval patience{10, 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { close(fd_); }

    bool listen_on(const char* where, std::uint16_t port) {
        const sockaddr_in name = name_of(where, port);
        return bind(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 && listen(fd_, 5) == 0;
    }
    int accept_one() { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
    /// errno, 0 when connected.
    int connect_to(const char* where, std::uint16_t port) {
        const sockaddr_in name = name_of(where, port);
        return connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
    }
    /// An octet from here to there and back.
    bool talks_to(Socket& other) { return other.hears(*this) && hears(other); }

private:
    static sockaddr_in name_of(const char* where, std::uint16_t port) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        inet_pton(AF_INET, where, &name.sin_addr);
        return name;
    }
    bool hears(Socket& other) {
        char octet = 'x';
        return send(other.fd_, &octet, 1, MSG_NOSIGNAL) == 1 && recv(fd_, &octet, 1, 0) == 1;
    }

    int fd_;
};

class IpvsTraffic : public IpvsKernel {
protected:
    void SetUp() override {
        IpvsKernel::SetUp();
        if (HasFatalFailure()) return;
        run("ip addr add 192.0.2.1/32 dev lo; ip addr add 10.0.0.1/32 dev lo");
        server_socket = std::make_unique<Socket>();  // now, because a socket stays in the namespace that it was made in
        client_socket = std::make_unique<Socket>();
        ASSERT_TRUE(server_socket->listen_on("10.0.0.1", 8080)) << errno;
    }

    void reopen() {
        auto opened = Client::open();
        ASSERT_TRUE(opened);
        client = std::make_unique<Client>(std::move(*opened));
    }

    std::unique_ptr<Socket> server_socket, client_socket;
};

TEST_F(IpvsTraffic, ARestartAndEveryChangeInPlaceLeaveConnectionsAlone) {
    Table table{{service("192.0.2.1", 80, "rr"), {server("10.0.0.1", 8080)}}};
    program(table);
    ASSERT_EQ(client_socket->connect_to("192.0.2.1", 80), 0);
    Socket accepted(server_socket->accept_one());
    ASSERT_TRUE(client_socket->talks_to(accepted));

    reopen();
    EXPECT_EQ(program(table).operation_count, 0u);
    EXPECT_TRUE(client_socket->talks_to(accepted));
    table[0].service.scheduler = "wlc";
    table[0].destinations[0].weight = 9;
    EXPECT_EQ(program(table).operation_count, 2u);
    EXPECT_TRUE(client_socket->talks_to(accepted));

    auto found = client->services();
    for (int i = 0; i < 200 && found && found->at(0).statistics.connections == 0; ++i) {
        usleep(100'000);  // the kernel adds up every two seconds
        found = client->services();
    }
    ASSERT_TRUE(found);
    EXPECT_EQ(found->at(0).statistics.connections, 1u);
    EXPECT_GE(found->at(0).statistics.incoming_packets, 3u);
    EXPECT_GE(found->at(0).statistics.incoming_bytes, 3u * 40);
    const auto destinations = client->destinations(table[0].service.key);
    ASSERT_TRUE(destinations);
    EXPECT_EQ(destinations->at(0).active_connections, 1u);
    EXPECT_EQ(destinations->at(0).statistics.connections, 1u);
    ASSERT_TRUE(client->zero(&table[0].service.key));
    EXPECT_EQ(client->services()->at(0).statistics.connections, 0u);
}

TEST_F(IpvsTraffic, ADrainedDestinationKeepsItsConnectionsAndGetsNoNewOnes) {
    const Table before{{service("192.0.2.1", 80, "rr"), {server("10.0.0.1", 8080)}}}, after{{service("192.0.2.1", 80, "rr"), {}}};
    program(before);
    ASSERT_EQ(client_socket->connect_to("192.0.2.1", 80), 0);
    Socket accepted(server_socket->accept_one());
    EXPECT_EQ(program(after, {.departing = Departure::drain}).operation_count, 1u);
    EXPECT_TRUE(client_socket->talks_to(accepted));
    Socket second;
    EXPECT_EQ(second.connect_to("192.0.2.1", 80), ECONNREFUSED);
}

Table large_table() {
    constexpr std::uint16_t services = 2'277, destinations = 37'205;
    Table table(services);
    for (std::uint16_t i = 0; i < services; ++i) {
        table[i].service.key = address_service(Protocol::tcp, ipv4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)), 80);
        table[i].service.scheduler = "rr";
    }
    for (std::uint16_t i = 0; i < destinations; ++i) {
        Destination one;
        one.key = {ipv4(10, 2, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)), 80};
        table[i % services].destinations.push_back(one);
    }
    return table;
}

double cpu_milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Prints what it cost; the verdict counts requests and system calls.
TEST_F(IpvsKernel, ALargeTableTakesFewSystemCallsAndAdoptingItWritesNothing) {
    Table table = large_table();
    const auto measured = [&](const char* what, std::size_t operations) {
        const double before = cpu_milliseconds();
        const auto calls_before = client->system_call_count();
        const Outcome outcome = program(table);
        EXPECT_EQ(refusals_of(outcome), "");
        EXPECT_EQ(outcome.operation_count, operations) << what;
        const auto calls = client->system_call_count() - calls_before;
        std::printf("%s: %zu requests, %llu system calls, %.0f ms of CPU\n", what, outcome.operation_count, static_cast<unsigned long long>(calls),
                    cpu_milliseconds() - before);
        return calls;
    };
    EXPECT_LT(measured("first programming", 2'277 + 37'205), 200u);
    EXPECT_LT(measured("adoption", 0), 10'000u);
    for (ServiceEntry& entry : table) entry.destinations.front().weight = 0;
    measured("a weight in each service", 2'277);
    EXPECT_EQ(client->unreadable_count(), 0u);
    const Changes none = compare_tables(table, *client->table());
    EXPECT_TRUE(none.operations.empty());
}

TEST_F(IpvsKernel, EachOfAThousandLostErrorsIsFound) {
    Table table{{service("192.0.2.1", 80, "rr"), {}}};
    program(table);
    for (std::uint16_t port = 1; port <= 1000; ++port) table[0].destinations.push_back(server("10.0.0.1", port));
    std::vector<Operation> operations;
    for (const Destination& one : table[0].destinations) operations.push_back({OperationKind::set_destination, &table[0].service, &one});
    ClientOptions narrow{.requests_per_send = 1000};
    narrow.socket.receive_buffer_bytes = 1;  // the least that the kernel gives: a few errors
    auto opened = Client::open(narrow);
    ASSERT_TRUE(opened);
    const Outcome outcome = opened->apply(operations);
    std::set<DestinationKey> refused;
    for (const Refusal& one : outcome.refusals) {
        EXPECT_EQ(one.error.error_number, ENOENT);
        refused.insert(one.destination);
    }
    EXPECT_EQ(outcome.refusals.size(), 1000u);
    EXPECT_EQ(refused.size(), 1000u);
    EXPECT_TRUE(outcome.is_stale);
    EXPECT_GT(opened->system_call_count(), 1000u);  // most were lost, and asked for again one by one
    // An addition whose silence could not be trusted is repeated; that it is there then is no failure.
    for (std::size_t i = 0; i < operations.size(); i += 2) operations[i].kind = OperationKind::new_destination;
    EXPECT_EQ(opened->apply(operations).refusals.size(), 500u);
    EXPECT_EQ(opened->table()->at(0).destinations.size(), 500u);
}

TEST_F(IpvsKernel, AModuleThatIsLoadedAnewIsFoundAgain) {
    const Table table{{service("192.0.2.1", 80, "rr"), {server("10.0.0.1", 80)}}};
    program(table);
    ASSERT_TRUE(client->flush());
    auto asker = Client::open();
    ASSERT_TRUE(asker);
    const std::string modules = run("ls /sys/module | grep ^ip_vs_ | tr '\\n' ' '");
    // Namespaces of earlier tests go in the kernel's own time.
    std::string failed = "not tried";
    for (int i = 0; i < 100 && !failed.empty(); ++i) {
        failed = run("for module in " + modules + " ip_vs; do [ ! -e /sys/module/$module ] || rmmod $module; done");
        if (!failed.empty()) usleep(100'000);
    }
    ASSERT_EQ(failed, "");
    const auto without = client->table();
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().error_number, ENOENT);
    const auto opened = Client::open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(netlink::to_string(opened.error()),
              "No such file or directory (2): no IPVS in this kernel: module ip_vs is missing, or cannot be loaded from here (modprobe ip_vs)");
    ASSERT_EQ(run("modprobe -d /run/vigil-modules -a ip_vs " + modules), "");
    EXPECT_TRUE(asker->table()) << "a question";
    const Changes changes = compare_tables(table, {});
    EXPECT_TRUE(client->apply(changes.operations).is_stale) << "a change";
    expect_programmed(table);
    expect_read_back(table);
}

}  // namespace
}  // namespace vigil::ipvs
