// Sessions and whose packet is whose (RFC 5880 §6.8.6, RFC 5881 §3-5, RFC 5883 §3-5).
//
// A packet that names our discriminator is that session's; the discriminator carries the session's number, and sixteen random bits that a stranger has to
// guess. One that names none (the neighbor does not know us yet, or no more) is found by its source address, which no two sessions share. In both cases
// the address, the port and the TTL are then held against the session: GTSM (RFC 5881 §5) is what keeps those away who are not on the link, and a
// discriminator alone proves nothing.

#include "engine/bfd/session_table.h"

#include <algorithm>

namespace vigil::bfd {

using packet::BfdReceiveError;

namespace {

constexpr unsigned highest_ttl = 255;

template <class Routes>
auto place_of(Routes& routes, const IpAddress& neighbor) {
    return std::lower_bound(routes.begin(), routes.end(), neighbor, [](const auto& route, const IpAddress& address) { return route.neighbor < address; });
}

}  // namespace

/// splitmix64: any seed will do.
std::uint32_t SessionTable::next_random() {
    random_ += 0x9e3779b97f4a7c15;
    std::uint64_t x = random_;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>(x >> 32);
}

std::optional<SessionIndex> SessionTable::add(const SessionSpec& spec, Instant now, Outcome& outcome) {
    const auto place = place_of(routes_, spec.neighbor);
    if (place != routes_.end() && place->neighbor == spec.neighbor) return std::nullopt;
    if (free_.empty() && slots_.size() == most_sessions) return std::nullopt;
    auto index = static_cast<SessionIndex>(slots_.size());
    if (free_.empty()) {
        slots_.emplace_back();
        free_.reserve(slots_.capacity());
        deadlines_.grow(slots_.capacity());
    } else {
        index = free_.back();
        free_.pop_back();
    }
    const std::uint32_t discriminator = next_random() << 16 | (index + 1);
    slots_[index] = {.spec = spec, .session = make_session(spec.settings, discriminator, next_random(), now), .counters = {}, .is_used = true};
    routes_.insert(place, {spec.neighbor, index});
    all_.push_back(index);
    carry_out(index, vigil::bfd::on_time(slots_[index].session, now), outcome);
    return index;
}

void SessionTable::remove(SessionIndex session, Instant now, Outcome& outcome) {
    carry_out(session, set_administratively_down(slots_[session].session, true, now), outcome);
    deadlines_.remove(session);
    routes_.erase(place_of(routes_, slots_[session].spec.neighbor));
    std::erase(all_, session);
    slots_[session].is_used = false;
    free_.push_back(session);
}

void SessionTable::change(SessionIndex session, const SessionSpec& spec, Instant now, Outcome& outcome) {
    Slot& slot = slots_[session];
    slot.spec = spec;
    carry_out(session, change_settings(slot.session, spec.settings, now), outcome);
}

std::optional<SessionIndex> SessionTable::find(std::string_view name) const {
    const auto found = std::ranges::find_if(all_, [&](SessionIndex index) { return slots_[index].spec.name.view() == name; });
    if (found == all_.end()) return std::nullopt;
    return *found;
}

void SessionTable::refuse(BfdReceiveError error, Slot* slot) {
    ++errors_[static_cast<std::size_t>(error)];
    if (slot != nullptr) ++slot->counters.refused;
}

SessionTable::Slot* SessionTable::find_slot(std::uint32_t discriminator) {
    const std::uint32_t number = (discriminator & 0xffff) - 1;   // 0 becomes the greatest
    if (number >= slots_.size()) return nullptr;
    Slot& slot = slots_[number];
    return slot.is_used && slot.session.local_discriminator == discriminator ? &slot : nullptr;
}

SessionTable::Slot* SessionTable::find_slot(const IpAddress& neighbor) {
    const auto place = place_of(routes_, neighbor);
    return place != routes_.end() && place->neighbor == neighbor ? &slots_[place->session] : nullptr;
}

/// Why the datagram is not for the session that it names.
std::optional<BfdReceiveError> SessionTable::objection(const Slot& slot, const Datagram& datagram) const {
    const SessionSpec& spec = slot.spec;
    if (datagram.source != spec.neighbor || (spec.source && datagram.destination != *spec.source)) return BfdReceiveError::wrong_address;
    if (datagram.is_multihop != spec.is_multihop) return BfdReceiveError::wrong_port;
    const bool is_too_far = spec.max_hops != SessionSpec::any_hops && static_cast<int>(highest_ttl - datagram.ttl) > spec.max_hops;
    if (is_too_far) return BfdReceiveError::too_many_hops;
    if (slot.session.state == State::admin_down) return BfdReceiveError::administratively_down;
    return std::nullopt;
}

void SessionTable::on_datagram(const Datagram& datagram, Instant now, Outcome& outcome) {
    const auto control = packet::read_bfd_control(datagram.payload);
    if (!control) return refuse(control.error());
    const bool names_us = control->your_discriminator != 0;
    Slot* slot = names_us ? find_slot(control->your_discriminator) : find_slot(datagram.source);
    if (slot == nullptr) return refuse(names_us ? BfdReceiveError::unknown_discriminator : BfdReceiveError::unknown_neighbor);
    if (const auto error = objection(*slot, datagram)) return refuse(*error, slot);
    ++slot->counters.received;
    carry_out(static_cast<SessionIndex>(slot - slots_.data()), on_packet(slot->session, *control, datagram.arrival, now), outcome);
}

void SessionTable::on_time(Instant now, Outcome& outcome) {
    while (!deadlines_.is_empty() && deadlines_.first_deadline() <= now) {
        const SessionIndex due = deadlines_.first();
        carry_out(due, vigil::bfd::on_time(slots_[due].session, now), outcome);
    }
}

void SessionTable::on_pause(Instant now) {
    for (const SessionIndex index : all_) {
        vigil::bfd::on_pause(slots_[index].session, now);
        deadlines_.set(index, vigil::bfd::next_deadline(slots_[index].session));
    }
}

void SessionTable::carry_out(SessionIndex session, const Step& step, Outcome& outcome) {
    Slot& slot = slots_[session];
    if (step.is_change) {
        const State to = slot.session.state;
        if (to == State::up) ++slot.counters.went_up;
        if (step.from == State::up) ++slot.counters.went_down;
        outcome.changes.push_back({session, step.from, to, slot.session.diagnostic, slot.session.remote_diagnostic});
    }
    if (step.sends) push(session, false, outcome);
    if (step.answers_poll) push(session, true, outcome);
    deadlines_.set(session, vigil::bfd::next_deadline(slot.session));
}

void SessionTable::push(SessionIndex session, bool is_final, Outcome& outcome) {
    ++slots_[session].counters.sent;
    outcome.transmissions.push_back({session, packet::write_bfd_control(packet_of(slots_[session].session, is_final))});
}

}  // namespace vigil::bfd
