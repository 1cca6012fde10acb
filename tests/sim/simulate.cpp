// simulate [--count N] [--first SEED] [--seed SEED]: runs N random LANs with consecutive seeds, or replays one seed with its whole story.
// simulate --groups [the same]: hosts with sync groups on several LANs.
// simulate --dense LANS: two hosts with 255 virtual routers on each of so many LANs (1-256), through a fixed story.

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "tests/sim/dense.h"
#include "tests/sim/random_groups.h"
#include "tests/sim/random_lan.h"

namespace {

using namespace vigil;

using Run = sim::Outcome (*)(std::uint64_t, const sim::Story&);

int replay(Run run, std::uint64_t seed) {
    const auto outcome = run(seed, [](Instant at, const std::string& text) {
        fmt::print("{:14.6f} {}\n", static_cast<double>(at.ns) / 1e9, text);
    });
    for (const sim::Violation& violation : outcome.violations) {
        fmt::print("{:14.6f} VIOLATION {}\n", static_cast<double>(violation.at.ns) / 1e9, violation.text);
    }
    return outcome.violations.empty() ? 0 : 1;
}

int run_many(Run run, std::uint64_t first, std::uint64_t count) {
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t failed = 0, frames = 0, transitions = 0;
    double virtual_seconds = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const auto outcome = run(seed, {});
        frames += outcome.frames;
        transitions += outcome.transitions;
        virtual_seconds += std::chrono::duration<double>(outcome.virtual_time).count();
        if (outcome.violations.empty()) continue;
        if (++failed <= 10) {
            fmt::print("seed {}: {} (and {} more); replay with: simulate {}--seed {}\n", seed, outcome.violations[0].text,
                       outcome.violations.size() - 1, run == sim::run_random_groups ? "--groups " : "", seed);
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    fmt::print("{} random LANs (seeds {}-{}), {:.0f} s of virtual time, {} frames sent, {} transitions: {} violated an invariant; took {:.1f} s\n",
               count, first, first + count - 1, virtual_seconds, frames, transitions, failed, took.count());
    return failed == 0 ? 0 : 1;
}

int run_dense(std::size_t links) {
    if (links < 1 || links > 256) return fmt::print("--dense takes 1 to 256 LANs\n"), 2;
    const auto begin = std::chrono::steady_clock::now();
    const auto outcome = sim::run_dense_lans(links, 255);
    for (const std::string& violation : outcome.violations) fmt::print("VIOLATION {}\n", violation);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    fmt::print("{} virtual routers on {} LANs, two hosts: {:.1f} s of virtual time, {} frames sent, {} transitions, {} violations; took {:.1f} s\n",
               outcome.routers, links, outcome.virtual_seconds, outcome.frames, outcome.transitions, outcome.violations.size(), took.count());
    return outcome.violations.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t first = 1, count = 10'000;
    Run run = sim::run_random_lan;
    int next = 1;
    if (argc > 1 && argv[1] == std::string_view("--groups")) {
        run = sim::run_random_groups;
        ++next;
    }
    for (int i = next; i + 1 < argc; i += 2) {
        const std::string_view option = argv[i];
        const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
        if (option == "--seed") return replay(run, value);
        if (option == "--dense") return run_dense(value);
        if (option == "--first") first = value;
        else if (option == "--count") count = value;
        else return fmt::print("unknown option {}\n", option), 2;
    }
    return run_many(run, first, count);
}
