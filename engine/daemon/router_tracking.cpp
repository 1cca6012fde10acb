// From things to routers.
//
// Routers of a file with thousands of them share their settings, so the lists of what they track are looked up once for each kind of router; from a
// thing there is a list of routers that track it, and a change goes through that list alone.
//
// A script that has not ended yet says nothing. Who tracks it without a weight must not be elected before it has: becoming Active for the second that a
// check takes, and stepping back, would be worse than to wait. Such a router stays in Initialize, "not started", and is started by its last first
// result. With a weight the missing result just does not count.

#include "engine/daemon/router_tracking.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

using engine::Command;
using engine::Fault;

/// One script may change the priority of every router there is.
constexpr std::size_t lines_per_change = 255;

}  // namespace

RouterTracking::RouterTracking(const Plan& plan, TrackedThings& things, World world) : plan_(plan), things_(things), world_(std::move(world)) {
    results_.reserve(plan.routers.size());
    for (std::size_t i = 0; i < plan.routers.size(); ++i) {
        const PlannedRouter& router = plan.routers[i];
        for (const TrackedWeight& item : resolve(*router.settings)) {
            std::vector<std::uint32_t>& routers = routers_of_[item.thing];
            if (routers.empty() || routers.back() != i) routers.push_back(static_cast<std::uint32_t>(i));
        }
        results_.push_back({.is_faulty = false, .is_waiting = false, .priority = router.base_priority});
    }
    things_.listen([this](ThingIndex thing) { on_change(thing); });
}

RouterTracking::~RouterTracking() {
    things_.listen({});
    for (const ThingIndex thing : added_) things_.remove(thing);
}

const RouterTracking::Items& RouterTracking::resolve(const config::VrrpInstance& settings) {
    const auto [found, is_new] = items_.try_emplace(&settings);
    Items& items = found->second;
    if (!is_new) return items;
    resolve_list(items, ThingKind::interface, settings.track_interfaces);
    resolve_list(items, ThingKind::script, settings.track_scripts);
    resolve_list(items, ThingKind::file, settings.track_files);
    resolve_list(items, ThingKind::process, settings.track_processes);
    resolve_list(items, ThingKind::track_group, settings.track_static);
    resolve_list(items, ThingKind::bfd, settings.track_bfds);
    return items;
}

void RouterTracking::resolve_list(Items& items, ThingKind kind, const std::vector<config::TrackedItem>& list) {
    for (const config::TrackedItem& item : list) {
        ThingIndex thing = things_.find(kind, item.name);
        const bool is_ours = kind == ThingKind::interface || kind == ThingKind::track_group;
        if (thing == ThingIndex::none && is_ours) {
            const auto& is_up = kind == ThingKind::interface ? world_.is_interface_up : world_.is_group_complete;
            thing = things_.add({.kind = kind, .name = std::string(item.name), .is_known = true, .is_ignored = false, .is_up = is_up(item.name), .value = 0});
            added_.push_back(thing);
        }
        if (thing != ThingIndex::none) items.push_back({thing, item.weight.value_or(0), item.reverse});
    }
}

std::span<const TrackedWeight> RouterTracking::items_of(std::size_t router) const {
    const auto found = items_.find(plan_.routers[router].settings);
    return found == items_.end() ? std::span<const TrackedWeight>() : found->second;
}

void RouterTracking::start() { evaluate_all(); }

void RouterTracking::go_on_from(const std::vector<TrackingResult>& before, const std::vector<engine::RouterIndex>& predecessors,
                                bool has_begun_election) {
    has_begun_ = has_begun_election;
    for (std::size_t i = 0; i < results_.size(); ++i) {
        if (predecessors[i] != engine::RouterIndex::none) results_[i] = before[engine::to_number(predecessors[i])];
    }
    evaluate_all();
}

void RouterTracking::begin_election() {
    has_begun_ = true;
    const auto waiting = std::count_if(results_.begin(), results_.end(), [](const TrackingResult& result) { return result.is_waiting; });
    if (waiting == 0) return world_.send({.kind = Command::Kind::start});
    spdlog::info("{} virtual routers wait for the first results of their track scripts", waiting);
    for (std::size_t i = 0; i < results_.size(); ++i) begin_election(i);
}

void RouterTracking::begin_election(std::size_t router) {
    has_begun_ = true;
    if (!results_[router].is_waiting) send(Command::Kind::start, router);
}

void RouterTracking::on_change(ThingIndex thing) {
    const auto routers = routers_of_.find(thing);
    if (routers == routers_of_.end()) return;
    lines_left_ = lines_per_change;
    for (const std::uint32_t router : routers->second) evaluate(router);
    if (lines_left_ == 0) spdlog::info("{} virtual routers track {}", routers->second.size(), things_[thing].name);
    world_.wake();
}

void RouterTracking::evaluate_all() {
    lines_left_ = lines_per_change;
    for (std::size_t i = 0; i < results_.size(); ++i) evaluate(i);
}

void RouterTracking::evaluate(std::size_t router) {
    const PlannedRouter& planned = plan_.routers[router];
    const TrackingResult result = evaluate_tracking(planned.base_priority, items_of(router), things_);
    const TrackingResult before = std::exchange(results_[router], result);
    if (result.priority != before.priority) {
        if (lines_left_ != 0) {
            --lines_left_;
            spdlog::info("({}) Changing effective priority from {} to {}", planned.name, before.priority, result.priority);
        }
        send(Command::Kind::set_priority, router, Fault::none, result.priority);
        changed_priorities_.push_back(static_cast<std::uint32_t>(router));
    }
    if (result.is_faulty != before.is_faulty) send(result.is_faulty ? Command::Kind::set_fault : Command::Kind::clear_fault, router, Fault::tracker);
    if (!has_begun_ || !before.is_waiting || result.is_waiting) return;
    send(Command::Kind::start, router);
    if (result.is_faulty) send(Command::Kind::report_states, router);   // it makes no transition that would tell of it
}

std::string RouterTracking::describe_fault(std::size_t router) const { return describe_tracking_fault(items_of(router), things_); }

void RouterTracking::send(Command::Kind kind, std::size_t router, Fault fault, int value) {
    world_.send({.kind = kind, .fault = fault, .value = static_cast<std::uint8_t>(value),
                 .router = engine::RouterIndex{static_cast<std::uint32_t>(router)}});
}

}  // namespace vigil::daemon
