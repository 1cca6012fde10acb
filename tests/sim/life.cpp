#include "tests/sim/life.h"

#include <fmt/core.h>

#include <algorithm>

namespace vigil::sim {

Life::Life(const LifePlan& plan, Dice& dice, std::uint64_t seed, const Story& story)
    : plan_(plan), dice_(dice), lan_(plan.hosts, seed ^ 0x9e3779b97f4a7c15u) {
    lan_.on_story = story;
    lan_.on_transition = [this](std::size_t, const engine::Event&) { ++transitions_; };
}

void Life::begin() {
    // Virtual clocks start at a time that is no multiple of anything.
    lan_.run_until(Instant{dice_.between(1, 10'000'000'000)});
    for (std::size_t host = 0; host < lan_.host_count(); ++host) lan_.start(host);
}

void Life::live_in_trouble(const std::function<void()>& trouble) {
    lan_.set_weather(plan_.trouble);
    for (std::int64_t n = dice_.between(3, 25); n != 0; --n) {
        lan_.run_until(lan_.now() + plan_.interval * dice_.between(10, 400) / 100);
        trouble();
    }
}

std::vector<std::size_t> Life::actives(std::size_t router) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < lan_.host_count(); ++i) {
        if (lan_.is_running(i) && lan_.router(i, router).state == engine::State::active) found.push_back(i);
    }
    return found;
}

void Life::check_settled(std::string_view when) {
    for (std::size_t r = 0; r < plan_.router_count; ++r) {
        const std::vector<std::size_t> found = actives(r);
        if (found.size() != 1) {
            lan_.violate(fmt::format("router {} has {} Actives {}", r, found.size(), when));
            continue;
        }
        if (!plan_.greatest_wins) continue;
        Priority greatest = Priority::lowest;
        for (std::size_t i = 0; i < lan_.host_count(); ++i) {
            if (lan_.is_running(i)) greatest = std::max(greatest, lan_.router(i, r).priority);
        }
        if (lan_.router(found[0], r).priority != greatest) lan_.violate(fmt::format("router {} is held by a lower priority {}", r, when));
    }
}

void Life::stay(int intervals, std::string_view when) {
    const std::uint64_t before = transitions_;
    lan_.run_until(lan_.now() + intervals * plan_.interval);
    if (transitions_ != before) lan_.violate(fmt::format("{} transitions {}", transitions_ - before, when));
}

void Life::stop_the_active(std::span<const std::size_t> routers, bool in_time) {
    const std::vector<std::size_t> found = actives(routers.front());
    if (found.size() != 1) return;
    Nanoseconds skew{0};
    Nanoseconds granule{0};
    bool has_others = false;
    for (std::size_t i = 0; i < lan_.host_count(); ++i) {
        if (i == found[0] || !lan_.is_running(i)) continue;
        has_others = true;
        skew = std::max(skew, engine::skew_time(lan_.router(i, routers.front())));
        granule = std::max(granule, plan_.hosts[i].granularity);
    }
    if (!has_others) return;
    lan_.stop(found[0]);
    if (in_time) {
        lan_.run_until(lan_.now() + skew + tick + 2 * granule + plan_.calm.most_delay);
        const bool is_missing = std::any_of(routers.begin(), routers.end(), [this](std::size_t router) { return actives(router).empty(); });
        if (is_missing) lan_.violate("nobody took over within Skew_Time after a stop advert");
    }
    lan_.run_until(lan_.now() + plan_.settle);
    check_settled("after a stop");
}

}  // namespace vigil::sim
