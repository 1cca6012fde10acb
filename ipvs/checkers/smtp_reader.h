#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vigil::checkers {

/// The client's side of a check by SMTP (RFC 5321 §4), without the network: greeting, HELO, QUIT. Bounded: a server that talks without end fails.
class SmtpReader {
public:
    static constexpr std::size_t longest_line = 2048;   ///< RFC 5321 §4.5.3.1.5 has 512
    static constexpr std::size_t most_lines = 100;      ///< of one reply

    explicit SmtpReader(std::string helo_name) : helo_name_(std::move(helo_name)) {}

    void on_octets(std::string_view octets);
    /// The server closed the connection.
    void on_end();
    /// To be sent now; empty when it is the server's turn.
    std::string take_output() { return std::exchange(output_, {}); }

    /// Nothing more is to be read or written. The answer to QUIT is awaited but not judged.
    bool is_over() const { return phase_ == Phase::over; }
    /// The server has said all that makes it a good one.
    bool is_good() const { return phase_ == Phase::quitting || (is_over() && complaint_.empty()); }
    /// Over, and not good: "the greeting is 554 where 220 is expected: 554 go away".
    const std::string& complaint() const { return complaint_; }
    /// What is awaited, for a timeout: "greeting", "answer to HELO", "answer to QUIT".
    std::string_view awaited() const;

private:
    enum class Phase : std::uint8_t { greeting, hello, quitting, over };

    void on_line(std::string_view line);
    void on_reply(std::string_view code, std::string_view line);
    void complain(std::string complaint);

    std::string helo_name_;
    Phase phase_ = Phase::greeting;
    std::string input_;
    std::string output_;
    std::string code_;           // of the reply whose lines are coming; empty between replies
    std::size_t lines_ = 0;      // of it
    std::string complaint_;
};

}  // namespace vigil::checkers
