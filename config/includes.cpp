/// include PATTERN and its stricter forms. A pattern is brace-expanded here and then globbed by the file system. Files with an
/// execute permission are left out, as keepalived does: they are somebody's scripts. So is what is no file (a directory, a device,
/// a link to nothing), with a word about it; a directory beside the files of a wildcard fails no include. Text that comes from an include is
/// lines like all others, so a block may begin in one file and end in another.

#include <algorithm>

#include "config/preprocessor.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::size_t most_alternatives = 1'024;

bool has_wildcard(std::string_view pattern) { return pattern.find_first_of("*?[") != std::string_view::npos; }

/// Offset of the brace that closes the one at `open`, npos when there is none.
std::size_t find_closing_brace(const std::string& text, std::size_t open) {
    int depth = 0;
    for (std::size_t at = open; at < text.size(); ++at) {
        if (text[at] == '{') ++depth;
        if (text[at] == '}' && --depth == 0) return at;
    }
    return std::string::npos;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
    std::vector<std::string> open{pattern};
    std::vector<std::string> done;
    while (!open.empty() && done.size() + open.size() <= most_alternatives) {
        const std::string text = std::move(open.back());
        open.pop_back();
        const std::size_t begin = text.find('{');
        const std::size_t end = begin == std::string::npos ? begin : find_closing_brace(text, begin);
        if (end == std::string::npos) {
            done.push_back(text);
            continue;
        }
        std::vector<std::string> alternatives;
        int depth = 0;
        std::size_t start = begin + 1;
        for (std::size_t at = begin; at <= end; ++at) {
            if (text[at] == '{') ++depth;
            const bool is_end = at == end || (text[at] == ',' && depth == 1);
            if (is_end) {
                alternatives.push_back(text.substr(0, begin) + text.substr(start, at - start) + text.substr(end + 1));
                start = at + 1;
            }
            if (text[at] == '}') --depth;
        }
        open.insert(open.end(), alternatives.rbegin(), alternatives.rend());  // keeps the written order
    }
    return done;
}

bool Preprocessor::is_include(std::string_view text) {
    const std::string_view word = first_word(text);
    if (!word.starts_with("include") || word.size() > 8) return false;
    return word.size() == 7 || std::string_view("rmwba").find(word[7]) != std::string_view::npos;
}

void Preprocessor::include(const Line& line) {
    const std::string_view word = first_word(line.text);
    std::string_view pattern = trim(line.text.substr(word.size()));
    if (pattern.starts_with('"')) pattern = pattern.substr(1, pattern.find('"', 1) - 1);
    else pattern = first_word(pattern);
    if (pattern.empty()) {
        reporter_.error(line, word, "the file is missing", "write " + std::string(word) + " FILE");
        return;
    }
    IncludeChecks checks = files_.empty() ? IncludeChecks{} : files_.back().checks;
    switch (word.size() == 8 ? word[7] : ' ') {
        case 'a': checks = {true, true, true, true}; break;
        case 'b': checks.read = checks.brace_match = true; break;
        case 'w': checks.read = checks.match = checks.wildcard_match = true; break;
        case 'm': checks.read = checks.match = true; break;
        case 'r': checks.read = true; break;
        default: break;
    }
    std::string path(pattern);
    if (path.front() != '/' && !files_.empty()) path = files_.back().directory + '/' + path;
    const std::vector<std::string> alternatives = expand_braces(path);
    for (const std::string& alternative : alternatives) {
        if (is_exhausted_) return;
        include_pattern(line, alternative, checks, alternatives.size() > 1);
    }
}

void Preprocessor::include_pattern(const Line& line, const std::string& pattern, IncludeChecks checks, bool is_alternative) {
    std::vector<std::string> paths;
    if (has_wildcard(pattern)) paths = file_system_.glob(pattern);
    else if (file_system_.kind(pattern) != FileSystem::Kind::missing) paths.push_back(pattern);

    if (paths.empty()) {
        const bool is_error = is_alternative ? checks.brace_match : (has_wildcard(pattern) ? checks.wildcard_match : checks.match);
        const std::string message = "no file matches '" + pattern + "'";
        if (is_error) fail_include(line, line.text, message);
        else reporter_.note(line, line.text, message + ", nothing is included", "includem, includew and includeb make this an error");
        return;
    }
    for (const std::string& path : paths) include_file(line, path, checks, has_wildcard(pattern));
}

void Preprocessor::include_file(const Line& line, const std::string& path, IncludeChecks checks, bool is_wildcard) {
    switch (file_system_.kind(path)) {
        case FileSystem::Kind::executable:
            reporter_.warning(line, line.text, "'" + path + "' is executable and therefore not included", "chmod a-x " + path);
            return;
        case FileSystem::Kind::missing: reporter_.note(line, line.text, "'" + path + "' is a link to nothing, nothing is included"); return;
        case FileSystem::Kind::other: return skip_other(line, path, checks.read && !is_wildcard);
        case FileSystem::Kind::regular: break;
    }
    const bool is_circle = std::any_of(files_.begin(), files_.end(), [&](const FileState& file) { return file.path == path; });
    if (is_circle || files_.size() > options_.limits.depth) {
        fail_include(line, line.text, is_circle ? "'" + path + "' includes itself: not read again" : "includes are nested too deeply");
        return;
    }
    std::optional<std::string> content = file_system_.read(path);
    if (content) return read_file(path, std::move(*content), checks);
    if (checks.read) fail_include(line, line.text, "'" + path + "' cannot be read");
    else reporter_.warning(line, line.text, "'" + path + "' cannot be read, nothing is included");
}

void Preprocessor::skip_other(const Line& line, const std::string& path, bool is_error) {
    const std::string message = "'" + path + "' is no regular file";
    if (is_error) fail_include(line, line.text, message);
    else reporter_.note(line, line.text, message + ", nothing is included", "to include all files of a directory write DIRECTORY/*.conf");
}

void Preprocessor::fail_include(const Line& line, std::string_view part, std::string message) {
    is_readable_ = false;
    reporter_.report(Severity::error, line, part, std::move(message), {}, Category::cannot_run);
}

}  // namespace vigil::config
