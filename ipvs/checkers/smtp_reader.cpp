#include "ipvs/checkers/smtp_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "ipvs/checkers/printable.h"

namespace vigil::checkers {
namespace {

bool is_digit(char character) { return character >= '0' && character <= '9'; }

}  // namespace

std::string_view SmtpReader::awaited() const {
    switch (phase_) {
    case Phase::greeting: return "greeting";
    case Phase::hello: return "answer to HELO";
    case Phase::quitting: case Phase::over: return "answer to QUIT";
    }
    return {};
}

void SmtpReader::complain(std::string complaint) {
    // Once it has answered HELO, nothing counts any more.
    if (phase_ != Phase::quitting) complaint_ = std::move(complaint);
    phase_ = Phase::over;
    output_.clear();
}

void SmtpReader::on_octets(std::string_view octets) {
    while (!octets.empty() && !is_over()) {
        const std::size_t end = octets.find('\n');
        input_ += octets.substr(0, end);
        if (input_.size() > longest_line) return complain(fmt::format("a line has more than {} octets", longest_line));
        if (end == std::string_view::npos) return;
        octets.remove_prefix(end + 1);
        if (input_.ends_with('\r')) input_.pop_back();
        on_line(std::exchange(input_, {}));
    }
}

void SmtpReader::on_end() {
    if (!is_over()) complain(fmt::format("the connection was closed where the {} is expected", awaited()));
}

void SmtpReader::on_line(std::string_view line) {
    const std::string_view code = line.substr(0, 3);
    const bool is_reply = code.size() == 3 && std::ranges::all_of(code, is_digit) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    if (!is_reply || (!code_.empty() && code != code_)) return complain(fmt::format("this is not SMTP: {}", printable(line)));
    if (++lines_ > most_lines) return complain(fmt::format("a reply has more than {} lines", most_lines));
    code_ = code;
    if (line.size() > 3 && line[3] == '-') return;
    lines_ = 0;
    on_reply(std::exchange(code_, {}), line);
}

void SmtpReader::on_reply(std::string_view code, std::string_view line) {
    switch (phase_) {
    case Phase::greeting:
        if (code != "220") return complain(fmt::format("the greeting is {} where 220 is expected: {}", code, printable(line)));
        phase_ = Phase::hello;
        output_ = fmt::format("HELO {}\r\n", helo_name_);
        return;
    case Phase::hello:
        if (code != "250") return complain(fmt::format("the answer to HELO is {} where 250 is expected: {}", code, printable(line)));
        phase_ = Phase::quitting;
        output_ = "QUIT\r\n";
        return;
    case Phase::quitting:
    case Phase::over: phase_ = Phase::over; return;
    }
}

}  // namespace vigil::checkers
