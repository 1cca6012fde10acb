#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace vigil::daemon {

/// Tells the service manager at NOTIFY_SOCKET (sd_notify(3): "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=..."); does
/// nothing without one. Never waits.
void notify_service_manager(std::string_view state);

/// Within what time it wants to hear "WATCHDOG=1" from this process (WATCHDOG_USEC and WATCHDOG_PID, sd_watchdog_enabled(3)); nullopt: it does not.
std::optional<std::chrono::microseconds> watchdog_period();

}  // namespace vigil::daemon
