#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace vigil::config {

/// One line on its way from a file to the block parser.
struct Line {
    std::string_view text;    ///< without comment, references replaced; never empty, no blank at either end
    std::string_view source;  ///< the whole line as written
    SourceLocation where;     ///< column unused
};

/// The files of one load. Contents stay where they are until the load ends, so views into them are stable.
class Sources {
public:
    /// Keeps `content` and gives it the next file index.
    std::uint16_t add(std::string name, std::string content);

    std::string_view content(std::uint16_t file) const { return files_[file]->content; }
    const std::string& name(std::uint16_t file) const { return files_[file]->name; }
    std::size_t count() const { return files_.size(); }
    /// The text of line `where.line`; empty when there is none. O(1) after the first call for a file.
    std::string_view line(SourceLocation where) const;
    std::vector<std::string> names() const;

private:
    struct File {
        std::string name;
        std::string content;
        mutable std::vector<std::uint32_t> starts;  ///< offset of each line, made on demand
    };
    std::vector<std::unique_ptr<File>> files_;
};

}  // namespace vigil::config
