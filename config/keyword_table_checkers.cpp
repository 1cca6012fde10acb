/// The vocabulary of virtual_server and of the health checkers. Keywords that checkers share (where to connect, how often) are two tables beside their own.

#include "config/keyword_rows.h"

namespace vigil::config::rows {

namespace {

constexpr std::int64_t year = 365 * 86'400 * second;   // keepalived has no bound that anybody meets
constexpr Argument positive_seconds = seconds(1, year);
constexpr Argument any_seconds = seconds(0, year);
constexpr Argument port = number(1, 65'535);
constexpr Argument schedulers = choice("rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos");
constexpr Argument length = number(0, 65'535);

constexpr Keyword virtual_server_rows[] = {
    {"delay_loop", t1, acted, positive_seconds},
    {"lb_algo", t1, acted, schedulers},
    {"lvs_sched", t2, acted, schedulers},
    {"lb_kind", t1, acted, texts},
    {"lvs_method", t2, acted, texts},
    {"persistence_timeout", t1, acted, optional_number(1, 2'678'400)},
    {"persistence_granularity", t2, acted, text},
    {"persistence_engine", t3, acted, text},
    {"protocol", t1, acted, text},
    {"ip_family", t3, acted, choice("inet inet6")},
    {"sorry_server", t1, acted, endpoint},
    {"sorry_server_inhibit", t3, acted, nothing},
    {"sorry_server_lvs_method", t3, acted, texts},
    block("real_server", t1, acted, BlockId::real_server, endpoint),
    {"weight", t3, acted, number(1, int_max)},
    {"retry", t2, acted, number(1, int_max)},
    {"delay_before_retry", t2, acted, any_seconds},
    {"warmup", t3, acted, any_seconds},
    {"connect_timeout", t2, acted, positive_seconds},
    {"inhibit_on_failure", t2, acted, nothing},
    {"virtualhost", t2, acted, text},
    {"alpha", t2, acted, nothing},
    {"omega", t2, acted, nothing},
    {"quorum", t2, acted, number(1, int_max)},
    {"hysteresis", t2, acted, number(0, int_max)},
    {"quorum_up", t2, acted, command},
    {"quorum_down", t2, acted, command},
    {"ha_suspend", t2, acted, nothing},
    {"smtp_alert", t3, acted, flag},
    {"snmp_name", t3, acted, text},
    {"ops", t3, acted, nothing},
    {"hashed", t3, acted, nothing},
    {"flag-1", t3, acted, nothing},
    {"flag-2", t3, acted, nothing},
    {"flag-3", t3, acted, nothing},
    {"sh-port", t3, acted, nothing},
    {"sh-fallback", t3, acted, nothing},
    {"mh-port", t3, acted, nothing},
    {"mh-fallback", t3, acted, nothing},
};

constexpr Keyword real_server_rows[] = {
    {"weight", t1, acted, number(0, int_max)},
    {"lvs_method", t2, acted, texts},
    {"uthreshold", t3, acted, number(0, int_max)},
    {"lthreshold", t3, acted, number(0, int_max)},
    {"inhibit_on_failure", t1, acted, flag},
    {"notify_up", t2, acted, command},
    {"notify_down", t2, acted, command},
    {"alpha", t3, acted, flag},
    {"retry", t2, acted, number(1, int_max)},
    {"delay_before_retry", t2, acted, any_seconds},
    {"warmup", t2, acted, any_seconds},
    {"connect_timeout", t2, acted, positive_seconds},
    {"delay_loop", t2, acted, positive_seconds},
    {"smtp_alert", t3, acted, flag},
    {"virtualhost", t2, acted, text},
    {"snmp_name", t3, acted, text},
    block("HTTP_GET", t1, acted, BlockId::http_get),
    block("SSL_GET", t1, acted, BlockId::ssl_get),
    block("TCP_CHECK", t1, acted, BlockId::tcp_check),
    block("MISC_CHECK", t1, acted, BlockId::misc_check),
    block("SMTP_CHECK", t2, acted, BlockId::smtp_check),
    block("DNS_CHECK", t2, acted, BlockId::dns_check),
    block("PING_CHECK", t2, acted, BlockId::ping_check),
    block("UDP_CHECK", t2, acted, BlockId::udp_check),
    block("BFD_CHECK", t3, acted, BlockId::bfd_check),
    block("FILE_CHECK", t3, acted, BlockId::file_check),
};

/// The first seven say where to connect; the last six, which MISC_CHECK has too, when.
constexpr Keyword connection_rows[] = {
    {"connect_ip", t2, acted, address},
    {"connect_port", t1, acted, port},
    {"bindto", t2, acted, address},
    {"bind_port", t3, acted, port},
    {"bind_if", t3, acted, text},
    {"connect_timeout", t1, acted, positive_seconds},
    {"fwmark", t3, acted, number(0, uint_max)},
    {"retry", t1, acted, number(0, int_max)},
    {"delay_before_retry", t1, acted, any_seconds},
    {"warmup", t2, acted, any_seconds},
    {"delay_loop", t2, acted, positive_seconds},
    {"alpha", t3, acted, flag},
    {"log_all_failures", t3, acted, flag},
};
constexpr std::span<const Keyword> schedule_rows = std::span<const Keyword>(connection_rows).subspan(7);

constexpr Keyword http_rows[] = {
    block("url", t1, acted, BlockId::url),
    {"nb_get_retry", t1, acted, number(0, int_max), BlockId::none, "retry"},
    {"virtualhost", t2, acted, text},
    {"http_protocol", t3, acted, choice("1.0 1.0C 1.0c 1.1")},
    {"enable_sni", t2, acted, flag},
    {"sni_name", t3, acted, text},
    {"fast_recovery", t3, acted, flag},
};
constexpr Keyword https_rows[] = {
    block("url", t1, acted, BlockId::ssl_url),
    {"nb_get_retry", t1, acted, number(0, int_max), BlockId::none, "retry"},
    {"virtualhost", t2, acted, text},
    {"http_protocol", t3, acted, choice("1.0 1.0C 1.0c 1.1 2")},
    {"enable_sni", t2, acted, flag},
    {"sni_name", t3, acted, text},
    {"fast_recovery", t3, acted, flag},
    {"tls_compliant", t3, acted, flag},
    {"tls_verify", t2, acted, flag},   // not keepalived's
};

constexpr Keyword url_rows[] = {
    {"path", t1, acted, text},
    {"digest", t1, acted, text},
    {"status_code", t1, acted, texts},
    {"virtualhost", t2, acted, text},
    {"regex", t2, acted, command},
    {"regex_no_match", t3, acted, nothing},
    {"regex_options", t3, acted, texts},
    {"regex_min_offset", t3, acted, number(0, int_max)},
    {"regex_max_offset", t3, acted, number(0, int_max)},
    {"regex_stack", t3, acted, texts},
};
constexpr Keyword tls_rows[] = {
    {"tls_compliant", t3, acted, flag},
};

constexpr Keyword smtp_rows[] = {
    {"helo_name", t2, acted, text},
    block("host", t2, acted, BlockId::smtp_host, nothing, "one SMTP_CHECK for each target"),
};

constexpr Keyword udp_rows[] = {
    {"payload", t3, acted, texts},
    {"require_reply", t3, acted, anything},
    {"min_reply_length", t3, acted, length},
    {"max_reply_length", t3, acted, length},
};

constexpr Keyword dns_rows[] = {
    {"type", t2, acted, choice("A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY")},
    {"name", t2, acted, text},
};

constexpr Keyword misc_rows[] = {
    {"misc_path", t1, acted, command},
    {"misc_timeout", t1, acted, whole_seconds(0, 4'294)},
    {"misc_dynamic", t2, acted, nothing},
    {"user", t2, acted, texts},
};

constexpr Keyword bfd_check_rows[] = {
    {"name", t3, acted, text},
    {"alpha", t3, acted, flag},
};

constexpr Keyword file_check_rows[] = {
    {"track_file", t3, acted, text},
    {"weight", t3, acted, weight(int_max)},
};

constexpr BlockTable tables[] = {
    {BlockId::virtual_server, "virtual_server", virtual_server_rows},
    {BlockId::real_server, "real_server", real_server_rows},
    {BlockId::http_get, "HTTP_GET", http_rows, connection_rows},
    {BlockId::ssl_get, "SSL_GET", https_rows, connection_rows},
    {BlockId::url, "url", url_rows},
    {BlockId::ssl_url, "url", url_rows, tls_rows},
    {BlockId::tcp_check, "TCP_CHECK", connection_rows},
    {BlockId::smtp_check, "SMTP_CHECK", smtp_rows, connection_rows},
    {BlockId::smtp_host, "host", connection_rows},
    {BlockId::dns_check, "DNS_CHECK", dns_rows, connection_rows},
    {BlockId::ping_check, "PING_CHECK", connection_rows},
    {BlockId::udp_check, "UDP_CHECK", udp_rows, connection_rows},
    {BlockId::misc_check, "MISC_CHECK", misc_rows, schedule_rows},
    {BlockId::bfd_check, "BFD_CHECK", bfd_check_rows},
    {BlockId::file_check, "FILE_CHECK", file_check_rows},
};

}  // namespace

std::span<const Keyword> virtual_server_keywords() { return virtual_server_rows; }
std::span<const BlockTable> checker_tables() { return tables; }

}  // namespace vigil::config::rows
