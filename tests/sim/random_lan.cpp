// One random LAN from one seed: 2-8 hosts, 1-2 virtual routers, v2 or v3, IPv4 or IPv6, multicast or unicast, with or without authentication, and a life of
// trouble followed by calm. All durations are in units of the advertisement interval, so that a LAN at 1 cs and one at 3 s live equally much.
//
// After calm has lasted long enough for every timer that trouble could have armed:
// * exactly one running host is Active for each virtual router, and it stays that one;
// * if every host preempts without delay, it has the greatest priority;
// * adverts of the Active keep their interval to within one tick and one granule;
// * where adverts are signed, all this holds although somebody plays back what he has recorded since then, stop adverts included;
// * when the Active stops, another is Active within the largest Skew_Time, one tick, one granule and the delay of the wire.

#include "tests/sim/random_lan.h"

#include <fmt/core.h>

#include <algorithm>

namespace vigil::sim {
namespace {

using engine::Flag;

IpAddress host_address(Family family, std::uint8_t number) {
    if (family == Family::ipv4) return ipv4(10, 0, 0, number);
    IpAddress address{{}, Family::ipv6};
    address.octets[0] = 0xfe;
    address.octets[1] = 0x80;
    address.octets[15] = number;
    return address;
}

Centiseconds random_interval(Dice& dice, VrrpVersion version) {
    if (version == VrrpVersion::v2) return Centiseconds{static_cast<std::uint16_t>(100 * dice.between(1, 3))};
    return Centiseconds{dice.one_of(std::array<std::uint16_t, 6>{1, 2, 10, 50, 100, 300})};
}

/// What all hosts of a LAN share.
struct Common {
    VrrpVersion version;
    Family family;
    Centiseconds interval;
    bool is_unicast;
    packet::AuthType auth_type;
    packet::ChecksumForm checksum;
    bool intervals_differ;
    std::uint8_t down_timer_adverts;
};

Common random_common(Dice& dice) {
    Common common{};
    common.version = dice.chance(40) ? VrrpVersion::v2 : VrrpVersion::v3;
    const bool is_v2 = common.version == VrrpVersion::v2;
    common.family = !is_v2 && dice.chance(40) ? Family::ipv6 : Family::ipv4;
    common.interval = random_interval(dice, common.version);
    common.is_unicast = dice.chance(15);
    common.auth_type = is_v2 ? dice.one_of(std::array{packet::AuthType::none, packet::AuthType::simple_password, packet::AuthType::ah})
                             : packet::AuthType::none;
    common.checksum = dice.chance(30) ? packet::ChecksumForm::message_only : packet::ChecksumForm::pseudo_header;
    common.intervals_differ = !is_v2 && dice.chance(20);
    common.down_timer_adverts = dice.chance(85) ? std::uint8_t{3} : static_cast<std::uint8_t>(dice.between(2, 6));
    return common;
}

engine::RouterSpec random_router(Dice& dice, const Common& common, std::size_t host, std::size_t host_count, std::size_t router, bool may_own) {
    engine::RouterSpec spec;
    spec.name = fmt::format("host {} router {}", host, router);
    spec.link = engine::LinkIndex{0};
    spec.family = common.family;
    spec.version = common.version;
    spec.vrid = Vrid{static_cast<std::uint8_t>(router + 1)};
    spec.priority = Priority{dice.one_of(std::array<std::uint8_t, 6>{1, 50, 100, 100, 150, 254})};
    if (may_own) spec.priority = Priority::owner;
    // Twice at most: a Backup that learned an interval of which three are shorter than one of the Active's times out again and again, whatever
    // the software, and nothing settles.
    spec.interval = common.intervals_differ && dice.chance(50) ? Centiseconds{static_cast<std::uint16_t>(2 * common.interval.count())} : common.interval;
    spec.down_timer_adverts = common.down_timer_adverts;
    if (dice.chance(10)) spec.preempt_delay_ms = static_cast<std::uint32_t>(Nanoseconds{spec.interval}.count() / 1'000'000 * dice.between(1, 6));
    spec.flags = dice.chance(80) ? static_cast<std::uint16_t>(Flag::preempt) : std::uint16_t{0};
    if (dice.chance(10)) spec.flags |= static_cast<std::uint16_t>(Flag::no_answer_to_lower);
    if (dice.chance(10)) spec.flags |= static_cast<std::uint16_t>(Flag::last_word_to_higher);
    spec.primary_address = host_address(common.family, static_cast<std::uint8_t>(10 + host));
    spec.source_mac = virtual_mac(common.family, spec.vrid);
    spec.group = common.family == Family::ipv4 ? vrrp_group_ipv4 : vrrp_group_ipv6;
    if (common.is_unicast) {
        for (std::size_t peer = 0; peer < host_count; ++peer) {
            if (peer != host) spec.peers.push_back({host_address(common.family, static_cast<std::uint8_t>(10 + peer))});
        }
    }
    for (std::int64_t n = dice.between(1, 4); n != 0; --n) {
        const IpAddress address = host_address(common.family, static_cast<std::uint8_t>(100 + 10 * router + static_cast<std::size_t>(n)));
        spec.advertised.push_back(address);
        spec.announced.push_back({address, engine::LinkIndex{0}, spec.source_mac});
    }
    spec.checksum = common.checksum;
    spec.auth_type = common.auth_type;
    if (common.auth_type != packet::AuthType::none) spec.auth_key = {'s', 'e', 'c', 'r', 'e', 't'};
    return spec;
}

LifePlan random_plan(Dice& dice) {
    const Common common = random_common(dice);
    LifePlan plan;
    const auto host_count = static_cast<std::size_t>(dice.between(2, 8));
    plan.router_count = static_cast<std::size_t>(dice.between(1, 2));
    const bool has_owner = dice.chance(15);
    Nanoseconds longest_preempt_delay{0};
    int most_adverts = 0;
    for (std::size_t host = 0; host < host_count; ++host) {
        HostSpec spec;
        spec.address = host_address(common.family, static_cast<std::uint8_t>(10 + host));
        spec.granularity = Nanoseconds{dice.one_of(std::array<std::int64_t, 5>{1, 1'000, 50'000, 1'000'000, 4'000'000})};
        spec.engine.links.push_back({.name = "eth0", .mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(host)}}, .is_up = true});
        for (std::size_t r = 0; r < plan.router_count; ++r) {
            spec.engine.routers.push_back(random_router(dice, common, host, host_count, r, has_owner && host == 0));
            const engine::RouterSpec& router = spec.engine.routers.back();
            plan.interval = std::max(plan.interval, Nanoseconds{router.interval});
            longest_preempt_delay = std::max<Nanoseconds>(longest_preempt_delay, std::chrono::milliseconds{router.preempt_delay_ms});
            most_adverts = std::max<int>(most_adverts, router.down_timer_adverts);
            plan.greatest_wins = plan.greatest_wins && router.preempt_delay_ms == 0 && (router.flags & static_cast<std::uint16_t>(Flag::preempt)) != 0;
        }
        plan.hosts.push_back(std::move(spec));
    }
    const Nanoseconds skew = common.version == VrrpVersion::v2 ? Nanoseconds{std::chrono::seconds{1}} : plan.interval;
    plan.settle = (most_adverts + 3) * plan.interval + 2 * skew + 2 * longest_preempt_delay + most_adverts * plan.interval + 20 * tick;
    plan.trouble = {.least_delay = Nanoseconds{0}, .most_delay = plan.interval * dice.between(0, 150) / 100,
                    .loss = static_cast<double>(dice.between(0, 60)) / 100, .duplication = static_cast<double>(dice.between(0, 30)) / 100};
    // One delay for all frames: a stop advert that is overtaken by the advert before it would rightly be forgotten.
    const Nanoseconds delay = std::min(plan.interval / 20, Nanoseconds{dice.between(1'000, 2'000'000)});
    plan.calm = {.least_delay = delay, .most_delay = delay};
    return plan;
}

/// A part of the LANs without other authentication has auth_hmac, and clocks that are not quite right. What a seed makes otherwise stays what it was.
bool add_signatures(LifePlan& plan, std::uint64_t seed) {
    Dice dice(seed ^ 0x686d'6163u);
    const bool has_other = plan.hosts[0].engine.routers[0].auth_type != packet::AuthType::none;
    if (has_other || !dice.chance(40)) return false;
    engine::HmacSpec hmac;
    for (std::uint8_t id = 1; id <= 3; ++id) hmac.keys.push_back({id, std::vector<std::uint8_t>(static_cast<std::size_t>(dice.between(32, 64)), id)});
    hmac.checks_time = dice.chance(70);
    hmac.window_seconds = 60;
    for (HostSpec& host : plan.hosts) {
        host.wall_clock_ahead = std::chrono::seconds{1'763'000'000} + std::chrono::milliseconds{dice.between(-15'000, 15'000)};
        hmac.active_key = static_cast<std::uint8_t>(dice.between(1, 3));
        host.engine.hmacs = {hmac};
        for (std::uint32_t i = 0; i < host.engine.routers.size(); ++i) host.engine.hmac_users.push_back({engine::RouterIndex{i}, 0});
    }
    return true;
}

class LifeOfALan {
public:
    LifeOfALan(std::uint64_t seed, const Story& story) : dice_(seed), plan_(random_plan(dice_)), is_signed_(add_signatures(plan_, seed)), life_(plan_, dice_, seed, story) {}

    Outcome run() {
        life_.begin();
        life_.live_in_trouble([this] { trouble(); });
        calm_down();
        life_.check_settled("after the trouble");
        if (is_signed_) lan_.replay_adverts();
        lan_.watch_intervals(true);
        life_.stay(10, "in calm");
        lan_.watch_intervals(false);
        life_.stop_the_active(std::array<std::size_t, 1>{0}, true);
        return life_.outcome();
    }

private:
    void trouble() {
        const auto host = dice_.below(lan_.host_count());
        switch (dice_.between(0, 7)) {
        case 0: lan_.crash(host); break;
        case 1: lan_.stop(host); break;
        case 2:
        case 3:
            if (!lan_.is_running(host)) lan_.start(host);
            break;
        case 4: lan_.pause(host, lan_.now() + plan_.interval * dice_.between(10, 900) / 100); break;
        case 5:
            for (std::size_t i = 0; i < lan_.host_count(); ++i) lan_.set_side(i, static_cast<int>(dice_.between(0, 1)));
            break;
        case 6:
            for (std::size_t i = 0; i < lan_.host_count(); ++i) lan_.set_side(i, 0);
            break;
        case 7:
            if (lan_.is_running(host) && !is_owner(lan_.router(host, 0))) {
                lan_.set_priority(host, 0, Priority{static_cast<std::uint8_t>(dice_.between(1, 254))});
            }
            break;
        }
    }

    void calm_down() {
        lan_.set_weather(plan_.calm);
        bool any = false;
        for (std::size_t i = 0; i < lan_.host_count(); ++i) {
            lan_.set_side(i, 0);
            any = any || lan_.is_running(i);
        }
        if (!any) lan_.start(0);
        // Late frames of the trouble and pauses must be over before calm begins to count.
        lan_.run_until(lan_.now() + 10 * plan_.interval);
        lan_.run_until(lan_.now() + plan_.settle);
    }

    Dice dice_;
    LifePlan plan_;
    bool is_signed_;
    Life life_;
    Lan& lan_ = life_.lan();
};

}  // namespace

Outcome run_random_lan(std::uint64_t seed, const Story& story) {
    return LifeOfALan(seed, story).run();
}

}  // namespace vigil::sim
