#pragma once

#include <sys/types.h>

#include <boost/asio/ssl/context.hpp>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>

#include <tl/expected.hpp>

#include "ipvs/checkers/check_spec.h"
#include "ipvs/checkers/regex.h"

namespace vigil::checkers {

/// Starts the programs of MISC_CHECK. The daemon knows how: whose identity, what environment, and whether the program may be run at all.
class ScriptStarter {
public:
    /// Starts `spec.arguments` as leader of a process group of its own and does not wait. The error is a sentence for the log. Its end is told to
    /// Runner::on_process_end().
    virtual tl::expected<pid_t, std::string> start(const MiscSpec& spec) = 0;
    virtual ~ScriptStarter() = default;
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// What checks share: compiled patterns, TLS settings with their certificates, chance.
class Resources {
public:
    /// Compiles once for all checks that use the same.
    tl::expected<std::shared_ptr<const Regex>, std::string> regex(const RegexSpec& spec);
    /// Reads the files once. The error says which cannot be read.
    tl::expected<TlsContext, std::string> tls(const TlsSpec& spec, bool http_2);
    /// All of it is made anew when it is needed: after a reload, since files may have changed. Checks under way keep theirs.
    void forget();

    std::uint32_t random() { return static_cast<std::uint32_t>(random_()); }

private:
    std::map<std::tuple<std::string, std::uint32_t, std::uint32_t, bool>, std::shared_ptr<const Regex>> regexes_;
    std::map<std::tuple<bool, bool, std::string, std::string, std::string, std::string>, TlsContext> tls_;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace vigil::checkers
