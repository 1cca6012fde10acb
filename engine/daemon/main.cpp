// vigild: options, the checks that belong before anything is started, and then the supervisor.

#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <spdlog/spdlog.h>

#include "engine/daemon/bfd_child.h"
#include "engine/daemon/checkers_program.h"
#include "engine/daemon/configuration_load.h"
#include "engine/daemon/core_dump.h"
#include "engine/daemon/exit_code.h"
#include "engine/daemon/log.h"
#include "engine/daemon/options.h"
#include "engine/daemon/parent_settings.h"
#include "engine/daemon/pid_file.h"
#include "engine/daemon/rights.h"
#include "engine/daemon/signals.h"
#include "engine/daemon/supervisor.h"
#include "engine/daemon/version.h"
#include "engine/daemon/vrrp_child.h"

namespace vigil::daemon {
namespace {

/// Leaves the terminal: a session of its own, not its leader, no standard files (stderr stays when it is logged to). The first
/// process ends with 0 once the second runs.
bool become_daemon(bool keeps_stderr) {
    const int first = ::fork();
    if (first < 0) return false;
    if (first > 0) ::_exit(0);
    ::setsid();
    const int second = ::fork();
    if (second < 0) return false;
    if (second > 0) ::_exit(0);
    if (::chdir("/") != 0) return false;
    const int null_fd = ::open("/dev/null", O_RDWR);
    if (null_fd < 0) return false;
    ::dup2(null_fd, STDIN_FILENO);
    ::dup2(null_fd, STDOUT_FILENO);
    if (!keeps_stderr) ::dup2(null_fd, STDERR_FILENO);
    if (null_fd > STDERR_FILENO) ::close(null_fd);
    return true;
}

void start_parent_log(const Options& options, const std::string& suffix = {}) {
    start_log({.identity = "Keepalived" + suffix, .to_console = options.log_to_console, .to_syslog = options.log_to_syslog,
               .facility = options.log_facility, .detail = options.log_detail, .file = options.log_file});
}

/// What cannot run at all is told on the terminal too, wherever the log goes.
int refuse(const Options& options, int exit_code, const std::string& text) {
    spdlog::error(text);
    if (!options.log_to_console) std::fprintf(stderr, "vigild: %s\n", text.c_str());
    return exit_code;
}

/// Between the BFD process and one that tracks its sessions. The parent keeps both ends, so that either can be started anew.
struct BfdLink {
    io::FileDescriptor of_bfd;
    io::FileDescriptor of_tracker;
};

BfdLink make_bfd_link(bool is_wanted) {
    std::array<int, 2> ends{-1, -1};
    if (!is_wanted) return {};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
        spdlog::error("BFD sessions are not tracked: {}", std::strerror(errno));
        return {};
    }
    return {io::FileDescriptor(ends[0]), io::FileDescriptor(ends[1])};
}

struct BfdLinks {
    BfdLink vrrp;
    BfdLink checkers;
};

/// As vigild was called, for the program that it starts.
struct Call {
    std::vector<std::string> arguments;
    std::string directory;   ///< empty: nobody knows
};

std::vector<ChildProgram> programs(const Options& options, const ParentStart& start, const Call& call, const BfdLinks& links) {
    const ChildNames vrrp{start.pid_files.vrrp, start.log_suffix};
    const ChildNames bfd{start.pid_files.bfd, start.log_suffix};
    CheckersStart checkers{.names = {start.pid_files.checkers, start.log_suffix}, .process_name = start.checkers_process_name, .directory = call.directory,
                           .arguments = call.arguments, .bfd_fd = links.checkers.of_tracker.get()};
    std::vector<ChildProgram> children;
    if (options.vrrp) {
        children.push_back({"VRRP", start.vrrp_process_name, [&options, vrrp, fd = links.vrrp.of_tracker.get()](int ready) { return run_vrrp_child(options, vrrp, ready, fd); }});
    }
    const int to_vrrp = links.vrrp.of_bfd.get();
    const int to_checkers = links.checkers.of_bfd.get();
    if (to_vrrp >= 0 || to_checkers >= 0) {
        const auto on_death = [to_vrrp, to_checkers] {
            tell_bfd_death(to_vrrp);
            tell_bfd_death(to_checkers);
        };
        children.push_back({.name = "BFD", .process_name = start.bfd_process_name.substr(0, 15),
                            .run = [&options, bfd, to_vrrp, to_checkers](int ready) { return run_bfd_child(options, bfd, ready, to_vrrp, to_checkers); },
                            .starts_by = start.has_bfd ? '\0' : sign_bfd_wanted,
                            .on_death = on_death});
    }
    if (options.checkers) {
        children.push_back({.name = "Healthcheck", .process_name = start.checkers_process_name,
                            .run = [checkers](int ready) mutable {
                                checkers.ready_fd = ready;
                                return become_checkers_program(checkers);
                            },
                            .starts_by = start.has_checkers ? '\0' : sign_checkers_wanted});
    }
    return children;
}

void prepare_core_dumps(const Options& options, CorePattern& pattern) {
    if (!options.core_dumps) return;
    if (const std::string error = allow_core_dumps(); !error.empty()) spdlog::warn(error);
    if (options.core_pattern.empty()) return;
    if (const std::string error = pattern.set(options.core_pattern); !error.empty()) spdlog::warn(error);
}

int run(const Options& options, const Call& call, const std::vector<std::string>& notes) {
    start_parent_log(options);
    spdlog::info("Starting vigil v{}", version);
    for (const std::string& note : notes) spdlog::info("Option understood, not yet acted on: {}", note);
    if (options.umask) ::umask(static_cast<mode_t>(*options.umask));
    const ParentStart start = read_parent_start(options);
    ::malloc_trim(0);   // the parent stays, the configuration that it read does not
    for (const std::string& problem : start.problems) refuse(options, exit_no_config, problem);
    if (!start.is_readable) return exit_no_config;
    if (!start.log_suffix.empty()) start_parent_log(options, start.log_suffix);
    if (const std::string missing = missing_rights(); !missing.empty()) return refuse(options, exit_no_permission, missing);
    if (!start.net_namespace.empty()) {
        if (const std::string error = enter_network_namespace(start.net_namespace); !error.empty()) return refuse(options, exit_fatal, error);
    }
    auto pid_file = PidFile::acquire_from_dying(start.pid_files.parent, std::chrono::seconds{3});
    if (!pid_file) return refuse(options, exit_fatal, pid_file.error());
    if (!options.foreground && !become_daemon(options.log_to_console)) {
        return refuse(options, exit_fatal, fmt::format("cannot become a daemon: {}", std::strerror(errno)));
    }
    CorePattern core_pattern;   // of this process: the one that the shell has started may be gone
    prepare_core_dumps(options, core_pattern);
    block_handled_signals();  // the Supervisor takes them from here
    pid_file->write_pid();
    const auto examine = [&](bool tests, const std::string& check_log, int fd) {
        return examine_configuration(options, start.known_errors, tests, check_log, fd);
    };
    SupervisorSettings settings{.respawn = options.respawn, .ignore_sigint = options.ignore_sigint, .parent = start.settings, .startup = start.startup,
                                .umask = options.umask, .examine = examine};
    const BfdLinks links{make_bfd_link(options.bfd && options.vrrp), make_bfd_link(options.bfd && options.checkers)};
    const int code = Supervisor(std::move(settings), programs(options, start, call, links)).run();
    spdlog::info("Stopped vigil v{}", version);
    return code;
}

}  // namespace
}  // namespace vigil::daemon

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    vigil::daemon::ParsedOptions parsed = vigil::daemon::parse_options(arguments);
    if (parsed.answer) {
        std::fputs(parsed.answer->text.c_str(), parsed.answer->to_stderr ? stderr : stdout);
        return parsed.answer->exit_code;
    }
    if (parsed.options.config_test) return vigil::daemon::run_config_test(parsed.options);
    std::error_code error;
    return vigil::daemon::run(parsed.options, {arguments, std::filesystem::current_path(error).string()}, parsed.notes);
}
