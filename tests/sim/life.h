#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/timer_wheel.h"
#include "tests/sim/lan.h"

namespace vigil::sim {

inline constexpr Nanoseconds tick{engine::TimerWheel<engine::VirtualRouter>::tick_ns};

struct Outcome {
    std::vector<Violation> violations;
    std::uint64_t frames = 0;
    std::uint64_t transitions = 0;
    Nanoseconds virtual_time{0};
};

using Story = std::function<void(Instant, const std::string&)>;

/// All that is random in a life, from one seed.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    std::int64_t between(std::int64_t low, std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(low, high)(random_); }
    std::size_t below(std::size_t end) { return static_cast<std::size_t>(between(0, static_cast<std::int64_t>(end) - 1)); }
    bool chance(int percent) { return between(1, 100) <= percent; }
    template <class T, std::size_t N>
    T one_of(const std::array<T, N>& values) {
        return values[below(N)];
    }

private:
    std::mt19937_64 random_;
};

/// What is known of a life before it begins.
struct LifePlan {
    std::vector<HostSpec> hosts;
    std::size_t router_count = 1;    ///< of each host
    Nanoseconds interval{0};         ///< between adverts, the longest of all hosts
    Nanoseconds settle{0};           ///< calm needed until the invariants hold
    bool greatest_wins = true;       ///< every host preempts without delay, and nothing but its priority counts
    Weather trouble;
    Weather calm;
};

/// Hosts that live through trouble and then through calm, and what must hold after calm whatever they are. Takes a plan and dice that outlive it.
class Life {
public:
    Life(const LifePlan& plan, Dice& dice, std::uint64_t seed, const Story& story);
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;

    Lan& lan() { return lan_; }
    /// All hosts are started.
    void begin();
    /// Some rounds of trouble, in its weather.
    void live_in_trouble(const std::function<void()>& trouble);
    /// Running hosts on which this router is Active.
    std::vector<std::size_t> actives(std::size_t router) const;
    /// Each router is Active on exactly one host, and where the greatest wins on the greatest.
    void check_settled(std::string_view when);
    /// So many intervals without a transition.
    void stay(int intervals, std::string_view when);
    /// The host that is Active for the first of these routers stops. If `in_time`, another is for each of them within the largest Skew_Time, one tick, one
    /// granule and the delay of the wire; at last all is settled.
    void stop_the_active(std::span<const std::size_t> routers, bool in_time);
    Outcome outcome() const { return {lan_.violations(), lan_.frames_sent(), transitions_, Nanoseconds{lan_.now().ns}}; }

private:
    const LifePlan& plan_;
    Dice& dice_;
    Lan lan_;
    std::uint64_t transitions_ = 0;
};

}  // namespace vigil::sim
