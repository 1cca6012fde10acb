#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

/// What we have to say about a configuration: always with the place, the line, what is expected and what to do.
namespace vigil::config {

enum class Severity : std::uint8_t {
    note,     ///< nothing is wrong: "understood, not yet acted on"
    warning,  ///< acted on, but probably not as meant
    error,    ///< not acted on
};

/// Groups that decide the exit code of a configuration test, see test_exit_code().
enum class Category : std::uint8_t {
    ordinary,
    cannot_run,       ///< no file, include failed, the same VRID twice, an instance that cannot be used
    script_security,  ///< script files that others may change, key files that others may read
    host,             ///< the file is fine, but what it names is not so on this host
};

struct Diagnostic {
    Severity severity = Severity::error;
    Category category = Category::ordinary;
    SourceLocation where;
    std::uint16_t length = 0;     ///< octets to underline from where.column
    std::string message;          ///< what is wrong and what is expected
    std::string help;             ///< what to do, may be empty
    std::string source_line;      ///< the line as written, or as it is after definitions are put in
    bool is_expanded = false;     ///< source_line is the expanded text
};

/// Collects diagnostics. Keeps at most `capacity` of each severity and counts the rest, so that a hostile file cannot fill
/// the memory.
class Diagnostics {
public:
    static constexpr std::size_t capacity = 10'000;

    void add(Diagnostic diagnostic);
    const std::vector<Diagnostic>& all() const { return entries_; }
    /// How many were reported, those not kept included.
    std::size_t count(Severity severity) const { return counts_[static_cast<std::size_t>(severity)]; }
    std::size_t count(Category category) const { return categories_[static_cast<std::size_t>(category)]; }
    bool has_errors() const { return count(Severity::error) != 0; }
    /// Brings them into the order of files, lines and columns (several found at one place keep their order).
    void sort();

private:
    std::vector<Diagnostic> entries_;
    std::size_t counts_[3]{};
    std::size_t categories_[4]{};
};

/// The whole report of one diagnostic, several lines, each ending in '\n':
///
///     keepalived.conf:31:1: error: unknown keyword 'preemtp_delay' in vrrp_instance
///         preemtp_delay 300
///         ^~~~~~~~~~~~~
///         did you mean 'preempt_delay'?
std::string to_text(const Diagnostic& diagnostic, const Configuration& configuration);
/// Only its first line, without '\n', for a log.
std::string to_line(const Diagnostic& diagnostic, const Configuration& configuration);

/// Exit code of `-t`, as keepalived gives them: 0 fine (notes do not count), 4 cannot run, 5 any error or warning,
/// 6 script security. The worst in the order 4, 6, 5, 0 decides.
int test_exit_code(const Diagnostics& diagnostics);

}  // namespace vigil::config
