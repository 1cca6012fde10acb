#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "packet/address.h"

/// What is checked, how, and how often: plain values, made from the configuration by the daemon. Two checks of the same target with equal specs
/// are one check (Runner). Numbers are in their ranges: whoever makes a spec has seen to that.
namespace vigil::checkers {

using Duration = std::chrono::nanoseconds;

/// Where a check goes to, and when. MISC_CHECK and external checks use only the times.
struct CommonSpec {
    IpAddress address{};                        ///< connect_ip; a link-local one needs bind_interface
    std::uint16_t port = 0;                     ///< connect_port; not used by PING_CHECK
    std::optional<IpAddress> bind_address{};    ///< own address, of the same family
    std::uint16_t bind_port = 0;                ///< own port; 0: any
    std::string bind_interface{};               ///< empty: any
    std::uint32_t mark = 0;                     ///< SO_MARK; 0: none
    Duration connect_timeout = std::chrono::seconds{5};      ///< > 0; of each step, see most_timeouts
    unsigned retry = 1;                         ///< failures that are not believed yet
    Duration delay_before_retry = std::chrono::seconds{1};
    Duration delay_loop = std::chrono::seconds{60};          ///< > 0; from the end of a check to the next
    Duration warmup = std::chrono::seconds{60};              ///< the first check comes after a random part of it
    bool alpha = false;                         ///< down until a check has succeeded
    bool log_all_failures = false;              ///< otherwise only the one that brings it down is told of

    friend bool operator==(const CommonSpec&, const CommonSpec&) = default;
};

/// A check of several steps as a whole lasts at most this many connect_timeouts, however the server spreads its octets: each URL of HTTP_GET, and SMTP_CHECK.
constexpr int most_timeouts = 4;

struct TcpSpec {
    friend bool operator==(const TcpSpec&, const TcpSpec&) = default;
};

enum class HttpProtocol : std::uint8_t {
    http_1_0,         ///< keepalived's default
    http_1_0_close,   ///< 1.0C: with "Connection: close"
    http_1_1,         ///< with "Connection: close"
    http_2,           ///< beyond keepalived: by ALPN with TLS, without it by prior knowledge (RFC 9113 §3.3)
};

/// Status codes `first`..`last`, both included; 100-599.
struct StatusRange {
    std::uint16_t first = 200;
    std::uint16_t last = 299;

    friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

/// Bits of RegexSpec::options: the words of regex_options, see find_regex_option().
struct RegexSpec {
    std::string pattern;             ///< PCRE2; checked by check_regex()
    std::uint32_t options = 0;       ///< PCRE2_CASELESS and others, as pcre2_compile() takes them
    std::uint32_t extra_options = 0; ///< PCRE2_EXTRA_ALT_BSUX and others, as pcre2_set_compile_extra_options() takes them
    std::uint64_t min_offset = 0;    ///< octets of the body before the search begins
    std::optional<std::uint64_t> max_offset{};   ///< a match begins at the latest here
    bool must_not_match = false;     ///< regex_no_match

    friend bool operator==(const RegexSpec&, const RegexSpec&) = default;
};

using Md5 = std::array<std::uint8_t, 16>;

/// One resource. All that is set must hold; with nothing set the status must be 200-299.
struct UrlSpec {
    std::string path = "/";                  ///< begins with '/', printable, no spaces
    std::string virtual_host{};              ///< Host field; empty: address and port
    std::vector<StatusRange> status{};
    std::optional<Md5> digest{};             ///< MD5 of the body
    std::optional<RegexSpec> regex{};
    bool tls_compliant = false;              ///< ends TLS by a close_notify, and waits for the server's; otherwise the connection is closed

    friend bool operator==(const UrlSpec&, const UrlSpec&) = default;
};

/// How SSL_GET speaks TLS. The files are read when first needed and again after a reload.
struct TlsSpec {
    bool send_name = false;              ///< enable_sni
    std::string name{};                  ///< SNI text and the name verified; empty: that of the URL's virtual_host without a port
    bool verify = false;                 ///< beyond keepalived: chain, validity and name of the certificate must be right
    std::string ca_file{};               ///< with verify: PEM; empty: the system's
    std::string certificate_file{};      ///< our own, PEM chain; empty: none
    std::string key_file{};              ///< empty: in certificate_file
    std::string key_password{};

    friend bool operator==(const TlsSpec&, const TlsSpec&) = default;
};

/// HTTP_GET and SSL_GET. The URLs are fetched one after the other, each by its own connection; the first that fails fails the check.
struct HttpSpec {
    std::vector<UrlSpec> urls{};         ///< at least one
    HttpProtocol protocol = HttpProtocol::http_1_0;
    std::optional<TlsSpec> tls{};        ///< SSL_GET

    friend bool operator==(const HttpSpec&, const HttpSpec&) = default;
};

struct SmtpSpec {
    std::string helo_name = "smtpchecker.keepalived.org";   ///< printable, no spaces

    friend bool operator==(const SmtpSpec&, const SmtpSpec&) = default;
};

struct DnsSpec {
    std::uint16_t type = 6;     ///< RFC 1035 §3.2.2; see find_dns_type()
    std::string name = ".";     ///< labels of 1-63 octets, 253 in all; checked by is_dns_name()

    friend bool operator==(const DnsSpec&, const DnsSpec&) = default;
};

/// An octet of require_reply: `x` in the configuration stands for a nibble that may be anything.
struct MaskedOctet {
    std::uint8_t value = 0;    ///< bits outside of `mask` are 0
    std::uint8_t mask = 0xff;  ///< 0xff, 0xf0, 0x0f or 0

    friend bool operator==(const MaskedOctet&, const MaskedOctet&) = default;
};

struct UdpSpec {
    std::vector<std::uint8_t> payload{};    ///< empty: filler
    bool require_reply = false;             ///< otherwise silence is good, and only an ICMP error fails
    std::vector<MaskedOctet> reply{};       ///< how a reply must begin; empty: any
    std::uint16_t min_reply_length = 0;
    std::uint16_t max_reply_length = 255;

    friend bool operator==(const UdpSpec&, const UdpSpec&) = default;
};

struct PingSpec {
    friend bool operator==(const PingSpec&, const PingSpec&) = default;
};

struct MiscSpec {
    std::vector<std::string> arguments{};   ///< the first is the program
    std::string user{};                     ///< both for the ScriptStarter; empty: its default
    std::string group{};
    Duration timeout = std::chrono::seconds{60};   ///< > 0
    bool dynamic = false;                   ///< misc_dynamic: exit codes 2-255 are a success and a weight

    friend bool operator==(const MiscSpec&, const MiscSpec&) = default;
};

/// FILE_CHECK, BFD_CHECK: nothing is run; Runner::tell() brings the verdicts, each of them final.
struct ExternalSpec {
    std::string name{};   ///< kind and name of what is watched: equal ones are one check

    friend bool operator==(const ExternalSpec&, const ExternalSpec&) = default;
};

using Method = std::variant<TcpSpec, HttpSpec, SmtpSpec, DnsSpec, UdpSpec, PingSpec, MiscSpec, ExternalSpec>;

struct CheckSpec {
    CommonSpec common;
    Method method;

    friend bool operator==(const CheckSpec&, const CheckSpec&) = default;
};

/// Of everything that makes two specs differ.
std::size_t hash_of(const CheckSpec& spec);

/// For logs: "TCP_CHECK of 192.0.2.1:80".
std::string describe(const CheckSpec& spec);

/// "192.0.2.1:80", "[2001:db8::1]:80".
std::string host_and_port(const IpAddress& address, std::uint16_t port);

}  // namespace vigil::checkers

template <>
struct std::hash<vigil::checkers::CheckSpec> {
    std::size_t operator()(const vigil::checkers::CheckSpec& spec) const { return vigil::checkers::hash_of(spec); }
};
