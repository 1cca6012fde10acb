#include "engine/daemon/sync_groups.h"

#include <algorithm>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

using engine::Event;

/// Which of a group's scripts a change calls, in this order.
bool concerns(config::ScriptEvent event, OperatorState state) {
    switch (event) {
    case config::ScriptEvent::master: return state == OperatorState::master;
    case config::ScriptEvent::backup: return state == OperatorState::backup;
    case config::ScriptEvent::fault: return state == OperatorState::fault;
    case config::ScriptEvent::stop: return state == OperatorState::stop;
    case config::ScriptEvent::any: return true;
    case config::ScriptEvent::deleted:
    case config::ScriptEvent::master_rx_lower_priority: return false;
    }
    return false;
}

}  // namespace

SyncGroups::SyncGroups(const Plan& plan, const config::GlobalDefinitions& global, ScriptRunner& runner)
    : plan_(plan), runner_(runner), groups_(plan.groups.size()) {
    if (groups_.empty()) return;
    states_.resize(plan.routers.size(), OperatorState::init);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        groups_[g].members[static_cast<std::size_t>(OperatorState::init)] = plan.groups[g].member_count;
        for (const config::NotifyScript& script : plan.groups[g].scripts) {
            scripts_.add(script, global);
        }
    }
}

SyncGroups::Group* SyncGroups::group_of(std::size_t router) {
    const engine::GroupIndex group = plan_.routers[router].group;
    return group == engine::GroupIndex::none ? nullptr : &groups_[engine::to_number(group)];
}

/// A group is where its members are that go on; those that are new will join them.
void SyncGroups::go_on_from(const std::vector<RouterStatus>& statuses) {
    for (std::size_t router = 0; router < states_.size(); ++router) {
        Group* group = group_of(router);
        if (group == nullptr || statuses[router].state == OperatorState::init) continue;
        states_[router] = statuses[router].state;
        group->state = statuses[router].state;
        --group->members[static_cast<std::size_t>(OperatorState::init)];
        ++group->members[static_cast<std::size_t>(states_[router])];
    }
}

std::vector<LogLine> SyncGroups::describe(const Event& event) {
    const std::size_t router = engine::to_number(event.router);
    Group* group = group_of(router);
    if (group == nullptr) return {};
    const std::string_view name = plan_.groups[static_cast<std::size_t>(group - groups_.data())].name;
    if (event.kind == Event::Kind::held_by_group && event.detail < plan_.routers.size()) {
        return {{LogLine::Level::warning, fmt::format("({}) stays with its sync group", plan_.routers[router].name),
                 fmt::format("({}) hears no adverts on {}, but {} of sync group {} hears a master that would win there: the group stays BACKUP. "
                             "Is the LAN of {} broken between the routers?", plan_.routers[router].name, plan_.routers[router].interface(),
                             plan_.routers[event.detail].name, name, plan_.routers[router].interface())}};
    }
    if (event.kind != Event::Kind::transition) return {};
    const OperatorState state = operator_state(event.to, event.faults);
    if (event.reason != engine::Reason::sync_group) {
        group->following = OperatorState::init;
        return {};
    }
    if (std::exchange(group->following, state) == state) return {};
    return {{LogLine::Level::info, "", fmt::format("VRRP_Group({}) Syncing instances to {} state", name, to_string(state))}};
}

void SyncGroups::on_state(std::size_t router, OperatorState state) {
    Group* group = group_of(router);
    if (group == nullptr) return;
    const std::size_t index = static_cast<std::size_t>(group - groups_.data());
    --group->members[static_cast<std::size_t>(std::exchange(states_[router], state))];
    const bool is_whole = ++group->members[static_cast<std::size_t>(state)] == plan_.groups[index].member_count;
    // Stepping back is no stop: on_stop() tells of the end.
    if (!is_whole || state == group->state || state == OperatorState::init || state == OperatorState::stop) return;
    group->state = state;
    changes_.emplace_back(index, state);
}

void SyncGroups::on_stop() {
    changes_.clear();
    for (std::size_t g = 0; g < groups_.size(); ++g) changes_.emplace_back(g, OperatorState::stop);
}

void SyncGroups::flush() {
    for (const auto& [group, state] : changes_) {
        for (const bool is_generic : {false, true}) {  // the state's own script comes first
            for (const config::NotifyScript& script : plan_.groups[group].scripts) {
                if ((script.event == config::ScriptEvent::any) == is_generic && concerns(script.event, state)) call(group, script, to_string(state));
            }
        }
        on_group_state(plan_.groups[group], state);
    }
    changes_.clear();
}

std::vector<std::pair<const PlannedGroup*, OperatorState>> SyncGroups::states() const {
    std::vector<std::pair<const PlannedGroup*, OperatorState>> found;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (groups_[g].state != OperatorState::init) found.emplace_back(&plan_.groups[g], groups_[g].state);
    }
    return found;
}

std::string SyncGroups::mail_details(const PlannedGroup& group) const {
    constexpr std::size_t most_members = 20;
    const auto& members = plan_.engine.groups[static_cast<std::size_t>(&group - plan_.groups.data())].members;
    std::string text;
    for (std::size_t i = 0; i < std::min(members.size(), most_members); ++i) {
        text += fmt::format("Member: {}\n", plan_.routers[engine::to_number(members[i])].name);
    }
    if (members.size() > most_members) text += fmt::format("... and {} members more\n", members.size() - most_members);
    return text;
}

void SyncGroups::call(std::size_t group, const config::NotifyScript& script, std::string_view state) {
    const std::string_view name = plan_.groups[group].name;
    const std::string title = fmt::format("VRRP_Group({})", name);   // no instance is called so; and by name, because a reload numbers groups anew
    auto call = scripts_.call(script, title, {"GROUP", name, state, 0});
    if (call) runner_.enqueue(std::hash<std::string>{}(title), std::move(*call));
}

}  // namespace vigil::daemon
