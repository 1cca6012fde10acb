/// ~SEQ(VAR, [START,] [STEP,] END) rest, ~SEQx for hexadecimal, ~LST(VAR, a, b) rest and
/// ~LST({A,B}, {1,2}, {3,4}) rest: `rest` is processed once for each value. The variables live while `rest` is processed, also for
/// the lines of a multi-line definition that it names, which is how a whole block is repeated.

#include <algorithm>
#include <charconv>

#include "config/preprocessor.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

struct Preprocessor::Loop {
    bool is_sequence = false;
    bool is_hexadecimal = false;
    std::vector<std::string_view> parameters;  ///< the first is the variable
    std::string_view rest;
};

namespace {

/// Splits at commas outside braces and quotes.
std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> items;
    std::size_t start = 0;
    int braces = 0;
    bool quoted = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == '{') ++braces;
        if (c == '}') --braces;
        if (c == ',' && braces <= 0) {
            items.push_back(trim(text.substr(start, at - start)));
            start = at + 1;
        }
    }
    items.push_back(trim(text.substr(start)));
    return items;
}

/// {a,b} to a and b; anything else to itself, without quotes.
std::vector<std::string_view> split_tuple(std::string_view item) {
    if (item.size() >= 2 && item.front() == '{' && item.back() == '}') return split_list(item.substr(1, item.size() - 2));
    if (item.size() >= 2 && item.front() == '"' && item.back() == '"') item = item.substr(1, item.size() - 2);
    return {item};
}

std::size_t find_closing_parenthesis(std::string_view text, std::size_t at) {
    bool quoted = false;
    for (; at < text.size(); ++at) {
        if (text[at] == '"') quoted = !quoted;
        if (text[at] == ')' && !quoted) return at;
    }
    return std::string_view::npos;
}

}  // namespace

bool Preprocessor::is_loop(std::string_view text) {
    return text.starts_with("~SEQ(") || text.starts_with("~SEQx(") || text.starts_with("~LST(");
}

bool Preprocessor::read_loop(const Line& line, Loop& loop) {
    loop.is_sequence = line.text.starts_with("~SEQ");
    loop.is_hexadecimal = line.text.starts_with("~SEQx");
    const std::size_t open = line.text.find('(');
    const std::size_t close = find_closing_parenthesis(line.text, open);
    const std::string_view name = line.text.substr(0, open);
    if (close == std::string_view::npos) {
        reporter_.error(line, name, "')' is missing: the line is ignored", "write " + std::string(name) + "(VAR, ...) text");
        return false;
    }
    loop.rest = trim(line.text.substr(close + 1));
    Line parameters = line;
    parameters.text = line.text.substr(open + 1, close - open - 1);
    if (!put_in_definitions(parameters, nullptr)) return false;
    loop.parameters = split_list(parameters.text);
    if (loop.parameters.size() < 2) {
        reporter_.error(line, name, "a loop has a variable and at least one value: the line is ignored",
                        loop.is_sequence ? "write ~SEQ(VAR, START, STEP, END) text" : "write ~LST(VAR, VALUE, VALUE) text");
        return false;
    }
    return true;
}

void Preprocessor::run_loop(const Line& line, unsigned depth) {
    Loop loop;
    if (!read_loop(line, loop) || loop.rest.empty()) return;
    if (loop.is_sequence) run_sequence(line, loop, depth);
    else run_list(line, loop, depth);
}

void Preprocessor::run_round(const Line& line, const Loop& loop, unsigned depth) {
    Line next = line;
    next.text = loop.rest;
    process(next, depth + 1);
}

void Preprocessor::run_sequence(const Line& line, const Loop& loop, unsigned depth) {
    std::vector<std::int64_t> numbers;
    for (std::size_t index = 1; index < loop.parameters.size(); ++index) {
        const auto number = read_based_number(loop.parameters[index]);
        if (!number || loop.parameters.size() > 4) {
            reporter_.error(line, first_word(line.text),
                            number ? "~SEQ takes at most START, STEP and END: the line is ignored"
                                   : "'" + std::string(loop.parameters[index]) + "' is no number: the line is ignored",
                            "write ~SEQ(VAR, START, STEP, END) text");
            return;
        }
        numbers.push_back(*number);
    }
    const std::int64_t end = numbers.back();
    const std::int64_t start = numbers.size() > 1 ? numbers.front() : (end < 0 ? -1 : 1);
    const std::int64_t step = numbers.size() > 2 ? numbers[1] : (start <= end ? 1 : -1);
    const bool is_wrong_way = step == 0 || (start < end && step < 0) || (start > end && step > 0);
    if (is_wrong_way) {
        reporter_.error(line, first_word(line.text),
                        "STEP " + std::to_string(step) + " never leads from " + std::to_string(start) + " to " + std::to_string(end) +
                            ": the line is ignored");
        return;
    }
    std::int64_t value = start;
    while ((step > 0 ? value <= end : value >= end) && count_generated(line)) {
        char digits[24];
        const auto written = std::to_chars(digits, digits + sizeof digits, value, loop.is_hexadecimal ? 16 : 10);
        definitions_.push_loop_variable(loop.parameters[0], {digits, static_cast<std::size_t>(written.ptr - digits)});
        run_round(line, loop, depth);
        definitions_.pop_loop_variables(1);
        if (__builtin_add_overflow(value, step, &value)) break;
    }
}

void Preprocessor::run_list(const Line& line, const Loop& loop, unsigned depth) {
    const std::vector<std::string_view> variables = split_tuple(loop.parameters[0]);
    for (std::size_t index = 1; index < loop.parameters.size() && count_generated(line); ++index) {
        const std::vector<std::string_view> values = split_tuple(loop.parameters[index]);
        if (values.size() > variables.size()) {
            reporter_.error(
                line, first_word(line.text),
                "'" + std::string(loop.parameters[index]) + "' has more values than there are variables: this round is left out");
            continue;
        }
        for (std::size_t at = 0; at < variables.size(); ++at) {
            definitions_.push_loop_variable(variables[at], at < values.size() ? values[at] : std::string_view{});
        }
        run_round(line, loop, depth);
        definitions_.pop_loop_variables(variables.size());
    }
}

}  // namespace vigil::config
