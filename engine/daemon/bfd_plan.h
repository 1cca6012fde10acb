#pragma once

#include <string>
#include <vector>

#include "config/model.h"
#include "engine/bfd/session_table.h"

namespace vigil::bfd {
struct SessionPicture;
}

namespace vigil::daemon {

/// What a bfd_instance asks of the session thread.
bfd::SessionSpec session_spec(const config::BfdInstance& instance);

/// What a reload makes of the sessions of a running process. By name; a session whose neighbor, addresses, port or TTL have changed is another one and is
/// both removed and added.
struct SessionChanges {
    std::vector<bfd::SessionSpec> removed;
    std::vector<bfd::SessionSpec> changed;   ///< they go on
    std::vector<bfd::SessionSpec> added;

    bool is_empty() const { return removed.empty() && changed.empty() && added.empty(); }
};
SessionChanges compare_sessions(const std::vector<bfd::SessionSpec>& before, const std::vector<bfd::SessionSpec>& now);

/// The text of SIGUSR1 for one session; `now`: to say how long ago something was.
std::string describe_session(const bfd::SessionPicture& picture, Instant now);

}  // namespace vigil::daemon
