// One timer for a check. A step's deadline usually moves on before it is reached, many times in a check, and re-arming a timer costs an allocation and two
// heap operations. So a later deadline is only stored; the timer, when it fires, looks whether it is meant, and goes on waiting. Only an earlier deadline
// touches it.
//
// However late we are, an answer that came before its deadline is heard before it: the reactor (epoll, with a timerfd) hands out what became ready in that order.

#include "ipvs/checkers/check_run.h"

#include <algorithm>

#include <fmt/format.h>

namespace vigil::checkers {

void CheckRun::begin(Duration limit) {
    whole_limit_ = limit;
    whole_end_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
    step_end_ = Clock::time_point::max();
    wait();
}

void CheckRun::begin_step(Duration limit) {
    step_limit_ = limit;
    step_end_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
    wait();
}

void CheckRun::end_step() { step_end_ = Clock::time_point::max(); }

void CheckRun::close_by(std::function<void()> close) {
    close_ = std::move(close);
    if (has_ended() && close_) std::exchange(close_, nullptr)();
}

void CheckRun::wait() {
    const Clock::time_point deadline = std::min(whole_end_, step_end_);
    if (has_ended() || armed_ <= deadline) return;
    armed_ = deadline;
    timer_.expires_at(deadline);
    timer_.async_wait([weak = weak_from_this()](const error_code& error) {
        const auto self = weak.lock();
        if (error || !self || self->has_ended()) return;
        self->armed_ = Clock::time_point::max();
        if (Clock::now() >= std::min(self->whole_end_, self->step_end_)) self->end(End::timed_out);
        else self->wait();
    });
}

void CheckRun::finish() {
    whole_end_ = step_end_ = armed_ = Clock::time_point::max();
    timer_.cancel();
}

void CheckRun::end(End why) {
    if (has_ended()) return;
    end_ = why;
    was_whole_ = whole_end_ <= step_end_;
    timer_.cancel();
    if (close_) std::exchange(close_, nullptr)();
}

std::string CheckRun::limit_text() const { return to_text(was_whole_ ? whole_limit_ : step_limit_); }

Verdict CheckRun::verdict_of(const std::string& too_late_text, const std::string& what, const error_code& error) const {
    if (has_timed_out()) return too_late(fmt::format("{} within {}", too_late_text, limit_text()));
    return failed(what.empty() ? error.message() : fmt::format("{}: {}", what, error.message()));
}

std::string to_text(Duration duration) {
    using namespace std::chrono;
    if (duration >= seconds{1}) return fmt::format("{:.4g} s", std::chrono::duration<double>(duration).count());
    return fmt::format("{:.4g} ms", std::chrono::duration<double, std::milli>(duration).count());
}

}  // namespace vigil::checkers
