// "Why did this failover happen?": a capture from the field is played to the same engine that runs in the daemon, in virtual time, and the engine
// says what it heard, decided and would have sent. The capture's times are the arrival times; between two frames every timer fires at its own
// instant. No socket, no clock, no rights needed.
//
// Two uses. Without a configuration, observers (observers.h) watch every VRID and become Active only when nobody else is: an Active
// observer is a gap in the service. With a configuration and the address of a router, our engine sits in that router's place: what the
// real one sent is shown ("the captured router") but not heard, so that the two can be compared line by line.
//
// What the engine makes of an advert is put behind the line that tells of it: the error counter that rose, or what happened to
// Active_Down_Timer. The sum from which a takeover's time follows is remembered whenever that timer is armed, and printed when it fires.

#include "engine/cli/capture_replay.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "arp/arp_message.h"
#include "arp/neighbor_message.h"
#include "engine/cli/replay_summary.h"
#include "engine/cli/vlan_path.h"
#include "engine/core/virtual_host.h"
#include "packet/frame.h"

namespace vigil::cli {
namespace {

using engine::LinkIndex;
using engine::describe;
using engine::RouterIndex;
using engine::State;
using packet::ReceiveError;
using Kind = ReplaySummary::Kind;

using MaybeFrame = tl::expected<packet::ReceivedFrame, ReceiveError>;

std::string_view rfc_of(const engine::VirtualRouter& router) {
    return has(router, engine::Flag::version2) ? "RFC 3768" : "RFC 9568";
}

std::string seconds(Nanoseconds duration) { return fmt::format("{:.9g} s", static_cast<double>(duration.count()) / 1e9); }

class Player {
public:
    Player(engine::VirtualHost host, const engine::EngineSpec& spec, const ReplayOptions& options, Instant start);
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    void start(Instant at);
    void play(const CapturedFrame& captured);
    std::string finish(Instant end);

private:
    void on_event(const engine::Event& event);
    void when_told(std::function<void()> tell);
    void play_foreign(const CapturedFrame& captured);
    void deliver(const CapturedFrame& captured, const MaybeFrame& frame, LinkIndex link);
    std::string outcome(const engine::VirtualRouter& before, const engine::VirtualRouter& after, const packet::ReceivedFrame& frame, Instant at) const;
    void remember_deadline(RouterIndex index, Instant old_deadline, Instant at, const packet::ReceivedFrame* frame);
    bool is_watched(const IpAddress& address) const;
    std::optional<LinkIndex> link_of(VlanPath path, const MaybeFrame& frame) const;
    RouterIndex router_of(LinkIndex link, const packet::ReceivedFrame& frame) const;
    static std::vector<std::string> names_of(const engine::EngineSpec& spec);

    engine::VirtualHost host_;
    const engine::EngineSpec& spec_;
    const ReplayOptions& options_;
    engine::Transcript transcript_;
    ReplaySummary summary_;
    std::vector<std::string> sums_;   ///< by RouterIndex: what the armed Active_Down_Timer was computed from
    bool is_waiting_ = false;         ///< the line of the frame being delivered comes first
    std::vector<std::function<void()>> waiting_;
};

Player::Player(engine::VirtualHost host, const engine::EngineSpec& spec, const ReplayOptions& options, Instant start)
    : host_(std::move(host)), spec_(spec), options_(options), transcript_(names_of(spec), start), summary_(start), sums_(spec.routers.size()) {
    host_.on_sent([this](Instant at, const engine::TxFrame& frame) {
        // The frame's bytes live in the batch: a line that has to wait is worded now.
        std::string words = transcript_.describe_sent(frame);
        when_told([this, at, words = std::move(words)] { transcript_.repeated(at, words); });
    });
    host_.on_event([this](const engine::Event& event) { on_event(event); });
}

void Player::start(Instant at) {
    host_.command(engine::wall_clock_command(Nanoseconds{0}), at);   // a capture's times are those of the wall clock
    host_.command({.kind = engine::Command::Kind::start}, at);
    for (std::uint32_t i = 0; i < sums_.size(); ++i) remember_deadline(RouterIndex{i}, Instant{}, at, nullptr);
}

void Player::play(const CapturedFrame& captured) {
    host_.advance(captured.at - Nanoseconds{1});
    const MaybeFrame frame = packet::read_frame(captured.bytes);
    if (!frame && (frame.error() == ReceiveError::not_ip || frame.error() == ReceiveError::not_vrrp)) return play_foreign(captured);
    const auto link = link_of(vlan_path_of_frame(captured.bytes), frame);
    if (frame && options_.own_address == frame->source) {
        summary_.count(Kind::own);
        return transcript_.repeated(captured.at, fmt::format("{} (the captured router) sends {}", to_string(frame->source), describe(*frame)));
    }
    if (!link) {
        summary_.count(Kind::elsewhere);
        return transcript_.repeated(captured.at, fmt::format("a frame on VLAN {}, where no router is",
                                                             to_suffix(vlan_path_of_frame(captured.bytes)).erase(0, 1)));
    }
    summary_.count(frame ? Kind::advert : Kind::unreadable);
    if (frame) summary_.heard(captured.at, *frame);
    deliver(captured, frame, *link);
}

/// ARP and neighbour discovery about the virtual addresses: who holds them, as the LAN learns it.
void Player::play_foreign(const CapturedFrame& captured) {
    std::string text;
    if (const auto arp = arp::read_arp_frame(captured.bytes); arp && is_watched(arp->sender)) {
        if (arp->is_gratuitous()) text = fmt::format("{} announces {} by gratuitous ARP", to_string(arp->sender_mac), to_string(arp->sender));
        else if (arp->operation == arp::ArpOperation::reply) text = fmt::format("{} answers ARP for {}", to_string(arp->sender_mac), to_string(arp->sender));
    }
    const auto neighbor = arp::read_neighbor_frame(captured.bytes);
    if (neighbor && neighbor->type == arp::NeighborMessageType::advertisement && is_watched(neighbor->target)) {
        const std::string mac = neighbor->link_layer ? to_string(*neighbor->link_layer) : to_string(neighbor->source);
        text = neighbor->is_solicited ? fmt::format("{} answers the solicitation for {}", mac, to_string(neighbor->target))
                                      : fmt::format("{} announces {} by unsolicited NA", mac, to_string(neighbor->target));
    }
    summary_.count(text.empty() ? Kind::foreign : Kind::announcement);
    if (!text.empty()) transcript_.repeated(captured.at, std::move(text));
}

/// Gives the frame to the engine, then tells what it made of it, then what it did because of it.
void Player::deliver(const CapturedFrame& captured, const MaybeFrame& frame, LinkIndex link) {
    const RouterIndex index = frame ? router_of(link, *frame) : RouterIndex::none;
    const bool is_known = index != RouterIndex::none;
    const engine::VirtualRouter before = is_known ? host_.engine().router(index) : engine::VirtualRouter{};
    const auto errors_before = host_.engine().counters().errors;

    is_waiting_ = true;
    const engine::RxFrame rx{captured.bytes, captured.at, link, captured.is_truncated};
    host_.receive(std::span(&rx, 1), captured.at);
    is_waiting_ = false;

    const auto& errors = host_.engine().counters().errors;
    const auto rose = std::mismatch(errors.begin(), errors.end(), errors_before.begin()).first;
    std::string text;
    if (rose != errors.end()) {
        const auto error = static_cast<ReceiveError>(rose - errors.begin());
        summary_.dropped(error);
        text = fmt::format(": dropped, {}: {}", to_string(error), describe(error));
    } else if (is_known) {
        text = outcome(before, host_.engine().router(index), *frame, captured.at);
        remember_deadline(index, before.deadline, captured.at, &*frame);
    }
    if (frame) {
        transcript_.heard(captured.at, *frame, text);
    } else {
        const MacAddress source = captured.bytes.size() >= 12 ? make_mac(std::span(captured.bytes).subspan<6, 6>()) : MacAddress{};
        transcript_.repeated(captured.at, fmt::format("a frame of {} octets from {}{}", captured.bytes.size(), to_string(source), text));
    }
    for (const auto& tell : std::exchange(waiting_, {})) tell();
}

/// What an accepted advert did to a Backup; what it does to an Active is told by its event.
std::string Player::outcome(const engine::VirtualRouter& before, const engine::VirtualRouter& after, const packet::ReceivedFrame& frame,
                            Instant at) const {
    if (before.state != State::backup) return {};
    const Priority priority = frame.advertisement.priority();
    if (priority == Priority::stop) return fmt::format(": Active_Down_Timer becomes Skew_Time ({} §6.4.2)", rfc_of(before));
    if (priority >= before.priority) return {};
    const unsigned own = to_number(before.priority);
    const bool may_preempt = has(before, engine::Flag::preempt) || is_owner(before);
    if (!may_preempt) return fmt::format(": lower than our {}, accepted because Preempt_Mode is False ({} §6.4.2)", own, rfc_of(before));
    if (at < after.quiet_until) return fmt::format(": lower than our {}, accepted because preempt_delay runs", own);
    return fmt::format(": lower than our {}, Active_Down_Timer runs on ({} §6.4.2)", own, rfc_of(before));
}

void Player::remember_deadline(RouterIndex index, Instant old_deadline, Instant at, const packet::ReceivedFrame* frame) {
    const engine::VirtualRouter& router = host_.engine().router(index);
    if (router.state != State::backup || router.deadline == old_deadline) return;
    const std::string since = transcript_.time(at);
    const std::string skew = seconds(skew_time(router));
    if (frame && frame->advertisement.priority() == Priority::stop) {
        sums_[to_number(index)] = fmt::format("Skew_Time {} after priority 0 from {} at {}", skew, to_string(frame->source), since);
        return;
    }
    sums_[to_number(index)] = fmt::format("{} * {} cs + Skew_Time {} after {} at {}", router.down_timer_adverts, router.active_adver_interval.count(), skew,
                                          frame ? "the advert of " + to_string(frame->source) : "Startup", since);
}

void Player::on_event(const engine::Event& event) {
    if (event.kind == engine::Event::Kind::rejected) return;  // the line of the frame says it already
    std::string more;
    if (event.kind == engine::Event::Kind::transition) {
        const std::string& name = spec_.routers[to_number(event.router)].name;
        if (event.to == State::active) summary_.became_active(name, event.at);
        if (event.from == State::active) summary_.left_active(name, event.at);
        if (event.reason == engine::Reason::active_down_timer) more = ": " + sums_[to_number(event.router)];
    }
    when_told([this, event, more] { transcript_.event(event, host_.engine().router(event.router), more); });
}

void Player::when_told(std::function<void()> tell) {
    if (is_waiting_) waiting_.push_back(std::move(tell));
    else tell();
}

std::string Player::finish(Instant end) {
    host_.advance(end + options_.afterwards);
    std::vector<std::pair<std::string, std::string>> states;
    for (std::uint32_t i = 0; i < spec_.routers.size(); ++i) {
        const RouterIndex index{i};
        const engine::RouterCounters counters = host_.engine().counters(index);
        states.emplace_back(spec_.routers[i].name, fmt::format("{} ({} adverts accepted, {} sent)", to_string(host_.engine().router(index).state),
                                                               counters.adverts_received, counters.adverts_sent));
    }
    return transcript_.finish() + summary_.text(end, states);
}

bool Player::is_watched(const IpAddress& address) const {
    return std::ranges::any_of(spec_.routers, [&](const engine::RouterSpec& router) {
        return std::ranges::find(router.advertised, address) != router.advertised.end() ||
               std::ranges::find(router.announced, address, &engine::AnnouncedAddress::address) != router.announced.end();
    });
}

/// Of the links that hear the VLAN, the one that has the frame's router; else the first.
std::optional<LinkIndex> Player::link_of(VlanPath path, const MaybeFrame& frame) const {
    std::optional<LinkIndex> first;
    for (std::size_t i = 0; i < spec_.links.size(); ++i) {
        const std::string& name = spec_.links[i].name;
        const bool is_chosen = options_.interface.empty() || name == options_.interface || name.starts_with(options_.interface + ".");
        if (!is_chosen || vlan_path_of_interface(name) != path) continue;
        const LinkIndex link{static_cast<std::uint16_t>(i)};
        if (frame && router_of(link, *frame) != RouterIndex::none) return link;
        if (!first) first = link;
    }
    return first;
}

RouterIndex Player::router_of(LinkIndex link, const packet::ReceivedFrame& frame) const {
    const auto found = std::ranges::find_if(spec_.routers, [&](const engine::RouterSpec& router) {
        return router.link == link && router.family == frame.source.family && router.vrid == frame.advertisement.vrid();
    });
    return found == spec_.routers.end() ? RouterIndex::none : RouterIndex{static_cast<std::uint32_t>(found - spec_.routers.begin())};
}

std::vector<std::string> Player::names_of(const engine::EngineSpec& spec) {
    std::vector<std::string> names;
    for (const engine::RouterSpec& router : spec.routers) names.push_back(router.name);
    return names;
}

/// Virtual time is cheap, but a wrong clock in one frame would make the routers speak for years.
std::optional<std::string> find_leap(std::span<const CapturedFrame> capture) {
    constexpr Nanoseconds most = std::chrono::hours{24};
    for (std::size_t i = 1; i < capture.size(); ++i) {
        if (capture[i].at - capture[i - 1].at <= most) continue;
        return fmt::format("frame {} of {}, in order of time, comes {} hours after the one before; cut the file into parts without such gaps (editcap -A, -B)",
                           i + 1, capture.size(), (capture[i].at - capture[i - 1].at) / std::chrono::hours{1});
    }
    return std::nullopt;
}

}  // namespace

tl::expected<std::string, std::string> replay_capture(std::span<const CapturedFrame> capture, const engine::EngineSpec& spec,
                                                      const ReplayOptions& options) {
    if (capture.empty()) return tl::unexpected(std::string("the capture has no frames"));
    if (auto leap = find_leap(capture)) return tl::unexpected(*leap);
    const Instant start = capture.front().at;
    auto host = engine::VirtualHost::make(spec, start);
    if (!host) return tl::unexpected(host.error().text);
    Player player(std::move(*host), spec, options, start);
    player.start(start);
    for (const CapturedFrame& captured : capture) player.play(captured);
    return player.finish(capture.back().at);
}

}  // namespace vigil::cli
