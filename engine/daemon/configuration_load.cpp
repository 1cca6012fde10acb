#include "engine/daemon/configuration_load.h"

#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string>
#include <unordered_map>

#include <spdlog/spdlog.h>

#include "config/text_pool.h"
#include "engine/daemon/diagnostics_json.h"
#include "engine/daemon/notify_fifos.h"
#include "engine/daemon/rights.h"
#include "engine/daemon/script_security.h"
#include "engine/daemon/usable_checks.h"
#include "engine/io/file_descriptor.h"

namespace vigil::daemon {
namespace {

std::string short_host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    const std::string text(name.data());
    return text.substr(0, text.find('.'));
}

}  // namespace

config::LoadResult load_configuration(const Options& options, bool checks_interfaces) {
    config::LoadOptions load;
    load.path = options.configuration;
    load.config_id = options.config_id.empty() ? short_host_name() : options.config_id;
    load.random_seed = static_cast<std::uint64_t>(std::time(nullptr));
    if (options.check_includes) load.include_checks = {true, true, true, true};
    std::string namespace_error;
    if (checks_interfaces) {
        load.before_checks = [&](const config::GlobalDefinitions& global) {
            const std::string name = options.net_namespace.empty() ? std::string(global.net_namespace) : options.net_namespace;
            if (!name.empty()) namespace_error = enter_network_namespace(name);
        };
        load.is_known_interface = [&, asked = std::unordered_map<std::string, bool>()](std::string_view name) mutable {
            if (!namespace_error.empty()) return true;   // where we cannot look nothing is missing
            const auto [answer, is_new] = asked.try_emplace(std::string(name));
            if (is_new) answer->second = ::if_nametoindex(answer->first.c_str()) != 0;   // a socket each time, and thousands of instances on one interface
            return answer->second;
        };
    }
    config::LoadResult result = config::load(load);
    config::Configuration& configuration = result.configuration;
    if (!options.net_namespace.empty()) configuration.global.net_namespace = configuration.texts->intern(options.net_namespace);
    if (!namespace_error.empty()) {
        config::Diagnostic diagnostic;
        diagnostic.severity = config::Severity::warning;
        diagnostic.message = namespace_error;
        diagnostic.help = "'ip netns add NAME' makes one; interfaces were not looked for";
        result.diagnostics.add(std::move(diagnostic));
    }
    config::SnmpSettings& snmp = configuration.global.snmp;
    if (options.snmp) snmp.vrrp = snmp.rfc2787 = snmp.rfc6527 = true;
    if (!options.snmp_socket.empty()) snmp.socket = configuration.texts->intern(options.snmp_socket);
    for (config::Diagnostic& diagnostic : check_scripts(result.configuration)) result.diagnostics.add(std::move(diagnostic));
    for (config::Diagnostic& diagnostic : check_fifos(result.configuration)) result.diagnostics.add(std::move(diagnostic));
    for (config::Diagnostic& diagnostic : check_checkers(result.configuration)) result.diagnostics.add(std::move(diagnostic));
    result.diagnostics.sort();
    return result;
}

void log_diagnostics(const config::LoadResult& result) {
    for (const config::Diagnostic& diagnostic : result.diagnostics.all()) {
        std::string line = config::to_line(diagnostic, result.configuration);
        if (!diagnostic.help.empty()) line += "; " + diagnostic.help;
        switch (diagnostic.severity) {
        case config::Severity::note: spdlog::info(line); break;
        case config::Severity::warning: spdlog::warn(line); break;
        case config::Severity::error: spdlog::error(line); break;
        }
    }
}

namespace {

bool is_serious(const config::Diagnostic& one) {
    const bool is_of_file = one.category == config::Category::ordinary || one.category == config::Category::cannot_run;
    return one.severity == config::Severity::error && is_of_file;
}

std::string identity_of(const config::Diagnostic& one) { return one.message + '\n' + one.source_line; }

}  // namespace

bool has_serious_errors(const config::Diagnostics& diagnostics) { return std::ranges::any_of(diagnostics.all(), is_serious); }

KnownErrors::KnownErrors(const config::Diagnostics& diagnostics) {
    for (const config::Diagnostic& one : diagnostics.all()) {
        if (is_serious(one)) errors_.insert(identity_of(one));
    }
}

bool KnownErrors::covers(const config::Diagnostics& diagnostics) const {
    // What was not kept may be anything.
    if (diagnostics.count(config::Severity::error) > config::Diagnostics::capacity) return false;
    return std::ranges::all_of(diagnostics.all(), [this](const config::Diagnostic& one) { return !is_serious(one) || errors_.contains(identity_of(one)); });
}

std::string config_test_report(const Options& options, const config::LoadResult& result) {
    std::string report;
    for (const config::Diagnostic& diagnostic : result.diagnostics.all()) report += config::to_text(diagnostic, result.configuration);
    const auto count = [&](config::Severity severity) { return result.diagnostics.count(severity); };
    report += fmt::format("{}: {} errors, {} warnings, {} notes\n", options.configuration, count(config::Severity::error),
                          count(config::Severity::warning), count(config::Severity::note));
    return report;
}

bool append_report(const std::string& path, const std::string& report) {
    // Somebody else may have put a link there, in a directory like /tmp.
    const io::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    std::string_view rest = report;
    while (file.is_open() && !rest.empty()) {
        const ssize_t written = ::write(file.get(), rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return file.is_open();
}

int run_config_test(const Options& options) {
    const config::LoadResult result = load_configuration(options, true);
    const std::string report = options.diagnostics_as_json ? diagnostics_json(options.configuration, result) : config_test_report(options, result);
    const int code = config::test_exit_code(result.diagnostics);
    if (options.config_test_log.empty()) {
        std::fputs(report.c_str(), options.diagnostics_as_json ? stdout : stderr);
        return code;
    }
    if (append_report(options.config_test_log, report)) return code;
    std::fputs(("vigild: cannot write " + options.config_test_log + "\n" + report).c_str(), stderr);
    return code;
}

/// By the dump of the effective model, where whatever a reload can change has its line, while comments and the order of keywords do not matter. It masks
/// passwords: so those are compared beside it.
bool is_same_configuration(const config::Configuration& a, const config::Configuration& b) {
    if (a.instances.size() != b.instances.size()) return false;
    for (std::size_t i = 0; i < a.instances.size(); ++i) {
        if (a.instances[i].auth_pass != b.instances[i].auth_pass || a.instances[i].auth_hmac != b.instances[i].auth_hmac) return false;
    }
    if (a.global.lvs.tls.password != b.global.lvs.tls.password) return false;
    return config::dump(a) == config::dump(b);
}

}  // namespace vigil::daemon
