#include "engine/daemon/rate_limiter.h"

#include <algorithm>

namespace vigil::daemon {

bool RateLimiter::admit(std::string_view cause, Instant now) {
    auto found = windows_.find(std::string(cause));
    if (found == windows_.end()) {
        const bool is_full = windows_.size() >= capacity_;
        found = windows_.try_emplace(is_full ? "everything else" : std::string(cause), Window{now, 0, 0}).first;
    }
    Window& window = found->second;
    if (window.passed >= burst_) {
        ++window.suppressed;
        return false;
    }
    ++window.passed;
    return true;
}

std::vector<RateLimiter::Summary> RateLimiter::take_summaries(Instant now) {
    std::vector<Summary> summaries;
    for (auto at = windows_.begin(); at != windows_.end();) {
        if (now - at->second.begin < period_) {
            ++at;
            continue;
        }
        if (at->second.suppressed > 0) summaries.push_back({at->first, at->second.suppressed});
        at = windows_.erase(at);
    }
    std::sort(summaries.begin(), summaries.end(), [](const Summary& a, const Summary& b) { return a.cause < b.cause; });
    return summaries;
}

}  // namespace vigil::daemon
