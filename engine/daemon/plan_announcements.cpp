#include "engine/daemon/plan_announcements.h"

#include <algorithm>

namespace vigil::daemon {
namespace {

/// keepalived sends all rounds of a burst at once. To a LAN on which the old Active still talks for a moment that is one
/// announcement: a single late frame of it undoes them all until garp_master_delay. So those of our first burst are spread.
constexpr std::chrono::milliseconds announcement_round_gap{100};

}  // namespace

arp::AnnouncementPlan announcements_of(const config::AnnouncementSettings& settings) {
    const auto count = [](std::uint32_t n) { return static_cast<std::uint16_t>(std::min<std::uint32_t>(n, 0xffff)); };
    return {.repeat = count(settings.repeat),
            .round_gap = announcement_round_gap,
            .delay = settings.delay,
            .refresh = settings.refresh,
            .refresh_repeat = count(settings.refresh_repeat),
            .lower_repeat = count(settings.lower_prio_repeat),
            .lower_delay = settings.lower_prio_delay};
}

void plan_extra_refreshes(Plan& plan, const config::AnnouncementSettings& settings, const engine::RouterSpec& next) {
    if (settings.extra_refresh <= Nanoseconds{0}) return;
    const engine::RouterIndex router{static_cast<std::uint32_t>(plan.routers.size())};
    std::vector<engine::ExtraRefresh>& refreshes = plan.engine.extra_refreshes;
    const auto first = static_cast<std::ptrdiff_t>(refreshes.size());
    for (std::size_t i = 0; i < next.announced.size(); ++i) {
        const engine::AnnouncedAddress& address = next.announced[i];
        const bool is_kept_known = address.link == next.link && address.mac == next.source_mac;
        const bool is_virtual = address.mac != plan.engine.links[to_number(address.link)].mac;
        if (is_kept_known || !(is_virtual || settings.extra_everywhere)) continue;
        auto at = std::find_if(refreshes.begin() + first, refreshes.end(), [&](const engine::ExtraRefresh& one) { return one.link == address.link; });
        if (at == refreshes.end()) at = refreshes.insert(at, {router, address.link, settings.extra_refresh, {}});
        at->addresses.push_back(static_cast<std::uint16_t>(i));
    }
}

void plan_pacing(Plan& plan, const std::vector<config::GarpGroup>& groups, const std::unordered_map<std::string_view, engine::LinkIndex>& links) {
    for (const config::GarpGroup& group : groups) {
        engine::PacingGroup pacing{group.garp_interval.value_or(Nanoseconds{0}), group.gna_interval.value_or(Nanoseconds{0}), {}};
        for (const std::string_view name : group.interfaces) {
            if (const auto link = links.find(name); link != links.end()) pacing.links.push_back(link->second);
        }
        if (!pacing.links.empty()) plan.engine.pacing_groups.push_back(std::move(pacing));
    }
}

}  // namespace vigil::daemon
