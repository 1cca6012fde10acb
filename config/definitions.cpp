/// Substitution happens when a line is used, not when a definition is made, and the values may hold references in turn.
/// That makes small files able to ask for huge lines: three bounds stop them, the length of the result, the number of
/// replacements for one line (values may be empty, so length alone does not end it) and the depth. A definition that is
/// being expanded is marked, so a circle is named as such.
///
/// An unknown name stays as it is. keepalived says nothing then, and takes the braces of an unknown ${NAME} as those
/// of a block; here they are reported and remain part of the word.

#include "config/definitions.h"

#include <charconv>

#include "config/suggestion.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {
constexpr unsigned most_replacements_per_line = 10'000;

std::uint64_t next_random(std::uint64_t& state) {  // splitmix64
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}
}  // namespace

struct Definitions::State {
    const Line& line;
    std::string& out;
    Definition** tail;           ///< nullptr: multi-line definitions are not expected
    bool only_loop_variables = false;
    bool changed = false;
    unsigned replacements = 0;
};

Definitions::Definitions(const LoadOptions& options, Reporter& reporter, TextPool& texts)
    : options_(options),
      files_(options.file_system != nullptr ? *options.file_system : host_file_system()),
      reporter_(reporter),
      texts_(texts),
      random_(options.random_seed) {}

void Definitions::define(std::string_view name, std::string_view value) {
    Definition& definition = definitions_[texts_.intern(name)];
    definition.value = texts_.store(value);
    definition.body.clear();
    definition.is_multi_line = false;
}

void Definitions::define_multi_line(std::string_view name, std::vector<Line> body) {
    Definition& definition = definitions_[texts_.intern(name)];
    definition.value = {};
    definition.body = std::move(body);
    definition.is_multi_line = true;
}

Definitions::Result Definitions::expand(const Line& line, std::string& out, Definition** tail) {
    out.clear();
    State state{line, out, tail};
    if (!expand_into(state, line.text, true, 0)) return Result::failed;
    return state.changed ? Result::changed : Result::unchanged;
}

Definitions::Result Definitions::expand_loop_variables(const Line& line, std::string& out) {
    out.clear();
    State state{line, out, nullptr};
    state.only_loop_variables = true;
    if (!expand_into(state, line.text, false, 0)) return Result::failed;
    return state.changed ? Result::changed : Result::unchanged;
}

bool Definitions::read_reference(std::string_view text, std::size_t at, Reference& reference) {
    if (at + 1 >= text.size()) return false;
    if (text[at + 1] == '{') {
        const std::size_t end = text.find('}', at + 2);
        if (end == std::string_view::npos) return false;
        reference = {text.substr(at, end + 1 - at), text.substr(at + 2, end - at - 2), true};
        return true;
    }
    if (!is_name_start(text[at + 1])) return false;
    std::size_t end = at + 1;
    while (end < text.size() && is_name_part(text[end])) ++end;
    const bool is_ended = end == text.size() || text[end] == ' ' || text[end] == '\t' || text[end] == ',' || text[end] == ')';
    if (!is_ended) return false;
    reference = {text.substr(at, end - at), text.substr(at + 1, end - at - 1), false};
    return true;
}

bool Definitions::expand_into(State& state, std::string_view text, bool is_tail, unsigned depth) {
    bool quoted = false;
    std::size_t copied = 0;
    for (std::size_t at = 0; at < text.size();) {
        Reference reference;
        if (text[at] == '"') quoted = !quoted;
        if (text[at] != '$' || !read_reference(text, at, reference)) {
            ++at;
            continue;
        }
        state.out.append(text.substr(copied, at - copied));
        at += reference.whole.size();
        copied = at;
        const std::size_t before = state.out.size();
        const bool rest_is_blank = is_tail && trim(text.substr(at)).empty();
        if (!expand_reference(state, reference, rest_is_blank, depth)) return false;
        const bool is_unknown = state.out.size() - before == reference.whole.size() && state.out.ends_with(reference.whole);
        if (is_unknown && !quoted && depth == 0 && !state.only_loop_variables) report_unknown(state, reference);
        if (state.out.size() > options_.limits.expanded_line_length) {
            reporter_.error(state.line, {}, "the line grows beyond " + std::to_string(options_.limits.expanded_line_length) +
                                                " octets when its definitions are put in: ignored");
            return false;
        }
    }
    state.out.append(text.substr(copied));
    return true;
}

const Definitions::LoopVariable* Definitions::find_loop_variable(std::string_view name) const {
    for (auto variable = loop_variables_.rbegin(); variable != loop_variables_.rend(); ++variable) {
        if (variable->name == name) return &*variable;
    }
    return nullptr;
}

bool Definitions::expand_reference(State& state, const Reference& reference, bool is_tail, unsigned depth) {
    if (++state.replacements > most_replacements_per_line || depth >= options_.limits.depth) {
        reporter_.error(state.line, {}, "too many definitions inside definitions: the line is ignored");
        return false;
    }
    if (const LoopVariable* variable = find_loop_variable(reference.name)) {
        state.changed = true;
        state.out.append(variable->value);
        return true;
    }
    if (state.only_loop_variables) {
        state.out.append(reference.whole);
        return true;
    }
    const auto found = definitions_.find(reference.name);
    if (found == definitions_.end()) {
        if (append_built_in(reference.name, state.out)) state.changed = true;
        else state.out.append(reference.whole);
        return true;
    }
    Definition& definition = found->second;
    if (definition.is_active) {
        reporter_.error(state.line, {}, "definition '" + std::string(reference.name) + "' refers to itself: the line is ignored");
        return false;
    }
    state.changed = true;
    if (definition.is_multi_line) {
        if (is_tail && state.tail != nullptr) {
            *state.tail = &definition;
            return true;
        }
        reporter_.error(state.line, reference.whole,
                        "'" + std::string(reference.name) + "' has several lines and must be the last thing on its line: ignored");
        return false;
    }
    definition.is_active = true;
    const bool done = expand_into(state, definition.value, is_tail, depth + 1);
    definition.is_active = false;
    return done;
}

bool Definitions::append_built_in(std::string_view name, std::string& out) {
    if (name.empty() || name.front() != '_') return false;
    const std::string_view word = first_word(name);
    const std::string_view arguments = trim(name.substr(word.size()));
    if (word == "_PWD") out += directory_;
    else if (word == "_INSTANCE") out += options_.config_id;
    else if (word == "_HASH") out += '#';
    else if (word == "_BANG") out += '!';
    else if (word == "_RANDOM") return append_random(arguments, out);
    else if (word == "_ENV" && !arguments.empty()) out += files_.environment(std::string(arguments)).value_or("");
    else return false;
    return true;
}

bool Definitions::append_random(std::string_view arguments, std::string& out) {
    std::int64_t low = 0;
    std::int64_t high = 32'767;
    const std::string_view first = first_word(arguments);
    const std::string_view second = trim(arguments.substr(first.size()));
    if (!first.empty()) {
        const auto number = read_number(first);
        if (!number || number->has_trailing || number->value < 0) return false;
        low = number->value;
    }
    if (!second.empty()) {
        const auto number = read_number(second);
        if (!number || number->has_trailing) return false;
        high = number->value;
    }
    if (high < low || high > 0x7fffffff) return false;
    const auto range = static_cast<std::uint64_t>(high - low) + 1;
    out += std::to_string(low + static_cast<std::int64_t>(next_random(random_) % range));
    return true;
}

void Definitions::report_unknown(const State& state, const Reference& reference) {
    if (state.line.text.starts_with("auth_pass") && !reference.is_braced) return;  // a password may hold a '$'
    Suggester suggester(reference.name);
    if (reporter_.may_suggest()) {
        for (const auto& [name, definition] : definitions_) suggester.consider(name);
    }
    std::string help;
    if (!suggester.best().empty()) {
        help = "did you mean '" + std::string(suggester.best()) + "'?";
    } else if (reference.name.find(":-") != std::string_view::npos) {
        help = "shell defaults are not part of this language; define it first: $" +
               std::string(reference.name.substr(0, reference.name.find(":-"))) + "=value";
    } else {
        const std::string name(first_word(reference.name));
        help = "define it on a line before: $" + name + "=value, or take it from the environment: ${_ENV " + name + "}";
    }
    const Severity severity = reference.is_braced ? Severity::error : Severity::warning;
    reporter_.report(severity, state.line, reference.whole, "no definition '" + std::string(reference.name) + "'", std::move(help));
}

}  // namespace vigil::config
