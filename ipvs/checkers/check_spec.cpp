#include "ipvs/checkers/check_spec.h"

#include <string_view>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

/// Takes fields one by one. FNV-1a over octets would do as well; this one takes a word at a time.
class Hasher {
public:
    void number(std::uint64_t value) {
        state_ = (state_ ^ value) * 0x9e3779b97f4a7c15ULL;
        state_ ^= state_ >> 32;
    }
    void text(std::string_view value) { number(std::hash<std::string_view>{}(value)); }
    void time(Duration value) { number(static_cast<std::uint64_t>(value.count())); }
    void address(const IpAddress& value) {
        number(static_cast<std::uint64_t>(value.family));
        text({reinterpret_cast<const char*>(value.octets.data()), value.octets.size()});
    }
    std::size_t result() const { return static_cast<std::size_t>(state_); }

private:
    std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

void add(Hasher& hasher, const CommonSpec& spec) {
    hasher.address(spec.address);
    hasher.number(spec.port);
    if (spec.bind_address) hasher.address(*spec.bind_address);
    hasher.number(spec.bind_port);
    hasher.text(spec.bind_interface);
    hasher.number(spec.mark);
    hasher.number(spec.retry);
    for (const Duration time : {spec.connect_timeout, spec.delay_before_retry, spec.delay_loop, spec.warmup}) hasher.time(time);
    hasher.number((spec.alpha ? 1u : 0u) + (spec.log_all_failures ? 2u : 0u));
}

void add(Hasher& hasher, const RegexSpec& spec) {
    hasher.text(spec.pattern);
    hasher.number(spec.options);
    hasher.number(spec.extra_options);
    hasher.number(spec.min_offset);
    hasher.number(spec.max_offset.value_or(~std::uint64_t{0}));
    hasher.number(spec.must_not_match);
}

void add(Hasher& hasher, const UrlSpec& spec) {
    hasher.text(spec.path);
    hasher.text(spec.virtual_host);
    for (const StatusRange& range : spec.status) hasher.number(range.first * 1000u + range.last);
    if (spec.digest) hasher.text({reinterpret_cast<const char*>(spec.digest->data()), spec.digest->size()});
    if (spec.regex) add(hasher, *spec.regex);
    hasher.number(spec.tls_compliant);
}

void add(Hasher&, const TcpSpec&) {}
void add(Hasher&, const PingSpec&) {}
void add(Hasher& hasher, const ExternalSpec& spec) { hasher.text(spec.name); }
void add(Hasher& hasher, const SmtpSpec& spec) { hasher.text(spec.helo_name); }

void add(Hasher& hasher, const HttpSpec& spec) {
    for (const UrlSpec& url : spec.urls) add(hasher, url);
    hasher.number(static_cast<std::uint64_t>(spec.protocol));
    if (!spec.tls) return;
    hasher.number((spec.tls->send_name ? 1u : 0u) + (spec.tls->verify ? 2u : 0u));
    for (const std::string* text : {&spec.tls->name, &spec.tls->ca_file, &spec.tls->certificate_file, &spec.tls->key_file, &spec.tls->key_password})
        hasher.text(*text);
}

void add(Hasher& hasher, const DnsSpec& spec) {
    hasher.number(spec.type);
    hasher.text(spec.name);
}

void add(Hasher& hasher, const UdpSpec& spec) {
    hasher.text({reinterpret_cast<const char*>(spec.payload.data()), spec.payload.size()});
    hasher.number(spec.require_reply);
    for (const MaskedOctet octet : spec.reply) hasher.number(octet.value * 256u + octet.mask);
    hasher.number(spec.min_reply_length * 65536u + spec.max_reply_length);
}

void add(Hasher& hasher, const MiscSpec& spec) {
    for (const std::string& argument : spec.arguments) hasher.text(argument);
    hasher.text(spec.user);
    hasher.text(spec.group);
    hasher.time(spec.timeout);
    hasher.number(spec.dynamic);
}

struct Describe {
    const CommonSpec& common;

    std::string at(std::string_view keyword) const { return fmt::format("{} of {}", keyword, host_and_port(common.address, common.port)); }

    std::string operator()(const TcpSpec&) const { return at("TCP_CHECK"); }
    std::string operator()(const HttpSpec& spec) const { return at(spec.tls ? "SSL_GET" : "HTTP_GET"); }
    std::string operator()(const SmtpSpec&) const { return at("SMTP_CHECK"); }
    std::string operator()(const DnsSpec&) const { return at("DNS_CHECK"); }
    std::string operator()(const UdpSpec&) const { return at("UDP_CHECK"); }
    std::string operator()(const PingSpec&) const { return fmt::format("PING_CHECK of {}", to_string(common.address)); }
    std::string operator()(const MiscSpec& spec) const { return fmt::format("MISC_CHECK {}", spec.arguments.empty() ? "" : spec.arguments.front()); }
    std::string operator()(const ExternalSpec& spec) const { return spec.name; }
};

}  // namespace

std::size_t hash_of(const CheckSpec& spec) {
    Hasher hasher;
    add(hasher, spec.common);
    hasher.number(spec.method.index());
    std::visit([&](const auto& method) { add(hasher, method); }, spec.method);
    return hasher.result();
}

std::string describe(const CheckSpec& spec) { return std::visit(Describe{spec.common}, spec.method); }

std::string host_and_port(const IpAddress& address, std::uint16_t port) {
    if (address.family == Family::ipv6) return fmt::format("[{}]:{}", to_string(address), port);
    return fmt::format("{}:{}", to_string(address), port);
}

}  // namespace vigil::checkers
