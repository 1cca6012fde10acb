// The engine in virtual time, with the control thread's part played: what simulations and replays stand on.

#include "engine/core/virtual_host.h"

#include <gtest/gtest.h>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

struct Log {
    std::vector<Instant> adverts;
    std::vector<Instant> announcements;
    std::vector<Event> events;
};

VirtualHost host_with(const std::vector<RouterSpec>& routers, Log& log) {
    auto host = VirtualHost::make(with(routers), at(0s));
    EXPECT_TRUE(host.has_value());
    host->on_sent([&log](Instant when, const TxFrame& frame) {
        (packet::read_frame(frame.bytes()).has_value() ? log.adverts : log.announcements).push_back(when);
    });
    host->on_event([&log](const Event& event) { log.events.push_back(event); });
    return std::move(*host);
}

TEST(VirtualHost, FiresEachTimerAtItsOwnInstant) {
    Log log;
    VirtualHost host = host_with({v3_router(7, Priority{100})}, log);
    host.command({.kind = Command::Kind::start}, at(0s));
    host.advance(at(7s));
    ASSERT_EQ(log.adverts.size(), 4u);
    EXPECT_EQ(log.adverts[0], at(3s) + 610ms) << "3.609375 s at the next tick";
    EXPECT_EQ(log.adverts[3], at(6s) + 610ms);
    EXPECT_EQ(host.now(), at(7s));
}

TEST(VirtualHost, TellsTheAddressesReadyAfterTheDelay) {
    Log log;
    VirtualHost host = host_with({v3_router(7, Priority::owner)}, log);
    host.set_address_delay(30ms);
    host.command({.kind = Command::Kind::start}, at(0s));
    EXPECT_EQ(host.next_deadline(), at(30ms));
    host.advance(at(1s) - 1ns);
    EXPECT_EQ(log.announcements, std::vector<Instant>(5, at(30ms)));
}

TEST(VirtualHost, HearsFramesBeforeItRunsTimers) {
    // A pause of ten seconds with an advert of each second in the ring: no takeover.
    Log log;
    VirtualHost host = host_with({v3_router(7, Priority{100})}, log);
    host.command({.kind = Command::Kind::start}, at(0s));
    const Octets bytes = v3_frame(7, 200).build();
    std::vector<RxFrame> frames;
    for (int second = 1; second <= 10; ++second) frames.push_back({bytes, at(second * 1s), LinkIndex{0}});
    host.receive(frames, at(10s) + 100ms);
    EXPECT_EQ(host.engine().router(RouterIndex{0}).state, State::backup);
    EXPECT_TRUE(log.adverts.empty());
}

TEST(VirtualHost, SaysWhyASpecificationIsRefused) {
    const auto host = VirtualHost::make(with({v3_router(7, Priority{100}), v3_router(7, Priority{100})}), at(0s));
    ASSERT_FALSE(host.has_value());
    EXPECT_EQ(host.error().router, RouterIndex{1});
}

}  // namespace
}  // namespace vigil::test
