#pragma once

#include <string>
#include <vector>

namespace vigil::daemon {

/// A line for each thread of this process: number, name, state, CPU time. Reads /proc.
std::vector<std::string> describe_threads();

}  // namespace vigil::daemon
