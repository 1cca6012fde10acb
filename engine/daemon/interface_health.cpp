// Polls and delays between the kernel's word about an interface and what is made of it.
//
// Two things can be wrong with that word. It may never come: some drivers tell of no lost carrier, and are asked once a second instead. And it may
// come too often: an interface that bounces would take its routers through FAULT each time, so a change counts when it has lasted.
//
// The three facts (set up, running, poll) make one truth, "good". What counts follows the truth, at once or after a delay that starts with the first
// moment in which they differ and ends when they agree again. So a bounce that ends in time leaves no trace but a line in the log, and a link that
// bounces for ever keeps the state that it had, as in keepalived.
//
// With a poll the kernel's IFF_RUNNING does not count, because it is what cannot be relied on; IFF_UP does. Where neither transceiver nor driver can be
// asked, the flags are polled, which is the kernel's word once a second.
//
// An interface that is deleted is down without a delay: there is nothing left to wait for.

#include "engine/daemon/interface_health.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "engine/daemon/reporter.h"
#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

using arp::kernel::LinkProbe;

double in_seconds(Nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

/// The one that was asked for, and then in keepalived's order.
std::vector<LinkProbe::Question> questions(std::optional<config::LinkProbe> first) {
    std::vector<LinkProbe::Question> order{&LinkProbe::ask_transceiver, &LinkProbe::ask_driver, &LinkProbe::ask_flags};
    if (first == config::LinkProbe::ethtool) std::rotate(order.begin(), order.begin() + 1, order.begin() + 2);
    if (first == config::LinkProbe::ioctl) std::rotate(order.begin(), order.begin() + 2, order.end());
    return order;
}

}  // namespace

InterfaceHealth::InterfaceHealth(boost::asio::io_context& io, Probe probe) : probe_(std::move(probe)), timer_(io) {
    if (!probe_) probe_ = [this](const std::string& name, std::optional<config::LinkProbe> first) { return ask(name, first); };
}

InterfaceHealth::~InterfaceHealth() { *alive_ = false; }

void InterfaceHealth::configure(const config::InterfaceDefinitions& definitions) {
    const auto delays_before = std::exchange(delays_, {});
    polled_.clear();
    for (const config::InterfaceDelay& delay : definitions.delays) delays_.emplace(delay.name, Delays{delay.down, delay.up});
    for (const config::PolledInterface& polled : definitions.polled) polled_.emplace(polled.name, polled.probe);
    polls_all_ = definitions.polls_all;
    std::erase_if(healths_, [this](const auto& entry) { return !is_concerned(entry.first); });
    for (auto& [name, health] : healths_) {
        if (!is_polled(name)) health.poll_result.reset();
        const auto before = delays_before.find(name);
        const auto now = delays_.find(name);
        const bool is_same = before == delays_before.end() ? now == delays_.end() : now != delays_.end() && before->second == now->second;
        if (!is_same) health.due.reset();   // the next note() or poll() begins anew, with the delay that it has now
    }
}

void InterfaceHealth::note(const arp::kernel::LinkState& state, Instant now) {
    if (!is_concerned(state.name)) return;
    const auto [found, is_new] = healths_.try_emplace(state.name);
    Health& health = found->second;
    const bool was_asked = health.poll_result.has_value() || health.is_polled_in_vain;
    health.is_set_up = state.is_up;
    health.is_running = state.is_running;
    if (is_polled(state.name) && !was_asked) ask_about(state.name, health);
    if (is_new) health.counts_as_up = is_good(health);
    settle(state.name, health, now);
    set_timer(now);
}

void InterfaceHealth::note_gone(std::string_view name) {
    const std::string key(name);
    if (is_concerned(key)) healths_.insert_or_assign(key, Health());
}

bool InterfaceHealth::is_up(const arp::kernel::LinkState& state) const {
    const auto found = healths_.find(state.name);
    return found == healths_.end() ? state.is_up && state.is_running : found->second.counts_as_up;
}

std::optional<bool> InterfaceHealth::ask(const std::string& name, std::optional<config::LinkProbe> first) {
    if (!link_probe_) {
        auto opened = LinkProbe::open();
        if (!opened) return std::nullopt;
        link_probe_.emplace(std::move(*opened));
    }
    for (const LinkProbe::Question question : questions(first)) {
        if (const auto answer = ((*link_probe_).*question)(name)) return answer;
    }
    return std::nullopt;
}

void InterfaceHealth::ask_about(const std::string& name, Health& health) {
    const auto polled = polled_.find(name);
    health.poll_result = probe_(name, polled == polled_.end() ? std::nullopt : polled->second);
    if (health.poll_result || std::exchange(health.is_polled_in_vain, true)) return;
    spdlog::warn("{}: the state of the link cannot be asked for; it is taken from netlink", name);
}

void InterfaceHealth::poll(Instant now) {
    write_summaries(limiter_, now);
    std::vector<std::string> changed;
    for (auto& [name, health] : healths_) {
        if (!is_polled(name)) continue;
        const bool counted = health.counts_as_up;
        ask_about(name, health);
        settle(name, health, now);
        if (health.counts_as_up != counted) changed.push_back(name);
    }
    set_timer(now);
    tell(changed);
}

void InterfaceHealth::settle(const std::string& name, Health& health, Instant now) {
    const bool good = is_good(health);
    if (good == health.counts_as_up) {
        if (!health.due) return;
        health.due.reset();
        is_timer_stale_ = true;
        if (limiter_.admit(name, now)) spdlog::info("{} is {} again within its delay: nothing changes", name, good ? "up" : "down");
        return;
    }
    const auto delays = delays_.find(name);
    const Nanoseconds delay = delays == delays_.end() ? Nanoseconds{0} : good ? delays->second.up : delays->second.down;
    if (delay == Nanoseconds{0} || (health.due && *health.due <= now)) {
        health.counts_as_up = good;
        health.due.reset();
        return;
    }
    if (health.due) return;
    health.due = now + delay;
    is_timer_stale_ = true;
    if (limiter_.admit(name, now)) spdlog::info("{} is {}; it counts in {:g} s if it stays so", name, good ? "up" : "down", in_seconds(delay));
}

void InterfaceHealth::set_timer(Instant now) {
    if (!std::exchange(is_timer_stale_, false)) return;
    std::optional<Instant> first;
    for (const auto& [name, health] : healths_) {
        if (health.due && (!first || *health.due < *first)) first = health.due;
    }
    if (!first) {
        timer_.cancel();
        return;
    }
    timer_.expires_after(std::max(Nanoseconds{0}, *first - now));
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (*alive && !error) on_timer();
    });
}

void InterfaceHealth::on_timer() {
    const Instant now = io::clock::now();
    std::vector<std::string> changed;
    for (auto& [name, health] : healths_) {
        if (!health.due || *health.due > now) continue;
        settle(name, health, now);
        changed.push_back(name);
    }
    is_timer_stale_ = true;
    set_timer(now);
    tell(changed);
}

void InterfaceHealth::tell(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (listener_) listener_(name);
    }
}

}  // namespace vigil::daemon
