#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ipvs/server_pool.h"

namespace vigil::ipvs {

/// What a reload keeps: which service of the pool before goes on as which of the next one, by name, and its servers, by address and port. Linear; a service whose servers
/// are the same in the same order costs a comparison for each and nothing else. Both lists live as long as this; they may be moved, but not changed.
class PoolSuccession {
public:
    static constexpr std::uint32_t nobody = ~std::uint32_t{0};

    PoolSuccession(std::span<const PooledService> before, std::span<const PooledService> next);

    /// Of a service of the next pool, the one that it was; of a service of the pool before, the one that it will be. nobody: there is none.
    std::uint32_t before(std::uint32_t next) const { return before_[next]; }
    std::uint32_t next(std::uint32_t before) const { return next_[before]; }
    /// The same servers at the same positions.
    bool keeps_servers(std::uint32_t next) const { return keeps_servers_[next]; }
    /// For each server of a service of the next pool, its position in the one before, or nobody. Empty when the service is new or keeps_servers().
    std::vector<std::uint32_t> servers_before(std::uint32_t next) const;
    /// For each server of a service of the pool before, its position in the next one, likewise.
    std::vector<std::uint32_t> servers_next(std::uint32_t before) const;

private:
    std::span<const PooledService> old_services_;
    std::span<const PooledService> new_services_;
    std::vector<std::uint32_t> before_;
    std::vector<std::uint32_t> next_;
    std::vector<bool> keeps_servers_;
};

}  // namespace vigil::ipvs
