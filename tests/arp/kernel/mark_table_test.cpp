#include "arp/kernel/mark_table.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "tests/arp/kernel/nftables_listing.h"
#include "tests/arp/kernel/two_hosts.h"

#ifndef SO_RCVMARK
#define SO_RCVMARK 75   // since Linux 5.19
#endif

namespace vigil::arp::kernel {
namespace {

constexpr std::uint8_t udp = IPPROTO_UDP;
constexpr int patience_ms = 5000;
const IpAddress router_ip6 = *read_address("2001:db8::1");

/// A UDP socket of the router's that says which mark a datagram came with.
class Witness {
public:
    Witness(const IpAddress& address, std::uint16_t port) : is_ipv4_(address.family == Family::ipv4), fd_(::socket(is_ipv4_ ? AF_INET : AF_INET6, SOCK_DGRAM, 0)) {
        auto* four = reinterpret_cast<sockaddr_in*>(&place_);
        auto* six = reinterpret_cast<sockaddr_in6*>(&place_);
        place_.ss_family = is_ipv4_ ? AF_INET : AF_INET6;
        (is_ipv4_ ? four->sin_port : six->sin6_port) = htons(port);
        std::memcpy(is_ipv4_ ? static_cast<void*>(&four->sin_addr) : &six->sin6_addr, address.octets.data(), address.size());
        EXPECT_EQ(::bind(fd_, place(), size()), 0) << strerror(errno);
        const int on = 1;
        can_see_ = ::setsockopt(fd_, SOL_SOCKET, SO_RCVMARK, &on, sizeof on) == 0;
    }
    ~Witness() { ::close(fd_); }
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

    bool can_see() const { return can_see_; }
    const sockaddr* place() const { return reinterpret_cast<const sockaddr*>(&place_); }
    socklen_t size() const { return is_ipv4_ ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
    int new_client() const { return ::socket(is_ipv4_ ? AF_INET : AF_INET6, SOCK_DGRAM, 0); }

    /// Of the next datagram; nothing when none comes.
    std::optional<std::uint32_t> next_mark() const {
        pollfd ready{fd_, POLLIN, 0};
        if (::poll(&ready, 1, patience_ms) != 1) return std::nullopt;
        std::array<char, 64> text{};
        alignas(cmsghdr) std::array<char, 128> beside{};
        iovec part{text.data(), text.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = beside.data();
        header.msg_controllen = beside.size();
        if (::recvmsg(fd_, &header, 0) < 0) return std::nullopt;
        for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
            if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SO_MARK) continue;
            std::uint32_t mark = 0;
            std::memcpy(&mark, CMSG_DATA(one), sizeof mark);
            return mark;
        }
        return 0;
    }

private:
    bool is_ipv4_;
    int fd_;
    bool can_see_ = false;
    sockaddr_storage place_{};
};

class MarkTableTest : public test::TwoHosts {
protected:
    void SetUp() override {
        TwoHosts::SetUp();
        add_router_address(router_ip6, 64);
        add_host_address(*read_address("2001:db8::100"), 64);
        table_ = open();
        const auto built = table_->set({}, {});
        if (!built && built.error().error_number == EOPNOTSUPP) GTEST_SKIP() << "nftables tables have no owners here (Linux 5.12)";
        ASSERT_TRUE(built) << to_string(built.error());
        if (!Witness(router_ip, 4999).can_see()) GTEST_SKIP() << "SO_RCVMARK is not known here (Linux 5.19)";
    }
    static MarkTable open() {
        auto opened = MarkTable::open();
        EXPECT_TRUE(opened) << to_string(opened.error());
        return std::move(*opened);
    }
    void set(const MarkedPlaces& places, const MarkTableShape& shape = {}) {
        const auto done = table_->set(shape, places);
        EXPECT_TRUE(done) << to_string(done.error());
    }
    /// Which mark a datagram of the other host has when it has come in.
    std::optional<std::uint32_t> mark_of(const IpAddress& address, std::uint16_t port) {
        const Witness witness(address, port);
        int client = -1;
        on_host([&] { client = witness.new_client(); });
        EXPECT_EQ(::sendto(client, "x", 1, 0, witness.place(), witness.size()), 1) << strerror(errno);
        ::close(client);
        return witness.next_mark();
    }

    std::optional<MarkTable> table_;
};

TEST_F(MarkTableTest, PacketsToAPlaceHaveItsMark) {
    set({{{router_ip, udp, 5000}, 1000}, {{router_ip6, udp, 5000}, 1001}});
    EXPECT_EQ(mark_of(router_ip, 5000), 1000u);
    EXPECT_EQ(mark_of(router_ip6, 5000), 1001u);
    EXPECT_EQ(mark_of(router_ip, 5001), 0u) << "another port";
    set({{{router_ip, IPPROTO_TCP, 5000}, 1000}});
    EXPECT_EQ(mark_of(router_ip, 5000), 0u) << "another protocol";
}

TEST_F(MarkTableTest, APortOfItsOwnGoesBeforeEveryPort) {
    set({{{router_ip, udp, 0}, 7}, {{router_ip, udp, 5000}, 8}, {{router_ip6, udp, 0}, 9}});
    EXPECT_EQ(mark_of(router_ip, 5000), 8u);
    EXPECT_EQ(mark_of(router_ip, 5001), 7u);
    EXPECT_EQ(mark_of(router_ip6, 5000), 9u);
}

TEST_F(MarkTableTest, AChangeIsADifference) {
    set({{{router_ip, udp, 5000}, 1}, {{router_ip, udp, 5001}, 2}, {{router_ip, udp, 5002}, 3}});
    set({{{router_ip, udp, 5000}, 1}, {{router_ip, udp, 5001}, 4}, {{router_ip, udp, 5003}, 5}});
    EXPECT_EQ(mark_of(router_ip, 5000), 1u);
    EXPECT_EQ(mark_of(router_ip, 5001), 4u);
    EXPECT_EQ(mark_of(router_ip, 5002), 0u);
    EXPECT_EQ(mark_of(router_ip, 5003), 5u);
}

TEST_F(MarkTableTest, ManyPlacesAreSetAtOnce) {
    MarkedPlaces places;
    for (std::uint32_t i = 0; i < 65'536; ++i) places.emplace(MarkedPlace{ipv4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)), udp, 80}, 1000);
    places.emplace(MarkedPlace{router_ip, udp, 5000}, 1001);
    set(places);
    EXPECT_EQ(mark_of(router_ip, 5000), 1001u);
}

TEST_F(MarkTableTest, ANameThatIsTakenGetsANumber) {
    MarkTable other = open();
    ASSERT_TRUE(other.set({}, {{{router_ip, udp, 5000}, 1}}));
    EXPECT_NE(other.table(), table_->table());
    EXPECT_TRUE(other.clear());
    EXPECT_EQ(test::list_tables(), std::vector<std::string>{"keepalived_ipvs"});
}

TEST_F(MarkTableTest, AnotherNameTakesTheOldOnesPlaceAndNothingStaysBehind) {
    set({{{router_ip, udp, 5000}, 1}}, {.table = "mine", .priority = -10});
    EXPECT_EQ(test::list_tables(), std::vector<std::string>{"mine"});
    test::flush_ruleset();
    EXPECT_EQ(mark_of(router_ip, 5000), 1u) << "the table has an owner";
    table_.reset();
    EXPECT_TRUE(test::list_tables().empty());
}

}  // namespace
}  // namespace vigil::arp::kernel
