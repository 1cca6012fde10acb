// The kernel has sockets for ping that need no rights, but only for groups in net.ipv4.ping_group_range, which is empty by default, even for root. A raw socket
// needs CAP_NET_RAW, which a daemon that does VRRP has. So the first is tried, then the second, and no sysctl is touched. A raw socket hears all
// that the server sends, of which the token in the data picks our answer.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/icmp.hpp>
#include <linux/icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "ipvs/checkers/check.h"
#include "ipvs/checkers/connection.h"
#include "ipvs/checkers/icmp_echo.h"

namespace vigil::checkers {
namespace {

using asio::ip::icmp;

constexpr int most_strangers = 10'000;   // a raw socket hears what others ask the same server

error_code last_error() { return {errno, boost::system::system_category()}; }

/// Hear Echo Replies only. Options of raw sockets: in vain, and without harm, on the others.
void filter_replies(int fd, Family family) {
    if (family != Family::ipv4) return;
    const icmp_filter filter{~(1u << ICMP_ECHOREPLY)};
    ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
}

std::optional<Verdict> open_socket(const CommonSpec& common, icmp::socket& socket) {
    const bool is_ipv4 = common.address.family == Family::ipv4;
    const int family = is_ipv4 ? AF_INET : AF_INET6;
    const int protocol = is_ipv4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) fd = ::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0) return undecided(fmt::format("cannot open a socket for ping: {}", last_error().message()));
    error_code error;
    socket.assign(is_ipv4 ? icmp::v4() : icmp::v6(), fd, error);
    if (error) {
        ::close(fd);
        return undecided(fmt::format("cannot open a socket for ping: {}", error.message()));
    }
    filter_replies(fd, common.address.family);
    CommonSpec without_port = common;
    without_port.bind_port = 0;
    if (auto verdict = prepare_socket(fd, without_port)) return verdict;
    socket.connect(icmp::endpoint(endpoint_address(common.address, common.bind_interface), 0), error);
    if (!error) return std::nullopt;
    if (is_our_own_fault(error)) return undecided(fmt::format("cannot connect: {}", error.message()));
    return failed(error.value() == ENETUNREACH ? "network unreachable" : error.message());
}

EchoToken make_token(Resources& resources) {
    EchoToken token{};
    for (std::uint8_t& octet : token) octet = static_cast<std::uint8_t>(resources.random());
    return token;
}

}  // namespace

asio::awaitable<Verdict> check_ping(CheckRun& run, Resources& resources, const CommonSpec& common) {
    icmp::socket socket(run.executor());
    CloserGuard guard(run);
    if (auto verdict = open_socket(common, socket)) co_return std::move(*verdict);
    run.close_by([&socket] {
        error_code ignored;
        socket.close(ignored);
    });
    run.begin(common.connect_timeout);
    const EchoToken token = make_token(resources);
    const auto request = write_echo_request(common.address.family, static_cast<std::uint16_t>(resources.random()), token);
    error_code error;
    socket.send(asio::buffer(request), 0, error);
    if (error && is_our_own_fault(error)) co_return undecided(fmt::format("cannot send: {}", error.message()));
    std::array<std::uint8_t, 256> datagram;
    for (int strangers = 0; strangers < most_strangers && !error; ++strangers) {
        const std::size_t size = co_await socket.async_receive(asio::buffer(datagram), into(error));
        if (run.has_ended()) error = asio::error::operation_aborted;
        if (!error && is_echo_reply(common.address.family, {datagram.data(), size}, token)) co_return Verdict{};
    }
    if (run.has_timed_out()) co_return too_late(fmt::format("no answer within {}", run.limit_text()));
    if (error.value() == EHOSTUNREACH) co_return failed("no route to host");
    co_return failed(error ? error.message() : "answers to others only");
}

}  // namespace vigil::checkers
