// The election of one Virtual Router: RFC 9568 §6.4 and RFC 3768 §6.4, one function per event.
//
// Each function takes the record, the event and the instant of the event (for an advertisement: when the kernel took it from the wire), may change
// the record and nothing else, and returns what the caller has to do. No I/O, no timer calls, no log: the simulation,
// the replay of captures and the daemon run exactly this code.
//
// Where it goes beyond the RFC's text:
// * A priority-255 router can be in Backup (erratum 8298: owners process adverts); there it preempts whatever Preempt_Mode says.
// * The answer to a losing advert (§6.4.3) is not repeated within a quarter of our interval, and Adver_Timer moves only when the answer is really
//   sent, so that a storm of losing adverts can neither silence us nor make us shout. Priority 0 is answered under the same limit.
// * preempt_delay (keepalived): from the first advert of a lower Active on, that Active is accepted until the delay is over.
// * v2 keeps its own interval; v3 learns Active_Adver_Interval from the Active it accepts, also from one it yields to.
// * A timer that is served much too late, because the process was stopped, suspended with its machine or kept from the CPU, is no evidence. An
//   Active that has been silent for longer than its own Active_Down_Interval must think that a Backup has taken over, because that is when those
//   of its priority and below do. It listens for two intervals, in which the other would be heard, before it sends; its addresses stay. What it
//   hears decides as ever, except that one that does not preempt gives way also to a lower Active, which did nothing wrong. A Backup whose timer is
//   overdue by another whole Active_Down_Interval gives the Active one more: when the machine was suspended, nobody was listening. Active
//   routers that were suspended together with it have then sent, because two intervals are less than three. With timer_expired_backup an Active that
//   does not preempt does not listen: it is Backup at once.
// * Frames of the link that were lost for want of room may have been the adverts that were missed. The timer is then put off by one
//   Active_Down_Interval, three times at most: a Backup that hears nothing among much noise must take over in the end.

#include "engine/core/state_machine.h"

#include <algorithm>
#include <utility>

namespace vigil::engine::state_machine {
namespace {

constexpr Instant not_yet{};
constexpr int intervals_to_listen = 2;

Step stay(const VirtualRouter& router, Reason reason = Reason::none) {
    return {.from = router.state, .to = router.state, .reason = reason};
}

bool may_preempt(const VirtualRouter& router) { return has(router, Flag::preempt) || is_owner(router); }

void learn_interval(VirtualRouter& router, Centiseconds interval) {
    if (!has(router, Flag::version2)) router.active_adver_interval = interval;  // RFC 9568 §6.4.2-13
}

/// The least distance between two answers to losing adverts.
Nanoseconds answer_distance(const VirtualRouter& router) { return Nanoseconds{router.advertisement_interval} / 4; }

Step enter_backup(VirtualRouter& router, Instant now, Action actions, Reason reason) {
    const State from = std::exchange(router.state, State::backup);
    router.quiet_until = not_yet;
    router.doubts = 0;
    router.is_listening = false;
    router.heard = Heard::nothing;
    return {now + active_down_interval(router), Timer::set, actions, from, State::backup, reason};
}

Step enter_active(VirtualRouter& router, Instant now, Reason reason) {
    const State from = std::exchange(router.state, State::active);
    router.is_listening = false;
    router.quiet_until = not_yet;
    router.active_adver_interval = router.advertisement_interval;
    return {now + Nanoseconds{router.advertisement_interval}, Timer::set, Action::send_advertisement | Action::claim_addresses,
            from, State::active, reason};
}

/// Was this Active silent at `now` for longer than its own Active_Down_Interval? The last advert left one interval before the deadline.
bool has_been_silent(const VirtualRouter& router, Instant now) {
    return now - router.deadline > active_down_interval(router) - Nanoseconds{router.advertisement_interval};
}

/// Must a Backup of priority stalled_for have taken over? It has heard nothing since one interval before the deadline.
bool has_been_replaced(const VirtualRouter& router, Instant now) {
    if (router.stalled_for == 0 || may_preempt(router)) return false;
    VirtualRouter peer = router;
    peer.priority = Priority{router.stalled_for};
    return now - router.deadline > 2 * Nanoseconds{router.advertisement_interval} + skew_time(peer);
}

/// Active_Down_Timer has expired: may the Active have been there all the same?
bool is_doubtful(const VirtualRouter& router, Instant now, Instant lost_at, bool group_listens) {
    if (router.doubts == most_doubts) return false;
    if (group_listens || now - router.deadline > active_down_interval(router)) return true;
    return lost_at != Instant{} && now - lost_at < active_down_interval(router);
}

/// The Active heard has a lower priority and we may preempt: is preempt_delay over? The first such advert starts it.
bool is_preempt_delay_over(VirtualRouter& router, Instant now) {
    if (router.preempt_delay_ms == 0 || is_owner(router)) return true;
    if (router.quiet_until == not_yet) router.quiet_until = now + std::chrono::milliseconds{router.preempt_delay_ms};
    return now >= router.quiet_until;
}

/// Of an advert that is not lower.
Heard strength(const VirtualRouter& router, const Advertisement& advertisement) {
    const bool is_superior = advertisement.priority > router.priority || advertisement.source > router.primary_address;
    return is_superior ? Heard::superior : Heard::equal;
}

Step advertisement_in_backup(VirtualRouter& router, const Advertisement& advertisement, Instant now) {
    router.doubts = 0;
    if (advertisement.priority == Priority::stop) {  // RFC 9568 §6.4.2-12
        router.heard = Heard::stop;
        return {now + skew_time(router), Timer::set, Action::none, State::backup, State::backup, Reason::active_stopped};
    }
    const bool is_lower = advertisement.priority < router.priority;
    if (is_lower && may_preempt(router)) {
        if (is_preempt_delay_over(router, now)) {
            router.heard = Heard::refused;
            return stay(router, Reason::lower_heard);  // §6.4.2-16: let it time out
        }
    } else {
        router.quiet_until = not_yet;
    }
    router.heard = is_lower ? Heard::deferred : strength(router, advertisement);
    learn_interval(router, advertisement.max_advertise_interval);
    return {now + active_down_interval(router), Timer::set, Action::none, State::backup, State::backup, Reason::active_heard};
}

/// An advert that we win against, or priority 0, is answered at once (§6.4.3) so that the sender and the learning bridges see the Active Router.
Step answer(VirtualRouter& router, Instant now, Action more, Reason reason) {
    if (now < router.quiet_until) return stay(router, reason);
    router.quiet_until = now + answer_distance(router);
    router.is_listening = false;
    return {now + Nanoseconds{router.advertisement_interval}, Timer::set, Action::send_advertisement | more,
            State::active, State::active, reason};
}

Step advertisement_in_active(VirtualRouter& router, const Advertisement& advertisement, Instant now) {
    if (advertisement.priority == Priority::stop) return answer(router, now, Action::none, Reason::active_stopped);
    const bool is_tie = advertisement.priority == router.priority;
    if (advertisement.priority > router.priority || (is_tie && advertisement.source > router.primary_address)) {
        learn_interval(router, advertisement.max_advertise_interval);
        const Action last_word = has(router, Flag::last_word_to_higher) ? Action::send_advertisement : Action::none;
        const Step step = enter_backup(router, now, Action::release_addresses | last_word, is_tie ? Reason::tie_lost : Reason::higher_priority);
        router.heard = Heard::superior;
        return step;
    }
    if (!may_preempt(router) && (router.is_listening || has_been_silent(router, now))) {
        learn_interval(router, advertisement.max_advertise_interval);
        const Step step = enter_backup(router, now, Action::release_addresses, Reason::replaced);
        router.heard = Heard::deferred;
        return step;
    }
    if (has(router, Flag::no_answer_to_lower)) {
        Step step = stay(router, Reason::lower_heard);
        if (now >= router.quiet_until) {
            router.quiet_until = now + answer_distance(router);
            step.actions = Action::announce_again;
        }
        return step;
    }
    return answer(router, now, Action::announce_again, Reason::lower_heard);
}

/// Adver_Timer counts from its deadline, so that the period does not drift, and never fires a burst to catch up.
Instant next_advertisement(const VirtualRouter& router, Instant now) {
    const Nanoseconds interval{router.advertisement_interval};
    const Instant next = router.deadline + interval;
    return next > now ? next : now + interval;
}

}  // namespace

Step on_startup(VirtualRouter& router, Instant now, bool may_be_active) {
    if (router.state != State::initialize || router.faults != 0) return stay(router);
    router.active_adver_interval = router.advertisement_interval;
    if (is_owner(router) && may_be_active) return enter_active(router, now, Reason::startup);
    return enter_backup(router, now, Action::none, Reason::startup);
}

Step on_fault(VirtualRouter& router, Reason reason) {
    const State from = std::exchange(router.state, State::initialize);
    const Action actions = from == State::active ? Action::send_stop_advertisement | Action::release_addresses : Action::none;
    return {{}, Timer::stop, actions, from, State::initialize, reason};
}

Step on_advertisement(VirtualRouter& router, const Advertisement& advertisement, Instant arrival) {
    switch (router.state) {
    case State::initialize: return stay(router);
    case State::backup: return advertisement_in_backup(router, advertisement, arrival);
    case State::active: return advertisement_in_active(router, advertisement, arrival);
    }
    return stay(router);
}

Step on_timer(VirtualRouter& router, Instant now, Instant lost_at, bool group_listens) {
    switch (router.state) {
    case State::initialize: return stay(router);
    case State::backup:
        if (!is_doubtful(router, now, lost_at, group_listens)) return enter_active(router, now, Reason::active_down_timer);
        ++router.doubts;
        router.heard = Heard::nothing;
        return {now + active_down_interval(router), Timer::set, Action::none, State::backup, State::backup, Reason::listening};
    case State::active:
        if (has_been_replaced(router, now)) return enter_backup(router, now, Action::release_addresses, Reason::stalled);
        if (has_been_silent(router, now)) {
            router.is_listening = true;
            const Nanoseconds listening = intervals_to_listen * Nanoseconds{router.advertisement_interval};
            return {now + listening, Timer::set, Action::none, State::active, State::active, Reason::listening};
        }
        router.is_listening = false;
        return {next_advertisement(router, now), Timer::set, Action::send_advertisement, State::active, State::active, Reason::adver_timer};
    }
    return stay(router);
}

Step on_priority_change(VirtualRouter& router, Priority priority, Instant now) {
    const Nanoseconds old_skew = skew_time(router);
    router.priority = priority;
    Step step = stay(router, Reason::priority_changed);
    if (router.state != State::backup) return step;
    step.timer = Timer::set;
    step.deadline = std::max(now, router.deadline - old_skew + skew_time(router));
    return step;
}

Step on_group_active(VirtualRouter& router, Instant now) {
    if (router.state == State::active || router.faults != 0) return stay(router);
    return enter_active(router, now, Reason::sync_group);
}

Step on_group_backup(VirtualRouter& router, Instant now) {
    if (router.state != State::active) return stay(router);
    return enter_backup(router, now, Action::release_addresses, Reason::sync_group);
}

Step on_held_by_group(VirtualRouter& router, Instant until) {
    if (router.state != State::backup) return stay(router);
    router.heard = Heard::nothing;
    return {until, Timer::set, Action::none, State::backup, State::backup, Reason::held_by_group};
}

}  // namespace vigil::engine::state_machine
