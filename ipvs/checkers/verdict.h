#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace vigil::checkers {

/// What one check found.
struct Verdict {
    enum class Outcome : std::uint8_t {
        ok,
        failed,      ///< the server is at fault, or what lies between
        undecided,   ///< we are: no file descriptor, no memory, no right. Says nothing about the server
    };
    Outcome outcome = Outcome::ok;
    bool timed_out = false;        ///< failed by keeping us waiting: such a check costs a place for long
    std::string cause{};           ///< for logs, without the target: "connection refused", "no answer within 5 s"; empty when ok
    std::optional<int> weight{};   ///< MISC_CHECK with misc_dynamic: 0-253, to be added to the real server's own
    std::chrono::nanoseconds duration{0};

    bool is_ok() const { return outcome == Outcome::ok; }
};

inline Verdict failed(std::string cause) { return {Verdict::Outcome::failed, false, std::move(cause)}; }
inline Verdict undecided(std::string cause) { return {Verdict::Outcome::undecided, false, std::move(cause)}; }
inline Verdict too_late(std::string cause) { return {Verdict::Outcome::failed, true, std::move(cause)}; }

}  // namespace vigil::checkers
