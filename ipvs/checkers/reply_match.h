#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ipvs/checkers/check_spec.h"

namespace vigil::checkers {

/// What is wrong with a datagram as an answer to UDP_CHECK: "reply of 3 octets where at least 4 are expected". nullopt: nothing.
std::optional<std::string> complaint_about(std::span<const std::uint8_t> reply, const UdpSpec& spec);

/// Pairs of hexadecimal digits, "0aff"; `x` is a digit that may be anything. nullopt when it is none.
std::optional<std::vector<MaskedOctet>> read_masked_octets(std::string_view text);
/// Without `x`.
std::optional<std::vector<std::uint8_t>> read_octets(std::string_view text);

}  // namespace vigil::checkers
