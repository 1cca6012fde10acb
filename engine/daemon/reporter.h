#pragma once

#include <string>
#include <vector>

#include "engine/core/messages.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/router_status.h"

namespace vigil::daemon {

/// One line of the log.
struct LogLine {
    enum class Level : std::uint8_t { detail, info, warning, error };
    Level level = Level::info;
    std::string cause;   ///< for the rate limit; empty: never limited (changes of state)
    std::string text;
};

/// What operators read about an event of the engine. Short status lines are worded as keepalived's, because monitoring looks for them.
/// Pure. `before`: what was known before the event. `tracker_fault`: what Fault::tracker stands for, as RouterTracking says.
std::vector<LogLine> describe_event(const engine::Event& event, const PlannedRouter& router, const RouterStatus& before,
                                    std::string_view tracker_fault = {});
/// Event::Kind::paused, which is of no router.
LogLine describe_pause(const engine::Event& event);
/// An advert for a virtual router that is not here (Engine::report_unknown_vrids). `interface`: of the event's link.
LogLine describe_unknown_vrid(const engine::Event& event, std::string_view interface);
/// Why the last transition happened, for the status dump.
std::string describe_reason(const RouterStatus& status, const PlannedRouter& router, std::string_view tracker_fault = {});
/// "interface eth0 is down, no source address".
std::string describe_faults(std::uint8_t faults, const PlannedRouter& router, std::string_view tracker_fault = {});

/// Writes lines through the limiter to the log.
void write_log(const std::vector<LogLine>& lines, RateLimiter& limiter, Instant now);
void write_summaries(RateLimiter& limiter, Instant now);

}  // namespace vigil::daemon
