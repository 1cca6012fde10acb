// Sync groups: virtual routers of one host, mostly on different LANs, that are Active together or not at all. A gateway that holds the address
// of one side only is a black hole, and a stateful firewall must see both directions. RFC 9568 knows nothing of this; keepalived's
// vrrp_sync_group is the model, and this is what it means here.
//
// A group is what its members are. Every member is in the same state at the end of every call on the engine, so there is no state of the group
// to keep, and none that could contradict its members: a new engine that takes over the records of an old one takes over the groups
// with them; one that a reload takes out moves nobody else. (One exception: a member that a reload adds to an Active group listens for one
// Active_Down_Interval, as every router does that starts; then it joins the others, or they join it because of what it has heard.) Whatever makes one member change makes all change within the same call: their adverts are in one
// batch, in the urgent lane, before any announcement; addresses follow as for single routers.
//
// * Initialize. While a member has a fault of its own, all others have Fault::sync_group, so "a router with faults is in Initialize" stays true. An
//   Active group that gets a fault says priority 0 on every LAN. When the last own fault goes, all start together. Command::shutdown to one
//   member stops all of them, Command::start starts them.
// * Start. All are owners (priority 255): all are Active at once. Otherwise all are Backup with their full timers, owners too.
// * Becoming Active. The first Active_Down_Timer that fires takes the whole group along, unless another member objects (below). It need not wait
//   for the others' timers: after a crash of the Active they would fire too, but one with an interval of 10 s would hold up one with 1 s.
// * Yielding. A member that yields to a greater priority or wins no tie takes all to Backup, without priority 0: the winner, if it is
//   a sync group, takes the other LANs within the same millisecond, and a stop advert would only add a second takeover.
//
// Two LANs that see different things are where sync groups go wrong. The Active R1 and our R2 hear each other on
// LAN b, but not on LAN a: a switch between them is broken, while both links are up. R2's timer on a fires. If R2 became Active, R1 would depose
// it on b at once, that would take a back to Backup, and so on for ever, every three intervals, with the hosts of b believing each time
// in another router. So before a group becomes Active each other member is asked whether it objects:
//
// * "I hear an Active that we would lose against": of greater priority, or of ours and with a greater address, and it was heard after the expired member
//   had missed its first advert. That last condition tells a broken LAN from a dead Active: after a crash no member hears anything that is
//   younger than the silence, so nobody objects, and the takeover is as fast as without a group. (keepalived waits for the last timer of all.)
// * "I defer": the member whose timer fired hears an Active too, a lower one that it wants to preempt, and the other one accepts that Active because of
//   nopreempt or because preempt_delay is not over. Preemption is a wish and can wait; so the longest preempt_delay of the members counts,
//   and nopreempt of one keeps all from preempting. Silence on a LAN is a failure and does not wait for such a wish.
//
// Who is held that way stays Backup for another Active_Down_Interval and asks again. When the objector's own timer fires, the held one
// has nothing to object, and both go. The group then is where all of it can be: with R1 as long as R1 lives, on a LAN that R1 cannot
// serve either way. The same rule settles priorities that cross (R1 greater on a, R2 greater on b): whoever is Active stays, because the other one
// has always a member that would lose. It also means that a group never serves one LAN alone, not even when another LAN is
// held by a router without such a group: that is what the word promises.
//
// Silence that proves nothing (state_machine.cpp) is shared: while one member listens after a pause or a loss of frames, the others listen with it,
// three times at most, or the first of them to be satisfied would make the doubtful one Active.
//
// Two groups with crossing priorities, or tied ones whose addresses cross, can become Active in the same millisecond; then each deposes the other,
// both are Backup with the same timers, and would do it again for ever. So in a group that is deposed for the second time at short
// distance the next timer that fires waits longer, by a part of some intervals that is computed from its address and the count: without chance,
// because a journal must replay, but different for each router and each time. It is not added to the timers when they are set, because the next
// advert of somebody who is about to yield as well would set them anew. This is also what slows down a group that flaps for other reasons.

#include "engine/core/sync_group.h"

#include <algorithm>
#include <utility>

#include "engine/core/state_machine.h"

namespace vigil::engine::sync_group {
namespace {

/// When its LAN began to be silent: about when the advert was missed that would have restarted its timer. A quarter of the interval early, because adverts
/// of one router for several LANs leave together but do not arrive at the same instant.
Instant silent_since(const VirtualRouter& router) {
    if (router.heard == Heard::stop) return router.deadline - skew_time(router);
    return router.deadline - active_down_interval(router) + 3 * Nanoseconds{router.active_adver_interval} / 4;
}

bool was_just_deposed(const SyncGroup& group, const VirtualRouter& member, Instant now) {
    constexpr int distance = 4;   // Active_Down_Intervals
    return group.last_deposed != Instant{} && now - group.last_deposed < distance * active_down_interval(member);
}

/// splitmix64: every bit of the input moves every bit of the output.
std::uint64_t mix(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

}  // namespace

Objection objection(const VirtualRouter& expired, const VirtualRouter& other) {
    if (other.state != State::backup) return Objection::none;
    const Instant heard_at = other.deadline - active_down_interval(other);
    if (other.heard == Heard::superior && heard_at >= silent_since(expired)) return Objection::superior_heard;
    if (other.heard == Heard::deferred && expired.heard == Heard::refused) return Objection::deferred;
    return Objection::none;
}

bool doubts_silence(const VirtualRouter& router, Instant now) {
    if (router.state != State::backup || router.doubts == state_machine::most_doubts) return false;
    return router.doubts != 0 || now - router.deadline > active_down_interval(router);
}

void retreat(SyncGroup& group, const VirtualRouter& member, Instant now) {
    group.depositions = was_just_deposed(group, member, now) ? group.depositions + 1 : 0;
    group.last_deposed = now;
    group.penalty = Nanoseconds{0};
    if (group.depositions == 0) return;
    std::uint64_t seed = group.depositions;
    for (const std::uint8_t octet : member.primary_address) seed = mix(seed ^ octet);
    const Nanoseconds interval{member.active_adver_interval};
    const std::int64_t longest = interval.count() << std::min<std::uint32_t>(group.depositions - 1, 2);
    group.penalty = Nanoseconds{static_cast<std::int64_t>(seed % static_cast<std::uint64_t>(longest))};
}

Instant earliest_takeover(SyncGroup& group, const VirtualRouter& member, Instant now) {
    const Nanoseconds penalty = std::exchange(group.penalty, Nanoseconds{0});
    if (penalty != Nanoseconds{0} && was_just_deposed(group, member, now)) group.not_before = now + penalty;
    return std::max(now, group.not_before);
}

}  // namespace vigil::engine::sync_group
