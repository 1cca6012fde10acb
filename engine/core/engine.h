#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "arp/announcer.h"
#include "engine/core/counters.h"
#include "engine/core/event_queue.h"
#include "engine/core/frame_store.h"
#include "engine/core/hmac_table.h"
#include "engine/core/messages.h"
#include "engine/core/router_table.h"
#include "engine/core/spec.h"
#include "engine/core/sync_group.h"
#include "engine/core/timer_wheel.h"
#include "engine/core/tx_batch.h"
#include "packet/frame.h"

namespace vigil::engine {

/// One frame as the receive ring holds it.
struct RxFrame {
    std::span<const std::uint8_t> bytes;
    Instant arrival{};                    ///< when the kernel took it from the wire, not when we looked
    LinkIndex link = LinkIndex::none;
    bool is_truncated = false;            ///< the ring slot was too small
};

struct LoadError {
    RouterIndex router = RouterIndex::none;
    std::string text;
};

/// The only door to the core: frames, time and commands in; frames (TxBatch) and Events out. No syscalls, no clock, no
/// allocation after make(). Called from one thread.
///
/// Order within one pass of the loop: on_command() for all commands, on_frames() for all frames, on_time() once. Frames before time, so that
/// a queued advert cancels an expired timer.
class Engine {
public:
    /// Builds all records and frames; every router waits in Initialize for Command::start. Linear in the specification.
    static tl::expected<Engine, LoadError> make(const EngineSpec& spec, Instant now);
    /// Goes on where `before` stands, for a reload: router i of this engine takes over the run of router predecessors[i] of that one (state, timer,
    /// effective priority, faults, what it learned, counters, announcements under way); with RouterIndex::none it waits in Initialize. The LAN sees nothing
    /// of it. To be called once, before anything else, with as many predecessors as there are routers; a predecessor has the same link, family, VRID and version. `before`
    /// has no events left to take, and is of no use afterwards.
    void adopt(const Engine& before, std::span<const RouterIndex> predecessors, Instant now);

    /// Handles frames until `tx` has no room for what the next one may cause; returns how many were handled.
    std::size_t on_frames(std::span<const RxFrame> frames, TxBatch& tx);
    /// Fires what is due at `now`, as far as `tx` has room. Instants never decrease from call to call.
    void on_time(Instant now, TxBatch& tx);
    /// False when `tx` had no room: nothing was done, call again with an empty batch. Commands for all routers work in slices.
    bool on_command(const Command& command, Instant now, TxBatch& tx);
    void on_transmit_error(RouterIndex router, int error_number, Instant now);

    /// From now on adverts for virtual routers that are not here are told of: Event::Kind::rejected without a router, where `error` is unknown_vrid, `value`
    /// the priority, and `detail` the link, the VRID << 16 and, for IPv6, 1 << 24. At most ten in a second. To be called before the first frame.
    void report_unknown_vrids() { reports_unknown_vrids_ = true; }

    /// When on_time() wants to be called next; Instant max when nothing is armed. `now` or earlier means at once.
    Instant next_deadline() const;
    /// Moves events out, oldest first; returns how many.
    std::size_t take_events(std::span<Event> out);

    std::size_t router_count() const { return table_.size(); }
    const VirtualRouter& router(RouterIndex index) const { return table_[index]; }
    RouterCounters counters(RouterIndex index) const {
        RouterCounters counters = cold_[to_number(index)].counters;
        counters.adverts_received = hearing_[to_number(index)].adverts_received;
        return counters;
    }
    /// Of the last advert that was accepted; 0 before the first.
    Priority heard_priority(RouterIndex index) const { return Priority{hearing_[to_number(index)].heard_priority}; }
    void clear_counters(RouterIndex index) {
        cold_[to_number(index)].counters = {};
        hearing_[to_number(index)].adverts_received = 0;
        if (has(table_[index], Flag::hmac)) hmac_.clear_counters(hmac_entry(index));
    }
    /// nullptr for a router without auth_hmac.
    const HmacCounters* hmac_counters(RouterIndex index) const {
        return has(table_[index], Flag::hmac) ? &hmac_.counters(hmac_entry(index)) : nullptr;
    }
    /// Does it want Command::set_wall_clock, before anything else and after each step of that clock?
    bool needs_wall_clock() const { return hmac_.size() != 0; }
    const EngineCounters& counters() const { return counters_; }
    /// The least TxBatch that every operation can make progress with.
    std::size_t least_urgent_room() const { return std::max(frames_.largest_fan_out(), largest_group_fan_out_); }
    std::size_t least_scratch_room() const { return least_urgent_room() * frames_.largest_frame() + paced_frame_bytes; }

    static constexpr std::size_t paced_frame_bytes = 96;

private:
    /// What every accepted advert reads or writes beside the record: half a cache line.
    struct alignas(32) Hearing {
        AddressOctets last_sender{};               // whose address list was compared last
        std::uint64_t adverts_received = 0;
        Centiseconds reported_interval{0};
        packet::AuthType auth_type = packet::AuthType::none;
        std::uint8_t heard_priority = 0;           // of the last advert accepted
    };
    static_assert(sizeof(Hearing) == 32);
    /// Everything about a router that the common path does not touch.
    struct ColdRouter {
        static constexpr std::uint32_t no_authentication = ~0u;

        RouterCounters counters;
        Instant last_deposed{};
        std::uint32_t first_address = 0;           // into announced_
        std::uint32_t first_advertised = 0;        // into advertised_; advertises_announced: into announced_
        std::uint32_t authentication = no_authentication;  // into authentications_; with Flag::hmac: HmacTable::Entry
        std::uint32_t first_peer = 0;              // into peers_
        GroupIndex group = GroupIndex::none;
        std::uint16_t address_count = 0;
        std::uint16_t advertised_count = 0;
        std::uint16_t peer_count = 0;
        std::uint8_t flaps = 0;                    // depositions in a row at short distance
        bool advertises_announced = false;         // the advertised addresses are the first of those announced: not kept twice
        std::array<std::uint16_t, Event::kind_count> last_report{};  // rate limit, by Event::Kind: see may_report(); 0 for never
    };
    static_assert(sizeof(ColdRouter) <= 136);
    /// AH state of one router.
    struct Authentication {
        /// Sequence numbers are counted per sender: two that were Active during a partition have used the same ones.
        struct Sender {
            AddressOctets address{};
            packet::AhReplayWindow window;
        };
        static constexpr std::size_t sender_count = 8;

        packet::AuthKey key{};
        std::uint32_t sequence_number = 0;
        std::array<Sender, sender_count> senders{};   // most recently heard first

        packet::AhReplayWindow& window_of(const AddressOctets& sender);
        void forget_senders() { senders = {}; }
    };

    Engine() = default;

    // engine_load.cpp
    tl::expected<void, LoadError> add_router(const RouterSpec& spec, RouterIndex index, bool has_trailer);
    // engine_hmac.cpp
    void add_hmac_users(const EngineSpec& spec);
    void set_wall_clock(Nanoseconds ahead);
    packet::ReceiveError check_hmac(const packet::ReceivedFrame& frame, RouterIndex index, Instant at);
    std::uint32_t rejection_detail(packet::ReceiveError error, const packet::ReceivedFrame& frame, Instant at) const;
    // engine_adopt.cpp
    void adopt_record(RouterIndex index, const VirtualRouter& old, Instant now);
    void adopt_cold(RouterIndex index, const Engine& before, RouterIndex predecessor);
    bool advertises_same(RouterIndex index, const Engine& before, RouterIndex predecessor) const;
    // engine_group.cpp
    tl::expected<void, LoadError> add_groups(const EngineSpec& spec);
    SyncGroup* group_of(RouterIndex index);
    std::span<const RouterIndex> members_of(const SyncGroup& group) const;
    Step down_timer_step(RouterIndex index, Instant now, Instant lost_at);
    void follow(RouterIndex leader, const Step& step, Instant now, TxBatch& tx);
    void fail_with_group(RouterIndex index, std::uint8_t fault, Instant now, TxBatch& tx);
    void settle_member(RouterIndex index, unsigned cleared, Instant now, TxBatch& tx);
    void start_group(const SyncGroup& group, Instant now, TxBatch& tx);
    void start_joining(RouterIndex index, Instant now, TxBatch& tx);
    void hear_while_joining(RouterIndex index, const Advertisement& advertisement, Instant now, TxBatch& tx);
    void fail_running(const SyncGroup& group, Instant now, TxBatch& tx);
    void restart_group_of(RouterIndex index, Instant now, TxBatch& tx);
    std::uint8_t faults_to_tell(RouterIndex index);
    void leave_group(RouterIndex index, Instant now, TxBatch& tx);
    bool settle_groups(Instant now, TxBatch& tx);
    bool settle_group(SyncGroup& group, Instant now, TxBatch& tx);
    // engine_receive.cpp
    RouterIndex guess_router(const RxFrame& frame) const;
    void prefetch_router(const RxFrame& frame) const;
    void receive(const RxFrame& frame, TxBatch& tx);
    packet::ReceiveError check_for_router(const packet::ReceivedFrame& frame, RouterIndex index, Instant at);
    packet::ReceiveError check_authentication(const packet::ReceivedFrame& frame, RouterIndex index);
    packet::ReceiveError check_sequence_number(const packet::ReceivedFrame& frame, ColdRouter& cold);
    packet::ReceiveError check_unicast(const packet::ReceivedFrame& frame, RouterIndex index);
    bool is_peculiar(const packet::ReceivedFrame& frame, RouterIndex index) const;
    const IpAddress& advertised(const ColdRouter& cold, std::size_t i) const {
        return cold.advertises_announced ? announced_[cold.first_advertised + i].address : advertised_[cold.first_advertised + i];
    }
    void note_peculiarities(const packet::ReceivedFrame& frame, RouterIndex index, Instant at);
    void count_misread(packet::ReceiveError error, const RxFrame& frame);
    void reject(packet::ReceiveError error, RouterIndex index, const packet::ReceivedFrame* frame, Instant at);
    // engine.cpp
    void set_timer(RouterIndex index, const Step& step) {
        if (step.timer == Timer::set) wheel_.arm(table_.records(), static_cast<std::uint32_t>(index), step.deadline);
        if (step.timer == Timer::stop) wheel_.disarm(table_.records(), static_cast<std::uint32_t>(index));
    }
    Instant in_phase(RouterIndex index, Instant deadline) const;
    /// What the step means for the router, and then for its sync group.
    void apply(RouterIndex index, const Step& step, Instant now, const Advertisement* heard, TxBatch& tx) {
        carry_out(index, step, now, heard, tx);
        if (step.changed_state()) follow(index, step, now, tx);
    }
    void carry_out(RouterIndex index, const Step& planned, Instant now, const Advertisement* heard, TxBatch& tx);
    void send_advertisement(RouterIndex index, Priority priority, Instant now, TxBatch& tx);
    void set_fault(RouterIndex index, Fault fault, Reason reason, Instant now, TxBatch& tx);
    void clear_faults(RouterIndex index, unsigned faults, Instant now, TxBatch& tx);
    HmacTable::Entry hmac_entry(RouterIndex index) const { return HmacTable::Entry{cold_[to_number(index)].authentication}; }
    /// UTC since 1970.
    Nanoseconds wall_clock(Instant at) const { return Nanoseconds{at.ns} + wall_clock_ahead_; }
    // engine_command.cpp
    bool concerns(const Command& command, RouterIndex index) const;
    bool apply_command(const Command& command, RouterIndex index, Instant now, TxBatch& tx);
    void set_primary_address(RouterIndex index, const AddressOctets& address, Instant now, TxBatch& tx);
    void set_link_mac(LinkIndex link, const AddressOctets& address);
    /// For the adverts of the router alone, or of all that may change with it.
    std::size_t own_frame_count(RouterIndex index) const { return std::max<std::size_t>(1, cold_[to_number(index)].peer_count); }
    std::size_t frame_count(RouterIndex index) const {
        const GroupIndex group = cold_[to_number(index)].group;
        return group == GroupIndex::none ? own_frame_count(index) : groups_[to_number(group)].frame_count;
    }
    bool has_room_for(std::size_t frames, const TxBatch& tx) const {
        return tx.urgent_room() >= frames && tx.scratch_room() >= frames * frames_.largest_frame();
    }
    // engine_refresh.cpp
    std::span<const ExtraRefresh> extra_refreshes_of(RouterIndex index) const;
    std::uint32_t announcer_place(const ExtraRefresh& refresh) const;
    void start_announcements(RouterIndex index, Instant now);
    void stop_announcements(RouterIndex index);
    void adopt_announcements(RouterIndex index, const Engine& before, RouterIndex predecessor, Instant now);
    const AnnouncedAddress& address_of(const arp::DueAnnouncement& due, RouterIndex& router) const;
    void announce_again(RouterIndex index, Instant now);
    void announce(Instant now, TxBatch& tx);
    void report_states();
    void report_state(RouterIndex index);
    void emit(const Event& event);
    bool may_report(ColdRouter& cold, Event::Kind kind, Instant at);
    void note_deposition(RouterIndex index, Instant now);
    void report_unknown(const RxFrame& frame, const packet::ReceivedFrame& received);
    void note_missed_interval(RouterIndex index, Nanoseconds late, Instant now);

    RouterTable table_;
    TimerWheel<VirtualRouter> wheel_;
    FrameStore frames_;
    std::vector<Hearing> hearing_;
    std::vector<ColdRouter> cold_;
    std::vector<AnnouncedAddress> announced_;
    std::vector<IpAddress> advertised_;
    std::vector<UnicastPeer> peers_;
    std::vector<Authentication> authentications_;
    HmacTable hmac_;
    Nanoseconds wall_clock_ahead_{0};      // of our instants
    std::vector<SyncGroup> groups_;
    std::vector<RouterIndex> members_;     // of all sync groups, one group's behind the other's
    std::size_t largest_group_fan_out_ = 0;
    bool are_groups_settled_ = true;
    std::vector<LinkSpec> links_;
    std::vector<Instant> lost_at_;         // by LinkIndex: when frames were last lost; 0: never
    arp::Announcer announcer_{{}};         // a place for each router, then one for each extra refresh
    std::vector<ExtraRefresh> extra_refreshes_;
    arp::GratuitousForm form_ = arp::GratuitousForm::request;
    EventQueue events_;
    EngineCounters counters_;
    std::uint32_t phases_ = 1;             // see in_phase()
    std::uint32_t command_cursor_ = 0;     // where a command for many routers goes on
    bool reports_unknown_vrids_ = false;
    std::uint8_t unknown_left_ = 0;        // reports in the second that began at unknown_since_
    std::uint32_t last_unknown_ = ~0u;     // `detail` of the last report
    Instant unknown_since_{};
    Instant latest_{};                     // of on_time() and on_command(): when a state report was true
    bool reports_wanted_ = false;
    std::uint32_t report_cursor_ = 0;      // where the state reports after lost events go on
};

}  // namespace vigil::engine
