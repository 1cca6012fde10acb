// garp_extra_if: some addresses are announced again and again.

#include <gtest/gtest.h>

#include "tests/engine/core/engine_harness.h"

namespace vigil::engine {
namespace {

using namespace vigil::test;

/// An owner with two addresses, the second on another link, refreshed every 10 s; bursts of one.
EngineSpec one_router(Nanoseconds period = 10s) {
    EngineSpec spec = with({v3_router(1, Priority{255})});
    spec.links.push_back(spec.links[0]);
    spec.links[1].name = "lan1";
    RouterSpec& router = spec.routers[0];
    router.announced.push_back({ipv4(10, 0, 1, 100), LinkIndex{1}, router.announced[0].mac});
    router.announcements = {.repeat = 1, .delay = 0ns};
    if (period > 0ns) spec.extra_refreshes = {{RouterIndex{0}, LinkIndex{1}, period, {1}}};
    return spec;
}

/// Announcements after the first burst, up to `end`: when, in seconds, and on which link.
std::vector<std::pair<std::int64_t, LinkIndex>> announced(Harness& harness, Instant end) {
    harness.log.clear();
    harness.run_until(end);
    std::vector<std::pair<std::int64_t, LinkIndex>> times;
    for (const Harness::Timed& timed : harness.log) {
        if (timed.sent.is_urgent || timed.sent.is_advertisement()) continue;
        EXPECT_EQ(timed.sent.router, RouterIndex{0});
        times.emplace_back((timed.at - at(0s)) / 1s, timed.sent.link);
    }
    return times;
}

TEST(ExtraRefresh, AnnouncesItsAddressesWhileTheRouterIsActive) {
    Harness harness(one_router());
    harness.start(at(0s));
    harness.command({.kind = Command::Kind::addresses_ready}, at(0s));
    harness.engine.on_time(at(0s), harness.tx);
    (void)harness.sent();
    EXPECT_EQ(announced(harness, at(25s)), (std::vector<std::pair<std::int64_t, LinkIndex>>{{10, LinkIndex{1}}, {20, LinkIndex{1}}}));
    harness.command({.kind = Command::Kind::shutdown}, at(25s));
    (void)harness.sent();
    EXPECT_TRUE(announced(harness, at(60s)).empty());
}

TEST(ExtraRefresh, AReloadGoesOnWithItAndBeginsNewOnes) {
    Harness before(one_router());
    before.start(at(0s));
    before.command({.kind = Command::Kind::addresses_ready}, at(0s));
    announced(before, at(4s));
    Harness same(one_router());
    same.engine.adopt(before.engine, std::vector{RouterIndex{0}}, at(4s));
    EXPECT_EQ(announced(same, at(12s)), (std::vector<std::pair<std::int64_t, LinkIndex>>{{10, LinkIndex{1}}}));

    Harness without(one_router(0s));
    without.engine.adopt(same.engine, std::vector{RouterIndex{0}}, at(12s));
    EXPECT_TRUE(announced(without, at(40s)).empty());
    Harness again(one_router(5s));
    again.engine.adopt(without.engine, std::vector{RouterIndex{0}}, at(40s));
    EXPECT_EQ(announced(again, at(46s)), (std::vector<std::pair<std::int64_t, LinkIndex>>{{45, LinkIndex{1}}}));
}

}  // namespace
}  // namespace vigil::engine
