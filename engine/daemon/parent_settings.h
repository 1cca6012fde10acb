#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/process_definitions.h"
#include "engine/daemon/bounded_script.h"
#include "engine/daemon/configuration_load.h"
#include "engine/daemon/options.h"
#include "engine/daemon/pid_file.h"

namespace vigil::daemon {

/// How a reload comes about.
struct ReloadSettings {
    bool checks_first = false;   ///< a configuration that -t has complaints about is not loaded
    std::string check_log;       ///< gets the report of that test; empty: nobody does
    std::string file;            ///< exists while a new configuration is being read; empty: none
    std::string time_file;       ///< a time in it means a reload then; empty: none
    bool repeats = false;        ///< a time without a date means every day

    friend bool operator==(const ReloadSettings&, const ReloadSettings&) = default;
};

/// What of a configuration concerns the parent process, and may change with a reload.
struct ParentSettings {
    std::chrono::milliseconds child_wait_time{5000};   ///< from SIGTERM to SIGKILL
    ReloadSettings reload{};
    BoundedScript::Call shutdown{"shutdown_script", {}, {}, std::chrono::seconds{10}};
    std::optional<unsigned> umask{};                   ///< of the file; the command line's wins
    std::string process_name{};                        ///< of the parent; empty: the program's

    friend bool operator==(const ParentSettings&, const ParentSettings&) = default;
};

/// What the parent needs for a start.
struct ParentStart {
    bool is_readable = true;
    std::vector<std::string> problems;   ///< only when not readable
    KnownErrors known_errors;
    std::string net_namespace;           ///< of the command line, else of the file; empty: none
    PidFileNames pid_files;
    std::string log_suffix;              ///< "_NAMESPACE_INSTANCE", of the identity in the log, so that several daemons can be told apart; mostly empty
    ParentSettings settings;
    BoundedScript::Call startup;         ///< startup_script
    std::string vrrp_process_name;       ///< never empty
    std::string checkers_process_name;
    bool has_bfd = false;                ///< there are BFD sessions to be kept, or --all asks for the process
    std::string bfd_process_name = "vigild_bfd";
    bool has_checkers = false;           ///< there are virtual servers, or an option asks for the process
};
/// Reads the configuration, for the parent only: the children log what is wrong with it.
ParentStart read_parent_start(const Options& options);

/// What ps shows of a child process.
std::string vrrp_process_name(const config::ProcessDefinitions& process);
std::string checkers_process_name(const config::ProcessDefinitions& process);

/// In a process of its own, for a reload: writes the ParentSettings to `fd`, where read_settings() understands them. With `tests`, the report of a
/// configuration test goes to the end of `check_log`, and the exit code is that of -t; otherwise it is 0, or exit_config when
/// the children will not take it either.
int examine_configuration(const Options& options, const KnownErrors& known, bool tests, const std::string& check_log, int fd);

std::string write_settings(const ParentSettings& settings);
/// nullopt for anything that write_settings() has not written.
std::optional<ParentSettings> read_settings(std::string_view text);

}  // namespace vigil::daemon
