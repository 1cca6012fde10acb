#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vigil::daemon {

/// Binds this process to `cpus` (empty: all) and limits how long it may run without a pause at real-time priority (microseconds; 0: no limit). What the system refuses is a
/// warning that names the keyword: `family` is how its name begins, "bfd" for bfd_cpu_affinity.
void limit_process(std::span<const unsigned> cpus, std::uint32_t rlimit_rttime, const std::string& family);

}  // namespace vigil::daemon
