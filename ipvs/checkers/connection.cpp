#include "ipvs/checkers/connection.h"

#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

error_code last_error() { return {errno, boost::system::system_category()}; }

template <typename Value>
bool set_option(int fd, int level, int option, const Value& value) {
    return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

Verdict cannot(const std::string& what) { return undecided(fmt::format("{}: {}", what, last_error().message())); }

bool bind_socket(int fd, const CommonSpec& spec) {
    const IpAddress any{{}, spec.address.family};
    const tcp::endpoint own(endpoint_address(spec.bind_address.value_or(any), spec.bind_interface), spec.bind_port);
    return ::bind(fd, own.data(), static_cast<socklen_t>(own.size())) == 0;
}

}  // namespace

asio::ip::address endpoint_address(const IpAddress& address, const std::string& interface) {
    if (address.family == Family::ipv4) {
        asio::ip::address_v4::bytes_type octets{};
        std::copy_n(address.octets.begin(), octets.size(), octets.begin());
        return asio::ip::address_v4(octets);
    }
    asio::ip::address_v6::bytes_type octets{};
    std::copy_n(address.octets.begin(), octets.size(), octets.begin());
    const bool needs_scope = address.is_link_local() && !interface.empty();
    return asio::ip::address_v6(octets, needs_scope ? ::if_nametoindex(interface.c_str()) : 0);
}

std::optional<Verdict> prepare_socket(int fd, const CommonSpec& spec) {
    if (spec.mark != 0 && !set_option(fd, SOL_SOCKET, SO_MARK, spec.mark)) return cannot(fmt::format("cannot set mark {}", spec.mark));
    if (!spec.bind_interface.empty() &&
        ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec.bind_interface.c_str(), static_cast<socklen_t>(spec.bind_interface.size())) != 0)
        return errno == ENODEV ? failed(fmt::format("there is no interface {}", spec.bind_interface)) : cannot(fmt::format("cannot bind to interface {}", spec.bind_interface));
    if (!spec.bind_address && spec.bind_port == 0) return std::nullopt;
    // The port of the check before this one may still be in TIME_WAIT. Without a port of ours, the kernel chooses one at connect(), when it knows
    // the other end: 60,000 for each target instead of for all.
    if (spec.bind_port != 0) set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else set_option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (bind_socket(fd, spec)) return std::nullopt;
    return cannot(fmt::format("cannot bind to {}", host_and_port(spec.bind_address.value_or(IpAddress{{}, spec.address.family}), spec.bind_port)));
}

bool is_our_own_fault(const error_code& error) {
    if (error.category() != boost::system::system_category() && error.category() != asio::error::get_system_category()) return false;
    switch (error.value()) {
    case EMFILE: case ENFILE: case ENOBUFS: case ENOMEM: case EADDRNOTAVAIL: case EADDRINUSE: case EACCES: case EPERM: case EAFNOSUPPORT: case EAGAIN: return true;
    default: return false;
    }
}

Verdict verdict_of_connect(const CheckRun& run, const error_code& error) {
    if (run.has_timed_out()) return too_late(fmt::format("no connection within {}", run.limit_text()));
    if (is_our_own_fault(error)) return undecided(fmt::format("cannot connect: {}", error.message()));
    switch (error.value()) {
    case ECONNREFUSED: return failed("connection refused");
    case EHOSTUNREACH: return failed("no route to host");
    case ENETUNREACH: return failed("network unreachable");
    case ETIMEDOUT: return too_late("no connection: the kernel gave up");
    default: return failed(fmt::format("cannot connect: {}", error.message()));
    }
}

asio::awaitable<std::optional<Verdict>> connect(CheckRun& run, const CommonSpec& spec, tcp::socket& socket) {
    const tcp::endpoint target(endpoint_address(spec.address, spec.bind_interface), spec.port);
    error_code error;
    socket.open(target.protocol(), error);
    if (error) co_return verdict_of_connect(run, error);
    if (auto verdict = prepare_socket(socket.native_handle(), spec)) co_return verdict;
    // With a port of our own, TIME_WAIT would be in the way of the next check: an RST at the end leaves none.
    if (spec.bind_port != 0) socket.set_option(asio::socket_base::linger(true, 0), error);
    run.close_by([&socket] {
        error_code ignored;
        socket.close(ignored);
    });
    run.begin_step(spec.connect_timeout);
    co_await socket.async_connect(target, into(error));
    if (run.has_ended()) error = asio::error::operation_aborted;
    if (error) co_return verdict_of_connect(run, error);
    co_return std::nullopt;
}

std::optional<Verdict> connect(const CommonSpec& spec, udp::socket& socket) {
    const udp::endpoint target(endpoint_address(spec.address, spec.bind_interface), spec.port);
    error_code error;
    socket.open(target.protocol(), error);
    if (error) return undecided(fmt::format("cannot open a socket: {}", error.message()));
    if (auto verdict = prepare_socket(socket.native_handle(), spec)) return verdict;
    socket.connect(target, error);
    if (!error) return std::nullopt;
    if (is_our_own_fault(error)) return undecided(fmt::format("cannot connect: {}", error.message()));
    return failed(error.value() == ENETUNREACH ? "network unreachable" : fmt::format("cannot connect: {}", error.message()));
}

}  // namespace vigil::checkers
