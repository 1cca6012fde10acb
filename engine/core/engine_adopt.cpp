// A reload by difference.
//
// An engine never changes its shape: a new configuration gets a new engine, made on the control thread while the old one runs. Between two passes of the fast
// thread the new one adopts the run of every router that both have. What is configured comes from the new specification, what
// happened comes from the old engine: a router whose text did not change sends its next advert at the instant at which it would have sent it, and
// hears none of the reload. Linear in the routers, some 0.05 us for each, and no allocation.
//
// Sync groups may have other members than before: on_time() brings them into one state before anything else (settle_groups()).
//
// A record is not copied as a whole, because half of it is configuration. The primary address is copied, although it may have been configured anew: who
// changes it is Command::set_primary_address, which knows what follows from that. The same goes for the effective priority.

#include <algorithm>

#include "engine/core/engine.h"

namespace vigil::engine {

void Engine::adopt(const Engine& before, std::span<const RouterIndex> predecessors, Instant now) {
    counters_ = before.counters_;
    latest_ = now;
    wall_clock_ahead_ = before.wall_clock_ahead_;
    reports_wanted_ = before.reports_wanted_ || before.events_.lost();
    std::copy_n(before.lost_at_.begin(), std::min(lost_at_.size(), before.lost_at_.size()), lost_at_.begin());
    for (std::uint32_t i = 0; i < std::min(table_.size(), predecessors.size()); ++i) {
        const RouterIndex predecessor = predecessors[i];
        if (to_number(predecessor) >= before.table_.size()) continue;
        adopt_record(RouterIndex{i}, before.table_[predecessor], now);
        adopt_cold(RouterIndex{i}, before, predecessor);
        adopt_announcements(RouterIndex{i}, before, predecessor, now);
    }
    are_groups_settled_ = false;
}

void Engine::adopt_record(RouterIndex index, const VirtualRouter& old, Instant now) {
    VirtualRouter& router = table_[index];
    const IpAddress source{old.primary_address, family_of(old)};
    if (router.primary_address != old.primary_address) {
        for (packet::FrameTemplate& frame : frames_.frames_of(index)) frame.set_source(source);
    }
    router.primary_address = old.primary_address;
    router.priority = old.priority;
    router.state = old.state;
    router.faults = old.faults;
    router.quiet_until = old.quiet_until;
    router.doubts = old.doubts;
    router.heard = old.heard;
    router.is_listening = old.is_listening;
    const bool has_learned = old.state == State::backup && !has(old, Flag::version2);
    if (has_learned) router.active_adver_interval = old.active_adver_interval;
    if (old.timer_slot == VirtualRouter::no_slot) return;
    Instant deadline = old.deadline;
    if (router.advertisement_interval < old.advertisement_interval && old.state == State::active && !old.is_listening) {
        deadline = std::min(deadline, now + Nanoseconds{router.advertisement_interval});
    }
    wheel_.arm(table_.records(), static_cast<std::uint32_t>(index), deadline);
}

void Engine::adopt_cold(RouterIndex index, const Engine& before, RouterIndex predecessor) {
    ColdRouter& cold = cold_[to_number(index)];
    const ColdRouter& old = before.cold_[to_number(predecessor)];
    cold.counters = old.counters;
    cold.flaps = old.flaps;
    cold.last_deposed = old.last_deposed;
    cold.last_report = old.last_report;
    Hearing& hearing = hearing_[to_number(index)];
    const Hearing& heard = before.hearing_[to_number(predecessor)];
    hearing.adverts_received = heard.adverts_received;
    hearing.reported_interval = heard.reported_interval;
    hearing.heard_priority = heard.heard_priority;
    if (advertises_same(index, before, predecessor)) hearing.last_sender = heard.last_sender;
    const bool has_hmac = has(table_[index], Flag::hmac);
    if (has_hmac != has(before.table_[predecessor], Flag::hmac)) return;
    if (has_hmac) return hmac_.adopt(hmac_entry(index), before.hmac_, before.hmac_entry(predecessor));
    if (cold.authentication == ColdRouter::no_authentication || old.authentication == ColdRouter::no_authentication) return;
    Authentication& authentication = authentications_[cold.authentication];
    const Authentication& authenticated = before.authentications_[old.authentication];
    authentication.sequence_number = std::max(authentication.sequence_number, authenticated.sequence_number);
    if (authentication.key == authenticated.key) authentication.senders = authenticated.senders;
}

bool Engine::advertises_same(RouterIndex index, const Engine& before, RouterIndex predecessor) const {
    const ColdRouter& cold = cold_[to_number(index)];
    const ColdRouter& old = before.cold_[to_number(predecessor)];
    if (cold.advertised_count != old.advertised_count) return false;
    for (std::size_t i = 0; i < cold.advertised_count; ++i) {
        if (advertised(cold, i) != before.advertised(old, i)) return false;
    }
    return true;
}

}  // namespace vigil::engine
