#include "engine/core/transcript.h"

#include <fmt/core.h>

#include <algorithm>

#include "arp/arp_message.h"
#include "packet/frame.h"

namespace vigil::engine {
namespace {

std::string describe_frame(const TxFrame& frame) {
    if (frame.path == TxPath::route) {
        return fmt::format("sends a unicast advert of {} octets", frame.size);
    }
    if (const auto advert = packet::read_frame(frame.bytes())) {
        const auto& view = advert->advertisement;
        return fmt::format("sends v{} advert vrid {} priority {} interval {} cs to {}{}", to_number(view.version()), to_number(view.vrid()),
                           to_number(view.priority()), view.max_advertise_interval().count(), to_string(advert->destination),
                           advert->ah ? " with AH" : "");
    }
    return frame.bytes().size() >= 14 && frame.bytes()[12] == 0x08 && frame.bytes()[13] == 0x06 ? "announces by gratuitous ARP"
                                                                                               : "announces by unsolicited NA";
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
    end_fold();
    line(at, text);
}

void Transcript::event(const Event& event, Family family) {
    end_fold();
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

void Transcript::sent(Instant at, const TxFrame& frame) {
    std::string what = describe_frame(frame);
    const auto fold = std::find_if(folds_.begin(), folds_.end(), [&](const Fold& f) { return f.router == frame.router && f.what == what; });
    if (fold != folds_.end()) {
        ++fold->more;
        fold->last = at;
        return;
    }
    line(at, fmt::format("{} {}", name(frame.router), what));
    folds_.push_back({std::move(what), frame.router, 0, at});
}

std::string Transcript::finish() {
    end_fold();
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

void Transcript::end_fold() {
    for (const Fold& fold : folds_) {
        if (fold.more != 0) line(fold.last, fmt::format("{} {} ({} more until here)", name(fold.router), fold.what, fold.more));
    }
    folds_.clear();
}

}  // namespace vigil::engine
