/// The report follows the form of compilers, which editors and people know: place, severity, message, the line, a caret.
/// The line is shown with its tabs, and the caret line repeats them, so that both align in any terminal. Octets that
/// are no printable text are shown as '?': a log or a terminal must not be steered by a configuration file.

#include "config/diagnostics.h"

#include <algorithm>
#include <tuple>

#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::size_t longest_shown_line = 160;
constexpr std::size_t longest_kept_text = 1'024;  // an expanded line may be much longer

std::string_view name_of(Severity severity) {
    switch (severity) {
        case Severity::note: return "note";
        case Severity::warning: return "warning";
        case Severity::error: return "error";
    }
    return "";
}

/// What stands behind auth_pass or password, or behind key NUMBER, is nobody's business who reads a report. Mistyped keywords are met from their beginning on.
void mask_secrets(std::string& line) {
    bool is_behind_key = false;
    bool is_secret = false;
    for (std::size_t at = 0; at < line.size();) {
        if (is_blank(line[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < line.size() && !is_blank(line[end])) ++end;
        const std::string_view word(line.data() + at, end - at);
        if (is_secret && word != "{" && word != "}") std::fill(line.begin() + static_cast<std::ptrdiff_t>(at), line.begin() + static_cast<std::ptrdiff_t>(end), '*');
        else if (is_behind_key) is_secret = true;   // its number
        if (word.starts_with("auth_p") || word.starts_with("authp") || word == "password") is_secret = true;
        is_behind_key = word == "key";
        if (word == "}") is_secret = false;
        at = end;
    }
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

void append_printable(std::string& out, std::string_view text) {
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        out += (octet < 0x20 && c != '\t') || octet == 0x7f ? '?' : c;
    }
}

/// Columns count octets, carets count glyphs: continuation octets of UTF-8 take no place.
void append_caret(std::string& out, std::string_view line, std::size_t column, std::size_t length) {
    if (column == 0 || column > line.size()) return;
    out += "    ";
    for (std::size_t at = 0; at + 1 < column; ++at) {
        if (line[at] == '\t') out += '\t';
        else if (!is_continuation(line[at])) out += ' ';
    }
    out += '^';
    for (std::size_t at = column; at < column - 1 + length && at < line.size(); ++at) {
        if (!is_continuation(line[at])) out += '~';
    }
    out += '\n';
}

}  // namespace

void Diagnostics::add(Diagnostic diagnostic) {
    const std::size_t reported = counts_[static_cast<std::size_t>(diagnostic.severity)]++;
    ++categories_[static_cast<std::size_t>(diagnostic.category)];
    if (reported >= capacity) return;
    mask_secrets(diagnostic.source_line);
    for (std::string* text : {&diagnostic.message, &diagnostic.help, &diagnostic.source_line}) {
        if (text->size() > longest_kept_text) text->resize(longest_kept_text);
        text->shrink_to_fit();
    }
    entries_.push_back(std::move(diagnostic));
}

void Diagnostics::sort() {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.where.file, a.where.line, a.where.column) < std::tie(b.where.file, b.where.line, b.where.column);
    });
}

std::string to_line(const Diagnostic& diagnostic, const Configuration& configuration) {
    std::string out = configuration.describe(diagnostic.where);
    if (!out.empty()) out += ": ";
    out += name_of(diagnostic.severity);
    out += ": ";
    append_printable(out, diagnostic.message);
    return out;
}

std::string to_text(const Diagnostic& diagnostic, const Configuration& configuration) {
    std::string out = to_line(diagnostic, configuration);
    out += '\n';
    const std::string_view line = std::string_view(diagnostic.source_line).substr(0, longest_shown_line);
    if (!line.empty()) {
        out += "    ";
        append_printable(out, line);
        out += diagnostic.is_expanded ? "   (after replacing definitions)\n" : "\n";
        append_caret(out, line, diagnostic.where.column, diagnostic.length);
    }
    if (!diagnostic.help.empty()) {
        out += "    ";
        append_printable(out, diagnostic.help);
        out += '\n';
    }
    return out;
}

int test_exit_code(const Diagnostics& diagnostics) {
    if (diagnostics.count(Category::cannot_run) != 0) return 4;
    if (diagnostics.count(Category::script_security) != 0) return 6;
    return diagnostics.count(Severity::error) + diagnostics.count(Severity::warning) != 0 ? 5 : 0;
}

std::string Configuration::describe(SourceLocation where) const {
    if (where.file >= files.size()) return {};
    std::string out = files[where.file];
    if (where.line == 0) return out;
    out += ':' + std::to_string(where.line);
    if (where.column != 0) out += ':' + std::to_string(where.column);
    return out;
}

}  // namespace vigil::config
