#pragma once

#include <string>

#include "bench/lab/observer/capture_ring.h"
#include "bench/lab/observer/statistics.h"

namespace vigil::lab {

/// What was seen, as one JSON object. Times are nanoseconds of CLOCK_MONOTONIC. Routers and addresses are arrays of arrays, whose columns are
/// named beside them; a histogram is an array of [lower end in ns, count] without the empty buckets.
std::string make_report(const Statistics& statistics, const RingCounters& counters, Nanoseconds clock_drift);

}  // namespace vigil::lab
