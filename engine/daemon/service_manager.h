#pragma once

#include <string_view>

namespace vigil::daemon {

/// Tells the service manager at NOTIFY_SOCKET (sd_notify(3): "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=..."); does
/// nothing without one. Never waits.
void notify_service_manager(std::string_view state);

}  // namespace vigil::daemon
