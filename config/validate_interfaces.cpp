/// What the file says about interfaces, against the instances that use them.
///
/// A Backup whose link is down hears no adverts. Were the link to count as up for longer than the others' silence may last, it would become
/// Active on a dead link before it is in FAULT; so a delay is shorter than one advert_int less than down_timer_adverts of them, as in keepalived.

#include <algorithm>
#include <unordered_map>

#include "config/interpreter.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr Nanoseconds below_limit = std::chrono::milliseconds{1};

struct Use {
    Nanoseconds shortest = Nanoseconds::max();   ///< a delay must be below it
    std::string_view instance;                   ///< because of this one
};
using Uses = std::unordered_map<std::string_view, Use>;

/// The interfaces that have an entry, with what their instances allow; those that nobody uses are missing.
Uses uses_of(const Configuration& configuration) {
    const InterfaceDefinitions& interfaces = configuration.interfaces;
    std::unordered_map<std::string_view, bool> is_listed;
    for (const InterfaceDelay& delay : interfaces.delays) is_listed.emplace(delay.name, true);
    for (const PolledInterface& polled : interfaces.polled) is_listed.emplace(polled.name, true);
    Uses uses;
    for (const VrrpInstance& instance : configuration.instances) {
        const auto limit = (instance.down_timer_adverts - 1) * std::chrono::duration_cast<Nanoseconds>(instance.advert_int);
        const auto use = [&](std::string_view name, bool is_limited) {
            if (!is_listed.contains(name)) return;
            Use& here = uses[name];
            if (!is_limited || limit >= here.shortest) return;
            here = {limit, instance.name};
        };
        use(instance.interface, !instance.dont_track_primary);
        for (const TrackedItem& item : instance.track_interfaces) use(item.name, item.weight.value_or(0) == 0);
    }
    return uses;
}

void settle(Context& context, InterfaceDelay& delay, const Uses& uses) {
    const auto use = uses.find(delay.name);
    if (use == uses.end()) {
        context.reporter.report_at(Severity::warning, delay.where, "no instance uses or tracks " + in_quotes(delay.name) + ": its delays have no effect");
        return;
    }
    if (delay.down < use->second.shortest || delay.down == Nanoseconds{0}) return;
    const auto greatest = std::max(Nanoseconds{0}, use->second.shortest - below_limit);
    context.reporter.report_at(Severity::warning, delay.where,
                               "a Backup of instance " + in_quotes(use->second.instance) + " would take over before " + in_quotes(delay.name) + " counts as down: " +
                                   seconds_text(greatest) + " s is used for DOWN",
                               "a delay is shorter than advert_int times (down_timer_adverts - 1)");
    delay.down = greatest;
}

/// The kernel puts macvlans or ipvlans on a device, and all its ipvlans have one mode.
void check_devices(Context& context) {
    std::unordered_map<std::string_view, const VrrpInstance*> first;
    for (std::size_t i = 0; i < context.configuration.instances.size(); ++i) {
        VrrpInstance& instance = context.configuration.instances[i];
        const bool has_macvlan = instance.virtual_mac.enabled && instance.virtual_mac.mode == VirtualMacMode::macvlan;
        if ((!instance.ipvlan && !has_macvlan) || instance.interface.empty()) continue;
        const auto [found, is_first] = first.try_emplace(instance.interface, &instance);
        const VrrpInstance& other = *found->second;
        if (is_first || (!instance.ipvlan && !other.ipvlan)) continue;
        const auto complain = [&](std::string text) {
            const SourceLocation where = context.drafts[i].places[static_cast<std::size_t>(instance.ipvlan ? Place::ipvlan : Place::virtual_mac)];
            context.reporter.report_at(Severity::error, where, "(" + std::string(instance.name) + ") " + std::move(text));
        };
        if (!instance.ipvlan || !other.ipvlan) {
            complain("an interface carries macvlans or ipvlans, not both, and " + in_quotes(other.name) + " has the other kind on " + in_quotes(instance.interface) +
                     ": its addresses cannot be set");
        } else if (instance.ipvlan->mode != other.ipvlan->mode) {
            complain("all ipvlans of an interface have one mode, and " + in_quotes(other.name) + " has " + in_quotes(name_of(other.ipvlan->mode)) + ", which is used");
            instance.ipvlan->mode = other.ipvlan->mode;
        }
    }
}

}  // namespace

void validate_interfaces(Context& context) {
    InterfaceDefinitions& interfaces = context.configuration.interfaces;
    for (std::size_t i = 0; i < context.configuration.instances.size(); ++i) {
        const std::string_view name = context.configuration.instances[i].interface;
        const auto is_named = [&](const PolledInterface& polled) { return polled.name == name; };
        if (!context.drafts[i].polls_link || name.empty() || std::any_of(interfaces.polled.begin(), interfaces.polled.end(), is_named)) continue;
        interfaces.polled.push_back({name, std::nullopt, {}});
    }
    check_devices(context);
    if (interfaces.delays.empty() && interfaces.polled.empty()) return;
    const Uses uses = uses_of(context.configuration);
    for (InterfaceDelay& delay : interfaces.delays) settle(context, delay, uses);
    for (const PolledInterface& polled : interfaces.polled) {
        if (polled.where.line == 0 || uses.contains(polled.name)) continue;
        context.reporter.report_at(Severity::warning, polled.where, "no instance uses or tracks " + in_quotes(polled.name) + ": it is not polled");
    }
}

}  // namespace vigil::config
