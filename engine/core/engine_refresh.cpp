// Announcements that only some routers make: garp_extra_if.
//
// Switches forget a MAC that they do not hear for some minutes. Adverts keep the MAC known that they carry, on the interface on which they leave; an address of
// the router that lives elsewhere, or that has another MAC, is heard only when somebody asks for it. Such addresses are announced again and again.
//
// In the announcer each of these schedules is a participant of its own, behind all routers, that begins without a burst and has the router's life. Few routers
// have any: they stand in a list ordered by router.

#include <algorithm>

#include "engine/core/engine.h"

namespace vigil::engine {

std::span<const ExtraRefresh> Engine::extra_refreshes_of(RouterIndex index) const {
    if (extra_refreshes_.empty()) return {};
    const auto [first, last] = std::ranges::equal_range(extra_refreshes_, index, {}, &ExtraRefresh::router);
    return {first, last};
}

std::uint32_t Engine::announcer_place(const ExtraRefresh& refresh) const {
    return static_cast<std::uint32_t>(cold_.size() + static_cast<std::size_t>(&refresh - extra_refreshes_.data()));
}

void Engine::start_announcements(RouterIndex index, Instant now) {
    announcer_.start(static_cast<std::uint32_t>(index), now);
    for (const ExtraRefresh& refresh : extra_refreshes_of(index)) announcer_.start(announcer_place(refresh), now);
}

void Engine::stop_announcements(RouterIndex index) {
    announcer_.stop(static_cast<std::uint32_t>(index));
    for (const ExtraRefresh& refresh : extra_refreshes_of(index)) announcer_.stop(announcer_place(refresh));
}

/// A schedule goes on where the one for the same link was; one that is new begins now.
void Engine::adopt_announcements(RouterIndex index, const Engine& before, RouterIndex predecessor, Instant now) {
    announcer_.adopt(static_cast<std::uint32_t>(index), before.announcer_, static_cast<std::uint32_t>(predecessor), now);
    const auto old = before.extra_refreshes_of(predecessor);
    for (const ExtraRefresh& refresh : extra_refreshes_of(index)) {
        const auto same = std::ranges::find(old, refresh.link, &ExtraRefresh::link);
        if (same != old.end()) announcer_.adopt(announcer_place(refresh), before.announcer_, before.announcer_place(*same), now);
        else if (table_[index].state == State::active) announcer_.start(announcer_place(refresh), now);
    }
}

const AnnouncedAddress& Engine::address_of(const arp::DueAnnouncement& due, RouterIndex& router) const {
    std::size_t address = due.address;
    router = RouterIndex{due.router};
    if (due.router >= cold_.size()) {
        const ExtraRefresh& refresh = extra_refreshes_[due.router - cold_.size()];
        router = refresh.router;
        address = refresh.addresses[due.address];
    }
    return announced_[cold_[to_number(router)].first_address + address];
}

}  // namespace vigil::engine
