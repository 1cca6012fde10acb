// Which servers answer.
//
// A real server is up when all of its checks are; without any it always is. What a service does with its servers hangs on its quorum: the weight of those that are up. It is
// lost below quorum - hysteresis, or when nothing is left, and regained at quorum + hysteresis. Without a quorum and with a sorry server, the sorry server alone
// answers, and those that are still up leave the table; without a sorry server they stay, because some service is better than none.
//
// Whoever leaves the table is deleted from it, or with inhibit_on_failure keeps its place with weight 0: then its connections go on.
//
// A sorry server may be one of the real servers. The table has one place for both: without a quorum it is the sorry server's, with one it is the real server's as long as
// that wants it.
//
// Each server remembers the weight (or absence) that the table had when it was last asked for, so that only what differs is written, however often a check
// has changed its mind in between.

#include "ipvs/server_pool.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <unordered_set>

#include "ipvs/pool_succession.h"

namespace vigil::ipvs {
namespace {

ServiceEntry entry_of(const Service& service, std::vector<Destination> destinations) {
    for (Destination& one : destinations) one = placed(one, service.key);
    return {service, std::move(destinations)};
}

std::int64_t share_of(const CheckResult& result, std::int32_t configured) {
    return (result.weight ? std::int64_t{*result.weight} - configured : 0) + result.added_weight;
}

/// One place in the table: those that are not masqueraded both have the port of the service, whatever is written.
bool is_same_place(const Destination& left, const Destination& right) {
    const bool have_own_ports = left.forwarding == Forwarding::masquerade || right.forwarding == Forwarding::masquerade;
    return left.key.address == right.key.address && (left.key.port == right.key.port || !have_own_ports);
}

/// The real server that is the sorry server, too; behind the last one when none is.
std::uint32_t find_twin(const PooledService& service) {
    const auto is_twin = [&](const PooledServer& one) { return service.sorry && is_same_place(one.destination, service.sorry->destination); };
    return static_cast<std::uint32_t>(std::ranges::find_if(service.servers, is_twin) - service.servers.begin());
}

}  // namespace

std::int32_t ServerPool::usable(std::int64_t weight) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(weight, 0, std::numeric_limits<std::int32_t>::max()));
}

ServerPool::ServerPool(std::vector<PooledService> services, std::vector<CheckResult> results)
    : services_(std::move(services)), states_(services_.size()), results_(std::move(results)) {
    list_uses();
    for (std::uint32_t i = 0; i < services_.size(); ++i) {
        ServiceState& state = states_[i];
        state.servers.resize(services_[i].servers.size());
        state.twin = find_twin(services_[i]);
        for (std::uint32_t k = 0; k < state.servers.size(); ++k) {
            const PooledServer& server = services_[i].servers[k];
            state.servers[k].weight = server.destination.weight;
            for (const CheckIndex check : server.checks) {
                const CheckResult& result = results_[static_cast<std::uint32_t>(check)];
                state.servers[k].down += result.is_up ? 0 : 1;
                state.servers[k].weight += share_of(result, server.destination.weight);
            }
            state.live_weight += live_weight_of(state.servers[k]);
        }
        state.has_quorum = state.live_weight >= std::int64_t{services_[i].quorum} + services_[i].hysteresis;
        settle(state);
    }
}

/// Counts them, then puts each in its place.
void ServerPool::list_uses() {
    const auto for_each = [this](const auto& act) {
        for (std::uint32_t i = 0; i < services_.size(); ++i) {
            for (std::uint32_t k = 0; k < services_[i].servers.size(); ++k) {
                for (const CheckIndex check : services_[i].servers[k].checks) act(static_cast<std::uint32_t>(check), Use{i, k});
            }
        }
    };
    first_use_.assign(results_.size() + 1, 0);
    for_each([this](std::uint32_t check, Use) { ++first_use_[check + 1]; });
    std::partial_sum(first_use_.begin(), first_use_.end(), first_use_.begin());
    uses_.resize(first_use_.back());
    std::vector<std::uint32_t> next(first_use_.begin(), first_use_.end() - 1);
    for_each([&](std::uint32_t check, Use use) { uses_[next[check]++] = use; });
}

/// The table is as it is wanted.
void ServerPool::settle(ServiceState& state) {
    const auto service = static_cast<std::uint32_t>(&state - states_.data());
    for (std::uint32_t k = 0; k < state.servers.size(); ++k) state.servers[k].told = shown_weight(service, k);
    state.sorry.told = sorry_weight(service);
}

void ServerPool::succeed(const ServerPool& before, const PoolSuccession& succession) {
    for (std::uint32_t i = 0; i < services_.size(); ++i) {
        if (succession.before(i) == PoolSuccession::nobody) continue;
        tell_of_changed_servers(before, succession, i);
        states_[i].has_quorum = before.has_quorum(succession.before(i));
        judge(i);
        settle(states_[i]);
    }
    touched_.clear();
    for (ServiceState& state : states_) {
        state.is_touched = false;
        for (ServerState& server : state.servers) server.is_touched = false;
    }
}

void ServerPool::tell_of_changed_servers(const ServerPool& before, const PoolSuccession& succession, std::uint32_t service) {
    const std::vector<std::uint32_t> positions = succession.servers_before(service);
    for (std::uint32_t k = 0; k < services_[service].servers.size(); ++k) {
        const std::uint32_t same = positions.empty() ? k : positions[k];
        if (same == PoolSuccession::nobody) continue;
        const bool was_up = before.is_up(succession.before(service), same);
        if (was_up != is_up(service, k)) events_.push_back({was_up ? PoolEvent::Kind::server_down : PoolEvent::Kind::server_up, service, k, weight(service, k), 0});
    }
}

bool ServerPool::has_same_entries(std::uint32_t service, const ServerPool& before, std::uint32_t its_before) const {
    const PooledService& now = services_[service];
    const PooledService& then = before.services_[its_before];
    const ServiceState& state = states_[service];
    const ServiceState& old_state = before.states_[its_before];
    if (now.services != then.services || now.sorry != then.sorry || state.sorry.told != old_state.sorry.told) return false;
    for (std::uint32_t k = 0; k < now.servers.size(); ++k) {
        if (state.servers[k].told != old_state.servers[k].told || now.servers[k].destination != then.servers[k].destination) return false;
    }
    return true;
}

ServerPool::Difference ServerPool::difference_from(const ServerPool& before, const PoolSuccession& succession) const {
    Difference difference;
    std::unordered_set<ServiceKey, KeyHash> keys;
    const auto add = [&keys](Table& table, const ServerPool& pool, std::uint32_t service) {
        const std::vector<Destination> servers = pool.destinations(service);
        for (const Service& one : pool.services_[service].services) {
            table.push_back({one, servers});
            keys.insert(one.key);
        }
    };
    std::vector<std::uint32_t> alike;
    std::vector<bool> is_alike(before.services_.size());
    for (std::uint32_t i = 0; i < services_.size(); ++i) {
        if (succession.keeps_servers(i) && has_same_entries(i, before, succession.before(i))) {
            alike.push_back(i);
            is_alike[succession.before(i)] = true;
        } else {
            add(difference.wanted, *this, i);
        }
    }
    for (std::uint32_t i = 0; i < before.services_.size(); ++i) {
        if (!is_alike[i]) add(difference.before, before, i);
    }
    const auto is_shared = [&](std::uint32_t i) { return std::ranges::any_of(services_[i].services, [&](const Service& one) { return keys.contains(one.key); }); };
    if (std::ranges::any_of(alike, is_shared)) return {wanted(), before.wanted()};
    return difference;
}

std::int32_t ServerPool::weight(std::uint32_t service, std::uint32_t server) const { return usable(states_[service].servers[server].weight); }

/// In the table, or `absent`.
std::int64_t ServerPool::shown_weight(std::uint32_t service, std::uint32_t server) const {
    const ServiceState& state = states_[service];
    if (server == state.twin && !state.has_quorum) return absent;
    const bool answers = state.servers[server].is_up() && (state.has_quorum || !services_[service].sorry);
    if (answers) return usable(state.servers[server].weight);
    return services_[service].servers[server].is_inhibited ? 0 : absent;
}

std::int64_t ServerPool::sorry_weight(std::uint32_t service) const {
    const std::optional<PooledSorryServer>& sorry = services_[service].sorry;
    if (!sorry) return absent;
    const ServiceState& state = states_[service];
    if (!state.has_quorum) return sorry->destination.weight;
    const bool is_place_free = state.twin == state.servers.size() || shown_weight(service, state.twin) == absent;
    return sorry->is_inhibited && is_place_free ? 0 : absent;
}

void ServerPool::on_result(CheckIndex check, const CheckResult& result) {
    const auto index = static_cast<std::uint32_t>(check);
    const CheckResult before = std::exchange(results_[index], result);
    if (before == result) return;
    // Those of one service stand together. Its quorum is judged when all of them have changed: in between is nothing that anybody decided.
    const std::span<const Use> uses(uses_.begin() + first_use_[index], uses_.begin() + first_use_[index + 1]);
    for (std::size_t i = 0; i < uses.size(); ++i) {
        change(uses[i], before, result);
        if (i + 1 == uses.size() || uses[i + 1].service != uses[i].service) judge(uses[i].service);
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

std::vector<Destination> ServerPool::destinations(std::uint32_t service) const {
    std::vector<Destination> result;
    const auto add = [&](const Destination& destination, std::int64_t weight) {
        if (weight == absent) return;
        result.push_back(destination);
        result.back().weight = static_cast<std::int32_t>(weight);
    };
    if (services_[service].sorry) add(services_[service].sorry->destination, sorry_weight(service));
    for (std::uint32_t k = 0; k < services_[service].servers.size(); ++k) add(services_[service].servers[k].destination, shown_weight(service, k));
    return result;
}

Table ServerPool::wanted() const {
    Table table;
    for (std::uint32_t i = 0; i < services_.size(); ++i) {
        const std::vector<Destination> servers = destinations(i);
        for (const Service& service : services_[i].services) table.push_back(entry_of(service, servers));
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
            difference.wanted.push_back(entry_of(one, wanted));
            difference.before.push_back(entry_of(one, before));
        }
    }
    return difference;
}

}  // namespace vigil::ipvs
