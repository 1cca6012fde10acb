#include "config/words.h"

#include "config/model.h"

namespace vigil::config {

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view first_word(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && !is_blank(text[end])) ++end;
    return text.substr(0, end);
}

std::string_view strip_comment(std::string_view line, std::string& scratch) {
    bool quoted = false;
    bool rewritten = false;
    std::size_t copied = 0;
    std::size_t at = 0;
    for (; at < line.size(); ++at) {
        const char c = line[at];
        if (c == '"') {
            quoted = !quoted;
        } else if (c == '\\' && at + 1 < line.size() && (line[at + 1] == '"' || (quoted && line[at + 1] == '\\'))) {
            ++at;   // commands have quotes in quotes
        } else if (quoted) {
            continue;
        } else if (c == '\\' && at + 1 < line.size() && (line[at + 1] == '#' || line[at + 1] == '!')) {
            if (!rewritten) scratch.clear();
            rewritten = true;
            scratch.append(line.substr(copied, at - copied));
            copied = ++at;
        } else if (c == '#' || c == '!') {
            break;
        }
    }
    if (!rewritten) return line.substr(0, at);
    scratch.append(line.substr(copied, at - copied));
    return scratch;
}

namespace {

/// Offset behind the word that starts at `at`.
std::size_t end_of_command_word(std::string_view text, std::size_t at) {
    char quote = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\' && at + 1 < text.size()) {
            ++at;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (is_blank(c)) {
            break;
        }
    }
    return at;
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Reads what follows a backslash; `at` is left behind it.
char read_escape(std::string_view text, std::size_t& at) {
    const char c = text[at++];
    switch (c) {
        case 'a': return '\a';
        case 'b': return '\b';
        case 'E': return '\x1b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'v': return '\v';
        default: break;
    }
    if (c == 'c' && at < text.size()) return static_cast<char>(text[at++] & 0x1f);
    if (c == 'x' && at < text.size() && hex_value(text[at]) >= 0) {
        int value = hex_value(text[at++]);
        if (at < text.size() && hex_value(text[at]) >= 0) value = value * 16 + hex_value(text[at++]);
        return static_cast<char>(value);
    }
    if (c >= '0' && c <= '7') {
        int value = c - '0';
        for (int digits = 1; digits < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++digits) {
            value = value * 8 + (text[at++] - '0');
        }
        return static_cast<char>(value);
    }
    return c;
}

/// The word at `at`, which is left behind it.
std::string read_command_word(std::string_view text, std::size_t& at) {
    std::string word;
    char quote = 0;
    while (at < text.size() && (quote != 0 || !is_blank(text[at]))) {
        const char c = text[at++];
        if (c == '\\' && at < text.size()) word += read_escape(text, at);
        else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
        else if (quote != 0 && c == quote) quote = 0;
        else word += c;
    }
    return word;
}

}  // namespace

std::vector<std::string_view> command_words(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < text.size();) {
        if (is_blank(text[at])) {
            ++at;
            continue;
        }
        const std::size_t end = end_of_command_word(text, at);
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

std::string plain_word(std::string_view word) {
    std::size_t at = 0;
    return read_command_word(word, at);
}

std::vector<std::string> split_command(std::string_view command) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < command.size();) {
        if (is_blank(command[at])) {
            ++at;
            continue;
        }
        words.push_back(read_command_word(command, at));
    }
    return words;
}

}  // namespace vigil::config
