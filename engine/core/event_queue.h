#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/core/messages.h"

namespace vigil::engine {

/// Bounded FIFO of Events inside the engine. When it is full an event is lost, and lost() stays true until the engine has
/// queued a state report of every router: the reader never acts on a stale picture for long.
class EventQueue {
public:
    explicit EventQueue(std::size_t capacity = 0) : slots_(capacity) {}

    bool push(const Event& event) {
        if (count_ == slots_.size()) {
            lost_ = true;
            return false;
        }
        slots_[(first_ + count_++) % slots_.size()] = event;
        return true;
    }
    std::size_t take(std::span<Event> out) {
        const std::size_t n = std::min(out.size(), count_);
        for (std::size_t i = 0; i < n; ++i) out[i] = slots_[(first_ + i) % slots_.size()];
        if (n != 0) first_ = (first_ + n) % slots_.size();
        count_ -= n;
        return n;
    }
    std::size_t room() const { return slots_.size() - count_; }
    bool is_empty() const { return count_ == 0; }
    bool lost() const { return lost_; }
    void forgive() { lost_ = false; }

private:
    std::vector<Event> slots_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    bool lost_ = false;
};

}  // namespace vigil::engine
