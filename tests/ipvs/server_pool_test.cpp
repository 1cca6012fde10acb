#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "ipvs/pool_succession.h"
#include "ipvs/server_pool.h"
#include "ipvs/table.h"
#include "tests/ipvs/entries.h"

namespace vigil::ipvs::test {
namespace {

using Kind = PoolEvent::Kind;

constexpr CheckIndex check(std::uint32_t index) { return CheckIndex{index}; }
const CheckResult up{};
const CheckResult down{.is_up = false};

/// Servers 10.1.0.1, 10.1.0.2 ... of port 80 and the given weights, each with the check of its own number.
PooledService pooled(std::initializer_list<std::int32_t> weights) {
    PooledService made;
    made.name = "a";
    made.services = {service("192.0.2.1", 80)};
    for (const std::int32_t weight : weights) {
        const auto number = static_cast<std::uint32_t>(made.servers.size());
        made.servers.push_back({.destination = server("10.1.0." + std::to_string(number + 1), 80, weight), .checks = {check(number)}});
    }
    return made;
}

PooledService with_sorry(PooledService made, bool is_inhibited = false) {
    made.sorry = PooledSorryServer{server("10.9.0.1", 80), is_inhibited};
    return made;
}

PooledService with_inhibit(PooledService made) {
    for (PooledServer& one : made.servers) one.is_inhibited = true;
    return made;
}

ServerPool pool_of(PooledService made, std::vector<CheckResult> results = {}) {
    results.resize(std::max<std::size_t>(results.size(), made.servers.size()));
    return ServerPool({std::move(made)}, std::move(results));
}

void succeed(ServerPool& next, const ServerPool& before) { next.succeed(before, {before.services(), next.services()}); }

ServerPool::Difference difference(const ServerPool& next, const ServerPool& before) { return next.difference_from(before, {before.services(), next.services()}); }

/// "10.1.0.1=1 10.1.0.2=0": destinations of the first service, sorted.
std::string shown(const Table& table, std::size_t index = 0) {
    std::set<std::string> words;
    if (index < table.size()) {
        for (const Destination& one : table[index].destinations) words.insert(to_string(one.key.address) + '=' + std::to_string(one.weight));
    }
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<Kind> kinds(ServerPool& pool) {
    std::vector<Kind> result;
    for (const PoolEvent& event : pool.take_events()) result.push_back(event.kind);
    return result;
}

TEST(ServerPool, AllServersAnswerAtFirst) {
    ServerPool pool = pool_of(pooled({1, 3}));
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=1 10.1.0.2=3");
    EXPECT_TRUE(pool.has_quorum(0));
    EXPECT_TRUE(pool.take_events().empty());
    EXPECT_TRUE(pool.take_difference().wanted.empty());
}

TEST(ServerPool, AServerWhoseCheckIsDownAtTheStartIsNotThere) {
    ServerPool pool = pool_of(pooled({1, 3}), {down});
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.2=3");
    EXPECT_TRUE(pool.take_events().empty());
}

TEST(ServerPool, ADeadServerLeavesTheTableAndComesBack) {
    ServerPool pool = pool_of(pooled({1, 1}));
    pool.on_result(check(0), down);
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.2=1");
    EXPECT_EQ(kinds(pool), std::vector{Kind::server_down});
    const ServerPool::Difference gone = pool.take_difference();
    EXPECT_EQ(shown(gone.before), "10.1.0.1=1");   // the other one is not mentioned
    EXPECT_EQ(shown(gone.wanted), "");
    pool.on_result(check(0), up);
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=1 10.1.0.2=1");
    EXPECT_EQ(kinds(pool), std::vector{Kind::server_up});
}

TEST(ServerPool, AnInhibitedServerKeepsItsPlaceWithWeightZero) {
    ServerPool pool = pool_of(with_inhibit(pooled({2, 1})));
    pool.on_result(check(0), down);
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=0 10.1.0.2=1");
}

TEST(ServerPool, AServerIsDownWhenAnyOfItsChecksIs) {
    PooledService made = pooled({1, 1});
    made.servers[0].checks = {check(0), check(2)};
    ServerPool pool = pool_of(made, std::vector<CheckResult>(3));
    pool.on_result(check(0), down);
    pool.on_result(check(2), down);
    EXPECT_EQ(kinds(pool), std::vector{Kind::server_down});
    pool.on_result(check(0), up);
    EXPECT_FALSE(pool.is_up(0, 0));
    pool.on_result(check(2), up);
    EXPECT_EQ(kinds(pool), std::vector{Kind::server_up});
}

TEST(ServerPool, ACheckThatManyNeedChangesAll) {
    PooledService first = pooled({1, 1});
    PooledService second = pooled({1});
    second.name = "b";
    second.services = {service("192.0.2.2", 80)};
    ServerPool pool({first, second}, std::vector<CheckResult>(2));
    pool.on_result(check(0), down);
    EXPECT_EQ(shown(pool.wanted(), 0), "10.1.0.2=1");
    EXPECT_EQ(shown(pool.wanted(), 1), "");
    EXPECT_EQ(kinds(pool), (std::vector{Kind::server_down, Kind::server_down, Kind::quorum_lost}));
}

TEST(ServerPool, AllServicesOfAGroupChange) {
    PooledService made = pooled({1, 1});
    made.services.push_back(service("192.0.2.2", 80));
    ServerPool pool = pool_of(made);
    pool.on_result(check(0), down);
    const ServerPool::Difference difference = pool.take_difference();
    ASSERT_EQ(difference.before.size(), 2u);
    EXPECT_EQ(shown(difference.before, 1), "10.1.0.1=1");
    EXPECT_EQ(shown(pool.wanted(), 1), "10.1.0.2=1");
}

/// Only masquerading changes a port.
TEST(ServerPool, InAGroupEachServiceHasItsServersOnItsOwnPort) {
    PooledService made = with_sorry(pooled({1, 1}));
    made.services = {service("192.0.2.1", 8080), service("192.0.2.2", 8443), {.key = fwmark_service(Family::ipv4, 3)}};
    made.servers[1].destination.forwarding = Forwarding::direct_route;
    made.sorry->destination.forwarding = Forwarding::tunnel;
    ServerPool pool = pool_of(made);
    const auto ports = [](const Table& table) {
        std::vector<std::vector<std::uint16_t>> result;
        for (const ServiceEntry& entry : table) {
            result.emplace_back();
            for (const Destination& one : entry.destinations) result.back().push_back(one.key.port);
        }
        return result;
    };
    EXPECT_EQ(ports(pool.wanted()), (std::vector<std::vector<std::uint16_t>>{{80, 8080}, {80, 8443}, {80, 0}}));
    pool.on_result(check(0), down);
    pool.on_result(check(1), down);
    const ServerPool::Difference difference = pool.take_difference();
    EXPECT_EQ(ports(difference.before), (std::vector<std::vector<std::uint16_t>>{{80, 8080}, {80, 8443}, {80, 0}}));
    EXPECT_EQ(ports(difference.wanted), (std::vector<std::vector<std::uint16_t>>{{8080}, {8443}, {0}}));
}

TEST(ServerPool, InAGroupASorryServerThatIsARealServerTooHasOnePlaceWhateverPortsAreWritten) {
    PooledService made = with_sorry(pooled({1, 1}), true);
    made.servers[1].destination.forwarding = Forwarding::direct_route;
    made.sorry->destination = made.servers[1].destination;
    made.sorry->destination.key.port = 8080;
    EXPECT_EQ(pool_of(made).wanted()[0].destinations.size(), 2u);
    made.servers[1].destination.forwarding = made.sorry->destination.forwarding = Forwarding::masquerade;
    EXPECT_EQ(pool_of(made).wanted()[0].destinations.size(), 3u);
}

TEST(ServerPool, WithoutAQuorumTheSorryServerAloneAnswers) {
    PooledService made = with_sorry(pooled({1, 1, 1}));
    made.quorum = 2;
    ServerPool pool = pool_of(made);
    pool.on_result(check(0), down);
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.2=1 10.1.0.3=1");
    pool.on_result(check(1), down);
    EXPECT_EQ(shown(pool.wanted()), "10.9.0.1=1");
    EXPECT_EQ(kinds(pool), (std::vector{Kind::server_down, Kind::server_down, Kind::quorum_lost, Kind::sorry_in}));
    pool.on_result(check(0), up);
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=1 10.1.0.3=1");
    EXPECT_EQ(kinds(pool), (std::vector{Kind::server_up, Kind::quorum_gained, Kind::sorry_out}));
}

TEST(ServerPool, WithoutAQuorumInhibitedServersStayWithWeightZero) {
    PooledService made = with_inhibit(with_sorry(pooled({1, 1})));
    made.quorum = 2;
    ServerPool pool = pool_of(made);
    pool.on_result(check(0), down);
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=0 10.1.0.2=0 10.9.0.1=1");
}

TEST(ServerPool, WithoutASorryServerThoseLeftGoOn) {
    PooledService made = pooled({1, 1});
    made.quorum = 2;
    ServerPool pool = pool_of(made);
    pool.on_result(check(0), down);
    EXPECT_FALSE(pool.has_quorum(0));
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.2=1");
}

TEST(ServerPool, AnInhibitedSorryServerIsAlwaysThere) {
    ServerPool pool = pool_of(with_sorry(pooled({1}), true));
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=1 10.9.0.1=0");
    pool.on_result(check(0), down);
    EXPECT_EQ(shown(pool.wanted()), "10.9.0.1=1");
}

TEST(ServerPool, TheQuorumHasAMarginOnBothSides) {
    PooledService made = with_sorry(pooled({2, 2, 2, 2}));
    made.quorum = 5;
    made.hysteresis = 2;
    ServerPool pool = pool_of(made);
    pool.on_result(check(0), down);   // 6
    pool.on_result(check(1), down);   // 4: not below 5 - 2
    EXPECT_TRUE(pool.has_quorum(0));
    pool.on_result(check(2), down);   // 2
    EXPECT_FALSE(pool.has_quorum(0));
    pool.on_result(check(0), up);     // 4
    pool.on_result(check(1), up);     // 6: not yet 5 + 2
    EXPECT_FALSE(pool.has_quorum(0));
    pool.on_result(check(2), up);     // 8
    EXPECT_TRUE(pool.has_quorum(0));
}

TEST(ServerPool, WhenNothingIsLeftThereIsNoQuorum) {
    PooledService made = pooled({0, 1});
    ServerPool pool = pool_of(made);
    pool.on_result(check(1), down);
    EXPECT_FALSE(pool.has_quorum(0));
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=0");   // it is up, its weight is 0
}

TEST(ServerPool, AWeightThatACheckGivesTakesThePlaceOfTheConfiguredOne) {
    ServerPool pool = pool_of(pooled({10, 1}));
    pool.on_result(check(0), {.is_up = true, .weight = 4});
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=4 10.1.0.2=1");
    const auto events = pool.take_events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0], (PoolEvent{Kind::weight_changed, 0, 0, 4, 10}));
    pool.on_result(check(0), up);
    EXPECT_EQ(pool.weight(0, 0), 10);
}

TEST(ServerPool, WeightsOfSeveralChecksAddUp) {
    PooledService made = pooled({10});
    made.servers[0].checks = {check(0), check(1), check(2)};
    ServerPool pool = pool_of(made, std::vector<CheckResult>(3));
    pool.on_result(check(0), {.is_up = true, .weight = 13});       // +3
    pool.on_result(check(1), {.is_up = true, .weight = 8});        // -2
    pool.on_result(check(2), {.is_up = true, .added_weight = 100});
    EXPECT_EQ(pool.weight(0, 0), 111);
    pool.on_result(check(2), {.is_up = true, .added_weight = -100});
    EXPECT_EQ(pool.weight(0, 0), 0);   // no less
    pool.on_result(check(2), {.is_up = true, .added_weight = 0});
    EXPECT_EQ(pool.weight(0, 0), 11);
}

TEST(ServerPool, AWeightCanCostTheQuorum) {
    PooledService made = with_sorry(pooled({5, 1}));
    made.quorum = 3;
    ServerPool pool = pool_of(made);
    pool.on_result(check(0), {.is_up = true, .weight = 1});
    EXPECT_EQ(shown(pool.wanted()), "10.9.0.1=1");
    EXPECT_EQ(kinds(pool), (std::vector{Kind::weight_changed, Kind::quorum_lost, Kind::sorry_in}));
}

TEST(ServerPool, WhatChangesBackIsNoDifference) {
    ServerPool pool = pool_of(with_sorry(pooled({1})));
    pool.on_result(check(0), down);
    pool.on_result(check(0), up);
    EXPECT_TRUE(pool.take_difference().wanted.empty());
    EXPECT_EQ(pool.take_events().size(), 6u);   // but it was so, and is told
}

TEST(ServerPool, AReloadKeepsAQuorumByItsHysteresis) {
    PooledService made = pooled({1, 1, 1});
    made.quorum = 2;
    made.hysteresis = 1;
    ServerPool before = pool_of(made);
    before.on_result(check(0), down);
    EXPECT_TRUE(before.has_quorum(0));
    ServerPool next = pool_of(made, {down});
    EXPECT_FALSE(next.has_quorum(0));   // of a start
    succeed(next, before);
    EXPECT_TRUE(next.has_quorum(0));
    EXPECT_TRUE(next.take_events().empty());
    EXPECT_TRUE(next.take_difference().wanted.empty());
}

TEST(ServerPool, AReloadTellsWhatIsDifferent) {
    ServerPool before = pool_of(with_sorry(pooled({1})));
    ServerPool next = pool_of(with_sorry(pooled({1})), {down});   // a new check with alpha
    succeed(next, before);
    EXPECT_EQ(kinds(next), (std::vector{Kind::server_down, Kind::quorum_lost, Kind::sorry_in}));
}

/// The service "a" and another one, which has the service of the kernel `of_b`.
ServerPool pool_of_two(std::initializer_list<std::int32_t> a, std::initializer_list<std::int32_t> b, const char* of_b = "192.0.2.2") {
    PooledService other = pooled(b);
    other.name = "b";
    other.services = {service(of_b, 80)};
    return ServerPool({pooled(a), std::move(other)}, std::vector<CheckResult>(std::max(a.size(), b.size())));
}

TEST(ServerPool, AReloadComparesOnlyWhatIsNotAlike) {
    const ServerPool before = pool_of_two({1, 1}, {1, 1});
    EXPECT_TRUE(difference(pool_of_two({1, 1}, {1, 1}), before).wanted.empty());
    EXPECT_TRUE(difference(pool_of_two({1, 1}, {1, 1}), before).before.empty());
    const ServerPool::Difference weight = difference(pool_of_two({1, 1}, {1, 7}), before);
    EXPECT_EQ(shown(weight.wanted), "10.1.0.1=1 10.1.0.2=7");
    EXPECT_EQ(shown(weight.before), "10.1.0.1=1 10.1.0.2=1");
    EXPECT_EQ(weight.wanted.size(), 1u);
    const ServerPool::Difference gone = difference(pool_of(pooled({1, 1})), before);
    EXPECT_TRUE(gone.wanted.empty());
    ASSERT_EQ(gone.before.size(), 1u);
    EXPECT_EQ(gone.before[0].service.key, service("192.0.2.2", 80).key);
    const ServerPool::Difference moved = difference(pool_of_two({1, 1}, {1, 1}, "192.0.2.3"), before);
    EXPECT_EQ(moved.wanted.size(), 1u);
    EXPECT_EQ(moved.before.size(), 1u);
}

TEST(ServerPool, AReloadComparesAllWhenSomethingAlikeSharesAKeyWithSomethingElse) {
    const ServerPool before = pool_of_two({1, 1}, {1}, "192.0.2.1");   // as "a"
    const ServerPool::Difference all = difference(pool_of(pooled({1, 1})), before);
    EXPECT_EQ(all.wanted.size(), 1u);
    EXPECT_EQ(all.before.size(), 2u);
}

TEST(ServerPool, AReloadComparesWhatTheTableHasAndNotOnlyWhatTheFileSays) {
    ServerPool before = pool_of(pooled({1, 1}));
    before.on_result(check(1), down);
    before.take_difference();
    EXPECT_EQ(difference(pool_of(pooled({1, 1}), {up, down}), before).wanted.size(), 0u);
    EXPECT_EQ(shown(difference(pool_of(pooled({1, 1})), before).wanted), "10.1.0.1=1 10.1.0.2=1");
}

TEST(PoolSuccession, FindsServicesByNameAndServersByPlace) {
    PooledService first = pooled({1, 1});
    PooledService second = pooled({1, 1, 1});
    second.name = "b";
    PooledService changed = pooled({1, 1, 1});
    changed.servers.erase(changed.servers.begin());
    PooledService third = pooled({1});
    third.name = "c";
    const std::vector before{first, second};
    const std::vector next{third, second, changed};
    const PoolSuccession succession(before, next);
    constexpr std::uint32_t nobody = PoolSuccession::nobody;
    EXPECT_EQ((std::vector{succession.before(0), succession.before(1), succession.before(2)}), (std::vector{nobody, 1u, 0u}));
    EXPECT_EQ((std::vector{succession.next(0), succession.next(1)}), (std::vector{2u, 1u}));
    EXPECT_TRUE(succession.keeps_servers(1));
    EXPECT_FALSE(succession.keeps_servers(0));
    EXPECT_EQ(succession.servers_before(2), (std::vector{1u, nobody}));
    EXPECT_EQ(succession.servers_next(0), (std::vector{nobody, 0u}));
    EXPECT_TRUE(succession.servers_before(1).empty());
}

TEST(ServerPool, ASorryServerThatIsARealServerTooIsWhatIsNeeded) {
    PooledService made = with_inhibit(pooled({3}));
    made.sorry = PooledSorryServer{server("10.1.0.1", 80), false};
    ServerPool pool = pool_of(made);
    pool.on_result(check(0), down);
    ASSERT_FALSE(pool.wanted()[0].destinations.empty());
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=1");
}

TEST(ServerPool, ASorryServerThatIsARealServerTooKeepsOnePlaceInTheTable) {
    PooledService made = pooled({3, 1});
    made.sorry = PooledSorryServer{server("10.1.0.1", 80), true};
    ServerPool pool = pool_of(made);
    EXPECT_EQ(shown(pool.wanted()), "10.1.0.1=3 10.1.0.2=1");
    pool.on_result(check(0), down);
    const ServerPool::Difference difference = pool.take_difference();
    EXPECT_EQ(shown(difference.before), "10.1.0.1=3");
    EXPECT_EQ(shown(difference.wanted), "10.1.0.1=0");
}

/// As slow and as plain as the rules are written.
struct NaiveModel {
    PooledService settings;
    std::vector<CheckResult> results;
    bool has_quorum = false;

    bool is_up(const PooledServer& one) const {
        return std::ranges::all_of(one.checks, [&](CheckIndex index) { return results[static_cast<std::size_t>(index)].is_up; });
    }
    std::int64_t weight(const PooledServer& one) const {
        std::int64_t sum = one.destination.weight;
        for (const CheckIndex index : one.checks) {
            const CheckResult& result = results[static_cast<std::size_t>(index)];
            if (result.weight) sum += *result.weight - one.destination.weight;
            sum += result.added_weight;
        }
        return std::max<std::int64_t>(sum, 0);
    }
    void judge() {
        std::int64_t live = 0;
        for (const PooledServer& one : settings.servers) live += is_up(one) ? weight(one) : 0;
        if (has_quorum && (live == 0 || live < std::int64_t{settings.quorum} - settings.hysteresis)) has_quorum = false;
        else if (!has_quorum && live >= std::int64_t{settings.quorum} + settings.hysteresis) has_quorum = true;
    }
    std::map<DestinationKey, std::int32_t> table() const {
        std::map<DestinationKey, std::int32_t> wanted;
        for (const PooledServer& one : settings.servers) {
            const bool answers = is_up(one) && (has_quorum || !settings.sorry);
            if (answers || one.is_inhibited) wanted[one.destination.key] = answers ? static_cast<std::int32_t>(weight(one)) : 0;
        }
        if (settings.sorry && !has_quorum) wanted[settings.sorry->destination.key] = 1;
        if (settings.sorry && settings.sorry->is_inhibited) wanted.try_emplace(settings.sorry->destination.key, 0);
        return wanted;
    }
};

std::map<DestinationKey, std::int32_t> as_map(const std::vector<Destination>& list) {
    std::map<DestinationKey, std::int32_t> result;
    for (const Destination& one : list) EXPECT_TRUE(result.emplace(one.key, one.weight).second) << "twice in the table";
    return result;
}

TEST(ServerPool, DoesWhatTheRulesSayInRandomLives) {
    std::mt19937 random(4711);
    const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    for (int life = 0; life < 300; ++life) {
        const std::uint32_t server_count = 1 + below(6);
        const std::uint32_t check_count = 1 + below(8);
        PooledService settings;
        settings.services = {service("192.0.2.1", 80)};
        for (std::uint32_t i = 0; i < server_count; ++i) {
            PooledServer one{.destination = server("10.1.0." + std::to_string(i + 1), 80, static_cast<std::int32_t>(below(5))), .is_inhibited = below(2) == 0};
            for (std::uint32_t k = below(4); k > 0; --k) {
                const CheckIndex index = check(below(check_count));
                if (std::ranges::find(one.checks, index) == one.checks.end()) one.checks.push_back(index);
            }
            settings.servers.push_back(one);
        }
        if (below(2) == 0) settings.sorry = PooledSorryServer{server(below(2) == 0 ? "10.9.0.1" : "10.1.0.1", 80), below(2) == 0};   // a server of its own, or one of the others
        settings.quorum = 1 + below(8);
        settings.hysteresis = below(settings.quorum);
        NaiveModel model{settings, std::vector<CheckResult>(check_count), false};
        model.judge();
        ServerPool pool({settings}, model.results);
        auto kernel = as_map(pool.wanted()[0].destinations);
        ASSERT_EQ(kernel, model.table()) << "life " << life;
        for (int step = 0; step < 60; ++step) {
            const CheckIndex index = check(below(check_count));
            CheckResult result{.is_up = below(3) != 0};
            if (below(4) == 0) result.weight = static_cast<std::int32_t>(below(9));
            if (below(4) == 0) result.added_weight = static_cast<std::int64_t>(below(9)) - 4;
            model.results[static_cast<std::size_t>(index)] = result;
            model.judge();
            pool.on_result(index, result);
            ASSERT_EQ(pool.has_quorum(0), model.has_quorum) << "life " << life << " step " << step;
            ASSERT_EQ(as_map(pool.wanted()[0].destinations), model.table()) << "life " << life << " step " << step;
            if (below(3) == 0) continue;   // a flush now and then
            const ServerPool::Difference difference = pool.take_difference();
            for (const Operation& one : compare_tables(difference.wanted, difference.before).operations) {
                ASSERT_NE(one.destination, nullptr);
                if (one.kind == OperationKind::delete_destination) {
                    ASSERT_EQ(kernel.erase(one.destination->key), 1u);
                } else {
                    ASSERT_EQ(kernel.contains(one.destination->key), one.kind == OperationKind::set_destination);
                    kernel[one.destination->key] = one.destination->weight;
                }
            }
            ASSERT_EQ(kernel, model.table()) << "life " << life << " step " << step;
        }
    }
}

}  // namespace
}  // namespace vigil::ipvs::test
