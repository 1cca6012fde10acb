#include "engine/daemon/mail_text.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "engine/daemon/presentable.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t longest_subject = 256;       // octets, as keepalived
constexpr std::size_t folded_line = 76;            // RFC 2045 §6.7, and within the 78 that RFC 5322 §2.1.1 wishes for
constexpr std::size_t encoded_word_octets = 42;    // of text: 56 in base64, 68 with what is around it (RFC 2047 §2: at most 75)

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Octets 10xxxxxx continue a UTF-8 character.
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// At most `size` octets, without half a character at the end.
std::string_view cut(std::string_view text, std::size_t size) {
    if (text.size() <= size) return text;
    while (size > 0 && is_continuation(text[size])) --size;
    return text.substr(0, size);
}

std::string base64(std::string_view text) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string result;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        std::uint32_t bits = 0;
        const std::size_t count = std::min<std::size_t>(3, text.size() - i);
        for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < count ? static_cast<unsigned char>(text[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) result += k <= count ? digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return result;
}

/// The value of a header: folded at blanks when it is ASCII, else as encoded words. `used`: octets of the line in front of it.
std::string header_value(std::string_view text, std::size_t used) {
    std::string result;
    if (!is_ascii(text)) {
        while (!text.empty()) {
            std::string_view word = cut(text, encoded_word_octets);
            if (word.empty()) word = text.substr(0, encoded_word_octets);   // no UTF-8
            result += fmt::format("{}=?UTF-8?B?{}?=", result.empty() ? "" : "\r\n ", base64(word));
            text.remove_prefix(word.size());
        }
        return result;
    }
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' ', 1), text.size());
        if (used + end > folded_line && !result.empty() && text.front() == ' ') {
            result += "\r\n";
            used = 0;
        }
        result += text.substr(0, end);
        used += end;
        text.remove_prefix(end);
    }
    return result;
}

/// RFC 2045 §6.7.
std::string quoted_printable(std::string_view text) {
    std::string result;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = static_cast<unsigned char>(text[i]);
        if (octet == '\n') {
            result += "\r\n";
            column = 0;
            continue;
        }
        const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
        const bool is_plain = (octet > ' ' && octet < 0x7f && octet != '=') || (octet == ' ' && !ends_line);
        const std::string piece = is_plain ? std::string(1, text[i]) : fmt::format("={:02X}", octet);
        if (column + piece.size() >= folded_line) {
            result += "=\r\n";
            column = 0;
        }
        result += piece;
        column += piece.size();
    }
    return result;
}

std::string plain_lines(std::string_view text) {
    std::string result;
    for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return result;
}

bool has_long_line(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end > folded_line) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

/// Lines stay lines, everything else below a blank goes.
std::string clean_body(std::string_view body) {
    std::string result(body);
    std::replace_if(result.begin(), result.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; }, '?');
    if (!result.ends_with('\n')) result += '\n';
    return result;
}

std::string_view state_words(OperatorState state) {
    switch (state) {
    case OperatorState::init: return "Entering INIT state";
    case OperatorState::backup: return "Entering BACKUP state";
    case OperatorState::master: return "Entering MASTER state";
    case OperatorState::fault: return "Entering FAULT state";
    case OperatorState::stop: return "Stopping";
    case OperatorState::deleted: return "Deleted";
    }
    return "";
}

}  // namespace

std::string alert_text(std::string_view kind, std::string_view name, OperatorState state) {
    return fmt::format("VRRP {} {} - {}", kind, presentable(name), state_words(state));
}

std::string subject_of(std::string_view router_id, std::string_view text) {
    return std::string(cut(fmt::format("[{}] {}", presentable(router_id), presentable(text)), longest_subject));
}

std::string mail_date(std::int64_t wall_seconds) {
    const std::time_t time = wall_seconds;
    std::tm local{};
    localtime_r(&time, &local);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S %z", &local);
    return text.data();
}

std::string compose_mail(const MailHead& head, std::string_view body) {
    std::string recipients;
    for (const std::string& address : head.to) recipients += (recipients.empty() ? "" : ",\r\n ") + presentable(address);
    std::string text = fmt::format("Date: {}\r\nFrom: {}\r\nSubject: {}\r\nX-Mailer: Keepalived\r\nTo: {}\r\nMessage-ID: <{}@{}>\r\n"
                                   "Auto-Submitted: auto-generated\r\n",
                                   mail_date(head.wall_seconds), presentable(head.from), header_value(presentable(head.subject), 9), recipients,
                                   presentable(head.id), presentable(head.host));
    const std::string clean = clean_body(body);
    const bool is_encoded = !is_ascii(clean) || has_long_line(clean);
    if (is_encoded) text += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n";
    return text + "\r\n" + (is_encoded ? quoted_printable(clean) : plain_lines(clean));
}

std::string dot_stuffed(std::string_view message) {
    std::string result;
    while (!message.empty()) {
        const std::size_t end = std::min(message.find("\r\n"), message.size());
        if (message.front() == '.') result += '.';
        result += message.substr(0, end);
        result += "\r\n";
        message.remove_prefix(std::min(end + 2, message.size()));
    }
    return result + ".\r\n";
}

}  // namespace vigil::daemon
