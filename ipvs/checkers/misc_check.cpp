// A program that takes too long is asked to end, with all that it started, and is killed two seconds later. The verdict waits for its end, so that the next
// run of a check never meets the one before.

#include <signal.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "ipvs/checkers/check.h"

namespace vigil::checkers {
namespace {

constexpr std::chrono::seconds patience_after_signal{2};
constexpr int first_weight_code = 2;

Verdict verdict_of_status(int status, bool is_dynamic) {
    if (WIFSIGNALED(status)) return failed(fmt::format("ended by signal {}", WTERMSIG(status)));
    const int code = WEXITSTATUS(status);
    if (code == 0) return {};
    if (!is_dynamic || code < first_weight_code) return failed(fmt::format("exit code {}", code));
    Verdict verdict;
    verdict.weight = code - first_weight_code;
    return verdict;
}

/// Waits until `timer` is cancelled, or for `limit`.
asio::awaitable<void> wait(asio::steady_timer& timer, Duration limit) {
    error_code ignored;
    timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(limit));
    co_await timer.async_wait(into(ignored));
}

}  // namespace

asio::awaitable<Verdict> check_misc(CheckRun& run, ScriptTable& scripts, const MiscSpec& misc) {
    const auto pid = scripts.starter().start(misc);
    if (!pid) co_return undecided(fmt::format("cannot be started: {}", pid.error()));
    asio::steady_timer news(run.executor());
    std::optional<int> status;
    scripts.watch(*pid, [&](int number) {
        status = number;
        news.cancel();
    });
    CloserGuard guard(run);
    run.begin(misc.timeout);
    run.close_by([&news] { news.cancel(); });
    if (!run.has_ended()) co_await wait(news, misc.timeout * 2);   // run ends it before that
    if (status) co_return verdict_of_status(*status, misc.dynamic);
    for (const int number : {SIGTERM, SIGKILL}) {
        ::kill(-*pid, number);
        co_await wait(news, patience_after_signal);
        if (status) break;
    }
    if (!status) scripts.forget(*pid);   // not even SIGKILL: it hangs in the kernel
    co_return too_late(fmt::format("it took longer than {}", to_text(misc.timeout)));
}

}  // namespace vigil::checkers
