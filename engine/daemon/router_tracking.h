#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/messages.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/tracking.h"

namespace vigil::daemon {

/// Turns changes of tracked things into commands for the routers that track them, and holds the election of those back that cannot be judged yet.
/// A change costs as much as it has routers. Control thread.
class RouterTracking {
public:
    struct World {
        std::function<bool(std::string_view)> is_interface_up;
        std::function<bool(std::string_view)> is_group_complete{};   ///< of a track_group; only asked when there is one
        std::function<void(const engine::Command&)> send;
        std::function<void()> wake;   ///< commands were sent while nobody had asked for them
    };

    /// `plan` and `things` outlive it. Scripts, files and processes are among the things; interfaces and track groups are added.
    RouterTracking(const Plan& plan, TrackedThings& things, World world);
    ~RouterTracking();

    /// Tells the engine where priorities and faults are not what the plan has. Before the election.
    void start();
    /// For a reload, instead of start(): `before` are the results that the engine knows of the plan before.
    void go_on_from(const std::vector<TrackingResult>& before, const std::vector<engine::RouterIndex>& predecessors, bool has_begun_election);
    /// The election: all routers, or all but those that wait for a first result, which follow one by one.
    void begin_election();
    /// Of one router, when the election of the others has begun.
    void begin_election(std::size_t router);
    const std::vector<TrackingResult>& results() const { return results_; }
    int effective_priority(std::size_t router) const { return results_[router].priority; }
    /// Routers whose effective priority has changed since the last call.
    std::vector<std::uint32_t> take_changed_priorities() { return std::exchange(changed_priorities_, {}); }
    /// What holds it in Fault::tracker, for an operator.
    std::string describe_fault(std::size_t router) const;

private:
    using Items = std::vector<TrackedWeight>;

    std::span<const TrackedWeight> items_of(std::size_t router) const;
    const Items& resolve(const config::VrrpInstance& settings);
    void resolve_list(Items& items, ThingKind kind, const std::vector<config::TrackedItem>& list);
    void on_change(ThingIndex thing);
    void evaluate_all();
    void evaluate(std::size_t router);
    void send(engine::Command::Kind kind, std::size_t router, engine::Fault fault = engine::Fault::none, int value = 0);

    const Plan& plan_;
    TrackedThings& things_;
    World world_;
    std::unordered_map<const config::VrrpInstance*, Items> items_;   // what routers have in common is there once
    std::unordered_map<ThingIndex, std::vector<std::uint32_t>> routers_of_;
    std::vector<TrackingResult> results_;                            // by router
    std::vector<std::uint32_t> changed_priorities_;
    std::vector<ThingIndex> added_;                                  // by us
    bool has_begun_ = false;
    std::size_t lines_left_ = 0;                                     // to be written about one change
};

}  // namespace vigil::daemon
