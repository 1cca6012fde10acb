#include "tests/engine/core/engine_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace vigil::test {

using namespace vigil::engine;

namespace {

Engine make_or_die(const EngineSpec& spec) {
    auto engine = Engine::make(spec, at(0s));
    if (!engine) {
        ADD_FAILURE() << "engine refuses: " << engine.error().text;
        std::abort();
    }
    return std::move(*engine);
}

std::string host_address(bool is_ipv6, std::uint8_t host) {
    return is_ipv6 ? "fe80::" + std::to_string(host) : "10.0.0." + std::to_string(host);
}

}  // namespace

VirtualRouter record(State state, Priority priority, Centiseconds interval, Instant deadline) {
    VirtualRouter router;
    router.state = state;
    router.faults = 0;
    router.priority = priority;
    router.advertisement_interval = router.active_adver_interval = interval;
    router.deadline = deadline;
    router.primary_address = ipv4(10, 0, 0, 1).octets;
    router.link = LinkIndex{0};
    router.vrid = Vrid{7};
    return router;
}

Advertisement advert(Priority priority, std::uint8_t host, Centiseconds interval) {
    return {ipv4(10, 0, 0, host).octets, interval, priority};
}

EngineSpec one_link() {
    EngineSpec spec;
    spec.links.push_back({.name = "lan0", .mac = lan_mac, .is_up = true, .forwards_ipv6 = true});
    return spec;
}

RouterSpec v3_router(std::uint8_t vrid, Priority priority) {
    RouterSpec router;
    router.name = "VI_" + std::to_string(vrid);
    router.link = LinkIndex{0};
    router.version = VrrpVersion::v3;
    router.vrid = Vrid{vrid};
    router.priority = priority;
    router.primary_address = address_of("10.0.0.1");
    router.source_mac = virtual_mac(Family::ipv4, Vrid{vrid});
    router.group = vrrp_group_ipv4;
    router.advertised = {address_of("10.0.0.100")};
    router.announced = {{address_of("10.0.0.100"), LinkIndex{0}, virtual_mac(Family::ipv4, Vrid{vrid})}};
    return router;
}

RouterSpec v2_router(std::uint8_t vrid, Priority priority) {
    RouterSpec router = v3_router(vrid, priority);
    router.version = VrrpVersion::v2;
    return router;
}

RouterSpec ipv6_router(std::uint8_t vrid, Priority priority) {
    RouterSpec router = v3_router(vrid, priority);
    const MacAddress mac = virtual_mac(Family::ipv6, Vrid{vrid});
    router.family = Family::ipv6;
    router.primary_address = address_of("fe80::1");
    router.source_mac = mac;
    router.group = vrrp_group_ipv6;
    router.advertised = {address_of("fe80::100"), address_of("2001:db8::100")};
    router.announced = {{address_of("fe80::100"), LinkIndex{0}, mac}, {address_of("2001:db8::100"), LinkIndex{0}, mac}};
    return router;
}

RouterSpec unicast_router(std::uint8_t vrid, Priority priority) {
    RouterSpec router = v3_router(vrid, priority);
    router.peers = {{.address = address_of("10.0.0.2")}, {.address = address_of("10.0.0.3")}};
    return router;
}

EngineSpec with(std::vector<RouterSpec> routers) {
    EngineSpec spec = one_link();
    spec.routers = std::move(routers);
    return spec;
}

FrameBuilder v3_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host) {
    return frame().ipv4(host_address(false, host), "224.0.0.18").vrrp_v3(vrid, priority).address("10.0.0.100");
}
FrameBuilder v2_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host) {
    return frame().ipv4(host_address(false, host), "224.0.0.18").vrrp_v2(vrid, priority).address("10.0.0.100");
}
FrameBuilder ipv6_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host) {
    return frame().ipv6(host_address(true, host), "ff02::12").vrrp_v3(vrid, priority).address("fe80::100").address("2001:db8::100");
}
FrameBuilder unicast_frame(std::uint8_t vrid, std::uint8_t priority, std::uint8_t host) {
    return frame().ipv4(host_address(false, host), "10.0.0.1").vrrp_v3(vrid, priority).address("10.0.0.100");
}

Octets Sent::as_frame() const {
    if (path == TxPath::link) return bytes;
    Octets whole(12, 0);
    const bool is_ipv4 = bytes.at(0) >> 4 == 4;
    whole.push_back(is_ipv4 ? 0x08 : 0x86);
    whole.push_back(is_ipv4 ? 0x00 : 0xdd);
    whole.insert(whole.end(), bytes.begin(), bytes.end());
    return whole;
}

bool Sent::is_advertisement() const { return packet::read_frame(as_frame()).has_value(); }

Priority Sent::priority() const {
    const Octets whole = as_frame();
    const auto read = packet::read_frame(whole);
    if (!read) {
        ADD_FAILURE() << "our own reader refuses what we sent: " << packet::to_string(read.error());
        return Priority::stop;
    }
    return read->advertisement.priority();
}

Harness::Harness(const EngineSpec& spec, std::size_t urgent, std::size_t paced, std::size_t scratch)
    : engine(make_or_die(spec)), tx(urgent, paced, scratch) {}

void Harness::command(const Command& command, Instant now) {
    EXPECT_TRUE(engine.on_command(command, now, tx)) << "the batch of the test is too small";
}

void Harness::fault(Fault fault, Instant now, RouterIndex router) {
    command({.kind = Command::Kind::set_fault, .fault = fault, .router = router}, now);
}
void Harness::clear_fault(Fault fault, Instant now, RouterIndex router) {
    command({.kind = Command::Kind::clear_fault, .fault = fault, .router = router}, now);
}

void Harness::receive(const FrameBuilder& frame, Instant arrival, LinkIndex link) { receive(frame.build(), arrival, link); }

void Harness::receive(const Octets& bytes, Instant arrival, LinkIndex link) {
    const RxFrame frame{.bytes = bytes, .arrival = arrival, .link = link};
    EXPECT_EQ(engine.on_frames(std::span(&frame, 1), tx), 1u);
}

void Harness::run_until(Instant now) {
    for (Instant next; (next = engine.next_deadline()) <= now;) {
        engine.on_time(next, tx);
        for (Sent& one : sent()) log.push_back({next, std::move(one)});
    }
}

std::vector<Sent> Harness::sent() {
    std::vector<Sent> all;
    for (const TxFrame& frame : tx.urgent()) {
        all.push_back({{frame.bytes().begin(), frame.bytes().end()}, frame.link, frame.router, frame.path, true});
    }
    for (const TxFrame& frame : tx.paced()) {
        all.push_back({{frame.bytes().begin(), frame.bytes().end()}, frame.link, frame.router, frame.path, false});
    }
    tx.clear();
    return all;
}

std::vector<Sent> Harness::adverts() {
    std::vector<Sent> all = sent();
    std::erase_if(all, [](const Sent& one) { return !one.is_urgent; });
    return all;
}

std::vector<Event> Harness::events() {
    std::vector<Event> all;
    std::array<Event, 16> some;
    for (std::size_t n; (n = engine.take_events(some)) != 0;) all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(n));
    return all;
}

std::size_t count(const std::vector<Event>& events, Event::Kind kind) {
    return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), [&](const Event& event) { return event.kind == kind; }));
}

}  // namespace vigil::test
