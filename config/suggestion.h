#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigil::config {

/// Edits (insert, delete, replace, swap of neighbours) between two words; `limit` + 1 when there are more than `limit`.
/// O(length²), words longer than 48 octets never match.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// Finds the nearest of many candidates to a mistyped word.
class Suggester {
public:
    explicit Suggester(std::string_view word);
    /// Earlier candidates win ties; give the likelier ones first, or a `handicap` in edits to the others. Of many thousands only the first
    /// 2,000 are looked at.
    void consider(std::string_view candidate, std::size_t handicap = 0);
    /// Empty when nothing is near enough (about a third of the word).
    std::string_view best() const { return best_; }

private:
    std::string_view word_;
    std::string_view best_;
    std::size_t best_distance_;
    unsigned candidates_left_ = 2'000;
};

}  // namespace vigil::config
