// Which servers answer.
//
// A real server is up when all of its checks are; without any it always is. What a service does with its servers hangs on its quorum: the weight of those that are up. It is
// lost below quorum - hysteresis, or when nothing is left, and regained at quorum + hysteresis. Without a quorum and with a sorry server, the sorry server alone
// answers, and those that are still up leave the table; without a sorry server they stay, because some service is better than none.
//
// Whoever leaves the table is deleted from it, or with inhibit_on_failure keeps its place with weight 0: then its connections go on.
//
// Each server remembers the weight (or absence) that the table had when it was last asked for, so that only what differs is written, however often a check
// has changed its mind in between.

#include "ipvs/server_pool.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace vigil::ipvs {
namespace {

std::int64_t share_of(const CheckResult& result, std::int32_t configured) {
    return (result.weight ? std::int64_t{*result.weight} - configured : 0) + result.added_weight;
}

}  // namespace

std::int32_t ServerPool::usable(std::int64_t weight) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(weight, 0, std::numeric_limits<std::int32_t>::max()));
}

ServerPool::ServerPool(std::vector<PooledService> services, std::vector<CheckResult> results)
    : services_(std::move(services)), states_(services_.size()), results_(std::move(results)), uses_(results_.size()) {
    for (std::uint32_t i = 0; i < services_.size(); ++i) {
        ServiceState& state = states_[i];
        state.servers.resize(services_[i].servers.size());
        for (std::uint32_t k = 0; k < state.servers.size(); ++k) {
            const PooledServer& server = services_[i].servers[k];
            state.servers[k].weight = server.destination.weight;
            for (const CheckIndex check : server.checks) {
                const CheckResult& result = results_[static_cast<std::uint32_t>(check)];
                uses_[static_cast<std::uint32_t>(check)].push_back({i, k});
                state.servers[k].down += result.is_up ? 0 : 1;
                state.servers[k].weight += share_of(result, server.destination.weight);
            }
            state.live_weight += live_weight_of(state.servers[k]);
        }
        state.has_quorum = state.live_weight >= std::int64_t{services_[i].quorum} + services_[i].hysteresis;
        settle(state);
    }
}

/// The table is as it is wanted.
void ServerPool::settle(ServiceState& state) {
    const auto service = static_cast<std::uint32_t>(&state - states_.data());
    for (std::uint32_t k = 0; k < state.servers.size(); ++k) state.servers[k].told = shown_weight(service, k);
    state.sorry.told = sorry_weight(service);
}

void ServerPool::succeed(const ServerPool& before) {
    std::unordered_map<std::string_view, std::uint32_t> by_name;
    for (std::uint32_t i = 0; i < before.services_.size(); ++i) by_name.emplace(before.services_[i].name, i);
    for (std::uint32_t i = 0; i < services_.size(); ++i) {
        const auto known = by_name.find(services_[i].name);
        if (known == by_name.end()) continue;
        const PooledService& old = before.services_[known->second];
        std::unordered_map<DestinationKey, std::uint32_t, KeyHash> servers;
        for (std::uint32_t k = 0; k < old.servers.size(); ++k) servers.emplace(old.servers[k].destination.key, k);
        for (std::uint32_t k = 0; k < services_[i].servers.size(); ++k) {
            const auto same = servers.find(services_[i].servers[k].destination.key);
            if (same == servers.end()) continue;
            const bool was_up = before.is_up(known->second, same->second);
            if (was_up == is_up(i, k)) continue;
            events_.push_back({was_up ? PoolEvent::Kind::server_down : PoolEvent::Kind::server_up, i, k, weight(i, k), 0});
        }
        states_[i].has_quorum = before.has_quorum(known->second);
        judge(i);
        settle(states_[i]);
    }
    touched_.clear();
    for (ServiceState& state : states_) {
        state.is_touched = false;
        for (ServerState& server : state.servers) server.is_touched = false;
    }
}

std::int32_t ServerPool::weight(std::uint32_t service, std::uint32_t server) const { return usable(states_[service].servers[server].weight); }

/// In the table, or `absent`.
std::int64_t ServerPool::shown_weight(std::uint32_t service, std::uint32_t server) const {
    const ServiceState& state = states_[service];
    const bool answers = state.servers[server].is_up() && (state.has_quorum || !services_[service].sorry);
    if (answers) return usable(state.servers[server].weight);
    return services_[service].servers[server].is_inhibited ? 0 : absent;
}

std::int64_t ServerPool::sorry_weight(std::uint32_t service) const {
    const std::optional<PooledSorryServer>& sorry = services_[service].sorry;
    if (!sorry) return absent;
    if (!states_[service].has_quorum) return sorry->destination.weight;
    return sorry->is_inhibited ? 0 : absent;
}

void ServerPool::on_result(CheckIndex check, const CheckResult& result) {
    const auto index = static_cast<std::uint32_t>(check);
    const CheckResult before = std::exchange(results_[index], result);
    if (before == result) return;
    // Those of one service stand together. Its quorum is judged when all of them have changed: in between is nothing that anybody decided.
    for (std::size_t i = 0; i < uses_[index].size(); ++i) {
        const Use use = uses_[index][i];
        change(use, before, result);
        if (i + 1 == uses_[index].size() || uses_[index][i + 1].service != use.service) judge(use.service);
    }
}

void ServerPool::change(Use use, const CheckResult& before, const CheckResult& now) {
    ServiceState& state = states_[use.service];
    ServerState& server = state.servers[use.server];
    const std::int32_t configured = services_[use.service].servers[use.server].destination.weight;
    const bool was_up = server.is_up();
    const std::int32_t old_weight = usable(server.weight);
    state.live_weight -= live_weight_of(server);
    if (before.is_up && !now.is_up) ++server.down;
    if (!before.is_up && now.is_up) --server.down;
    server.weight += share_of(now, configured) - share_of(before, configured);
    state.live_weight += live_weight_of(server);
    touch(use.service, server);
    const std::int32_t new_weight = usable(server.weight);
    if (old_weight != new_weight) events_.push_back({PoolEvent::Kind::weight_changed, use.service, use.server, new_weight, old_weight});
    if (was_up != server.is_up()) {
        events_.push_back({was_up ? PoolEvent::Kind::server_down : PoolEvent::Kind::server_up, use.service, use.server, new_weight, 0});
    }
}

void ServerPool::touch(std::uint32_t service, ServerState& server) {
    server.is_touched = true;
    if (!std::exchange(states_[service].is_touched, true)) touched_.push_back(service);
}

void ServerPool::judge(std::uint32_t service) {
    const ServiceState& state = states_[service];
    const std::int64_t quorum = services_[service].quorum;
    const std::int64_t hysteresis = services_[service].hysteresis;
    if (!state.has_quorum && state.live_weight >= quorum + hysteresis) change_quorum(service, true);
    else if (state.has_quorum && (state.live_weight == 0 || state.live_weight < quorum - hysteresis)) change_quorum(service, false);
}

void ServerPool::change_quorum(std::uint32_t service, bool has_quorum) {
    ServiceState& state = states_[service];
    state.has_quorum = has_quorum;
    events_.push_back({has_quorum ? PoolEvent::Kind::quorum_gained : PoolEvent::Kind::quorum_lost, service, 0, state.live_weight, 0});
    if (!services_[service].sorry) return;
    events_.push_back({has_quorum ? PoolEvent::Kind::sorry_out : PoolEvent::Kind::sorry_in, service, 0, 0, 0});
    for (ServerState& server : state.servers) touch(service, server);
}

/// In place of two entries with one key stands the first: a real server that is the sorry server, too, is what is needed at the time.
std::vector<Destination> ServerPool::destinations(std::uint32_t service) const {
    std::vector<Destination> result;
    const auto add = [&](const Destination& destination, std::int64_t weight) {
        if (weight == absent) return;
        result.push_back(destination);
        result.back().weight = static_cast<std::int32_t>(weight);
    };
    const auto add_sorry = [&] {
        if (services_[service].sorry) add(services_[service].sorry->destination, sorry_weight(service));
    };
    if (!states_[service].has_quorum) add_sorry();
    for (std::uint32_t k = 0; k < services_[service].servers.size(); ++k) add(services_[service].servers[k].destination, shown_weight(service, k));
    if (states_[service].has_quorum) add_sorry();
    return result;
}

Table ServerPool::wanted() const {
    Table table;
    for (std::uint32_t i = 0; i < services_.size(); ++i) {
        const std::vector<Destination> servers = destinations(i);
        for (const Service& service : services_[i].services) table.push_back({service, servers});
    }
    return table;
}

ServerPool::Difference ServerPool::take_difference() {
    Difference difference;
    for (const std::uint32_t service : std::exchange(touched_, {})) {
        ServiceState& state = states_[service];
        state.is_touched = false;
        std::vector<Destination> wanted;
        std::vector<Destination> before;
        const auto compare = [&](const Destination& destination, ServerState& server, std::int64_t weight) {
            server.is_touched = false;
            if (server.told == weight) return;
            const auto add = [&](std::vector<Destination>& list, std::int64_t its_weight) {
                if (its_weight == absent) return;
                list.push_back(destination);
                list.back().weight = static_cast<std::int32_t>(its_weight);
            };
            add(wanted, weight);
            add(before, std::exchange(server.told, weight));
        };
        const PooledService& settings = services_[service];
        if (settings.sorry) compare(settings.sorry->destination, state.sorry, sorry_weight(service));
        for (std::uint32_t k = 0; k < settings.servers.size(); ++k) {
            if (state.servers[k].is_touched) compare(settings.servers[k].destination, state.servers[k], shown_weight(service, k));
        }
        if (wanted.empty() && before.empty()) continue;
        for (const Service& one : settings.services) {
            difference.wanted.push_back({one, wanted});
            difference.before.push_back({one, before});
        }
    }
    return difference;
}

}  // namespace vigil::ipvs
