#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vigil::daemon {

enum class Backend : std::uint8_t { automatic, uring, epoll };

/// What the command line asked for. Names and meanings are keepalived's, so that units and scripts go on working; the
/// last group is ours.
struct Options {
    std::string configuration = "/etc/keepalived/keepalived.conf";  ///< -f; absolute, because a daemon changes its directory
    std::string config_id;                 ///< -i; empty: the short host name
    bool check_includes = false;           ///< -e
    bool vrrp = true;                      ///< -P, or no choice made
    bool checkers = true;                  ///< -C, or no choice made; the process runs when the file has a virtual_server
    bool checkers_always = false;          ///< -C or --all: also when it has none
    bool bfd = true;                       ///< -B clears it; the process runs when the file has a bfd_instance
    bool bfd_always = false;               ///< --all: also when it has none

    bool foreground = false;               ///< -n
    bool respawn = true;                   ///< -R clears it
    bool dump_configuration = false;       ///< -d
    bool keep_addresses = false;           ///< -V
    bool keep_ipvs = false;                ///< -I
    bool log_address_changes = false;      ///< -a
    std::optional<unsigned> umask;         ///< -u
    bool core_dumps = false;               ///< -m or -M
    std::string core_pattern;              ///< -M; empty: left as it is
    bool ignore_sigint = false;            ///< --ignore-sigint
    std::string net_namespace;             ///< -s; empty: what the file says

    bool log_to_console = false;           ///< -l
    bool log_to_syslog = true;             ///< -G clears it
    int log_facility = 3;                  ///< -S, a syslog facility number (daemon)
    unsigned log_detail = 0;               ///< how often -D was given
    std::string log_file;                  ///< -g; empty: none. Children add their suffix: log_file_of().

    std::string parent_pid_file;           ///< -p; empty: by the file's `instance` and `use_pid_dir`
    std::string vrrp_pid_file;             ///< -r
    std::string checkers_pid_file;         ///< -c
    std::string bfd_pid_file;              ///< -b

    bool snmp = false;                     ///< -x: all MIBs, whatever the file says
    std::string snmp_socket;               ///< -A: wins over the file's; empty: that

    bool config_test = false;              ///< -t
    std::string config_test_log;           ///< -tFILE; empty: stderr, for JSON stdout
    bool diagnostics_as_json = false;      ///< --diagnostics=json

    Backend backend = Backend::automatic;  ///< --backend
    std::string journal;                   ///< --journal: every input of the engine is recorded here; empty: not
};

/// What to do instead of running.
struct Answer {
    int exit_code = 0;
    std::string text;
    bool to_stderr = false;
};

struct ParsedOptions {
    Options options;
    std::vector<std::string> notes;   ///< options that are understood, but not yet acted on
    std::optional<Answer> answer;
};

/// `arguments` without the program's name. Not reentrant (getopt).
ParsedOptions parse_options(std::span<const std::string> arguments);

/// The signal that NAME of --signum=NAME stands for; nullopt for an unknown name.
std::optional<int> signal_number(std::string_view name);

}  // namespace vigil::daemon
