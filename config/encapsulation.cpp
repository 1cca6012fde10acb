/// `encap` of a route or a nexthop: a kind, then words of that kind for as long as there are any. The first other word goes on with the route.

#include <charconv>

#include "config/object_line.h"

namespace vigil::config {

namespace {

constexpr std::uint32_t most_label = (1u << 20) - 1;
constexpr std::size_t most_labels = 8;

/// "100/200": nullopt when it is no stack of MPLS labels.
std::optional<std::vector<std::uint32_t>> read_labels(std::string_view word) {
    std::vector<std::uint32_t> labels;
    while (true) {
        const std::size_t slash = word.find('/');
        const auto label = read_number(word.substr(0, slash));
        if (!label || label->has_trailing || label->value < 0 || label->value > most_label || labels.size() == most_labels) return std::nullopt;
        labels.push_back(static_cast<std::uint32_t>(label->value));
        if (slash == std::string_view::npos) return labels;
        word.remove_prefix(slash + 1);
    }
}

/// Four groups of hexadecimal digits: "2001:db8:0:1".
std::optional<std::uint64_t> read_locator(std::string_view word) {
    std::uint64_t locator = 0;
    for (int group = 0; group < 4; ++group) {
        const std::size_t colon = word.find(':');
        if ((colon == std::string_view::npos) != (group == 3)) return std::nullopt;
        const std::string_view digits = word.substr(0, colon);
        std::uint16_t value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
        locator = locator << 16 | value;
        if (colon != std::string_view::npos) word.remove_prefix(colon + 1);
    }
    return locator;
}

}  // namespace

bool ObjectLine::read_encapsulation(Encapsulation& encapsulation) {
    const auto kind = value_of("encap");
    if (!kind) return false;
    if (encapsulation.kind != EncapsulationKind::none) return drop(*kind, "'encap' is given twice");
    if (*kind == "mpls") return read_mpls(encapsulation);
    if (*kind == "ila") {
        const auto word = value_of(*kind);
        if (!word) return false;
        const auto locator = read_locator(*word);
        if (!locator) return drop(*word, in_quotes(*word) + " is no locator", "four groups of hexadecimal digits, like 2001:db8:0:1");
        encapsulation.kind = EncapsulationKind::ila;
        encapsulation.id = *locator;
        return true;
    }
    if (*kind != "ip" && *kind != "ip6") return drop(*kind, "'encap' knows ip, ip6, mpls and ila, not " + in_quotes(*kind));
    encapsulation.kind = *kind == "ip" ? EncapsulationKind::ip : EncapsulationKind::ip6;
    while (!is_at_end()) {
        const auto is_read = read_tunnel_word(encapsulation);
        if (!is_read) return false;
        if (!*is_read) break;
    }
    return encapsulation.destination.has_value() || drop(*kind, "an encapsulation needs 'dst', the other end of the tunnel");
}

bool ObjectLine::read_mpls(Encapsulation& encapsulation) {
    const auto word = value_of("mpls");
    if (!word) return false;
    const auto labels = read_labels(*word);
    if (!labels) return drop(*word, in_quotes(*word) + " is no stack of MPLS labels", "numbers below 1048576 with slashes between them, like 100/200");
    encapsulation.kind = EncapsulationKind::mpls;
    encapsulation.labels = *labels;
    if (!take_if("ttl")) return true;
    const auto ttl = number_of("ttl", 0, 255);
    if (ttl) encapsulation.ttl = static_cast<std::uint8_t>(*ttl);
    return ttl.has_value();
}

std::optional<bool> ObjectLine::read_tunnel_word(Encapsulation& encapsulation) {
    const bool is_ip = encapsulation.kind == EncapsulationKind::ip;
    const std::string_view word = peek();
    const auto answer = [](bool is_good) { return is_good ? std::optional(true) : std::nullopt; };
    const auto small = [&](std::optional<std::uint8_t>& target, const std::optional<std::uint32_t>& number) {
        if (number) target = static_cast<std::uint8_t>(*number);
        return answer(number.has_value());
    };
    if (word == "id") {
        take();
        const auto text = value_of(word);
        const auto number = text ? read_based_number(*text) : std::nullopt;
        if (!number || *number < 0) return text ? answer(drop(*text, "'id' expects a number, not " + in_quotes(*text))) : std::nullopt;
        encapsulation.id = static_cast<std::uint64_t>(*number);
        return true;
    }
    if (word == "dst" || word == "src") {
        take();
        const auto address = address_of(word);
        if (!address) return std::nullopt;
        if ((address->family == Family::ipv4) != is_ip) return answer(drop(item_.word(next_ - 1), "the ends of the tunnel have the family of its kind"));
        (word == "dst" ? encapsulation.destination : encapsulation.source) = *address;
        return true;
    }
    if (word == (is_ip ? "tos" : "tc")) {
        take();
        return small(encapsulation.tos, name_of(word, NameKind::dsfield));
    }
    if (word == (is_ip ? "ttl" : "hoplimit")) {
        take();
        return small(encapsulation.ttl, number_of(word, 0, 255));
    }
    if (word != "flags") return false;
    take();
    const auto flags = number_of(word, 0, 0xffff);
    if (flags) encapsulation.flags = static_cast<std::uint16_t>(*flags);
    return answer(flags.has_value());
}

}  // namespace vigil::config
