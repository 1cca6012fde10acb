// Two neighbors and a wire that loses, delays, repeats and reorders, in virtual time. Thousands of random lives: intervals and multipliers of any kind, changed
// while the sessions run, cuts in one direction or in both, a neighbor that dies and comes back with another discriminator, pauses of a host.
//
// What must hold:
// * both come Up within seconds once the wire is whole, and agree on the intervals;
// * a wire that is whole and fast enough never leads to a session that goes down;
// * who hears nothing is down one Detection Time later (plus one interval after a pause), never earlier;
// * packets leave no faster than agreed, unless something in them is new or a Poll is answered;
// * no packet has P and F, none is refused by its neighbor's reader.

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "engine/bfd/session_table.h"

namespace vigil::bfd::test {
namespace {

using namespace std::chrono_literals;

/// With a multiplier of 1 and 1 ms between packets a tenth of that is all the room there is (RFC 5880 §6.8.7).
constexpr Nanoseconds quick = 50us;

class Dice {
public:
    explicit Dice(std::uint32_t seed) : engine_(seed) {}
    std::int64_t between(std::int64_t low, std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(low, high)(engine_); }
    bool percent(int chance) { return between(1, 100) <= chance; }
    Nanoseconds time(Nanoseconds low, Nanoseconds high) { return Nanoseconds{between(low.count(), high.count())}; }

private:
    std::mt19937 engine_;
};

SessionSettings random_settings(Dice& dice) {
    constexpr std::uint32_t intervals[] = {1'000, 3'000, 10'000, 50'000, 300'000, 1'000'000, 2'500'000};
    SessionSettings settings;
    settings.min_tx = Microseconds{intervals[dice.between(0, 6)]};
    settings.min_rx = Microseconds{intervals[dice.between(0, 6)]};
    settings.idle_tx = Microseconds{static_cast<std::uint32_t>(dice.between(1'000'000, 3'000'000))};
    settings.multiplier = static_cast<std::uint8_t>(dice.between(1, 6));
    return settings;
}

/// A host with one session.
struct Side {
    IpAddress address;
    SessionSpec spec;
    std::optional<SessionTable> table;   ///< none: it is dead
    Outcome outcome;
    std::optional<packet::BfdControl> last_sent;
    Instant last_time;
    Instant last_heard;
    bool had_pause = false;

    const Session& session() const { return table->session(0); }
    State state() const { return table ? session().state : State::admin_down; }
};

class Pair {
public:
    explicit Pair(std::uint32_t seed) : dice_(seed) {
        for (std::size_t i = 0; i < 2; ++i) {
            sides_[i].address = ipv4(192, 0, 2, static_cast<std::uint8_t>(i + 1));
            sides_[i].spec.name = SessionName("peer");
            sides_[i].spec.neighbor = ipv4(192, 0, 2, static_cast<std::uint8_t>(2 - i));
            sides_[i].spec.settings = random_settings(dice_);
            start(i);
        }
        sides_[1].spec.settings.is_passive = dice_.percent(20);
    }

    void start(std::size_t i) {
        sides_[i].table.emplace(static_cast<std::uint64_t>(dice_.between(0, INT64_MAX)));
        sides_[i].last_sent.reset();
        sides_[i].last_heard = now_;
        ASSERT_TRUE(sides_[i].table->add(sides_[i].spec, now_, sides_[i].outcome));
        deliver(i);
    }
    void kill(std::size_t i) { sides_[i].table.reset(); }
    void change(std::size_t i) {
        const bool was_passive = sides_[i].spec.settings.is_passive;
        sides_[i].spec.settings = random_settings(dice_);
        sides_[i].spec.settings.is_passive = was_passive;
        if (!sides_[i].table) return;
        sides_[i].table->change(0, sides_[i].spec, now_, sides_[i].outcome);
        deliver(i);
    }
    /// Nothing of this side runs until then; what comes meanwhile lies in its socket.
    void pause(std::size_t i, Nanoseconds length) { paused_until_[i] = now_ + length; }

    void run(Nanoseconds length) {
        const Instant end = now_ + length;
        while (!::testing::Test::HasFatalFailure()) {
            const Instant next = next_event();
            if (next > end) break;
            now_ = std::max(now_, next);
            step();
        }
        now_ = end;
    }

    Dice dice_;
    std::array<Side, 2> sides_;
    int loss_percent_ = 0;
    std::array<bool, 2> is_cut_{};              // from side i to the other
    Nanoseconds greatest_delay_{quick};
    int downs_ = 0;                             // sessions that left Up

private:
    struct Flying {
        std::size_t to;
        std::array<std::uint8_t, packet::bfd_control_size> bytes;
    };

    Instant next_event() {
        Instant next = distant_future;
        for (std::size_t i = 0; i < 2; ++i) {
            if (!sides_[i].table) continue;
            next = std::min(next, std::max(sides_[i].table->next_deadline(), paused_until_[i]));
        }
        if (!wire_.empty()) next = std::min(next, std::max(wire_.begin()->first, paused_until_[wire_.begin()->second.to]));
        for (const auto& [arrival, flying] : wire_) {
            if (arrival > next) break;
            next = std::min(next, std::max(arrival, paused_until_[flying.to]));
        }
        return next;
    }

    void step() {
        for (auto at = wire_.begin(); at != wire_.end() && at->first <= now_;) {
            if (paused_until_[at->second.to] > now_) {
                ++at;
                continue;
            }
            hear(at->second, at->first);
            at = wire_.erase(at);
        }
        for (std::size_t i = 0; i < 2; ++i) {
            if (sides_[i].table && paused_until_[i] <= now_) serve(i);
        }
    }

    void hear(const Flying& flying, Instant arrival) {
        Side& side = sides_[flying.to];
        if (!side.table) return;
        const auto packet = packet::read_bfd_control(flying.bytes);
        ASSERT_TRUE(packet);
        ASSERT_FALSE(packet->poll && packet->final);
        const std::uint64_t before = side.table->counters(0).received;
        side.table->on_datagram({flying.bytes, side.spec.neighbor, side.address, 255, false, arrival}, now_, side.outcome);
        if (side.table->counters(0).received != before) {
            side.last_heard = std::max(side.last_heard, arrival);
            side.had_pause = false;
        }
        deliver(flying.to);
    }

    void serve(std::size_t i) {
        Side& side = sides_[i];
        const Instant due = side.table->next_deadline();
        if (due > now_) return;
        if (now_ - due > 5ms) {
            side.table->on_pause(now_);
            side.had_pause = true;
        }
        const Nanoseconds patience = detection_time(side.session());
        const Nanoseconds interval = patience / side.session().remote_multiplier;
        const bool was_alive = side.state() == State::up || side.state() == State::init;
        const Instant deadline = side.last_heard + patience;
        side.table->on_time(now_, side.outcome);
        const bool is_alive = side.state() == State::up || side.state() == State::init;
        if (was_alive && !is_alive) {
            ASSERT_GE(now_, deadline) << "found dead too early";
        }
        if (was_alive && is_alive) {
            ASSERT_LT(now_, deadline + (side.had_pause ? interval + 3s : 0s)) << "found dead too late";
        }
        ASSERT_GT(side.table->next_deadline(), now_);
        deliver(i);
    }

    void check_rate(std::size_t i, const packet::BfdControl& sent) {
        Side& side = sides_[i];
        packet::BfdControl plain = sent;
        plain.poll = plain.final = false;
        const bool is_new = !side.last_sent || *side.last_sent != plain;
        if (!sent.final && !is_new) {
            const Nanoseconds agreed{std::int64_t{transmit_interval(side.session()).count()} * 1000};
            ASSERT_GE(now_ - side.last_time, agreed * 3 / 4);
        }
        if (!sent.final) side.last_time = now_;
        side.last_sent = plain;
        if (sent.state != State::up) {
            ASSERT_GE(sent.desired_min_tx, 1'000'000u);
        }
    }

    /// A Down that overtakes the Init behind it undoes what that has done, so a wire without trouble keeps the order.
    Instant arrival(std::size_t to) {
        const Instant some_time = now_ + dice_.time(1us, greatest_delay_);
        const bool is_orderly = loss_percent_ == 0 && greatest_delay_ == quick;
        if (!is_orderly) return some_time;
        return last_arrival_[to] = std::max(some_time, last_arrival_[to] + 1ns);
    }

    void deliver(std::size_t i) {
        Side& side = sides_[i];
        for (const StateChange& change : side.outcome.changes) downs_ += change.from == State::up;
        for (const Transmission& transmission : side.outcome.transmissions) {
            const auto sent = packet::read_bfd_control(transmission.bytes);
            ASSERT_TRUE(sent);
            check_rate(i, *sent);
            if (is_cut_[i] || dice_.percent(loss_percent_)) continue;
            const int copies = loss_percent_ > 0 && dice_.percent(5) ? 2 : 1;
            for (int copy = 0; copy < copies; ++copy) wire_.emplace(arrival(1 - i), Flying{1 - i, transmission.bytes});
        }
        side.outcome.clear();
    }

    Instant now_{1'000'000'000'000};
    std::array<Instant, 2> paused_until_{};
    std::array<Instant, 2> last_arrival_{};
    std::multimap<Instant, Flying> wire_;
};

/// Long enough for the slowest handshake and Poll Sequence that random_settings() can lead to, 3 s between packets.
constexpr Nanoseconds settling = 40s;

void expect_up_and_agreed(Pair& pair) {
    for (std::size_t i = 0; i < 2; ++i) {
        const Session& one = pair.sides_[i].session();
        const Session& other = pair.sides_[1 - i].session();
        ASSERT_EQ(one.state, State::up);
        ASSERT_EQ(one.remote_state, State::up);
        ASSERT_FALSE(one.is_polling);
        ASSERT_EQ(one.used_min_tx, one.settings.min_tx);
        ASSERT_EQ(one.used_min_rx, one.settings.min_rx);
        ASSERT_EQ(one.remote_min_tx, other.settings.min_tx);
        ASSERT_EQ(one.remote_min_rx, other.settings.min_rx);
        ASSERT_EQ(one.remote_discriminator, other.local_discriminator);
    }
}

class RandomPair : public ::testing::TestWithParam<std::uint32_t> {};

/// Two seconds of seeds each; a failure names its seed.
constexpr std::uint32_t lives_of_a_case = 60;

TEST_P(RandomPair, ComesUpAgreesAndStaysOnAWireThatIsWhole) {
    for (std::uint32_t life = 0; life < lives_of_a_case; ++life) {
        SCOPED_TRACE("seed " + std::to_string(GetParam() * lives_of_a_case + life));
        Pair pair(GetParam() * lives_of_a_case + life);
        pair.run(settling);
        ASSERT_NO_FATAL_FAILURE(expect_up_and_agreed(pair));
        for (int i = 0; i < 3; ++i) {
            pair.change(static_cast<std::size_t>(pair.dice_.between(0, 1)));
            if (pair.dice_.percent(50)) pair.change(static_cast<std::size_t>(pair.dice_.between(0, 1)));
            pair.run(pair.dice_.percent(30) ? pair.dice_.time(0s, 50ms) : settling);
        }
        pair.run(settling);
        ASSERT_NO_FATAL_FAILURE(expect_up_and_agreed(pair));
        ASSERT_EQ(pair.downs_, 0);
    }
}

TEST_P(RandomPair, FindsADeadNeighborAndItsReturn) {
    for (std::uint32_t life = 0; life < lives_of_a_case; ++life) {
        SCOPED_TRACE("seed " + std::to_string(GetParam() * lives_of_a_case + life));
        Pair pair(GetParam() * lives_of_a_case + life);
        pair.run(settling);
        const auto victim = static_cast<std::size_t>(pair.dice_.between(0, 1));
        pair.kill(victim);
        pair.run(settling);
        ASSERT_EQ(pair.sides_[1 - victim].state(), State::down);
        ASSERT_EQ(pair.sides_[1 - victim].session().remote_discriminator, 0u);
        pair.start(victim);
        pair.run(settling);
        ASSERT_NO_FATAL_FAILURE(expect_up_and_agreed(pair));
        pair.kill(victim);
        pair.run(pair.dice_.time(0s, 10ms));   // back before anybody has missed it
        pair.start(victim);
        pair.run(settling);
        ASSERT_NO_FATAL_FAILURE(expect_up_and_agreed(pair));
    }
}

TEST_P(RandomPair, RecoversFromAnyTroubleOnTheWire) {
    for (std::uint32_t life = 0; life < lives_of_a_case; ++life) {
        SCOPED_TRACE("seed " + std::to_string(GetParam() * lives_of_a_case + life));
        Pair pair(GetParam() * lives_of_a_case + life);
        for (int i = 0; i < 6; ++i) {
            pair.loss_percent_ = pair.dice_.percent(50) ? static_cast<int>(pair.dice_.between(1, 60)) : 0;
            pair.greatest_delay_ = pair.dice_.percent(30) ? Nanoseconds{100ms} : quick;
            for (std::size_t side = 0; side < 2; ++side) {
                pair.is_cut_[side] = pair.dice_.percent(25);
                if (pair.dice_.percent(20)) pair.change(side);
                if (pair.dice_.percent(20)) pair.pause(side, pair.dice_.time(1ms, 2s));
            }
            pair.run(pair.dice_.time(10ms, 8s));
        }
        pair.is_cut_ = {};
        pair.loss_percent_ = 0;
        pair.greatest_delay_ = quick;
        pair.run(settling + settling);
        ASSERT_NO_FATAL_FAILURE(expect_up_and_agreed(pair));
    }
}

TEST_P(RandomPair, APauseThatKeepsPacketsInTheSocketBringsNobodyDownHere) {
    for (std::uint32_t life = 0; life < lives_of_a_case; ++life) {
        SCOPED_TRACE("seed " + std::to_string(GetParam() * lives_of_a_case + life));
        Pair pair(GetParam() * lives_of_a_case + life);
        pair.run(settling);
        ASSERT_NO_FATAL_FAILURE(expect_up_and_agreed(pair));
        // Not so long that the neighbor would miss us; our own patience may be shorter by far.
        const auto side = static_cast<std::size_t>(pair.dice_.between(0, 1));
        const Nanoseconds patience = detection_time(pair.sides_[1 - side].session());
        const Nanoseconds interval{std::int64_t{transmit_interval(pair.sides_[side].session()).count()} * 1000};
        pair.pause(side, (patience - interval) / 2);
        pair.run(patience);
        ASSERT_EQ(pair.downs_, 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPair, ::testing::Range(0u, 20u));

}  // namespace
}  // namespace vigil::bfd::test
