#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "engine/daemon/script_runner.h"
#include "engine/daemon/script_security.h"

namespace vigil::daemon {

/// What a script is told about.
struct ScriptSubject {
    std::string_view kind;    ///< "INSTANCE" or "GROUP"
    std::string_view name;
    std::string_view state;
    int priority = 0;         ///< 0 for a group
};

/// The words of one call: the command's own, then what keepalived appends for the generic script (kind, name, state, priority). Pure. Empty when the
/// command is empty.
std::vector<std::string> script_arguments(const config::NotifyScript& script, const ScriptSubject& subject);

/// Notify scripts. Which of them may run is looked up once, when they are added; what is wrong with the others was reported by check_scripts().
class UsableScripts {
public:
    /// `script` outlives this, and is known by its address.
    void add(const config::NotifyScript& script, const config::GlobalDefinitions& global);
    /// Some may not run: that may be different when they are looked at again.
    bool has_refused() const { return has_refused_; }
    /// nullopt for one that may not run. `title`: who calls it, for the log.
    std::optional<ScriptCall> call(const config::NotifyScript& script, std::string_view title, const ScriptSubject& subject) const;

private:
    std::map<const config::NotifyScript*, ScriptProgram> programs_;
    bool has_refused_ = false;
};

}  // namespace vigil::daemon
