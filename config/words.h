#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Blanks, quotes and words: the alphabet of the language.
namespace vigil::config {

constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

inline std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

/// Without blanks at either end.
std::string_view trim(std::string_view text);
/// Up to the first blank.
std::string_view first_word(std::string_view text);

/// A word of a statement. `quoted` ones may hold blanks, braces and comment characters.
struct Word {
    const char* data = nullptr;
    std::uint32_t size = 0;
    bool quoted = false;

    std::string_view view() const { return {data, size}; }
};

/// Removes a comment: from the first # or ! that is neither inside "..." nor behind a backslash. When a backslash before #
/// or ! has to go, the result is built in `scratch` and points there.
std::string_view strip_comment(std::string_view line, std::string& scratch);

/// The words of a command keyword: ' and " quote, a backslash keeps the next character from ending a quote, pieces that touch
/// are one word. They are as they stand there: plain_word() removes quotes and escapes.
std::vector<std::string_view> command_words(std::string_view text);
/// Of one of command_words(): without its quotes, escapes resolved. A command is such a word, and split_command() splits it by the same rules once
/// more, so that an escape that is meant for the second time needs two backslashes, as with keepalived.
std::string plain_word(std::string_view word);

}  // namespace vigil::config
