#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigil::daemon {

/// What is handed to a mail server.
struct Mail {
    std::string from;              ///< addresses without angle brackets, checked when the configuration was read
    std::vector<std::string> to;
    std::string message;           ///< complete, lines end in CRLF
};

/// What became of one mail.
struct MailVerdict {
    enum class Kind : std::uint8_t {
        taken,      ///< by the server, for at least one recipient
        refused,    ///< for good: trying again is of no use
        failed,     ///< now; later it may be taken
    };
    Kind kind = Kind::failed;
    std::string text;   ///< what the server said, and to what; for `taken` whom it refused, or nothing
};

/// The client's side of one SMTP session (RFC 5321 §4), without the network: octets of the server in, octets for the server out. Any number of mails go
/// through one session. Bounded: a server that sends without end, or something else than SMTP, ends the session with an error.
class SmtpDialogue {
public:
    static constexpr std::size_t longest_line = 2048;   ///< RFC 5321 §4.5.3.1.5 has 512
    static constexpr std::size_t most_lines = 100;      ///< of one reply

    /// `mail` is the first to send.
    SmtpDialogue(std::string host_name, Mail mail) : host_name_(std::move(host_name)), mail_(std::move(mail)) {}

    /// What the server sent.
    void on_octets(std::string_view octets);
    /// The connection ended, or took too long: `why` is said of the mail under way.
    void on_end(std::string_view why);
    /// To be sent now; empty when it is the server's turn.
    std::string take_output() { return std::exchange(output_, {}); }
    /// Once for each mail.
    std::optional<MailVerdict> take_verdict() { return std::exchange(verdict_, std::nullopt); }
    /// After a verdict and before is_over(): another mail, or the end.
    void begin(Mail mail);
    void quit();
    /// Nothing is to be said or heard any more.
    bool is_over() const { return phase_ == Phase::over; }

private:
    enum class Phase : std::uint8_t { greeting, hello, reset, sender, recipient, data, message, between, quitting, over };

    void on_reply(int code, const std::string& text);
    void on_recipient_reply(int code, const std::string& text);
    void say(Phase next, const std::string& command);
    void next_recipient();
    void judge(int code, std::string_view what, const std::string& text);
    void give_up(std::string_view why);

    std::string host_name_;
    Mail mail_;
    Phase phase_ = Phase::greeting;
    std::string input_;
    std::string reply_;             // lines of one reply, without codes
    std::size_t reply_lines_ = 0;
    std::string output_;
    std::optional<MailVerdict> verdict_;
    std::size_t recipient_ = 0;     // whose reply is awaited
    std::size_t taken_ = 0;         // recipients
    std::string refusals_;
    bool is_transaction_open_ = false;
    bool may_help_later_ = false;   // a recipient was refused for now
};

}  // namespace vigil::daemon
