#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/daemon/router_status.h"
#include "packet/units.h"

namespace vigil::daemon {

/// A mail before it has sender and recipients.
struct MailDraft {
    std::string text;      ///< subject without the router_id
    std::string body;
    std::int64_t wall_seconds = 0;
    std::string id;        ///< of Message-ID, from the first attempt on: a server that took a mail and could not say so knows it again
};

/// Which changes of state become mails of their own, and which are put together. The first `burst` of a period are mails; the rest of it is one mail, which
/// lists them. So a change of thousands of routers is eleven mails, a router that flaps is eleven a minute, and what a dead server leaves lying is
/// bounded. Time is an argument.
class MailQueue {
public:
    struct Limits {
        unsigned burst = 10;
        Nanoseconds period = std::chrono::seconds{60};
        std::size_t waiting = 20;       ///< mails of their own; further ones go into the next summary
        std::size_t listed = 1000;      ///< lines of a summary; further changes are only counted
    };

    static constexpr std::size_t most_states = 6;

    MailQueue() : MailQueue(Limits{}) {}
    /// `about`: what changes, for the subject of a summary.
    explicit MailQueue(const Limits& limits, std::string_view about = "VRRP") : limits_(limits), about_(about) {}

    /// `text` says who and what; `body` is asked for only when it becomes a mail of its own.
    void add(std::string text, OperatorState state, const std::function<std::string()>& body, Instant now, std::int64_t wall_seconds) {
        add(std::move(text), static_cast<std::size_t>(state), to_string(state), body, now, wall_seconds);
    }
    /// `order`: below most_states, where the state stands in a list of them.
    void add(std::string text, std::size_t order, std::string_view state, const std::function<std::string()>& body, Instant now, std::int64_t wall_seconds);
    /// The oldest mail that is due; nothing when none is.
    std::optional<MailDraft> take(Instant now);
    /// It could not be sent: it will be the next again.
    void put_back(MailDraft draft) { waiting_.push_front(std::move(draft)); }
    /// When take() will have something; Instant max when nothing is to be sent.
    Instant next_due() const;
    /// Nothing more will come: what is to be put together is due now.
    void finish() { is_finished_ = true; }
    bool is_empty() const { return count() == 0; }
    /// Of mails.
    std::size_t count() const { return waiting_.size() + (summary_.count != 0 ? 1 : 0); }

private:
    struct Summary {
        std::size_t count = 0;
        std::array<std::pair<std::string_view, std::size_t>, most_states> by_state{};
        std::vector<std::string> lines;
    };

    MailDraft take_summary(Instant now);

    Limits limits_;
    std::string_view about_;
    std::deque<MailDraft> waiting_;
    Summary summary_;
    Instant window_end_{};      // of the current period
    unsigned in_window_ = 0;    // mails of their own
    std::int64_t latest_wall_ = 0;
    bool is_finished_ = false;
};

}  // namespace vigil::daemon
