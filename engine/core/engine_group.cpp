// The engine's part in sync groups: who follows whom. What it means and why is told in sync_group.cpp.
//
// One rule keeps this free of recursion: apply() carries out the step of the member that something happened to, and then calls follow() once;
// the steps of those that follow are only carried out.

#include <algorithm>

#include "engine/core/engine.h"

namespace vigil::engine {
namespace {

constexpr auto group_fault = static_cast<std::uint8_t>(Fault::sync_group);
constexpr auto stopped = static_cast<std::uint8_t>(Fault::stopped);
constexpr auto not_started = static_cast<std::uint8_t>(Fault::not_started);
constexpr auto joins = static_cast<std::uint16_t>(Flag::joins_group);

}  // namespace

SyncGroup* Engine::group_of(RouterIndex index) {
    const GroupIndex group = cold_[to_number(index)].group;
    return group == GroupIndex::none ? nullptr : &groups_[to_number(group)];
}

std::span<const RouterIndex> Engine::members_of(const SyncGroup& group) const {
    return std::span(members_).subspan(group.first_member, group.member_count);
}

tl::expected<void, LoadError> Engine::add_groups(const EngineSpec& spec) {
    groups_.reserve(spec.groups.size());
    std::size_t member_count = 0;
    for (const GroupSpec& group : spec.groups) member_count += group.members.size();
    members_.reserve(member_count);
    for (const GroupSpec& from : spec.groups) {
        const GroupIndex index{static_cast<std::uint32_t>(groups_.size())};
        SyncGroup& group = groups_.emplace_back();
        group.first_member = static_cast<std::uint32_t>(members_.size());
        group.member_count = static_cast<std::uint32_t>(from.members.size());
        for (const RouterIndex member : from.members) {
            if (to_number(member) >= table_.size()) return tl::unexpected(LoadError{RouterIndex::none, "sync group with an unknown member"});
            ColdRouter& cold = cold_[to_number(member)];
            if (cold.group != GroupIndex::none) return tl::unexpected(LoadError{member, "is in two sync groups"});
            cold.group = index;
            members_.push_back(member);
            group.frame_count += static_cast<std::uint32_t>(frames_.frames_of(member).size());
        }
        group.faulty_count = group.member_count;   // not started yet
        largest_group_fan_out_ = std::max<std::size_t>(largest_group_fan_out_, group.frame_count);
    }
    return {};
}

/// Active_Down_Timer of a Backup has fired: its own step, or the group keeps it where it is.
Step Engine::down_timer_step(RouterIndex index, Instant now, Instant lost_at) {
    VirtualRouter& router = table_[index];
    SyncGroup* group = group_of(index);
    if (group == nullptr) return state_machine::on_timer(router, now, lost_at);
    bool group_listens = false;
    auto objection = sync_group::Objection::none;
    RouterIndex objector = RouterIndex::none;
    for (const RouterIndex member : members_of(*group)) {
        if (member == index) continue;
        group_listens = group_listens || sync_group::doubts_silence(table_[member], now);
        if (objection != sync_group::Objection::none) continue;
        objection = sync_group::objection(router, table_[member]);
        objector = member;
    }
    if (objection == sync_group::Objection::none) {
        const Instant earliest = sync_group::earliest_takeover(*group, router, now);
        return earliest > now ? state_machine::on_held_by_group(router, earliest) : state_machine::on_timer(router, now, lost_at, group_listens);
    }
    ++counters_.held_by_group;
    if (objection == sync_group::Objection::superior_heard && router.heard != Heard::refused &&
        may_report(cold_[to_number(index)], Event::Kind::held_by_group, now)) {
        emit({.kind = Event::Kind::held_by_group, .from = State::backup, .to = State::backup, .reason = Reason::held_by_group,
              .value = to_number(router.priority), .router = index, .detail = static_cast<std::uint32_t>(objector), .at = now});
    }
    return state_machine::on_held_by_group(router, now + active_down_interval(router));
}

/// A member has changed its state: so do all others.
void Engine::follow(RouterIndex leader, const Step& step, Instant now, TxBatch& tx) {
    SyncGroup* group = group_of(leader);
    if (group == nullptr) return;
    const std::uint8_t fault = step.reason == Reason::shutdown ? stopped : group_fault;
    for (const RouterIndex member : members_of(*group)) {
        VirtualRouter& router = table_[member];
        router.flags &= static_cast<std::uint16_t>(~joins);
        if (member == leader) continue;
        switch (step.to) {
        case State::active: carry_out(member, state_machine::on_group_active(router, now), now, nullptr, tx); break;
        case State::backup: carry_out(member, state_machine::on_group_backup(router, now), now, nullptr, tx); break;
        case State::initialize: fail_with_group(member, fault, now, tx); break;
        }
    }
    if (step.from == State::active && step.to == State::backup) sync_group::retreat(*group, table_[leader], now);
}

/// `fault` is that of the group, or `stopped`, which is each member's own.
void Engine::fail_with_group(RouterIndex index, std::uint8_t fault, Instant now, TxBatch& tx) {
    VirtualRouter& router = table_[index];
    if (fault == group_fault && has_own_fault(router)) return;
    if (fault == stopped && !has_own_fault(router)) ++group_of(index)->faulty_count;
    router.faults |= fault;
    if (router.state == State::initialize) return;
    carry_out(index, state_machine::on_fault(router, fault == stopped ? Reason::shutdown : Reason::sync_group), now, nullptr, tx);
}

/// A member has lost a fault, perhaps the last one of the group.
void Engine::settle_member(RouterIndex index, unsigned cleared, Instant now, TxBatch& tx) {
    SyncGroup& group = *group_of(index);
    VirtualRouter& router = table_[index];
    if (has_own_fault(router)) {
        if ((cleared & not_started) == 0) return;
        fail_running(group, now, tx);   // after a reload: one that joins a running group, and cannot run
        for (const RouterIndex member : members_of(group)) {
            if (table_[member].faults == group_fault) report_state(member);   // what it waits for is a fault now
        }
        return;
    }
    if (--group.faulty_count == 0) return start_group(group, now, tx);
    router.faults |= group_fault;
}

/// No member has a fault of its own any more. Members that run already are there after a reload only: the others join them.
void Engine::start_group(const SyncGroup& group, Instant now, TxBatch& tx) {
    bool has_active = false, has_objector = false, are_owners = true;
    for (const RouterIndex member : members_of(group)) {
        VirtualRouter& router = table_[member];
        router.faults &= static_cast<std::uint8_t>(~group_fault);
        has_active = has_active || router.state == State::active;
        has_objector = has_objector || (router.state == State::backup && router.heard == Heard::superior);
        are_owners = are_owners && is_owner(router);
    }
    for (const RouterIndex member : members_of(group)) {
        VirtualRouter& router = table_[member];
        if (!has_active) carry_out(member, state_machine::on_startup(router, now, are_owners), now, nullptr, tx);
        else if (!has_objector && router.state == State::initialize && !is_owner(router)) start_joining(member, now, tx);
        else if (!has_objector) carry_out(member, state_machine::on_group_active(router, now), now, nullptr, tx);
        else if (router.state == State::active) carry_out(member, state_machine::on_group_backup(router, now), now, nullptr, tx);
        else carry_out(member, state_machine::on_startup(router, now, false), now, nullptr, tx);
    }
}

/// It may not depose an Active on its LAN that it has not heard yet, so it listens like any other first. The others stay Active meanwhile.
void Engine::start_joining(RouterIndex index, Instant now, TxBatch& tx) {
    carry_out(index, state_machine::on_startup(table_[index], now, false), now, nullptr, tx);
    table_[index].flags |= joins;
}

/// An Active that would depose the group makes it Backup. A lower one is not listened to whatever nopreempt and preempt_delay say: the group is Active.
void Engine::hear_while_joining(RouterIndex index, const Advertisement& advertisement, Instant now, TxBatch& tx) {
    VirtualRouter& router = table_[index];
    if (advertisement.priority < router.priority && advertisement.priority != Priority::stop) return;
    set_timer(index, state_machine::on_advertisement(router, advertisement, now));
    if (router.heard != Heard::superior) return;
    router.flags &= static_cast<std::uint16_t>(~joins);
    SyncGroup* group = group_of(index);
    if (group == nullptr) return;
    for (const RouterIndex member : members_of(*group)) {
        table_[member].flags &= static_cast<std::uint16_t>(~joins);
        carry_out(member, state_machine::on_group_backup(table_[member], now), now, &advertisement, tx);
    }
}

void Engine::fail_running(const SyncGroup& group, Instant now, TxBatch& tx) {
    for (const RouterIndex member : members_of(group)) fail_with_group(member, group_fault, now, tx);
}

/// A member that waits for others that have not been started yet is in no fault that an operator should hear of.
std::uint8_t Engine::faults_to_tell(RouterIndex index) {
    const std::uint8_t faults = table_[index].faults;
    const SyncGroup* group = group_of(index);
    if (faults != group_fault || group == nullptr) return faults;
    const auto has_fault = [this](RouterIndex member) { return (table_[member].faults & ~(group_fault | not_started)) != 0; };
    return std::ranges::any_of(members_of(*group), has_fault) ? faults : not_started;
}

/// Command::start for one member: what a shutdown of one stopped, starts with it.
void Engine::restart_group_of(RouterIndex index, Instant now, TxBatch& tx) {
    SyncGroup* group = group_of(index);
    if (group == nullptr) return;
    bool has_restarted = false;
    for (const RouterIndex member : members_of(*group)) {
        VirtualRouter& router = table_[member];
        if (member == index || !has(router, Fault::stopped)) continue;
        router.faults &= static_cast<std::uint8_t>(~stopped);
        if (has_own_fault(router)) continue;
        router.faults |= group_fault;
        --group->faulty_count;
        has_restarted = true;
    }
    if (has_restarted && group->faulty_count == 0) start_group(*group, now, tx);
}

/// A reload takes it out, and the others notice nothing of that.
void Engine::leave_group(RouterIndex index, Instant now, TxBatch& tx) {
    SyncGroup* group = group_of(index);
    if (group == nullptr) return;
    const auto members = std::span(members_).subspan(group->first_member, group->member_count);
    const auto at = std::find(members.begin(), members.end(), index);
    std::copy(at + 1, members.end(), at);
    --group->member_count;
    group->frame_count -= static_cast<std::uint32_t>(frames_.frames_of(index).size());
    cold_[to_number(index)].group = GroupIndex::none;
    VirtualRouter& router = table_[index];
    if (has_own_fault(router)) {
        if (--group->faulty_count == 0) start_group(*group, now, tx);
    }
    router.faults &= static_cast<std::uint8_t>(~group_fault);
}

/// After records were taken over from an engine whose groups had other members: every group is brought into one state. Members that are new join when they
/// are started; what cannot run takes its group along; who waited for a group that it is not in any more, starts. False when `tx` had no room: once
/// more with an empty one; what is in line already stays as it is.
bool Engine::settle_groups(Instant now, TxBatch& tx) {
    for (SyncGroup& group : groups_) {
        if (!settle_group(group, now, tx)) return false;
    }
    for (std::uint32_t i = 0; i < table_.size(); ++i) {
        VirtualRouter& router = table_[RouterIndex{i}];
        if (!has(router, Fault::sync_group) || cold_[i].group != GroupIndex::none) continue;
        if (!has_room_for(own_frame_count(RouterIndex{i}), tx)) return false;
        router.faults &= static_cast<std::uint8_t>(~group_fault);
        carry_out(RouterIndex{i}, state_machine::on_startup(router, now), now, nullptr, tx);
    }
    are_groups_settled_ = true;
    return true;
}

bool Engine::settle_group(SyncGroup& group, Instant now, TxBatch& tx) {
    if (!has_room_for(group.frame_count, tx)) return false;
    bool has_fault = false;
    group.faulty_count = 0;
    for (const RouterIndex member : members_of(group)) {
        const VirtualRouter& router = table_[member];
        group.faulty_count += has_own_fault(router) ? 1u : 0u;
        has_fault = has_fault || (has_own_fault(router) && !has(router, Fault::not_started));
    }
    if (has_fault) fail_running(group, now, tx);
    else if (group.faulty_count == 0) start_group(group, now, tx);
    return true;
}

}  // namespace vigil::engine
