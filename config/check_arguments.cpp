/// The words behind a keyword against its table row. This is the only place that says "expected a number from 1 to 255", for
/// keywords that are acted on and for those that are not yet: a handler may rely on the words it finds.
///
/// Numbers with something behind them ("100;", "5s") are taken with a warning, as keepalived does.

#include <algorithm>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

std::string seconds_text(std::int64_t microseconds) { return config::seconds_text(std::chrono::microseconds{microseconds}); }

std::string milliseconds_text(std::int64_t microseconds) { return seconds_text(microseconds * 1000); }

std::string expectation(const Argument& argument) {
    const std::string low = std::to_string(argument.low);
    const std::string high = std::to_string(argument.high);
    switch (argument.kind) {
        case ArgumentKind::none: return "nothing";
        case ArgumentKind::any:
        case ArgumentKind::text:
        case ArgumentKind::optional_text:
        case ArgumentKind::texts: return "a word";
        case ArgumentKind::flag: return "on, off, true, false, yes, no, or nothing";
        case ArgumentKind::number:
        case ArgumentKind::optional_number: return "a number from " + low + " to " + high;
        case ArgumentKind::seconds: return "seconds from " + seconds_text(argument.low) + " to " + seconds_text(argument.high);
        case ArgumentKind::whole_seconds: return "whole seconds from " + low + " to " + high;
        case ArgumentKind::milliseconds: return "milliseconds from " + milliseconds_text(argument.low) + " to " + milliseconds_text(argument.high);
        case ArgumentKind::address: return "an IPv4 or IPv6 address";
        case ArgumentKind::multicast4: return "an IPv4 multicast address";
        case ArgumentKind::multicast6: return "an IPv6 multicast address";
        case ArgumentKind::choice: return "one of " + std::string(argument.words);
        case ArgumentKind::command:
        case ArgumentKind::optional_command: return "a command, quoted when it has arguments";
        case ArgumentKind::endpoint: return "an address and a port";
        case ArgumentKind::service: return "an address and a port, or fwmark NUMBER, or group NAME";
        case ArgumentKind::weight: return "a weight from " + low + " to " + high;
    }
    return {};
}

bool may_be_missing(ArgumentKind kind) {
    return kind == ArgumentKind::none || kind == ArgumentKind::any || kind == ArgumentKind::optional_text || kind == ArgumentKind::flag || kind == ArgumentKind::optional_number ||
           kind == ArgumentKind::optional_command;
}

class ArgumentCheck {
public:
    ArgumentCheck(Reporter& reporter, const Node& node) : reporter_(reporter), node_(node), argument_(node.statement().keyword->argument) {}

    bool check() {
        if (node_.word_count() < 2) {
            if (may_be_missing(argument_.kind)) return true;
            reporter_.error(node_.line(), node_.word(0), in_quotes(node_.word(0)) + " needs " + expectation(argument_),
                            "the keyword is ignored");
            return false;
        }
        const std::string_view word = node_.word(1);
        switch (argument_.kind) {
            case ArgumentKind::none: return extra(1);
            case ArgumentKind::any:
            case ArgumentKind::texts: return true;
            case ArgumentKind::text:
            case ArgumentKind::optional_text: return extra(2);
            case ArgumentKind::flag: return read_boolean(word).has_value() ? extra(2) : refuse(word);
            case ArgumentKind::number:
            case ArgumentKind::optional_number:
            case ArgumentKind::whole_seconds: return check_number(read_number(word)) && extra(2);
            case ArgumentKind::weight: return check_number(read_number(word)) && check_reverse();
            case ArgumentKind::seconds: return check_number(read_seconds(word)) && extra(2);
            case ArgumentKind::milliseconds: return check_number(read_milliseconds(word)) && extra(2);
            case ArgumentKind::address: return read_address(word).has_value() ? extra(2) : refuse(word);
            case ArgumentKind::multicast4: return check_group(word, Family::ipv4);
            case ArgumentKind::multicast6: return check_group(word, Family::ipv6);
            case ArgumentKind::choice: return check_choice(word);
            case ArgumentKind::command:
            case ArgumentKind::optional_command: return check_command();
            case ArgumentKind::endpoint: return check_endpoint(1);
            case ArgumentKind::service: return check_service();
        }
        return true;
    }

private:
    bool refuse(std::string_view word, std::string help = {}) {
        if (help.empty() && word.starts_with('<')) help = "this looks like a placeholder of a manual: write your own value";
        reporter_.error(
            node_.line(), word,
            in_quotes(node_.word(0)) + " expects " + expectation(argument_) + ", not " + in_quotes(word) + ": ignored",
            std::move(help));
        return false;
    }

    /// Words that nobody looks at are worth a note: often a comment in another language's spelling. A keyword there was meant to
    /// be acted on, so that is a warning.
    bool extra(std::size_t first) {
        if (node_.word_count() <= first) return true;
        const std::string_view word = node_.word(first);
        if (stand_together(*node_.statement().keyword, word)) {
            reporter_.warning(node_.line(), word, in_quotes(word) + " is a keyword, but behind another one it is not looked at",
                              "write it on a line of its own");
            return true;
        }
        reporter_.note(node_.line(), word, in_quotes(word) + " and what follows it is not looked at",
                       word.starts_with("//") || word.starts_with(';') ? "a comment starts with # or !" : "");
        return true;
    }

    bool check_number(const std::optional<ParsedNumber>& number) {
        const std::string_view word = node_.word(1);
        if (!number || number->value < argument_.low || number->value > argument_.high) return refuse(word);
        if (number->has_trailing) {
            const std::string taken = as_written(number->value);
            reporter_.warning(node_.line(), word, in_quotes(word) + " is taken as " + taken, "write only the number");
        }
        return true;
    }

    std::string as_written(std::int64_t value) const {
        if (argument_.kind == ArgumentKind::seconds) return seconds_text(value);
        return argument_.kind == ArgumentKind::milliseconds ? milliseconds_text(value) : std::to_string(value);
    }

    bool check_reverse() {
        if (node_.word_count() < 3 || node_.word(2) == "reverse" || node_.word(2) == "noreverse") return extra(3);
        return extra(2);
    }

    bool check_group(std::string_view word, Family family) {
        const auto address = read_address(word);
        return address && address->family == family && address->is_multicast() ? extra(2) : refuse(word);
    }

    bool check_choice(std::string_view word) {
        Suggester suggester(word);
        for (std::string_view rest = argument_.words; !rest.empty();) {
            const std::string_view choice = first_word(rest);
            if (choice == word) return extra(2);
            suggester.consider(choice);
            rest = trim(rest.substr(choice.size()));
        }
        return refuse(word, suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
    }

    bool check_command() {
        const std::vector<std::string_view> words = command_words(node_.statement().text);
        if (words.size() < 2 || plain_word(words[1]).empty()) {
            if (argument_.kind == ArgumentKind::optional_command) return true;
            reporter_.error(node_.line(), node_.word(0), in_quotes(node_.word(0)) + " needs " + expectation(argument_),
                            "the keyword is ignored");
            return false;
        }
        const bool looks_like_arguments =
            words.size() > 4 || (words.size() > 2 && (words[2].starts_with('-') || words[2].starts_with('/')));
        if (looks_like_arguments && node_.word(0) != "regex") {
            reporter_.warning(node_.line(), words[2],
                              "only " + in_quotes(plain_word(words[1])) + " is the command; what follows is taken as user and group",
                              "put the command and its arguments into one pair of quotes");
        }
        return true;
    }

    bool check_endpoint(std::size_t first) {
        const auto address = read_endpoint_address(node_.word(first));
        if (!address) return refuse(node_.word(first));
        if (!read_address(node_.word(first))) {
            reporter_.warning(node_.line(), node_.word(first), in_quotes(node_.word(first)) + " is taken as " + to_string(*address), "write only the address: a server has no prefix");
        }
        if (node_.word_count() <= first + 1) return true;
        const auto port = read_number(node_.word(first + 1));
        if (!port || port->has_trailing || port->value < 0 || port->value > 65'535)
            return refuse(node_.word(first + 1), "a port is a number from 0 to 65535");
        return extra(first + 2);
    }

    bool check_service() {
        const std::string_view word = node_.word(1);
        if (word == "group" || word == "fwmark") {
            if (node_.word_count() < 3) return refuse(word);
            if (word == "fwmark" && !read_based_number(node_.word(2))) return refuse(node_.word(2));
            return true;
        }
        return check_endpoint(1);
    }

    Reporter& reporter_;
    const Node& node_;
    const Argument& argument_;
};

}  // namespace

bool check_arguments(Reporter& reporter, const Node& node) { return ArgumentCheck(reporter, node).check(); }

void check_block(Reporter& reporter, const Node& node) {
    node.for_each_child([&](const Node& child) {
        const Statement& statement = child.statement();
        if (statement.is_deaf) return;
        if (statement.keyword == nullptr) return;
        report_deprecated(reporter, child);
        check_arguments(reporter, child);
        check_block(reporter, child);
    });
}

void report_deprecated(Reporter& reporter, const Node& node) {
    const std::string_view replacement = node.statement().keyword->replacement;
    if (replacement.empty()) return;
    reporter.warning(node.line(), node.word(0), in_quotes(node.word(0)) + " is deprecated",
                     replacement == "-" ? "leave it out" : "use " + std::string(replacement));
}

void report_later(Reporter& reporter, const Node& node) {
    reporter.note(node.line(), node.word(0), in_quotes(node.word(0)) + " is understood, not yet acted on");
    check_block(reporter, node);
}

}  // namespace vigil::config
