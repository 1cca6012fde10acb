#include "ipvs/pool_succession.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace vigil::ipvs {
namespace {

const DestinationKey& key_of(const PooledServer& server) { return server.destination.key; }

/// For each of `servers` its position in `where`.
std::vector<std::uint32_t> positions(const std::vector<PooledServer>& servers, const std::vector<PooledServer>& where) {
    std::unordered_map<DestinationKey, std::uint32_t, KeyHash> known;
    for (std::uint32_t i = 0; i < where.size(); ++i) known.emplace(key_of(where[i]), i);
    std::vector<std::uint32_t> result;
    for (const PooledServer& server : servers) {
        const auto same = known.find(key_of(server));
        result.push_back(same == known.end() ? PoolSuccession::nobody : same->second);
    }
    return result;
}

}  // namespace

PoolSuccession::PoolSuccession(std::span<const PooledService> before, std::span<const PooledService> next)
    : old_services_(before), new_services_(next), before_(next.size(), nobody), next_(before.size(), nobody), keeps_servers_(next.size()) {
    std::unordered_map<std::string_view, std::uint32_t> by_name;
    for (std::uint32_t i = 0; i < before.size(); ++i) by_name.emplace(before[i].name, i);
    for (std::uint32_t i = 0; i < next.size(); ++i) {
        const auto known = by_name.find(next[i].name);
        if (known == by_name.end()) continue;
        before_[i] = known->second;
        next_[known->second] = i;
        keeps_servers_[i] = std::ranges::equal(next[i].servers, before[known->second].servers, {}, key_of, key_of);
    }
}

std::vector<std::uint32_t> PoolSuccession::servers_before(std::uint32_t next) const {
    if (before_[next] == nobody || keeps_servers_[next]) return {};
    return positions(new_services_[next].servers, old_services_[before_[next]].servers);
}

std::vector<std::uint32_t> PoolSuccession::servers_next(std::uint32_t before) const {
    if (next_[before] == nobody || keeps_servers_[next_[before]]) return {};
    return positions(old_services_[before].servers, new_services_[next_[before]].servers);
}

}  // namespace vigil::ipvs
