#include "config/reporter.h"

#include <algorithm>
#include <functional>

#include "config/words.h"

namespace vigil::config {

namespace {

bool is_inside(std::string_view part, std::string_view whole) {
    const std::less_equal<const char*> not_after;
    return part.data() != nullptr && not_after(whole.data(), part.data()) &&
           not_after(part.data() + part.size(), whole.data() + whole.size());
}

std::uint16_t as_column(std::size_t offset) { return static_cast<std::uint16_t>(std::min<std::size_t>(offset + 1, 65'535)); }

}  // namespace

SourceLocation location_of(const Line& line, std::string_view part) {
    SourceLocation where = line.where;
    where.column = is_inside(part, line.source) ? as_column(static_cast<std::size_t>(part.data() - line.source.data())) : std::uint16_t{0};
    return where;
}

void Reporter::report(Severity severity, const Line& line, std::string_view part, std::string message, std::string help,
                      Category category) {
    Diagnostic diagnostic;
    diagnostic.severity = severity;
    diagnostic.category = category;
    diagnostic.where = location_of(line, part);
    diagnostic.length = static_cast<std::uint16_t>(std::min<std::size_t>(part.size(), 65'535));
    diagnostic.message = std::move(message);
    diagnostic.help = std::move(help);
    if (diagnostic.where.column != 0 || part.empty()) {
        diagnostic.source_line = line.source;
    } else {
        diagnostic.is_expanded = true;
        diagnostic.source_line = line.text;
        if (is_inside(part, line.text)) {
            diagnostic.where.column = as_column(static_cast<std::size_t>(part.data() - line.text.data()));
        }
    }
    diagnostics_.add(std::move(diagnostic));
}

void Reporter::report_at(Severity severity, SourceLocation where, std::string message, std::string help, Category category) {
    Diagnostic diagnostic;
    diagnostic.severity = severity;
    diagnostic.category = category;
    diagnostic.where = where;
    diagnostic.message = std::move(message);
    diagnostic.help = std::move(help);
    const std::string_view line = sources_.line(where);
    diagnostic.source_line = line;
    if (where.column != 0 && where.column <= line.size()) {
        const std::string_view word = first_word(line.substr(where.column - 1u));
        diagnostic.length = static_cast<std::uint16_t>(std::min<std::size_t>(word.size(), 65'535));
    }
    diagnostics_.add(std::move(diagnostic));
}

}  // namespace vigil::config
