#include "engine/daemon/mail_queue.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/daemon/mail_text.h"

namespace vigil::daemon {

void MailQueue::add(std::string text, std::size_t order, std::string_view state, const std::function<std::string()>& body, Instant now, std::int64_t wall_seconds) {
    latest_wall_ = wall_seconds;
    if (now >= window_end_ && summary_.count == 0) {
        window_end_ = now + limits_.period;
        in_window_ = 0;
    }
    // Once something waits to be put together, what follows waits with it: the order stays.
    if (summary_.count == 0 && in_window_ < limits_.burst && waiting_.size() < limits_.waiting) {
        ++in_window_;
        waiting_.push_back({std::move(text), body(), wall_seconds, {}});
        return;
    }
    ++summary_.count;
    summary_.by_state[order].first = state;
    ++summary_.by_state[order].second;
    if (summary_.lines.size() < limits_.listed) summary_.lines.push_back(fmt::format("{}: {}", mail_date(wall_seconds), text));
}

std::optional<MailDraft> MailQueue::take(Instant now) {
    if (!waiting_.empty()) {
        MailDraft draft = std::move(waiting_.front());
        waiting_.pop_front();
        return draft;
    }
    if (summary_.count == 0 || (now < window_end_ && !is_finished_)) return std::nullopt;
    return take_summary(now);
}

MailDraft MailQueue::take_summary(Instant now) {
    const Summary summary = std::exchange(summary_, {});
    window_end_ = now + limits_.period;
    in_window_ = 1;
    MailDraft draft{fmt::format("{} - {} changes of state", about_, summary.count), "", latest_wall_, {}};
    draft.body = fmt::format("{} changes of state, too many for a mail each:\n\n", summary.count);
    for (const auto& [state, count] : summary.by_state) {
        if (count != 0) draft.body += fmt::format("{:>8} to {}\n", count, state);
    }
    draft.body += '\n';
    for (const std::string& line : summary.lines) (draft.body += line) += '\n';
    if (summary.lines.size() < summary.count) draft.body += fmt::format("... and {} more\n", summary.count - summary.lines.size());
    return draft;
}

Instant MailQueue::next_due() const {
    if (!waiting_.empty() || (summary_.count != 0 && is_finished_)) return Instant{};
    return summary_.count != 0 ? window_end_ : Instant{std::numeric_limits<std::int64_t>::max()};
}

}  // namespace vigil::daemon
