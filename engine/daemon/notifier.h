#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/model.h"
#include "engine/daemon/router_status.h"
#include "engine/daemon/script_runner.h"

namespace vigil::daemon {

/// The words of one call: the command's own, then what keepalived appends for the generic script ("INSTANCE" name state priority).
/// Pure. Empty when the command is empty.
std::vector<std::string> script_arguments(const config::NotifyScript& script, std::string_view instance, std::string_view state, int priority);

/// Turns changes of state into script calls.
class Notifier {
public:
    Notifier(const config::Configuration& configuration, ScriptRunner& runner);

    /// The specific script of the state, then the generic one.
    void on_state(std::size_t router, const config::VrrpInstance& instance, OperatorState state, int priority);
    /// notify_master_rx_lower_pri.
    void on_lower_priority(std::size_t router, const config::VrrpInstance& instance);

private:
    void call(std::size_t router, const config::VrrpInstance& instance, const config::NotifyScript& script, std::string_view state, int priority);
    const ScriptIdentity* identity_of(const config::NotifyScript& script);

    const config::Configuration& configuration_;
    ScriptRunner& runner_;
    std::map<std::pair<std::string, std::string>, tl::expected<ScriptIdentity, std::string>> identities_;
};

}  // namespace vigil::daemon
