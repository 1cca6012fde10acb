// The way of a received frame: read and checked (packet/), matched with its router, checked against that router's settings, handed to
// the state machine. A frame that fails any check changes nothing but counters: no timer, no state, no learned value
// (RFC 9568 §7.1; keepalived re-arms its advert timer after any frame, so junk can silence it).

#include <algorithm>
#include <array>
#include <bit>

#include "engine/core/engine.h"

namespace vigil::engine {

using packet::ReceiveError;

namespace {
constexpr ReceiveError accepted = ReceiveError::count_;

/// As ==, which calls memcmp() here.
bool is_same(const AddressOctets& a, const AddressOctets& b) {
    const auto left = std::bit_cast<std::array<std::uint64_t, 2>>(a);
    const auto right = std::bit_cast<std::array<std::uint64_t, 2>>(b);
    return ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0;
}

}

/// Guesses the VRID's place without any check; a wrong guess costs nothing but the guess.
[[gnu::always_inline]] inline RouterIndex Engine::guess_router(const RxFrame& frame) const {
    constexpr std::size_t ipv4_vrid_offset = 14 + 20 + 1;
    constexpr std::size_t ipv6_vrid_offset = 14 + 40 + 1;
    if (frame.bytes.size() <= ipv4_vrid_offset) return RouterIndex::none;
    const bool is_ipv6 = frame.bytes[12] == 0x86 && frame.bytes.size() > ipv6_vrid_offset;
    const Vrid vrid{frame.bytes[is_ipv6 ? ipv6_vrid_offset : ipv4_vrid_offset]};
    return table_.find(frame.link, is_ipv6 ? Family::ipv6 : Family::ipv4, vrid);
}

/// Inlined by force: GCC takes a function that only prefetches for one without effect and drops the call.
[[gnu::always_inline]] inline void Engine::prefetch_router(const RxFrame& frame) const {
    const RouterIndex index = guess_router(frame);
    if (index == RouterIndex::none) return;
    __builtin_prefetch(&table_[index], 1);
    __builtin_prefetch(&hearing_[to_number(index)], 1);
}

/// In groups: first the memory of all routers of a group is asked for, then the frames are acted on in order. With thousands of routers
/// every advert finds its record out of the cache, and waiting for all together costs a fraction of waiting one by one.
std::size_t Engine::on_frames(std::span<const RxFrame> frames, TxBatch& tx) {
    constexpr std::size_t group_size = 16;
    const std::size_t urgent_needed = least_urgent_room();
    const std::size_t scratch_needed = least_scratch_room();
    for (std::size_t handled = 0; handled < frames.size();) {
        const std::size_t end = std::min(frames.size(), handled + group_size);
        for (std::size_t i = handled; i < end; ++i) prefetch_router(frames[i]);
        for (; handled < end; ++handled) {
            if (tx.urgent_room() < urgent_needed || tx.scratch_room() < scratch_needed) return handled;
            receive(frames[handled], tx);
        }
    }
    return frames.size();
}

/// Inlined by force, like is_peculiar(): as calls they cost 3 ns of the step (bench/README.md).
[[gnu::always_inline]] inline ReceiveError Engine::check_for_router(const packet::ReceivedFrame& frame, RouterIndex index, Instant at) {
    const VirtualRouter& router = table_[index];
    const packet::AdvertisementView& advertisement = frame.advertisement;
    if (router.state == State::initialize) return ReceiveError::router_not_running;
    if ((advertisement.version() == VrrpVersion::v2) != has(router, Flag::version2)) return ReceiveError::version_mismatch;
    if (frame.destination.is_multicast() == has(router, Flag::unicast)) return ReceiveError::wrong_destination;
    if (is_same(frame.source.octets, router.primary_address)) return ReceiveError::own_source;
    if (is_owner(router) && has(router, Flag::owner_ignores_adverts)) return ReceiveError::owner_ignores;
    if (has(router, Flag::unicast)) {
        if (const ReceiveError error = check_unicast(frame, index); error != accepted) return error;
    }
    if (has(router, Flag::hmac)) {
        if (const ReceiveError error = check_hmac(frame, index, at); error != accepted) return error;
    }
    if (has(router, Flag::version2)) {
        if (const ReceiveError error = check_authentication(frame, index); error != accepted) return error;
        if (advertisement.max_advertise_interval() != router.advertisement_interval) {  // RFC 3768 §7.1
            ++cold_[to_number(index)].counters.interval_mismatch;
            return ReceiveError::interval_mismatch;
        }
        // Last, because it remembers the number: a frame that is refused for another reason must not move the window.
        if (const ReceiveError error = check_sequence_number(frame, cold_[to_number(index)]); error != accepted) return error;
    }
    if (has(router, Flag::strict) && has(router, Flag::ipv6) && !advertisement.is_first_address_link_local()) {
        return ReceiveError::not_link_local;  // erratum 8300
    }
    return accepted;
}

/// Is there anything for note_peculiarities()? Nearly never.
[[gnu::always_inline]] inline bool Engine::is_peculiar(const packet::ReceivedFrame& frame, RouterIndex index) const {
    const Hearing& hearing = hearing_[to_number(index)];
    return frame.advertisement.max_advertise_interval() != hearing.reported_interval || !is_same(hearing.last_sender, frame.source.octets) ||
           is_owner(table_[index]);
}

void Engine::receive(const RxFrame& frame, TxBatch& tx) {
    ++counters_.frames;
    if (frame.is_truncated) return reject(ReceiveError::frame_truncated, RouterIndex::none, nullptr, frame.arrival);
    const auto received = packet::read_frame(frame.bytes);
    if (!received) {
        count_misread(received.error(), frame);
        return reject(received.error(), RouterIndex::none, nullptr, frame.arrival);
    }
    const RouterIndex index = table_.find(frame.link, received->source.family, received->advertisement.vrid());
    if (index == RouterIndex::none) {
        if (reports_unknown_vrids_) report_unknown(frame, *received);
        return reject(ReceiveError::unknown_vrid, index, &*received, frame.arrival);
    }
    const ReceiveError error = check_for_router(*received, index, frame.arrival);
    if (error != accepted) return reject(error, index, &*received, frame.arrival);

    const Advertisement advertisement{received->source.octets, received->advertisement.max_advertise_interval(),
                                      received->advertisement.priority()};
    Hearing& hearing = hearing_[to_number(index)];
    ++hearing.adverts_received;
    hearing.heard_priority = to_number(advertisement.priority);
    if (advertisement.priority == Priority::stop) ++cold_[to_number(index)].counters.stop_received;
    ++counters_.checksum_forms[static_cast<std::size_t>(received->advertisement.checksum_form())];
    if (is_peculiar(*received, index)) note_peculiarities(*received, index, frame.arrival);
    if (has(table_[index], Flag::joins_group)) return hear_while_joining(index, advertisement, frame.arrival, tx);
    const Step step = state_machine::on_advertisement(table_[index], advertisement, frame.arrival);
    // The common case, a Backup that hears its Active: one store, without apply() and what it could do besides.
    if (step.actions == Action::none && !step.changed_state() && step.from == State::backup) return set_timer(index, step);
    apply(index, step, frame.arrival, &advertisement, tx);
}

ReceiveError Engine::check_authentication(const packet::ReceivedFrame& frame, RouterIndex index) {
    const packet::AuthType own_type = hearing_[to_number(index)].auth_type;
    const std::uint8_t type = frame.advertisement.auth_type_octet();
    if (type > static_cast<std::uint8_t>(packet::AuthType::ah)) {
        ++cold_[to_number(index)].counters.auth_type_unknown;
        return ReceiveError::unknown_auth_type;
    }
    if (type != static_cast<std::uint8_t>(own_type) || frame.ah.has_value() != (own_type == packet::AuthType::ah)) {
        ++cold_[to_number(index)].counters.auth_type_mismatch;
        return ReceiveError::auth_type_mismatch;
    }
    if (own_type == packet::AuthType::none) return accepted;
    ColdRouter& cold = cold_[to_number(index)];
    const packet::AuthKey& key = authentications_[cold.authentication].key;
    const bool is_authentic = own_type == packet::AuthType::simple_password
                                  ? packet::is_password_equal(frame.advertisement.auth_data(), key)
                                  : packet::is_ah_digest_valid(frame, key);
    if (is_authentic) return accepted;
    ++cold.counters.auth_failed;
    return ReceiveError::auth_failed;
}

ReceiveError Engine::check_sequence_number(const packet::ReceivedFrame& frame, ColdRouter& cold) {
    if (!frame.ah) return accepted;
    Authentication& authentication = authentications_[cold.authentication];
    if (!authentication.window_of(frame.source.octets).accept(frame.ah->sequence_number)) {
        ++cold.counters.auth_failed;
        return ReceiveError::auth_replayed;
    }
    // All routers of the group count on from the highest number they have seen, as keepalived does; else the window of a peer would
    // refuse whoever was restarted or was Backup for long.
    authentication.sequence_number = std::max(authentication.sequence_number, frame.ah->sequence_number);
    return accepted;
}

/// Moves the sender to the front; a new one takes the place of the one not heard for longest.
packet::AhReplayWindow& Engine::Authentication::window_of(const AddressOctets& sender) {
    auto place = std::find_if(senders.begin(), senders.end(), [&](const Sender& s) { return s.address == sender; });
    if (place == senders.end()) *--place = {sender, {}};
    std::rotate(senders.begin(), place, place + 1);
    return senders.front().window;
}

ReceiveError Engine::check_unicast(const packet::ReceivedFrame& frame, RouterIndex index) {
    ColdRouter& cold = cold_[to_number(index)];
    const std::span peers = std::span(peers_).subspan(cold.first_peer, cold.peer_count);
    const auto peer = std::find_if(peers.begin(), peers.end(), [&](const UnicastPeer& p) { return p.address == frame.source; });
    if (peer == peers.end()) {
        return has(table_[index], Flag::check_unicast_source) ? ReceiveError::not_a_peer : accepted;
    }
    if (frame.ttl >= peer->min_ttl && frame.ttl <= peer->max_ttl) return accepted;
    ++cold.counters.ttl_errors;
    return ReceiveError::bad_unicast_ttl;
}

/// What RFC 9568 §7.1 asks to tell but not to act on: another interval, another address list, adverts heard by an owner.
void Engine::note_peculiarities(const packet::ReceivedFrame& frame, RouterIndex index, Instant at) {
    const VirtualRouter& router = table_[index];
    Hearing& hearing = hearing_[to_number(index)];
    const packet::AdvertisementView& advertisement = frame.advertisement;
    const Centiseconds interval = advertisement.max_advertise_interval();
    ColdRouter& cold = cold_[to_number(index)];
    Event event{.kind = Event::Kind::interval_learned, .from = router.state, .to = router.state, .value = to_number(advertisement.priority()),
                .router = index, .at = at, .peer = frame.source.octets};
    if (interval != hearing.reported_interval && may_report(cold, event.kind, at)) {
        hearing.reported_interval = interval;
        event.detail = interval.count();
        emit(event);
    }
    if (is_owner(router) && may_report(cold, Event::Kind::owner_conflict, at)) {  // erratum 8298
        event.kind = Event::Kind::owner_conflict;
        emit(event);
    }
    // Comparing is quadratic in the addresses, so it is limited like the report: senders that alternate must not keep this thread busy.
    if (hearing.last_sender == frame.source.octets || !may_report(cold, Event::Kind::address_list_differs, at)) return;
    hearing.last_sender = frame.source.octets;
    bool is_equal = advertisement.address_count() == cold.advertised_count;
    for (std::size_t i = 0; is_equal && i < cold.advertised_count; ++i) {
        const IpAddress heard = advertisement.address(i);
        bool is_own = false;
        for (std::size_t k = 0; !is_own && k < cold.advertised_count; ++k) is_own = advertised(cold, k) == heard;
        is_equal = is_own;
    }
    if (is_equal) return;
    ++cold.counters.address_list_differs;
    event.kind = Event::Kind::address_list_differs;
    event.detail = advertisement.address_count();
    emit(event);
}

/// Of a frame that could not be read nothing is certain, but an operator is helped by the router that it seems to be for.
void Engine::count_misread(ReceiveError error, const RxFrame& frame) {
    const RouterIndex index = guess_router(frame);
    if (index == RouterIndex::none) return;
    RouterCounters& counters = cold_[to_number(index)].counters;
    if (error == ReceiveError::truncated) ++counters.length_errors;
    if (error == ReceiveError::bad_ttl) ++counters.ttl_errors;
    if (error == ReceiveError::bad_type) ++counters.type_errors;
}

/// A neighbour's hundreds must not crowd out the events of our own routers.
void Engine::report_unknown(const RxFrame& frame, const packet::ReceivedFrame& received) {
    constexpr std::uint8_t most_in_a_second = 10;
    const bool is_ipv6 = received.source.family == Family::ipv6;
    const std::uint32_t which = static_cast<std::uint32_t>(frame.link) | static_cast<std::uint32_t>(to_number(received.advertisement.vrid())) << 16 |
                                (is_ipv6 ? 1u << 24 : 0u);
    if (unknown_since_ == Instant{} || frame.arrival - unknown_since_ >= std::chrono::seconds{1}) {
        unknown_since_ = frame.arrival;
        unknown_left_ = most_in_a_second;
        last_unknown_ = ~0u;
    }
    if (which == last_unknown_ || unknown_left_ == 0) return;
    --unknown_left_;
    last_unknown_ = which;
    emit({.kind = Event::Kind::rejected, .error = ReceiveError::unknown_vrid, .value = to_number(received.advertisement.priority()), .detail = which,
          .at = frame.arrival, .peer = received.source.octets});
}

void Engine::reject(ReceiveError error, RouterIndex index, const packet::ReceivedFrame* frame, Instant at) {
    ++counters_.errors[static_cast<std::size_t>(error)];
    if (index == RouterIndex::none || error == ReceiveError::router_not_running) return;
    const Event::Kind kind = error == ReceiveError::own_source ? Event::Kind::own_address_seen : Event::Kind::rejected;
    if (!may_report(cold_[to_number(index)], kind, at)) return;
    const State state = table_[index].state;
    emit({.kind = kind, .from = state, .to = state,
          .error = error, .value = to_number(frame->advertisement.priority()), .router = index,
          .detail = rejection_detail(error, *frame, at), .at = at, .peer = frame->source.octets});
}

}  // namespace vigil::engine
