#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "config/model.h"

namespace vigil::daemon {

/// The files that signals ask for.
enum class DumpKind : std::uint8_t { state, statistics, json, sessions, servers };   ///< sessions: of the BFD process; servers: of the checkers process

/// Where this host keeps such files.
struct DumpDirectories {
    std::string chosen;                          ///< TMPDIR when it is an absolute path; empty: not set
    std::string own = "/run/vigil";              ///< without a choice: only root writes there
    std::string usual = "/tmp";                  ///< where programs look for keepalived's: gets a link to the file in `own`
};
DumpDirectories host_dump_directories();

struct DumpPlace {
    std::string path;
    std::string link;   ///< to be made, pointing at `path`; empty: none

    friend bool operator==(const DumpPlace&, const DumpPlace&) = default;
};

/// By state_dump_file, stats_dump_file, json_dump_file, data_use_instance, and the directories. Pure.
DumpPlace dump_place(DumpKind kind, const config::GlobalDefinitions& global, const DumpDirectories& directories);

/// Writes a new file beside the path (never through a link that somebody left there), renames it, and puts the link in its place. The error is a
/// sentence.
tl::expected<void, std::string> write_dump_file(const DumpPlace& place, std::string_view text);

}  // namespace vigil::daemon
