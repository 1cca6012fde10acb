#pragma once

#include <cstdint>

#include "engine/core/virtual_router.h"

namespace vigil::engine {

/// The fields of a received ADVERTISEMENT that the election reads; the checks of RFC 9568 §7.1 have passed.
struct Advertisement {
    AddressOctets source{};
    Centiseconds max_advertise_interval{100};
    Priority priority = Priority::stop;
};

/// What the caller must do after a step. Order of execution: adverts, then release or claim, then announcements.
enum class Action : std::uint8_t {
    none = 0,
    send_advertisement = 1,        ///< with the current priority
    send_stop_advertisement = 2,   ///< with priority 0
    claim_addresses = 4,           ///< virtual MAC and addresses become ours, then they are announced
    release_addresses = 8,
    announce_again = 16,           ///< a losing advert was heard: garp_lower_prio_repeat announcements
};
constexpr Action operator|(Action a, Action b) { return static_cast<Action>(static_cast<unsigned>(a) | static_cast<unsigned>(b)); }
constexpr bool contains(Action set, Action a) { return (static_cast<unsigned>(set) & static_cast<unsigned>(a)) != 0; }

enum class Timer : std::uint8_t { keep, stop, set };

/// Why a step was taken: for events, logs and transcripts.
enum class Reason : std::uint8_t {
    none,
    startup,               ///< RFC 9568 §6.4.1
    shutdown,              ///< §6.4.2, §6.4.3 Shutdown event
    fault,                 ///< an interface or tracker went down
    sync_group,            ///< another member of the sync group made this transition, and this one follows
    held_by_group,         ///< Active_Down_Timer fired, but another member of the sync group could not stay Active
    active_down_timer,     ///< §6.4.2: nothing heard for Active_Down_Interval
    adver_timer,           ///< §6.4.3
    active_stopped,        ///< priority 0 heard: by a Backup §6.4.2, by an Active §6.4.3
    active_heard,          ///< §6.4.2: an acceptable advert
    lower_heard,           ///< a losing advert was heard
    higher_priority,       ///< §6.4.3: yields to a greater priority
    tie_lost,              ///< §6.4.3: equal priority, greater address
    priority_changed,      ///< tracking moved our priority
    listening,             ///< a timer was put off: what had been heard, or not, until then proved nothing
    replaced,              ///< another router became Active while we did not run, and we do not preempt
    stalled,               ///< we did not run for so long that another must have become Active (timer_expired_backup)
};

/// The outcome of one event: sixteen bytes, it travels in two registers.
struct Step {
    Instant deadline{};
    Timer timer = Timer::keep;
    Action actions = Action::none;
    State from = State::initialize;
    State to = State::initialize;
    Reason reason = Reason::none;

    constexpr bool changed_state() const { return from != to; }
};
static_assert(sizeof(Step) == 16);

/// RFC 9568 §6.4 and RFC 3768 §6.4: one pure function per event. Each may change the record it is given and nothing else.
namespace state_machine {

/// So often in a row a Backup puts its timer off because silence proved nothing.
constexpr std::uint8_t most_doubts = 3;

/// All faults are gone. The owner becomes Active at once, others Backup (§6.4.1). Nothing happens while a fault holds.
/// `may_be_active`: false for an owner in a sync group that has other members than owners.
Step on_startup(VirtualRouter& router, Instant now, bool may_be_active = true);
/// A fault bit was set (already in `router.faults`); an Active says stop and releases.
Step on_fault(VirtualRouter& router, Reason reason);
Step on_advertisement(VirtualRouter& router, const Advertisement& advertisement, Instant arrival);
/// Active_Down_Timer in Backup, Adver_Timer in Active; the caller guarantees router.deadline <= now. `lost_at`: when frames of the router's
/// link were last lost for want of room; zero for never. `group_listens`: a member of its sync group listens because silence proved nothing.
Step on_timer(VirtualRouter& router, Instant now, Instant lost_at = {}, bool group_listens = false);
/// Effective priority 1-255. A Backup's running timer moves by the difference of the skews.
Step on_priority_change(VirtualRouter& router, Priority priority, Instant now);

// Sync groups (sync_group.cpp). Each does nothing in other states than the one it names.

/// Backup or, without a fault, Initialize: another member became Active.
Step on_group_active(VirtualRouter& router, Instant now);
/// Active: another member yielded. No stop advert: whoever won takes this router's addresses in the same way.
Step on_group_backup(VirtualRouter& router, Instant now);
/// Backup whose Active_Down_Timer has fired: it waits until then.
Step on_held_by_group(VirtualRouter& router, Instant until);

}  // namespace state_machine
}  // namespace vigil::engine
