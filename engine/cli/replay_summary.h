#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/core/counters.h"
#include "packet/frame.h"

namespace vigil::cli {

/// What a person wants to know of a capture before reading line by line: who spoke how often with which pauses, what was
/// dropped, and which of our routers was Active when. Times are printed relative to `start`.
class ReplaySummary {
public:
    explicit ReplaySummary(Instant start) : start_(start) {}

    enum class Kind : std::uint8_t { advert, own, announcement, foreign, elsewhere, unreadable };
    static constexpr std::size_t kind_count = static_cast<std::size_t>(Kind::unreadable) + 1;

    void count(Kind kind) { ++frames_[static_cast<std::size_t>(kind)]; }
    void heard(Instant at, const packet::ReceivedFrame& frame);
    void dropped(packet::ReceiveError error) { ++dropped_[static_cast<std::size_t>(error)]; }
    void became_active(const std::string& router, Instant at) { active_[router].push_back({at, {}}); }
    void left_active(const std::string& router, Instant at);
    /// Lines of text; `end_state` is that of a router by name.
    std::string text(Instant end, const std::vector<std::pair<std::string, std::string>>& end_states) const;

private:
    struct Sender {
        std::size_t adverts = 0;
        std::size_t stops = 0;
        Instant first{};
        Instant last{};
        Nanoseconds longest_silence{0};
        std::set<std::uint8_t> priorities;
    };
    struct Period {
        Instant from{};
        Instant until{};  ///< zero: not over
    };

    std::string time(Instant at) const;
    std::string frames_line(Instant end) const;
    std::string dropped_line() const;

    Instant start_;
    std::array<std::size_t, kind_count> frames_{};
    std::array<std::size_t, packet::receive_error_count> dropped_{};
    std::map<std::pair<std::string, unsigned>, Sender> senders_;   ///< by address and VRID
    std::map<std::string, std::vector<Period>> active_;
};

}  // namespace vigil::cli
