#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace vigil::config {

/// Owns text that outlives the files it was read from. Views stay valid as long as the pool; nothing is ever removed.
class TextPool {
public:
    TextPool() = default;
    TextPool(const TextPool&) = delete;
    TextPool& operator=(const TextPool&) = delete;

    /// A copy of `text`.
    std::string_view store(std::string_view text);
    /// The one copy of `text`: interface names and defaults that many instances share take memory once. Expected O(1).
    std::string_view intern(std::string_view text);
    /// The load is over: gives back what only intern() needed. A later intern() begins anew.
    void finish() {
        slots_ = std::vector<std::string_view>();
        used_ = 0;
    }
    /// Octets held.
    std::size_t size() const { return stored_; }

private:
    void grow();

    std::vector<std::unique_ptr<char[]>> chunks_;
    char* next_ = nullptr;
    std::size_t left_ = 0;
    std::size_t stored_ = 0;
    std::vector<std::string_view> slots_;  ///< open addressing, a power of two; empty views are free
    std::size_t used_ = 0;
};

/// FNV-1a over eight octets at a time where it can: a hash for names of a few dozen octets.
std::uint64_t hash_text(std::string_view text);

}  // namespace vigil::config
