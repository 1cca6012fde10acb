#pragma once

namespace vigil::daemon {

/// A line of the log for each thread of this process: number, name, state, CPU time. Reads /proc.
void log_threads();

}  // namespace vigil::daemon
