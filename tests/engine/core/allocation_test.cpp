// Between load and the millionth advert an engine takes no memory. This binary counts every operator new; a thousand routers, half of
// them Active, are driven through virtual time with frames received and sent.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "engine/core/journal.h"
#include "tests/engine/core/engine_harness.h"

namespace {
std::atomic<std::uint64_t> allocation_count{0};

void* counted(std::size_t size) {
    allocation_count.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    allocation_count.fetch_add(1, std::memory_order_relaxed);
    const auto boundary = static_cast<std::size_t>(alignment);
    if (void* memory = std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace vigil::test {
namespace {

using namespace vigil::engine;

constexpr std::size_t link_count = 4;

EngineSpec thousand_routers() {
    EngineSpec spec;
    spec.hmacs.push_back({.keys = {{1, std::vector<std::uint8_t>(32, 7)}}, .mode = HmacMode::permissive, .checks_time = false});
    for (std::size_t link = 0; link < link_count; ++link) spec.links.push_back({"lan" + std::to_string(link), lan_mac, true, true});
    for (int i = 0; i < 1000; ++i) {
        const auto vrid = static_cast<std::uint8_t>(1 + i % 250);
        RouterSpec router = i % 3 == 0 ? v2_router(vrid, Priority{100}) : v3_router(vrid, Priority{100});
        if (i % 30 == 0) router.auth_type = packet::AuthType::ah;
        if (i % 30 == 1 || i % 30 == 4) spec.hmac_users.push_back({RouterIndex{static_cast<std::uint32_t>(i)}, 0});
        router.link = LinkIndex{static_cast<std::uint16_t>(i / 250)};
        router.announced[0].link = router.link;
        router.announcements.refresh = 10s;
        spec.routers.push_back(std::move(router));
    }
    return spec;
}

/// Everything made before the count begins.
struct Traffic {
    struct One {
        Octets bytes;
        LinkIndex link;
    };
    std::vector<One> higher;   ///< keep the odd routers in Backup
    std::vector<One> noise;    ///< losing, refused and priority 0
};

Traffic make_traffic(const EngineSpec& spec) {
    Traffic traffic;
    for (std::size_t i = 0; i < spec.routers.size(); ++i) {
        const RouterSpec& router = spec.routers[i];
        const std::uint8_t vrid = to_number(router.vrid);
        const bool is_v2 = router.version == VrrpVersion::v2;
        if (i % 2 == 1) traffic.higher.push_back({(is_v2 ? v2_frame(vrid, 200) : v3_frame(vrid, 200)).build(), router.link});
        if (i % 30 == 1) traffic.noise.push_back({v3_frame(vrid, 200).hmac(std::string(32, 7), 1, i).build(), router.link});
        if (i % 50 == 0) traffic.noise.push_back({v3_frame(vrid, 50).build(), router.link});
        if (i % 50 == 2) traffic.noise.push_back({v3_frame(vrid, 50).bad_checksum().build(), router.link});
        if (i % 50 == 4) traffic.noise.push_back({v3_frame(vrid, 0).build(), router.link});
        if (i % 50 == 6) traffic.noise.push_back({v3_frame(251, 50).build(), router.link});
    }
    return traffic;
}

TEST(Allocation, NoneFromLoadToTheMillionthAdvert) {
    const EngineSpec spec = thousand_routers();
    const Traffic traffic = make_traffic(spec);
    auto engine = Engine::make(spec, at(0s));
    ASSERT_TRUE(engine.has_value()) << engine.error().text;
    TxBatch tx(256, 256, 65536);
    JournalRing ring(1 << 16);
    Journal journal(ring);
    std::array<Event, 64> events;
    std::array<std::uint8_t, 4096> sink;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;

    const std::uint64_t before = allocation_count.load();
    const auto transmit = [&] {
        sent += tx.urgent().size();
        journal.cleared(tx);
        tx.clear();
        while (engine->take_events(events) != 0) {}
        while (ring.read(sink) != 0) {}
    };
    const auto hear = [&](const Traffic::One& one, Instant now) {
        const RxFrame frame{one.bytes, now, one.link};
        while (engine->on_frames(std::span(&frame, 1), tx) == 0) transmit();
        journal.frames(std::span(&frame, 1));
        ++received;
    };
    const auto order = [&](const Command& command, Instant now) {
        while (!engine->on_command(command, now, tx)) transmit();
        journal.command(command, now);
        transmit();
    };
    order({.kind = Command::Kind::start}, at(0s));
    for (Instant now = at(0s); sent < 1'000'000; now = now + 10ms) {
        const std::int64_t pass = (now.ns - at(0s).ns) / 10'000'000;
        if (pass % 100 == 0) {
            for (const Traffic::One& one : traffic.higher) hear(one, now);
        }
        if (pass % 100 == 50) {
            for (const Traffic::One& one : traffic.noise) hear(one, now);
        }
        if (pass % 1000 == 400) order({.kind = Command::Kind::addresses_ready}, now);
        if (pass % 5000 == 3000) order({.kind = Command::Kind::link_down, .link = LinkIndex{1}}, now);
        if (pass % 5000 == 3010) order({.kind = Command::Kind::link_up, .link = LinkIndex{1}}, now);
        if (pass % 5000 == 4000) order({.kind = Command::Kind::report_states}, now);
        do {
            engine->on_time(now, tx);
            journal.time(now);
            transmit();
        } while (engine->next_deadline() <= now);
    }
    const std::uint64_t allocated = allocation_count.load() - before;
    std::printf("%llu adverts sent, %llu frames received, %llu announcements, %llu allocations\n", static_cast<unsigned long long>(sent),
                static_cast<unsigned long long>(received), static_cast<unsigned long long>(engine->counters().announcements),
                static_cast<unsigned long long>(allocated));
    EXPECT_EQ(allocated, 0u);
    EXPECT_GT(received, 100'000u);
    EXPECT_GT(engine->counters().announcements, 10'000u);
}

TEST(Allocation, TheCountSeesAnAllocation) {
    const std::uint64_t before = allocation_count.load();
    const std::vector<int> memory(1000, 1);
    EXPECT_EQ(allocation_count.load() - before, 1u) << memory.size();
}

}  // namespace
}  // namespace vigil::test
