/// Static addresses, routes and rules, and what else follows from lines of routes: which interfaces an instance tracks because of them, and which instances
/// a track group holds in FAULT while something static cannot be had. As in keepalived, an address, a route or a rule of an instance makes its interface a
/// tracked one, unless it says no_track: an Active whose addresses or routes have no interface is of no use.

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/words.h"

namespace vigil::config {

namespace {

void track_device(VrrpInstance& instance, std::string_view device, SourceLocation where, bool no_track) {
    if (device.empty() || no_track || device == instance.interface) return;
    auto& items = instance.track_interfaces;
    if (std::ranges::find(items, device, &TrackedItem::name) != items.end()) return;
    TrackedItem item;
    item.name = device;
    item.where = where;
    item.of_route = true;
    items.push_back(item);
}

class StaticValidator {
public:
    explicit StaticValidator(Context& context) : context_(context) {
        for (const TrackGroup& group : context.configuration.track_groups) groups_.emplace(group.name, &group);
    }

    void validate() {
        Configuration& configuration = context_.configuration;
        for (StaticAddress& one : configuration.static_addresses) {
            if (one.address.device.empty()) one.address.device = configuration.global.default_interface;
            settle(one.track_group, one.address.where);
            check_interface(one.address.device, one.address.where);
        }
        for (ConfiguredRoute& route : configuration.static_routes) {
            settle(route.track_group, route.where);
            check_interface(route.next.device, route.where);
        }
        for (ConfiguredRule& rule : configuration.static_rules) settle(rule.track_group, rule.where);
        give_groups();
    }

private:
    void settle(std::string_view& group, SourceLocation where) {
        if (group.empty()) return;
        if (groups_.contains(group)) {
            used_.insert(group);
            return;
        }
        Suggester suggester(group);
        for (const TrackGroup& one : context_.configuration.track_groups) suggester.consider(one.name);
        context_.reporter.report_at(Severity::error, where, "there is no track_group " + in_quotes(group) + ": nothing is tracked by this line",
                                    suggester.best().empty() ? "write track_group " + std::string(group) + " { group { INSTANCE } }"
                                                             : "did you mean " + in_quotes(suggester.best()) + "?");
        group = {};
    }

    void check_interface(std::string_view name, SourceLocation where) {
        const auto& is_known = context_.options.is_known_interface;
        if (name.empty() || !is_known || is_known(name)) return;
        context_.reporter.report_at(Severity::warning, where, "there is no interface " + in_quotes(name), "'ip link' lists those there are; the line waits until this one appears");
    }

    void give_groups() {
        std::unordered_map<std::string_view, VrrpInstance*> instances;
        if (!groups_.empty()) {
            for (VrrpInstance& instance : context_.configuration.instances) instances.try_emplace(instance.name, &instance);
        }
        for (const TrackGroup& group : context_.configuration.track_groups) {
            if (!used_.contains(group.name)) {
                context_.reporter.report_at(Severity::note, group.where, "(" + std::string(group.name) + ") no static_ line names this track_group: it does nothing",
                                            "write track_group " + std::string(group.name) + " behind a static address, route or rule");
                continue;
            }
            for (const GroupMember& member : group.members) {
                TrackedItem item;
                item.name = group.name;
                item.where = member.where;
                instances.at(member.name)->track_static.push_back(item);
            }
        }
    }

    Context& context_;
    std::unordered_map<std::string_view, const TrackGroup*> groups_;
    std::unordered_set<std::string_view> used_;
};

}  // namespace

void read_static_addresses(Context& context, const Node& block) {
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        std::string_view track_group;
        const auto address = read_address_line(context, item, &track_group);
        if (address) context.configuration.static_addresses.push_back({*address, track_group});
    });
}

void read_static_routes(Context& context, const Node& block) { read_routes(context, context.configuration.static_routes, block, true); }

void read_static_rules(Context& context, const Node& block) { read_rules(context, context.configuration.static_rules, block, true); }

void track_devices_of_objects(VrrpInstance& instance) {
    for (const auto* list : {&instance.virtual_addresses, &instance.excluded_addresses}) {
        for (const ConfiguredAddress& address : *list) track_device(instance, address.device, address.where, address.no_track);
    }
    for (const ConfiguredRoute& route : instance.virtual_routes) track_device(instance, route.next.device, route.where, route.no_track);
    for (const ConfiguredRule& rule : instance.virtual_rules) {
        track_device(instance, rule.input_device, rule.where, rule.no_track);
        track_device(instance, rule.output_device, rule.where, rule.no_track);
    }
}

void validate_static_objects(Context& context) { StaticValidator(context).validate(); }

}  // namespace vigil::config
