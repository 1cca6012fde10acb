#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/daemon/plan.h"
#include "engine/daemon/reporter.h"
#include "engine/daemon/router_status.h"
#include "engine/daemon/script_runner.h"
#include "engine/daemon/usable_scripts.h"

namespace vigil::daemon {

/// What operators see of sync groups: log lines and scripts. The engine keeps the members in step; here their transitions, told one by one, become one of
/// the group: when all members are in a state, the group is. Control thread.
class SyncGroups {
public:
    /// `plan` and `runner` outlive it. Routers are counted as plan.routers. A group's scripts run one after the other.
    SyncGroups(const Plan& plan, const config::GlobalDefinitions& global, ScriptRunner& runner);

    /// After a reload: the routers are in these states, and nobody need be told.
    void go_on_from(const std::vector<RouterStatus>& statuses);
    /// What is to be said before the words about the event itself: that a group follows, or why a member does not.
    std::vector<LogLine> describe(const engine::Event& event);
    /// A router is in this state now.
    void on_state(std::size_t router, OperatorState state);
    /// The daemon ends.
    void on_stop();
    /// Starts the scripts for what changed since the last call, and calls on_group_state. After the scripts of the members.
    void flush();

    /// For FIFOs and mail: once for each change, behind its scripts.
    std::function<void(const PlannedGroup& group, OperatorState state)> on_group_state = [](const PlannedGroup&, OperatorState) {};
    /// Where each group stands that has been anywhere yet.
    std::vector<std::pair<const PlannedGroup*, OperatorState>> states() const;
    bool has_refused_scripts() const { return scripts_.has_refused(); }
    /// The body of a mail about it.
    std::string mail_details(const PlannedGroup& group) const;

private:
    static constexpr std::size_t state_count = static_cast<std::size_t>(OperatorState::deleted) + 1;
    struct Group {
        OperatorState state = OperatorState::init;
        OperatorState following = OperatorState::init;        // what was said last that its members follow to; init: nothing
        std::array<std::uint32_t, state_count> members{};     // how many are in each state
    };
    Group* group_of(std::size_t router);
    void call(std::size_t group, const config::NotifyScript& script, std::string_view state);

    const Plan& plan_;
    ScriptRunner& runner_;
    std::vector<Group> groups_;
    UsableScripts scripts_;
    std::vector<OperatorState> states_;                    // by router; empty without groups
    std::vector<std::pair<std::size_t, OperatorState>> changes_;
};

}  // namespace vigil::daemon
