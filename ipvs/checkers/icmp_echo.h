#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "packet/address.h"

namespace vigil::checkers {

/// By what an answer is known: what the request carries as data. Identifier and sequence will not do, the kernel may put its own.
using EchoToken = std::array<std::uint8_t, 16>;

/// An Echo Request (RFC 792, RFC 4443 §4.1). The checksum is set for IPv4; for IPv6 the kernel does it.
std::vector<std::uint8_t> write_echo_request(Family family, std::uint16_t identifier, const EchoToken& token);

/// True for an Echo Reply with our token. `datagram` may begin with an IPv4 header, as raw sockets give it.
bool is_echo_reply(Family family, std::span<const std::uint8_t> datagram, const EchoToken& token);

}  // namespace vigil::checkers
