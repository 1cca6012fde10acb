#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <chrono>
#include <vector>

#include "bench/veth_lan.h"
#include "engine/io/clock.h"
#include "engine/io/file_descriptor.h"

// Receiving: what a frame costs us once it lies in a ring, what it costs the kernel to put it there, and what an idle ring costs per pass;
// for one ring per interface (what PacketPort does) and for one ring for all interfaces.

namespace vigil::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr io::RingGeometry per_link_ring{.slot_bytes = 256, .least_slots = 256};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A ring that hears every interface, for comparison, or one side of the filter on one.
struct SharedRing {
    io::FileDescriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
    io::RxRing ring;

    explicit SharedRing(std::uint32_t slots, io::FilterSide side = io::FilterSide::adverts, unsigned interface_index = 0) {
        const int on = 1;
        ::setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
        const io::RingGeometry geometry{.slot_bytes = 256, .least_slots = slots};
        io::FilterOptions filter;
        filter.capture_bytes = geometry.frame_bytes();
        (void)io::attach_packet_filter(socket.get(), filter, side);
        if (auto mapped = io::RxRing::map(socket.get(), geometry)) ring = std::move(*mapped);
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_ALL);
        address.sll_ifindex = static_cast<int>(interface_index);
        (void)!::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
};

/// Reads and gives back everything; returns how many frames.
std::size_t drain(io::RxRing& ring, const io::clock::ArrivalWindow& window) {
    static std::vector<engine::RxFrame> frames(256);
    std::size_t total = 0;
    while (const std::size_t count = ring.read(frames, engine::LinkIndex{0}, window)) {
        for (std::size_t i = 0; i < count; ++i) benchmark::DoNotOptimize(frames[i].bytes[11] + frames[i].arrival.ns);
        ring.release(count);
        total += count;
    }
    return total;
}

struct Senders {
    std::vector<std::unique_ptr<io::LinkPort>> ports;
    Adverts adverts{256};

    explicit Senders(std::size_t links) : ports(open_ports("t", links)) {}
    ~Senders() { io::close_ports(std::move(ports)); }
    /// `frames_per_link` over each link; returns how many left.
    std::size_t send(std::size_t frames_per_link) {
        std::size_t sent = 0;
        for (auto& port : ports) {
            for (std::size_t i = 0; i < frames_per_link; ++i) {
                if (::send(port->packet().transmit_fd(), adverts[i % 256], Adverts::size, MSG_DONTWAIT) > 0) ++sent;
            }
        }
        return sent;
    }
};

template <class HasAll, class DrainAll>
void measure(benchmark::State& state, Senders& senders, HasAll has_all, DrainAll drain_all) {
    double arrival_seconds = 0;
    std::size_t frames = 0;
    for (auto _ : state) {
        const auto sending = Clock::now();
        const std::size_t sent = senders.send(static_cast<std::size_t>(state.range(1)));
        arrival_seconds += seconds_since(sending);
        for (int i = 0; i < 1'000'000 && !has_all(); ++i) {
        }
        const auto draining = Clock::now();
        const io::clock::ArrivalWindow window{io::clock::realtime_to_boot(), Instant{0}, Instant{INT64_MAX}};
        if (drain_all(window) != sent) return state.SkipWithError("frames were lost");
        state.SetIterationTime(seconds_since(draining));
        frames += sent;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(frames));
    state.counters["per_frame"] = benchmark::Counter(static_cast<double>(frames), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["send_and_arrive_ns"] = arrival_seconds * 1e9 / static_cast<double>(frames);
}

/// range(0) links, range(1) frames on each.
void receive_ring_per_link(benchmark::State& state) {
    const auto links = static_cast<std::size_t>(state.range(0));
    if (const auto missing = make_pairs(static_cast<int>(links)); !missing.empty()) return state.SkipWithError(missing.c_str());
    Senders senders(links);
    auto ports = open_ports("r", links, per_link_ring);
    measure(
        state, senders, [&] { return ports.back()->packet().ring().has_frame(); },
        [&](const io::clock::ArrivalWindow& window) {
            std::size_t total = 0;
            for (auto& port : ports) total += drain(port->packet().ring(), window);
            return total;
        });
    io::close_ports(std::move(ports));
}

void receive_ring_for_all(benchmark::State& state) {
    const auto links = static_cast<std::size_t>(state.range(0));
    if (const auto missing = make_pairs(static_cast<int>(links)); !missing.empty()) return state.SkipWithError(missing.c_str());
    Senders senders(links);
    SharedRing shared(static_cast<std::uint32_t>(links) * per_link_ring.slot_count());
    measure(
        state, senders, [&] { return shared.ring.has_frame(); },
        [&](const io::clock::ArrivalWindow& window) { return drain(shared.ring, window); });
}

/// A pass over range(0) rings of which none has a frame.
void look_at_idle_rings(benchmark::State& state) {
    const auto links = static_cast<std::size_t>(state.range(0));
    if (const auto missing = make_pairs(static_cast<int>(links)); !missing.empty()) return state.SkipWithError(missing.c_str());
    auto ports = open_ports("r", links, per_link_ring);
    for (auto _ : state) {
        for (auto& port : ports) benchmark::DoNotOptimize(port->packet().ring().has_frame());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    io::close_ports(std::move(ports));
}

enum class Foreign : std::int64_t { other_protocol, other_hop_limit };

/// What a frame that is not for us costs from the send call to the end of its way, with range(0) sockets that refuse it: none, the one that takes
/// adverts, that one and the one that counts junk. range(1) is the kind of frame.
void refuse(benchmark::State& state) {
    if (const auto missing = make_pairs(1); !missing.empty()) return state.SkipWithError(missing.c_str());
    Senders sender(1);
    Adverts frames(1);
    if (Foreign{state.range(1)} == Foreign::other_protocol) frames.bytes[23] = 17;
    else frames.bytes[22] = 1;
    std::vector<std::unique_ptr<SharedRing>> sockets;
    const unsigned interface_index = ::if_nametoindex("r0");
    if (state.range(0) >= 1) sockets.push_back(std::make_unique<SharedRing>(64, io::FilterSide::adverts, interface_index));
    if (state.range(0) >= 2) sockets.push_back(std::make_unique<SharedRing>(16, io::FilterSide::junk, interface_index));
    const int fd = sender.ports[0]->packet().transmit_fd();
    for (auto _ : state) (void)!::send(fd, frames[0], Adverts::size, MSG_DONTWAIT);
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(refuse)->ArgsProduct({{0, 1, 2}, {0, 1}})->Repetitions(5)->ReportAggregatesOnly();
BENCHMARK(receive_ring_per_link)->UseManualTime()->Iterations(200)->Args({1, 200})->Args({64, 64})->Args({256, 16});
BENCHMARK(receive_ring_for_all)->UseManualTime()->Iterations(200)->Args({1, 200})->Args({64, 64})->Args({256, 16});
BENCHMARK(look_at_idle_rings)->Arg(1)->Arg(64)->Arg(256);

}  // namespace
}  // namespace vigil::bench
