#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arp/kernel/kernel_state.h"
#include "arp/kernel/link_probe.h"
#include "config/interface_definitions.h"
#include "engine/daemon/rate_limiter.h"
#include "packet/units.h"

namespace vigil::daemon {

/// Whether an interface counts as up: what the kernel says of it, or what a poll finds (linkbeat_interfaces), and that not before it has lasted
/// for as long as interface_up_down_delays want. Without a word about it in the configuration an interface is what the kernel says, at no cost.
///
/// Lives as long as the VRRP process: a delay that runs, runs on through a reload. Control thread.
class InterfaceHealth {
public:
    /// Is the link of this name good? nullopt: cannot be asked.
    using Probe = std::function<std::optional<bool>(const std::string& name, std::optional<config::LinkProbe> first)>;

    explicit InterfaceHealth(boost::asio::io_context& io) : InterfaceHealth(io, {}) {}
    /// With another way to ask, for tests.
    InterfaceHealth(boost::asio::io_context& io, Probe probe);
    ~InterfaceHealth();

    /// From now on. Takes a copy of what it needs.
    void configure(const config::InterfaceDefinitions& definitions);
    /// The kernel says this of an interface that somebody uses. One that was never seen counts as what it is.
    void note(const arp::kernel::LinkState& state, Instant now);
    /// There is none of that name (any more): down at once, and when one comes it waits as any that comes up.
    void note_gone(std::string_view name);
    bool is_up(const arp::kernel::LinkState& state) const;
    /// Asks the polled ones. Once a second.
    void poll(Instant now);

    /// Called when an interface counts for something else, but for what note() and note_gone() do: with its name. There is one listener at a time.
    void listen(std::function<void(const std::string&)> listener) { listener_ = std::move(listener); }

private:
    struct Health {
        bool counts_as_up = false;
        bool is_set_up = false;            // by the administrator
        bool is_running = false;           // the kernel's word
        std::optional<bool> poll_result;   // the last one, where it is polled and can be
        bool is_polled_in_vain = false;    // which has been said
        std::optional<Instant> due;        // when it counts for what it is now, if it stays so
    };
    struct Delays {
        Nanoseconds down{0};
        Nanoseconds up{0};

        friend bool operator==(const Delays&, const Delays&) = default;
    };

    bool is_polled(const std::string& name) const { return polls_all_ || polled_.contains(name); }
    bool is_concerned(const std::string& name) const { return is_polled(name) || delays_.contains(name); }
    static bool is_good(const Health& health) {
        return health.is_set_up && health.poll_result.value_or(health.is_running);
    }
    std::optional<bool> ask(const std::string& name, std::optional<config::LinkProbe> first);
    void ask_about(const std::string& name, Health& health);
    void settle(const std::string& name, Health& health, Instant now);
    void set_timer(Instant now);
    void on_timer();
    void tell(const std::vector<std::string>& names);

    Probe probe_;
    std::optional<arp::kernel::LinkProbe> link_probe_;
    boost::asio::steady_timer timer_;
    RateLimiter limiter_;
    std::unordered_map<std::string, Delays> delays_;
    std::unordered_map<std::string, std::optional<config::LinkProbe>> polled_;
    bool polls_all_ = false;
    bool is_timer_stale_ = false;
    std::unordered_map<std::string, Health> healths_;   // those with a delay or a poll, once they have been seen
    std::function<void(const std::string&)> listener_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
