#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "config/keywords.h"

namespace vigil::config {

/// Keyword to handler (or to whatever else belongs to it) in O(1): keywords of one table are contiguous, so their index is their
/// place in it.
template <typename Handler>
class HandlerTable {
public:
    struct Row {
        std::string_view name;
        Handler handler;
    };

    HandlerTable(std::span<const Keyword> keywords, std::span<const Row> rows) : keywords_(keywords), handlers_(keywords.size()) {
        for (const Row& row : rows) {
            for (std::size_t index = 0; index < keywords.size(); ++index) {
                if (keywords[index].name == row.name) handlers_[index] = row.handler;
            }
        }
    }

    /// Handler{} when the keyword has no row: nothing is done with it beyond checking its words.
    Handler find(const Keyword* keyword) const { return handlers_[static_cast<std::size_t>(keyword - keywords_.data())]; }

private:
    std::span<const Keyword> keywords_;
    std::vector<Handler> handlers_;
};

}  // namespace vigil::config
