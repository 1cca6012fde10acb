#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "packet/units.h"

namespace vigil::engine {

/// Who is due at `now`, for records that carry `deadline`, `timer_next`, `timer_previous` and `timer_slot` (VirtualRouter).
///
/// One level of slots, one tick (1 ms) each; the links are indices inside the records, so arming allocates nothing.
/// * A deadline belongs to the first tick boundary that is not before it: nothing fires early, everything at most one tick late,
///   and what is due within one tick fires together.
/// * Lazy: moving an armed record to a later deadline only stores it. The wheel finds out when the old slot comes up and links it
///   again. That makes the common event of a Backup, an accepted advert, one store.
/// * A deadline beyond the horizon (8.192 s) waits in the farthest slot and is linked again from there.
/// * After a jump beyond the horizon (a machine that was suspended) every record is linked anew once, instead of once per horizon.
/// * expire() pops from the head of the slot, so that a fired record may arm or disarm any other, also of the same slot.
template <class Record>
class TimerWheel {
public:
    static constexpr std::int64_t tick_ns = 1'000'000;
    static constexpr std::uint32_t slot_count = 8192;
    static constexpr std::uint32_t none = ~0u;
    static constexpr Instant never{std::numeric_limits<std::int64_t>::max()};

    explicit TimerWheel(Instant now = {}) : slots_(slot_count, none), occupied_(slot_count / 64, 0), current_(now.ns / tick_ns) {}

    void arm(std::span<Record> records, std::uint32_t index, Instant deadline) {
        Record& record = records[index];
        const bool is_armed = record.timer_slot != Record::no_slot;
        const bool moves_later = is_armed && deadline >= record.deadline;
        record.deadline = deadline;
        if (moves_later) return;
        if (is_armed) unlink(records, index);
        link(records, index);
    }

    void disarm(std::span<Record> records, std::uint32_t index) {
        if (records[index].timer_slot != Record::no_slot) unlink(records, index);
    }

    /// Calls fire(index) for records whose deadline is not after `now`, unlinked; stops early when fire() returns false, and then
    /// that record is armed again as it was. Slots are visited in order of time; after a jump beyond the horizon what is due
    /// comes in any order.
    template <class Fire>
    void expire(std::span<Record> records, Instant now, Fire&& fire) {
        const std::int64_t last = now.ns / tick_ns;
        if (last - current_ >= slot_count) jump_to(records, last);
        while (current_ <= last) {
            const std::uint32_t slot = slot_of(current_);
            while (slots_[slot] != none) {
                const std::uint32_t index = slots_[slot];
                unlink(records, index);
                if (first_tick_not_before(records[index].deadline) > current_) {
                    link(records, index);
                } else if (!fire(index)) {
                    link(records, index);
                    return;
                }
            }
            current_ = std::min(next_occupied_tick(current_ + 1), last + 1);
        }
    }

    /// The tick boundary of the earliest occupied slot: expire() has work then (perhaps only linking again). `never` when idle.
    Instant next_deadline() const {
        const std::int64_t tick = next_occupied_tick(current_);
        return tick == no_tick ? never : Instant{tick * tick_ns};
    }

private:
    static constexpr std::int64_t no_tick = std::numeric_limits<std::int64_t>::max();

    static std::uint32_t slot_of(std::int64_t tick) { return static_cast<std::uint32_t>(tick) & (slot_count - 1); }
    static std::int64_t first_tick_not_before(Instant t) { return (t.ns + tick_ns - 1) / tick_ns; }

    /// Smallest tick >= `from` within the horizon whose slot is occupied.
    std::int64_t next_occupied_tick(std::int64_t from) const {
        const std::uint32_t start = slot_of(from);
        std::uint32_t word = start / 64;
        std::uint64_t bits = occupied_[word] & (~std::uint64_t{0} << (start % 64));
        for (std::uint32_t scanned = 0; scanned <= slot_count / 64; ++scanned) {
            if (bits != 0) {
                const std::uint32_t slot = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
                return from + ((slot - start) & (slot_count - 1));
            }
            word = (word + 1) % (slot_count / 64);
            bits = occupied_[word];
        }
        return no_tick;
    }

    /// `tick` is a horizon or more ahead, so every slot has passed: what is due goes into the slot of `tick`, the rest behind it.
    void jump_to(std::span<Record> records, std::int64_t tick) {
        current_ = tick;
        for (std::uint32_t index = 0; index < records.size(); ++index) {
            if (records[index].timer_slot == Record::no_slot) continue;
            unlink(records, index);
            link(records, index);
        }
    }

    void link(std::span<Record> records, std::uint32_t index) {
        Record& record = records[index];
        const std::int64_t tick = std::clamp(first_tick_not_before(record.deadline), current_, current_ + slot_count - 1);
        const std::uint32_t slot = slot_of(tick);
        record.timer_slot = static_cast<std::uint16_t>(slot);
        record.timer_previous = none;
        record.timer_next = slots_[slot];
        if (slots_[slot] != none) records[slots_[slot]].timer_previous = index;
        slots_[slot] = index;
        occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    }

    void unlink(std::span<Record> records, std::uint32_t index) {
        Record& record = records[index];
        const std::uint32_t slot = record.timer_slot;
        if (record.timer_previous != none) records[record.timer_previous].timer_next = record.timer_next;
        else slots_[slot] = record.timer_next;
        if (record.timer_next != none) records[record.timer_next].timer_previous = record.timer_previous;
        record.timer_slot = Record::no_slot;
        if (slots_[slot] == none) occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    }

    std::vector<std::uint32_t> slots_;
    std::vector<std::uint64_t> occupied_;
    std::int64_t current_;   // every slot before this tick is empty
};

}  // namespace vigil::engine
