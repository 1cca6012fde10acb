// Interfaces come, go, flap, are renamed and change their addresses; routers follow.
//
// The engine knows links by index, the kernel by number, the configuration by name. Name is what counts: an interface that is deleted and made
// again is the same link with another number and another port. A renamed interface is gone under its old name and may appear under its new
// one.
//
// dont_track_primary: the engine's link commands concern all routers of the link, so for links with such a router faults are set router by
// router.

#include "engine/daemon/link_watch.h"

#include <algorithm>
#include <numeric>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

namespace kernel = arp::kernel;
using engine::Command;
using engine::Fault;

bool is_running(const kernel::LinkState& link) { return link.is_up && link.is_running; }

}  // namespace

LinkWatch::LinkWatch(Plan& plan, KernelSide& kernel, FastThread& fast, AddressKeeper& keeper, VirtualMacRules& rules, TrackedThings& things,
                     RateLimiter& limiter, bool logs_addresses)
    : plan_(plan), kernel_(kernel), fast_(fast), keeper_(keeper), rules_(rules), limiter_(limiter),
      logs_addresses_(logs_addresses), routers_of_(plan.links.size()), tracked_(make_tracked(things)) {
    for (std::size_t i = 0; i < plan.links.size(); ++i) {
        links_.push_back({plan.engine.links[i].is_up, plan.engine.links[i].mac, false});
        by_name_.emplace(plan.links[i].name, i);
    }
    for (std::size_t i = 0; i < plan.routers.size(); ++i) {
        routers_of_[engine::to_number(plan.routers[i].link)].push_back(static_cast<std::uint32_t>(i));
    }
}

void LinkWatch::start() {
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) make_macvlan(i);
    rules_.build();
    std::vector<std::size_t> all(plan_.links.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    open_new_ports(all);
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) leave_own_link_alone(i);
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, link] : kernel_.monitor().links()) numbers.push_back(number);
    tracked_.update(numbers);
}

void LinkWatch::open_new_ports(const std::vector<std::size_t>& which) {
    const std::vector<bool> is_open = fast_.open_ports(plan_.links, which);
    for (const std::size_t i : which) {
        if (is_open[i]) continue;
        plan_.links[i].interface_index = 0;  // retry_ports() comes back to it
        fast_.send({.kind = Command::Kind::link_gone, .link = engine::LinkIndex{static_cast<std::uint16_t>(i)}});
    }
}

/// dont_track_primary
void LinkWatch::leave_own_link_alone(std::size_t router) {
    const bool has_link = plan_.links[engine::to_number(plan_.routers[router].link)].interface_index != 0;
    if (plan_.routers[router].ignores_own_link && has_link) send_to_router(Command::Kind::clear_fault, router, Fault::link_down);
}

void LinkWatch::go_on_from(const LinkWatch& before, const std::vector<engine::RouterIndex>& predecessors, Instant now) {
    open_new_ports(keep_ports(before));
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
        make_macvlan(i);
        if (predecessors[i] == engine::RouterIndex::none) leave_own_link_alone(i);
        else go_on(i, before, engine::to_number(predecessors[i]));
    }
    // What has changed since `before` last looked.
    const auto links = kernel_.monitor().links();
    std::vector<std::uint32_t> numbers;
    for (const auto& [index, state] : links) {
        on_link(state, now);
        numbers.push_back(index);
    }
    tracked_.update(numbers);
}

/// Links are as `before` last saw them; what is different now is a change like any other. Returns those that it did not have.
std::vector<std::size_t> LinkWatch::keep_ports(const LinkWatch& before) {
    std::vector<std::size_t> is_new;
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        PlannedLink& planned = plan_.links[i];
        const engine::LinkIndex link{static_cast<std::uint16_t>(i)};
        const bool was_used = i < before.links_.size() && before.plan_.links[i].is_used;
        if (!planned.is_used) {
            if (was_used && before.plan_.links[i].interface_index != 0) fast_.close_port(link);
            continue;
        }
        if (!was_used) {
            is_new.push_back(i);
            continue;
        }
        links_[i] = before.links_[i];
        planned.interface_index = before.plan_.links[i].interface_index;
        if (planned.interface_index != 0 && !fast_.refit_port(link, planned)) disappear(i);
    }
    return is_new;
}

void LinkWatch::go_on(std::size_t router, const LinkWatch& before, std::size_t predecessor) {
    const std::optional<IpAddress> source = plan_.routers[router].source;
    if (source == before.plan_.routers[predecessor].source) return;
    Command command{.kind = Command::Kind::set_primary_address, .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}};
    if (source) command.address = source->octets;
    fast_.send(command);
}

void LinkWatch::on_events(const std::vector<kernel::KernelEvent>& events, Instant now) {
    for (const kernel::KernelEvent& event : events) {
        if (const auto* link = std::get_if<kernel::LinkEvent>(&event)) {
            if (link->is_gone) on_link_gone(link->link.index);
            else on_link(link->link, now);
        } else if (const auto* address = std::get_if<kernel::AddressEvent>(&event)) {
            on_address(*address, now);
        } else if (std::holds_alternative<kernel::ResyncNeeded>(event)) {
            spdlog::warn("Kernel messages were lost; reading all links and addresses again");
            if (!resync(now)) spdlog::warn("Links and addresses change too quickly to be read; trying again");
        }
    }
    refresh_stale_sources();
    std::vector<std::uint32_t> numbers;
    for (const kernel::KernelEvent& event : events) {
        if (const auto* link = std::get_if<kernel::LinkEvent>(&event)) numbers.push_back(link->link.index);
    }
    tracked_.update(numbers);
}

bool LinkWatch::resync(Instant now) {
    auto difference = kernel_.monitor().resync();
    if (!difference) return false;
    on_events(*difference, now);
    return true;
}

void LinkWatch::on_link(const kernel::LinkState& state, Instant now) {
    // Known by number under another name: renamed.
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        if (plan_.links[i].interface_index == state.index && plan_.links[i].name != state.name) {
            spdlog::info("Netlink reports {} was renamed to {}", plan_.links[i].name, state.name);
            disappear(i);
        }
    }
    keep_macvlan_up(state, now);
    const auto found = by_name_.find(state.name);
    if (found == by_name_.end()) return;
    const std::size_t link = found->second;
    if (plan_.links[link].interface_index != state.index) return appear(link, state, now);
    set_mac(link, state.mac);
    if (links_[link].is_up == is_running(state)) return;
    spdlog::info("Netlink reports {} {}", state.name, is_running(state) ? "up" : "down");
    set_up(link, is_running(state));
    if (is_running(state)) keeper_.on_link_usable(engine::LinkIndex{static_cast<std::uint16_t>(link)}, now);
}

/// An Active's virtual MAC device that somebody set down answers no ARP and takes no packet, while our adverts keep the others quiet.
void LinkWatch::keep_macvlan_up(const kernel::LinkState& state, Instant now) {
    if (state.is_up || !kernel_.macvlans().devices().contains(state.index)) return;
    const auto current = kernel_.monitor().links().find(state.index);
    if (current == kernel_.monitor().links().end() || current->second.is_up) return;  // our own, and raised since
    const auto router = keeper_.raise_again(state.index);
    if (!router || !limiter_.admit(fmt::format("{} set down", state.name), now)) return;
    spdlog::warn("({}) somebody set its virtual MAC device {} down; raised it again", plan_.routers[*router].name, state.name);
}

void LinkWatch::on_link_gone(std::uint32_t index) {
    keeper_.on_interface_gone(index);
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        if (plan_.links[i].interface_index != index) continue;
        spdlog::warn("Netlink reports {} deleted", plan_.links[i].name);
        disappear(i);
    }
    const auto& devices = kernel_.macvlans().devices();
    if (const auto macvlan = devices.find(index); macvlan != devices.end()) {
        const std::string name = macvlan->second.name;
        kernel_.macvlans().forget(index);
        spdlog::warn("Netlink reports {} deleted", name);
        for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
            if (plan_.routers[i].macvlan && keeper_.macvlan(i) == 0) make_macvlan(i);
        }
    }
}

void LinkWatch::appear(std::size_t link, const kernel::LinkState& state, Instant now) {
    PlannedLink& planned = plan_.links[link];
    if (planned.interface_index != 0) disappear(link);
    planned.interface_index = state.index;
    if (state.is_loopback || !fast_.open_port(engine::LinkIndex{static_cast<std::uint16_t>(link)}, planned)) {
        planned.interface_index = 0;  // retry_ports() comes back to it
        return;
    }
    spdlog::info("Netlink reports {} appeared", state.name);
    set_mac(link, state.mac);
    links_[link].has_stale_sources = true;
    refresh_stale_sources();
    for (const std::uint32_t router : routers_of_[link]) make_macvlan(router);
    rules_.on_link_appeared(engine::LinkIndex{static_cast<std::uint16_t>(link)});
    links_[link].is_up = false;
    set_up(link, is_running(state));
    keeper_.on_link_usable(engine::LinkIndex{static_cast<std::uint16_t>(link)}, now);
}

void LinkWatch::retry_ports(Instant now) {
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        if (plan_.links[i].interface_index != 0) continue;
        if (const kernel::LinkState* state = kernel_.monitor().find_link(plan_.links[i].name)) appear(i, kernel::LinkState(*state), now);
    }
}

void LinkWatch::disappear(std::size_t link) {
    const engine::LinkIndex index{static_cast<std::uint16_t>(link)};
    plan_.links[link].interface_index = 0;
    links_[link].is_up = false;
    fast_.send({.kind = Command::Kind::link_gone, .link = index});
    fast_.close_port(index);
    rules_.on_link_gone(index);
}

void LinkWatch::set_up(std::size_t link, bool is_up) {
    links_[link].is_up = is_up;
    const engine::LinkIndex index{static_cast<std::uint16_t>(link)};
    if (is_up) return fast_.send({.kind = Command::Kind::link_up, .link = index});
    for (const std::uint32_t i : routers_of_[link]) {
        if (plan_.routers[i].ignores_own_link) {
            send_to_router(Command::Kind::clear_fault, i, Fault::link_gone);
            send_to_router(Command::Kind::clear_fault, i, Fault::link_down);
        } else {
            send_to_router(Command::Kind::set_fault, i, Fault::link_down);
            send_to_router(Command::Kind::clear_fault, i, Fault::link_gone);
        }
    }
}

void LinkWatch::set_mac(std::size_t link, const MacAddress& mac) {
    if (links_[link].mac == mac) return;
    links_[link].mac = mac;
    Command command{.kind = Command::Kind::set_link_mac, .link = engine::LinkIndex{static_cast<std::uint16_t>(link)}};
    std::copy(mac.octets.begin(), mac.octets.end(), command.address.begin());
    fast_.send(command);
}

void LinkWatch::on_address(const kernel::AddressEvent& event, Instant now) {
    const kernel::AddressKey& key = event.address.key;
    if (logs_addresses_) {
        spdlog::info("Netlink reports address {}/{} {} on interface number {}", to_string(key.address), key.prefix_length,
                     event.is_gone ? "removed" : "present", key.interface_index);
    }
    // A later message of the same wake may have put it back: what counts is what is there now.
    if (event.is_gone && !kernel_.monitor().has_address(key)) {
        for (const AddressKeeper::Loss& loss : keeper_.on_address_gone(key, now)) repair(loss, key, now);
    }
    const auto link = link_with_number(key.interface_index);
    if (!link || links_[*link].has_stale_sources) return;
    // A source that went, or an address for routers that have none; anything else moves nobody.
    links_[*link].has_stale_sources = std::any_of(routers_of_[*link].begin(), routers_of_[*link].end(), [&](std::uint32_t router) {
        return event.is_gone ? plan_.routers[router].source == key.address : !plan_.routers[router].source;
    });
}

/// keepalived's answer to a deleted virtual address is to say stop and be Backup again; whoever then wins adds it anew. Ours is to put it back.
void LinkWatch::repair(const AddressKeeper::Loss& loss, const kernel::AddressKey& key, Instant now) {
    using Remedy = AddressKeeper::Loss::Remedy;
    const std::string_view name = plan_.routers[loss.router].name;
    const std::string what = fmt::format("({}) somebody deleted address {}", name, to_string(key.address));
    if (limiter_.admit(what, now)) {
        spdlog::warn("{}; {}", what,
                     loss.remedy == Remedy::step_back ? "stepping back"
                     : loss.remedy == Remedy::put_back ? "putting it back"
                                                       : "again and again: putting it back in a second; find out who does it");
    }
    if (loss.remedy == Remedy::step_back) step_back(loss.router);
}

void LinkWatch::step_back(std::size_t router) {
    send_to_router(Command::Kind::shutdown, router);
    send_to_router(Command::Kind::start, router);
}

/// Once per wake, however many addresses changed: thousands of our own come and go in one failover.
void LinkWatch::refresh_stale_sources() {
    if (std::none_of(links_.begin(), links_.end(), [](const Link& link) { return link.has_stale_sources; })) return;
    const auto addresses = group_by_interface(kernel_.dump_addresses());  // in the kernel's order, which the monitor does not keep
    for (std::size_t link = 0; link < links_.size(); ++link) {
        if (!std::exchange(links_[link].has_stale_sources, false)) continue;
        for (const std::uint32_t router : routers_of_[link]) {
            if (!plan_.routers[router].has_fixed_source) refresh_source(router, addresses);
        }
    }
}

std::optional<std::size_t> LinkWatch::link_with_number(std::uint32_t interface_index) const {
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        if (plan_.links[i].interface_index == interface_index) return i;
    }
    return std::nullopt;
}

void LinkWatch::refresh_source(std::size_t router, const AddressesByInterface& addresses) {
    PlannedRouter& planned = plan_.routers[router];
    const std::uint32_t interface_index = plan_.links[engine::to_number(planned.link)].interface_index;
    if (const auto there = addresses.find(interface_index); there != addresses.end() && planned.source) {
        const auto is_source = [&](const kernel::AddressState& one) { return one.key.address == *planned.source; };
        if (std::any_of(there->second.begin(), there->second.end(), is_source)) return;
    }
    const auto source = choose_source(addresses, interface_index, planned.settings->family, plan_.addresses_of(planned), planned.is_owner());
    if (source == planned.source) return;
    planned.source = source;
    if (source) spdlog::info("({}) sends from {} now", planned.name, to_string(*source));
    else spdlog::warn("({}) has no address to send from any more", planned.name);
    Command command{.kind = Command::Kind::set_primary_address, .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}};
    if (source) command.address = source->octets;
    fast_.send(command);
}

void LinkWatch::make_macvlan(std::size_t router) {
    const PlannedRouter& planned = plan_.routers[router];
    const PlannedLink& link = plan_.links[engine::to_number(planned.link)];
    if (!planned.macvlan || link.interface_index == 0 || keeper_.macvlan(router) != 0) return;
    auto device = kernel_.macvlans().create(*planned.macvlan);
    if (!device) {
        spdlog::error("({}) cannot make its virtual MAC device on {}: {}; its addresses cannot be set", planned.name, planned.interface(),
                      to_string(device.error()));
        return;
    }
    spdlog::info("({}) virtual MAC device {} on {}", planned.name, device->name, planned.interface());
    for (const kernel::KernelError& warning : device->warnings) {
        spdlog::warn("({}) {}: a setting could not be made: {}", planned.name, device->name, to_string(warning));
    }
    keeper_.set_macvlan(router, device->index);
}

bool LinkWatch::is_interface_running(std::string_view name) const {
    const kernel::LinkState* link = kernel_.monitor().find_link(name);
    return link != nullptr && is_running(*link);
}

TrackedInterfaces LinkWatch::make_tracked(TrackedThings& things) {
    const auto name_of = [this](std::uint32_t number) {
        const auto& links = kernel_.monitor().links();
        const auto found = links.find(number);
        return found == links.end() ? std::string() : found->second.name;
    };
    return {things, {.name_of = name_of,
                     .is_running = [this](std::string_view name) { return is_interface_running(name); },
                     .is_told_of_elsewhere = [this](std::string_view name) { return by_name_.contains(std::string(name)); }}};
}

void LinkWatch::send_to_router(Command::Kind kind, std::size_t router, Fault fault, int value) {
    fast_.send({.kind = kind, .fault = fault, .value = static_cast<std::uint8_t>(value),
                .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}});
}

}  // namespace vigil::daemon
