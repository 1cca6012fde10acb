#pragma once

#include "engine/core/sync_group.h"
#include "tests/engine/core/engine_harness.h"

/// For the tests of sync groups: routers 0 and 1 are VRID 1 on lan0 and VRID 2 on lan1, and one group.
namespace vigil::test::group_fixture {

using namespace vigil::engine;

constexpr LinkIndex lan0{0}, lan1{1};
constexpr RouterIndex first{0}, second{1};

/// Active_Down_Interval of priority 100 and 1 s is 3 s + 156/256 s; the wheel fires at the next whole millisecond.
constexpr Nanoseconds down_100 = 3610ms;
constexpr Nanoseconds skew_100 = 610ms;

inline RouterSpec on_lan1(RouterSpec router) {
    router.link = lan1;
    for (AnnouncedAddress& announced : router.announced) announced.link = lan1;
    return router;
}

/// Two routers on two LANs, in one group.
inline EngineSpec pair(RouterSpec one, RouterSpec other) {
    EngineSpec spec = with({std::move(one), on_lan1(std::move(other))});
    spec.links.push_back({.name = "lan1", .mac = {{2, 0, 0, 0, 0, 0x0b}}, .is_up = true, .forwards_ipv6 = true});
    spec.groups.push_back({"G1", {first, second}});
    return spec;
}
inline EngineSpec pair(Priority priority = Priority{100}) { return pair(v3_router(1, priority), v3_router(2, priority)); }

struct Group : Harness {
    explicit Group(const EngineSpec& spec = pair(), std::size_t urgent = 64) : Harness(spec, urgent) {}

    void hear(std::uint8_t vrid, std::uint8_t priority, Instant now, std::uint8_t host = 2) {
        receive(v3_frame(vrid, priority, host), now, vrid == 2 ? lan1 : lan0);
    }
    /// Both members hear adverts of this priority each second, from `from` to `to` inclusive.
    void hear_both(std::uint8_t priority, int from, int to) {
        for (int s = from; s <= to; ++s) {
            run_until(at(s * 1s));
            hear(1, priority, at(s * 1s));
            hear(2, priority, at(s * 1s));
        }
    }
    void become_active() {
        start(at(0s));
        run_until(at(4s));
        ASSERT_TRUE(both(State::active));
        events();
        log.clear();
    }
    bool both(State state) const { return router(0).state == state && router(1).state == state; }
    std::vector<Event> transitions() {
        std::vector<Event> all = events();
        std::erase_if(all, [](const Event& event) { return event.kind != Event::Kind::transition; });
        return all;
    }
    /// Instants of the adverts that left since the last clear.
    std::vector<Instant> advert_times() const {
        std::vector<Instant> times;
        for (const Timed& one : log) {
            if (one.sent.is_urgent) times.push_back(one.at);
        }
        return times;
    }
};

}  // namespace vigil::test::group_fixture
