#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "config/load.h"
#include "engine/daemon/options.h"

namespace vigil::daemon {

/// Reads the configuration as the options say. Interfaces that are missing on this host get a warning only with `checks_interfaces`
/// (-t): a running daemon says more about them itself. With it this process goes into the network namespace that the file or an option names.
config::LoadResult load_configuration(const Options& options, bool checks_interfaces);
/// One line per diagnostic; notes only in detail.
void log_diagnostics(const config::LoadResult& result);
/// Errors that make a new file worse than the running configuration. A script that cannot run and a FIFO that cannot be opened are none: everything else
/// works.
bool has_serious_errors(const config::Diagnostics& diagnostics);

/// The serious errors of the file that a process has started with. A file that has no others is no worse than what runs: without this, one with a typo that
/// runs all the same could never be reloaded.
class KnownErrors {
public:
    KnownErrors() = default;
    explicit KnownErrors(const config::Diagnostics& diagnostics);

    bool covers(const config::Diagnostics& diagnostics) const;

private:
    std::unordered_set<std::string> errors_;   // message and line, wherever in the file
};
/// What -t says of it, lines for people.
std::string config_test_report(const Options& options, const config::LoadResult& result);
/// False when the file cannot be written; `report` goes to its end.
bool append_report(const std::string& path, const std::string& report);
/// -t: reports to stderr or the file, returns the exit code.
int run_config_test(const Options& options);
/// Whether a reload would change anything.
bool is_same_configuration(const config::Configuration& a, const config::Configuration& b);

}  // namespace vigil::daemon
