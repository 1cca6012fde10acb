#include "ipvs/checkers/reply_match.h"

#include <algorithm>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

struct Nibble {
    std::uint8_t value = 0;
    std::uint8_t mask = 0xf;
};

std::optional<Nibble> read_nibble(char character) {
    if (character >= '0' && character <= '9') return Nibble{static_cast<std::uint8_t>(character - '0')};
    if (character >= 'a' && character <= 'f') return Nibble{static_cast<std::uint8_t>(character - 'a' + 10)};
    if (character >= 'A' && character <= 'F') return Nibble{static_cast<std::uint8_t>(character - 'A' + 10)};
    if (character == 'x' || character == 'X') return Nibble{0, 0};
    return std::nullopt;
}

}  // namespace

std::optional<std::string> complaint_about(std::span<const std::uint8_t> reply, const UdpSpec& spec) {
    if (reply.size() < spec.min_reply_length) return fmt::format("reply of {} octets where at least {} are expected", reply.size(), spec.min_reply_length);
    if (reply.size() > spec.max_reply_length) return fmt::format("reply of more than {} octets", spec.max_reply_length);
    if (reply.size() < spec.reply.size()) return fmt::format("reply of {} octets where it must begin with {}", reply.size(), spec.reply.size());
    for (std::size_t i = 0; i < spec.reply.size(); ++i)
        if ((reply[i] & spec.reply[i].mask) != spec.reply[i].value) return fmt::format("reply differs at octet {}: {:02x}", i, reply[i]);
    return std::nullopt;
}

std::optional<std::vector<MaskedOctet>> read_masked_octets(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<MaskedOctet> octets;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = read_nibble(text[i]);
        const auto low = read_nibble(text[i + 1]);
        if (!high || !low) return std::nullopt;
        octets.push_back({static_cast<std::uint8_t>(high->value << 4 | low->value), static_cast<std::uint8_t>(high->mask << 4 | low->mask)});
    }
    return octets;
}

std::optional<std::vector<std::uint8_t>> read_octets(std::string_view text) {
    const auto masked = read_masked_octets(text);
    if (!masked || std::ranges::any_of(*masked, [](const MaskedOctet& octet) { return octet.mask != 0xff; })) return std::nullopt;
    std::vector<std::uint8_t> octets;
    for (const MaskedOctet& octet : *masked) octets.push_back(octet.value);
    return octets;
}

}  // namespace vigil::checkers
