/// The vocabulary of virtual_server and of the health checkers. Nothing of it is acted on yet, all of it is checked, so that a typo
/// is told where it stands. Keywords that checkers share (where to connect, how often) are two tables beside their own.

#include "config/keyword_rows.h"

namespace vigil::config::rows {

namespace {

constexpr Argument positive_seconds = seconds(1, 4'294 * second);
constexpr Argument any_seconds = seconds(0, 4'294 * second);
constexpr Argument port = number(1, 65'535);
constexpr Argument schedulers = choice("rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos");
constexpr Argument length = number(0, 65'535);

constexpr Keyword virtual_server_rows[] = {
    {"delay_loop", t1, later, positive_seconds},
    {"lb_algo", t1, later, schedulers},
    {"lvs_sched", t2, later, schedulers},
    {"lb_kind", t1, later, choice("NAT DR TUN")},
    {"lvs_method", t2, later, choice("NAT DR TUN")},
    {"persistence_timeout", t1, later, optional_number(1, 2'678'400)},
    {"persistence_granularity", t2, later, text},
    {"persistence_engine", t3, later, text},
    {"protocol", t1, later, choice("TCP UDP SCTP tcp udp sctp")},
    {"ip_family", t3, later, choice("inet inet6")},
    {"sorry_server", t1, later, endpoint},
    {"sorry_server_inhibit", t3, later, nothing},
    {"sorry_server_lvs_method", t3, later, choice("NAT DR TUN")},
    block("real_server", t1, later, BlockId::real_server, endpoint),
    {"weight", t3, later, number(1, int_max)},
    {"retry", t2, later, number(1, int_max)},
    {"delay_before_retry", t2, later, any_seconds},
    {"warmup", t3, later, any_seconds},
    {"connect_timeout", t2, later, positive_seconds},
    {"inhibit_on_failure", t2, later, nothing},
    {"virtualhost", t2, later, text},
    {"alpha", t2, later, nothing},
    {"omega", t2, later, nothing},
    {"quorum", t2, later, number(1, int_max)},
    {"hysteresis", t2, later, number(0, int_max)},
    {"quorum_up", t2, later, command},
    {"quorum_down", t2, later, command},
    {"ha_suspend", t2, later, nothing},
    {"smtp_alert", t3, later, flag},
    {"snmp_name", t3, later, text},
    {"ops", t3, later, nothing},
    {"hashed", t3, later, nothing},
    {"flag-1", t3, later, nothing},
    {"flag-2", t3, later, nothing},
    {"flag-3", t3, later, nothing},
    {"sh-port", t3, later, nothing},
    {"sh-fallback", t3, later, nothing},
    {"mh-port", t3, later, nothing},
    {"mh-fallback", t3, later, nothing},
};

constexpr Keyword real_server_rows[] = {
    {"weight", t1, later, number(0, int_max)},
    {"lvs_method", t2, later, choice("NAT DR TUN")},
    {"uthreshold", t3, later, number(0, int_max)},
    {"lthreshold", t3, later, number(0, int_max)},
    {"inhibit_on_failure", t1, later, flag},
    {"notify_up", t2, later, command},
    {"notify_down", t2, later, command},
    {"alpha", t3, later, flag},
    {"retry", t2, later, number(1, int_max)},
    {"delay_before_retry", t2, later, any_seconds},
    {"warmup", t2, later, any_seconds},
    {"connect_timeout", t2, later, positive_seconds},
    {"delay_loop", t2, later, positive_seconds},
    {"smtp_alert", t3, later, flag},
    {"virtualhost", t2, later, text},
    {"snmp_name", t3, later, text},
    block("HTTP_GET", t1, later, BlockId::http_get),
    block("SSL_GET", t1, later, BlockId::ssl_get),
    block("TCP_CHECK", t1, later, BlockId::tcp_check),
    block("MISC_CHECK", t1, later, BlockId::misc_check),
    block("SMTP_CHECK", t2, later, BlockId::smtp_check),
    block("DNS_CHECK", t2, later, BlockId::dns_check),
    block("PING_CHECK", t2, later, BlockId::ping_check),
    block("UDP_CHECK", t2, later, BlockId::udp_check),
    block("BFD_CHECK", t3, later, BlockId::bfd_check),
    block("FILE_CHECK", t3, later, BlockId::file_check),
};

/// The first seven say where to connect; the last six, which MISC_CHECK has too, when.
constexpr Keyword connection_rows[] = {
    {"connect_ip", t2, later, address},
    {"connect_port", t1, later, port},
    {"bindto", t2, later, address},
    {"bind_port", t3, later, port},
    {"bind_if", t3, later, text},
    {"connect_timeout", t1, later, positive_seconds},
    {"fwmark", t3, later, number(0, uint_max)},
    {"retry", t1, later, number(0, int_max)},
    {"delay_before_retry", t1, later, any_seconds},
    {"warmup", t2, later, any_seconds},
    {"delay_loop", t2, later, positive_seconds},
    {"alpha", t3, later, flag},
    {"log_all_failures", t3, later, flag},
};
constexpr std::span<const Keyword> schedule_rows = std::span<const Keyword>(connection_rows).subspan(7);

constexpr Keyword http_rows[] = {
    block("url", t1, later, BlockId::url),
    {"nb_get_retry", t1, later, number(0, int_max), BlockId::none, "retry"},
    {"virtualhost", t2, later, text},
    {"http_protocol", t3, later, choice("1.0 1.0C 1.0c 1.1")},
    {"enable_sni", t2, later, flag},
    {"sni_name", t3, later, text},
    {"fast_recovery", t3, later, flag},
};
constexpr Keyword https_rows[] = {
    block("url", t1, later, BlockId::ssl_url),
    {"nb_get_retry", t1, later, number(0, int_max), BlockId::none, "retry"},
    {"virtualhost", t2, later, text},
    {"http_protocol", t3, later, choice("1.0 1.0C 1.0c 1.1")},
    {"enable_sni", t2, later, flag},
    {"sni_name", t3, later, text},
    {"fast_recovery", t3, later, flag},
    {"tls_compliant", t3, later, flag},
};

constexpr Keyword url_rows[] = {
    {"path", t1, later, text},
    {"digest", t1, later, text},
    {"status_code", t1, later, texts},
    {"virtualhost", t2, later, text},
    {"regex", t2, later, command},
    {"regex_no_match", t3, later, nothing},
    {"regex_options", t3, later, texts},
    {"regex_min_offset", t3, later, number(0, int_max)},
    {"regex_max_offset", t3, later, number(0, int_max)},
    {"regex_stack", t3, later, texts},
};
constexpr Keyword tls_rows[] = {
    {"tls_compliant", t3, later, flag},
};

constexpr Keyword smtp_rows[] = {
    {"helo_name", t2, later, text},
    block("host", t2, later, BlockId::smtp_host, nothing, "one SMTP_CHECK for each target"),
};

constexpr Keyword udp_rows[] = {
    {"payload", t3, later, texts},
    {"require_reply", t3, later, anything},
    {"min_reply_length", t3, later, length},
    {"max_reply_length", t3, later, length},
};

constexpr Keyword dns_rows[] = {
    {"type", t2, later, choice("A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY")},
    {"name", t2, later, text},
};

constexpr Keyword misc_rows[] = {
    {"misc_path", t1, later, command},
    {"misc_timeout", t1, later, whole_seconds(0, 4'294)},
    {"misc_dynamic", t2, later, nothing},
    {"user", t2, later, texts},
};

constexpr Keyword bfd_check_rows[] = {
    {"name", t3, later, text},
    {"alpha", t3, later, flag},
};

constexpr Keyword file_check_rows[] = {
    {"track_file", t3, later, text},
    {"weight", t3, later, weight(int_max)},
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

std::span<const BlockTable> checker_tables() { return tables; }

}  // namespace vigil::config::rows
