#include "engine/daemon/process_limits.h"

#include <sched.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include <spdlog/spdlog.h>

namespace vigil::daemon {

void limit_process(std::span<const unsigned> cpus, std::uint32_t rlimit_rttime, const std::string& family) {
    if (!cpus.empty()) {
        cpu_set_t set;
        CPU_ZERO(&set);
        for (const unsigned cpu : cpus) CPU_SET(cpu, &set);
        if (::sched_setaffinity(0, sizeof set, &set) != 0) spdlog::warn("{}_cpu_affinity: {}", family, std::strerror(errno));
    }
    if (rlimit_rttime == 0) return;
    const rlimit limit{rlimit_rttime, rlimit_rttime};
    if (::setrlimit(RLIMIT_RTTIME, &limit) != 0) spdlog::warn("{}_rlimit_rttime: {}", family, std::strerror(errno));
}

}  // namespace vigil::daemon
