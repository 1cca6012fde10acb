#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "packet/units.h"

namespace vigil::bfd {

/// Who is due first, of members with small numbers that each have one deadline. set() is O(log n), first() O(1); no allocation after grow().
class DeadlineHeap {
public:
    /// Room for the numbers 0 to count - 1; members stay.
    void grow(std::size_t count) {
        if (places_.size() < count) places_.resize(count, absent);
        heap_.reserve(count);
    }
    /// Puts a member in, or moves it.
    void set(std::uint32_t member, Instant deadline) {
        std::size_t at = places_[member];
        if (at == absent) {
            at = heap_.size();
            heap_.push_back({deadline, member});
            places_[member] = at;
        }
        heap_[at].deadline = deadline;
        sink(rise(at));
    }
    void remove(std::uint32_t member) {
        const std::size_t at = places_[member];
        if (at == absent) return;
        places_[member] = absent;
        const Entry last = heap_.back();
        heap_.pop_back();
        if (at == heap_.size()) return;
        put(at, last);
        sink(rise(at));
    }
    bool is_empty() const { return heap_.empty(); }
    /// Of the member that is due first; there is one.
    Instant first_deadline() const { return heap_.front().deadline; }
    std::uint32_t first() const { return heap_.front().member; }

private:
    struct Entry {
        Instant deadline;
        std::uint32_t member = 0;
    };
    static constexpr std::size_t absent = ~std::size_t{0};

    void put(std::size_t at, Entry entry) {
        heap_[at] = entry;
        places_[entry.member] = at;
    }
    std::size_t rise(std::size_t at) {
        const Entry entry = heap_[at];
        for (; at > 0 && entry.deadline < heap_[(at - 1) / 2].deadline; at = (at - 1) / 2) put(at, heap_[(at - 1) / 2]);
        put(at, entry);
        return at;
    }
    void sink(std::size_t at) {
        const Entry entry = heap_[at];
        for (;;) {
            std::size_t child = 2 * at + 1;
            if (child >= heap_.size()) break;
            if (child + 1 < heap_.size() && heap_[child + 1].deadline < heap_[child].deadline) ++child;
            if (entry.deadline <= heap_[child].deadline) break;
            put(at, heap_[child]);
            at = child;
        }
        put(at, entry);
    }

    std::vector<Entry> heap_;
    std::vector<std::size_t> places_;   // by member
};

}  // namespace vigil::bfd
