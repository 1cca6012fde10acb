#pragma once

#include <string>
#include <string_view>

#include <spdlog/spdlog.h>

/// Logging of all processes: spdlog's default logger with our own sinks. A write never waits: what a full pipe or a slow
/// syslog does not take at once is dropped and counted, and the count is logged as soon as lines pass again. Not for the fast
/// thread.
///
/// Levels: info and above always; debug with -D ("log detail"); trace with -D -D.
namespace vigil::daemon {

struct LogSettings {
    std::string identity = "Keepalived";   ///< of syslog lines, keepalived's, because log filters look for it: "Keepalived", "Keepalived_vrrp"
    bool to_console = false;
    bool to_syslog = true;
    int facility = 3;                 ///< syslog's number, not shifted
    unsigned detail = 0;
    std::string file;                 ///< empty: none
    std::string syslog_socket = "/dev/log";
};

/// The file of one process: `suffix` stands before the last '.' of the name, as with keepalived ("keepalived_vrrp.log"). Empty for an empty name.
std::string log_file_of(const std::string& file, std::string_view suffix);

/// Replaces the sinks of this process. A log file that cannot be opened is reported through the others.
void start_log(const LogSettings& settings);

}  // namespace vigil::daemon
