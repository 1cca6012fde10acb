#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/bfd/deadline_heap.h"
#include "engine/bfd/session.h"
#include "packet/address.h"

namespace vigil::bfd {

/// The name of a bfd_instance: at most 31 octets, so that records with it are copied without the heap.
class SessionName {
public:
    static constexpr std::size_t longest = 31;

    SessionName() = default;
    /// What is beyond `longest` is cut off.
    explicit SessionName(std::string_view text) : length_(static_cast<std::uint8_t>(std::min(text.size(), longest))) {
        std::copy_n(text.begin(), length_, text_.begin());
    }
    std::string_view view() const { return {text_.data(), length_}; }

    friend bool operator==(const SessionName&, const SessionName&) = default;

private:
    std::array<char, longest> text_{};
    std::uint8_t length_ = 0;
};

/// One bfd_instance.
struct SessionSpec {
    static constexpr int any_hops = 255;

    SessionName name;
    IpAddress neighbor;                   ///< no two sessions of a table have the same
    std::optional<IpAddress> source;      ///< only packets to this address are ours; absent: to any
    SessionSettings settings;
    bool is_multihop = false;             ///< port 4784 (RFC 5883)
    std::uint8_t ttl = 255;               ///< of what we send
    int max_hops = 0;                     ///< a packet is taken when 255 - its TTL is not more; any_hops: always
    bool tells_vrrp = true;
    bool tells_checkers = true;

    friend bool operator==(const SessionSpec&, const SessionSpec&) = default;
};

/// A received UDP datagram, as the socket tells of it.
struct Datagram {
    packet::Bytes payload;
    IpAddress source;
    IpAddress destination;
    std::uint8_t ttl = 0;
    bool is_multihop = false;             ///< came to port 4784
    Instant arrival;                      ///< at the kernel
};

using SessionIndex = std::uint32_t;
constexpr std::size_t most_sessions = 0xffff;   ///< the number is the lower half of the discriminator

/// To be sent for a session.
struct Transmission {
    SessionIndex session = 0;
    std::array<std::uint8_t, packet::bfd_control_size> bytes{};
};

/// A session has another state.
struct StateChange {
    SessionIndex session = 0;
    State from = State::down;
    State to = State::down;
    Diagnostic diagnostic = Diagnostic::none;
    Diagnostic remote_diagnostic = Diagnostic::none;
};

/// What calls on a SessionTable lead to. The caller empties it; it keeps its room.
struct Outcome {
    std::vector<Transmission> transmissions;
    std::vector<StateChange> changes;

    void clear() {
        transmissions.clear();
        changes.clear();
    }
};

struct SessionCounters {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;       ///< packets that were taken
    std::uint64_t refused = 0;        ///< packets that were this session's, and were not
    std::uint64_t went_up = 0;
    std::uint64_t went_down = 0;      ///< from Up
};

/// All sessions of a host: which packet is whose, who is due, what is sent. Datagrams and time in, packets and changes of state out; no system call, no clock.
/// Between add() and remove() nothing is allocated.
class SessionTable {
public:
    /// `seed`: of discriminators and jitter.
    explicit SessionTable(std::uint64_t seed) : random_(seed | 1) {}

    /// nullopt: there are too many, or the neighbor has a session already.
    std::optional<SessionIndex> add(const SessionSpec& spec, Instant now, Outcome& outcome);
    /// Says AdminDown, and is gone.
    void remove(SessionIndex session, Instant now, Outcome& outcome);
    /// Only what is not about addresses and ports may differ: settings, max_hops, who is told. The session goes on.
    void change(SessionIndex session, const SessionSpec& spec, Instant now, Outcome& outcome);
    /// nullopt when there is none of that name. O(n).
    std::optional<SessionIndex> find(std::string_view name) const;

    void on_datagram(const Datagram& datagram, Instant now, Outcome& outcome);
    /// All that is due. After the datagrams that have arrived by `now`.
    void on_time(Instant now, Outcome& outcome);
    /// Before on_time(), when this process was held up for long: see bfd::on_pause().
    void on_pause(Instant now);
    /// distant_future when nothing is due by itself.
    Instant next_deadline() const { return deadlines_.is_empty() ? distant_future : deadlines_.first_deadline(); }

    const SessionSpec& spec(SessionIndex session) const { return slots_[session].spec; }
    const Session& session(SessionIndex session) const { return slots_[session].session; }
    const SessionCounters& counters(SessionIndex session) const { return slots_[session].counters; }
    std::uint64_t error_count(packet::BfdReceiveError error) const { return errors_[static_cast<std::size_t>(error)]; }
    /// Those that there are, in no order.
    std::span<const SessionIndex> all() const { return all_; }

private:
    struct Slot {
        SessionSpec spec;
        Session session;
        SessionCounters counters;
        bool is_used = false;
    };
    struct Route {
        IpAddress neighbor;
        SessionIndex session = 0;
    };

    std::uint32_t next_random();
    void refuse(packet::BfdReceiveError error, Slot* slot = nullptr);
    Slot* find_slot(std::uint32_t discriminator);
    Slot* find_slot(const IpAddress& neighbor);
    std::optional<packet::BfdReceiveError> objection(const Slot& slot, const Datagram& datagram) const;
    void carry_out(SessionIndex session, const Step& step, Outcome& outcome);
    void push(SessionIndex session, bool is_final, Outcome& outcome);

    std::vector<Slot> slots_;               // by SessionIndex
    std::vector<SessionIndex> free_;
    std::vector<SessionIndex> all_;
    std::vector<Route> routes_;             // in the order of addresses
    DeadlineHeap deadlines_;
    std::array<std::uint64_t, packet::bfd_receive_error_count> errors_{};
    std::uint64_t random_;
};

}  // namespace vigil::bfd
