// A LAN in virtual time. Events are the deliveries on the wire and the moments at which a host wants to wake: the loop always takes the earliest, so time
// jumps from one to the next. A host wakes only at multiples of its granularity and never while it is paused; meanwhile frames collect
// in its ring with their arrival times, as in the daemon.
//
// Checked at every step, whatever the weather: every frame sent is read back by our own reader; every armed timer fires not before its deadline
// and at most one tick (and one granule, and the rest of a pause) after it; the state told by the events is the state of the records; after a pause
// nobody acts on old silence.

#include "tests/sim/lan.h"

#include <fmt/core.h>

#include <algorithm>

namespace vigil::sim {
namespace {

Instant round_up(Instant t, Nanoseconds granule) {
    const std::int64_t g = granule.count();
    return {(t.ns + g - 1) / g * g};
}

constexpr Instant never{std::numeric_limits<std::int64_t>::max()};
constexpr Nanoseconds tick{engine::TimerWheel<engine::VirtualRouter>::tick_ns};

}  // namespace

Lan::Lan(std::vector<HostSpec> hosts, std::uint64_t seed) : random_(seed) {
    for (HostSpec& spec : hosts) {
        Host& host = hosts_.emplace_back();
        host.sides.assign(spec.engine.links.size(), 0);
        host.spec = std::move(spec);
    }
}

const engine::VirtualRouter& Lan::router(std::size_t host, std::size_t index) const {
    return hosts_[host].machine->engine().router(engine::RouterIndex{static_cast<std::uint32_t>(index)});
}

void Lan::start(std::size_t index) {
    Host& host = hosts_[index];
    for (engine::RouterSpec& router : host.spec.engine.routers) {
        router.ah_sequence_number = 1'000'000'000 + static_cast<std::uint32_t>(now_.ns / 1'000'000'000);
    }
    auto machine = engine::VirtualHost::make(host.spec.engine, now_);
    if (!machine) return violate(fmt::format("host {} does not load: {}", index, machine.error().text));
    host.machine.emplace(std::move(*machine));
    host.machine->on_sent([this, index](Instant at, const engine::TxFrame& frame) { sent(index, at, frame); });
    host.machine->on_event([this, index](const engine::Event& event) { happened(index, event); });
    host.ring.clear();
    host.shadow.assign(host.spec.engine.routers.size(), engine::State::initialize);
    host.last_advert.assign(host.shadow.size(), {});
    host.is_stopped = false;
    host.paused_until = {};
    tell(fmt::format("host {} starts", index));
    if (on_story) {
        for (const engine::RouterSpec& router : host.spec.engine.routers) {
            tell(fmt::format("  {}: v{} priority {} interval {} cs, preempt {} after {} ms, down after {} adverts, granularity {} ns", router.name,
                             to_number(router.version), to_number(router.priority), router.interval.count(),
                             (router.flags & static_cast<std::uint16_t>(engine::Flag::preempt)) != 0, router.preempt_delay_ms,
                             router.down_timer_adverts, host.spec.granularity.count()));
        }
    }
    host.machine->command(engine::wall_clock_command(host.spec.wall_clock_ahead), now_);
    host.machine->command({.kind = engine::Command::Kind::start}, now_);
    check_shadow(index);
}

void Lan::stop(std::size_t index) {
    if (!is_running(index)) return;
    tell(fmt::format("host {} stops", index));
    hosts_[index].is_stopped = true;
    hosts_[index].machine->command({.kind = engine::Command::Kind::shutdown}, now_);
    check_shadow(index);
}

void Lan::crash(std::size_t index) {
    tell(fmt::format("host {} crashes", index));
    hosts_[index].machine.reset();
    hosts_[index].ring.clear();
}

void Lan::pause(std::size_t index, Instant until) {
    tell(fmt::format("host {} is paused until {}", index, until.ns));
    hosts_[index].paused_until = hosts_[index].was_paused_until = std::max(until, hosts_[index].paused_until);
}

void Lan::set_priority(std::size_t index, std::size_t router, Priority priority) {
    if (!is_running(index)) return;
    tell(fmt::format("host {} router {} changes its priority to {}", index, router, to_number(priority)));
    hosts_[index].machine->command({.kind = engine::Command::Kind::set_priority, .value = to_number(priority),
                                    .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}}, now_);
}

void Lan::command(std::size_t index, const engine::Command& command, std::string_view story) {
    if (!is_running(index) || now_ < hosts_[index].paused_until) return;
    tell(fmt::format("host {}: {}", index, story));
    hosts_[index].machine->command(command, now_);
    check_shadow(index);
}

void Lan::run_until(Instant end) {
    for (;;) {
        Instant next = wire_.empty() ? never : wire_.top().at;
        std::size_t waking = hosts_.size();
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (const Instant t = wake_time(hosts_[i]); t < next) {
                next = t;
                waking = i;
            }
        }
        if (next > end) break;
        now_ = std::max(now_, next);
        if (waking != hosts_.size()) {
            wake(waking);
            continue;
        }
        const Delivery& delivery = wire_.top();
        Host& host = hosts_[delivery.host];
        if (host.machine) host.ring.push_back({delivery.at, delivery.link, delivery.bytes});
        wire_.pop();
    }
    now_ = end;
}

Instant Lan::wake_time(const Host& host) const {
    if (!host.machine) return never;
    Instant wanted = host.machine->next_deadline();
    if (!host.ring.empty()) wanted = std::min(wanted, host.ring.front().arrival);
    if (wanted == never) return never;
    return round_up(std::max({wanted, host.paused_until, now_}), host.spec.granularity);
}

void Lan::wake(std::size_t index) {
    Host& host = hosts_[index];
    const auto records = [&] {
        std::vector<engine::VirtualRouter> copy;
        for (std::size_t r = 0; r < host.shadow.size(); ++r) copy.push_back(router(index, r));
        return copy;
    };
    const std::vector<engine::VirtualRouter> before = records();
    just_happened_.clear();
    just_sent_.clear();
    const std::vector<Waiting> ring = std::exchange(host.ring, {});
    std::vector<engine::RxFrame> frames;
    for (const Waiting& waiting : ring) frames.push_back({waiting.bytes, waiting.arrival, waiting.link});
    host.machine->receive(frames, now_);
    check_timers(index, before, frames.empty());
    if (frames.empty()) check_patience(index, before);
    check_shadow(index);
}

/// Nothing was heard, and timers are overdue: after a pause. Who has put its timer off as often as it may, or has one of its sync group, may act.
void Lan::check_patience(std::size_t index, const std::vector<engine::VirtualRouter>& before) {
    const bool is_patience_over = std::any_of(before.begin(), before.end(), [](const engine::VirtualRouter& record) {
        return record.doubts == engine::state_machine::most_doubts;
    });
    for (std::size_t r = 0; r < before.size(); ++r) {
        const engine::VirtualRouter& record = before[r];
        if (record.timer_slot == engine::VirtualRouter::no_slot) continue;
        const Nanoseconds late = now_ - record.deadline;
        const Nanoseconds interval{record.advertisement_interval};
        const bool has_acted = std::count(just_sent_.begin(), just_sent_.end(), r) != 0;
        if (!has_acted) continue;
        if (record.state == engine::State::active && late + interval > engine::active_down_interval(record)) {
            violate(fmt::format("host {} router {} was silent for {} ns and sends before it listens", index, r, (late + interval).count()));
        }
        if (record.state == engine::State::backup && !is_patience_over && late > engine::active_down_interval(record)) {
            violate(fmt::format("host {} router {} takes over {} ns late, on silence that nobody listened to", index, r, late.count()));
        }
    }
}

void Lan::check_timers(std::size_t index, const std::vector<engine::VirtualRouter>& before, bool heard_nothing) {
    const Host& host = hosts_[index];
    for (const engine::Event& event : just_happened_) {
        if (event.kind != engine::Event::Kind::transition || event.reason != engine::Reason::active_down_timer || !heard_nothing) continue;
        const Instant deadline = before[to_number(event.router)].deadline;
        if (event.at < deadline) violate(fmt::format("host {} takes over {} ns early", index, (deadline - event.at).count()));
    }
    for (std::size_t r = 0; r < before.size(); ++r) {
        const engine::VirtualRouter& record = router(index, r);
        if (record.timer_slot == engine::VirtualRouter::no_slot) continue;
        const Instant excused = std::max(record.deadline, host.was_paused_until);
        const Nanoseconds late = now_ - excused;
        if (late > tick + host.spec.granularity) violate(fmt::format("host {} router {} has a timer {} ns late", index, r, late.count()));
    }
}

void Lan::check_shadow(std::size_t index) {
    for (std::size_t r = 0; r < hosts_[index].shadow.size(); ++r) {
        if (router(index, r).state != hosts_[index].shadow[r]) {
            violate(fmt::format("host {} router {} changed its state without an event", index, r));
        }
    }
    on_step(index);
}

void Lan::happened(std::size_t index, const engine::Event& event) {
    just_happened_.push_back(event);
    if (event.kind == engine::Event::Kind::state_report) hosts_[index].shadow[to_number(event.router)] = event.to;  // events were lost
    if (on_story && event.kind == engine::Event::Kind::rejected) {
        tell(fmt::format("host {} router {} rejects a frame: {}", index, to_number(event.router), packet::to_string(event.error)));
    }
    if (event.kind != engine::Event::Kind::transition) return;
    hosts_[index].shadow[to_number(event.router)] = event.to;
    if (event.reason == engine::Reason::tie_lost && event.peer <= router(index, to_number(event.router)).primary_address) {
        violate(fmt::format("host {} yields a tie to a smaller address", index));
    }
    const bool is_version2 = has(router(index, to_number(event.router)), engine::Flag::version2);
    if (on_story) tell(fmt::format("host {} router {} {} -> {}: {}", index, to_number(event.router), to_string(event.from), to_string(event.to),
                                   describe(event.reason, is_version2 ? VrrpVersion::v2 : VrrpVersion::v3)));
    on_transition(index, event);
}

void Lan::sent(std::size_t from, Instant, const engine::TxFrame& frame) {
    ++frames_sent_;
    std::vector<std::uint8_t> bytes(frame.data, frame.data + frame.size);
    if (frame.path == engine::TxPath::route) {
        // The kernel's IP layer puts an Ethernet header in front.
        const bool is_ipv6 = bytes[0] >> 4 == 6;
        std::array<std::uint8_t, 14> ethernet{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00};
        if (is_ipv6) ethernet[12] = 0x86, ethernet[13] = 0xdd;
        bytes.insert(bytes.begin(), ethernet.begin(), ethernet.end());
    }
    const auto read = packet::read_frame(bytes);
    if (read) {
        just_sent_.push_back(to_number(frame.router));
        check_interval(from, to_number(frame.router));
        deliver_to_all(from, frame.link, bytes, read->destination);
        if (is_replaying_) replay_one(frame.link, bytes, read->destination);
        return;
    }
    const bool is_announcement = read.error() == packet::ReceiveError::not_ip || read.error() == packet::ReceiveError::not_vrrp;
    if (!is_announcement) violate(fmt::format("host {} sends a frame that our own reader refuses: {}", from, packet::to_string(read.error())));
}

void Lan::watch_intervals(bool watch) {
    watches_intervals_ = watch;
    for (Host& host : hosts_) std::fill(host.last_advert.begin(), host.last_advert.end(), Instant{});
}

void Lan::check_interval(std::size_t from, std::size_t index) {
    if (!watches_intervals_) return;
    Host& host = hosts_[from];
    const Instant last = std::exchange(host.last_advert[index], now_);
    if (last == Instant{} || last == now_) return;  // the copies for several unicast peers leave together
    const Nanoseconds off = (now_ - last) - Nanoseconds{router(from, index).advertisement_interval};
    const Nanoseconds allowed = tick + host.spec.granularity;
    if (off < -allowed || off > allowed) violate(fmt::format("host {} router {} sends {} ns off its interval", from, index, off.count()));
}

void Lan::deliver_to_all(std::size_t from, engine::LinkIndex link, std::span<const std::uint8_t> bytes, const IpAddress& destination) {
    const std::size_t lan = to_number(link);
    std::uniform_real_distribution<double> chance(0, 1);
    std::uniform_int_distribution<std::int64_t> delay(weather_.least_delay.count(), weather_.most_delay.count());
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (i == from || lan >= hosts_[i].sides.size() || hosts_[i].sides[lan] != hosts_[from].sides[lan]) continue;
        if (!destination.is_multicast() && destination != hosts_[i].spec.address) continue;
        if (chance(random_) < weather_.loss) continue;
        const int copies = chance(random_) < weather_.duplication ? 2 : 1;
        for (int copy = 0; copy < copies; ++copy) {
            wire_.push({now_ + Nanoseconds{delay(random_)}, order_++, i, link, {bytes.begin(), bytes.end()}});
        }
    }
}

/// Not earlier than the original can arrive.
void Lan::replay_one(engine::LinkIndex link, std::span<const std::uint8_t> bytes, const IpAddress& destination) {
    recorded_.push_back({link, {bytes.begin(), bytes.end()}, destination});
    const Recorded& one = recorded_[std::uniform_int_distribution<std::size_t>(0, recorded_.size() - 1)(random_)];
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        const bool is_there = to_number(one.link) < hosts_[i].sides.size() && (one.destination.is_multicast() || one.destination == hosts_[i].spec.address);
        if (is_there) wire_.push({now_ + weather_.most_delay + Nanoseconds{1}, order_++, i, one.link, one.bytes});
    }
}

void Lan::tell(const std::string& text) const {
    if (on_story) on_story(now_, text);
}

}  // namespace vigil::sim
