#include "engine/core/transcript.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>


namespace vigil::engine {
namespace {

std::string describe_advert(const packet::ReceivedFrame& frame) {
    const packet::AdvertisementView& view = frame.advertisement;
    return fmt::format("v{} advert vrid {} priority {} interval {} cs{}", to_number(view.version()), to_number(view.vrid()),
                       to_number(view.priority()), view.max_advertise_interval().count(), frame.ah ? " with AH" : "");
}

/// A unicast advert is an IP packet without Ethernet header.
std::string describe_routed(const TxFrame& frame) {
    std::array<std::uint8_t, 14> ethernet{};
    const bool is_ipv6 = frame.bytes()[0] >> 4 == 6;
    ethernet[12] = is_ipv6 ? 0x86 : 0x08;
    ethernet[13] = is_ipv6 ? 0xdd : 0x00;
    std::vector<std::uint8_t> bytes(ethernet.begin(), ethernet.end());
    bytes.insert(bytes.end(), frame.bytes().begin(), frame.bytes().end());
    const auto advert = packet::read_frame(bytes);
    return advert ? fmt::format("sends {} to {}", describe_advert(*advert), to_string(advert->destination)) : "sends an unreadable frame";
}

std::string describe_frame(const TxFrame& frame) {
    if (frame.path == TxPath::route) return describe_routed(frame);
    if (const auto advert = packet::read_frame(frame.bytes())) {
        return fmt::format("sends {} to {}", describe_advert(*advert), to_string(advert->destination));
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

std::string_view describe(Reason reason) {
    switch (reason) {
    case Reason::none: return "no reason";
    case Reason::startup: return "Startup event (RFC 9568 §6.4.1)";
    case Reason::shutdown: return "Shutdown event (RFC 9568 §6.4.2, §6.4.3)";
    case Reason::fault: return "fault: interface, address or tracker";
    case Reason::active_down_timer: return "Active_Down_Timer fired (RFC 9568 §6.4.2)";
    case Reason::adver_timer: return "Adver_Timer fired (RFC 9568 §6.4.3)";
    case Reason::active_stopped: return "priority 0 heard (RFC 9568 §6.4.2-8)";
    case Reason::active_heard: return "acceptable advert (RFC 9568 §6.4.2-9)";
    case Reason::lower_heard: return "losing advert (RFC 9568 §6.4.2-10, §6.4.3)";
    case Reason::higher_priority: return "greater priority heard (RFC 9568 §6.4.3)";
    case Reason::tie_lost: return "equal priority, greater address heard (RFC 9568 §6.4.3)";
    case Reason::priority_changed: return "own priority changed";
    }
    return "?";
}

void Transcript::note(Instant at, std::string_view text) {
    end_folds();
    line(at, text);
}

void Transcript::repeated(Instant at, std::string what) {
    const auto fold = std::find_if(folds_.begin(), folds_.end(), [&](const Fold& f) { return f.what == what; });
    if (fold != folds_.end()) {
        ++fold->more;
        fold->last = at;
        return;
    }
    line(at, what);
    folds_.push_back({std::move(what), 0, at});
}

void Transcript::event(const Event& event, Family family) {
    end_folds();
    const std::string peer = event.peer == AddressOctets{} ? "" : " from " + to_string(IpAddress{event.peer, family});
    std::string text;
    switch (event.kind) {
    case Event::Kind::transition:
        text = fmt::format("{} -> {}: {}{}", to_string(event.from), to_string(event.to), describe(event.reason), peer);
        if (!peer.empty()) text += fmt::format(" with priority {}", event.value);
        break;
    case Event::Kind::state_report: text = fmt::format("is {} with priority {}", to_string(event.to), event.value); break;
    case Event::Kind::lower_heard: text = fmt::format("hears a losing advert of priority {}{}", event.value, peer); break;
    case Event::Kind::own_address_seen: text = fmt::format("hears its own address{}", peer); break;
    case Event::Kind::owner_conflict: text = fmt::format("owns the address but hears an advert{} (erratum 8298)", peer); break;
    case Event::Kind::interval_learned: text = fmt::format("hears interval {} cs{} (RFC 9568 §7.1)", event.detail, peer); break;
    case Event::Kind::address_list_differs: text = fmt::format("hears another address list, {} long,{} (RFC 9568 §7.1)", event.detail, peer); break;
    case Event::Kind::rejected: text = fmt::format("rejects a frame{}: {}", peer, packet::to_string(event.error)); break;
    case Event::Kind::transmit_failed: text = fmt::format("could not send: error {}", event.detail); break;
    case Event::Kind::flapping: text = "is deposed again and again (RFC 9568 §2.5)"; break;
    }
    line(event.at, fmt::format("{} {}", name(event.router), text));
}

void Transcript::heard(Instant at, const packet::ReceivedFrame& frame) {
    repeated(at, fmt::format("{} sends {}", to_string(frame.source), describe_advert(frame)));
}

void Transcript::sent(Instant at, const TxFrame& frame) { repeated(at, fmt::format("{} {}", name(frame.router), describe_frame(frame))); }

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

void Transcript::line(Instant at, std::string_view text) { text_ += fmt::format("{:>12} {}\n", time(at), text); }

void Transcript::end_folds() {
    std::ranges::stable_sort(folds_, {}, &Fold::last);
    for (const Fold& fold : folds_) {
        if (fold.more != 0) line(fold.last, fmt::format("{} ({} more until here)", fold.what, fold.more));
    }
    folds_.clear();
}

}  // namespace vigil::engine
