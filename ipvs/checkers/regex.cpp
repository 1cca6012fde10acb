// A body may have gigabytes and comes from a stranger. PCRE2 can search in pieces: a match that reaches the end of a piece is reported as partial, and the
// search goes on from its beginning when more has come; so are `$`, `\b` and the like at its end. What lies before that, except for what a
// lookbehind may ask for, is forgotten. A match that would grow without end (`a.*b` with DOTALL) is given up when it fills the window. The number of steps and
// the memory of one search are limited too, so that a pattern with a bad temper costs milliseconds and an error, not the process.
//
// Octets that are not UTF-8 divide a text: PCRE2 finds no match across them. But while it looks for a partial match it loses whole ones in front of such octets (10.42), so
// what lies in front of the last of them is searched before the rest, without partial matches.

#include "ipvs/checkers/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

constexpr std::size_t piece_size = 16 * 1024;           // a search is begun when so much is new
constexpr std::uint32_t most_steps = 2'000'000;         // PCRE2's default is 10,000,000
constexpr std::uint32_t most_memory_kibibytes = 4096;   // PCRE2's default is 20,000,000

struct Option {
    std::string_view word;
    std::uint32_t bit;
    bool is_extra = false;
};

constexpr Option regex_words[] = {
    {"allow_empty_class", PCRE2_ALLOW_EMPTY_CLASS},
    {"alt_bsux", PCRE2_ALT_BSUX},
    {"alt_circumflex", PCRE2_ALT_CIRCUMFLEX},
    {"alt_verbnames", PCRE2_ALT_VERBNAMES},
    {"auto_callout", PCRE2_AUTO_CALLOUT},
    {"caseless", PCRE2_CASELESS},
    {"dollar_endonly", PCRE2_DOLLAR_ENDONLY},
    {"dotall", PCRE2_DOTALL},
    {"dupnames", PCRE2_DUPNAMES},
    {"extended", PCRE2_EXTENDED},
    {"extended_more", PCRE2_EXTENDED_MORE},
    {"firstline", PCRE2_FIRSTLINE},
    {"literal", PCRE2_LITERAL},
    {"match_unset_backref", PCRE2_MATCH_UNSET_BACKREF},
    {"multiline", PCRE2_MULTILINE},
    {"never_backslash_c", PCRE2_NEVER_BACKSLASH_C},
    {"never_ucp", PCRE2_NEVER_UCP},
    {"never_utf", PCRE2_NEVER_UTF},
    {"no_auto_capture", PCRE2_NO_AUTO_CAPTURE},
    {"no_auto_possess", PCRE2_NO_AUTO_POSSESS},
    {"no_dotstar_anchor", PCRE2_NO_DOTSTAR_ANCHOR},
    {"no_start_optimize", PCRE2_NO_START_OPTIMIZE},
    {"ucp", PCRE2_UCP},
    {"ungreedy", PCRE2_UNGREEDY},
    {"use_offset_limit", PCRE2_USE_OFFSET_LIMIT},
    {"utf", PCRE2_UTF},
    {"extra_alt_bsux", PCRE2_EXTRA_ALT_BSUX, true},
    {"bad_escape_is_literal", PCRE2_EXTRA_BAD_ESCAPE_IS_LITERAL, true},
    {"escaped_cr_is_lf", PCRE2_EXTRA_ESCAPED_CR_IS_LF, true},
    {"match_line", PCRE2_EXTRA_MATCH_LINE, true},
    {"match_word", PCRE2_EXTRA_MATCH_WORD, true},
};

std::string error_text(int error) {
    std::array<PCRE2_UCHAR, 160> text{};
    ::pcre2_get_error_message(error, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

struct FreeContext {
    void operator()(pcre2_compile_context* context) const { ::pcre2_compile_context_free(context); }
    void operator()(pcre2_match_context* context) const { ::pcre2_match_context_free(context); }
    void operator()(pcre2_match_data* data) const { ::pcre2_match_data_free(data); }
};

/// One for all searches of a thread: they hold memory of earlier searches, and a search at a time is under way.
struct Workbench {
    std::unique_ptr<pcre2_match_context, FreeContext> context{::pcre2_match_context_create(nullptr)};
    std::unique_ptr<pcre2_match_data, FreeContext> data{::pcre2_match_data_create(1, nullptr)};

    Workbench() {
        ::pcre2_set_match_limit(context.get(), most_steps);
        ::pcre2_set_heap_limit(context.get(), most_memory_kibibytes);
    }
};

Workbench& workbench() {
    thread_local Workbench bench;
    return bench;
}

/// How many octets at the end of `text` begin a UTF-8 character that goes on in the next piece.
std::size_t unfinished_character(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto octet = static_cast<unsigned char>(text[text.size() - back]);
        if ((octet & 0xc0) == 0x80) continue;
        const std::size_t length = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : octet >= 0xc0 ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

/// Of the UTF-8 character (RFC 3629 §4) that `text` begins with; 0: of none.
std::size_t character_length(std::string_view text) {
    const auto octet = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = octet(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((octet(i) & 0xc0) != 0x80) return 0;
    const unsigned second = octet(1);
    const bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool is_no_scalar = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    return is_overlong || is_no_scalar ? 0 : length;
}

/// Where the last part of `text` begins that is UTF-8 from its beginning to the end.
std::size_t last_utf8_part(std::string_view text) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_length(text.substr(at));
        at += std::max<std::size_t>(1, length);
        if (length == 0) begin = at;
    }
    return begin;
}

int match(const Regex& regex, std::string_view subject, std::size_t begin, std::uint32_t options) {
    const Workbench& bench = workbench();
    return ::pcre2_match(regex.code(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), begin, options, bench.data.get(), bench.context.get());
}

}  // namespace

void Regex::Free::operator()(pcre2_real_code_8* code) const { ::pcre2_code_free(code); }

bool add_regex_option(RegexSpec& spec, std::string_view word) {
    const auto found = std::ranges::find(regex_words, word, &Option::word);
    if (found == std::end(regex_words)) return false;
    (found->is_extra ? spec.extra_options : spec.options) |= found->bit;
    return true;
}

tl::expected<std::shared_ptr<const Regex>, std::string> Regex::compile(const RegexSpec& spec) {
    std::uint32_t options = spec.options;
    if (options & PCRE2_UTF) options |= PCRE2_MATCH_INVALID_UTF;   // what a server sends need not be UTF-8
    if (spec.max_offset) options |= PCRE2_USE_OFFSET_LIMIT;
    const std::unique_ptr<pcre2_compile_context, FreeContext> context(::pcre2_compile_context_create(nullptr));
    ::pcre2_set_compile_extra_options(context.get(), spec.extra_options);
    int error = 0;
    PCRE2_SIZE place = 0;
    std::shared_ptr<Regex> regex(new Regex);
    regex->code_.reset(::pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spec.pattern.data()), spec.pattern.size(), options, &error, &place, context.get()));
    if (!regex->code_) return tl::unexpected(fmt::format("{} (at {})", error_text(error), place));
    std::uint32_t characters = 0;
    std::uint32_t all_options = 0;
    ::pcre2_pattern_info(regex->code_.get(), PCRE2_INFO_MAXLOOKBEHIND, &characters);
    ::pcre2_pattern_info(regex->code_.get(), PCRE2_INFO_ALLOPTIONS, &all_options);
    regex->is_utf_ = (all_options & PCRE2_UTF) != 0;
    regex->look_behind_ = std::max<std::size_t>(1, std::size_t{characters} * (regex->is_utf_ ? 4 : 1));
    return regex;
}

RegexSearch::RegexSearch(std::shared_ptr<const Regex> regex, const RegexSpec& spec)
    : regex_(std::move(regex)), min_offset_(spec.min_offset), max_offset_(spec.max_offset) {
    searched_ = min_offset_;
    is_past_ = max_offset_ && *max_offset_ < min_offset_;
}

void RegexSearch::on_text(std::string_view text) {
    while (!text.empty() && !is_settled()) {
        const std::string_view piece = text.substr(0, piece_size);
        text.remove_prefix(piece.size());
        kept_ += piece;
        unsearched_ += piece.size();
        if (unsearched_ >= piece_size) search(false);
    }
}

void RegexSearch::on_end() {
    if (!is_settled()) search(true);
    kept_ = {};
}

/// Looks for a match in what is kept, from searched_ on.
void RegexSearch::search(bool is_end) {
    unsearched_ = 0;
    std::string_view subject = kept_;
    if (!is_end && regex_->is_utf()) subject.remove_suffix(unfinished_character(subject));
    if (max_offset_ && searched_ > *max_offset_) {
        is_past_ = true;
        return;
    }
    if (searched_ > kept_at_ + subject.size()) return forget(kept_.size());
    const Workbench& bench = workbench();
    ::pcre2_set_offset_limit(bench.context.get(), max_offset_ ? static_cast<PCRE2_SIZE>(*max_offset_ - kept_at_) : PCRE2_UNSET);
    const std::uint32_t options = kept_at_ > 0 ? PCRE2_NOTBOL : 0u;
    std::size_t begin = static_cast<std::size_t>(searched_ - kept_at_);
    int found = PCRE2_ERROR_NOMATCH;
    if (const std::size_t part = regex_->is_utf() && !is_end ? last_utf8_part(subject) : 0; part > begin) {
        found = match(*regex_, subject.substr(0, part), begin, options | PCRE2_NOTEOL);
        begin = part;
    }
    if (found == PCRE2_ERROR_NOMATCH) found = match(*regex_, subject, begin, options | (is_end ? 0u : PCRE2_PARTIAL_HARD));
    if (found >= 0) {
        has_matched_ = true;
    } else if (found == PCRE2_ERROR_PARTIAL) {
        searched_ = kept_at_ + ::pcre2_get_ovector_pointer(bench.data.get())[0];
        forget(static_cast<std::size_t>(searched_ - kept_at_));
        if (kept_.size() >= most_kept) error_ = fmt::format("a match would be longer than {} octets", most_kept);
    } else if (found == PCRE2_ERROR_NOMATCH) {
        searched_ = kept_at_ + subject.size();
        forget(subject.size());
    } else {
        error_ = error_text(found);
    }
}

/// Of what is kept the first `size` octets, except for what a lookbehind may still ask for.
void RegexSearch::forget(std::size_t size) {
    if (size <= regex_->look_behind()) return;
    const std::size_t gone = std::min(size, kept_.size()) - regex_->look_behind();
    kept_.erase(0, gone);
    kept_at_ += gone;
}

}  // namespace vigil::checkers
