// vigil_observer: hears every advertisement and announcement that arrives on any interface of its network namespace, and says at the end, in
// JSON, what it heard and what it missed. It takes part in nothing and asks no daemon.
//
// One thread sleeps until a block of the ring is full or 20 ms old and then walks it: at 408,000 adverts a second that is a few hundred
// wake-ups and some per cent of a core. It writes "ready" to standard output when the socket hears, and ends at SIGINT or SIGTERM, after
// --seconds, or when the window has passed.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>

#include "bench/lab/observer/report.h"

namespace {

using vigil::Nanoseconds;
namespace lab = vigil::lab;

struct Options {
    std::size_t ring_mebibytes = 128;
    std::size_t routers = 1 << 17;
    std::size_t addresses = 1 << 17;
    double seconds = 0;          ///< 0: until a signal
    std::int64_t from_ns = 0;    ///< CLOCK_MONOTONIC; what arrives before does not count
    std::int64_t until_ns = 0;   ///< 0: no end
    std::string report_path;     ///< empty: standard output
};

Nanoseconds monotonic_now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return Nanoseconds{now.tv_sec * 1'000'000'000LL + now.tv_nsec};
}

/// SIGINT and SIGTERM become readable on the descriptor returned.
vigil::io::FileDescriptor make_signal_descriptor() {
    sigset_t wanted;
    ::sigemptyset(&wanted);
    ::sigaddset(&wanted, SIGINT);
    ::sigaddset(&wanted, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
    return vigil::io::FileDescriptor(::signalfd(-1, &wanted, SFD_CLOEXEC));
}

/// When to stop by itself.
Nanoseconds find_end(const Options& options) {
    Nanoseconds end = Nanoseconds::max();
    if (options.seconds > 0) end = monotonic_now() + Nanoseconds{static_cast<std::int64_t>(options.seconds * 1e9)};
    if (options.until_ns > 0) end = std::min(end, Nanoseconds{options.until_ns});
    return end;
}

void observe(lab::CaptureRing& ring, lab::Statistics& statistics, int signals, Nanoseconds end) {
    constexpr Nanoseconds longest_sleep{1'000'000'000};
    // The last frames' block is handed over only when it is old enough.
    constexpr Nanoseconds grace{4'000'000LL * lab::CaptureRing::retire_milliseconds};
    const auto take = [&](vigil::packet::Bytes bytes, std::uint32_t interface_index, Nanoseconds arrival) {
        statistics.add(lab::read_sighting(bytes), interface_index, arrival);
    };
    for (bool is_last = false;;) {
        pollfd waited[] = {{ring.descriptor(), POLLIN, 0}, {signals, POLLIN, 0}};
        const Nanoseconds left = std::clamp(end - monotonic_now(), Nanoseconds{0}, longest_sleep);
        ::poll(waited, 2, static_cast<int>(left.count() / 1'000'000) + 1);
        ring.drain(take);
        if (is_last) return;
        if ((waited[1].revents & POLLIN) != 0 || monotonic_now() >= end) {
            const timespec pause{0, grace.count()};
            ::nanosleep(&pause, nullptr);
            is_last = true;
        }
    }
}

int run(const Options& options) {
    auto ring = lab::CaptureRing::open(options.ring_mebibytes);
    if (!ring) {
        std::fprintf(stderr, "vigil_observer: %s\n", ring.error().text().c_str());
        return 1;
    }
    lab::Window window{.from = Nanoseconds{options.from_ns}};
    if (options.until_ns > 0) window.until = Nanoseconds{options.until_ns};
    lab::Statistics statistics(options.routers, options.addresses, window);
    const vigil::io::FileDescriptor signals = make_signal_descriptor();
    std::puts("ready");
    std::fflush(stdout);
    observe(*ring, statistics, signals.get(), find_end(options));
    const std::string report = lab::make_report(statistics, ring->take_counters(), ring->clock_drift());
    if (options.report_path.empty()) {
        std::puts(report.c_str());
        return 0;
    }
    std::ofstream file(options.report_path);
    file << report << '\n';
    file.close();
    if (!file) std::fprintf(stderr, "vigil_observer: cannot write %s\n", options.report_path.c_str());
    return file ? 0 : 1;
}

}  // namespace

int main(int argument_count, char** arguments) {
    Options options;
    CLI::App app("Hears VRRP, gratuitous ARP and neighbour advertisements on every interface of this network namespace, and reports in JSON.");
    app.add_option("--seconds", options.seconds, "stop after so long; default: at SIGINT");
    app.add_option("--from-ns", options.from_ns, "count arrivals from this CLOCK_MONOTONIC time on");
    app.add_option("--until-ns", options.until_ns, "count arrivals before this CLOCK_MONOTONIC time, and stop then");
    app.add_option("--ring-mib", options.ring_mebibytes, "size of the receive ring")->check(CLI::Range(1, 4096))->capture_default_str();
    app.add_option("--routers", options.routers, "room for so many routers and sources")->check(CLI::Range(1, 1 << 24))->capture_default_str();
    app.add_option("--addresses", options.addresses, "room for so many announced addresses")->check(CLI::Range(1, 1 << 24))->capture_default_str();
    app.add_option("--report", options.report_path, "write the report to this file");
    CLI11_PARSE(app, argument_count, arguments);
    return run(options);
}
