/// The language is a language of lines, so this stage is a pipe of lines: a file is cut into lines, each passes the steps
/// below and is handed on at once (LineSink). Nothing is collected except multi-line definitions.
///
///   strip      NUL, length, comment, blanks
///   collect    when a multi-line definition is open, the line is its
///   process    loop variables -> @id condition -> $NAME=value -> ~SEQ/~LST -> references -> include -> out
///
/// Loops, bodies of multi-line definitions and includes call process() or read_file() again, so depth is counted, and the
/// lines made this way are counted as well: a few octets can ask for more lines than there is time for. When a bound is hit
/// it is reported once and the rest of the input is dropped.
///
/// Ordinary lines, nearly all of a big file, are views into the file; only lines that change are copied.

#include "config/preprocessor.h"

#include <array>

#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

enum LineFlag : unsigned { has_nul = 1, has_comment = 2, has_dollar = 4 };

constexpr std::array<std::uint8_t, 256> make_flags() {
    std::array<std::uint8_t, 256> flags{};
    flags[0] = has_nul;
    flags['#'] = has_comment;
    flags['!'] = has_comment;
    flags['$'] = has_dollar;
    return flags;
}
constexpr std::array<std::uint8_t, 256> line_flags = make_flags();

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Preprocessor::Preprocessor(const LoadOptions& options, Sources& sources, Reporter& reporter, LineSink& sink)
    : options_(options),
      file_system_(options.file_system != nullptr ? *options.file_system : host_file_system()),
      sources_(sources),
      reporter_(reporter),
      sink_(sink),
      definitions_(options, reporter, texts_) {}

void Preprocessor::read_main(const std::string& path) {
    std::vector<std::string> paths;
    if (file_system_.kind(path) != FileSystem::Kind::missing) paths.push_back(path);
    else paths = file_system_.glob(path);
    bool was_read = false;
    for (const std::string& match : paths) {
        std::optional<std::string> content = file_system_.read(match);
        if (!content) continue;
        was_read = true;
        read_file(match, std::move(*content), options_.include_checks);
    }
    if (was_read) return;
    is_readable_ = false;
    const SourceLocation where{0, sources_.add(path, {}), 0};
    reporter_.report_at(Severity::error, where, paths.empty() ? "no such configuration file" : "the configuration file cannot be read",
                        "give the path with -f FILE", Category::cannot_run);
}

void Preprocessor::read_text(std::string name, std::string text) { read_file(name, std::move(text), options_.include_checks); }

void Preprocessor::read_file(const std::string& path, std::string content, IncludeChecks checks) {
    if (content.size() > options_.limits.file_bytes || sources_.count() >= options_.limits.files) {
        const SourceLocation where{0, sources_.add(path, {}), 0};
        reporter_.report_at(Severity::error, where, "too large, or one file too many: not read", {}, Category::cannot_run);
        is_readable_ = false;
        return;
    }
    const std::uint16_t index = sources_.add(path, std::move(content));
    files_.push_back({path, directory_of(path), index, checks});
    definitions_.set_directory(files_.back().directory);
    std::optional<OpenDefinition> outer;
    outer.swap(open_definition_);

    std::string_view rest = sources_.content(index);
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    Line line;
    line.where.file = index;
    while (!rest.empty() && !is_exhausted_) {
        unsigned flags = 0;
        std::size_t end = 0;
        for (; end < rest.size() && rest[end] != '\n'; ++end) flags |= line_flags[static_cast<unsigned char>(rest[end])];
        ++line.where.line;
        line.source = line.text = rest.substr(0, end);
        rest.remove_prefix(end == rest.size() ? end : end + 1);
        on_source_line(line, flags);
    }

    if (open_definition_) {
        reporter_.error(open_definition_->first, open_definition_->first.text, "the file ends inside this definition",
                        "end the last line of a definition without a backslash");
    }
    open_definition_.swap(outer);
    files_.pop_back();
    if (!files_.empty()) definitions_.set_directory(files_.back().directory);
}

void Preprocessor::on_source_line(const Line& source, unsigned flags) {
    Line line = source;
    if (!strip(line, flags)) return;
    if (open_definition_) {
        collect(line);
        return;
    }
    if (line.text.empty()) return;
    const char first = line.text.front();
    const bool is_plain = (flags & has_dollar) == 0 && first != '@' && first != '~';
    if (is_plain) emit(line);
    else process(line, 0);
}

/// False when the line is not to be used at all; an empty line is kept, it may end a definition.
bool Preprocessor::strip(Line& line, unsigned flags) {
    if (!line.source.empty() && line.source.back() == '\r') line.source.remove_suffix(1);
    if ((flags & has_nul) != 0) {
        reporter_.error(line, {}, "the line holds a NUL octet: ignored", "is this a text file?");
        return false;
    }
    if (line.source.size() > options_.limits.line_length) {
        reporter_.error(line, {}, "the line is longer than " + std::to_string(options_.limits.line_length) + " octets: ignored",
                        "split it; long lists can be several lines or includes");
        return false;
    }
    line.text = line.source;
    if ((flags & has_comment) != 0) {
        line.text = strip_comment(line.source, scratch_);
        const bool was_rewritten = line.text.data() == scratch_.data() && !line.text.empty();
        if (was_rewritten) {
            const auto kept = keep(line.text);
            if (!kept) return false;
            line.text = *kept;
        }
    }
    line.text = trim(line.text);
    return true;
}

void Preprocessor::collect(Line line) {
    const bool has_backslash = line.text.ends_with('\\');
    const bool continues = has_backslash || trim(line.source).ends_with('\\');  // the backslash may end a comment
    if (has_backslash) line.text = trim(line.text.substr(0, line.text.size() - 1));
    if (!line.text.empty()) open_definition_->body.push_back(line);
    if (continues) return;
    if (!open_definition_->is_discarded) {
        definitions_.define_multi_line(open_definition_->name, std::move(open_definition_->body));
    }
    open_definition_.reset();
}

void Preprocessor::process(Line line, unsigned depth) {
    if (is_exhausted_) return;
    if (depth > options_.limits.depth) {
        reporter_.error(line, {}, "definitions and loops are nested too deeply: the line is ignored");
        return;
    }
    if (definitions_.has_loop_variables() && line.text.find('$') != std::string_view::npos) {
        if (definitions_.expand_loop_variables(line, scratch_) == Definitions::Result::changed) {
            const auto kept = keep(scratch_);
            if (!kept) return;
            line.text = trim(*kept);
        }
    }
    // A definition may expand to text that begins with a condition or a loop: go around once more for it.
    for (int round = 0; round < 4 && !line.text.empty(); ++round) {
        if (line.text.front() == '@') {
            if (!meets_condition(line)) return;
            if (line.text.empty()) return;
        }
        if (line.text.front() == '$' && read_definition(line)) return;
        if (is_loop(line.text)) return run_loop(line, depth);
        Definitions::Definition* tail = nullptr;
        const char* before = line.text.data();
        if (!put_in_definitions(line, &tail)) return;
        if (tail != nullptr) return process_body(line, *tail, depth);
        const bool is_new = line.text.data() != before;
        if (!is_new || line.text.empty() || (line.text.front() != '@' && line.text.front() != '~')) break;
    }
    if (!line.text.empty()) emit(line);
}

/// False when the line cannot be used.
bool Preprocessor::put_in_definitions(Line& line, Definitions::Definition** tail) {
    if (line.text.find('$') == std::string_view::npos) return true;
    const Definitions::Result result = definitions_.expand(line, scratch_, tail);
    if (result == Definitions::Result::failed) return false;
    if (result == Definitions::Result::unchanged) return true;
    const auto kept = keep(scratch_);
    if (!kept) return false;
    line.text = trim(*kept);
    return true;
}

/// What stands before the reference goes in front of the first line of the body.
void Preprocessor::process_body(Line line, Definitions::Definition& definition, unsigned depth) {
    if (definition.body.empty()) {
        if (!line.text.empty()) process(line, depth + 1);
        return;
    }
    definition.is_active = true;
    const std::vector<Line> body = definition.body;  // a line of it may define the name anew
    for (std::size_t index = 0; index < body.size() && !is_exhausted_; ++index) {
        Line next = body[index];
        if (!count_generated(next)) break;
        if (index == 0 && !line.text.empty()) {
            const auto kept = keep(std::string(line.text) + ' ' + std::string(next.text));
            if (!kept) break;
            next.text = *kept;
        }
        process(next, depth + 1);
    }
    definition.is_active = false;
}

/// Takes "@id" or "@^id" off the line; false when its condition does not hold.
bool Preprocessor::meets_condition(Line& line) {
    const std::string_view word = first_word(line.text);
    const bool is_negated = word.size() > 1 && word[1] == '^';
    const std::string_view id = word.substr(is_negated ? 2 : 1);
    line.text = trim(line.text.substr(word.size()));
    const bool is_met = (id == options_.config_id) != is_negated;
    const bool opens_definition = !is_met && line.text.starts_with('$') && line.text.ends_with('\\');
    if (opens_definition) open_definition_ = OpenDefinition{{}, {}, line, true};
    return is_met;
}

/// True when the line is a definition (or tried to be one).
bool Preprocessor::read_definition(const Line& line) {
    std::size_t end = 1;
    if (end >= line.text.size() || !is_name_start(line.text[end])) return false;
    while (end < line.text.size() && is_name_part(line.text[end])) ++end;
    const std::string_view name = line.text.substr(1, end - 1);
    const std::string_view rest = line.text.substr(end);
    if (trim(rest).starts_with('=') && !rest.starts_with('=')) {
        reporter_.error(line, line.text.substr(0, end), "a definition has no blank before '=': ignored",
                        "write $" + std::string(name) + "=value");
        return true;
    }
    if (!rest.starts_with('=')) return false;
    std::string_view value = trim(rest.substr(1));
    if (!value.ends_with('\\')) {
        definitions_.define(name, value);
        return true;
    }
    const bool is_from_file = !definitions_.has_loop_variables() && !files_.empty() && line.where.file == files_.back().index;
    value = trim(value.substr(0, value.size() - 1));
    if (!is_from_file || open_definition_) {
        reporter_.error(line, line.text, "a definition of several lines cannot be made here: ignored");
        return true;
    }
    open_definition_ = OpenDefinition{texts_.intern(name), {}, line, false};
    if (value.empty()) return true;
    reporter_.error(line, value, "the first line of a definition of several lines holds nothing but the backslash",
                    "move this text to the next line; it is taken as the first line");
    Line first = line;
    first.text = value;
    open_definition_->body.push_back(first);
    return true;
}

void Preprocessor::emit(const Line& line) {
    const char first = line.text.front();
    if (first == 'i' && is_include(line.text)) return include(line);
    if ((first == 'i' || first == 'r') && !files_.empty()) adopt_global(line);
    sink_.on_line(line);
}

/// Two keywords of global_defs steer this stage too.
void Preprocessor::adopt_global(const Line& line) {
    const std::string_view word = first_word(line.text);
    std::string_view rest = trim(line.text.substr(word.size()));
    if (word == "random_seed") {
        if (const auto seed = read_number(rest)) definitions_.seed_random(static_cast<std::uint64_t>(seed->value));
        return;
    }
    if (word != "include_check") return;
    IncludeChecks& checks = files_.back().checks;
    bool is_first = true;
    if (rest.empty()) checks = {true, true, true, true};
    for (; !rest.empty(); rest = trim(rest.substr(first_word(rest).size()))) {
        std::string_view name = first_word(rest);
        const bool is_on = name.front() != '-';
        const bool is_plain = is_on && name.front() != '+';
        if (!is_plain) name.remove_prefix(1);
        else if (is_first) checks = {};
        is_first = false;
        if (name == "read") checks.read = is_on;
        else if (name == "match") checks.match = is_on;
        else if (name == "wildcard_match") checks.wildcard_match = is_on;
        else if (name == "brace_match") checks.brace_match = is_on;
    }
}

std::optional<std::string_view> Preprocessor::keep(std::string_view text) {
    if (texts_.size() + text.size() > options_.limits.expanded_bytes) {
        if (!is_exhausted_ && !files_.empty()) {
            reporter_.report_at(Severity::error, {0, files_.back().index, 0},
                                "definitions and loops make more than " + std::to_string(options_.limits.expanded_bytes) +
                                    " octets of text: the rest is not read",
                                {}, Category::cannot_run);
        }
        is_exhausted_ = true;
        return std::nullopt;
    }
    if (text.empty()) return std::string_view{};
    return texts_.store(text);
}

bool Preprocessor::count_generated(const Line& line) {
    if (++generated_ <= options_.limits.generated_lines) return true;
    if (!is_exhausted_) {
        reporter_.report(Severity::error, line, {}, "definitions and loops make too many lines: the rest is not read", {},
                         Category::cannot_run);
    }
    is_exhausted_ = true;
    return false;
}

}  // namespace vigil::config
