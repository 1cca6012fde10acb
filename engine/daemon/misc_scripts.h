#pragma once

#include <map>
#include <string>
#include <tuple>

#include <tl/expected.hpp>

#include "config/model.h"
#include "engine/daemon/script_security.h"
#include "ipvs/checkers/resources.h"

namespace vigil::daemon {

/// Starts the programs of MISC_CHECK by the rules that hold for all scripts. Who runs a program, and whether it may run, is found out once for each configuration.
class MiscScripts final : public checkers::ScriptStarter {
public:
    /// `global` must live until the next call, or the end.
    void configure(const config::GlobalDefinitions& global);

    tl::expected<pid_t, std::string> start(const checkers::MiscSpec& spec) override;

private:
    using Program = tl::expected<ScriptProgram, std::string>;

    const Program& find(const checkers::MiscSpec& spec);

    const config::GlobalDefinitions* global_ = nullptr;
    std::map<std::tuple<std::string, std::string, std::string>, Program> programs_;   // by first word, user, group
};

}  // namespace vigil::daemon
