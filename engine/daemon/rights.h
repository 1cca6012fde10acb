#pragma once

#include <string>

namespace vigil::daemon {

/// What this process lacks to run, as a sentence with the remedy; empty when nothing. Asks for CAP_NET_ADMIN (addresses, devices) and
/// CAP_NET_RAW (packet sockets) in the effective set.
std::string missing_rights();

/// As many open files as the system allows: each interface takes several.
void raise_descriptor_limit();

/// Moves this process into a named network namespace (/run/netns/NAME). The error is a sentence, empty for success.
std::string enter_network_namespace(const std::string& name);

}  // namespace vigil::daemon
