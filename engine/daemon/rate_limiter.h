#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "packet/units.h"

namespace vigil::daemon {

/// Keeps a repeated cause from filling the log: the first lines of a cause pass, the rest of a period is counted, and the count is
/// told once when the period is over. Time is an argument.
class RateLimiter {
public:
    struct Summary {
        std::string cause;
        std::uint64_t suppressed = 0;
    };

    /// At most `burst` lines of one cause per `period`. Beyond `capacity` causes at a time, new ones share one.
    explicit RateLimiter(unsigned burst = 5, Nanoseconds period = std::chrono::seconds{10}, std::size_t capacity = 4096)
        : burst_(burst), period_(period), capacity_(capacity) {}

    /// Whether a line of this cause may be written now.
    bool admit(std::string_view cause, Instant now);
    /// Ends the periods that are over; returns those in which lines were suppressed. Call about once a second.
    std::vector<Summary> take_summaries(Instant now);
    Nanoseconds period() const { return period_; }

private:
    struct Window {
        Instant begin{};
        unsigned passed = 0;
        std::uint64_t suppressed = 0;
    };

    unsigned burst_;
    Nanoseconds period_;
    std::size_t capacity_;
    std::unordered_map<std::string, Window> windows_;
};

}  // namespace vigil::daemon
