#pragma once

#include <utility>   // before Boost 1.74's awaitable.hpp, which needs std::exchange and does not ask for it

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <string>

#include "ipvs/checkers/check_spec.h"
#include "ipvs/checkers/verdict.h"

namespace vigil::checkers {

namespace asio = boost::asio;
using boost::system::error_code;

/// The life of one check: how long it may take, and its end from outside. The coroutine of the check owns it together with whoever may cancel it; when
/// time is up or cancel() is called, what close_by() was given is called, and each pending operation of the check ends with an error. Asked then with
/// has_timed_out(), it knows why.
class CheckRun : public std::enable_shared_from_this<CheckRun> {
public:
    using Clock = std::chrono::steady_clock;

    explicit CheckRun(const asio::any_io_executor& executor) : timer_(executor), start_(Clock::now()), whole_end_(Clock::time_point::max()) {}
    CheckRun(const CheckRun&) = delete;
    CheckRun& operator=(const CheckRun&) = delete;

    /// From now on: the check may last `limit`, and each step shorter than that too.
    void begin(Duration limit);
    /// A step begins: it may take `limit`, but the whole no longer for it.
    void begin_step(Duration limit);
    /// A step without a limit of its own ends with the whole.
    void end_step();

    /// What makes pending operations end; replaces the one before. Called at most once, at once when the end has already come. Empty: nothing is
    /// pending.
    void close_by(std::function<void()> close);

    /// Ends the check. What it would have found is of no interest.
    void cancel() { end(End::cancelled); }

    /// The check has its verdict: no deadline any more.
    void finish();

    bool has_timed_out() const { return end_ == End::timed_out; }
    bool is_cancelled() const { return end_ == End::cancelled; }
    bool has_ended() const { return end_ != End::none; }
    /// How long the step or the whole, whichever ended it, might have taken: "5 s", "300 ms".
    std::string limit_text() const;
    Duration duration() const { return Clock::now() - start_; }
    asio::any_io_executor executor() { return timer_.get_executor(); }

    /// The verdict of an operation that ended with `error`: too late, or `what` and the error's text.
    Verdict verdict_of(const std::string& too_late_text, const std::string& what, const error_code& error) const;

private:
    enum class End : std::uint8_t { none, timed_out, cancelled };

    void wait();
    void end(End why);

    asio::steady_timer timer_;
    std::function<void()> close_;
    Clock::time_point start_;
    Clock::time_point whole_end_;
    Clock::time_point step_end_ = Clock::time_point::max();
    Duration whole_limit_{0};
    Duration step_limit_{0};
    Clock::time_point armed_ = Clock::time_point::max();   // what timer_ waits for
    bool was_whole_ = false;      // the limit that ended it
    End end_ = End::none;
};

using CheckRunPtr = std::shared_ptr<CheckRun>;

/// What close_by() was given refers to a socket of the coroutine: this one, made behind the socket, takes it back before the socket goes.
class CloserGuard {
public:
    explicit CloserGuard(CheckRun& run) : run_(run) {}
    ~CloserGuard() { run_.close_by(nullptr); }
    CloserGuard(const CloserGuard&) = delete;
    CloserGuard& operator=(const CloserGuard&) = delete;

private:
    CheckRun& run_;
};

/// co_await operation(..., into(error)): the error is a value.
inline auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

/// "5 s", "300 ms", "1.5 s".
std::string to_text(Duration duration);

}  // namespace vigil::checkers
