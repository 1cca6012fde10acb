#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vigil::sim {

struct DenseOutcome {
    std::size_t routers = 0;
    std::uint64_t frames = 0;
    std::uint64_t transitions = 0;
    double virtual_seconds = 0;
    std::vector<std::string> violations;   ///< at most a dozen
};

/// Two hosts with `vrids` virtual routers on each of `links` LANs (1-256 and 1-255), 1 s adverts: election, steady state, power failure of the
/// Active host, its return, its orderly stop. Exactly one host is Active for every router whenever things have settled, takeover comes at the
/// protocol's own instant to within a tick, and no advert is early or late.
DenseOutcome run_dense_lans(std::size_t links, std::size_t vrids);

}  // namespace vigil::sim
