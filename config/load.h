#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/model.h"

/// The one door of config/: text in, Configuration and Diagnostics out.
namespace vigil::config {

/// What the loader needs of the world. Tests give an in-memory one.
class FileSystem {
public:
    enum class Kind : std::uint8_t { missing, regular, executable, other };

    virtual ~FileSystem() = default;
    /// Whole content; nullopt when it cannot be read.
    virtual std::optional<std::string> read(const std::string& path) const = 0;
    virtual Kind kind(const std::string& path) const = 0;
    /// Paths matching a pattern without braces, sorted; empty when none.
    virtual std::vector<std::string> glob(const std::string& pattern) const = 0;
    virtual std::optional<std::string> environment(const std::string& name) const = 0;
    /// Can every user of the host read the file?
    virtual bool is_readable_by_all(const std::string&) const { return false; }
    /// May its group or everybody read (write, execute) it?
    virtual bool is_open_to_others(const std::string&) const { return false; }
};

/// The real one.
const FileSystem& host_file_system();

/// How strictly `include` looks at what it finds. includer/m/w/b/a add to it for one line, include_check for the file.
struct IncludeChecks {
    bool read = false;            ///< a matched file that cannot be read is an error
    bool match = false;           ///< so is a plain name without a file
    bool wildcard_match = false;  ///< a wildcard pattern without a file
    bool brace_match = false;     ///< a brace alternative without a file
};

/// Bounds that keep hostile input from taking all memory or time. Far above what real files need.
struct LoadLimits {
    std::size_t line_length = 1023;          ///< octets of a source line, as keepalived; longer ones are ignored with an error
    std::size_t expanded_line_length = 65'536;
    std::size_t expanded_bytes = 256u << 20; ///< all lines made by definitions and loops
    std::size_t generated_lines = 8'000'000; ///< rounds of ~SEQ/~LST and lines of multi-line definitions
    std::size_t file_bytes = 256u << 20;
    std::size_t files = 10'000;
    unsigned depth = 32;                     ///< of includes, of definitions in definitions, of loops in loops
};

struct LoadOptions {
    std::string path = "/etc/keepalived/keepalived.conf";  ///< may be a glob pattern
    std::string config_id;                     ///< of @id lines and ${_INSTANCE}; empty: none matches
    IncludeChecks include_checks;              ///< all true for `-e`
    std::uint64_t random_seed = 0;             ///< of ${_RANDOM}; the random_seed keyword wins
    const FileSystem* file_system = nullptr;   ///< nullptr: host_file_system()
    /// When set, an interface that it does not know (of an instance, tracked, or behind `dev`) gives a warning; what follows
    /// from it is the daemon's to decide.
    std::function<bool(std::string_view)> is_known_interface;
    /// Called once when all is read, before is_known_interface: interfaces are those of the namespace that the file may name.
    std::function<void(const GlobalDefinitions&)> before_checks;
    LoadLimits limits;
};

struct LoadResult {
    Configuration configuration;
    Diagnostics diagnostics;
    bool is_readable = true;  ///< false: the main file or a checked include could not be read; do not start from this
};

/// Reads options.path and all it includes.
LoadResult load(const LoadOptions& options);
/// The same for text that is already here. Includes are looked for through options.file_system relative to `name`.
LoadResult load_text(std::string_view name, std::string_view text, const LoadOptions& options = {});

/// The effective model as text for -d and SIGUSR1. Passwords are masked.
std::string dump(const Configuration& configuration);

}  // namespace vigil::config
