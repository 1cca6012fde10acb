// The whole density that the product promises, in virtual time: all frames are built, sent, filtered by link and read. A fixed story instead of a
// random one, because its every instant can be computed beforehand.

#include "tests/sim/dense.h"

#include <algorithm>
#include <deque>
#include <optional>

#include <fmt/core.h>

#include "engine/core/virtual_host.h"

namespace vigil::sim {
namespace {

using namespace std::chrono_literals;
using engine::Command;
using engine::LinkIndex;
using engine::RouterIndex;
using engine::State;

constexpr Nanoseconds tick = 1ms;
constexpr Nanoseconds delay = 50us;       // of the wire
constexpr Nanoseconds interval = 1s;
constexpr std::array<Priority, 2> priorities{Priority{150}, Priority{100}};

struct Frame {
    Instant arrival;
    std::vector<std::uint8_t> bytes;
    LinkIndex link;
};

class DenseLans {
public:
    DenseLans(std::size_t links, std::size_t vrids) : links_(links), vrids_(vrids), last_advert_(links * vrids), last_heard_(links * vrids) {
        outcome_.routers = links * vrids;
    }
    DenseOutcome run();

private:
    engine::EngineSpec spec(std::size_t host) const;
    void power_on(std::size_t host);
    void run_until(Instant end);
    void deliver(std::size_t host);
    void sent(std::size_t host, Instant at, const engine::TxFrame& frame);
    void happened(std::size_t host, const engine::Event& event);
    void check_holder(std::size_t holder, std::string_view when);
    void violate(std::string text) {
        if (outcome_.violations.size() < 12) outcome_.violations.push_back(fmt::format("{:.6f} {}", static_cast<double>(now_.ns) / 1e9, text));
    }

    std::size_t links_;
    std::size_t vrids_;
    std::array<std::optional<engine::VirtualHost>, 2> hosts_;
    std::array<std::deque<Frame>, 2> inboxes_;
    std::vector<Instant> last_advert_;    // by router, of whoever is Active
    std::vector<Instant> last_heard_;     // by router, by host 1
    bool watches_gaps_ = false;
    bool watches_takeover_ = false;
    Instant now_{1'000'000'000};
    DenseOutcome outcome_;
};

engine::EngineSpec DenseLans::spec(std::size_t host) const {
    engine::EngineSpec spec;
    for (std::size_t link = 0; link < links_; ++link) spec.links.push_back({.name = fmt::format("lan{}", link), .mac = {}, .is_up = true});
    const auto host_octet = static_cast<std::uint8_t>(host + 1);
    for (std::size_t i = 0; i < outcome_.routers; ++i) {
        engine::RouterSpec router;
        router.link = LinkIndex{static_cast<std::uint16_t>(i / vrids_)};
        router.version = VrrpVersion::v3;
        router.vrid = Vrid{static_cast<std::uint8_t>(1 + i % vrids_)};
        router.priority = priorities[host];
        router.primary_address = ipv4(10, 0, static_cast<std::uint8_t>(i / vrids_), host_octet);
        router.source_mac = virtual_mac(Family::ipv4, router.vrid);
        router.group = vrrp_group_ipv4;
        router.advertised = {ipv4(10, 1, static_cast<std::uint8_t>(i / vrids_), static_cast<std::uint8_t>(1 + i % vrids_))};
        router.announced = {{router.advertised[0], router.link, router.source_mac}};
        spec.routers.push_back(router);
    }
    return spec;
}

void DenseLans::power_on(std::size_t host) {
    hosts_[host] = *engine::VirtualHost::make(spec(host), now_);
    inboxes_[host].clear();
    hosts_[host]->on_sent([this, host](Instant at, const engine::TxFrame& frame) { sent(host, at, frame); });
    hosts_[host]->on_event([this, host](const engine::Event& event) { happened(host, event); });
    hosts_[host]->command({.kind = Command::Kind::start}, now_);
}

void DenseLans::sent(std::size_t host, Instant at, const engine::TxFrame& frame) {
    ++outcome_.frames;
    const bool is_advert = frame.data[12] == 0x08 && frame.data[13] == 0x00;
    if (!is_advert) return;   // announcements are for hosts and switches
    const std::size_t router = engine::to_number(frame.router);
    const Nanoseconds gap = at - std::exchange(last_advert_[router], at);
    if (watches_gaps_ && (gap < interval - tick || gap > interval + tick)) violate(fmt::format("router {}: adverts {} ns apart", router, gap.count()));
    if (hosts_[1 - host]) inboxes_[1 - host].push_back({at + delay, {frame.data, frame.data + frame.size}, frame.link});
}

void DenseLans::happened(std::size_t host, const engine::Event& event) {
    if (event.kind != engine::Event::Kind::transition) return;
    ++outcome_.transitions;
    if (!watches_takeover_ || host != 1 || event.to != State::active) return;
    const std::size_t router = engine::to_number(event.router);
    const Instant due = last_heard_[router] + engine::active_down_interval(hosts_[1]->engine().router(event.router));
    if (event.at < due || event.at > due + tick) violate(fmt::format("router {} took over {} ns off its time", router, (event.at - due).count()));
}

void DenseLans::deliver(std::size_t host) {
    std::vector<Frame> arrived;
    while (!inboxes_[host].empty() && inboxes_[host].front().arrival <= now_) {
        arrived.push_back(std::move(inboxes_[host].front()));
        inboxes_[host].pop_front();
    }
    std::vector<engine::RxFrame> frames;
    for (const Frame& frame : arrived) {
        frames.push_back({frame.bytes, frame.arrival, frame.link});
        if (host != 1) continue;
        const std::size_t vrid = frame.bytes[14 + 20 + 1];
        last_heard_[engine::to_number(frame.link) * vrids_ + vrid - 1] = frame.arrival;
    }
    hosts_[host]->receive(frames, now_);
}

void DenseLans::run_until(Instant end) {
    for (;;) {
        Instant next = end;
        for (std::size_t i = 0; i < 2; ++i) {
            if (!hosts_[i]) continue;
            next = std::min(next, hosts_[i]->next_deadline());
            if (!inboxes_[i].empty()) next = std::min(next, inboxes_[i].front().arrival);
        }
        if (next >= end) break;
        now_ = std::max(now_, next);
        for (std::size_t i = 0; i < 2; ++i) {
            if (hosts_[i]) deliver(i);
        }
    }
    now_ = end;
}

void DenseLans::check_holder(std::size_t holder, std::string_view when) {
    for (std::uint32_t i = 0; i < outcome_.routers; ++i) {
        for (std::size_t host = 0; host < 2; ++host) {
            if (!hosts_[host]) continue;
            const bool is_active = hosts_[host]->engine().router(RouterIndex{i}).state == State::active;
            if (is_active != (host == holder)) violate(fmt::format("router {}: host {} {} Active {}", i, host, is_active ? "is" : "is not", when));
        }
    }
}

DenseOutcome DenseLans::run() {
    const Instant begin = now_;
    power_on(0);
    power_on(1);
    run_until(now_ + 6s);
    check_holder(0, "after the election");

    watches_gaps_ = true;
    const std::uint64_t before = outcome_.transitions;
    run_until(now_ + 5s);
    watches_gaps_ = false;
    if (outcome_.transitions != before) violate("a transition in calm");

    watches_takeover_ = true;   // power failure: nothing is said
    hosts_[0].reset();
    run_until(now_ + 5s);
    watches_takeover_ = false;
    check_holder(1, "after the power failure");

    power_on(0);
    run_until(now_ + 6s);
    check_holder(0, "after the return");

    hosts_[0]->command({.kind = Command::Kind::shutdown}, now_);
    run_until(now_ + engine::skew_time(hosts_[1]->engine().router(RouterIndex{0})) + 2 * tick + 2 * delay);
    check_holder(1, "Skew_Time after the stop");
    outcome_.virtual_seconds = std::chrono::duration<double>(now_ - begin).count();
    return std::move(outcome_);
}

}  // namespace

DenseOutcome run_dense_lans(std::size_t links, std::size_t vrids) { return DenseLans(links, vrids).run(); }

}  // namespace vigil::sim
