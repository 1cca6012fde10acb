#include "ipvs/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "tests/ipvs/entries.h"

namespace vigil::ipvs {
namespace {

using namespace test;

/// "add TCP 192.0.2.1:80", "change 10.0.0.1:80 of TCP 192.0.2.1:80 to 5", in order.
std::vector<std::string> told(const Changes& changes) {
    std::vector<std::string> all;
    for (const Operation& operation : changes.operations) {
        std::string text = std::string(verb(operation.kind)) + ' ';
        if (operation.destination != nullptr) text += to_string(operation.destination->key) + " of ";
        text += to_string(operation.service->key);
        if (operation.kind == OperationKind::set_destination) text += " to " + std::to_string(operation.destination->weight);
        all.push_back(text);
    }
    return all;
}

using Lines = std::vector<std::string>;

const Service web = service("192.0.2.1", 80), mail = service("192.0.2.1", 25);

TEST(CompareTables, AnEmptyKernelGetsServicesBeforeTheirDestinations) {
    const Table wanted{{web, {server("10.0.0.1", 80)}}, {mail, {server("10.0.0.1", 25)}}};
    EXPECT_EQ(told(compare_tables(wanted, {})), (Lines{"add TCP 192.0.2.1:80", "add TCP 192.0.2.1:25", "add 10.0.0.1:80 of TCP 192.0.2.1:80",
                                                       "add 10.0.0.1:25 of TCP 192.0.2.1:25"}));
}

TEST(CompareTables, WhatIsRightIsNotWrittenInWhateverOrderItIsFound) {
    const Table wanted{{web, {server("10.0.0.1", 80), server("10.0.0.2", 80)}}, {mail, {server("10.0.0.1", 25)}}};
    const Table found{{mail, {server("10.0.0.1", 25)}}, {web, {server("10.0.0.2", 80), server("10.0.0.1", 80)}}};
    EXPECT_EQ(told(compare_tables(wanted, found)), Lines{});
}

TEST(CompareTables, ADifferentSettingOfAServiceIsChangedInPlace) {
    std::vector<Service> others(5, web);
    others[0].scheduler = "rr";
    others[1].is_one_packet = true;
    others[2].scheduler_flags = SchedulerFlag::second;
    others[3].persistence_engine = "sip";
    others[4] = persistent(web, 60);
    for (const Service& other : others) {
        const Table wanted{{web, {}}}, found{{other, {}}};
        EXPECT_EQ(told(compare_tables(wanted, found)), Lines{"change TCP 192.0.2.1:80"});
    }
    Service longer = others[4], coarser = others[4];
    longer.persistence_seconds = 61;
    coarser.granularity = 0xffffff00;
    for (const Service& other : {longer, coarser}) {
        const Table wanted{{others[4], {}}}, found{{other, {}}};
        EXPECT_EQ(told(compare_tables(wanted, found)), Lines{"change TCP 192.0.2.1:80"});
    }
}

TEST(CompareTables, TimeoutAndMaskOfAServiceThatIsNotPersistentDoNotCount) {
    Service other = web;
    other.persistence_seconds = 300;
    other.granularity = 0xffffff00;
    const Table wanted{{web, {}}}, found{{other, {}}};
    EXPECT_EQ(told(compare_tables(wanted, found)), Lines{});
}

TEST(CompareTables, ADifferentSettingOfADestinationIsChangedInPlace) {
    std::vector<Destination> others(5, server("10.0.0.1", 80));
    others[0].weight = 0;
    others[1].forwarding = Forwarding::direct_route;
    others[2].upper_threshold = 5;
    others[3].lower_threshold = 5;
    others[4] = tunnelled("10.0.0.1", 80, {});
    for (const Destination& other : others) {
        const Table wanted{{web, {server("10.0.0.1", 80)}}}, found{{web, {other}}};
        EXPECT_EQ(told(compare_tables(wanted, found)), Lines{"change 10.0.0.1:80 of TCP 192.0.2.1:80 to 1"});
    }
}

TEST(CompareTables, TheTunnelCountsOnlyWhereThereIsOne) {
    Destination routed = server("10.0.0.1", 80, 1, Forwarding::direct_route);
    routed.tunnel = {TunnelType::gue, true, false, 6080};
    const Table plain{{web, {server("10.0.0.1", 80, 1, Forwarding::direct_route)}}}, decorated{{web, {routed}}};
    EXPECT_EQ(told(compare_tables(plain, decorated)), Lines{});
    const Table gue{{web, {tunnelled("10.0.0.1", 80, {TunnelType::gue, false, false, 6080})}}};
    const Table gre{{web, {tunnelled("10.0.0.1", 80, {TunnelType::gre})}}};
    EXPECT_EQ(told(compare_tables(gue, gre)), Lines{"change 10.0.0.1:80 of TCP 192.0.2.1:80 to 1"});
}

TEST(CompareTables, WhatGoesGoesLast) {
    const ServiceKey gone = mail.key;
    const Table wanted{{web, {server("10.0.0.2", 80)}}, {service("192.0.2.9", 80), {}}};
    const Table found{{mail, {server("10.0.0.1", 25)}}, {web, {server("10.0.0.1", 80)}}};
    EXPECT_EQ(told(compare_tables(wanted, found, {.departed = {&gone, 1}})),
              (Lines{"add TCP 192.0.2.9:80", "add 10.0.0.2:80 of TCP 192.0.2.1:80", "remove 10.0.0.1:80 of TCP 192.0.2.1:80", "remove TCP 192.0.2.1:25"}));
}

TEST(CompareTables, ADestinationThatGoesMayBeDrained) {
    const Table wanted{{web, {}}}, found{{web, {server("10.0.0.1", 80, 7), server("10.0.0.2", 80, 0)}}};
    const Changes changes = compare_tables(wanted, found, {.departing = Departure::drain});
    EXPECT_EQ(told(changes), Lines{"change 10.0.0.1:80 of TCP 192.0.2.1:80 to 0"});  // the other has no new connections already
}

TEST(CompareTables, AServiceThatNobodyNamedIsLeftAloneUnlessToldOtherwise) {
    const Table wanted{{web, {}}}, found{{web, {}}, {mail, {server("10.0.0.1", 25)}}};
    const ServiceKey still_wanted = web.key;
    EXPECT_EQ(told(compare_tables(wanted, found)), Lines{});
    EXPECT_EQ(told(compare_tables(wanted, found, {.departed = {&still_wanted, 1}})), Lines{});
    EXPECT_EQ(told(compare_tables(wanted, found, {.is_foreign_removed = true})), Lines{"remove TCP 192.0.2.1:25"});
}

TEST(CompareTables, KeysThatDifferInOnePartAreDifferentServices) {
    const Table wanted{{mark(Family::ipv4, 7), {}}};
    const Table found{{mark(Family::ipv6, 7), {}}, {mark(Family::ipv4, 8), {}}, {service("192.0.2.1", 80, "wlc", Protocol::udp), {}}};
    EXPECT_EQ(told(compare_tables(wanted, found)), Lines{"add FWMARK 7 (IPv4)"});
    const Table tcp{{web, {}}};
    EXPECT_EQ(told(compare_tables(tcp, found)), Lines{"add TCP 192.0.2.1:80"});
}

TEST(CompareTables, OfAKeyThatIsWantedTwiceTheFirstCounts) {
    const Table wanted{{web, {server("10.0.0.1", 80, 1), server("10.0.0.1", 80, 2)}}, {service("192.0.2.1", 80, "rr"), {server("10.0.0.9", 80)}}};
    const Table found{{web, {server("10.0.0.1", 80, 7)}}};
    EXPECT_EQ(told(compare_tables(wanted, found)), Lines{"change 10.0.0.1:80 of TCP 192.0.2.1:80 to 1"});
}

/// What the kernel would hold after the changes; a request that it would refuse fails the test.
class Kernel {
public:
    explicit Kernel(const Table& table) {
        for (const ServiceEntry& entry : table) {
            services_[entry.service.key].first = entry.service;
            for (const Destination& one : entry.destinations) services_[entry.service.key].second[one.key] = one;
        }
    }

    void take(const Operation& operation) {
        const ServiceKey& key = operation.service->key;
        const bool is_new_service = operation.kind == OperationKind::new_service;
        ASSERT_EQ(services_.contains(key), !is_new_service) << to_string(key);
        auto& [service, destinations] = services_[key];
        if (is_new_service || operation.kind == OperationKind::set_service) service = *operation.service;
        if (operation.kind == OperationKind::delete_service) services_.erase(key);
        if (operation.destination == nullptr) return;
        const DestinationKey& destination = operation.destination->key;
        ASSERT_EQ(destinations.contains(destination), operation.kind != OperationKind::new_destination) << to_string(destination);
        if (operation.kind == OperationKind::delete_destination) destinations.erase(destination);
        else destinations[destination] = *operation.destination;
    }

    Table table() const {
        Table all;
        for (const auto& [key, entry] : services_) {
            all.push_back({entry.first, {}});
            for (const auto& [destination, value] : entry.second) all.back().destinations.push_back(value);
        }
        return all;
    }

private:
    std::map<ServiceKey, std::pair<Service, std::map<DestinationKey, Destination>>> services_;
};

Table random_table(std::mt19937& random) {
    Table table;
    const auto below = [&](unsigned limit) { return static_cast<std::uint16_t>(random() % limit); };
    for (std::uint16_t port = 1; port <= 12; ++port) {
        if (below(3) == 0) continue;
        ServiceEntry& entry = table.emplace_back(ServiceEntry{service("192.0.2.1", port, below(2) == 0 ? "rr" : "wlc"), {}});
        for (std::uint16_t i = 1; i <= 12; ++i) {
            if (below(2) == 0) entry.destinations.push_back(server("10.0.0.1", i, below(3)));
        }
    }
    std::shuffle(table.begin(), table.end(), random);
    return table;
}

TEST(CompareTables, AnyTableBecomesAnyOtherWithoutARefusalAndThenNothingIsLeftToDo) {
    std::mt19937 random(1);
    for (int round = 0; round < 300; ++round) {
        const Table wanted = random_table(random), found = random_table(random);
        Kernel kernel(found);
        const Changes changes = compare_tables(wanted, found, {.is_foreign_removed = true});
        for (const Operation& operation : changes.operations) kernel.take(operation);
        const Table after = kernel.table();
        EXPECT_EQ(after.size(), wanted.size());
        EXPECT_EQ(told(compare_tables(wanted, after, {.is_foreign_removed = true})), Lines{}) << "round " << round;
        if (HasFailure()) return;
    }
}

SyncDaemon daemon(SyncRole role, std::uint8_t sync_id = 1) { return {.role = role, .interface = "eth0", .sync_id = sync_id}; }

std::string told(const std::vector<DaemonChange>& changes) {
    std::string text;
    for (const DaemonChange& change : changes) {
        text += std::string(change.is_start ? "start" : "stop") + (change.daemon.role == SyncRole::active ? " active " : " backup ") +
                std::to_string(change.daemon.sync_id) + ' ';
    }
    return text;
}

TEST(CompareDaemons, ADaemonThatDoesWhatIsWantedGoesOn) {
    SyncDaemon running = daemon(SyncRole::active);
    running.longest_payload = 1464;
    running.group = ipv4(224, 0, 0, 81);
    running.port = 8848;
    running.ttl = 1;
    const std::vector wanted{daemon(SyncRole::active)}, found{running};
    EXPECT_EQ(told(compare_daemons(wanted, found)), "");
}

TEST(CompareDaemons, ADaemonThatDiffersIsStoppedAndStarted) {
    const std::vector active{daemon(SyncRole::active)}, backup{daemon(SyncRole::backup)}, other{daemon(SyncRole::active, 2)};
    EXPECT_EQ(told(compare_daemons(active, backup)), "stop backup 1 start active 1 ");
    EXPECT_EQ(told(compare_daemons(active, other)), "stop active 2 start active 1 ");
    EXPECT_EQ(told(compare_daemons({}, active)), "stop active 1 ");
    SyncDaemon far = active.front();
    far.ttl = 3;
    const std::vector wanted{far};
    EXPECT_EQ(told(compare_daemons(wanted, active)), "stop active 1 start active 1 ");
}

TEST(KeyHash, NeighboursDoNotCollide) {
    std::vector<std::size_t> hashes;
    for (std::uint8_t i = 0; i < 200; ++i) {
        for (std::uint16_t port = 8000; port < 8100; ++port) hashes.push_back(KeyHash{}(DestinationKey{ipv4(10, 0, 0, i), port}) & 0xffff);
    }
    std::ranges::sort(hashes);
    const auto [end, last] = std::ranges::unique(hashes);
    // 20,000 thrown into 65,536 at random leave 17,230 places taken.
    EXPECT_GT(end - hashes.begin(), 15'000);
}

}  // namespace
}  // namespace vigil::ipvs
