/// What instances track, against what there is to be tracked. keepalived looks a name up while it reads, so that a script defined below the instance is
/// "not found" and the instance runs without its check; here the order does not matter, and the difference is said, because the same file may
/// be read by a keepalived on the other router.
///
/// A weight that can never change the outcome is a mistake in every file: the sum is cut off at 1 and 254 (RFC 9568 §5.2.4 leaves 255 to the
/// owner), so priority 254 with weight 20 is priority 254. That is judged with all other items of the instance at their worst.

#include <algorithm>
#include <unordered_set>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr int lowest = 1;
constexpr int highest = 254;

bool has(const std::vector<SourceLocation>& places, SourceLocation where) {
    return std::find(places.begin(), places.end(), where) != places.end();
}

/// What an item may add to the priority.
struct Range {
    int low = 0;
    int high = 0;
};

Range range_of(const TrackedItem& item, bool is_file) {
    const int weight = item.weight.value_or(0);
    if (weight == 0) return {};
    if (is_file) return {-highest, highest};  // whatever number stands there
    const int shift = item.reverse ? -weight : weight;
    return {std::min(shift, 0), std::max(shift, 0)};
}

}  // namespace

TrackingValidator::TrackingValidator(Context& context) : context_(context) {
    const Configuration& all = context.configuration;
    for (const VrrpScript& one : all.scripts) scripts_.definitions.emplace(one.name, Definition{one.weight, one.weight_reverse, one.where});
    for (const TrackedFile& one : all.tracked_files) files_.definitions.emplace(one.name, Definition{one.weight, one.weight_reverse, one.where});
    for (const TrackedProcess& one : all.tracked_processes) {
        processes_.definitions.emplace(one.name, Definition{one.weight, one.weight_reverse, one.where});
    }
    for (const BfdInstance& one : all.bfd_instances) {
        Definition& definition = bfds_.definitions[one.name];
        definition = {one.weight, one.weight_reverse, one.where};
        definition.is_for_others = !one.vrrp;
    }
}

void TrackingValidator::say(Severity severity, std::string_view owner, SourceLocation where, std::string text, std::string help) {
    context_.reporter.report_at(severity, where, "(" + std::string(owner) + ") " + std::move(text), std::move(help));
}

void TrackingValidator::settle(VrrpInstance& instance, const InstanceDraft& draft) {
    settle_items(instance.name, draft, instance.track_scripts, scripts_);
    settle_items(instance.name, draft, instance.track_files, files_);
    settle_items(instance.name, draft, instance.track_processes, processes_);
    settle_items(instance.name, draft, instance.track_bfds, bfds_);
    if (instance.priority != Priority::owner) return report_without_effect(instance);
    for (auto* items : {&instance.track_interfaces, &instance.track_scripts, &instance.track_files, &instance.track_processes, &instance.track_bfds}) {
        drop_weighted(instance, *items);
    }
}

void TrackingValidator::settle(VrrpSyncGroup& group, const InstanceDraft& draft) {
    settle_items(group.name, draft, group.track_scripts, scripts_);
    settle_items(group.name, draft, group.track_files, files_);
    settle_items(group.name, draft, group.track_processes, processes_);
    settle_items(group.name, draft, group.track_bfds, bfds_);
}

void TrackingValidator::settle_items(std::string_view owner, const InstanceDraft& draft, std::vector<TrackedItem>& items, Kind& kind) {
    std::erase_if(items, [&](TrackedItem& item) {
        const auto found = kind.definitions.find(item.name);
        if (found == kind.definitions.end()) {
            report_missing(owner, item, kind);
            return true;
        }
        Definition& definition = found->second;
        if (definition.is_for_others) {
            say(Severity::error, owner, item.where, "bfd_instance " + in_quotes(item.name) + " is for checkers only: it is not tracked",
                "write 'vrrp' into the bfd_instance on line " + std::to_string(definition.where.line) + ", or leave 'checker' out");
            return true;
        }
        definition.is_used = true;
        if (has(draft.early_uses, item.where)) {
            say(Severity::warning, owner, item.where, in_quotes(item.name) + " is used before it is defined: keepalived would not track it",
                "put the " + std::string(kind.keyword) + " on line " + std::to_string(definition.where.line) + " in front of the instance");
        }
        if (!item.weight || has(draft.open_directions, item.where)) item.reverse = definition.reverse;
        if (!item.weight) item.weight = definition.weight;
        return false;
    });
}

void TrackingValidator::report_missing(std::string_view owner, const TrackedItem& item, const Kind& kind) {
    Suggester suggester(item.name);
    if (context_.reporter.may_suggest()) {
        for (const auto& [name, definition] : kind.definitions) suggester.consider(name);
    }
    say(Severity::error, owner, item.where, "there is no " + std::string(kind.keyword) + " " + in_quotes(item.name) + ": it is not tracked",
        suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
}

/// Nothing may lower an owner's priority (RFC 9568 §5.2.4); a file's number times a weight that says FAULT would be a surprise then.
void TrackingValidator::drop_weighted(VrrpInstance& instance, std::vector<TrackedItem>& items) {
    std::erase_if(items, [&](const TrackedItem& item) {
        if (item.weight.value_or(0) == 0) return false;
        say(Severity::warning, instance.name, item.where, "priority 255 is the owner's, which no weight changes: " + in_quotes(item.name) + " is not tracked",
            "write weight 0 for FAULT, or another priority");
        return true;
    });
}

void TrackingValidator::report_without_effect(const VrrpInstance& instance) {
    const std::vector<TrackedItem>* lists[] = {&instance.track_interfaces, &instance.track_scripts, &instance.track_files,
                                               &instance.track_processes, &instance.track_bfds};
    Range all;
    for (const auto* list : lists) {
        for (const TrackedItem& item : *list) {
            const Range range = range_of(item, list == &instance.track_files);
            all.low += range.low;
            all.high += range.high;
        }
    }
    const int base = to_number(instance.priority);
    for (const auto* list : lists) {
        for (const TrackedItem& item : *list) {
            const Range range = range_of(item, list == &instance.track_files);
            const bool is_above = range.high > 0 && range.low == 0 && base + all.low >= highest;
            const bool is_below = range.low < 0 && range.high == 0 && base + all.high <= lowest;
            if (!is_above && !is_below) continue;
            say(Severity::warning, instance.name, item.where,
                "the weight of " + in_quotes(item.name) + " changes nothing: the priority is never " + (is_above ? "below 254 without it" : "above 1 without it"),
                "choose a priority that leaves room for the weights");
        }
    }
}

/// FILE_CHECK looks at files, too.
void TrackingValidator::mark_files_of_checkers() {
    std::unordered_set<const void*> seen;   // equal lists are one
    for (const VirtualServer& service : context_.configuration.virtual_servers) {
        for (const RealServer& server : service.real_servers) {
            if (!seen.insert(server.checkers.get()).second) continue;
            for (const Checker& checker : *server.checkers) {
                const auto* const file = std::get_if<FileCheck>(&checker.check);
                if (file == nullptr) continue;
                if (const auto known = files_.definitions.find(file->track_file); known != files_.definitions.end()) known->second.is_used = true;
            }
        }
    }
}

void TrackingValidator::report_unused() {
    mark_files_of_checkers();
    for (const Kind* kind : {&scripts_, &files_, &processes_}) {
        for (const auto& [name, definition] : kind->definitions) {
            if (definition.is_used) continue;
            context_.reporter.report_at(Severity::note, definition.where,
                                        std::string(kind->keyword) + " " + in_quotes(name) + " is tracked by no vrrp_instance: it is not looked at");
        }
    }
}

}  // namespace vigil::config
