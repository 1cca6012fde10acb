#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "ipvs/checkers/regex.h"
#include "tests/fuzz/check.h"

// A body that comes in pieces, searched as it comes, has a match if and only if the whole body has one. The searches begin each 16 KiB, so filler in front of the
// input and in its middle moves it across those places. The patterns are ours, as they are in the configuration; the body is the server's.

using namespace vigil::checkers;

namespace {

constexpr std::array<std::string_view, 16> patterns = {
    "(?<=a)b+c$", "^ab", "\\bab\\b", "a.*?b", "(?<!x)ab(?!c)", "a(?=b)", "(a|b)+c", "[^a]{3}b", "(?m)^b$", "ab\\z", "\\Aab", "(?<=^a|bb)c", "a\\Kb", "(?s)a.{1,300}b", "x?", "\\Bb+\\b"};
constexpr std::string_view utf_pattern = "(?<=.)\xc3\xa9.\\b";

struct Input {
    RegexSpec spec;
    std::string body;
    std::size_t piece = 1;
};

/// Nothing that a pattern matches: the search goes through it.
std::string filler(std::size_t size) { return std::string(size, '-'); }

Input read_input(const std::uint8_t* data, std::size_t size) {
    const auto number = [&](std::size_t at) { return static_cast<std::size_t>(data[at] | data[at + 1] << 8); };
    Input input;
    const std::size_t choice = data[0] % (patterns.size() + 1);
    input.spec.pattern = choice < patterns.size() ? patterns[choice] : utf_pattern;
    if (data[1] & 1) add_regex_option(input.spec, "caseless");
    if ((data[1] & 2) || choice == patterns.size()) add_regex_option(input.spec, "utf");
    if (data[1] & 4) add_regex_option(input.spec, "multiline");
    if (data[1] & 8) add_regex_option(input.spec, "dotall");
    if (data[1] & 16) input.spec.min_offset = number(2);
    if (data[1] & 32) input.spec.max_offset = number(4);
    input.piece = 1 + number(6);
    const std::string_view text(reinterpret_cast<const char*>(data) + 10, size - 10);
    const std::size_t middle = data[8] * text.size() / 255;
    input.body = filler(data[1] & 64 ? 16384 - std::min<std::size_t>(data[9], 255) : data[9]);
    input.body += text.substr(0, middle);
    if (data[1] & 128) input.body += filler(16384u - data[8]);
    input.body += text.substr(middle);
    return input;
}

/// 1: the whole body matches; 0: it does not; -1: PCRE2 cannot say.
int search_whole(const Regex& regex, const Input& input) {
    if (input.spec.min_offset > input.body.size()) return 0;
    if (input.spec.max_offset && *input.spec.max_offset < input.spec.min_offset) return 0;
    pcre2_match_context* const context = ::pcre2_match_context_create(nullptr);
    pcre2_match_data* const found = ::pcre2_match_data_create(1, nullptr);
    if (input.spec.max_offset) ::pcre2_set_offset_limit(context, static_cast<PCRE2_SIZE>(*input.spec.max_offset));
    const int result = ::pcre2_match(regex.code(), reinterpret_cast<PCRE2_SPTR>(input.body.data()), input.body.size(),
                                     static_cast<PCRE2_SIZE>(input.spec.min_offset), 0, found, context);
    ::pcre2_match_data_free(found);
    ::pcre2_match_context_free(context);
    return result >= 0 ? 1 : result == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 10) return 0;
    const Input input = read_input(data, size);
    const auto regex = Regex::compile(input.spec);
    FUZZ_CHECK(regex.has_value());
    RegexSearch search(*regex, input.spec);
    for (std::size_t at = 0; at < input.body.size() && !search.is_settled(); at += input.piece) search.on_text(std::string_view(input.body).substr(at, input.piece));
    search.on_end();
    if (!search.error().empty()) return 0;
    const int whole = search_whole(**regex, input);
    FUZZ_CHECK(whole < 0 || search.has_matched() == (whole == 1));
    return 0;
}
