#pragma once

#include <string>
#include <string_view>

#include "config/model.h"
#include "engine/daemon/outlets.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/router_status.h"
#include "engine/daemon/usable_scripts.h"

namespace vigil::daemon {

/// Turns changes of state into script calls and FIFO lines. Which scripts may run is decided at load; what is wrong with the others was
/// reported by check_scripts().
class Notifier {
public:
    /// All outlive it.
    Notifier(const Plan& plan, const config::GlobalDefinitions& global, Outlets& outlets);

    /// The specific script of the state, then the generic one, then the FIFOs, then mail. `status`: what is known otherwise.
    void on_state(const PlannedRouter& router, OperatorState state, const RouterStatus& status, std::string_view tracker_fault = {});
    /// A reload took the instance out of the configuration: DELETED with notify_deleted, else FAULT, as keepalived does.
    void on_deleted(const PlannedRouter& router, const RouterStatus& status);
    /// notify_master_rx_lower_pri.
    void on_lower_priority(const PlannedRouter& router, int priority);
    /// Trackers changed the effective priority: FIFO lines with notify_priority_changes, no script.
    void on_priority_change(const PlannedRouter& router, OperatorState state, int priority);
    /// Where it stands, once more, for those at the FIFOs.
    void tell_again(const PlannedRouter& router, OperatorState state, int priority);

    bool has_refused_scripts() const { return scripts_.has_refused(); }

private:
    std::string mail_details(const PlannedRouter& router, const RouterStatus& status, std::string_view tracker_fault) const;
    void call(const PlannedRouter& router, const config::NotifyScript& script, std::string_view state, int priority);

    const Plan& plan_;
    Outlets& outlets_;
    UsableScripts scripts_;
};

}  // namespace vigil::daemon
