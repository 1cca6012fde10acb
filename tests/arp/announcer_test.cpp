// The schedule of announcements in virtual time: what is sent when, in which order, and that nobody is forgotten.

#include "arp/announcer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <random>
#include <set>

namespace vigil::arp {
namespace {

using namespace std::chrono_literals;

constexpr Instant never{std::numeric_limits<std::int64_t>::max()};
constexpr Instant at(Nanoseconds since_begin) { return Instant{1'000'000'000'000} + since_begin; }

/// router.address, as text of a test reads best: {0, 1} is the second address of the first router.
using Sent = std::pair<std::uint32_t, std::uint32_t>;

std::vector<Sent> take(Announcer& announcer, Instant now, std::size_t budget = 1000) {
    std::vector<DueAnnouncement> out(budget);
    const std::size_t count = announcer.take_due(now, out);
    std::vector<Sent> sent;
    for (std::size_t i = 0; i < count; ++i) sent.emplace_back(out[i].router, out[i].address);
    return sent;
}

/// Everything until `end`, each at its own instant.
std::vector<std::pair<Instant, Sent>> run(Announcer& announcer, Instant end) {
    std::vector<std::pair<Instant, Sent>> all;
    for (Instant now = at(0s), next; (next = announcer.next_deadline()) <= end;) {
        now = std::max(now, next);  // a deadline in the past means at once
        const auto some = take(announcer, now);
        for (const Sent& one : some) all.emplace_back(now, one);
    }
    return all;
}

std::vector<Sent> repeated(std::size_t rounds, std::uint32_t router, std::uint32_t addresses) {
    std::vector<Sent> all;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::uint32_t address = 0; address < addresses; ++address) all.emplace_back(router, address);
    }
    return all;
}

Announcer one_router(AnnouncementPlan plan = {}, std::uint16_t addresses = 2, Nanoseconds gap = 0ns) {
    const std::array routers{Announcer::Router{plan, addresses, 0, gap}};
    return Announcer(routers);
}

TEST(Announcer, IsIdleUntilStarted) {
    Announcer announcer = one_router();
    EXPECT_EQ(announcer.next_deadline(), never);
    EXPECT_TRUE(take(announcer, at(100s)).empty());
}

TEST(Announcer, AnnouncesFiveRoundsAtOnceAndFiveAfterFiveSeconds) {  // keepalived's garp_master_repeat, garp_master_delay
    Announcer announcer = one_router();
    announcer.start(0, at(0s));
    EXPECT_LE(announcer.next_deadline(), at(0s));
    EXPECT_EQ(take(announcer, at(0s)), repeated(5, 0, 2));
    EXPECT_EQ(announcer.next_deadline(), at(5s));
    EXPECT_TRUE(take(announcer, at(5s) - 1ns).empty());
    EXPECT_EQ(take(announcer, at(5s)), repeated(5, 0, 2));
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, ZeroDelayMeansNoSecondBurst) {
    Announcer announcer = one_router({.delay = 0s});
    announcer.start(0, at(0s));
    take(announcer, at(0s));
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, ZeroRepeatSendsNothing) {
    Announcer announcer = one_router({.repeat = 0});
    announcer.start(0, at(0s));
    EXPECT_TRUE(run(announcer, at(100s)).empty());
}

TEST(Announcer, ZeroRepeatStillRefreshes) {
    Announcer announcer = one_router({.repeat = 0, .refresh = 10s}, 1);
    announcer.start(0, at(0s));
    const auto all = run(announcer, at(20s));
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].first, at(10s));
    EXPECT_EQ(all[1].first, at(20s));
}

TEST(Announcer, RefreshesWhileActive) {
    Announcer announcer = one_router({.repeat = 1, .delay = 2s, .refresh = 10s, .refresh_repeat = 3}, 1);
    announcer.start(0, at(0s));
    std::map<Instant, int> rounds;
    for (const auto& [when, sent] : run(announcer, at(22s))) ++rounds[when];
    EXPECT_EQ(rounds, (std::map<Instant, int>{{at(0s), 1}, {at(2s), 1}, {at(12s), 3}, {at(22s), 3}}));
}

TEST(Announcer, RefreshWithoutSecondBurstCountsFromTheStart) {
    Announcer announcer = one_router({.repeat = 1, .delay = 0s, .refresh = 10s}, 1);
    announcer.start(0, at(0s));
    take(announcer, at(0s));
    EXPECT_EQ(announcer.next_deadline(), at(10s));
}

TEST(Announcer, ALateRefreshDoesNotCatchUpInABurst) {
    Announcer announcer = one_router({.repeat = 1, .delay = 0s, .refresh = 1s}, 1);
    announcer.start(0, at(0s));
    take(announcer, at(0s));
    EXPECT_LE(take(announcer, at(100s)).size(), 2u);
    EXPECT_EQ(announcer.next_deadline(), at(101s));
}

TEST(Announcer, ZeroAddressesAreNoWork) {
    Announcer announcer = one_router({.refresh = 1s}, 0);
    announcer.start(0, at(0s));
    EXPECT_TRUE(run(announcer, at(10s)).empty());
}

TEST(Announcer, KeepsTheGapOfTheLink) {
    Announcer announcer = one_router({.repeat = 2, .delay = 0s}, 2, 10ms);
    announcer.start(0, at(0s));
    const auto all = run(announcer, at(1s));
    ASSERT_EQ(all.size(), 4u);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].first, at(10ms * i));
}

TEST(Announcer, TheGapHoldsAcrossRoutersOfALinkButNotAcrossLinks) {
    const AnnouncementPlan once{.repeat = 1, .delay = 0s};
    const std::array routers{Announcer::Router{once, 1, 0, 10ms}, Announcer::Router{once, 1, 0, 10ms}, Announcer::Router{once, 1, 1, 10ms}};
    Announcer announcer(routers);
    for (const std::uint32_t router : {0u, 1u, 2u}) announcer.start(router, at(0s));
    EXPECT_EQ(take(announcer, at(0s)), (std::vector<Sent>{{0, 0}, {2, 0}}));
    EXPECT_EQ(announcer.next_deadline(), at(10ms));
    EXPECT_EQ(take(announcer, at(10ms)), (std::vector<Sent>{{1, 0}}));
}

TEST(Announcer, TheLargestGapOfALinkCounts) {
    const AnnouncementPlan once{.repeat = 1, .delay = 0s};
    const std::array routers{Announcer::Router{once, 1, 0, 1ms}, Announcer::Router{once, 1, 0, 30ms}};
    Announcer announcer(routers);
    announcer.start(0, at(0s));
    announcer.start(1, at(0s));
    take(announcer, at(0s));
    EXPECT_EQ(announcer.next_deadline(), at(30ms));
}

TEST(Announcer, RoutersOfALinkTakeTurnsAfterEachRound) {
    const AnnouncementPlan twice{.repeat = 2, .delay = 0s};
    const std::array routers{Announcer::Router{twice, 2, 0, 0ns}, Announcer::Router{twice, 1, 0, 0ns}};
    Announcer announcer(routers);
    announcer.start(0, at(0s));
    announcer.start(1, at(0s));
    EXPECT_EQ(take(announcer, at(0s)), (std::vector<Sent>{{0, 0}, {0, 1}, {1, 0}, {0, 0}, {0, 1}, {1, 0}}));
}

TEST(Announcer, ASmallBudgetIsSharedByAllLinks) {
    // More links than budget: the first ones may not take every call's budget until they are done.
    constexpr std::uint32_t link_count = 10;
    std::vector<Announcer::Router> routers;
    for (std::uint32_t i = 0; i < link_count; ++i) {
        routers.push_back({{.repeat = 5, .delay = 0s}, 1, static_cast<std::uint16_t>(i), 0ns});
    }
    Announcer announcer(routers);
    for (std::uint32_t i = 0; i < link_count; ++i) announcer.start(i, at(0s));
    std::map<std::uint32_t, int> heard;
    for (int call = 0; call < 5; ++call) {
        for (const Sent& sent : take(announcer, at(0s), 2)) ++heard[sent.first];
    }
    EXPECT_EQ(heard.size(), link_count) << "after as many announcements as links, each link has one";
}

TEST(Announcer, NoBudgetLosesNothing) {
    Announcer announcer = one_router({.repeat = 1, .delay = 0s});
    announcer.start(0, at(0s));
    EXPECT_TRUE(take(announcer, at(0s), 0).empty());
    EXPECT_LE(announcer.next_deadline(), at(0s));
    EXPECT_EQ(take(announcer, at(0s), 1), (std::vector<Sent>{{0, 0}}));
    EXPECT_EQ(take(announcer, at(0s), 1), (std::vector<Sent>{{0, 1}}));
    EXPECT_EQ(announcer.next_deadline(), never);
}

// Stop and restart, in each phase.

TEST(Announcer, StopBeforeTheFirstAnnouncementSendsNone) {
    Announcer announcer = one_router();
    announcer.start(0, at(0s));
    announcer.stop(0);
    EXPECT_TRUE(run(announcer, at(100s)).empty());
}

TEST(Announcer, StopInTheMiddleOfABurstEndsIt) {
    Announcer announcer = one_router();
    announcer.start(0, at(0s));
    take(announcer, at(0s), 3);
    announcer.stop(0);
    EXPECT_TRUE(run(announcer, at(100s)).empty());
}

TEST(Announcer, StopBetweenTheBurstsCancelsTheSecond) {
    Announcer announcer = one_router({.refresh = 10s});
    announcer.start(0, at(0s));
    take(announcer, at(0s));
    announcer.stop(0);
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, StopWhileRefreshingEndsIt) {
    Announcer announcer = one_router({.refresh = 10s});
    announcer.start(0, at(0s));
    run(announcer, at(25s));
    announcer.stop(0);
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, StopTwiceAndStopBeforeStartAreNothing) {
    Announcer announcer = one_router();
    announcer.stop(0);
    announcer.start(0, at(0s));
    announcer.stop(0);
    announcer.stop(0);
    EXPECT_TRUE(run(announcer, at(100s)).empty());
}

TEST(Announcer, StopOfTheHeadOfTheQueueLetsTheNextGo) {
    const AnnouncementPlan once{.repeat = 1, .delay = 0s};
    const std::array routers{Announcer::Router{once, 2, 0, 0ns}, Announcer::Router{once, 1, 0, 0ns}};
    Announcer announcer(routers);
    announcer.start(0, at(0s));
    announcer.start(1, at(0s));
    announcer.stop(0);
    EXPECT_EQ(take(announcer, at(0s)), (std::vector<Sent>{{1, 0}}));
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, RestartBeginsThePlanAnew) {
    Announcer announcer = one_router();
    announcer.start(0, at(0s));
    EXPECT_EQ(take(announcer, at(0s), 3).size(), 3u);
    announcer.stop(0);
    announcer.start(0, at(1s));  // still in its queue from before
    EXPECT_EQ(take(announcer, at(1s)), repeated(5, 0, 2));
    EXPECT_EQ(announcer.next_deadline(), at(6s));
    announcer.start(0, at(2s));  // without a stop
    EXPECT_EQ(take(announcer, at(2s)), repeated(5, 0, 2));
    EXPECT_EQ(announcer.next_deadline(), at(7s));
}

// Losing adverts.

TEST(Announcer, ALosingAdvertIsAnsweredByABurstNowAndOneLater) {  // garp_lower_prio_repeat, garp_lower_prio_delay
    Announcer announcer = one_router({.repeat = 1, .delay = 0s, .lower_repeat = 3, .lower_delay = 2s}, 1);
    announcer.start(0, at(0s));
    take(announcer, at(0s));
    announcer.on_lower_advertisement(0, at(10s));
    EXPECT_EQ(take(announcer, at(10s)), repeated(3, 0, 1));
    EXPECT_EQ(announcer.next_deadline(), at(12s));
    EXPECT_EQ(take(announcer, at(12s)), repeated(3, 0, 1));
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, ALosingAdvertBeforeTheAddressesAreReadyIsNotAnswered) {
    Announcer announcer = one_router();
    announcer.on_lower_advertisement(0, at(0s));
    EXPECT_EQ(announcer.next_deadline(), never);
    announcer.start(0, at(1s));
    announcer.stop(0);
    announcer.on_lower_advertisement(0, at(2s));
    EXPECT_TRUE(run(announcer, at(100s)).empty());
}

TEST(Announcer, LowerRepeatZeroIgnoresLosingAdverts) {
    Announcer announcer = one_router({.delay = 0s, .lower_repeat = 0});
    announcer.start(0, at(0s));
    take(announcer, at(0s));
    announcer.on_lower_advertisement(0, at(1s));
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, ALosingAdvertDuringABurstDoesNotRestartIt) {
    Announcer announcer = one_router({.repeat = 1, .delay = 0s, .lower_repeat = 1, .lower_delay = 0s}, 3);
    announcer.start(0, at(0s));
    EXPECT_EQ(take(announcer, at(0s), 2), (std::vector<Sent>{{0, 0}, {0, 1}}));
    announcer.on_lower_advertisement(0, at(0s));
    EXPECT_EQ(take(announcer, at(0s)), (std::vector<Sent>{{0, 2}}));
}

TEST(Announcer, AStormOfLosingAdvertsDoesNotPostponeTheLaterBurst) {
    Announcer announcer = one_router({.repeat = 1, .delay = 0s, .lower_repeat = 1, .lower_delay = 2s}, 1);
    announcer.start(0, at(0s));
    for (int i = 0; i < 100; ++i) announcer.on_lower_advertisement(0, at(i * 100ms));
    EXPECT_EQ(announcer.next_deadline() <= at(0s) ? at(2s) : announcer.next_deadline(), at(2s));
    const auto all = run(announcer, at(100s));
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const auto& one) { return one.first == at(2s); }));
}

TEST(Announcer, RefreshGoesOnAfterALosingAdvert) {
    Announcer announcer = one_router({.repeat = 1, .delay = 0s, .refresh = 10s, .lower_repeat = 1, .lower_delay = 1s}, 1);
    announcer.start(0, at(0s));
    take(announcer, at(0s));
    announcer.on_lower_advertisement(0, at(2s));
    const auto all = run(announcer, at(40s));
    EXPECT_EQ(all.back().first, at(33s));  // 2, 3 (later burst), then every 10 s from there
}

// Every address is announced even when a burst takes longer than the time to the next.

TEST(Announcer, ASlowLinkAnnouncesEveryAddressAlthoughTheRefreshComesSooner) {
    // 20 addresses, one per second, refreshed every 5 s: the next burst may not send the tail to the end of the queue each time.
    Announcer announcer = one_router({.repeat = 1, .delay = 0s, .refresh = 5s}, 20, 1s);
    announcer.start(0, at(0s));
    std::map<std::uint32_t, int> heard;
    for (const auto& [when, sent] : run(announcer, at(100s))) ++heard[sent.second];
    EXPECT_EQ(heard.size(), 20u);
    for (const auto& [address, times] : heard) EXPECT_GE(times, 4) << "address " << address;
}

// Rounds with a rest between them: to a LAN five announcements in one microsecond are one.

TEST(Announcer, RestsBetweenTheRoundsOfTheFirstBurstOnly) {
    Announcer announcer = one_router({.repeat = 3, .round_gap = 200ms, .delay = 5s}, 2);
    announcer.start(0, at(0s));
    const auto all = run(announcer, at(10s));
    std::vector<std::pair<Instant, Sent>> expected;
    for (const Nanoseconds when : {Nanoseconds{0ms}, Nanoseconds{200ms}, Nanoseconds{400ms}, Nanoseconds{5000ms}, Nanoseconds{5000ms}, Nanoseconds{5000ms}}) {
        expected.emplace_back(at(when), Sent{0, 0});
        expected.emplace_back(at(when), Sent{0, 1});
    }
    EXPECT_EQ(all, expected);
}

TEST(Announcer, AStopWhileItRestsEndsTheBurst) {
    Announcer announcer = one_router({.repeat = 3, .round_gap = 200ms}, 2);
    announcer.start(0, at(0s));
    EXPECT_EQ(take(announcer, at(0s)).size(), 2u);
    announcer.stop(0);
    EXPECT_EQ(announcer.next_deadline(), never);
    EXPECT_TRUE(take(announcer, at(10s)).empty());
}

TEST(Announcer, AStartWhileItRestsBeginsAtOnce) {
    Announcer announcer = one_router({.repeat = 2, .round_gap = 200ms, .delay = 0s}, 1);
    announcer.start(0, at(0s));
    EXPECT_EQ(take(announcer, at(0s)).size(), 1u);
    announcer.start(0, at(100ms));
    EXPECT_EQ(take(announcer, at(100ms)).size(), 1u);
    EXPECT_EQ(take(announcer, at(200ms)).size(), 0u);
    EXPECT_EQ(take(announcer, at(300ms)).size(), 1u);
    EXPECT_EQ(announcer.next_deadline(), never);
}

TEST(Announcer, ABurstThatComesDueWhileOneRestsMakesItLonger) {
    Announcer announcer = one_router({.repeat = 3, .round_gap = 200ms, .delay = 300ms}, 1);
    announcer.start(0, at(0s));
    std::vector<Instant> when;
    for (const auto& [instant, sent] : run(announcer, at(10s))) when.push_back(instant);
    EXPECT_EQ(when, (std::vector{at(0ms), at(200ms), at(400ms), at(400ms), at(400ms)}));
}

// The heap of scheduled bursts against a plain list of the same.

TEST(AnnouncerRandom, AgreesWithANaiveModel) {
    struct Model {
        bool is_started = false;
        std::vector<Instant> due;  // the one scheduled burst
    };
    constexpr std::uint32_t router_count = 300;
    const AnnouncementPlan plan{.repeat = 1, .delay = 3s, .refresh = 7s, .refresh_repeat = 1};
    std::vector<Announcer::Router> routers;
    for (std::uint32_t i = 0; i < router_count; ++i) routers.push_back({plan, 1, static_cast<std::uint16_t>(i % 7), 0ns});
    Announcer announcer(routers);
    std::vector<Model> models(router_count);
    std::mt19937 random(9568);
    Instant now = at(0s);
    for (int step = 0; step < 20'000; ++step) {
        const auto router = static_cast<std::uint32_t>(random() % router_count);
        Model& model = models[router];
        std::multiset<std::uint32_t> expected;
        if (random() % 3 != 0) {
            announcer.start(router, now);
            model = {true, {now + 3s}};
            expected.insert(router);
        } else {
            announcer.stop(router);
            model = {};
        }
        if (random() % 4 == 0) now = now + Nanoseconds{static_cast<std::int64_t>(random() % 1'000'000'000)};
        for (std::uint32_t i = 0; i < router_count; ++i) {
            for (Instant& due : models[i].due) {
                if (due > now) continue;
                if (!expected.contains(i)) expected.insert(i);
                due = std::max(due + 7s, now);
            }
        }
        std::multiset<std::uint32_t> sent;
        for (const Sent& one : take(announcer, now, 2000)) sent.insert(one.first);
        ASSERT_EQ(sent, expected) << "step " << step;
        Instant earliest = never;
        for (const Model& one : models) {
            for (const Instant due : one.due) earliest = std::min(earliest, due);
        }
        ASSERT_EQ(announcer.next_deadline(), earliest) << "step " << step;
    }
}

TEST(Announcer, ARefreshThatAReloadAddsCountsFromTheReload) {
    Announcer before = one_router({.repeat = 1, .delay = 0s});
    before.start(0, at(0s));
    take(before, at(0s));
    EXPECT_EQ(before.next_deadline(), never);
    Announcer after = one_router({.repeat = 1, .delay = 0s, .refresh = 60s});
    after.adopt(0, before, 0, at(100s));
    EXPECT_EQ(after.next_deadline(), at(160s));
    EXPECT_EQ(take(after, at(160s)), repeated(1, 0, 2));
    EXPECT_EQ(after.next_deadline(), at(220s));
}

TEST(Announcer, AShorterRefreshDoesNotWaitForTheOldOne) {
    Announcer before = one_router({.repeat = 1, .delay = 0s, .refresh = 3600s});
    before.start(0, at(0s));
    take(before, at(0s));
    Announcer after = one_router({.repeat = 1, .delay = 0s, .refresh = 10s});
    after.adopt(0, before, 0, at(100s));
    EXPECT_EQ(after.next_deadline(), at(110s));
    Announcer same = one_router({.repeat = 1, .delay = 0s, .refresh = 3600s});
    same.adopt(0, before, 0, at(100s));
    EXPECT_EQ(same.next_deadline(), at(3600s));
}

}  // namespace
}  // namespace vigil::arp
