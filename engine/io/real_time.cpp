#include "engine/io/real_time.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace vigil::io {
namespace {

/// Touches the stack that the passes will use, so that its pages are there before the first deadline.
void touch_stack() {
    std::array<volatile char, 256 * 1024> stack;
    for (std::size_t i = 0; i < stack.size(); i += 4096) stack[i] = 0;
}

}  // namespace

/// Each of them helps without the others, so all are tried whatever becomes of one.
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
    if (!options.cpus.empty()) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        for (const std::uint16_t cpu : options.cpus) CPU_SET(cpu, &cpus);
        note(::sched_setaffinity(0, sizeof cpus, &cpus) == 0, "set CPU affinity");
    }
    if (options.rttime_microseconds != 0) {
        rlimit limit{};
        ::getrlimit(RLIMIT_RTTIME, &limit);
        limit.rlim_cur = std::min<rlim_t>(options.rttime_microseconds, limit.rlim_max);
        note(::setrlimit(RLIMIT_RTTIME, &limit) == 0, "set RLIMIT_RTTIME");
    }
    if (options.priority != 0) note(set_real_time_priority(0, options.priority).has_value(), "set real-time priority");
    return result;
}

Result<void> set_real_time_priority(int thread, int priority) {
    sched_param parameters{};
    parameters.sched_priority = priority;
    if (::sched_setscheduler(thread, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) != 0) return last_error("set real-time priority");
    return {};
}

}  // namespace vigil::io
