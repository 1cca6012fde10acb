// A reload of objects: what owners of the same name both have goes on as it is, down to how often it was refused. The rest of the old ones goes at once,
// rules before routes before addresses; what is new is set by the next apply().

#include <algorithm>
#include <functional>
#include <ranges>

#include <spdlog/spdlog.h>

#include "engine/daemon/object_keeper.h"

namespace vigil::daemon {
namespace {

/// Equal for objects that are equal, wherever they stand in the file.
std::string name_of(const std::string& owner, const ObjectText& text) {
    const auto line = [](const config::StaticAddress& one) {
        const config::ConfiguredAddress& a = one.address;
        return fmt::format("{}/{} {} {} {} {} {} {}{}{}{}{}{} {} {}", to_string(a.address), a.prefix_length, a.device, a.label, a.scope,
                           a.broadcast ? to_string(*a.broadcast) : "", a.peer ? to_string(*a.peer) : "", a.home_address, a.duplicate_detection,
                           a.manage_temporary, a.no_prefix_route, a.auto_join, a.no_track, a.preferred_lifetime, one.track_group);
    };
    std::string name = fmt::format("{}\n{}\n", owner, text.index());
    if (const auto* address = std::get_if<config::StaticAddress>(&text)) return name + line(*address);
    if (const auto* route = std::get_if<config::ConfiguredRoute>(&text)) return name + config::to_string(*route);
    return name + config::to_string(std::get<config::ConfiguredRule>(text));
}

}  // namespace

void ObjectKeeper::configure(std::vector<ObjectOwner> owners, const config::Configuration& configuration) {
    if (owners.empty() && owners_.empty()) return;
    Before before{std::exchange(owners_, {}), std::exchange(objects_, {}), std::exchange(refused_, {}), std::exchange(deletions_, {})};
    dirty_.clear();
    owner_of_router_.clear();
    std::unordered_map<std::string_view, bool> was_wanted;
    for (const Owner& owner : before.owners) was_wanted.emplace(owner.name, owner.is_wanted);
    for (ObjectOwner& one : owners) {
        const auto number = static_cast<std::uint32_t>(owners_.size());
        const auto known = was_wanted.find(one.name);
        const auto first = static_cast<ObjectNumber>(objects_.size());
        for (ObjectText& text : one.objects) objects_.push_back({.text = std::move(text), .owner = number, .removal = {}});
        owner_of_router_.emplace(one.router, number);
        owners_.push_back({std::move(one.name), one.router, one.steps_back, known != was_wanted.end() && known->second, first,
                           static_cast<ObjectNumber>(objects_.size())});
    }
    adopt(before);
    texts_ = configuration.texts;
    files_ = configuration.files;
    index_places();
    for (const Object& object : objects_) {
        if (!group_of(object).empty()) changed_groups_.emplace_back(group_of(object));
    }
    if (objects_.empty()) return;
    if (auto watched = monitor_.watch_objects(); !watched) {
        spdlog::warn("Cannot follow routes and rules: {}; one that somebody deletes is not put back", to_string(watched.error()));
    }
}

/// What both have goes on, what only `before` had is taken away.
void ObjectKeeper::adopt(Before& before) {
    std::unordered_multimap<std::string, ObjectNumber> known;
    for (ObjectNumber i = 0; i < before.objects.size(); ++i) known.emplace(name_of(before.owners[before.objects[i].owner].name, before.objects[i].text), i);
    for (ObjectNumber i = 0; i < objects_.size(); ++i) {
        Object& object = objects_[i];
        if (const auto found = known.find(name_of(owners_[object.owner].name, object.text)); found != known.end()) {
            const ObjectNumber old = found->second;
            known.erase(found);
            const bool was_dirty = before.objects[old].is_dirty;
            ObjectText text = std::move(object.text);   // the places in the file are new
            const std::uint32_t owner = object.owner;
            object = std::move(before.objects[old]);
            object.text = std::move(text);
            object.owner = owner;
            object.is_dirty = false;
            before.objects[old] = {.text = {}, .removal = {}};
            if (const auto refusal = before.refused.find(old); refusal != before.refused.end()) refused_.emplace(i, refusal->second);
            if (const auto deletions = before.deletions.find(old); deletions != before.deletions.end()) deletions_.emplace(i, deletions->second);
            if (was_dirty) mark_dirty(i);
        }
        if (is_wanted(object) && !object.is_present) mark_dirty(i);
    }
    std::vector<ObjectNumber> gone;
    for (const auto& [name, number] : known) gone.push_back(number);
    std::ranges::sort(gone, std::greater{}, [&](ObjectNumber number) { return std::pair(before.objects[number].text.index(), number); });
    Requests batch;
    for (const ObjectNumber number : gone) add_removal(before.objects[number], before.owners[before.objects[number].owner].name, batch);
    remove(batch, {});
}

void ObjectKeeper::remove_planned(bool only_unmarked) {
    const HostNames names = host_names();
    Requests batch;
    for (const Object& object : objects_ | std::views::reverse) {
        const auto* const route = std::get_if<config::ConfiguredRoute>(&object.text);
        const auto* const rule = std::get_if<config::ConfiguredRule>(&object.text);
        const bool is_marked = (route == nullptr || !route->protocol) && (rule == nullptr || !rule->protocol);
        if (object.is_present || (is_marked && only_unmarked)) continue;
        auto encoded = encode(object, names);
        if (encoded) batch.requests.push_back(std::move(encoded->removal));
    }
    if (!batch.requests.empty() && programmer() != nullptr) programmer()->apply(batch.requests);
}

}  // namespace vigil::daemon
