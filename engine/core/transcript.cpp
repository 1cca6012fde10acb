#include "engine/core/transcript.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "packet/hmac_trailer.h"

namespace vigil::engine {
namespace {

/// A unicast advert is an IP packet without Ethernet header.
std::string describe_routed(const TxFrame& frame) {
    std::array<std::uint8_t, 14> ethernet{};
    const bool is_ipv6 = frame.bytes()[0] >> 4 == 6;
    ethernet[12] = is_ipv6 ? 0x86 : 0x08;
    ethernet[13] = is_ipv6 ? 0xdd : 0x00;
    std::vector<std::uint8_t> bytes(ethernet.begin(), ethernet.end());
    bytes.insert(bytes.end(), frame.bytes().begin(), frame.bytes().end());
    const auto advert = packet::read_frame(bytes);
    return advert ? fmt::format("sends {} to {}", describe(*advert), to_string(advert->destination)) : "sends an unreadable frame";
}

std::string describe_frame(const TxFrame& frame) {
    if (frame.path == TxPath::route) return describe_routed(frame);
    if (const auto advert = packet::read_frame(frame.bytes())) {
        return fmt::format("sends {} to {}", describe(*advert), to_string(advert->destination));
    }
    const bool is_arp = frame.size >= 14 && frame.bytes()[12] == 0x08 && frame.bytes()[13] == 0x06;
    return is_arp ? "announces by gratuitous ARP" : "announces by unsolicited NA";
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
    case State::initialize: return "Initialize";
    case State::backup: return "Backup";
    case State::active: return "Active";
    }
    return "?";
}

std::string describe(Reason reason, VrrpVersion version) {
    const std::string_view rfc = version == VrrpVersion::v2 ? "RFC 3768" : "RFC 9568";
    switch (reason) {
    case Reason::none: return "no reason";
    case Reason::startup: return fmt::format("Startup event ({} §6.4.1)", rfc);
    case Reason::shutdown: return fmt::format("Shutdown event ({} §6.4.2, §6.4.3)", rfc);
    case Reason::fault: return "fault: interface, address or tracker";
    case Reason::active_down_timer: return fmt::format("Active_Down_Timer fired ({} §6.4.2)", rfc);
    case Reason::sync_group: return "its sync group does";
    case Reason::held_by_group: return "Active_Down_Timer fired, but its sync group could not stay Active";
    case Reason::adver_timer: return fmt::format("Adver_Timer fired ({} §6.4.3)", rfc);
    case Reason::active_stopped: return fmt::format("priority 0 heard ({} §6.4.2, §6.4.3)", rfc);
    case Reason::active_heard: return fmt::format("acceptable advert ({} §6.4.2)", rfc);
    case Reason::lower_heard: return fmt::format("losing advert ({} §6.4.2, §6.4.3)", rfc);
    case Reason::higher_priority: return fmt::format("greater priority heard ({} §6.4.3)", rfc);
    case Reason::tie_lost: return fmt::format("equal priority, greater address heard ({} §6.4.3)", rfc);
    case Reason::priority_changed: return "own priority changed";
    case Reason::listening: return "silence proved nothing, so it listens first";
    case Reason::replaced: return "another became Active while this one did not run";
    case Reason::stalled: return "it did not run for so long that another must be Active";
    }
    return "?";
}

std::string_view describe(packet::ReceiveError error) {
    using packet::ReceiveError;
    switch (error) {
    case ReceiveError::frame_truncated: return "the frame is shorter than its headers say, or the capture cut it off";
    case ReceiveError::not_ip: return "neither IPv4 nor IPv6";
    case ReceiveError::bad_ip_header: return "impossible IP version or header length";
    case ReceiveError::bad_ip_checksum: return "wrong IPv4 header checksum";
    case ReceiveError::ip_fragment: return "an IP fragment";
    case ReceiveError::not_vrrp: return "another protocol, or an IPv6 extension header in front";
    case ReceiveError::foreign_hsrp: return "HSRP, another redundancy protocol";
    case ReceiveError::foreign_carp: return "CARP, another redundancy protocol with VRRP's number";
    case ReceiveError::bad_ttl: return "TTL or Hop Limit is not 255 (RFC 9568 §7.1)";
    case ReceiveError::bad_ah: return "malformed AH header, or AH without VRRP in it (RFC 2402 §2)";
    case ReceiveError::truncated: return "the message is shorter than its fixed part, addresses and authentication data (RFC 9568 §7.1)";
    case ReceiveError::bad_version: return "version is neither 2 nor 3, or is 2 over IPv6 (RFC 9568 §7.1)";
    case ReceiveError::bad_type: return "type is not 1, ADVERTISEMENT (RFC 9568 §5.2.2)";
    case ReceiveError::zero_vrid: return "VRID is 0 (RFC 9568 §5.2.3)";
    case ReceiveError::no_addresses: return "address count is 0 (RFC 9568 §5.2.5)";
    case ReceiveError::zero_interval: return "interval is 0 (RFC 9568 §7.1, erratum 8301)";
    case ReceiveError::bad_checksum: return "wrong checksum (RFC 9568 §5.2.8)";
    case ReceiveError::not_link_local: return "first address is not link-local (RFC 9568 §5.2.9, erratum 8300)";
    case ReceiveError::unknown_vrid: return "no router of this VRID and family on this link (RFC 9568 §7.1)";
    case ReceiveError::own_source: return "sent from our own address";
    case ReceiveError::version_mismatch: return "our router speaks the other version (RFC 9568 §7.1)";
    case ReceiveError::wrong_destination: return "multicast for a unicast router, or the other way round";
    case ReceiveError::not_a_peer: return "the sender is not in unicast_peer";
    case ReceiveError::bad_unicast_ttl: return "TTL outside min_ttl and max_ttl of the peer";
    case ReceiveError::unknown_auth_type: return "unknown authentication type (RFC 3768 §5.3.6)";
    case ReceiveError::auth_type_mismatch: return "another authentication type than ours (RFC 3768 §7.1)";
    case ReceiveError::auth_failed: return "wrong password or digest (RFC 3768 §7.1)";
    case ReceiveError::auth_replayed: return "AH sequence number already seen (RFC 2402 §3.4.3)";
    case ReceiveError::hmac_missing: return "no trailer of auth_hmac";
    case ReceiveError::hmac_malformed: return "what stands behind the message is no trailer of auth_hmac";
    case ReceiveError::hmac_unknown_key: return "signed with a key id that auth_hmac does not have";
    case ReceiveError::hmac_invalid: return "the signature is wrong: another key, or the advert was changed";
    case ReceiveError::hmac_stale: return "signed at a time outside of time_window";
    case ReceiveError::hmac_replayed: return "its sequence number was heard already, or a later one";
    case ReceiveError::interval_mismatch: return "another interval than ours (RFC 3768 §7.1)";
    case ReceiveError::owner_ignores: return "we own the address, and owner_ignore_adverts is set";
    case ReceiveError::router_not_running: return "our router is in Initialize";
    case ReceiveError::count_: break;
    }
    return "?";
}

std::string describe(const packet::ReceivedFrame& frame) {
    const packet::AdvertisementView& view = frame.advertisement;
    std::string text = fmt::format("v{} advert vrid {} priority {} interval {} cs", to_number(view.version()), to_number(view.vrid()),
                                   to_number(view.priority()), view.max_advertise_interval().count());
    if (frame.ah) {
        text += " with AH";
    } else if (view.version() == VrrpVersion::v2 && view.auth_type_octet() != 0) {
        text += view.auth_type_octet() == 1 ? " with password" : fmt::format(" of authentication type {}", view.auth_type_octet());
    }
    if (const packet::Bytes behind = view.behind(); behind.size() == packet::HmacTrailer::size && packet::read_hmac_trailer(behind).is_well_formed()) {
        text += fmt::format(" signed with key {}", packet::read_hmac_trailer(behind).key_id);
    }
    // Both forms are in use over IPv4, and routers that accept only the other one do not hear such an advert.
    if (view.version() == VrrpVersion::v3 && view.checksum_form() == packet::ChecksumForm::message_only) {
        text += " (checksum of the message alone)";
    } else if (view.checksum_form() == packet::ChecksumForm::group_pseudo_header) {
        text += " (checksum as if sent to the group)";
    }
    return text;
}

void Transcript::note(Instant at, std::string_view text) {
    end_folds();
    line(at, std::string(text));
}

void Transcript::repeated(Instant at, std::string what) {
    const auto fold = std::find_if(folds_.begin(), folds_.end(), [&](const Fold& f) { return f.what == what; });
    if (fold != folds_.end()) {
        ++fold->more;
        fold->longest_silence = std::max(fold->longest_silence, at - fold->last);
        fold->last = at;
        return;
    }
    line(at, what);
    folds_.push_back({std::move(what), 0, at, Nanoseconds{0}});
}

void Transcript::event(const Event& event, const VirtualRouter& router, std::string_view more) {
    end_folds();
    const VrrpVersion version = has(router, Flag::version2) ? VrrpVersion::v2 : VrrpVersion::v3;
    const std::string_view rfc = version == VrrpVersion::v2 ? "RFC 3768" : "RFC 9568";
    const std::string peer = event.peer == AddressOctets{} ? "" : " from " + to_string(IpAddress{event.peer, family_of(router)});
    std::string text;
    switch (event.kind) {
    case Event::Kind::transition:
        text = fmt::format("{} -> {}: {}{}", to_string(event.from), to_string(event.to), describe(event.reason, version), peer);
        if (!peer.empty()) text += fmt::format(" with priority {}", event.value);
        break;
    case Event::Kind::state_report: text = fmt::format("is {} with priority {}", to_string(event.to), event.value); break;
    case Event::Kind::lower_heard: text = fmt::format("hears a losing advert of priority {}{}", event.value, peer); break;
    case Event::Kind::own_address_seen: text = fmt::format("hears its own address{}", peer); break;
    case Event::Kind::owner_conflict: text = fmt::format("owns the address but hears an advert{} (erratum 8298)", peer); break;
    case Event::Kind::interval_learned: text = fmt::format("hears interval {} cs{} (RFC 9568 §7.1)", event.detail, peer); break;
    case Event::Kind::address_list_differs: text = fmt::format("hears another address list, {} long,{} ({} §7.1)", event.detail, peer, rfc); break;
    case Event::Kind::rejected: text = fmt::format("rejects a frame{}: {}", peer, describe(event.error)); break;
    case Event::Kind::clock_skewed:
        text = fmt::format("hears an advert{} signed {} s away from its own time", peer, static_cast<std::int32_t>(event.detail));
        break;
    case Event::Kind::transmit_failed: text = fmt::format("could not send: error {}", event.detail); break;
    case Event::Kind::held_by_group:
        text = fmt::format("hears nothing, but {} of its sync group hears an Active that would depose it", name(RouterIndex{event.detail}));
        break;
    case Event::Kind::interval_missed: text = fmt::format("could not hold its interval: an advert left {} ms late", event.detail); break;
    case Event::Kind::flapping: text = "is deposed again and again (RFC 9568 §2.5)"; break;
    case Event::Kind::paused: text = fmt::format("did not run for {} ms", event.detail); break;
    }
    line(event.at, fmt::format("{} {}{}", name(event.router), text, more));
}

void Transcript::heard(Instant at, const packet::ReceivedFrame& frame, std::string_view outcome) {
    const std::string to = frame.destination.is_multicast() ? "" : " to " + to_string(frame.destination);
    repeated(at, fmt::format("{} sends {}{}{}", to_string(frame.source), describe(frame), to, outcome));
}

std::string Transcript::describe_sent(const TxFrame& frame) const { return fmt::format("{} {}", name(frame.router), describe_frame(frame)); }

std::string Transcript::finish() {
    end_folds();
    return std::move(text_);
}

std::string Transcript::time(Instant at) const {
    const std::int64_t microseconds = (at - start_).count() / 1000;
    return fmt::format("{}.{:06}", microseconds / 1'000'000, microseconds % 1'000'000);
}

std::string_view Transcript::name(RouterIndex index) const {
    return to_number(index) < names_.size() ? std::string_view(names_[to_number(index)]) : "?";
}

void Transcript::end_folds() {
    for (const Fold& fold : folds_) {
        if (fold.more == 0) continue;
        const std::int64_t apart = fold.longest_silence.count() / 1'000'000;
        line(fold.last, fmt::format("{} ({} more until here, at most {}.{:03} s apart)", fold.what, fold.more, apart / 1000, apart % 1000));
    }
    folds_.clear();
    std::ranges::stable_sort(lines_, {}, &Line::at);
    for (const Line& line : lines_) text_ += fmt::format("{:>12} {}\n", time(line.at), line.text);
    lines_.clear();
}

}  // namespace vigil::engine
