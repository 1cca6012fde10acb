#include <benchmark/benchmark.h>
#include <liburing.h>
#include <sys/socket.h>

#include <vector>

#include "bench/veth_lan.h"
#include "engine/io/backend.h"
#include "engine/io/clock.h"
#include "engine/io/doorbell.h"

// What it costs to hand prebuilt adverts to the kernel over a veth pair where nobody listens: our two backends against the barest loops
// over the same kernel interfaces, in one run. The time is the kernel's for the most part; the difference is ours.

namespace vigil::bench {
namespace {

constexpr std::size_t most_per_submit = 512;

void report(benchmark::State& state, std::size_t frames) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames));
    state.counters["per_advert"] = benchmark::Counter(static_cast<double>(frames),
                                                      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// The limit: SENDs with success skipped, one registered socket, nothing else.
void transmit_raw_uring(benchmark::State& state) {
    if (const auto missing = make_pairs(1); !missing.empty()) return state.SkipWithError(missing.c_str());
    const auto frames = static_cast<std::size_t>(state.range(0));
    const auto ports = open_ports("t", 1);
    const Adverts adverts(frames);
    io_uring ring;
    if (::io_uring_queue_init(most_per_submit, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0) {
        return state.SkipWithError("missing: io_uring");
    }
    const int fd = ports[0]->packet().transmit_fd();
    ::io_uring_register_files(&ring, &fd, 1);
    for (auto _ : state) {
        for (std::size_t i = 0; i < frames;) {
            for (std::size_t k = 0; k < most_per_submit && i < frames; ++k, ++i) {
                io_uring_sqe* request = ::io_uring_get_sqe(&ring);
                ::io_uring_prep_send(request, 0, adverts[i], Adverts::size, MSG_DONTWAIT);
                request->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
            }
            ::io_uring_submit(&ring);
        }
    }
    report(state, frames);
    ::io_uring_queue_exit(&ring);
}

void transmit_raw_sendmmsg(benchmark::State& state) {
    if (const auto missing = make_pairs(1); !missing.empty()) return state.SkipWithError(missing.c_str());
    const auto frames = static_cast<std::size_t>(state.range(0));
    const auto ports = open_ports("t", 1);
    const Adverts adverts(frames);
    std::vector<mmsghdr> messages(frames);
    std::vector<iovec> bytes(frames);
    for (auto _ : state) {
        for (std::size_t i = 0; i < frames; ++i) {
            bytes[i] = {const_cast<std::uint8_t*>(adverts[i]), Adverts::size};
            messages[i] = {};
            messages[i].msg_hdr.msg_iov = &bytes[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        for (std::size_t sent = 0; sent < frames;) {
            const auto count = static_cast<unsigned>(std::min(frames - sent, most_per_submit));
            const int result = ::sendmmsg(ports[0]->packet().transmit_fd(), &messages[sent], count, MSG_DONTWAIT);
            if (result <= 0) return state.SkipWithError("sendmmsg failed");
            sent += static_cast<std::size_t>(result);
        }
    }
    report(state, frames);
}

/// range(0) frames, dealt round over range(1) links.
void transmit_backend(benchmark::State& state, io::BackendChoice choice) {
    const auto frames = static_cast<std::size_t>(state.range(0));
    const auto links = static_cast<std::size_t>(state.range(1));
    if (const auto missing = make_pairs(static_cast<int>(links)); !missing.empty()) return state.SkipWithError(missing.c_str());
    auto bell = io::Doorbell::make();
    auto chosen = io::make_backend(choice, links, bell->fd());
    if (!chosen) return state.SkipWithError(chosen.error().text().c_str());
    io::Backend& backend = *chosen->backend;
    if (!backend.attach_to_this_thread()) return state.SkipWithError("cannot attach");
    auto ports = open_ports("t", links);
    for (auto& port : ports) backend.attach(*port);
    const Adverts adverts(frames);
    std::vector<engine::TxFrame> batch;
    for (std::size_t i = 0; i < frames; ++i) {
        batch.push_back({.data = adverts[i], .size = Adverts::size, .link = engine::LinkIndex{static_cast<std::uint16_t>(i % links)}});
    }
    std::size_t failed = 0;
    for (auto _ : state) {
        backend.queue(batch);
        backend.finish(io::Backend::no_wait);
        failed += backend.take_errors().size();
    }
    report(state, frames);
    if (failed != 0) state.SkipWithError("frames were refused");
    chosen->backend.reset();
    io::close_ports(std::move(ports));
}

void sizes(benchmark::internal::Benchmark* bench) { bench->Arg(1)->Arg(64)->Arg(512)->Arg(4096); }
void sizes_and_links(benchmark::internal::Benchmark* bench) {
    bench->Args({1, 1})->Args({64, 1})->Args({512, 1})->Args({4096, 1})->Args({4096, 16});
}

BENCHMARK(transmit_raw_uring)->Apply(sizes);
BENCHMARK(transmit_raw_sendmmsg)->Apply(sizes);
BENCHMARK_CAPTURE(transmit_backend, uring, io::BackendChoice::uring)->Apply(sizes_and_links);
BENCHMARK_CAPTURE(transmit_backend, epoll, io::BackendChoice::epoll)->Apply(sizes_and_links);

}  // namespace
}  // namespace vigil::bench
