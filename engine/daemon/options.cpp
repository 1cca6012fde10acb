// The command line, as keepalived reads it.
//
// getopt_long rather than CLI11: keepalived's users write `-D -D`, `-nldD`, `-tFILE`, `--config-test=FILE`, `-g` with an optional attached
// argument, and unambiguous beginnings of long names, all of which is getopt_long's grammar. CLI11 would take the word after `-t` for its
// argument. The `vigil` command, which has no such past, uses CLI11.
//
// An option of keepalived that nothing here acts on yet is accepted with a note, so that an existing unit file starts; an option nobody knows
// stops with exit code 1 and a hint.

#include "engine/daemon/options.h"

#include <getopt.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include <fmt/format.h>

#include "config/suggestion.h"
#include "engine/daemon/version.h"

namespace vigil::daemon {
namespace {

enum LongOnly : int { all_processes = 1000, flush_log, signum, ignore_sigint, perf, debug, no_mem_check, config_fd, backend, journal, diagnostics };

constexpr const char* short_options = ":f:PCBalDS:g::Gu:XVIRndp:r:c:b:Ts:xA:mM::ei:t::vhLO";

constexpr std::array long_options{
    option{"use-file", required_argument, nullptr, 'f'},
    option{"vrrp", no_argument, nullptr, 'P'},
    option{"check", no_argument, nullptr, 'C'},
    option{"no_bfd", no_argument, nullptr, 'B'},
    option{"all", no_argument, nullptr, all_processes},
    option{"log-console", no_argument, nullptr, 'l'},
    option{"log-detail", no_argument, nullptr, 'D'},
    option{"log-facility", required_argument, nullptr, 'S'},
    option{"log-file", optional_argument, nullptr, 'g'},
    option{"flush-log-file", no_argument, nullptr, flush_log},
    option{"no-syslog", no_argument, nullptr, 'G'},
    option{"umask", required_argument, nullptr, 'u'},
    option{"release-vips", no_argument, nullptr, 'X'},
    option{"dont-release-vrrp", no_argument, nullptr, 'V'},
    option{"dont-release-ipvs", no_argument, nullptr, 'I'},
    option{"dont-respawn", no_argument, nullptr, 'R'},
    option{"dont-fork", no_argument, nullptr, 'n'},
    option{"dump-conf", no_argument, nullptr, 'd'},
    option{"pid", required_argument, nullptr, 'p'},
    option{"vrrp_pid", required_argument, nullptr, 'r'},
    option{"checkers_pid", required_argument, nullptr, 'c'},
    option{"bfd_pid", required_argument, nullptr, 'b'},
    option{"address-monitoring", no_argument, nullptr, 'a'},
    option{"genhash", no_argument, nullptr, 'T'},
    option{"namespace", required_argument, nullptr, 's'},
    option{"snmp", no_argument, nullptr, 'x'},
    option{"snmp-agent-socket", required_argument, nullptr, 'A'},
    option{"core-dump", no_argument, nullptr, 'm'},
    option{"core-dump-pattern", optional_argument, nullptr, 'M'},
    option{"all-config", no_argument, nullptr, 'e'},
    option{"config-id", required_argument, nullptr, 'i'},
    option{"signum", required_argument, nullptr, signum},
    option{"config-test", optional_argument, nullptr, 't'},
    option{"ignore-sigint", no_argument, nullptr, ignore_sigint},
    option{"perf", optional_argument, nullptr, perf},
    option{"debug", optional_argument, nullptr, debug},
    option{"no-mem-check", no_argument, nullptr, no_mem_check},
    option{"config-fd", required_argument, nullptr, config_fd},
    option{"version", no_argument, nullptr, 'v'},
    option{"help", no_argument, nullptr, 'h'},
    option{"backend", required_argument, nullptr, backend},
    option{"journal", required_argument, nullptr, journal},
    option{"diagnostics", required_argument, nullptr, diagnostics},
    option{nullptr, 0, nullptr, 0},
};

constexpr const char* help_text = R"(Usage: vigild [OPTION...]

Reads keepalived.conf, keeps its virtual addresses alive (VRRP versions 2 and 3), and balances load over its real servers (IPVS).

What to run
  -f, --use-file=FILE         configuration, default /etc/keepalived/keepalived.conf
  -P, --vrrp                  only VRRP
  -C, --check                 only health checkers and IPVS
  -B, --no_bfd                no BFD sessions: as if nobody tracked them
      --all                   all processes, also those without configuration
  -i, --config-id=ID          identity for @ID lines, default the short host name
  -e, --all-config            every include must match a readable file
  -s, --namespace=NAME        run in this network namespace
  -t, --config-test[=FILE]    check the configuration and exit; report to FILE instead of stderr
      --diagnostics=text|json how -t reports; JSON goes to stdout

How to run
  -n, --dont-fork             stay in the foreground
  -R, --dont-respawn          stop when a child process dies, rather than start it again
  -V, --dont-release-vrrp     leave the virtual addresses in place at exit
  -I, --dont-release-ipvs     leave the virtual servers in the kernel at exit
  -X, --release-vips          no effect: a virtual address that is here without an election is always taken away
      --ignore-sigint         SIGINT does not stop the daemon
  -m, --core-dump             a process that crashes leaves a core file
  -M, --core-dump-pattern[=PATTERN]   the same, named after PATTERN (core(5)), default core; put back at exit
  -p, --pid=FILE              pid file of the parent
  -r, --vrrp_pid=FILE         pid file of the VRRP process
  -c, --checkers_pid=FILE     pid file of the checkers process
  -b, --bfd_pid=FILE          pid file of the BFD process
  -x, --snmp                  answer an SNMP master agent, for all MIBs that there are
  -A, --snmp-agent-socket=ADDRESS   where the master agent is, default unix:/var/agentx/master
  -u, --umask=OCTAL           mode mask of the files written
      --backend=auto|uring|epoll   how the packet thread waits and sends, default auto
      --journal=FILE          record everything that reaches the packet engine

What to say
  -l, --log-console           also log to stderr
  -D, --log-detail            say more; twice: even more
  -S, --log-facility=N        syslog facility: 0-7 for local0-7, or a name
  -g, --log-file[=FILE]       also log to FILE, default keepalived.log in TMPDIR or /tmp; children add _vrrp and so on
      --flush-log-file        no effect: every line is written at once
  -G, --no-syslog             do not log to syslog
  -d, --dump-conf             log the configuration as understood
  -a, --address-monitoring    log every address change on this host
      --signum=NAME           number of signal STOP RELOAD DATA STATS STATS_CLEAR JSON TDUMP
  -v, --version               version (on stderr)
  -h, --help                  this text
)";

Answer refuse(std::string text) {
    return {1, "vigild: " + std::move(text) + "\nTry 'vigild --help'.\n", true};
}

std::string absolute(const std::string& path) {
    if (path.empty() || path.front() == '/') return path;
    char* directory = ::getcwd(nullptr, 0);
    if (directory == nullptr) return path;
    const std::string result = std::string(directory) + '/' + path;
    std::free(directory);
    return result;
}

std::optional<unsigned> read_number(std::string_view text, int base) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<int> read_facility(std::string_view text) {
    if (text.starts_with("local")) text.remove_prefix(5);
    if (const auto number = read_number(text, 10)) {
        if (*number > 7) return std::nullopt;
        return static_cast<int>(*number) + (LOG_LOCAL0 >> 3);
    }
    if (text == "user") return LOG_USER >> 3;
    if (text == "daemon") return LOG_DAEMON >> 3;
    return std::nullopt;
}

std::string unknown_option_text(const std::string& word, int short_option) {
    if (short_option != 0 && !word.starts_with("--")) return fmt::format("unknown option '-{}'", static_cast<char>(short_option));
    const std::string name = word.substr(2, word.find('=') == std::string::npos ? std::string::npos : word.find('=') - 2);
    config::Suggester suggester(name);
    for (const option& known : long_options) {
        if (known.name != nullptr) suggester.consider(known.name);
    }
    if (suggester.best().empty()) return fmt::format("unknown option '--{}'", name);
    return fmt::format("unknown option '--{}', did you mean '--{}'?", name, suggester.best());
}

/// -P and -C choose; with neither, both run, the checkers when there is something to check.
struct Choice {
    bool vrrp = false;
    bool checkers = false;
    bool all = false;
};

/// Options that a running keepalived may have been given and that change nothing here yet; nullptr for others.
const char* not_acted_on(int code) {
    switch (code) {
    case 'L':
    case 'O':
    case perf:
    case debug:
    case no_mem_check: return "-L, -O, --perf, --debug, --no-mem-check: keepalived's own debugging aids";
    case config_fd: return "--config-fd: internal to keepalived";
    default: return nullptr;
    }
}

std::optional<Answer> apply_value(Options& options, int code, const std::string& value) {
    switch (code) {
    case 'f': options.configuration = absolute(value); break;
    case 'i': options.config_id = value; break;
    case 's': options.net_namespace = value; break;
    case 'p': options.parent_pid_file = absolute(value); break;
    case 'r': options.vrrp_pid_file = absolute(value); break;
    case 'c': options.checkers_pid_file = absolute(value); break;
    case 'b': options.bfd_pid_file = absolute(value); break;
    case journal: options.journal = absolute(value); break;
    case 'A': options.snmp_socket = value; break;
    case 'g': {
        const char* directory = std::getenv("TMPDIR");
        options.log_file = value.empty() ? fmt::format("{}/keepalived.log", directory != nullptr && *directory == '/' ? directory : "/tmp")
                                         : absolute(value);
        break;
    }
    case 'M':
        options.core_dumps = true;
        options.core_pattern = value.empty() ? "core" : value;
        break;
    case 'S':
        if (const auto facility = read_facility(value)) options.log_facility = *facility;
        else return refuse(fmt::format("-S {}: expected 0-7, local0-local7, user or daemon", value));
        break;
    case 'u':
        if (const auto mask = read_number(value, 8); mask && *mask <= 0777) options.umask = *mask;
        else return refuse(fmt::format("-u {}: expected an octal number of at most 777", value));
        break;
    case 't':
        options.config_test = true;
        options.config_test_log = absolute(value);
        break;
    case backend:
        if (value == "auto") options.backend = Backend::automatic;
        else if (value == "uring") options.backend = Backend::uring;
        else if (value == "epoll") options.backend = Backend::epoll;
        else return refuse(fmt::format("--backend={}: expected auto, uring or epoll", value));
        break;
    case diagnostics:
        if (value != "json" && value != "text") return refuse(fmt::format("--diagnostics={}: expected text or json", value));
        options.diagnostics_as_json = value == "json";
        break;
    case signum:
        if (const auto number = signal_number(value)) return Answer{0, fmt::format("{}\n", *number), false};
        return refuse(fmt::format("--signum={}: expected STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON or TDUMP", value));
    default: break;
    }
    return std::nullopt;
}

std::optional<Answer> apply_flag(Options& options, Choice& choice, int code) {
    switch (code) {
    case 'P': choice.vrrp = true; break;
    case 'C': choice.checkers = true; break;
    case 'B': options.bfd = false; break;
    case all_processes: choice.all = options.bfd_always = true; break;
    case 'l': options.log_to_console = true; break;
    case 'D': ++options.log_detail; break;
    case 'G': options.log_to_syslog = false; break;
    case 'V': options.keep_addresses = true; break;
    case 'I': options.keep_ipvs = true; break;
    case 'X': break;   // always so: a virtual address is there because somebody was elected, or it is taken away
    case 'R': options.respawn = false; break;
    case 'm': options.core_dumps = true; break;
    case ignore_sigint: options.ignore_sigint = true; break;
    case 'n': options.foreground = true; break;
    case 'd': options.dump_configuration = true; break;
    case 'a': options.log_address_changes = true; break;
    case 'e': options.check_includes = true; break;
    case 'x': options.snmp = true; break;
    case flush_log: break;   // every line is written at once anyway
    case 'v': return Answer{0, fmt::format("vigil v{} (VRRP versions 2 and 3, reads keepalived.conf)\n", version), true};
    case 'h': return Answer{0, help_text, false};
    case 'T': return refuse("-T: use 'vigil digest', which takes the options of genhash");
    default: break;
    }
    return std::nullopt;
}

}  // namespace

std::optional<int> signal_number(std::string_view name) {
    if (name == "STOP") return SIGTERM;
    if (name == "RELOAD") return SIGHUP;
    if (name == "DATA") return SIGUSR1;
    if (name == "STATS") return SIGUSR2;
    if (name == "STATS_CLEAR") return SIGRTMAX - 1;
    if (name == "JSON") return SIGRTMIN + 2;
    if (name == "TDUMP") return SIGRTMAX;
    return std::nullopt;
}

ParsedOptions parse_options(std::span<const std::string> arguments) {
    ParsedOptions parsed;
    Choice choice;
    std::vector<std::string> words{"vigild"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int argc = static_cast<int>(words.size());

    optind = 0;  // glibc: forget what an earlier call left
    for (;;) {
        const int word = optind == 0 ? 1 : optind;  // the word that getopt is in, for messages
        const int code = getopt_long(argc, argv.data(), short_options, long_options.data(), nullptr);
        if (code == -1) break;
        if (code == '?') {
            parsed.answer = refuse(unknown_option_text(argv[static_cast<std::size_t>(std::min(word, argc - 1))], optopt));
        } else if (code == ':') {
            parsed.answer = refuse(fmt::format("option '{}' needs an argument", argv[static_cast<std::size_t>(optind - 1)]));
        } else if (const char* note = not_acted_on(code)) {
            parsed.notes.emplace_back(note);
        } else if (auto answer = apply_flag(parsed.options, choice, code)) {
            parsed.answer = std::move(answer);
        } else {
            parsed.answer = apply_value(parsed.options, code, optarg == nullptr ? "" : optarg);
        }
        if (parsed.answer) return parsed;
    }
    if (optind < argc) {
        parsed.answer = refuse(fmt::format("unexpected argument '{}'; the configuration file is given by -f", argv[static_cast<std::size_t>(optind)]));
    }
    parsed.options.vrrp = choice.all || choice.vrrp || !choice.checkers;
    parsed.options.checkers = choice.all || choice.checkers || !choice.vrrp;
    parsed.options.checkers_always = choice.all || choice.checkers;
    return parsed;
}

}  // namespace vigil::daemon
