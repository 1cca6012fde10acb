#include "config/text_pool.h"

#include <algorithm>
#include <cstring>

namespace vigil::config {

namespace {
constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15ULL;
}  // namespace

std::uint64_t hash_text(std::string_view text) {
    std::uint64_t hash = text.size() * multiplier;
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        hash = (hash ^ word) * multiplier;
        hash ^= hash >> 29;
    }
    std::uint64_t tail = 0;
    if (left != 0) std::memcpy(&tail, at, left);
    hash = (hash ^ tail) * multiplier;
    return hash ^ (hash >> 32);
}

std::string_view TextPool::store(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > left_) {
        const std::size_t size = std::max(chunk_bytes, text.size());
        chunks_.push_back(std::make_unique<char[]>(size));
        next_ = chunks_.back().get();
        left_ = size;
    }
    std::memcpy(next_, text.data(), text.size());
    const std::string_view copy(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    stored_ += text.size();
    return copy;
}

std::string_view TextPool::intern(std::string_view text) {
    if (text.empty()) return {};
    if (used_ * 2 >= slots_.size()) grow();
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash_text(text) & mask;; slot = (slot + 1) & mask) {
        if (slots_[slot].empty()) {
            ++used_;
            return slots_[slot] = store(text);
        }
        if (slots_[slot] == text) return slots_[slot];
    }
}

void TextPool::grow() {
    std::vector<std::string_view> old(std::max<std::size_t>(64, slots_.size() * 2));
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const std::string_view text : old) {
        if (text.empty()) continue;
        std::size_t slot = hash_text(text) & mask;
        while (!slots_[slot].empty()) slot = (slot + 1) & mask;
        slots_[slot] = text;
    }
}

}  // namespace vigil::config
