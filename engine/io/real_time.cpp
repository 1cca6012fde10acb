#include "engine/io/real_time.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

namespace vigil::io {
namespace {

/// Touches the stack that the passes will use, so that its pages are there before the first deadline.
void touch_stack() {
    std::array<volatile char, 256 * 1024> stack;
    for (std::size_t i = 0; i < stack.size(); i += 4096) stack[i] = 0;
}

}  // namespace

/// Each of the three helps without the others, so all are tried whatever becomes of one.
Result<void> enter_real_time(const RealTimeOptions& options) {
    Result<void> result;
    const auto note = [&result](bool is_done, const char* what) {
        if (!is_done && result) result = last_error(what);
    };
    if (options.lock_memory) {
        note(::mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "lock memory");
        touch_stack();
    }
    // Of this thread alone: on Linux a thread has a nice value of its own, and scripts shall not inherit ours.
    if (options.nice != 0) note(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), options.nice) == 0, "set nice value");
    if (options.priority != 0) {
        sched_param parameters{};
        parameters.sched_priority = options.priority;
        note(::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) == 0, "set real-time priority");
    }
    return result;
}

}  // namespace vigil::io
