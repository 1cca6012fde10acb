#include "ipvs/checkers/icmp_echo.h"

#include <algorithm>

#include "packet/checksum.h"

namespace vigil::checkers {
namespace {

constexpr std::size_t header_size = 8;
constexpr std::uint8_t request_type(Family family) { return family == Family::ipv4 ? 8 : 128; }
constexpr std::uint8_t reply_type(Family family) { return family == Family::ipv4 ? 0 : 129; }

/// Without the IPv4 header, if there is one: an ICMP message of interest never begins with 0x45 to 0x4f.
std::span<const std::uint8_t> without_ip_header(Family family, std::span<const std::uint8_t> datagram) {
    if (family != Family::ipv4 || datagram.empty() || datagram[0] >> 4 != 4) return datagram;
    const std::size_t size = (datagram[0] & 0x0fu) * 4u;
    return datagram.subspan(std::min(size, datagram.size()));
}

}  // namespace

std::vector<std::uint8_t> write_echo_request(Family family, std::uint16_t identifier, const EchoToken& token) {
    std::vector<std::uint8_t> message(header_size + token.size());
    message[0] = request_type(family);
    message[4] = static_cast<std::uint8_t>(identifier >> 8);
    message[5] = static_cast<std::uint8_t>(identifier & 0xff);
    message[7] = 1;   // sequence
    std::ranges::copy(token, message.begin() + header_size);
    if (family == Family::ipv4) {
        const std::uint16_t checksum = packet::finish_checksum(packet::add_words({}, message));
        message[2] = static_cast<std::uint8_t>(checksum >> 8);
        message[3] = static_cast<std::uint8_t>(checksum & 0xff);
    }
    return message;
}

bool is_echo_reply(Family family, std::span<const std::uint8_t> datagram, const EchoToken& token) {
    const auto message = without_ip_header(family, datagram);
    if (message.size() != header_size + token.size()) return false;
    return message[0] == reply_type(family) && message[1] == 0 && std::ranges::equal(message.subspan(header_size), token);
}

}  // namespace vigil::checkers
