#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/virtual_router.h"

namespace vigil::engine {

/// Owns the records; (link, family, VRID) -> index in one load. Filled once, never shrinks.
class RouterTable {
public:
    /// Takes all memory for `routers` records and `links` interfaces (2 KiB each for the index).
    void reserve(std::size_t routers, std::size_t links);
    /// False when the link already has this family and VRID (RFC 9568 §5.2.3), or the link is out of range.
    bool add(const VirtualRouter& router);
    RouterIndex find(LinkIndex link, Family family, Vrid vrid) const {
        const std::size_t key = key_of(link, family, vrid);
        return key < by_key_.size() ? by_key_[key] : RouterIndex::none;
    }

    std::size_t size() const { return records_.size(); }
    VirtualRouter& operator[](RouterIndex index) { return records_[to_number(index)]; }
    const VirtualRouter& operator[](RouterIndex index) const { return records_[to_number(index)]; }
    std::span<VirtualRouter> records() { return records_; }
    std::span<const VirtualRouter> records() const { return records_; }

private:
    static std::size_t key_of(LinkIndex link, Family family, Vrid vrid) {
        return to_number(link) * 512 + (family == Family::ipv6 ? std::size_t{256} : 0) + to_number(vrid);
    }

    std::vector<VirtualRouter> records_;
    std::vector<RouterIndex> by_key_;
};

}  // namespace vigil::engine
