#include "ipvs/checkers/dns_message.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

constexpr std::size_t header_size = 12;   // RFC 1035 §4.1.1
constexpr std::size_t longest_label = 63;
constexpr std::size_t longest_name = 253;

struct Type {
    std::string_view word;
    std::uint16_t number;
};
constexpr Type types[] = {{"A", 1},     {"NS", 2},    {"CNAME", 5}, {"SOA", 6},     {"PTR", 12},    {"MX", 15},    {"TXT", 16},
                          {"AAAA", 28}, {"SRV", 33},  {"DS", 43},   {"RRSIG", 46}, {"DNSKEY", 48}, {"ANY", 255}};

// RFC 1035 §4.1.1, RFC 2136 §2.2.
constexpr std::array<std::string_view, 11> rcodes = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"};

std::uint8_t to_lower(std::uint8_t octet) { return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + 32) : octet; }

std::string_view without_last_dot(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

void write_u16(std::vector<std::uint8_t>& out, std::uint16_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

}  // namespace

std::optional<std::uint16_t> find_dns_type(std::string_view word) {
    const auto equal = [word](const Type& type) {
        return std::ranges::equal(type.word, word, {}, {}, [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    };
    const auto found = std::ranges::find_if(types, equal);
    if (found == std::end(types)) return std::nullopt;
    return found->number;
}

bool is_dns_name(std::string_view name) {
    if (name == ".") return true;
    name = without_last_dot(name);
    if (name.empty() || name.size() > longest_name) return false;
    while (true) {
        const std::size_t length = std::min(name.find('.'), name.size());
        if (length == 0 || length > longest_label) return false;
        if (length == name.size()) return true;
        name.remove_prefix(length + 1);
    }
}

std::vector<std::uint8_t> write_dns_query(std::uint16_t id, std::string_view name, std::uint16_t type) {
    std::vector<std::uint8_t> query;
    write_u16(query, id);
    write_u16(query, 0x0100);   // recursion desired
    for (const int count : {1, 0, 0, 0}) write_u16(query, static_cast<std::uint16_t>(count));
    name = without_last_dot(name);
    while (!name.empty()) {
        const std::string_view label = name.substr(0, name.find('.'));
        query.push_back(static_cast<std::uint8_t>(label.size()));
        query.insert(query.end(), label.begin(), label.end());
        name.remove_prefix(std::min(label.size() + 1, name.size()));
    }
    query.push_back(0);
    write_u16(query, type);
    write_u16(query, 1);   // IN
    return query;
}

DnsReply read_dns_reply(std::span<const std::uint8_t> datagram, std::span<const std::uint8_t> query) {
    using Kind = DnsReply::Kind;
    if (datagram.size() < 2 || !std::ranges::equal(datagram.first(2), query.first(2))) return {Kind::stranger};
    if (datagram.size() < header_size) return {Kind::malformed, "the answer is shorter than a header"};
    if ((datagram[2] & 0x80) == 0) return {Kind::malformed, "the answer is a query"};
    const unsigned rcode = datagram[3] & 0x0f;
    const bool has_question = datagram[4] == 0 && datagram[5] == 1;
    // Some servers leave the question out of an error, which RFC 1035 does not forbid.
    if (rcode != 0) return {Kind::error, fmt::format("rcode {}{}", rcode, rcode < rcodes.size() ? fmt::format(" ({})", rcodes[rcode]) : "")};
    if (!has_question || datagram.size() < query.size()) return {Kind::malformed, "the answer does not repeat the question"};
    // Names are compared without case (RFC 4343). Lengths of labels are below 'A', so that comparing octets is comparing names.
    const auto question = datagram.subspan(header_size, query.size() - header_size);
    if (!std::ranges::equal(question, query.subspan(header_size), {}, to_lower, to_lower)) return {Kind::malformed, "the question in the answer is another"};
    return {Kind::ok};
}

}  // namespace vigil::checkers
