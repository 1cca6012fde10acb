#pragma once

#include <cstdint>
#include <vector>

#include "engine/io/system_error.h"

namespace vigil::io {

struct RealTimeOptions {
    int priority = 0;             ///< SCHED_RR priority 1-99 of the calling thread; 0: leaves the scheduling alone
    int nice = 0;                 ///< nice value of the calling thread, -20 to 19; 0: leaves it alone
    bool lock_memory = false;     ///< mlockall() of the whole process, present and future
    std::vector<std::uint16_t> cpus{};      ///< the calling thread runs only on these; empty: leaves it alone
    std::uint32_t rttime_microseconds = 0;  ///< RLIMIT_RTTIME of the process: CPU time of a real-time thread between two waits; 0: leaves it alone
};

/// To be called by the fast thread before FastLoop::run(). Children inherit neither. Needs CAP_SYS_NICE or RLIMIT_RTPRIO, and CAP_IPC_LOCK
/// or RLIMIT_MEMLOCK. All that is asked for is tried; the error is the first one.
Result<void> enter_real_time(const RealTimeOptions& options);

/// Another SCHED_RR priority for a thread of this process, by its kernel number, 1-99.
Result<void> set_real_time_priority(int thread, int priority);

}  // namespace vigil::io
