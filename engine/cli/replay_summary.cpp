#include "engine/cli/replay_summary.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "engine/core/transcript.h"

namespace vigil::cli {
namespace {

std::string milliseconds(Nanoseconds duration) {
    const std::int64_t total = duration.count() / 1'000'000;
    return fmt::format("{}.{:03}", total / 1000, total % 1000);
}

}  // namespace

void ReplaySummary::heard(Instant at, const packet::ReceivedFrame& frame) {
    const unsigned vrid = to_number(frame.advertisement.vrid());
    Sender& sender = senders_[{to_string(frame.source), vrid}];
    if (sender.adverts == 0) sender.first = sender.last = at;
    sender.longest_silence = std::max(sender.longest_silence, at - sender.last);
    sender.last = at;
    ++sender.adverts;
    if (frame.advertisement.priority() == Priority::stop) ++sender.stops;
    else sender.priorities.insert(to_number(frame.advertisement.priority()));
}

void ReplaySummary::left_active(const std::string& router, Instant at) {
    const auto found = active_.find(router);
    if (found != active_.end() && found->second.back().until == Instant{}) found->second.back().until = at;
}

std::string ReplaySummary::time(Instant at) const { return milliseconds(at - start_); }

std::string ReplaySummary::frames_line(Instant end) const {
    constexpr std::array<std::string_view, kind_count> words{
        "adverts", "adverts of the router in whose place we are", "announcements of virtual addresses", "of other protocols",
        "on VLANs or interfaces without a router", "malformed or of another redundancy protocol"};
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < kind_count; ++i) {
        if (frames_[i] != 0) parts.push_back(fmt::format("{} {}", frames_[i], words[i]));
    }
    const std::size_t total = std::accumulate(frames_.begin(), frames_.end(), std::size_t{0});
    return fmt::format("  {} frames in {} s: {}\n", total, time(end), fmt::join(parts, ", "));
}

std::string ReplaySummary::dropped_line() const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < dropped_.size(); ++i) {
        if (dropped_[i] != 0) parts.push_back(fmt::format("{} {}", dropped_[i], to_string(static_cast<packet::ReceiveError>(i))));
    }
    return parts.empty() ? std::string() : fmt::format("  dropped: {}\n", fmt::join(parts, ", "));
}

std::string ReplaySummary::text(Instant end, const std::vector<std::pair<std::string, std::string>>& end_states) const {
    std::string text = "Summary\n" + frames_line(end);
    for (const auto& [key, sender] : senders_) {
        text += fmt::format("  {} vrid {}: {} adverts from {} to {}, priority {}{}, longest silence {} s\n", key.first, key.second, sender.adverts,
                            time(sender.first), time(sender.last), sender.priorities.empty() ? "none" : fmt::format("{}", fmt::join(sender.priorities, " and ")),
                            sender.stops == 0 ? "" : fmt::format(" ({} with priority 0)", sender.stops), milliseconds(sender.longest_silence));
    }
    text += dropped_line();
    for (const auto& [name, state] : end_states) {
        std::vector<std::string> periods;
        if (const auto found = active_.find(name); found != active_.end()) {
            for (const Period& period : found->second) {
                periods.push_back(fmt::format("from {}{}", time(period.from), period.until == Instant{} ? " on" : " to " + time(period.until)));
            }
        }
        text += fmt::format("  {} ends as {}{}\n", name, state,
                            periods.empty() ? ", was never Active" : fmt::format(", was Active {}", fmt::join(periods, ", ")));
    }
    return text;
}

}  // namespace vigil::cli
