#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/bfd/io/receive_port.h"
#include "engine/bfd/io/send_port.h"
#include "engine/bfd/session_table.h"
#include "engine/core/channel.h"
#include "engine/io/doorbell.h"

namespace vigil::bfd {

/// One session as it stands, for a dump.
struct SessionPicture {
    SessionSpec spec;
    Session session;
    SessionCounters counters;
    std::uint16_t source_port = 0;
};

/// What the control thread wants done. Made and destroyed by it, so that the session thread has no business with the heap.
struct Order {
    enum class Kind : std::uint8_t { add, change, remove, listen, picture, stop };

    Kind kind = Kind::stop;
    SessionSpec spec;                         ///< add and change; remove: only the name
    SendPort sender;                          ///< of add
    std::optional<ReceivePort> receiver;      ///< of listen
    std::vector<SessionPicture> pictures;     ///< of picture: with room for all sessions, filled in
    std::array<std::uint64_t, packet::bfd_receive_error_count> errors{};   ///< of picture, filled in
};

/// For the log.
struct Occurrence {
    enum class Kind : std::uint8_t { changed, send_failed, sends_again, held_up };

    Kind kind = Kind::changed;
    SessionName name{};
    State from = State::down;
    State to = State::down;
    Diagnostic diagnostic = Diagnostic::none;
    Diagnostic remote_diagnostic = Diagnostic::none;
    int error_number = 0;        ///< of send_failed
    Nanoseconds delay{0};        ///< of held_up
};

/// The session thread: sockets, timers, the table, and the news for those who track sessions. It waits in epoll and in nothing else: no file, no log, no
/// lock that somebody else may hold. Everything but run() is called by the control thread.
class SessionLoop {
public:
    /// Ends of socket pairs to the VRRP process and to the checkers process, -1 for none; they stay the caller's.
    struct Trackers {
        int vrrp = -1;
        int checkers = -1;
    };
    static io::Result<std::unique_ptr<SessionLoop>> make(std::uint64_t seed, Trackers trackers);
    ~SessionLoop();

    /// Carried out in the order of calls. False: too many are under way, and `order` is as it was.
    bool post(std::unique_ptr<Order>& order);
    /// One that was carried out; nullptr when there is none.
    std::unique_ptr<Order> take_done();
    std::optional<Occurrence> next_occurrence() { return occurrences_.pop(); }
    /// Readable when there is something to take; to be cleared before it is taken.
    int event_fd() const { return news_.fd(); }
    void clear_event() { news_.clear(); }
    void arm_event() { news_.arm(); }

    /// Until the order to stop. The calling thread becomes the session thread.
    void run();
    /// run() has returned: nothing is sent or heard any more.
    bool has_ended() const { return has_ended_.load(std::memory_order_acquire); }

private:
    static constexpr std::size_t audience_count = 2;

    struct Seat {
        SendPort sender;
        int send_error = 0;
        std::array<bool, audience_count> is_untold{};   // its state is still to be told to them
    };
    /// One process that tracks sessions.
    struct Audience {
        int fd = -1;
        bool SessionSpec::*is_told = nullptr;    // of these sessions
        bool is_listening = false;               // the checkers process may not run: it speaks first
        std::vector<SessionIndex> untold{};
    };

    SessionLoop(std::uint64_t seed, Trackers trackers, io::Doorbell orders, io::Doorbell news);
    io::Result<void> set_up();
    bool watch(int fd) const;
    void pass();
    void carry_out_orders(Instant now);
    void carry_out(Order& order, Instant now);
    void make_room();
    void take_pictures(Order& order) const;
    void hear(Instant now);
    void hear_trackers();
    void judge(Instant now);
    void deliver();
    void note(const StateChange& change);
    void transmit(const Transmission& transmission);
    void tell_trackers();
    bool tell(const Audience& audience, SessionIndex session) const;
    void mark_untold(SessionIndex session);
    void mark_untold(std::size_t audience, SessionIndex session);
    void tell_log(const Occurrence& occurrence);
    void arm_timer(Instant now);

    SessionTable table_;
    Outcome outcome_;
    std::vector<Seat> seats_;                 // by SessionIndex
    std::vector<ReceivePort> receivers_;
    io::FileDescriptor epoll_;
    io::FileDescriptor timer_;
    std::array<Audience, audience_count> audiences_;
    io::Doorbell orders_bell_;
    io::Doorbell news_;
    engine::SpscRing<Order*> orders_;
    engine::SpscRing<Order*> done_;
    engine::SpscRing<Occurrence> occurrences_;
    Instant armed_;                           // for when the timer is set
    Instant last_hearing_;
    bool has_news_ = false;                   // for the control thread
    bool is_stopping_ = false;
    std::atomic<bool> has_ended_{false};
};

}  // namespace vigil::bfd
