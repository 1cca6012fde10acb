// garp_group and vrrp_garp_interval: how announcements of several links wait for each other.

#include <gtest/gtest.h>

#include <map>

#include "tests/engine/core/engine_harness.h"

namespace vigil::engine {
namespace {

using namespace vigil::test;

/// A router on link 0, one on link 1, and one of IPv6 on link 0, each with one announcement per burst.
EngineSpec three_routers() {
    EngineSpec spec = with({v3_router(1, Priority{255}), v3_router(2, Priority{255}), ipv6_router(3, Priority{255})});
    spec.links.push_back(spec.links[0]);
    spec.links[1].name = "lan1";
    spec.routers[1].link = spec.routers[1].announced[0].link = LinkIndex{1};
    for (RouterSpec& router : spec.routers) router.announcements = {.repeat = 2, .delay = 0ns};
    spec.routers[2].announced.resize(1);
    spec.routers[2].advertised.resize(1);
    return spec;
}

/// When each router's announcements leave, in milliseconds after the beginning.
std::map<std::uint32_t, std::vector<std::int64_t>> announced(const EngineSpec& spec) {
    Harness harness(spec);
    harness.start(at(0s));
    for (std::uint32_t i = 0; i < spec.routers.size(); ++i) harness.command({.kind = Command::Kind::addresses_ready, .router = RouterIndex{i}}, at(0s));
    harness.engine.on_time(at(0s), harness.tx);
    harness.log.clear();
    std::map<std::uint32_t, std::vector<std::int64_t>> times;
    const auto note = [&](const Sent& sent, Instant when) {
        if (!sent.is_urgent && !sent.is_advertisement()) times[static_cast<std::uint32_t>(sent.router)].push_back((when - at(0s)) / 1ms);
    };
    for (const Sent& sent : harness.sent()) note(sent, at(0s));
    harness.run_until(at(900ms));
    for (const Harness::Timed& timed : harness.log) note(timed.sent, timed.at);
    return times;
}

std::vector<std::int64_t> all(const std::map<std::uint32_t, std::vector<std::int64_t>>& times, std::initializer_list<std::uint32_t> routers) {
    std::vector<std::int64_t> together;
    for (const std::uint32_t router : routers) together.insert(together.end(), times.at(router).begin(), times.at(router).end());
    std::ranges::sort(together);
    return together;
}

TEST(PacingGroups, WithoutThemLinksAndFamiliesDoNotWaitForEachOther) {
    EngineSpec spec = three_routers();
    spec.garp_interval = 100ms;
    spec.gna_interval = 50ms;
    const auto times = announced(spec);
    EXPECT_EQ(times.at(0), (std::vector<std::int64_t>{0, 100}));
    EXPECT_EQ(times.at(1), (std::vector<std::int64_t>{0, 100}));
    EXPECT_EQ(times.at(2), (std::vector<std::int64_t>{0, 50}));
}

TEST(PacingGroups, LinksOfAGroupShareOnePace) {
    EngineSpec spec = three_routers();
    spec.garp_interval = 1ms;
    spec.pacing_groups = {{100ms, 0ns, {LinkIndex{0}, LinkIndex{1}}}};
    const auto times = announced(spec);
    EXPECT_EQ(all(times, {0, 1}), (std::vector<std::int64_t>{0, 100, 200, 300}));
    EXPECT_EQ(times.at(2), (std::vector<std::int64_t>{0, 0})) << "gna_interval 0: NAs do not wait, and not for gratuitous ARP";
}

TEST(PacingGroups, OtherLinksKeepTheGlobalInterval) {
    EngineSpec spec = three_routers();
    spec.garp_interval = 10ms;
    spec.pacing_groups = {{100ms, 200ms, {LinkIndex{0}}}};
    const auto times = announced(spec);
    EXPECT_EQ(times.at(0), (std::vector<std::int64_t>{0, 100}));
    EXPECT_EQ(times.at(1), (std::vector<std::int64_t>{0, 10}));
    EXPECT_EQ(times.at(2), (std::vector<std::int64_t>{0, 200}));
}

}  // namespace
}  // namespace vigil::engine
