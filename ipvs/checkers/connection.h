#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <optional>

#include "ipvs/checkers/check_run.h"

/// Sockets as CommonSpec wants them.
namespace vigil::checkers {

using asio::ip::tcp;
using asio::ip::udp;

/// With the scope of bind_interface for a link-local address.
asio::ip::address endpoint_address(const IpAddress& address, const std::string& interface);

/// Opens `socket` (a TCP, UDP or ICMP one whose fd is `fd`) for the target: mark, interface, own address and port. nullopt: done; otherwise why not.
std::optional<Verdict> prepare_socket(int fd, const CommonSpec& spec);

/// The verdict on an error of connect() or open(): the cause names it in few words; shortage of our own makes it undecided.
Verdict verdict_of_connect(const CheckRun& run, const error_code& error);
/// What failed for want of file descriptors, memory, ports or rights of ours tells nothing of the server.
bool is_our_own_fault(const error_code& error);

/// Connects. nullopt: `socket` is connected; otherwise the verdict. The limit of the step is connect_timeout.
asio::awaitable<std::optional<Verdict>> connect(CheckRun& run, const CommonSpec& spec, tcp::socket& socket);

/// The same for UDP, which asks nobody.
std::optional<Verdict> connect(const CommonSpec& spec, udp::socket& socket);

}  // namespace vigil::checkers
