#pragma once

#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/source.h"

namespace vigil::config {

/// Writes diagnostics with their source line. `part` is what to underline: a view into line.text or line.source.
class Reporter {
public:
    Reporter(const Sources& sources, Diagnostics& diagnostics) : sources_(sources), diagnostics_(diagnostics) {}

    void report(Severity severity, const Line& line, std::string_view part, std::string message, std::string help = {},
                Category category = Category::ordinary);
    void error(const Line& line, std::string_view part, std::string message, std::string help = {}) {
        report(Severity::error, line, part, std::move(message), std::move(help));
    }
    void warning(const Line& line, std::string_view part, std::string message, std::string help = {}) {
        report(Severity::warning, line, part, std::move(message), std::move(help));
    }
    void note(const Line& line, std::string_view part, std::string message, std::string help = {}) {
        report(Severity::note, line, part, std::move(message), std::move(help));
    }
    /// For what is found when only the place is left. Underlines the word that starts there.
    void report_at(Severity severity, SourceLocation where, std::string message, std::string help = {},
                   Category category = Category::ordinary);

    const std::string& file_name(std::uint16_t file) const { return sources_.name(file); }

    /// Looking for the nearest of many names takes time, and nobody reads the two hundredth "did you mean". False when enough were given.
    bool may_suggest() { return suggestions_left_ != 0 && suggestions_left_-- != 0; }

private:
    const Sources& sources_;
    Diagnostics& diagnostics_;
    unsigned suggestions_left_ = 200;
};

/// Where `part`, a view into line.text or line.source, stands in the file; column 0 when the line was expanded.
SourceLocation location_of(const Line& line, std::string_view part);

}  // namespace vigil::config
