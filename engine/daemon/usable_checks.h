#pragma once

#include <vector>

#include "config/diagnostics.h"
#include "config/model.h"

namespace vigil::daemon {

/// What a checker names and this host or its libraries cannot use, so that the check would never succeed: a regex that PCRE2 does not take, a certificate, key or authority
/// of the SSL block that cannot be read. Category host for files.
std::vector<config::Diagnostic> check_checkers(const config::Configuration& configuration);

}  // namespace vigil::daemon
