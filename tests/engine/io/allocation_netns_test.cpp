#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/io/fast_loop.h"
#include "tests/engine/io/allocation_count.h"
#include "tests/engine/io/loop_runner.h"
#include "tests/engine/io/test_namespace.h"
#include "tests/engine/io/test_wire.h"

// The fast thread takes all its memory before it runs. Every operator new of that thread is counted while it sends, receives, fails, retries, follows
// commands, changes ports and gives snapshots.

namespace vigil::io {
namespace {

using engine::Command;
using engine::LinkIndex;
using engine::RouterIndex;

/// Sends two adverts every millisecond, one of them on a link without a port, and answers every command with an event.
struct BusyEngine {
    std::array<std::uint8_t, 60> advert{};
    Instant deadline{1};
    std::size_t frames_heard = 0;
    std::size_t adverts = 0;
    std::size_t events = 0;
    engine::EngineCounters totals;
    engine::RouterCounters router_counters;
    engine::VirtualRouter record;

    std::size_t on_frames(std::span<const engine::RxFrame> frames, engine::TxBatch&) {
        frames_heard += frames.size();
        return frames.size();
    }
    void on_time(Instant now, engine::TxBatch& tx) {
        for (std::uint16_t link = 0; link < 2; ++link) {
            tx.push_urgent({.data = advert.data(), .size = 60, .link = LinkIndex{link}, .router = RouterIndex{0}});
        }
        ++adverts;
        deadline = now + std::chrono::milliseconds{1};
    }
    bool needs_wall_clock() const { return true; }
    const engine::HmacCounters* hmac_counters(RouterIndex) const { return nullptr; }
    bool on_command(const Command&, Instant, engine::TxBatch&) {
        ++events;
        return true;
    }
    void adopt(const BusyEngine&, std::span<const engine::RouterIndex>, Instant) {}
    void on_transmit_error(RouterIndex, int, Instant) { ++events; }
    Instant next_deadline() const { return deadline; }
    std::size_t take_events(std::span<engine::Event> out) {
        const std::size_t count = std::min(out.size(), std::exchange(events, 0));
        std::fill_n(out.begin(), count, engine::Event{});
        return count;
    }
    std::size_t router_count() const { return 1; }
    const engine::VirtualRouter& router(RouterIndex) const { return record; }
    const engine::RouterCounters& counters(RouterIndex) const { return router_counters; }
    Priority heard_priority(RouterIndex) const { return Priority{}; }
    void clear_counters(RouterIndex) { router_counters = {}; }
    const engine::EngineCounters& counters() const { return totals; }
};

class Allocation : public testing::TestWithParam<BackendChoice> {};
INSTANTIATE_TEST_SUITE_P(Both, Allocation, testing::Values(BackendChoice::uring, BackendChoice::epoll), backend_name);

TEST_P(Allocation, TheFastThreadTakesNoMemoryWhileItRuns) {
    make_veth_pair();
    auto channel = ControlChannel::make({.links = 2, .routers = 1}).value();
    auto chosen = make_backend(GetParam(), 2, channel->to_fast().fd());
    if (!chosen) GTEST_SKIP() << chosen.error().text();
    BusyEngine engine;
    std::ranges::copy(multicast_frame(0), engine.advert.begin());
    BasicFastLoop<BusyEngine> loop(engine, *channel, std::move(chosen->backend), {.link_count = 2}, nullptr);
    ASSERT_EQ(channel->hand_over(open_port(port_options("v0", 0))), nullptr);
    vigil::test::allocation_count = 0;
    std::thread thread([&] {
        vigil::test::is_counting_allocations = true;
        const auto ended = loop.run();
        vigil::test::is_counting_allocations = false;
        EXPECT_TRUE(ended);
    });
    Tap peer("v1");
    int returned = 0;
    int snapshots = 0;
    for (std::uint32_t i = 0; i < 200 && !HasFailure(); ++i) {
        EXPECT_TRUE(peer.send(multicast_frame(i)));
        channel->post(Command{});
        EXPECT_FALSE(peer.receive().empty());
        while (channel->next_event()) {
        }
        const auto refused = i % 40 == 20 ? channel->hand_over(open_port(port_options("v0", 0))) : nullptr;
        EXPECT_EQ(refused, nullptr);
        if (channel->take_returned() != nullptr) ++returned;
        channel->request_snapshot();
        if (channel->take_snapshot() == nullptr) continue;
        channel->release_snapshot();
        ++snapshots;
    }
    channel->request_stop();
    thread.join();
    EXPECT_GT(engine.frames_heard, 0u);
    EXPECT_GE(engine.adverts, 200u);
    EXPECT_GE(returned, 1);
    EXPECT_GE(snapshots, 1);
    EXPECT_EQ(vigil::test::allocation_count.load(), 0u);
    remove_veth_pair();
}

}  // namespace
}  // namespace vigil::io
