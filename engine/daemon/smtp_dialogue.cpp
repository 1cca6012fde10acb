// SMTP as far as an alert needs it: HELO, MAIL, RCPT, DATA, QUIT, in turn, without extensions. HELO rather than EHLO, because nothing that EHLO
// could offer would be used, and it is what keepalived says.
//
// Every reply decides about the mail under way: 2xx and 3xx go on, 5xx refuse it for good, anything else fails it for now (RFC 5321 §4.2.1). One
// recipient that is refused does not keep the mail from the others.

#include "engine/daemon/smtp_dialogue.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/daemon/mail_text.h"

namespace vigil::daemon {
namespace {

constexpr std::size_t longest_quote = 200;   // of the server, in a log line

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<int> code_of(std::string_view line) {
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return std::nullopt;
    if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return std::nullopt;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

void SmtpDialogue::on_octets(std::string_view octets) {
    input_ += octets;
    while (!is_over()) {
        const std::size_t end = input_.find('\n');
        if (end == std::string::npos) {
            if (input_.size() > longest_line) give_up("the server sent a line without end");
            return;
        }
        std::string line = input_.substr(0, end);
        input_.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        const auto code = code_of(line);
        if (!code) return give_up(fmt::format("the server does not speak SMTP: '{}'", line.substr(0, longest_quote)));
        if (line.size() > 4 && reply_.size() < longest_quote) reply_ += (reply_.empty() ? "" : " ") + line.substr(4);
        if (line.size() > 3 && line[3] == '-') {
            if (++reply_lines_ == most_lines) return give_up("the server sent a reply without end");
            continue;
        }
        reply_lines_ = 0;
        on_reply(*code, fmt::format("{} {}", *code, std::exchange(reply_, {}).substr(0, longest_quote)));
    }
}

void SmtpDialogue::on_end(std::string_view why) {
    if (!is_over()) give_up(why);
}

void SmtpDialogue::begin(Mail mail) {
    mail_ = std::move(mail);
    // A mail that was refused halfway is still open with the server.
    if (std::exchange(is_transaction_open_, false)) return say(Phase::reset, "RSET");
    say(Phase::sender, fmt::format("MAIL FROM:<{}>", mail_.from));
}

void SmtpDialogue::quit() {
    if (!is_over()) say(Phase::quitting, "QUIT");
}

void SmtpDialogue::say(Phase next, const std::string& command) {
    phase_ = next;
    output_ += command + "\r\n";
}

void SmtpDialogue::on_reply(int code, const std::string& text) {
    const bool is_good = code >= 200 && code < 300;
    if (code == 421) return give_up("the server closes the session: " + text);
    switch (phase_) {
    case Phase::greeting:
        if (!is_good) return give_up("the server does not serve: " + text);
        return say(Phase::hello, "HELO " + host_name_);
    case Phase::hello:
        if (!is_good) return give_up("the server does not take HELO: " + text);
        return begin(std::move(mail_));
    case Phase::reset:
        if (!is_good) return give_up("the server does not take RSET: " + text);
        return begin(std::move(mail_));
    case Phase::sender:
        if (!is_good) return judge(code, fmt::format("the sender <{}>", mail_.from), text);
        is_transaction_open_ = true;
        recipient_ = taken_ = 0;
        refusals_.clear();
        may_help_later_ = false;
        return next_recipient();
    case Phase::recipient: return on_recipient_reply(code, text);
    case Phase::data:
        if (code != 354) return judge(code, "the mail", text);
        phase_ = Phase::message;
        output_ += dot_stuffed(mail_.message);
        return;
    case Phase::message:
        is_transaction_open_ = false;
        if (!is_good) return judge(code, "the mail", text);
        phase_ = Phase::between;
        verdict_ = MailVerdict{MailVerdict::Kind::taken, refusals_};
        return;
    case Phase::quitting: phase_ = Phase::over; return;
    case Phase::between:   // nobody asked
    case Phase::over: return;
    }
}

void SmtpDialogue::next_recipient() {
    if (recipient_ < mail_.to.size()) return say(Phase::recipient, fmt::format("RCPT TO:<{}>", mail_.to[recipient_]));
    if (taken_ > 0) return say(Phase::data, "DATA");
    phase_ = Phase::between;
    verdict_ = MailVerdict{may_help_later_ ? MailVerdict::Kind::failed : MailVerdict::Kind::refused, refusals_};
}

void SmtpDialogue::on_recipient_reply(int code, const std::string& text) {
    if (code >= 200 && code < 300) {
        ++taken_;
    } else {
        may_help_later_ = may_help_later_ || code < 500;
        if (refusals_.size() < longest_quote) refusals_ += fmt::format("{}<{}>: {}", refusals_.empty() ? "refused " : ", ", mail_.to[recipient_], text);
    }
    ++recipient_;
    next_recipient();
}

void SmtpDialogue::judge(int code, std::string_view what, const std::string& text) {
    phase_ = Phase::between;
    verdict_ = MailVerdict{code >= 500 ? MailVerdict::Kind::refused : MailVerdict::Kind::failed, fmt::format("refused {}: {}", what, text)};
}

void SmtpDialogue::give_up(std::string_view why) {
    // Behind its verdict no mail is under way.
    if (phase_ != Phase::between && phase_ != Phase::quitting) verdict_ = MailVerdict{MailVerdict::Kind::failed, std::string(why)};
    phase_ = Phase::over;
    output_.clear();
}

}  // namespace vigil::daemon
