// Random hosts with sync groups from one seed: 2-5 hosts on 2-4 LANs, one virtual router on each LAN, all of them in one group; sometimes a second
// pair of routers in a second group, and a router without group. Mostly a host has one priority for all its routers, as people configure it;
// sometimes every router has its own, so that no host is the best on every LAN, and addresses decide ties differently on each LAN.
//
// At the end of every call on an engine, whatever the weather: all members of a group are in the same state; a member is in Initialize exactly when some
// member of its group has a fault of its own.
//
// After calm: exactly one host is Active for a virtual router, the same one for the whole group, and it stays that one. If hosts have one priority each and
// preempt, it is the greatest. When one LAN alone is cut between the Active and all others, the groups settle and nothing flaps. When the Active says
// stop, the groups settle on other hosts; where hosts have one priority each, one of them is Active on all LANs within the largest Skew_Time, one tick,
// one granule and the delay of the wire. Crossed priorities may need more than one round.

#include "tests/sim/random_groups.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace vigil::sim {
namespace {

using engine::Command;
using engine::Fault;
using engine::Flag;
using engine::LinkIndex;
using engine::RouterIndex;

struct Plan : LifePlan {
    std::size_t lan_count = 2;
    std::vector<std::vector<std::size_t>> groups;   // routers; the same on every host
    VrrpVersion version = VrrpVersion::v3;
    Centiseconds advertisement_interval{100};       // of all
    bool is_aligned = true;        // a host has one priority, and its addresses are ordered alike on all LANs
    bool has_owner = false;
    std::uint8_t down_timer_adverts = 3;
};

engine::RouterSpec make_router(const Plan& plan, std::size_t host, std::size_t lan, std::size_t vrid, std::uint8_t address) {
    engine::RouterSpec spec;
    spec.name = fmt::format("host {} lan {} vrid {}", host, lan, vrid);
    spec.link = LinkIndex{static_cast<std::uint16_t>(lan)};
    spec.version = plan.version;
    spec.vrid = Vrid{static_cast<std::uint8_t>(vrid)};
    spec.interval = plan.advertisement_interval;
    spec.down_timer_adverts = plan.down_timer_adverts;
    spec.primary_address = ipv4(10, static_cast<std::uint8_t>(lan), 0, address);
    spec.source_mac = virtual_mac(Family::ipv4, spec.vrid);
    spec.group = vrrp_group_ipv4;
    spec.advertised = {ipv4(10, static_cast<std::uint8_t>(lan), 1, static_cast<std::uint8_t>(vrid))};
    spec.announced = {{spec.advertised[0], spec.link, spec.source_mac}};
    return spec;
}

void choose_priorities(Dice& dice, const Plan& plan, std::size_t host, engine::EngineSpec& spec) {
    constexpr std::array<std::uint8_t, 6> priorities{1, 50, 100, 100, 150, 254};
    const std::uint8_t common = dice.one_of(priorities);
    const bool preempts = dice.chance(80);
    const auto delay = static_cast<std::uint32_t>(dice.chance(15) ? plan.interval.count() / 1'000'000 * dice.between(1, 6) : 0);
    for (engine::RouterSpec& router : spec.routers) {
        const bool differs = !plan.is_aligned;
        router.priority = Priority{differs ? dice.one_of(priorities) : common};
        if (plan.has_owner && host == 0 && (!differs || dice.chance(50))) router.priority = Priority::owner;
        router.flags = (differs ? dice.chance(80) : preempts) ? static_cast<std::uint16_t>(Flag::preempt) : std::uint16_t{0};
        router.preempt_delay_ms = differs && dice.chance(50) ? 0 : delay;
        if (dice.chance(10)) router.flags |= static_cast<std::uint16_t>(Flag::no_answer_to_lower);
        if (dice.chance(10)) router.flags |= static_cast<std::uint16_t>(Flag::last_word_to_higher);
    }
}

HostSpec random_host(Dice& dice, Plan& plan, std::size_t host, std::size_t host_count) {
    HostSpec spec;
    spec.granularity = Nanoseconds{dice.one_of(std::array<std::int64_t, 4>{1, 1'000, 50'000, 1'000'000})};
    for (std::size_t lan = 0; lan < plan.lan_count; ++lan) {
        spec.engine.links.push_back({.name = fmt::format("eth{}", lan), .mac = {{2, 0, 0, 0, static_cast<std::uint8_t>(lan), static_cast<std::uint8_t>(host)}},
                                     .is_up = true});
    }
    const auto address_on = [&](std::size_t lan) {
        const bool is_reversed = !plan.is_aligned && lan % 2 == 1;
        return static_cast<std::uint8_t>(10 + (is_reversed ? host_count - host : host));
    };
    for (std::size_t vrid = 1; vrid <= plan.groups.size(); ++vrid) {
        for (std::size_t lan = 0; lan < plan.lan_count; ++lan) spec.engine.routers.push_back(make_router(plan, host, lan, vrid, address_on(lan)));
    }
    if (plan.router_count > plan.groups.size() * plan.lan_count) spec.engine.routers.push_back(make_router(plan, host, 0, 9, address_on(0)));
    choose_priorities(dice, plan, host, spec.engine);
    for (const auto& group : plan.groups) {
        engine::GroupSpec& made = spec.engine.groups.emplace_back();
        for (const std::size_t router : group) made.members.push_back(RouterIndex{static_cast<std::uint32_t>(router)});
    }
    return spec;
}

Plan random_plan(Dice& dice) {
    Plan plan;
    plan.lan_count = static_cast<std::size_t>(dice.between(2, 4));
    plan.version = dice.chance(40) ? VrrpVersion::v2 : VrrpVersion::v3;
    plan.advertisement_interval = plan.version == VrrpVersion::v2 ? Centiseconds{static_cast<std::uint16_t>(100 * dice.between(1, 3))}
                                                                  : Centiseconds{dice.one_of(std::array<std::uint16_t, 4>{5, 10, 100, 300})};
    plan.interval = Nanoseconds{plan.advertisement_interval};
    plan.greatest_wins = plan.is_aligned = dice.chance(60);
    plan.has_owner = dice.chance(15);
    plan.down_timer_adverts = dice.chance(80) ? std::uint8_t{3} : static_cast<std::uint8_t>(dice.between(2, 6));
    const std::size_t group_count = dice.chance(80) ? 1 : 2;
    for (std::size_t g = 0; g < group_count; ++g) {
        std::vector<std::size_t>& members = plan.groups.emplace_back();
        for (std::size_t lan = 0; lan < plan.lan_count; ++lan) members.push_back(g * plan.lan_count + lan);
    }
    plan.router_count = group_count * plan.lan_count + (dice.chance(30) ? 1 : 0);
    const auto host_count = static_cast<std::size_t>(dice.between(2, 5));
    Nanoseconds longest_delay{0};
    for (std::size_t host = 0; host < host_count; ++host) {
        plan.hosts.push_back(random_host(dice, plan, host, host_count));
        for (const engine::RouterSpec& router : plan.hosts.back().engine.routers) {
            longest_delay = std::max<Nanoseconds>(longest_delay, std::chrono::milliseconds{router.preempt_delay_ms});
            plan.greatest_wins = plan.greatest_wins && router.preempt_delay_ms == 0 && (router.flags & static_cast<std::uint16_t>(Flag::preempt)) != 0;
        }
    }
    // Crossing priorities may need some rounds until two groups do not become Active in the same moment.
    const int rounds = plan.is_aligned ? 3 : 40;
    plan.settle = rounds * (plan.down_timer_adverts + 5) * plan.interval + 2 * longest_delay + 20 * tick;
    plan.trouble = {.least_delay = Nanoseconds{0}, .most_delay = plan.interval * dice.between(0, 150) / 100,
                    .loss = static_cast<double>(dice.between(0, 50)) / 100, .duplication = static_cast<double>(dice.between(0, 20)) / 100};
    const Nanoseconds delay = std::min(plan.interval / 20, Nanoseconds{dice.between(1'000, 2'000'000)});
    plan.calm = {.least_delay = delay, .most_delay = delay};
    return plan;
}

class LifeOfGroups {
public:
    LifeOfGroups(std::uint64_t seed, const Story& story) : dice_(seed), plan_(random_plan(dice_)), life_(plan_, dice_, seed, story) {
        lan_.on_step = [this](std::size_t host) { check_groups(host); };
    }

    Outcome run() {
        life_.begin();
        life_.live_in_trouble([this] { trouble(); });
        calm_down();
        life_.check_settled("after the trouble");
        life_.stay(10, "in calm");
        break_one_lan();
        life_.stop_the_active(plan_.groups[0], plan_.is_aligned);
        return life_.outcome();
    }

private:
    void trouble() {
        const std::size_t host = dice_.below(lan_.host_count());
        const LinkIndex link{static_cast<std::uint16_t>(dice_.below(plan_.lan_count))};
        const RouterIndex router{static_cast<std::uint32_t>(dice_.below(plan_.router_count))};
        switch (dice_.between(0, 13)) {
        case 0: return lan_.crash(host);
        case 1: return lan_.stop(host);
        case 2:
        case 3: return lan_.is_running(host) ? void() : lan_.start(host);
        case 4: return lan_.pause(host, lan_.now() + plan_.interval * dice_.between(10, 900) / 100);
        case 5:
            for (std::size_t i = 0; i < lan_.host_count(); ++i) lan_.set_side(i, to_number(link), static_cast<int>(dice_.between(0, 1)));
            return;
        case 6: return heal();
        case 7: return lan_.command(host, {.kind = Command::Kind::link_down, .link = link}, fmt::format("link {} down", to_number(link)));
        case 8:
        case 9: return lan_.command(host, {.kind = Command::Kind::link_up, .link = link}, fmt::format("link {} up", to_number(link)));
        case 10: return lan_.command(host, {.kind = Command::Kind::set_fault, .fault = Fault::tracker, .router = router}, fmt::format("tracker of router {} down", to_number(router)));
        case 11: return lan_.command(host, {.kind = Command::Kind::clear_fault, .fault = Fault::tracker, .router = router}, fmt::format("tracker of router {} up", to_number(router)));
        case 12:
            lan_.command(host, {.kind = Command::Kind::shutdown, .router = router}, fmt::format("router {} steps back", to_number(router)));
            return lan_.command(host, {.kind = Command::Kind::start, .router = router}, fmt::format("router {} goes on", to_number(router)));
        case 13: return lan_.command(host, {.kind = Command::Kind::frames_lost, .link = link}, fmt::format("link {} lost frames", to_number(link)));
        }
    }

    void heal() {
        for (std::size_t i = 0; i < lan_.host_count(); ++i) lan_.set_side(i, 0);
    }

    void calm_down() {
        lan_.set_weather(plan_.calm);
        heal();
        bool any = false;
        lan_.run_until(lan_.now() + 10 * plan_.interval);   // pauses end
        for (std::size_t i = 0; i < lan_.host_count(); ++i) {
            any = any || lan_.is_running(i);
            for (std::size_t link = 0; link < plan_.lan_count; ++link) {
                lan_.command(i, {.kind = Command::Kind::link_up, .link = LinkIndex{static_cast<std::uint16_t>(link)}}, "link up");
            }
            for (std::size_t r = 0; r < plan_.router_count; ++r) {
                lan_.command(i, {.kind = Command::Kind::clear_fault, .fault = Fault::tracker, .router = RouterIndex{static_cast<std::uint32_t>(r)}}, "tracker up");
            }
        }
        if (!any) lan_.start(0);
        lan_.run_until(lan_.now() + plan_.settle);
    }

    void check_groups(std::size_t host) {
        for (const auto& group : plan_.groups) {
            const engine::VirtualRouter& first = lan_.router(host, group[0]);
            const bool has_fault = std::any_of(group.begin(), group.end(), [&](std::size_t r) { return engine::has_own_fault(lan_.router(host, r)); });
            for (const std::size_t r : group) {
                const engine::VirtualRouter& router = lan_.router(host, r);
                if (router.state != first.state) lan_.violate(fmt::format("host {}: routers {} and {} of a group differ", host, group[0], r));
                if ((router.state == engine::State::initialize) != has_fault || (router.faults != 0) != has_fault) {
                    lan_.violate(fmt::format("host {}: router {} is {} with faults {}, which its group does not explain", host, r,
                                             to_string(router.state), router.faults));
                }
            }
        }
    }

    /// Between the Active of the first group and all others, on a LAN without the router that has no group.
    void break_one_lan() {
        const std::vector<std::size_t> found = life_.actives(plan_.groups[0][0]);
        if (found.size() != 1) return;
        lan_.set_side(found[0], plan_.lan_count - 1, 1);
        lan_.run_until(lan_.now() + plan_.settle);
        for (const auto& group : plan_.groups) {
            for (std::size_t i = 0; i + 1 < group.size(); ++i) {
                if (life_.actives(group[i]).size() != 1) lan_.violate(fmt::format("router {} has {} Actives beside a broken LAN", group[i], life_.actives(group[i]).size()));
            }
        }
        life_.stay(20, "beside a broken LAN");
        heal();
        lan_.run_until(lan_.now() + plan_.settle);
        life_.check_settled("after the LAN was whole again");
    }

    Dice dice_;
    Plan plan_;
    Life life_;
    Lan& lan_ = life_.lan();
};

}  // namespace

Outcome run_random_groups(std::uint64_t seed, const Story& story) { return LifeOfGroups(seed, story).run(); }

}  // namespace vigil::sim
