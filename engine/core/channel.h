#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <vector>

namespace vigil::engine {

/// Bounded queue between exactly one producing and one consuming thread. Wait-free, no allocation after construction. What does not fit is
/// refused: the producer decides (Commands are retried by the control thread, Events are replaced by a resync).
template <class T>
class SpscRing {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    /// Rounded up to a power of two.
    explicit SpscRing(std::size_t capacity) : slots_(round_up(capacity)), mask_(slots_.size() - 1) {}

    bool push(const T& value) {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_seen_ == slots_.size()) {
            head_seen_ = head_.load(std::memory_order_acquire);
            if (tail - head_seen_ == slots_.size()) return false;
        }
        slots_[tail & mask_] = value;
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }

    std::optional<T> pop() {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_seen_) {
            tail_seen_ = tail_.load(std::memory_order_acquire);
            if (head == tail_seen_) return std::nullopt;
        }
        const T value = slots_[head & mask_];
        head_.store(head + 1, std::memory_order_release);
        return value;
    }

    std::size_t capacity() const { return slots_.size(); }

private:
    static std::size_t round_up(std::size_t n) {
        std::size_t size = 1;
        while (size < n) size *= 2;
        return size;
    }

    std::vector<T> slots_;
    std::size_t mask_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::atomic<std::size_t> tail_{0};
    alignas(64) std::size_t head_seen_ = 0;  // producer's copy
    alignas(64) std::size_t tail_seen_ = 0;  // consumer's copy
};

}  // namespace vigil::engine
