#pragma once

#include "engine/io/system_error.h"

namespace vigil::io {

struct RealTimeOptions {
    int priority = 0;             ///< SCHED_RR priority 1-99 of the calling thread; 0: leaves the scheduling alone
    int nice = 0;                 ///< nice value of the calling thread, -20 to 19; 0: leaves it alone
    bool lock_memory = false;     ///< mlockall() of the whole process, present and future
};

/// To be called by the fast thread before FastLoop::run(). Children inherit neither. Needs CAP_SYS_NICE or RLIMIT_RTPRIO, and CAP_IPC_LOCK
/// or RLIMIT_MEMLOCK. All that is asked for is tried; the error is the first one.
Result<void> enter_real_time(const RealTimeOptions& options);

}  // namespace vigil::io
