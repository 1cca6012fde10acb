// Checks of one datagram and its answer. The socket is connected, so that the kernel lets in only what the server sends and hands on the ICMP errors that our
// datagram met: "connection refused" is an answer, too. A datagram that answers something else is passed over, but not without end.

#include <boost/asio/buffer.hpp>

#include <array>

#include <fmt/format.h>

#include "ipvs/checkers/check.h"
#include "ipvs/checkers/connection.h"
#include "ipvs/checkers/dns_message.h"
#include "ipvs/checkers/reply_match.h"

namespace vigil::checkers {
namespace {

constexpr std::size_t largest_reply = 65536;
constexpr int most_strangers = 100;
/// What a UDP service gets that was given no payload: not valid in any protocol that we know of, and short.
constexpr std::array<std::uint8_t, 16> filler{};

/// Sends `payload`. nullopt: done.
std::optional<Verdict> send(udp::socket& socket, std::span<const std::uint8_t> payload) {
    error_code error;
    socket.non_blocking(true, error);
    socket.send(asio::buffer(payload.data(), payload.size()), 0, error);
    if (!error) return std::nullopt;
    if (is_our_own_fault(error)) return undecided(fmt::format("cannot send: {}", error.message()));
    return failed(error.value() == ECONNREFUSED ? "port unreachable" : fmt::format("cannot send: {}", error.message()));
}

Verdict verdict_of_receive(const CheckRun& run, const error_code& error) {
    if (run.has_timed_out()) return too_late(fmt::format("no answer within {}", run.limit_text()));
    if (error.value() == ECONNREFUSED) return failed("port unreachable");
    return failed(error.message());
}

void close_by(CheckRun& run, udp::socket& socket) {
    run.close_by([&socket] {
        error_code ignored;
        socket.close(ignored);
    });
}

}  // namespace

asio::awaitable<Verdict> check_dns(CheckRun& run, Resources& resources, const CommonSpec& common, const DnsSpec& dns) {
    const auto query = write_dns_query(static_cast<std::uint16_t>(resources.random()), dns.name, dns.type);
    udp::socket socket(run.executor());
    CloserGuard guard(run);
    if (auto verdict = connect(common, socket)) co_return std::move(*verdict);
    close_by(run, socket);
    run.begin(common.connect_timeout);
    if (auto verdict = send(socket, query)) co_return std::move(*verdict);
    std::array<std::uint8_t, 1024> datagram;   // the question is within; the rest is not looked at
    for (int strangers = 0; strangers < most_strangers; ++strangers) {
        error_code error;
        const std::size_t size = co_await socket.async_receive(asio::buffer(datagram), into(error));
        if (run.has_ended()) error = asio::error::operation_aborted;
        if (error) co_return verdict_of_receive(run, error);
        DnsReply reply = read_dns_reply({datagram.data(), size}, query);
        if (reply.kind == DnsReply::Kind::ok) co_return Verdict{};
        if (reply.kind != DnsReply::Kind::stranger) co_return failed(std::move(reply.cause));
    }
    co_return failed(fmt::format("{} answers to other queries", most_strangers));
}

asio::awaitable<Verdict> check_udp(CheckRun& run, const CommonSpec& common, const UdpSpec& udp_spec) {
    udp::socket socket(run.executor());
    CloserGuard guard(run);
    if (auto verdict = connect(common, socket)) co_return std::move(*verdict);
    close_by(run, socket);
    run.begin(common.connect_timeout);
    if (auto verdict = send(socket, udp_spec.payload.empty() ? std::span<const std::uint8_t>(filler) : udp_spec.payload)) co_return std::move(*verdict);
    // One octet more than may come, to see that more came.
    std::vector<std::uint8_t> datagram(std::min<std::size_t>(largest_reply, udp_spec.max_reply_length + std::size_t{1}));
    error_code error;
    const std::size_t size = co_await socket.async_receive(asio::buffer(datagram), into(error));
    if (run.has_timed_out() && !udp_spec.require_reply) co_return Verdict{};   // nobody said that it is not there
    if (run.has_ended()) error = asio::error::operation_aborted;
    if (error) co_return verdict_of_receive(run, error);
    if (!udp_spec.require_reply) co_return Verdict{};
    if (auto complaint = complaint_about({datagram.data(), size}, udp_spec)) co_return failed(std::move(*complaint));
    co_return Verdict{};
}

}  // namespace vigil::checkers
