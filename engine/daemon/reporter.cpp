// Events of the engine as log lines.
//
// The short lines ("(VI_1) Entering MASTER STATE") are what log watchers, runbooks and search engines know. Lines about frames carry a cause, and a
// cause that repeats is cut off by the rate limiter with a count: a neighbour with a wrong password sends one bad advert a second for ever.

#include "engine/daemon/reporter.h"

#include <cstdlib>
#include <cstring>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

using engine::Event;
using engine::Reason;
using engine::State;

std::string peer_of(const Event& event, const PlannedRouter& router) { return to_string(IpAddress{event.peer, router.settings->family}); }

void describe_transition(const Event& event, const PlannedRouter& router, const RouterStatus& before, std::string_view tracker_fault,
                         std::vector<LogLine>& lines) {
    const std::string_view name = router.name;
    const auto say = [&](std::string text) { lines.push_back({LogLine::Level::info, "", std::move(text)}); };
    const OperatorState now = operator_state(event.to, event.faults);
    if (event.to == State::active) {
        if (event.reason == Reason::active_down_timer) say(fmt::format("({}) Receive advertisement timeout", name));
        say(fmt::format("({}) Entering MASTER STATE", name));
        return;
    }
    if (event.reason == Reason::higher_priority) {
        say(fmt::format("({}) Master received advert from {} with higher priority {}, ours {}", name, peer_of(event, router), event.value,
                        before.effective_priority));
    } else if (event.reason == Reason::tie_lost) {
        say(fmt::format("({}) Master received advert from {} with same priority {} but higher IP address than ours", name,
                        peer_of(event, router), event.value));
    }
    if (event.reason == Reason::replaced) {
        say(fmt::format("({}) Master found {} to be master since it did not run; nopreempt leaves it that", name, peer_of(event, router)));
    }
    if (event.reason == Reason::stalled) say(fmt::format("({}) did not run for so long that another must be master: timer_expired_backup", name));
    if (event.to == State::backup) {
        say(fmt::format("({}) Entering BACKUP STATE{}", name, before.state == OperatorState::init ? " (init)" : ""));
        return;
    }
    if (now == OperatorState::fault) {
        say(fmt::format("({}) Entering FAULT STATE", name));
        say(fmt::format("({}) held in FAULT: {}", name, describe_faults(event.faults, router, tracker_fault)));
    }
    if (event.from != State::active) return;
    const bool has_no_link = (event.faults & (static_cast<unsigned>(engine::Fault::link_down) | static_cast<unsigned>(engine::Fault::link_gone))) != 0;
    if (!has_no_link) say(fmt::format("({}) sent 0 priority", name));
    else say(fmt::format("({}) could not say that it stops: the others wait until they miss its adverts", name));
}

std::string rejection_text(const Event& event, const PlannedRouter& router) {
    const std::string peer = peer_of(event, router);
    using packet::ReceiveError;
    switch (event.error) {
    case ReceiveError::auth_failed:
        return fmt::format("received an advert from {} with wrong authentication; is auth_pass the same there?", peer);
    case ReceiveError::auth_type_mismatch:
        return fmt::format("received an advert from {} with another auth_type than ours", peer);
    case ReceiveError::hmac_missing:
        return fmt::format("received an advert from {} without the trailer of auth_hmac; does it have auth_hmac? 'mode permissive' accepts such adverts until "
                           "all routers have it", peer);
    case ReceiveError::hmac_malformed: return fmt::format("received an advert from {} with octets behind it that are no trailer of auth_hmac", peer);
    case ReceiveError::hmac_unknown_key:
        return fmt::format("received an advert from {} signed with key {}, which auth_hmac does not have here", peer, event.detail);
    case ReceiveError::hmac_invalid:
        return fmt::format("received an advert from {} with a wrong signature: its key is not the one that we have under the same id, or the advert is forged",
                           peer);
    case ReceiveError::hmac_stale:
        return fmt::format("received an advert from {} signed {} s {} our time, more than the time_window of {} s: set the clocks, or somebody sends it again",
                           peer, std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(event.detail))),
                           static_cast<std::int32_t>(event.detail) > 0 ? "before" : "after", router.settings->auth_hmac.time_window);
    case ReceiveError::hmac_replayed: return fmt::format("received an advert from {} that was heard before, or an older one: somebody sends it again", peer);
    case ReceiveError::interval_mismatch:
        return fmt::format("received an advert from {} with another advert_int than ours ({} s); VRRPv2 routers must agree on it", peer,
                           router.settings->advert_int.count() / 100.0);
    case ReceiveError::version_mismatch:
        return fmt::format("received an advert from {} in another VRRP version than ours; set 'version' to the same", peer);
    case ReceiveError::bad_ttl:
        return fmt::format("received an advert from {} with a TTL other than 255: it came over a router, or is forged", peer);
    case ReceiveError::wrong_destination:
        return fmt::format("received an advert from {} to {} address; unicast_peer must be set on both or on neither", peer,
                           router.settings->unicast ? "the multicast" : "our unicast");
    case ReceiveError::not_a_peer: return fmt::format("received an advert from {}, which is no unicast_peer", peer);
    case ReceiveError::bad_checksum: return fmt::format("received an advert from {} with a wrong checksum", peer);
    default: return fmt::format("refused an advert from {}: {}", peer, packet::to_string(event.error));
    }
}

}  // namespace

std::vector<LogLine> describe_event(const Event& event, const PlannedRouter& router, const RouterStatus& before, std::string_view tracker_fault) {
    std::vector<LogLine> lines;
    const std::string_view name = router.name;
    const auto add = [&](LogLine::Level level, std::string_view cause, std::string text) {
        lines.push_back({level, fmt::format("({}) {}", name, cause), fmt::format("({}) {}", name, text)});
    };
    switch (event.kind) {
    case Event::Kind::transition: describe_transition(event, router, before, tracker_fault, lines); break;
    case Event::Kind::state_report: break;
    case Event::Kind::lower_heard:
        add(LogLine::Level::info, "lower priority adverts",
            fmt::format("received lower priority ({}) advert from {} - discarding", event.value, peer_of(event, router)));
        break;
    case Event::Kind::own_address_seen:
        add(LogLine::Level::warning, "adverts with our own address",
            fmt::format("received an advert with our own source address {}: the address is used twice, or the network loops", peer_of(event, router)));
        break;
    case Event::Kind::owner_conflict:
        add(LogLine::Level::error, "adverts of a second owner",
            fmt::format("owns the addresses (priority 255), but {} sends adverts for them with priority {}; only one router may have 255",
                        peer_of(event, router), event.value));
        break;
    case Event::Kind::interval_learned:
        add(LogLine::Level::info, "advert interval changes",
            fmt::format("the Active {} advertises every {} ms, we are set to {} ms; following it", peer_of(event, router), event.detail * 10,
                        router.settings->advert_int.count() * 10));
        break;
    case Event::Kind::address_list_differs:
        add(LogLine::Level::warning, "differing address lists",
            fmt::format("the address list of {} is not ours; virtual_ipaddress should be equal on all routers", peer_of(event, router)));
        break;
    case Event::Kind::rejected: add(LogLine::Level::warning, fmt::format("adverts refused ({})", packet::to_string(event.error)), rejection_text(event, router)); break;
    case Event::Kind::clock_skewed:
        add(LogLine::Level::warning, "adverts signed by another clock",
            fmt::format("the clock of {} is {} s {} ours; at {} s apart its adverts are refused: let NTP set them", peer_of(event, router),
                        std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(event.detail))), static_cast<std::int32_t>(event.detail) > 0 ? "behind" : "ahead of",
                        router.settings->auth_hmac.time_window + 1));
        break;
    case Event::Kind::transmit_failed:
        add(LogLine::Level::error, "failed sends",
            fmt::format("cannot send on {}: {}", router.interface(), std::strerror(static_cast<int>(event.detail))));
        break;
    case Event::Kind::held_by_group: break;   // names two routers: SyncGroups::describe()
    case Event::Kind::paused: break;   // of the process, not of a router: describe_pause()
    case Event::Kind::interval_missed:   // one cause for all routers: it is the machine that is too slow
        lines.push_back({LogLine::Level::warning, "advert intervals that were not held",
                         fmt::format("({}) an advert left {} ms late, an advert_int of {} ms or more: this machine cannot hold the intervals that are configured",
                                     name, event.detail, router.settings->advert_int.count() * 10)});
        break;
    case Event::Kind::flapping:
        add(LogLine::Level::warning, "flapping",
            fmt::format("gains and loses the addresses over and over: does every router hear the others? Are priorities equal by mistake?"));
        break;
    }
    return lines;
}

LogLine describe_pause(const Event& event) {
    return {LogLine::Level::warning, "pauses of this process",
            fmt::format("This process did not run for {:.1f} s: it was stopped, suspended with its machine or kept from the CPU. Whoever was master and silent "
                        "for too long listens before it sends", event.detail / 1000.0)};
}

LogLine describe_unknown_vrid(const Event& event, std::string_view interface) {
    const unsigned vrid = event.detail >> 16 & 0xff;
    const Family family = (event.detail >> 24 & 1) != 0 ? Family::ipv6 : Family::ipv4;
    const char* const name = family == Family::ipv6 ? "IPv6" : "IPv4";
    return {LogLine::Level::info, fmt::format("adverts for VRID {} ({}) on {}", vrid, name, interface),
            fmt::format("received an advert for VRID {} ({}) on {} from {}, priority {}: no instance here has that VRID", vrid, name, interface,
                        to_string(IpAddress{event.peer, family}), event.value)};
}

std::string describe_reason(const RouterStatus& status, const PlannedRouter& router, std::string_view tracker_fault) {
    const std::string peer = to_string(IpAddress{status.last_peer, router.settings->family});
    switch (status.last_reason) {
    case Reason::none: return "";
    case Reason::startup: return "started";
    case Reason::shutdown: return "stopped";
    case Reason::fault: return describe_faults(status.faults, router, tracker_fault);
    case Reason::sync_group: return "its sync group did the same";
    case Reason::held_by_group: return "";
    case Reason::active_down_timer: return "no advert was heard in time";
    case Reason::adver_timer: return "";
    case Reason::active_stopped: return fmt::format("{} said that it stops", peer);
    case Reason::active_heard: return fmt::format("{} was heard", peer);
    case Reason::lower_heard: return fmt::format("{} was heard with priority {}", peer, status.last_value);
    case Reason::higher_priority: return fmt::format("{} was heard with priority {}", peer, status.last_value);
    case Reason::tie_lost: return fmt::format("{} was heard with our priority and a greater address", peer);
    case Reason::priority_changed: return "the priority changed";
    case Reason::listening: return "";
    case Reason::replaced: return fmt::format("{} became master while this process did not run", peer);
    case Reason::stalled: return "this process did not run for so long that another must be master";
    }
    return "";
}

std::string describe_faults(std::uint8_t faults, const PlannedRouter& router, std::string_view tracker_fault) {
    std::string text;
    const auto add = [&](engine::Fault fault, const std::string& cause) {
        if ((faults & static_cast<unsigned>(fault)) == 0) return;
        if (!text.empty()) text += ", ";
        text += cause;
    };
    const bool is_gone = (faults & static_cast<unsigned>(engine::Fault::link_gone)) != 0;
    if (!is_gone) add(engine::Fault::link_down, fmt::format("interface {} is down", router.interface()));
    add(engine::Fault::link_gone, fmt::format("there is no interface {}", router.interface()));
    if (!is_gone) add(engine::Fault::no_source_address, fmt::format("interface {} has no address to send from", router.interface()));
    add(engine::Fault::tracker, tracker_fault.empty() ? "something that it tracks was bad" : std::string(tracker_fault));
    add(engine::Fault::lacks_means, router.settings->lacks_peers ? "it has no unicast peer" : "the device of its virtual MAC cannot be made");
    add(engine::Fault::sync_group, "another member of its sync group is in FAULT");
    return text.empty() ? "nothing" : text;
}

void write_log(const std::vector<LogLine>& lines, RateLimiter& limiter, Instant now) {
    for (const LogLine& line : lines) {
        if (!line.cause.empty() && !limiter.admit(line.cause, now)) continue;
        switch (line.level) {
        case LogLine::Level::detail: spdlog::debug(line.text); break;
        case LogLine::Level::info: spdlog::info(line.text); break;
        case LogLine::Level::warning: spdlog::warn(line.text); break;
        case LogLine::Level::error: spdlog::error(line.text); break;
        }
    }
}

void write_summaries(RateLimiter& limiter, Instant now) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limiter.period()).count();
    for (const RateLimiter::Summary& summary : limiter.take_summaries(now)) {
        spdlog::info("{}: {} more of these in {} s", summary.cause, summary.suppressed, seconds);
    }
}

}  // namespace vigil::daemon
