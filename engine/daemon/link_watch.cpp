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
#include <array>
#include <numeric>
#include <unordered_set>
#include <utility>

#include <spdlog/spdlog.h>

#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

namespace kernel = arp::kernel;
using engine::Command;
using engine::Fault;

/// Its source changes with the addresses of its interface: it has none of its own, or must have that one (track_src_ip).
bool follows_addresses(const PlannedRouter& router) { return !router.has_fixed_source || router.settings->track_src_ip; }

/// A kind of device for people.
std::string_view device_kind(std::string_view kind) { return kind.empty() ? "hardware" : kind; }

}  // namespace

LinkWatch::LinkWatch(Plan& plan, KernelSide& kernel, FastThread& fast, AddressKeeper& keeper, VirtualMacRules& rules, Trackers& trackers,
                     RateLimiter& limiter, Options options)
    : plan_(plan), kernel_(kernel), fast_(fast), keeper_(keeper), rules_(rules), things_(trackers.things()), health_(trackers.interfaces()),
      limiter_(limiter), options_(std::move(options)), routers_of_(plan.links.size()), tracked_(make_tracked()) {
    health_.listen([this, alive = std::weak_ptr<bool>(alive_)](const std::string& name) {
        if (!alive.expired()) on_health(name);
    });
    for (std::size_t i = 0; i < plan.links.size(); ++i) {
        const auto state = kernel.monitor().links().find(plan.links[i].interface_index);
        links_.push_back({.is_up = plan.engine.links[i].is_up, .mac = plan.engine.links[i].mac,
                          .master = state == kernel.monitor().links().end() ? 0 : state->second.master});
        by_name_.emplace(plan.links[i].name, i);
    }
    for (std::size_t i = 0; i < plan.routers.size(); ++i) {
        routers_of_[engine::to_number(plan.routers[i].link)].push_back(static_cast<std::uint32_t>(i));
    }
}

void LinkWatch::start(Instant now) {
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) make_macvlan(i);
    make_devices();
    rules_.build();
    std::vector<std::size_t> all(plan_.links.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    open_new_ports(all);
    note_all(now);
    correct_states();
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) leave_own_link_alone(i);
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, link] : kernel_.monitor().links()) numbers.push_back(number);
    tracked_.update(numbers);
}

bool LinkWatch::is_used(const std::string& name) const {
    return by_name_.contains(name) || things_.find(ThingKind::interface, name) != ThingIndex::none;
}

/// What there is counts as it is; what comes later waits as any that comes up.
void LinkWatch::note_all(Instant now) {
    std::unordered_set<std::string_view> there;
    for (const auto& [index, state] : kernel_.monitor().links()) {
        there.insert(state.name);
        if (is_used(state.name)) health_.note(state, now);
    }
    for (const auto& [name, link] : by_name_) {
        if (!there.contains(name)) health_.note_gone(name);
    }
    for (const ThingIndex thing : things_.of_kind(ThingKind::interface)) {
        if (!there.contains(things_[thing].name)) health_.note_gone(things_[thing].name);
    }
}

/// The plan has links as the kernel says they are, which need not be what they count for.
void LinkWatch::correct_states() {
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        const auto state = kernel_.monitor().links().find(plan_.links[i].interface_index);
        if (!plan_.links[i].is_used || state == kernel_.monitor().links().end()) continue;
        const bool is_up = health_.is_up(state->second);
        if (plan_.engine.links[i].is_up != is_up) set_up(i, is_up);
    }
}

/// A poll or the end of a delay.
void LinkWatch::on_health(const std::string& name) {
    const kernel::LinkState* found = kernel_.monitor().find_link(name);
    if (found == nullptr) return;
    const kernel::LinkState state = *found;
    on_link(state, io::clock::now());
    tracked_.update(std::array{state.index});
    options_.wake();
}

void LinkWatch::open_new_ports(const std::vector<std::size_t>& which) {
    const std::vector<bool> is_open = fast_.open_ports(plan_.links, which);
    for (const std::size_t i : which) {
        if (is_open[i]) continue;
        plan_.links[i].interface_index = 0;  // retry() comes back to it
        fast_.send({.kind = Command::Kind::link_gone, .link = engine::LinkIndex{static_cast<std::uint16_t>(i)}});
    }
}

/// dont_track_primary
void LinkWatch::leave_own_link_alone(std::size_t router) {
    const bool has_link = plan_.links[engine::to_number(plan_.routers[router].link)].interface_index != 0;
    if (plan_.routers[router].ignores_own_link && has_link) send_to_router(Command::Kind::clear_fault, router, Fault::link_down);
}

void LinkWatch::go_on_from(const LinkWatch& before, const std::vector<engine::RouterIndex>& predecessors, Instant now) {
    kinds_of_gone_ = before.kinds_of_gone_;
    open_new_ports(keep_ports(before));
    correct_states();
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
        if (predecessors[i] != engine::RouterIndex::none && before.deviceless_.contains(engine::to_number(predecessors[i]))) deviceless_.insert(i);
        make_macvlan(i);
        note_own_address(i);
        if (predecessors[i] == engine::RouterIndex::none) leave_own_link_alone(i);
        else go_on(i, before, engine::to_number(predecessors[i]));
    }
    make_devices();
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
            if (link->is_gone) on_link_gone(link->link);
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
            kinds_of_gone_[plan_.links[i].name] = state.kind;
            disappear(i);
        }
    }
    if (is_used(state.name)) health_.note(state, now);
    keep_macvlan_up(state, now);
    const auto found = by_name_.find(state.name);
    if (found == by_name_.end()) return;
    const std::size_t link = found->second;
    if (plan_.links[link].interface_index != state.index) return appear(link, state, now);
    set_mac(link, state.mac);
    follow_to_vrf(link, state);
    const bool is_up = health_.is_up(state);
    if (links_[link].is_up == is_up) return;
    const bool is_by_message = is_up == (state.is_up && state.is_running);
    spdlog::info("{}{} {}", is_by_message ? "Netlink reports " : "", state.name, is_up ? "up" : "down");
    set_up(link, is_up);
    if (is_up) keeper_.on_link_usable(engine::LinkIndex{static_cast<std::uint16_t>(link)}, now);
}

void LinkWatch::on_link_gone(const kernel::LinkState& state) {
    const std::uint32_t index = state.index;
    keeper_.on_interface_gone(index);
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        if (plan_.links[i].interface_index != index) continue;
        spdlog::warn("Netlink reports {} deleted", plan_.links[i].name);
        kinds_of_gone_[plan_.links[i].name] = state.kind;
        disappear(i);
    }
    if (is_used(state.name)) health_.note_gone(state.name);
    for (const std::size_t router : std::vector<std::size_t>(deviceless_.begin(), deviceless_.end())) make_macvlan(router);   // it had the name, or was in the way
    const auto& devices = kernel_.macvlans().devices();
    if (const auto macvlan = devices.find(index); macvlan != devices.end()) {
        const std::string name = macvlan->second.name;
        kernel_.macvlans().forget(index);
        own_addresses_.erase(index);
        spdlog::warn("Netlink reports {} deleted", name);
        for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
            if (plan_.routers[i].macvlan && keeper_.macvlan(i) == 0) make_macvlan(i);
        }
        make_devices();
    }
}

void LinkWatch::appear(std::size_t link, const kernel::LinkState& state, Instant now) {
    PlannedLink& planned = plan_.links[link];
    if (planned.interface_index != 0) {
        disappear(link);
        health_.note(state, now);
    }
    planned.interface_index = state.index;
    if (state.is_loopback || !fast_.open_port(engine::LinkIndex{static_cast<std::uint16_t>(link)}, planned)) {
        planned.interface_index = 0;  // retry() comes back to it
        return;
    }
    spdlog::info("Netlink reports {} appeared", state.name);
    tell_other_kind(state);
    set_mac(link, state.mac);
    links_[link].master = state.master;
    links_[link].has_stale_sources = true;
    refresh_stale_sources();
    for (const std::uint32_t router : routers_of_[link]) make_macvlan(router);
    make_devices();
    kernel_.on_interface_appeared(state.name);
    rules_.on_link_appeared(engine::LinkIndex{static_cast<std::uint16_t>(link)});
    links_[link].is_up = false;
    set_up(link, health_.is_up(state));
    keeper_.on_link_usable(engine::LinkIndex{static_cast<std::uint16_t>(link)}, now);
}

/// By name it is the interface that instances were written for, so it is used; but somebody may have mixed up names.
void LinkWatch::tell_other_kind(const kernel::LinkState& state) {
    const auto gone = kinds_of_gone_.extract(state.name);
    if (gone.empty() || gone.mapped() == state.kind) return;
    const std::string text = fmt::format("{} is another kind of device than before ({} instead of {}); it is used all the same", state.name,
                                         device_kind(state.kind), device_kind(gone.mapped()));
    if (options_.may_change_kind) spdlog::info(text);
    else spdlog::warn("{}. 'dynamic_interfaces allow_if_changes' says that this is meant", text);
}

void LinkWatch::retry(Instant now) {
    for (const std::size_t router : std::vector<std::size_t>(deviceless_.begin(), deviceless_.end())) make_macvlan(router);
    for (std::size_t i = 0; i < plan_.links.size(); ++i) {
        if (plan_.links[i].interface_index != 0) continue;
        if (const kernel::LinkState* state = kernel_.monitor().find_link(plan_.links[i].name)) appear(i, kernel::LinkState(*state), now);
    }
}

void LinkWatch::disappear(std::size_t link) {
    const engine::LinkIndex index{static_cast<std::uint16_t>(link)};
    plan_.links[link].interface_index = 0;
    links_[link].is_up = false;
    health_.note_gone(plan_.links[link].name);
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
    if (options_.logs_addresses) {
        spdlog::info("Netlink reports address {}/{} {} on interface number {}", to_string(key.address), key.prefix_length,
                     event.is_gone ? "removed" : "present", key.interface_index);
    }
    // A later message of the same wake may have put it back: what counts is what is there now.
    if (event.is_gone && !kernel_.monitor().has_address(key)) {
        if (restore_own_address(key, now)) return;
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
            if (follows_addresses(plan_.routers[router])) refresh_source(router, addresses);
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
    const auto source = planned.has_fixed_source
                            ? find_source(addresses, interface_index, *planned.settings->source_address)
                            : choose_source(addresses, interface_index, planned.settings->family, plan_.addresses_of(planned), planned.is_owner());
    if (source == planned.source) return;
    if (source) spdlog::info("({}) sends from {} now", planned.name, to_string(*source));
    else if (planned.has_fixed_source) spdlog::warn("({}) {} does not have {} any more, which it sends from", planned.name, planned.interface(), to_string(*planned.source));
    else spdlog::warn("({}) has no address to send from any more", planned.name);
    planned.source = source;
    Command command{.kind = Command::Kind::set_primary_address, .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}};
    if (source) command.address = source->octets;
    fast_.send(command);
}

bool LinkWatch::is_interface_running(std::string_view name) const {
    const kernel::LinkState* link = kernel_.monitor().find_link(name);
    return link != nullptr && health_.is_up(*link);
}

TrackedInterfaces LinkWatch::make_tracked() {
    const auto name_of = [this](std::uint32_t number) {
        const auto& links = kernel_.monitor().links();
        const auto found = links.find(number);
        return found == links.end() ? std::string() : found->second.name;
    };
    return {things_, {.name_of = name_of,
                      .is_running = [this](std::string_view name) { return is_interface_running(name); },
                      .is_told_of_elsewhere = [this](std::string_view name) { return by_name_.contains(std::string(name)); }}};
}

void LinkWatch::send_to_router(Command::Kind kind, std::size_t router, Fault fault, int value) {
    fast_.send({.kind = kind, .fault = fault, .value = static_cast<std::uint8_t>(value),
                .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}});
}

}  // namespace vigil::daemon
