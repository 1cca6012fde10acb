#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::checkers {

/// "SOA" to 6, as DNS_CHECK knows them: A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY, and a few more; case does not matter.
std::optional<std::uint16_t> find_dns_type(std::string_view word);

/// Labels of 1-63 octets, at most 253 octets, with or without a dot at the end; "." is the root. No escapes.
bool is_dns_name(std::string_view name);

/// A query (RFC 1035 §4.1) with one question, class IN, recursion desired. `name` is_dns_name().
std::vector<std::uint8_t> write_dns_query(std::uint16_t id, std::string_view name, std::uint16_t type);

/// What a datagram is, seen from a query.
struct DnsReply {
    enum class Kind : std::uint8_t {
        ok,          ///< rcode 0, whether truncated or not, with answers or without
        error,       ///< another rcode
        malformed,   ///< answers our id and is no message that does so
        stranger,    ///< not the answer to this query: of another id. To be ignored
    };
    Kind kind = Kind::stranger;
    std::string cause{};   ///< of error and malformed: "rcode 2 (SERVFAIL)", "the question is another"
};

/// Judges a datagram by the query it should answer: id, question and rcode. What follows the question is not read.
DnsReply read_dns_reply(std::span<const std::uint8_t> datagram, std::span<const std::uint8_t> query);

}  // namespace vigil::checkers
