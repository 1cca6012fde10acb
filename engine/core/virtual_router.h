#pragma once

#include <cstdint>
#include <type_traits>

#include "packet/address.h"
#include "packet/units.h"

namespace vigil::engine {

/// Position of a router in the table and in every cold array beside it. Given once at load, in configuration order.
enum class RouterIndex : std::uint32_t { none = ~0u };
/// Position of an interface in the engine's link list (not the kernel's ifindex).
enum class LinkIndex : std::uint16_t { none = 0xffff };
/// Position of a sync group in EngineSpec::groups.
enum class GroupIndex : std::uint32_t { none = ~0u };

constexpr std::size_t to_number(RouterIndex index) { return static_cast<std::size_t>(index); }
constexpr std::size_t to_number(LinkIndex index) { return static_cast<std::size_t>(index); }
constexpr std::size_t to_number(GroupIndex index) { return static_cast<std::size_t>(index); }

/// RFC 9568 §6.2. keepalived's FAULT is `initialize` with faults != 0.
enum class State : std::uint8_t { initialize, backup, active };

/// Causes that hold a router in Initialize; several may hold at once.
enum class Fault : std::uint8_t {
    none = 0,
    not_started = 1,        ///< set at load, cleared by Command::start
    link_down = 2,          ///< its interface is not up and running
    no_source_address = 4,  ///< its interface has no primary address of the family that it may send from
    tracker = 8,            ///< something that it tracks is bad
    link_gone = 16,         ///< its interface was deleted
    stopped = 32,           ///< Command::shutdown; only Command::start clears it. In a sync group it holds for all members
    sync_group = 64,        ///< it has no fault of its own, but another member of its sync group has one
    lacks_means = 128,      ///< what it cannot do without is not there: a unicast peer (Flag::lacks_peers: for good), the device of its virtual MAC
};

/// What the last advert said that a Backup heard within its present Active_Down_Timer. Only sync groups ask (sync_group.cpp).
enum class Heard : std::uint8_t {
    nothing,
    stop,       ///< priority 0
    refused,    ///< lower than ours, and we preempt: the timer runs on
    deferred,   ///< lower than ours, accepted because we do not preempt, or not yet
    equal,      ///< our priority and a smaller address: accepted, yet an Active of ours would win
    superior,   ///< an Active of ours would lose
};

/// Properties that do not change while the router runs.
enum class Flag : std::uint16_t {
    preempt = 1,                  ///< Preempt_Mode (RFC 9568 §6.1)
    version2 = 2,                 ///< VRRPv2; else VRRPv3
    ipv6 = 4,
    unicast = 8,                  ///< unicast_peer instead of the multicast group
    no_answer_to_lower = 16,      ///< lower_prio_no_advert: stay quiet when a losing advert is heard
    last_word_to_higher = 32,     ///< higher_prio_send_advert: one more advert before yielding
    owner_ignores_adverts = 64,   ///< owner_ignore_adverts
    strict = 128,                 ///< strict_mode
    check_unicast_source = 256,   ///< check_unicast_src
    hmac = 512,                   ///< auth_hmac: has an entry in the HmacTable
    lacks_peers = 1024,           ///< unicast_fault_no_peer, and there is no peer: it never elects
    joins_group = 2048,           ///< Backup that listens once before it joins its Active sync group (by the engine)
};

/// Everything that the election of one Virtual Router reads or writes (RFC 9568 §6.1, §6.2): one cache line, no pointers.
/// Names, address lists, passwords and counters are in cold arrays at the same index.
struct alignas(64) VirtualRouter {
    static constexpr std::uint16_t no_slot = 0xffff;

    Instant deadline{};                            ///< when the armed timer really fires; the wheel may look earlier
    Instant quiet_until{};                         ///< Backup: preemption of a lower Active not before (0: not yet started);
                                                   ///< Active: no answer to a losing advert before
    std::uint32_t timer_next = ~0u;                ///< owned by TimerWheel
    std::uint32_t timer_previous = ~0u;            ///< owned by TimerWheel
    AddressOctets primary_address{};               ///< source of our adverts; decides ties (RFC 9568 §6.4.3)
    std::uint32_t preempt_delay_ms = 0;            ///< preempt_delay, 0-1,000,000
    std::uint16_t timer_slot = no_slot;            ///< owned by TimerWheel
    LinkIndex link = LinkIndex::none;
    Centiseconds advertisement_interval{100};      ///< Advertisement_Interval
    Centiseconds active_adver_interval{100};       ///< Active_Adver_Interval: learned in v3, own in v2
    std::uint16_t flags = static_cast<std::uint16_t>(Flag::preempt);
    Vrid vrid{};
    Priority priority = Priority::default_value;   ///< effective: configured, plus tracking
    State state = State::initialize;
    std::uint8_t faults = static_cast<std::uint8_t>(Fault::not_started);
    std::uint8_t down_timer_adverts = 3;           ///< the 3 of Active_Down_Interval; 1-100 by down_timer_adverts
    std::uint8_t doubts = 0;                       ///< Backup: expiries in a row that were put off, because silence proved nothing
    bool is_listening = false;                     ///< Active: it was silent for so long that it listens before it sends
    Heard heard = Heard::nothing;                  ///< Backup
    std::uint8_t stalled_for = 0;                  ///< Active: after a pause in which a peer of this priority must have taken over it steps back; 0: never
};
static_assert(sizeof(VirtualRouter) == 64, "the hot record is one cache line");
static_assert(std::is_trivially_copyable_v<VirtualRouter>);

constexpr bool has(const VirtualRouter& router, Flag flag) { return (router.flags & static_cast<std::uint16_t>(flag)) != 0; }
constexpr bool has(const VirtualRouter& router, Fault fault) { return (router.faults & static_cast<std::uint8_t>(fault)) != 0; }
constexpr Family family_of(const VirtualRouter& router) { return has(router, Flag::ipv6) ? Family::ipv6 : Family::ipv4; }
constexpr bool is_owner(const VirtualRouter& router) { return router.priority == Priority::owner; }

/// An address that adverts may be sent from: any for IPv4 and for unicast, a link-local one for IPv6 multicast (RFC 9568 §5.1.2.1). All zero
/// is none.
constexpr bool is_usable_source(const AddressOctets& address, const VirtualRouter& router) {
    if (address == AddressOctets{}) return false;
    if (!has(router, Flag::ipv6) || has(router, Flag::unicast)) return true;
    return IpAddress{address, Family::ipv6}.is_link_local();
}

/// Skew_Time. v3: (256 - priority) * Active_Adver_Interval / 256 (RFC 9568 §6.1); v2: (256 - priority) / 256 seconds
/// whatever the interval (RFC 3768 §6.1). In nanoseconds, so that short intervals keep distinct skews.
constexpr Nanoseconds skew_time(const VirtualRouter& router) {
    const Nanoseconds unit = has(router, Flag::version2) ? Nanoseconds{std::chrono::seconds{1}}
                                                         : Nanoseconds{router.active_adver_interval};
    return (256 - static_cast<int>(to_number(router.priority))) * unit / 256;
}

/// Active_Down_Interval = 3 * Active_Adver_Interval + Skew_Time (RFC 9568 §6.1), where down_timer_adverts may replace the 3.
constexpr Nanoseconds active_down_interval(const VirtualRouter& router) {
    return router.down_timer_adverts * Nanoseconds{router.active_adver_interval} + skew_time(router);
}

}  // namespace vigil::engine
