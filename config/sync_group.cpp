/// vrrp_sync_group and track_group: from their blocks to the model. Members are names until all instances are known (validate_groups.cpp), so a group
/// may stand above or below them. Of two groups with one name the first counts, as in keepalived.

#include <algorithm>
#include <array>

#include "config/interpreter.h"
#include "config/values.h"

namespace vigil::config {

namespace {

constexpr std::array<std::pair<std::string_view, ScriptEvent>, 5> script_keywords{{
    {"notify_master", ScriptEvent::master},
    {"notify_backup", ScriptEvent::backup},
    {"notify_fault", ScriptEvent::fault},
    {"notify_stop", ScriptEvent::stop},
    {"notify", ScriptEvent::any},
}};

/// Names stand one on a line, or several.
void read_members(Context& context, std::vector<GroupMember>& members, const Node& block) {
    block.for_each_child([&](const Node& item) {
        if (item.statement().is_deaf) return;
        for (std::size_t i = 0; i < item.word_count(); ++i) members.push_back({context.texts.intern(item.word(i)), item.where(i)});
    });
}

/// The words were checked by the caller.
void read_keyword(Context& context, VrrpSyncGroup& group, InstanceDraft& draft, const Node& node) {
    const std::string_view name = node.statement().keyword->name;
    const auto flag = [&] { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); };
    if (name == "group" && !group.members.empty()) {
        context.reporter.warning(node.line(), node.word(0), "there is a 'group' in this vrrp_sync_group already, on line " + std::to_string(group.members.front().where.line) +
                                                                ": the members of both count", "write one list");
    }
    if (name == "group") read_members(context, group.members, node);
    else if (name == "track_interface") read_tracked_items(context, {group.track_interfaces, 253, nullptr}, draft, node);
    else if (name == "track_script") read_tracked_items(context, {group.track_scripts, 253, &context.scripts}, draft, node);
    else if (name == "track_file") read_tracked_items(context, {group.track_files, 254, &context.files}, draft, node);
    else if (name == "track_process") read_tracked_items(context, {group.track_processes, 254, &context.processes}, draft, node);
    else if (name == "track_bfd") read_tracked_items(context, {group.track_bfds, 253, &context.bfds}, draft, node);
    else if (name == "sync_group_tracking_weight") group.tracking_weight = true;
    else if (name == "smtp_alert") group.smtp_alert = flag();
    else if (name == "notify_priority_changes") group.notify_priority_changes = flag();
    const auto script = std::find_if(script_keywords.begin(), script_keywords.end(), [&](const auto& row) { return row.first == name; });
    if (script != script_keywords.end()) add_script(context, group.scripts, node, script->second);
}

/// False: an earlier group has its name, and that has been said.
bool claim_name(Context& context, std::unordered_map<std::string_view, SourceLocation>& names, const Node& block) {
    const auto [first, is_new] = names.try_emplace(context.texts.intern(block.word(1)), block.where(1));
    if (is_new) return true;
    context.reporter.error(block.line(), block.word(1),
                           "there is a " + std::string(block.word(0)) + " '" + std::string(first->first) + "' already, on line " +
                               std::to_string(first->second.line) + ": this one is ignored",
                           "give each group a name of its own");
    return false;
}

}  // namespace

void read_sync_group(Context& context, const Node& block) {
    if (!claim_name(context, context.sync_group_names, block)) return;
    VrrpSyncGroup group;
    group.name = context.texts.intern(block.word(1));
    group.where = block.where(1);
    InstanceDraft draft;
    block.for_each_child([&](const Node& node) {
        report_deprecated(context.reporter, node);
        if (node.statement().is_deaf || !check_arguments(context.reporter, node)) return;
        read_keyword(context, group, draft, node);
        if (node.statement().keyword->status == Status::later) report_later(context.reporter, node);
    });
    context.configuration.sync_groups.push_back(std::move(group));
    context.sync_group_drafts.push_back(std::move(draft));
}

void read_track_group(Context& context, const Node& block) {
    if (!claim_name(context, context.track_group_names, block)) return;
    TrackGroup group{context.texts.intern(block.word(1)), block.where(1), {}};
    block.for_each_child([&](const Node& node) {
        if (!node.statement().is_deaf) read_members(context, group.members, node);
    });
    context.configuration.track_groups.push_back(std::move(group));
}

}  // namespace vigil::config
