#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/definitions.h"
#include "config/load.h"
#include "config/reporter.h"
#include "config/source.h"
#include "config/text_pool.h"

namespace vigil::config {

/// Takes the effective lines, in order.
class LineSink {
public:
    virtual ~LineSink() = default;
    virtual void on_line(const Line& line) = 0;
};

/// Files to effective lines: comments, conditions, definitions, loops and includes are gone after it.
class Preprocessor {
public:
    Preprocessor(const LoadOptions& options, Sources& sources, Reporter& reporter, LineSink& sink);

    /// The main file; may be a pattern that matches several.
    void read_main(const std::string& path);
    /// Text that is already here, under the name of a file.
    void read_text(std::string name, std::string text);
    /// False when a file that had to be read could not be.
    bool is_readable() const { return is_readable_; }

private:
    struct FileState {
        std::string path;
        std::string directory;
        std::uint16_t index = 0;
        IncludeChecks checks;
    };
    /// A multi-line definition whose lines are still coming.
    struct OpenDefinition {
        std::string_view name;
        std::vector<Line> body;
        Line first;
        bool is_discarded = false;  ///< behind a condition that does not hold
    };
    struct Loop;

    // preprocessor.cpp: lines
    void read_file(const std::string& path, std::string content, IncludeChecks checks);
    void on_source_line(const Line& line, unsigned flags);
    bool strip(Line& line, unsigned flags);
    void collect(Line line);
    void process(Line line, unsigned depth);
    bool put_in_definitions(Line& line, Definitions::Definition** tail);
    void process_body(Line line, Definitions::Definition& definition, unsigned depth);
    bool meets_condition(Line& line);
    bool read_definition(const Line& line);
    void emit(const Line& line);
    void adopt_global(const Line& line);
    std::optional<std::string_view> keep(std::string_view text);
    bool count_generated(const Line& line);

    // loops.cpp
    static bool is_loop(std::string_view text);
    void run_loop(const Line& line, unsigned depth);
    bool read_loop(const Line& line, Loop& loop);
    void run_sequence(const Line& line, const Loop& loop, unsigned depth);
    void run_list(const Line& line, const Loop& loop, unsigned depth);
    void run_round(const Line& line, const Loop& loop, unsigned depth);

    // includes.cpp
    static bool is_include(std::string_view text);
    void include(const Line& line);
    void include_pattern(const Line& line, const std::string& pattern, IncludeChecks checks, bool is_alternative);
    void include_file(const Line& line, const std::string& path, IncludeChecks checks, bool is_wildcard);
    void skip_other(const Line& line, const std::string& path, bool is_error);
    void fail_include(const Line& line, std::string_view part, std::string message);

    const LoadOptions& options_;
    const FileSystem& file_system_;
    Sources& sources_;
    Reporter& reporter_;
    LineSink& sink_;
    TextPool texts_;
    Definitions definitions_;
    std::vector<FileState> files_;
    std::optional<OpenDefinition> open_definition_;
    std::string scratch_;
    std::size_t generated_ = 0;
    bool is_exhausted_ = false;
    bool is_readable_ = true;
};

/// `{a,b}` alternatives of a pattern, at most 1,024; the pattern itself when it has none.
std::vector<std::string> expand_braces(const std::string& pattern);

}  // namespace vigil::config
