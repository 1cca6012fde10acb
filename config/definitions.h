#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/load.h"
#include "config/reporter.h"
#include "config/source.h"
#include "config/text_pool.h"

namespace vigil::config {

/// $NAME definitions, loop variables and the built-ins, and putting their values into lines.
class Definitions {
public:
    struct Definition {
        std::string_view value;
        std::vector<Line> body;   ///< of a multi-line definition
        bool is_multi_line = false;
        bool is_active = false;   ///< being expanded now: a second use inside is a circle
    };

    Definitions(const LoadOptions& options, Reporter& reporter, TextPool& texts);

    void define(std::string_view name, std::string_view value);
    void define_multi_line(std::string_view name, std::vector<Line> body);

    void push_loop_variable(std::string_view name, std::string_view value) { loop_variables_.push_back({name, value}); }
    void pop_loop_variables(std::size_t count) { loop_variables_.resize(loop_variables_.size() - count); }
    bool has_loop_variables() const { return !loop_variables_.empty(); }

    void set_directory(std::string directory) { directory_ = std::move(directory); }
    void seed_random(std::uint64_t seed) { random_ = seed; }

    enum class Result : std::uint8_t { unchanged, changed, failed };
    /// Replaces every reference in line.text and leaves the result in `out`. A multi-line definition at the end is not
    /// put in but given back in `tail`. `failed` has been reported.
    Result expand(const Line& line, std::string& out, Definition** tail);
    /// Replaces only loop variables.
    Result expand_loop_variables(const Line& line, std::string& out);

private:
    struct Reference {
        std::string_view whole;  ///< as written, "${NAME}" or "$NAME"
        std::string_view name;   ///< with the arguments of a built-in
        bool is_braced = false;
    };
    struct LoopVariable {
        std::string_view name;
        std::string_view value;
    };
    struct State;

    static bool read_reference(std::string_view text, std::size_t at, Reference& reference);
    bool expand_into(State& state, std::string_view text, bool is_tail, unsigned depth);
    bool expand_reference(State& state, const Reference& reference, bool is_tail, unsigned depth);
    bool append_built_in(std::string_view name, std::string& out);
    bool append_random(std::string_view arguments, std::string& out);
    void report_unknown(const State& state, const Reference& reference);
    const LoopVariable* find_loop_variable(std::string_view name) const;

    const LoadOptions& options_;
    const FileSystem& files_;
    Reporter& reporter_;
    TextPool& texts_;
    std::unordered_map<std::string_view, Definition> definitions_;
    std::vector<LoopVariable> loop_variables_;
    std::string directory_;
    std::uint64_t random_;
};

}  // namespace vigil::config
