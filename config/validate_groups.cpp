/// Sync groups and track groups against the instances, when all of these are known and only usable ones are left. A member that is wrong is left out with
/// an error and the group goes on without it; a group without members is dropped.
///
/// Trackers of a sync group are given to each member here, so that nobody else has to know that they come from a group. Weighted trackers of
/// the members themselves are taken away, as in keepalived, because they move the priority of one member alone, and a group whose
/// members have different priorities wins on one LAN and loses on the other; sync_group_tracking_weight keeps them.

#include <algorithm>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/words.h"

namespace vigil::config {

namespace {

class GroupValidator {
public:
    GroupValidator(Context& context, const std::unordered_set<std::string_view>& unusable, TrackingValidator& tracking)
        : context_(context), unusable_(unusable), tracking_(tracking) {
        for (VrrpInstance& instance : context.configuration.instances) instances_.try_emplace(instance.name, &instance);
    }

    void validate_sync_groups() {
        auto& groups = context_.configuration.sync_groups;
        for (std::size_t i = 0; i < groups.size(); ++i) validate(groups[i], context_.sync_group_drafts[i]);
        std::erase_if(groups, [](const VrrpSyncGroup& group) { return group.members.empty(); });
    }

    void validate_track_groups() {
        for (TrackGroup& group : context_.configuration.track_groups) {
            std::erase_if(group.members, [&](const GroupMember& member) { return !is_instance(group.name, member); });
        }
    }

private:
    void say(Severity severity, std::string_view group, SourceLocation where, std::string text, std::string help = {}) {
        context_.reporter.report_at(severity, where, "(" + std::string(group) + ") " + std::move(text), std::move(help));
    }

    void validate(VrrpSyncGroup& group, const InstanceDraft& draft) {
        const std::size_t listed = group.members.size();
        std::erase_if(group.members, [&](const GroupMember& member) { return !is_instance(group.name, member) || !is_free(group, member); });
        if (group.members.empty()) {
            say(listed == 0 ? Severity::error : Severity::warning, group.name, group.where,
                listed == 0 ? "has no members: the group is not used" : "has no members that are left: the group is not used",
                listed == 0 ? "write group { NAME NAME } with the names of instances" : "");
            return;
        }
        if (listed == 1) {
            say(Severity::warning, group.name, group.where, "has one member only, so there is nothing to keep in step",
                "add the other instances, or leave the group out");
        }
        check_members(group);
        settle_messages(group);
        check_interfaces(group);
        tracking_.settle(group, draft);
        for (const GroupMember& member : group.members) give_trackers(group, *instances_.at(member.name));
    }

    void settle_messages(VrrpSyncGroup& group) {
        const GlobalDraft& defaults = context_.global_draft;
        if (!group.smtp_alert) group.smtp_alert = defaults.smtp_alert_vrrp.value_or(defaults.smtp_alert.value_or(false));
        if (!group.notify_priority_changes) return;
        for (const GroupMember& member : group.members) {
            VrrpInstance& instance = *instances_.at(member.name);
            const auto position = static_cast<std::size_t>(&instance - context_.configuration.instances.data());
            const bool says_it_itself = context_.drafts[position].notify_priority_changes.has_value();
            if (!says_it_itself) instance.notify_priority_changes = *group.notify_priority_changes;
        }
    }

    bool is_instance(std::string_view group, const GroupMember& member) {
        if (instances_.contains(member.name)) return true;
        if (unusable_.contains(member.name)) {
            say(Severity::warning, group, member.where, "instance " + in_quotes(member.name) + " cannot be used: the group goes on without it",
                "what is wrong with the instance is said where it stands");
            return false;
        }
        Suggester suggester(member.name);
        if (context_.reporter.may_suggest()) {
            for (const VrrpInstance& instance : context_.configuration.instances) suggester.consider(instance.name);
        }
        say(Severity::error, group, member.where, "there is no vrrp_instance " + in_quotes(member.name) + ": the group goes on without it",
            suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
        return false;
    }

    bool is_free(const VrrpSyncGroup& group, const GroupMember& member) {
        const auto [first, is_new] = group_of_.try_emplace(member.name, &group, member.where);
        if (is_new) return true;
        const auto& [other, where] = first->second;
        if (other == &group) {
            say(Severity::warning, group.name, member.where, in_quotes(member.name) + " is in the list already: ignored");
        } else {
            say(Severity::error, group.name, member.where,
                in_quotes(member.name) + " is a member of " + in_quotes(other->name) + " on line " + std::to_string(where.line) +
                    " already: this group goes on without it",
                "an instance is in one sync group at most");
        }
        return false;
    }

    /// What works for one instance alone, but not like this for several that go together.
    void check_members(const VrrpSyncGroup& group) {
        const VrrpInstance& first = *instances_.at(group.members.front().name);
        for (const GroupMember& member : group.members) {
            const VrrpInstance& instance = *instances_.at(member.name);
            if ((instance.priority == Priority::owner) != (first.priority == Priority::owner)) {
                say(Severity::warning, group.name, member.where,
                    in_quotes(first.name) + " and " + in_quotes(instance.name) + " differ: one has priority 255 (owner), the other has not. The group starts as Backup",
                    "give all members 255, or none");
                return;
            }
            if (instance.nopreempt != first.nopreempt || instance.preempt_delay != first.preempt_delay) {
                say(Severity::note, group.name, member.where,
                    in_quotes(first.name) + " and " + in_quotes(instance.name) + " differ in nopreempt or preempt_delay: what preempts latest holds for all",
                    "write the same in all members");
                return;
            }
        }
    }

    void check_interfaces(const VrrpSyncGroup& group) {
        const auto& is_known = context_.options.is_known_interface;
        for (const TrackedItem& item : group.track_interfaces) {
            if (is_known && !is_known(item.name)) say(Severity::warning, group.name, item.where, "there is no interface " + in_quotes(item.name), "'ip link' lists those there are");
        }
    }

    void give_trackers(const VrrpSyncGroup& group, VrrpInstance& instance) {
        give(group, instance, group.track_interfaces, instance.track_interfaces);
        give(group, instance, group.track_scripts, instance.track_scripts);
        give(group, instance, group.track_files, instance.track_files);
        give(group, instance, group.track_processes, instance.track_processes);
        give(group, instance, group.track_bfds, instance.track_bfds);
    }

    void give(const VrrpSyncGroup& group, const VrrpInstance& instance, const std::vector<TrackedItem>& from, std::vector<TrackedItem>& to) {
        std::erase_if(to, [&](const TrackedItem& own) {
            const bool is_double = std::any_of(from.begin(), from.end(), [&](const TrackedItem& item) { return item.name == own.name; });
            if (is_double) {
                say(Severity::warning, instance.name, own.where,
                    in_quotes(own.name) + " is tracked by the sync group " + in_quotes(group.name) + " too: what the group says is used", "remove it here");
            } else if (own.weight.value_or(0) != 0 && !group.tracking_weight && group.members.size() > 1) {
                say(Severity::warning, instance.name, own.where,
                    "a weight would move this member of the sync group " + in_quotes(group.name) + " alone: the tracker is not used",
                    "move it into the group, or write sync_group_tracking_weight there");
            } else {
                return false;
            }
            return true;
        });
        for (TrackedItem item : from) {
            const bool is_weighted = item.weight.value_or(0) != 0;
            if (is_weighted && instance.priority == Priority::owner) continue;   // no weight changes an owner's priority (RFC 9568 §5.2.4)
            const bool is_own_interface = &to == &instance.track_interfaces && item.name == instance.interface && !is_weighted;
            if (is_own_interface && !instance.dont_track_primary) continue;      // it is tracked anyway
            item.of_group = true;
            to.push_back(item);
        }
    }

    Context& context_;
    const std::unordered_set<std::string_view>& unusable_;
    TrackingValidator& tracking_;
    std::unordered_map<std::string_view, VrrpInstance*> instances_;
    std::unordered_map<std::string_view, std::pair<const VrrpSyncGroup*, SourceLocation>> group_of_;
};

}  // namespace

void validate_groups(Context& context, const std::unordered_set<std::string_view>& unusable, TrackingValidator& tracking) {
    if (context.configuration.sync_groups.empty() && context.configuration.track_groups.empty()) return;
    GroupValidator validator(context, unusable, tracking);
    validator.validate_sync_groups();
    validator.validate_track_groups();
}

}  // namespace vigil::config
