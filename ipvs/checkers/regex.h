#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "ipvs/checkers/check_spec.h"

struct pcre2_real_code_8;

namespace vigil::checkers {

/// A word of regex_options, such as "caseless": adds its bits to `spec`. False: there is no such word in this PCRE2.
bool add_regex_option(RegexSpec& spec, std::string_view word);

/// A compiled pattern. Many searches may use it.
class Regex {
public:
    /// The error names the place: "missing closing parenthesis (at 5)".
    static tl::expected<std::shared_ptr<const Regex>, std::string> compile(const RegexSpec& spec);

    const pcre2_real_code_8* code() const { return code_.get(); }
    /// Octets before a match that the pattern may look at; at least 1.
    std::size_t look_behind() const { return look_behind_; }
    bool is_utf() const { return is_utf_; }

private:
    struct Free {
        void operator()(pcre2_real_code_8* code) const;
    };
    Regex() = default;

    std::unique_ptr<pcre2_real_code_8, Free> code_;
    std::size_t look_behind_ = 1;
    bool is_utf_ = false;
};

/// Searches a text that comes in pieces, of any length in all, and keeps no more than `most_kept` of it.
class RegexSearch {
public:
    /// What of the text may be kept: a match is found for certain when it is not longer than half of this.
    static constexpr std::size_t most_kept = 128 * 1024;

    RegexSearch(std::shared_ptr<const Regex> regex, const RegexSpec& spec);

    /// The next piece.
    void on_text(std::string_view text);
    /// There is no more.
    void on_end();

    /// A match was found.
    bool has_matched() const { return has_matched_; }
    /// More text changes nothing.
    bool is_settled() const { return has_matched_ || is_past_ || !error_.empty(); }
    /// Not empty: the pattern could not be applied, such as "it needs too many steps".
    const std::string& error() const { return error_; }

private:
    void search(bool is_end);
    void forget(std::size_t size);

    std::shared_ptr<const Regex> regex_;
    std::uint64_t min_offset_;
    std::optional<std::uint64_t> max_offset_;
    std::string kept_;             // a part of the text
    std::uint64_t kept_at_ = 0;    // where it begins in the text
    std::uint64_t searched_ = 0;   // no match begins before this place of the text
    std::size_t unsearched_ = 0;   // octets since the last search
    bool has_matched_ = false;
    bool is_past_ = false;         // max_offset_
    std::string error_;
};

}  // namespace vigil::checkers
