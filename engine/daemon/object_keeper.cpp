// Routes, rules and static addresses in the kernel.
//
// An object is in the kernel by our doing (`is_present`) or it is not, and it is wanted or it is not; withdraw() and apply() bring the first into line with the
// second. In between stands doubt. The kernel takes routes away with their interface, with their preferred source or with the last address of their
// device, and says nothing of it for IPv4; what it does say may be about one of several routes to the same place. So nothing is concluded from a message but
// that an object may be gone: it is set again, and the kernel's answer tells: EEXIST is that nothing was missing. That makes one way out of every
// cause, also after lost messages.
//
// Objects that are the same in the kernel may belong to two routers. The kernel has them once, so they are counted by the request that removes them, and only
// the last holder sends it.
//
// A removal is kept as it was made when the object was set: interfaces change their numbers, and what is deleted must be what was added.

#include "engine/daemon/object_keeper.h"

#include <algorithm>
#include <cerrno>
#include <ranges>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

namespace kernel = arp::kernel;
using config::ConfiguredRoute;
using config::ConfiguredRule;
using config::StaticAddress;

constexpr Nanoseconds first_delay = std::chrono::seconds{1};
constexpr Nanoseconds last_delay = std::chrono::seconds{30};
constexpr std::uint32_t no_object = 0xffff'ffff;

bool is_gone_already(int error_number) {
    return error_number == ESRCH || error_number == ENOENT || error_number == ENODEV || error_number == EADDRNOTAVAIL;
}

kernel::RouteMode mode_of(config::RouteCreation creation) {
    switch (creation) {
    case config::RouteCreation::prepend: return kernel::RouteMode::prepend;
    case config::RouteCreation::append: return kernel::RouteMode::append;
    case config::RouteCreation::add: return kernel::RouteMode::add;
    }
    return kernel::RouteMode::prepend;
}

std::string remedy_of(const kernel::KernelError& error, const ObjectText& text) {
    const bool is_route = std::holds_alternative<ConfiguredRoute>(text);
    if (is_route && (error.error_number == ENETUNREACH || error.error_number == EHOSTUNREACH)) {
        return "; the gateway must be on a network of this host, or the route 'onlink'";
    }
    if (error.error_number == ENETDOWN) return "; its interface is down";
    if (is_route && error.error_number == EINVAL && std::get<ConfiguredRoute>(text).preferred_source) return "; is 'src' an address of this host?";
    if (error.error_number == EOPNOTSUPP || error.error_number == EAFNOSUPPORT) return "; this kernel lacks what it takes";
    return "";
}

}  // namespace

void ObjectKeeper::mark_dirty(ObjectNumber object) {
    if (std::exchange(objects_[object].is_dirty, true)) return;
    dirty_.push_back(object);
}

void ObjectKeeper::want(Owner& owner, bool is_wanted) {
    if (std::exchange(owner.is_wanted, is_wanted) == is_wanted) return;
    for (ObjectNumber i = owner.first; i < owner.behind; ++i) {
        objects_[i].is_given_up = false;
        refused_.erase(i);
        mark_dirty(i);
    }
}

void ObjectKeeper::want(std::size_t router, bool is_wanted) {
    if (owner_of_router_.empty()) return;
    if (const auto found = owner_of_router_.find(router); found != owner_of_router_.end()) want(owners_[found->second], is_wanted);
}

void ObjectKeeper::want_all(bool is_wanted) {
    for (Owner& owner : owners_) want(owner, is_wanted);
}

void ObjectKeeper::retry_due(Instant now) {
    if (next_attempt_ > now) return;
    next_attempt_ = never;
    for (const auto& [object, refusal] : refused_) {
        if (refusal.next_attempt <= now) mark_dirty(object);
        else next_attempt_ = std::min(next_attempt_, refusal.next_attempt);
    }
}

/// Those that are wanted, or those that are not, in the order in which they are to be set or taken away.
std::vector<ObjectKeeper::ObjectNumber> ObjectKeeper::take_dirty(bool wanted) {
    const auto kept = std::partition(dirty_.begin(), dirty_.end(), [&](ObjectNumber object) { return is_wanted(objects_[object]) != wanted; });
    std::vector<ObjectNumber> taken(kept, dirty_.end());
    dirty_.erase(kept, dirty_.end());
    for (const ObjectNumber object : taken) objects_[object].is_dirty = false;
    std::ranges::sort(taken, {}, [&](ObjectNumber object) { return std::pair(objects_[object].text.index(), object); });
    if (!wanted) std::ranges::reverse(taken);
    return taken;
}

void ObjectKeeper::withdraw(const std::function<void()>& between_sends) {
    Requests batch;
    for (const ObjectNumber number : take_dirty(false)) add_removal(objects_[number], owners_[objects_[number].owner].name, batch);
    remove(batch, between_sends);
}

void ObjectKeeper::add_removal(Object& object, const std::string& owner, Requests& batch) {
    if (!object.is_present) return;
    const bool is_foreign = object.is_foreign;
    set_present(object, false);   // before the kernel tells us, so that our own deletion is not taken for somebody else's
    object.doubt = Doubt::none;
    if (is_foreign) return;
    if (holders_.contains(object.removal)) {
        spdlog::info("{} stays: another one here is the same", describe(object.text, owner));
        return;
    }
    batch.requests.push_back(object.removal);
    batch.texts.push_back(describe(object.text, owner));
}

void ObjectKeeper::remove(const Requests& batch, const std::function<void()>& between_sends) {
    if (batch.requests.empty() || programmer() == nullptr) return;
    const auto verdicts = programmer()->apply(batch.requests, between_sends);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (verdicts[i].error_number == 0 || is_gone_already(verdicts[i].error_number)) continue;
        spdlog::error("Cannot remove {}: {}", batch.texts[i], to_string(verdicts[i]));
    }
}

void ObjectKeeper::apply(Instant now, const std::function<void()>& between_sends) {
    retry_due(now);
    const std::vector<ObjectNumber> work = take_dirty(true);
    if (work.empty()) return;
    const HostNames names = host_names();
    Requests batch;
    for (const ObjectNumber object : work) add_addition(object, names, batch, now);
    if (batch.requests.empty()) return end_lines();
    if (programmer() == nullptr) {
        for (const ObjectNumber object : batch.objects) {
            if (object != no_object) postpone(object, "there is no netlink socket", now, false);
        }
        return end_lines();
    }
    const auto verdicts = programmer()->apply(batch.requests, between_sends);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (batch.objects[i] != no_object) settle(batch.objects[i], verdicts[i], now);
    }
    end_lines();
}

void ObjectKeeper::add_addition(ObjectNumber number, const HostNames& names, Requests& batch, Instant now) {
    Object& object = objects_[number];
    if (object.is_present && object.doubt == Doubt::none) return;
    const auto refusal = refused_.find(number);
    if (refusal != refused_.end() && refusal->second.next_attempt > now) return;
    auto encoded = encode(object, names);
    if (!encoded) {
        set_present(object, false);
        const bool is_loss = std::exchange(object.doubt, Doubt::none) == Doubt::lost;
        return postpone(number, encoded.error(), now, is_loss);
    }
    if (is_left_to_others(number, encoded->device)) return;
    const auto* const route = std::get_if<ConfiguredRoute>(&object.text);
    const bool may_be_there_in_part = route != nullptr && route->family() == Family::ipv6 && !route->nexthops.empty() && object.doubt == Doubt::deleted;
    if (may_be_there_in_part) {   // IPv6 has one route for each way: what is left of them would be in the way
        batch.requests.push_back(object.removal);
        batch.objects.push_back(no_object);
    }
    if (object.is_present && object.removal != encoded->removal) set_present(object, false);   // its interface has another number now
    if (!object.is_present) object.removal = std::move(encoded->removal);
    object.device = encoded->device;
    batch.requests.push_back(std::move(encoded->addition));
    batch.objects.push_back(number);
}

/// A static address that the host has anyway: it stays when we go.
bool ObjectKeeper::is_left_to_others(ObjectNumber number, std::uint32_t device) {
    Object& object = objects_[number];
    const auto* const one = std::get_if<StaticAddress>(&object.text);
    if (one == nullptr) return false;
    kernel::AddressKey key = address_spec(one->address).key;
    key.interface_index = device;
    const auto found = monitor_.addresses().find(key);
    if (found == monitor_.addresses().end() || found->protocol == kernel::static_address_protocol) {
        if (object.is_foreign) set_present(object, false);
        return false;
    }
    object.doubt = Doubt::none;
    if (object.is_present) return true;
    object.is_foreign = true;
    object.device = device;
    refused_.erase(number);
    set_present(object, true);
    spdlog::info("{} is there already and not ours: it is left as it is", describe(object));
    return true;
}

void ObjectKeeper::settle(ObjectNumber number, const kernel::KernelError& verdict, Instant now) {
    Object& object = objects_[number];
    const bool was_present = object.is_present;
    const Doubt doubt = std::exchange(object.doubt, Doubt::none);
    if (verdict.error_number != 0 && verdict.error_number != EEXIST) {
        set_present(object, false);
        return postpone(number, to_string(verdict) + remedy_of(verdict, object.text), now, doubt == Doubt::lost);
    }
    if (!was_present) set_present(object, true);
    const bool was_refused = refused_.erase(number) != 0;
    if (verdict.error_number == EEXIST) {
        if (!was_present && doubt == Doubt::none) say(fmt::format("{} was there already; it is ours now", describe(object)), false);
        return;
    }
    switch (doubt) {
    case Doubt::none:
        if (was_refused) say(fmt::format("{} is set now", describe(object)), false);
        break;
    case Doubt::lost: say(fmt::format("{} went with an interface or an address; set again", describe(object)), false); break;
    case Doubt::deleted: spdlog::warn("Somebody deleted {}; put back", describe(object)); break;
    case Doubt::replaced: spdlog::warn("Somebody replaced {} by another route; put back", describe(object)); break;
    }
}

void ObjectKeeper::set_present(Object& object, bool is_present) {
    if (object.is_present == is_present) return;
    object.is_present = is_present;
    if (!object.is_foreign) {
        unsigned& count = holders_[object.removal];
        count += is_present ? 1u : ~0u;
        if (count == 0) holders_.erase(object.removal);
    }
    if (!is_present) object.is_foreign = false;
    const std::string_view group = group_of(object);
    if (!group.empty()) changed_groups_.emplace_back(group);
}

/// `is_loss`: it went with its interface, which is told of already.
void ObjectKeeper::postpone(ObjectNumber number, const std::string& why, Instant now, bool is_loss) {
    const auto [at, is_first] = refused_.try_emplace(number);
    Refusal& refusal = at->second;
    refusal.delay = is_first || refusal.delay == Nanoseconds{0} ? first_delay : std::min(2 * refusal.delay, last_delay);
    refusal.next_attempt = now + refusal.delay;
    next_attempt_ = std::min(next_attempt_, refusal.next_attempt);
    if (!is_first) return;
    const Object& object = objects_[number];
    if (is_loss) return say(fmt::format("{} went with its interface; it comes back with it ({})", describe(object), why), false);
    say(fmt::format("{}: cannot set {}: {}; trying again", place_of(object), describe(object), why), true);
}

/// One line for each object, but not a thousand for one interface that goes.
void ObjectKeeper::say(const std::string& text, bool is_error) {
    if (lines_left_ == 0) {
        ++lines_withheld_;
        return;
    }
    --lines_left_;
    if (is_error) spdlog::error(text);
    else spdlog::info(text);
}

void ObjectKeeper::end_lines() {
    if (lines_withheld_ != 0) spdlog::info("{} more addresses, routes and rules of which the same is to be said", lines_withheld_);
    lines_withheld_ = 0;
    lines_left_ = lines_per_batch;
}

std::string_view ObjectKeeper::group_of(const Object& object) {
    return std::visit([](const auto& text) { return text.track_group; }, object.text);
}

bool ObjectKeeper::is_group_complete(std::string_view track_group) const {
    return std::ranges::none_of(objects_, [&](const Object& object) { return !object.is_present && group_of(object) == track_group; });
}

std::vector<std::pair<std::string, bool>> ObjectKeeper::take_changed_groups() {
    std::vector<std::pair<std::string, bool>> changes;
    for (std::string& name : std::exchange(changed_groups_, {})) {
        const bool is_complete = is_group_complete(name);
        const auto [known, is_new] = groups_.try_emplace(name, !is_complete);
        if (std::exchange(known->second, is_complete) != is_complete) changes.emplace_back(std::move(name), is_complete);
    }
    return changes;
}

tl::expected<ObjectKeeper::Encoded, std::string> ObjectKeeper::encode(const Object& object, const HostNames& names) const {
    if (const auto* rule = std::get_if<ConfiguredRule>(&object.text)) {
        const kernel::RuleSpec spec = rule_spec(*rule);
        return Encoded{kernel::write_new_rule(spec), kernel::write_delete_rule(spec), 0};
    }
    if (const auto* route = std::get_if<ConfiguredRoute>(&object.text)) {
        const auto spec = route_spec(*route, names);
        if (!spec) return tl::unexpected(spec.error());
        // IPv4: ours goes before the one that took its place. IPv6 would make two ways of them.
        const bool takes_back = object.doubt == Doubt::replaced && route->family() == Family::ipv6;
        const kernel::RouteMode mode = takes_back ? kernel::RouteMode::replace : mode_of(route->creation);
        return Encoded{kernel::write_new_route(*spec, mode), kernel::write_delete_route(*spec), spec->next.interface_index};
    }
    const config::ConfiguredAddress& address = std::get<StaticAddress>(object.text).address;
    kernel::AddressSpec spec = address_spec(address);
    spec.protocol = kernel::static_address_protocol;
    spec.key.interface_index = names.index_of(address.device);
    if (spec.key.interface_index == 0) return tl::unexpected(fmt::format("there is no interface '{}'", address.device));
    return Encoded{kernel::write_new_address(spec), kernel::write_delete_address(spec.key), spec.key.interface_index};
}

HostNames ObjectKeeper::host_names() {
    std::unordered_map<std::string_view, std::uint32_t> numbers;
    for (const auto& [index, link] : monitor_.links()) numbers.emplace(link.name, index);
    return {.index_of = [numbers = std::move(numbers)](std::string_view name) {
                const auto found = numbers.find(name);
                return found == numbers.end() ? 0 : found->second;
            },
            .table_of_vrf = [this](std::string_view name) { return kernel::find_vrf_table(socket_, name); }};
}

kernel::ObjectProgrammer* ObjectKeeper::programmer() {
    if (programmer_) return &*programmer_;
    auto opened = kernel::ObjectProgrammer::open();
    if (!opened) {
        spdlog::error("Cannot open a netlink socket for routes and rules: {}", to_string(opened.error()));
        return nullptr;
    }
    programmer_.emplace(std::move(*opened));
    return &*programmer_;
}

/// "(VI_1) route 10.0.0.0/8 via 192.0.2.1", "static rule ...".
std::string ObjectKeeper::describe(const ObjectText& object, const std::string& owner) {
    std::string text;
    if (const auto* route = std::get_if<ConfiguredRoute>(&object)) text = "route " + config::to_string(*route);
    else if (const auto* rule = std::get_if<ConfiguredRule>(&object)) text = "rule " + config::to_string(*rule);
    else {
        const config::ConfiguredAddress& address = std::get<StaticAddress>(object).address;
        text = fmt::format("address {}/{} dev {}", to_string(address.address), address.prefix_length, address.device);
    }
    return owner.empty() ? "static " + text : fmt::format("({}) {}", owner, text);
}

std::string ObjectKeeper::place_of(const Object& object) const {
    config::SourceLocation where;
    if (const auto* address = std::get_if<StaticAddress>(&object.text)) where = address->address.where;
    else if (const auto* route = std::get_if<ConfiguredRoute>(&object.text)) where = route->where;
    else where = std::get<ConfiguredRule>(object.text).where;
    return fmt::format("{}:{}", where.file < files_.size() ? files_[where.file] : "?", where.line);
}

}  // namespace vigil::daemon
