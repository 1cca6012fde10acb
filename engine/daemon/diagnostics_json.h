#pragma once

#include <string>

#include "config/load.h"

namespace vigil::daemon {

/// What a load has to say, for programs (vigild -t --diagnostics=json, vigil check --diagnostics json): one JSON object
///
///     {"file": NAME, "exit_code": 5, "virtual_routers": 1, "errors": 0, "warnings": 1, "notes": 0, "diagnostics": [
///         {"file": NAME, "line": 7, "column": 10, "end_column": 13, "severity": "warning", "category": "ordinary",
///          "message": "...", "help": "...", "source": "    priority 300", "notes": []}]}
///
/// Lines and columns count from 1, columns count octets, end_column is the one behind the last; 0 or absent: not known. `category` is ordinary, cannot_run,
/// script_security or host. `notes` says what else to know of the place. No more than Diagnostics::capacity of each severity are listed; the counts are
/// complete.
std::string diagnostics_json(const std::string& name, const config::LoadResult& result);

}  // namespace vigil::daemon
