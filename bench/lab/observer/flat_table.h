#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vigil::lab {

/// Open addressing with linear probing. All memory is taken at construction; entries are never removed. `Key` has `hash()` and `==`.
template <typename Key, typename Value>
class FlatTable {
public:
    struct Entry {
        Key key{};
        Value value{};
        bool is_used = false;
    };

    /// Room for `capacity` keys, at most half of the slots.
    explicit FlatTable(std::size_t capacity) : capacity_(capacity), entries_(std::bit_ceil(capacity * 2)) {}

    /// The value of `key`, made when it is new; nullptr when there is no room for another key.
    Value* find_or_make(const Key& key) {
        std::size_t place = key.hash() & (entries_.size() - 1);
        while (entries_[place].is_used) {
            if (entries_[place].key == key) return &entries_[place].value;
            place = (place + 1) & (entries_.size() - 1);
        }
        if (size_ == capacity_) return nullptr;
        ++size_;
        entries_[place].key = key;
        entries_[place].is_used = true;
        return &entries_[place].value;
    }

    std::size_t size() const { return size_; }

    /// Calls `visit(key, value)` for every entry, in no order.
    template <typename Visit>
    void for_each(Visit visit) const {
        for (const Entry& entry : entries_) {
            if (entry.is_used) visit(entry.key, entry.value);
        }
    }

private:
    std::size_t capacity_;
    std::size_t size_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace vigil::lab
