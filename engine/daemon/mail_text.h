#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/daemon/router_status.h"

/// Mail as text (RFC 5322): pure, so that what leaves this host is tested to the octet.
namespace vigil::daemon {

/// "VRRP Instance VI_1 - Entering MASTER state", as keepalived words it. Control characters become '?'.
std::string alert_text(std::string_view kind, std::string_view name, OperatorState state);
/// "[router_id] " in front of it.
std::string subject_of(std::string_view router_id, std::string_view text);

struct MailHead {
    std::string from;               ///< addresses without angle brackets
    std::vector<std::string> to;
    std::string subject;
    std::int64_t wall_seconds = 0;
    std::string id;                 ///< left of the @ in Message-ID, unique
    std::string host;               ///< right of it
};

/// The whole message: headers, an empty line, the body. Every line ends in CRLF and has at most 998 octets without it (RFC 5322 §2.1.1). What is not
/// ASCII is encoded (RFC 2047, RFC 2045 §6.7), because a server need not take it otherwise. No name can add a header or end one.
std::string compose_mail(const MailHead& head, std::string_view body);

/// "Fri, 20 Nov 2026 16:02:21 +0000", in local time.
std::string mail_date(std::int64_t wall_seconds);

/// The message as it follows DATA: a dot in front of lines that begin with one, and the lone dot at the end (RFC 5321 §4.5.2).
std::string dot_stuffed(std::string_view message);

}  // namespace vigil::daemon
