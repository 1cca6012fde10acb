#pragma once

#include <cstdint>
#include <optional>

#include "packet/units.h"

namespace vigil::daemon {

/// Are there as many processes as there should be? A change that a start brought about counts after `fork_delay`, one that an end brought about
/// after `terminate_delay`, and not at all when it was undone by then: a program that is restarted is gone for a moment.
class QuorumJudge {
public:
    struct Limits {
        std::uint32_t quorum = 1;
        std::uint32_t quorum_max = 0xffffffff;   ///< inclusive
        Nanoseconds fork_delay{0};
        Nanoseconds terminate_delay{0};

        friend bool operator==(const Limits&, const Limits&) = default;
    };

    /// `count`: what a first look found, without delay.
    QuorumJudge(const Limits& limits, std::uint32_t count) : limits_(limits), count_(count), has_quorum_(is_within(count)) {}

    /// Whether has_quorum() is another one now.
    bool on_count(std::uint32_t count, Instant now) {
        const bool is_start = count > count_;
        const Nanoseconds delay = is_start ? limits_.fork_delay : limits_.terminate_delay;
        count_ = count;
        if (is_within(count) == has_quorum_) {
            due_.reset();
        } else if (!due_) {
            due_ = now + delay;
            is_due_by_start_ = is_start;
        }
        return on_time(now);
    }
    bool on_time(Instant now) {
        if (!due_ || now < *due_) return false;
        due_.reset();
        has_quorum_ = !has_quorum_;
        return true;
    }

    bool has_quorum() const { return has_quorum_; }
    std::uint32_t count() const { return count_; }
    /// When to call on_time().
    std::optional<Instant> due() const { return due_; }
    /// It is fork_delay that runs, not terminate_delay. Only while due().
    bool is_due_by_start() const { return is_due_by_start_; }

private:
    bool is_within(std::uint32_t count) const { return count >= limits_.quorum && count <= limits_.quorum_max; }

    Limits limits_;
    std::uint32_t count_;
    bool has_quorum_;
    std::optional<Instant> due_;   // of a change that is still to be trusted
    bool is_due_by_start_ = false;
};

}  // namespace vigil::daemon
