#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace vigil::daemon {

/// What vrrp_track_process looks for.
struct ProcessPattern {
    std::string program;
    std::vector<std::string> parameters;
    config::ParameterMatch match = config::ParameterMatch::none;
    bool has_full_command = false;

    friend bool operator==(const ProcessPattern&, const ProcessPattern&) = default;
};

/// What there is to be known of one process.
struct ProcessFacts {
    std::string name;                      ///< comm, at most 15 octets
    std::vector<std::string> arguments;    ///< of /proc/PID/cmdline; empty for kernel threads
};

bool matches(const ProcessPattern& pattern, const ProcessFacts& process);

/// The name in a line of /proc/PID/stat, which may hold blanks and brackets; empty when the process runs no more (a zombie) or the text is no
/// such line.
std::string_view name_in_stat(std::string_view stat);
/// Words that end with a 0 octet.
std::vector<std::string> split_command_line(std::string_view command_line);

}  // namespace vigil::daemon
