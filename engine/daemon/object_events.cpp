// What the kernel tells, and what it may mean for objects that are there (object_keeper.cpp says why "may").
//
// Messages are many when thousands of addresses move in one failover, so each is looked up in an index and never held against all objects; only links that go
// down and devices that lose their last address are, because they are few.

#include <algorithm>

#include <spdlog/spdlog.h>

#include "engine/daemon/object_keeper.h"

namespace vigil::daemon {
namespace {

namespace kernel = arp::kernel;
using config::ConfiguredRoute;
using config::ConfiguredRule;
using config::StaticAddress;

constexpr Nanoseconds put_back_delay = std::chrono::seconds{1};
constexpr Nanoseconds calm_between_deletions = std::chrono::seconds{10};
constexpr unsigned deletions_put_back_at_once = 5;

enum class Place : std::size_t { route, rule, address };

std::size_t hash_of(Place place, std::uint64_t a, std::uint64_t b = 0) {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
    return static_cast<std::size_t>(((a * odd ^ b) * odd ^ static_cast<std::uint64_t>(place)) * odd >> 8);
}

std::size_t hash_of(Place place, const IpAddress& address) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, address.octets.data(), sizeof high);
    std::memcpy(&low, address.octets.data() + sizeof high, sizeof low);
    return hash_of(place, high, low);
}

std::size_t hash_of(const kernel::RouteState& state) { return hash_of(Place::route, state.destination.address); }
std::size_t hash_of(const kernel::RuleState& state) { return hash_of(Place::rule, state.priority); }

bool is_at(const ObjectText& text, const kernel::RouteState& state) {
    const auto* const route = std::get_if<ConfiguredRoute>(&text);
    if (route == nullptr || route->destination.address != state.destination.address || route->destination.length != state.destination.length) return false;
    const std::uint32_t table = route->table == 0 ? config::main_table : route->table;
    const std::uint32_t default_metric = route->family() == Family::ipv6 ? kernel::default_ipv6_metric : 0;
    const std::uint32_t metric = route->metric.value_or(0) == 0 ? default_metric : *route->metric;
    return (!route->vrf.empty() || table == state.table) && metric == state.metric && route->tos == state.tos;
}

bool is_at(const ObjectText& text, const kernel::RuleState& state) {
    const auto* const rule = std::get_if<ConfiguredRule>(&text);
    return rule != nullptr && rule->family == state.family && rule->priority == state.priority && static_cast<std::uint8_t>(rule->action) == state.action &&
           rule->table == state.table;
}

bool is_in(const IpAddress& address, const IpAddress& network, unsigned length) {
    if (address.family != network.family) return false;
    for (unsigned bit = 0; bit < length; ++bit) {
        const unsigned mask = 0x80u >> (bit % 8);
        if (((address.octets[bit / 8] ^ network.octets[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

/// May a new address be what a refused object has waited for?
bool may_wait_for(const ObjectText& text, const kernel::AddressState& address) {
    const auto* const route = std::get_if<ConfiguredRoute>(&text);
    if (route == nullptr) return false;
    const auto is_reached = [&](const config::RouteNexthop& nexthop) {
        return nexthop.gateway && is_in(*nexthop.gateway, address.key.peer.value_or(address.key.address), address.key.prefix_length);
    };
    return route->preferred_source == address.key.address || is_reached(route->next) || std::ranges::any_of(route->nexthops, is_reached);
}

bool may_wait_for(const ObjectText& text, const kernel::LinkState& link) {
    if (const auto* address = std::get_if<StaticAddress>(&text)) return address->address.device == link.name;
    const auto* const route = std::get_if<ConfiguredRoute>(&text);
    if (route == nullptr) return false;
    return route->next.device.empty() || route->next.device == link.name || route->vrf == link.name;
}

bool is_route(const ObjectText& text) { return std::holds_alternative<ConfiguredRoute>(text); }

bool may_go(const ObjectText& text) {
    const auto* const route = std::get_if<ConfiguredRoute>(&text);
    if (route != nullptr) return route->no_track || route->expires;
    const auto* const rule = std::get_if<ConfiguredRule>(&text);
    return rule != nullptr ? rule->no_track : std::get<StaticAddress>(text).address.no_track;
}

}  // namespace

void ObjectKeeper::index_places() {
    by_place_.clear();
    for (ObjectNumber i = 0; i < objects_.size(); ++i) {
        const ObjectText& text = objects_[i].text;
        if (const auto* address = std::get_if<StaticAddress>(&text)) by_place_.emplace(hash_of(Place::address, address->address.address), i);
        else if (const auto* rule = std::get_if<ConfiguredRule>(&text)) by_place_.emplace(hash_of(Place::rule, rule->priority), i);
        else {
            const auto& route = std::get<ConfiguredRoute>(text);
            by_place_.emplace(hash_of(Place::route, route.destination.address), i);
            if (route.preferred_source) by_place_.emplace(hash_of(Place::address, *route.preferred_source), i);
        }
    }
}

std::vector<std::size_t> ObjectKeeper::on_events(const std::vector<kernel::KernelEvent>& events, Instant now) {
    std::vector<std::size_t> stepping_back;
    if (objects_.empty()) return stepping_back;
    std::vector<std::uint32_t> bereft;
    for (const kernel::KernelEvent& event : events) {
        if (const auto* link = std::get_if<kernel::LinkEvent>(&event)) on_link(*link, now);
        else if (const auto* address = std::get_if<kernel::AddressEvent>(&event)) on_address(*address, now, bereft, stepping_back);
        else if (const auto* route = std::get_if<kernel::RouteEvent>(&event)) {
            const Doubt cause = route->is_replaced ? Doubt::replaced : route->port_id == 0 ? Doubt::lost : Doubt::deleted;
            if (!is_ours(route->port_id)) on_object_gone(route->route, cause, now, stepping_back);
        } else if (const auto* rule = std::get_if<kernel::RuleEvent>(&event)) {
            if (!is_ours(rule->port_id)) on_object_gone(rule->rule, Doubt::deleted, now, stepping_back);
        } else {
            for (ObjectNumber i = 0; i < objects_.size(); ++i) doubt(i, Doubt::lost);
        }
    }
    on_devices_without_addresses(bereft);
    return stepping_back;
}

bool ObjectKeeper::is_ours(std::uint32_t port_id) const { return programmer_ && programmer_->port_id() == port_id; }

void ObjectKeeper::on_link(const kernel::LinkEvent& event, Instant now) {
    const kernel::LinkState& link = event.link;
    if (!event.is_gone && link.is_up) {
        for (auto& [object, refusal] : refused_) {
            if (may_wait_for(objects_[object].text, link)) retry_soon(refusal, now);
        }
        return;
    }
    for (ObjectNumber i = 0; i < objects_.size(); ++i) {
        const Object& object = objects_[i];
        const bool is_on_it = object.device == link.index || (object.device == 0 && is_route(object.text));
        if (is_on_it && (event.is_gone || is_route(object.text))) doubt(i, Doubt::lost);
    }
}

void ObjectKeeper::on_address(const kernel::AddressEvent& event, Instant now, std::vector<std::uint32_t>& bereft, std::vector<std::size_t>& stepping_back) {
    const kernel::AddressKey& key = event.address.key;
    if (!event.is_gone) {
        for (auto& [object, refusal] : refused_) {
            if (may_wait_for(objects_[object].text, event.address)) retry_soon(refusal, now);
        }
        return;
    }
    const auto [first, behind] = by_place_.equal_range(hash_of(Place::address, key.address));
    for (auto at = first; at != behind; ++at) {
        const Object& object = objects_[at->second];
        const auto* const address = std::get_if<StaticAddress>(&object.text);
        if (address == nullptr) doubt(at->second, Doubt::lost);
        else if (object.device == key.interface_index && !monitor_.has_address(key)) lose(at->second, deletion_on(key.interface_index), now, stepping_back);
    }
    const bool is_known = std::ranges::find(bereft, key.interface_index) != bereft.end();
    if (key.address.family == Family::ipv4 && !is_known) bereft.push_back(key.interface_index);
}

/// Addresses of IPv6 go when their interface is set down: nobody has deleted them.
ObjectKeeper::Doubt ObjectKeeper::deletion_on(std::uint32_t device) const {
    const auto link = monitor_.links().find(device);
    return link != monitor_.links().end() && link->second.is_up ? Doubt::deleted : Doubt::lost;
}

/// With its last IPv4 address a device loses all its IPv4 routes.
void ObjectKeeper::on_devices_without_addresses(const std::vector<std::uint32_t>& devices) {
    for (const std::uint32_t device : devices) {
        const bool has_some = std::ranges::any_of(monitor_.addresses(), [&](const kernel::AddressState& state) {
            return state.key.interface_index == device && state.key.address.family == Family::ipv4;
        });
        if (has_some) continue;
        for (ObjectNumber i = 0; i < objects_.size(); ++i) {
            const auto* const route = std::get_if<ConfiguredRoute>(&objects_[i].text);
            if (route != nullptr && route->family() == Family::ipv4 && (objects_[i].device == device || objects_[i].device == 0)) doubt(i, Doubt::lost);
        }
    }
}

template <typename State>
void ObjectKeeper::on_object_gone(const State& state, Doubt cause, Instant now, std::vector<std::size_t>& stepping_back) {
    const auto [first, behind] = by_place_.equal_range(hash_of(state));
    for (auto at = first; at != behind; ++at) {
        if (is_at(objects_[at->second].text, state)) lose(at->second, cause, now, stepping_back);
    }
}

void ObjectKeeper::doubt(ObjectNumber number, Doubt cause) {
    Object& object = objects_[number];
    if (!object.is_present) return;
    object.doubt = std::max(object.doubt, cause);
    mark_dirty(number);
}

void ObjectKeeper::lose(ObjectNumber number, Doubt cause, Instant now, std::vector<std::size_t>& stepping_back) {
    Object& object = objects_[number];
    const Owner& owner = owners_[object.owner];
    if (!object.is_present || !owner.is_wanted) return;
    if (cause == Doubt::lost) return doubt(number, cause);
    if (may_go(object.text)) {
        set_present(object, false);
        object.is_given_up = true;
        spdlog::info("{} was deleted by somebody else, or has expired: it is left so", describe(object));
    } else if (owner.steps_back) {
        spdlog::warn("Somebody deleted {}; stepping back", describe(object));
        set_present(object, false);
        stepping_back.push_back(owner.router);
    } else if (is_deleted_too_often(number, now)) {
        set_present(object, false);
        refused_[number] = {now + put_back_delay, put_back_delay};
        next_attempt_ = std::min(next_attempt_, now + put_back_delay);
        spdlog::warn("Somebody deleted {} again and again: putting it back in a second; find out who does it", describe(object));
    } else {
        doubt(number, cause);
    }
}

/// A manager of this host's routes that deletes ours once is corrected at once. Against one that insists nobody wins; then it is a matter of not
/// burning CPU time.
bool ObjectKeeper::is_deleted_too_often(ObjectNumber number, Instant now) {
    Deletions& deletions = deletions_[number];
    if (now - deletions.last > calm_between_deletions) deletions.count = 0;
    deletions.last = now;
    return ++deletions.count > deletions_put_back_at_once;
}

void ObjectKeeper::retry_soon(Refusal& refusal, Instant now) {
    refusal.next_attempt = now;
    refusal.delay = Nanoseconds{0};
    next_attempt_ = now;
}

}  // namespace vigil::daemon
