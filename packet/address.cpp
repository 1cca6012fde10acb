#include "packet/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace vigil {

std::optional<IpAddress> read_address(std::string_view text) {
    // inet_pton wants a terminated string; the longest valid text is 45 characters.
    std::array<char, 64> buffer{};
    if (text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::copy(text.begin(), text.end(), buffer.begin());
    IpAddress address;
    if (inet_pton(AF_INET, buffer.data(), address.octets.data()) == 1) return address;
    address = {{}, Family::ipv6};
    if (inet_pton(AF_INET6, buffer.data(), address.octets.data()) == 1) return address;
    return std::nullopt;
}

std::string to_string(const IpAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    inet_ntop(address.family == Family::ipv4 ? AF_INET : AF_INET6, address.octets.data(), buffer.data(), buffer.size());
    return buffer.data();
}

std::optional<MacAddress> read_mac(std::string_view text) {
    MacAddress mac;
    if (text.size() != 17) return std::nullopt;
    for (std::size_t i = 0; i < mac.octets.size(); ++i) {
        const char* first = text.data() + 3 * i;
        const auto [end, error] = std::from_chars(first, first + 2, mac.octets[i], 16);
        if (error != std::errc{} || end != first + 2) return std::nullopt;
        if (i < 5 && first[2] != ':') return std::nullopt;
    }
    return mac;
}

std::string to_string(const MacAddress& mac) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t octet : mac.octets) {
        if (!text.empty()) text += ':';
        text += digits[octet >> 4];
        text += digits[octet & 0xf];
    }
    return text;
}

}  // namespace vigil
