#include "engine/daemon/usable_checks.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_set>

#include <fmt/format.h>

#include "engine/daemon/lvs_plan.h"
#include "ipvs/checkers/regex.h"

namespace vigil::daemon {
namespace {

using Diagnostics = std::vector<config::Diagnostic>;

/// Equal checkers are kept once, so thousands of servers are a few lists.
void check_patterns(const config::Configuration& configuration, Diagnostics& found) {
    std::unordered_set<const void*> seen;
    for (const config::VirtualServer& service : configuration.virtual_servers) {
        for (const config::RealServer& server : service.real_servers) {
            if (!seen.insert(server.checkers.get()).second) continue;
            for (const config::Checker& checker : *server.checkers) {
                if (!std::holds_alternative<config::HttpCheck>(checker.check)) continue;
                const checkers::CheckSpec spec = make_check_spec(server, checker, configuration.global.lvs.tls);
                for (const checkers::UrlSpec& url : std::get<checkers::HttpSpec>(spec.method).urls) {
                    if (!url.regex) continue;
                    const auto regex = checkers::Regex::compile(*url.regex);
                    if (regex) continue;
                    found.push_back({config::Severity::error, config::Category::ordinary, checker.where, 0,
                                     fmt::format("{}: the regex '{}' of path {} cannot be used: {}", config::name_of(checker), url.regex->pattern, url.path, regex.error()),
                                     "write a pattern of PCRE2; until then the check fails", "", false});
                }
            }
        }
    }
}

void check_tls_files(const config::TlsClientSettings& tls, Diagnostics& found) {
    const auto check = [&](const char* keyword, std::string_view file) {
        if (file.empty() || ::access(std::string(file).c_str(), R_OK) == 0) return;
        found.push_back({config::Severity::error, config::Category::host, tls.where, 0, fmt::format("SSL: {} {} cannot be read: {}", keyword, file, std::strerror(errno)),
                         "until it can be read, each SSL_GET that needs it fails", "", false});
    };
    check("ca", tls.ca);
    check("certificate", tls.certificate);
    check("key", tls.key);
}

}  // namespace

std::vector<config::Diagnostic> check_checkers(const config::Configuration& configuration) {
    Diagnostics found;
    check_patterns(configuration, found);
    check_tls_files(configuration.global.lvs.tls, found);
    return found;
}

}  // namespace vigil::daemon
