#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "config/script.h"
#include "packet/address.h"
#include "packet/units.h"

/// Health checkers as plain values. What a checker does not say itself comes from its real server, then from the virtual server, then from
/// the default of its kind; all that has been put in.
namespace vigil::config {

/// Where a check goes and where it comes from. MISC_CHECK, BFD_CHECK and FILE_CHECK do not look at it.
struct CheckConnection {
    std::optional<IpAddress> connect_ip;      ///< absent: the real server's address, see target_of()
    std::uint16_t connect_port = 0;           ///< the real server's unless said otherwise; not 0, but for PING_CHECK
    std::optional<IpAddress> bind_address;    ///< bindto; of the target's family
    std::uint16_t bind_port = 0;              ///< 0: any
    std::string_view bind_interface;          ///< bind_if; there for link-local targets; empty: any
    Nanoseconds connect_timeout{std::chrono::seconds{5}};
    std::uint32_t mark = 0;                   ///< fwmark: SO_MARK; 0: none

    friend bool operator==(const CheckConnection&, const CheckConnection&) = default;
};

/// When a check is made, and how many failures count. BFD_CHECK and FILE_CHECK look at `alpha` only.
struct CheckSchedule {
    std::uint32_t retry = 1;                  ///< failures in a row that are forgiven while it is up
    Nanoseconds delay_before_retry{std::chrono::seconds{1}};
    Nanoseconds warmup{std::chrono::seconds{60}};       ///< the first check comes a random time up to this after the start
    Nanoseconds delay_loop{std::chrono::seconds{60}};   ///< between two checks, more than 0
    bool alpha = false;                       ///< down until the first success; else up until the first result
    std::optional<bool> log_all_failures;     ///< each failure is logged, not only changes; has a value

    friend bool operator==(const CheckSchedule&, const CheckSchedule&) = default;
};

struct TcpCheck {
    friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};
struct PingCheck {
    friend bool operator==(const PingCheck&, const PingCheck&) = default;
};

/// Request line and headers: 1.0; 1.0 with "Connection: close"; 1.1, which has it too; 2 by ALPN, SSL_GET only (not keepalived's).
enum class HttpVersion : std::uint8_t { http_1_0, http_1_0_close, http_1_1, http_2 };

/// Options of PCRE2 that `regex_options` names, in the order of its manual page.
enum class RegexOption : std::uint8_t {
    allow_empty_class, alt_bsux, auto_callout, caseless, dollar_endonly, dotall, dupnames, extended, firstline, match_unset_backref, multiline, never_ucp,
    never_utf, no_auto_capture, no_auto_possess, no_dotstar_anchor, no_start_optimize, ucp, ungreedy, utf, never_backslash_c, alt_circumflex, alt_verbnames,
    use_offset_limit, count
};
/// "caseless".
std::string_view name_of(RegexOption option);

/// regex: what the body has to hold, or must not.
struct RegexSettings {
    std::string_view pattern;                 ///< with its escapes undone; not empty; whether PCRE2 takes it is the checker's to find out
    std::uint32_t options = 0;                ///< bit 1 << RegexOption
    bool must_not_match = false;              ///< regex_no_match
    std::uint32_t min_offset = 0;             ///< of the match in the body, octets
    std::optional<std::uint32_t> max_offset;  ///< of its beginning; absent: none
    std::uint32_t stack_start = 0;            ///< regex_stack, octets; both 0: PCRE2's own
    std::uint32_t stack_max = 0;

    bool has(RegexOption option) const { return (options >> static_cast<unsigned>(option) & 1u) != 0; }
    friend bool operator==(const RegexSettings&, const RegexSettings&) = default;
};

struct StatusRange {
    std::uint16_t first = 200;   ///< 100-599
    std::uint16_t last = 299;    ///< not before `first`

    friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

/// url: one request, and what its answer must be like. All that is asked for must be true.
struct HttpUrl {
    std::string_view path;                                ///< begins with '/'
    std::optional<std::array<std::uint8_t, 16>> digest;   ///< MD5 of the body
    std::vector<StatusRange> status_codes;                ///< one of them; empty: any, because digest or regex say what is expected
    std::string_view virtualhost;                         ///< of the URL, the checker, the real or the virtual server; empty: address and port of the target
    std::optional<RegexSettings> regex;
    bool tls_compliant = false;                           ///< SSL_GET: close_notify is sent and waited for; else the connection is just closed

    friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

/// HTTP_GET and SSL_GET.
struct HttpCheck {
    bool tls = false;               ///< SSL_GET
    HttpVersion version = HttpVersion::http_1_0;
    bool enable_sni = false;        ///< the server is told which name is meant; SSL_GET only
    std::string_view sni_name;      ///< empty: the virtualhost of the URL
    bool verifies_peer = false;     ///< tls_verify (not keepalived's): the certificate must be good and must be of that name
    bool fast_recovery = false;     ///< while down, the next URL follows a good one at once
    std::vector<HttpUrl> urls;      ///< at least one, in file order

    friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

struct SmtpCheck {
    std::string_view helo_name = "smtpchecker.keepalived.org";

    friend bool operator==(const SmtpCheck&, const SmtpCheck&) = default;
};

/// RFC 1035 §3.2.2 and later; the value is the one on the wire.
enum class DnsType : std::uint16_t { a = 1, ns = 2, cname = 5, soa = 6, mx = 15, txt = 16, aaaa = 28, rrsig = 46, dnskey = 48 };
/// "SOA".
std::string_view name_of(DnsType type);

struct DnsCheck {
    DnsType type = DnsType::soa;
    std::string_view name = ".";   ///< at most 253 octets in labels of at most 63

    friend bool operator==(const DnsCheck&, const DnsCheck&) = default;
};

struct UdpCheck {
    std::vector<std::uint8_t> payload;      ///< empty: any few octets
    bool require_reply = false;             ///< else only an ICMP error means failure
    std::vector<std::uint8_t> reply;        ///< beginning of what must come, as far as both go; empty: anything
    std::vector<std::uint8_t> reply_mask;   ///< as long as `reply`: bits that count
    std::uint16_t min_reply_length = 0;
    std::uint16_t max_reply_length = 255;

    friend bool operator==(const UdpCheck&, const UdpCheck&) = default;
};

struct MiscCheck {
    NotifyScript script;         ///< event means nothing; `user` of the block is in it
    Nanoseconds timeout{0};      ///< misc_timeout, delay_loop where the file says none; more than 0
    bool is_dynamic = false;     ///< misc_dynamic: exit codes 2-255 are weights plus 2

    friend bool operator==(const MiscCheck&, const MiscCheck&) = default;
};

struct FileCheck {
    std::string_view track_file;   ///< of Configuration::tracked_files
    std::optional<std::int32_t> weight;   ///< times the number in the file is added to the server's weight; 0: a number other than 0 means failed; has a value
    std::optional<bool> weight_reverse;   ///< the other sign; with weight 0: the number 0 means failed; has a value

    friend bool operator==(const FileCheck&, const FileCheck&) = default;
};

struct BfdCheck {
    std::string_view name;         ///< of Configuration::bfd_instances, one that is for checkers

    friend bool operator==(const BfdCheck&, const BfdCheck&) = default;
};

struct Checker {
    CheckConnection connection;
    CheckSchedule schedule;
    std::variant<TcpCheck, HttpCheck, SmtpCheck, DnsCheck, UdpCheck, PingCheck, MiscCheck, FileCheck, BfdCheck> check;
    WrittenAt where;          ///< of its first use: equal ones are kept once

    friend bool operator==(const Checker&, const Checker&) = default;
};

/// "HTTP_GET".
std::string_view name_of(const Checker& checker);

}  // namespace vigil::config
