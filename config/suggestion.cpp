#include "config/suggestion.h"

#include <algorithm>
#include <array>

namespace vigil::config {

namespace {
constexpr std::size_t longest_word = 48;
}

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
    if (difference > limit || a.size() > longest_word || b.size() > longest_word) return limit + 1;
    std::array<std::size_t, longest_word + 1> two_back{};
    std::array<std::size_t, longest_word + 1> previous{};
    std::array<std::size_t, longest_word + 1> current{};
    for (std::size_t column = 0; column <= b.size(); ++column) previous[column] = column;
    for (std::size_t row = 1; row <= a.size(); ++row) {
        current[0] = row;
        std::size_t least = row;
        for (std::size_t column = 1; column <= b.size(); ++column) {
            const bool equal = a[row - 1] == b[column - 1];
            std::size_t edits = std::min({previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (equal ? 0u : 1u)});
            const bool swapped = row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1];
            if (swapped) edits = std::min(edits, two_back[column - 2] + 1);
            current[column] = edits;
            least = std::min(least, edits);
        }
        if (least > limit) return limit + 1;
        two_back = previous;
        previous = current;
    }
    return std::min(previous[b.size()], limit + 1);
}

Suggester::Suggester(std::string_view word)
    : word_(word), best_distance_(word.size() <= 2 ? 1 : std::min<std::size_t>(word.size() / 3, 3) + 1) {}

void Suggester::consider(std::string_view candidate, std::size_t handicap) {
    if (best_distance_ <= handicap || candidates_left_ == 0) return;
    --candidates_left_;
    const std::size_t limit = best_distance_ - handicap - 1;
    const bool is_part = word_.size() >= 5 && candidate.size() > word_.size() && candidate.size() - word_.size() <= 4 &&
                         (candidate.starts_with(word_) || candidate.ends_with(word_));
    std::size_t edits = edit_distance(word_, candidate, limit);
    if (is_part) edits = std::min<std::size_t>(edits, 2);  // an end that was lost when copying
    if (edits > limit) return;
    best_ = candidate;
    best_distance_ = edits + handicap;
}

}  // namespace vigil::config
