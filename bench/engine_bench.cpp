// One election step and one timer, over 65,280 routers (256 links x 255 VRIDs) in random order, so that every step misses the caches
// as it does in a dense gateway.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <random>

#include "engine/core/engine.h"

namespace {

using namespace vigil;
using engine::LinkIndex;

constexpr std::size_t link_count = 256;
constexpr std::size_t vrid_count = 255;
constexpr std::size_t router_count = link_count * vrid_count;

engine::EngineSpec dense_spec() {
    engine::EngineSpec spec;
    for (std::size_t link = 0; link < link_count; ++link) spec.links.push_back({.name = "eth" + std::to_string(link), .mac = {}, .is_up = true});
    for (std::size_t i = 0; i < router_count; ++i) {
        engine::RouterSpec router;
        router.link = LinkIndex{static_cast<std::uint16_t>(i / vrid_count)};
        router.version = VrrpVersion::v3;
        router.vrid = Vrid{static_cast<std::uint8_t>(1 + i % vrid_count)};
        router.primary_address = ipv4(10, 0, 0, 1);
        router.source_mac = virtual_mac(Family::ipv4, router.vrid);
        router.group = vrrp_group_ipv4;
        router.advertised = {ipv4(10, 1, static_cast<std::uint8_t>(i / vrid_count), static_cast<std::uint8_t>(i % vrid_count))};
        router.announced = {{router.advertised[0], router.link, router.source_mac}};
        spec.routers.push_back(router);
    }
    return spec;
}

engine::TxBatch batch() { return engine::TxBatch(1024, 1024, 1 << 18); }

/// All routers started, at instant 1 s.
engine::Engine started_engine(engine::TxBatch& tx) {
    auto engine = std::move(*engine::Engine::make(dense_spec(), Instant{1'000'000'000}));
    while (!engine.on_command({.kind = engine::Command::Kind::start}, Instant{1'000'000'000}, tx)) tx.clear();
    return engine;
}

void drain(engine::Engine& engine) {
    std::array<engine::Event, 256> events;
    while (engine.take_events(events) != 0) {}
}

/// Parse, checks, lookup, state machine, timer: an acceptable advert for a Backup.
void ElectionStep(benchmark::State& state) {
    auto tx = batch();
    auto engine = started_engine(tx);
    drain(engine);
    std::vector<std::array<std::uint8_t, 64>> frames(router_count);
    std::vector<engine::RxFrame> rx(router_count);
    const auto spec = dense_spec();
    // The routers speak in random order; their frames lie in the ring one behind the other.
    std::vector<std::size_t> order(router_count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937 random(1);
    std::ranges::shuffle(order, random);
    for (std::size_t i = 0; i < router_count; ++i) {
        const engine::RouterSpec& router = spec.routers[order[i]];
        packet::AdvertisementSpec advert;
        advert.version = VrrpVersion::v3;
        advert.vrid = router.vrid;
        advert.priority = Priority{200};
        advert.source = ipv4(10, 0, 0, 2);
        advert.destination = vrrp_group_ipv4;
        advert.addresses = router.advertised;
        const auto frame = packet::build_advertisement_frame(advert, frames[i]);
        rx[i] = {.bytes = frame->bytes(), .link = router.link};
    }
    Instant now{1'000'000'001};
    const auto next_round = [&] {
        now = now + Nanoseconds{100'000'000};
        for (auto& frame : rx) frame.arrival = now;
        drain(engine);
    };
    next_round();
    engine.on_frames(rx, tx);   // the first advert of a new sender is compared and reported: not the common case
    for (auto _ : state) {
        state.PauseTiming();
        next_round();
        state.ResumeTiming();
        benchmark::DoNotOptimize(engine.on_frames(rx, tx));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(router_count));
    state.counters["ns_per_step"] = benchmark::Counter(static_cast<double>(state.iterations()) * router_count,
                                                       benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(ElectionStep)->Unit(benchmark::kMicrosecond);

/// All Active: Adver_Timer fires, the frame goes into the batch, the timer is armed again. The figure is for one advert.
void AdvertTimer(benchmark::State& state) {
    auto tx = batch();
    auto engine = started_engine(tx);
    Instant now{1'000'000'000};
    const auto run_until = [&](Instant end) {
        std::int64_t sent = 0;
        for (; now < end; now = now + Nanoseconds{1'000'000}) {
            do {
                tx.clear();
                engine.on_time(now, tx);
                sent += static_cast<std::int64_t>(tx.urgent().size());
            } while (!tx.is_empty());
            drain(engine);
        }
        return sent;
    };
    run_until(Instant{10'000'000'000});
    std::int64_t sent = 0;
    for (auto _ : state) sent += run_until(now + Nanoseconds{1'000'000'000});
    state.SetItemsProcessed(sent);
    state.counters["ns_per_advert"] = benchmark::Counter(static_cast<double>(sent), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(AdvertTimer)->Unit(benchmark::kMicrosecond);

void WheelArmLater(benchmark::State& state) {
    std::vector<engine::VirtualRouter> records(router_count);
    engine::TimerWheel<engine::VirtualRouter> wheel;
    for (std::uint32_t i = 0; i < router_count; ++i) wheel.arm(records, i, Instant{3'600'000'000});
    std::vector<std::uint32_t> order(router_count);
    std::iota(order.begin(), order.end(), 0u);
    std::mt19937 random(1);
    std::ranges::shuffle(order, random);
    std::int64_t deadline = 3'600'000'000;
    std::size_t i = 0;
    for (auto _ : state) wheel.arm(records, order[i++ % router_count], Instant{++deadline});
}
BENCHMARK(WheelArmLater);

void Load(benchmark::State& state) {
    const auto spec = dense_spec();
    for (auto _ : state) benchmark::DoNotOptimize(engine::Engine::make(spec, Instant{}));
}
BENCHMARK(Load)->Unit(benchmark::kMillisecond);

/// A reload as the packet thread sees it: an engine with the same routers goes on where the present one stands.
void Adopt(benchmark::State& state) {
    auto tx = batch();
    const auto before = started_engine(tx);
    const auto spec = dense_spec();
    std::vector<engine::RouterIndex> same(router_count);
    for (std::uint32_t i = 0; i < router_count; ++i) same[i] = engine::RouterIndex{i};
    std::optional<engine::Engine> successor;
    for (auto _ : state) {
        state.PauseTiming();
        successor.reset();
        successor.emplace(std::move(*engine::Engine::make(spec, Instant{1'000'000'000})));
        state.ResumeTiming();
        successor->adopt(before, same, Instant{1'000'000'000});
    }
}
BENCHMARK(Adopt)->Unit(benchmark::kMillisecond)->Iterations(50);

}  // namespace
