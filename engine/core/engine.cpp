// The engine's own part: what a Step of the state machine means for timers, frames, announcements and events.
//
// One thread calls it (the fast thread; a test; a simulation). It owns every record, frame and schedule. Output is bounded: an operation that
// could not place its frames in the TxBatch is not begun, and is asked for again with an empty batch. Order inside one step: adverts first,
// then the schedule of announcements, then the event for the control thread, which programs the addresses.

#include "engine/core/engine.h"

#include <algorithm>
#include <optional>

namespace vigil::engine {
namespace {

/// Depositions closer together than this many advertisement intervals count as flapping (RFC 9568 §2.5).
constexpr int flap_intervals = 10;
constexpr std::uint8_t flaps_until_report = 3;
constexpr Nanoseconds least_phase = std::chrono::milliseconds{2};   // two ticks of the wheel

}  // namespace

void Engine::on_time(Instant now, TxBatch& tx) {
    latest_ = now;
    if (!are_groups_settled_ && !settle_groups(now, tx)) return;
    wheel_.expire(table_.records(), now, [&](std::uint32_t i) {
        const RouterIndex index{i};
        const bool is_backup = table_[index].state == State::backup;
        if (!has_room_for(is_backup ? frame_count(index) : own_frame_count(index), tx)) return false;
        const Nanoseconds late = now - table_[index].deadline;
        const Step step = is_backup ? down_timer_step(index, now, lost_at_[to_number(table_[index].link)]) : state_machine::on_timer(table_[index], now);
        if (step.reason == Reason::adver_timer && late >= table_[index].advertisement_interval) note_missed_interval(index, late, now);
        apply(index, step, now, nullptr, tx);
        return true;
    });
    announce(now, tx);
}

Instant Engine::next_deadline() const {
    return are_groups_settled_ ? std::min(wheel_.next_deadline(), announcer_.next_deadline()) : latest_;
}

std::size_t Engine::take_events(std::span<Event> out) {
    if (events_.lost() && events_.is_empty()) {  // the reader has caught up: tell it everything anew
        events_.forgive();
        reports_wanted_ = true;
        report_cursor_ = 0;
    }
    report_states();
    return events_.take(out);
}

void Engine::on_transmit_error(RouterIndex index, int error_number, Instant now) {
    if (to_number(index) >= cold_.size()) return;
    ColdRouter& cold = cold_[to_number(index)];
    ++cold.counters.transmit_failed;
    if (!may_report(cold, Event::Kind::transmit_failed, now)) return;
    const State state = table_[index].state;
    emit({.kind = Event::Kind::transmit_failed, .from = state, .to = state, .router = index,
          .detail = static_cast<std::uint32_t>(error_number), .at = now});
}

/// Thousands of routers that became Active in the same moment would send in the same moment for ever, and fail over in the same moment: the last of
/// them waits for the work on all others. So the first interval of each ends at its own phase, a fixed point of the interval, and is shorter than
/// Advertisement_Interval by that; all later ones are whole. A peer hears an advert early, which moves nothing. Only on hosts with thousands of routers or addresses (phases_for()).
/// A sync group has one phase: what is heard of one member tells of the others.
Instant Engine::in_phase(RouterIndex index, Instant deadline) const {
    const std::int64_t interval = Nanoseconds{table_[index].advertisement_interval}.count();
    const std::int64_t phases = std::min<std::int64_t>(phases_, interval / least_phase.count());
    if (phases <= 1) return deadline;
    const GroupIndex group = cold_[to_number(index)].group;
    const RouterIndex first = group == GroupIndex::none ? index : members_of(groups_[to_number(group)]).front();
    const std::int64_t phase = interval * static_cast<std::int64_t>(to_number(first) % static_cast<std::size_t>(phases)) / phases;
    return Instant{deadline.ns - (deadline.ns - phase) % interval};
}

void Engine::carry_out(RouterIndex index, const Step& planned, Instant now, const Advertisement* heard, TxBatch& tx) {
    Step step = planned;
    if (step.changed_state() && step.to == State::active) step.deadline = in_phase(index, step.deadline);
    set_timer(index, step);
    if (contains(step.actions, Action::send_advertisement)) send_advertisement(index, table_[index].priority, now, tx);
    if (contains(step.actions, Action::send_stop_advertisement)) send_advertisement(index, Priority::stop, now, tx);
    if (contains(step.actions, Action::release_addresses)) stop_announcements(index);
    if (contains(step.actions, Action::announce_again)) announce_again(index, now);

    if (!step.changed_state()) {
        counters_.listened += step.reason == Reason::listening ? 1 : 0;
        ColdRouter& cold = cold_[to_number(index)];
        if (step.from != State::active || heard == nullptr || step.reason != Reason::lower_heard) return;
        if (!contains(step.actions, Action::announce_again)) ++cold.counters.answers_suppressed;
        if (!may_report(cold, Event::Kind::lower_heard, now)) return;
        return emit({.kind = Event::Kind::lower_heard, .from = step.from, .to = step.to, .reason = step.reason,
                     .value = to_number(heard->priority), .router = index, .at = now, .peer = heard->source});
    }
    ColdRouter& cold = cold_[to_number(index)];
    if (step.to == State::active) {
        ++cold.counters.became_active;
        const bool has_ah = cold.authentication != ColdRouter::no_authentication && !has(table_[index], Flag::hmac);
        if (has_ah) authentications_[cold.authentication].forget_senders();
    }
    if (step.from == State::active) {
        ++cold.counters.released_active;
        if (step.to == State::backup) note_deposition(index, now);
    }
    emit({.kind = Event::Kind::transition, .from = step.from, .to = step.to, .reason = step.reason,
          .value = to_number(heard != nullptr ? heard->priority : table_[index].priority), .faults = table_[index].faults,
          .router = index, .at = now, .peer = heard != nullptr ? heard->source : AddressOctets{}});
}

/// Patches and queues the router's frames. A stop advert must not disturb the template that an earlier push of this pass points to,
/// and a sealed or signed frame is different each time: all these are copied. All copies for unicast peers carry one signature.
void Engine::send_advertisement(RouterIndex index, Priority priority, Instant now, TxBatch& tx) {
    ColdRouter& cold = cold_[to_number(index)];
    const TxPath path = has(table_[index], Flag::unicast) ? TxPath::route : TxPath::link;
    std::optional<packet::HmacTrailer::Octets> trailer;
    for (packet::FrameTemplate& frame : frames_.frames_of(index)) {
        const Priority before = frame.priority();
        if (priority != before) frame.set_priority(priority);
        if (frame.needs_seal()) {
            Authentication& authentication = authentications_[cold.authentication];
            frame.seal(++authentication.sequence_number, authentication.key);
        }
        if (frame.needs_trailer()) {
            if (!trailer) trailer = hmac_.sign(hmac_entry(index), frame.signed_message(), wall_clock(now));
            frame.set_trailer(*trailer);
        }
        const auto bytes = path == TxPath::link ? frame.bytes() : frame.ip_bytes();
        const TxFrame out{bytes.data(), static_cast<std::uint16_t>(bytes.size()), table_[index].link, index, path};
        if (priority == Priority::stop || frame.needs_seal() || frame.needs_trailer()) tx.push_urgent_copy(out);
        else tx.push_urgent(out);
        if (priority == Priority::stop) frame.set_priority(before);
    }
    ++cold.counters.adverts_sent;
    if (priority == Priority::stop) ++cold.counters.stop_sent;
}

/// A losing advert, and the announcements that came with it, may have misled hosts: on the other LANs of a sync group too.
void Engine::announce_again(RouterIndex index, Instant now) {
    announcer_.on_lower_advertisement(static_cast<std::uint32_t>(index), now);
    const SyncGroup* group = group_of(index);
    if (group == nullptr) return;
    for (const RouterIndex member : members_of(*group)) {
        if (member != index) announcer_.on_lower_advertisement(static_cast<std::uint32_t>(member), now);
    }
}

void Engine::announce(Instant now, TxBatch& tx) {
    std::array<arp::DueAnnouncement, 64> due;
    for (;;) {
        const std::size_t room = std::min({due.size(), tx.paced_room(), tx.scratch_room() / paced_frame_bytes});
        const std::size_t count = announcer_.take_due(now, std::span(due).first(room));
        for (const arp::DueAnnouncement& announcement : std::span(due).first(count)) {
            RouterIndex index{};
            const AnnouncedAddress& address = address_of(announcement, index);
            const arp::AnnouncementFrame frame =
                arp::announcement(address.address, address.mac, form_, links_[to_number(address.link)].forwards_ipv6);
            tx.push_paced_copy({frame.bytes().data(), frame.size, address.link, index, TxPath::link});
        }
        counters_.announcements += count;
        if (count < room || room == 0) return;
    }
}

void Engine::report_states() {
    if (!reports_wanted_) return;
    for (; report_cursor_ < table_.size(); ++report_cursor_) {
        if (events_.room() == 0) return;
        report_state(RouterIndex{report_cursor_});
    }
    reports_wanted_ = false;
}

void Engine::report_state(RouterIndex index) {
    const VirtualRouter& router = table_[index];
    emit({.kind = Event::Kind::state_report, .from = router.state, .to = router.state, .value = to_number(router.priority),
          .faults = faults_to_tell(index), .router = index, .at = latest_});
}

void Engine::emit(const Event& event) {
    if (!events_.push(event)) ++counters_.events_lost;
}

/// Two octets for each kind and router: sixty-fourths of a second modulo 2^16. A report of about 17 minutes ago may hold back one, for a second.
bool Engine::may_report(ColdRouter& cold, Event::Kind kind, Instant at) {
    constexpr std::uint16_t distance = 64;
    std::uint16_t& last = cold.last_report[static_cast<std::size_t>(kind)];
    const auto now = static_cast<std::uint16_t>(at.ns / (1'000'000'000 / 64));
    if (last != 0 && static_cast<std::uint16_t>(now - last) < distance) return false;
    last = std::max(now, std::uint16_t{1});
    return true;
}

/// The period is counted on from now, so what was missed is not made up for by a burst; but it is never passed over in silence.
void Engine::note_missed_interval(RouterIndex index, Nanoseconds late, Instant now) {
    counters_.intervals_missed += static_cast<std::uint64_t>(late / Nanoseconds{table_[index].advertisement_interval});
    if (!may_report(cold_[to_number(index)], Event::Kind::interval_missed, now)) return;
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(late).count();
    emit({.kind = Event::Kind::interval_missed, .from = State::active, .to = State::active, .router = index,
          .detail = static_cast<std::uint32_t>(milliseconds), .at = now});
}

void Engine::note_deposition(RouterIndex index, Instant now) {
    ColdRouter& cold = cold_[to_number(index)];
    const Nanoseconds near = flap_intervals * Nanoseconds{table_[index].advertisement_interval};
    cold.flaps = now - cold.last_deposed < near ? static_cast<std::uint8_t>(std::min(cold.flaps + 1, 255)) : std::uint8_t{0};
    cold.last_deposed = now;
    if (cold.flaps < flaps_until_report || !may_report(cold, Event::Kind::flapping, now)) return;
    emit({.kind = Event::Kind::flapping, .from = State::active, .to = State::backup, .router = index, .detail = cold.flaps, .at = now});
}

}  // namespace vigil::engine
