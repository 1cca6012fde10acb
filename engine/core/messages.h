#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/core/state_machine.h"
#include "packet/receive_error.h"

namespace vigil::engine {

/// Control thread -> fast thread.
struct Command {
    enum class Kind : std::uint8_t {
        start,             ///< router (or all with RouterIndex::none) may take part; clears not_started and stopped
        shutdown,          ///< router or all: stop advert if Active, Initialize until start
        addresses_ready,   ///< the kernel holds the router's addresses: announcements begin
        set_fault,         ///< router, fault
        clear_fault,       ///< router, fault
        link_down,         ///< link: set_fault(link_down) for all its routers
        link_up,           ///< link: clear_fault(link_down, link_gone) for all its routers
        link_gone,         ///< link: set_fault(link_gone)
        set_priority,      ///< router, value = effective priority 1-255
        set_primary_address,  ///< router, address (all zero, or not link-local for IPv6 multicast: Fault::no_source_address)
        set_link_mac,      ///< link, address[0..5] = its new MAC: frames without a virtual MAC are patched
        report_states,     ///< every router, or the one that is named, answers with Event::Kind::state_report
        frames_lost,       ///< link: frames were lost up to now for want of room, so silence proves nothing (by the fast loop itself)
        dismiss,           ///< router: as shutdown, but its sync group goes on without it
        set_wall_clock,    ///< address[0..7] = wall clock less our instants, in ns (by the fast loop itself): see wall_clock_command()
    };
    Kind kind = Kind::start;
    Fault fault = Fault::none;
    std::uint8_t value = 0;
    LinkIndex link = LinkIndex::none;
    RouterIndex router = RouterIndex::none;
    AddressOctets address{};
};
static_assert(std::is_trivially_copyable_v<Command>);

/// Signatures carry wall-clock time. The engine reads no clock, so it is told by how much that of UTC (since 1970) is ahead of its Instants.
Command wall_clock_command(Nanoseconds ahead);
Nanoseconds wall_clock_of(const Command& command);

/// Fast thread -> control thread. "Rate-limited" is once a second per router and kind, so that no cause hides another.
struct Event {
    enum class Kind : std::uint8_t {
        transition,         ///< from -> to, reason
        state_report,       ///< answer to report_states, or after events were lost
        lower_heard,        ///< an Active heard a losing advert of priority `value` from `peer` (rate-limited)
        own_address_seen,   ///< an advert from our own primary address (rate-limited): address used twice, or a loop
        owner_conflict,     ///< an owner hears adverts (erratum 8298, rate-limited)
        interval_learned,   ///< v3: a peer's interval, in `detail`, is not the one told last (rate-limited)
        address_list_differs,  ///< the addresses of a new sender, `detail` of them, are not ours (RFC 9568 §7.1, rate-limited)
        rejected,           ///< a frame for this router was refused, `error` says why (rate-limited per router); without one: Engine::report_unknown_vrids()
        transmit_failed,    ///< errno in `detail` (rate-limited)
        clock_skewed,       ///< an accepted advert was signed `detail` seconds (signed) before our wall clock, more than half of time_window (rate-limited)
        flapping,           ///< deposed and restored over and over at short intervals (RFC 9568 §2.5, rate-limited)
        held_by_group,      ///< silence, but member `detail` of the sync group hears an Active that would depose it (rate-limited)
        interval_missed,    ///< an advert left `detail` milliseconds late, a whole interval or more (rate-limited): advert_int is not held
        paused,             ///< the process did not run for `detail` milliseconds; no router (by the fast loop itself)
    };
    static constexpr std::size_t kind_count = static_cast<std::size_t>(Kind::paused) + 1;

    Kind kind = Kind::transition;
    State from = State::initialize;
    State to = State::initialize;
    Reason reason = Reason::none;
    packet::ReceiveError error = packet::ReceiveError::count_;
    std::uint8_t value = 0;                    ///< the peer's priority where `peer` caused it; else our effective one
    std::uint8_t faults = 0;
    RouterIndex router = RouterIndex::none;
    std::uint32_t detail = 0;                  ///< interval in centiseconds (rejected too, but with hmac_stale the seconds, signed, by which our clock is ahead, with hmac_unknown_key the id), number of addresses, errno, depositions in a row, milliseconds, router
    Instant at{};
    AddressOctets peer{};                      ///< source of the advert that caused it, else zero
};
static_assert(std::is_trivially_copyable_v<Event>);

}  // namespace vigil::engine
