#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "engine/core/virtual_host.h"

namespace vigil::sim {

/// What the wire does to a frame. All random, from one seed.
struct Weather {
    Nanoseconds least_delay{0};
    Nanoseconds most_delay{0};       ///< a spread larger than the distance of two frames reorders them
    double loss = 0;                 ///< probability per receiver
    double duplication = 0;
};

/// What a host sends and how it is scheduled. Its links with the same index are on the same LAN.
struct HostSpec {
    engine::EngineSpec engine;
    IpAddress address;               ///< of the host, for unicast delivery
    Nanoseconds granularity{1};      ///< it wakes only at multiples of this
    Nanoseconds wall_clock_ahead{0}; ///< of virtual time; for signatures
};

/// A broken invariant, in words.
struct Violation {
    Instant at;
    std::string text;
};

/// n engines on one LAN or several, in virtual time, with real frames between them. Everything follows from the seed.
class Lan {
public:
    Lan(std::vector<HostSpec> hosts, std::uint64_t seed);

    Instant now() const { return now_; }
    std::size_t host_count() const { return hosts_.size(); }
    bool is_running(std::size_t host) const { return hosts_[host].machine.has_value() && !hosts_[host].is_stopped; }
    const engine::VirtualRouter& router(std::size_t host, std::size_t index) const;

    void set_weather(const Weather& weather) { weather_ = weather; }
    /// Hosts hear only those of their own side.
    void set_side(std::size_t host, int side) { std::fill(hosts_[host].sides.begin(), hosts_[host].sides.end(), side); }
    void set_side(std::size_t host, std::size_t link, int side) { hosts_[host].sides.at(link) = side; }
    /// Power on: a new engine, started.
    void start(std::size_t host);
    /// Orderly stop: priority 0.
    void stop(std::size_t host);
    /// Power off, or kill -9.
    void crash(std::size_t host);
    /// The process gets no CPU until then; frames wait in its ring.
    void pause(std::size_t host, Instant until);
    void set_priority(std::size_t host, std::size_t index, Priority priority);
    /// Anything else that a control thread may ask for. Nothing happens while the host is off or paused.
    void command(std::size_t host, const engine::Command& command, std::string_view story);
    /// From now on two adverts of one router in a row must be one interval apart, to within one tick and one granule.
    void watch_intervals(bool watch);
    /// From now on somebody records every advert, and with each that is sent plays one of the earlier ones to everybody, of any router of any time since.
    void replay_adverts() { is_replaying_ = true; }

    void run_until(Instant end);

    const std::vector<Violation>& violations() const { return violations_; }
    std::uint64_t frames_sent() const { return frames_sent_; }
    void violate(std::string text) { violations_.push_back({now_, std::move(text)}); }

    /// Called for every transition.
    std::function<void(std::size_t host, const engine::Event&)> on_transition = [](std::size_t, const engine::Event&) {};
    /// Called after everything that a host did.
    std::function<void(std::size_t host)> on_step = [](std::size_t) {};
    /// Called for every line of the story, for a person who replays a seed.
    std::function<void(Instant, const std::string&)> on_story;

private:
    struct Delivery {
        Instant at;
        std::uint64_t order;   // equal instants keep the order of sending
        std::size_t host;
        engine::LinkIndex link;
        std::vector<std::uint8_t> bytes;
        bool operator>(const Delivery& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
    };
    struct Waiting {
        Instant arrival;
        engine::LinkIndex link;
        std::vector<std::uint8_t> bytes;
    };
    struct Host {
        HostSpec spec;
        std::optional<engine::VirtualHost> machine;
        std::vector<Waiting> ring;
        std::vector<engine::State> shadow;   // what the events say
        std::vector<Instant> last_advert;    // by router; 0: not watched yet
        Instant paused_until{};
        Instant was_paused_until{};          // lateness is excused up to here
        std::vector<int> sides;              // by link
        bool is_stopped = false;
    };

    Instant wake_time(const Host& host) const;
    void wake(std::size_t index);
    void check_timers(std::size_t index, const std::vector<engine::VirtualRouter>& before, bool heard_nothing);
    void check_patience(std::size_t index, const std::vector<engine::VirtualRouter>& before);
    void check_shadow(std::size_t index);
    void sent(std::size_t from, Instant at, const engine::TxFrame& frame);
    void check_interval(std::size_t from, std::size_t router);
    void deliver_to_all(std::size_t from, engine::LinkIndex link, std::span<const std::uint8_t> bytes, const IpAddress& destination);
    void happened(std::size_t index, const engine::Event& event);
    void replay_one(engine::LinkIndex link, std::span<const std::uint8_t> bytes, const IpAddress& destination);
    void tell(const std::string& text) const;

    std::vector<Host> hosts_;
    std::priority_queue<Delivery, std::vector<Delivery>, std::greater<>> wire_;
    std::mt19937_64 random_;
    Weather weather_;
    Instant now_{};
    std::uint64_t order_ = 0;
    std::uint64_t frames_sent_ = 0;
    bool watches_intervals_ = false;
    bool is_replaying_ = false;
    struct Recorded {
        engine::LinkIndex link;
        std::vector<std::uint8_t> bytes;
        IpAddress destination;
    };
    std::vector<Recorded> recorded_;
    std::vector<Violation> violations_;
    std::vector<engine::Event> just_happened_;
    std::vector<std::size_t> just_sent_;     // routers
};

}  // namespace vigil::sim
