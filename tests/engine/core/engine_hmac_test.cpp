// auth_hmac as the engine applies it: what is accepted, what is counted, what is sent, and what a clock that is set does to it.

#include <gtest/gtest.h>

#include <array>

#include "tests/engine/core/acceptance.h"
#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using packet::HmacSequence;
using packet::ReceiveError;

constexpr std::string_view first_key = "the first key of this virtual router";
constexpr std::string_view second_key = "the second key of this virtual router";

HmacSpec::Key key(std::uint8_t id, std::string_view text) { return {id, {text.begin(), text.end()}}; }

HmacSpec settings(HmacMode mode = HmacMode::enforce) { return {.keys = {key(1, first_key)}, .active_key = 1, .mode = mode, .checks_time = true, .window_seconds = 5}; }

HmacSpec monotonic() {
    HmacSpec spec = settings();
    spec.checks_time = false;
    return spec;
}

EngineSpec signed_spec(const RouterSpec& router, HmacSpec hmac = settings()) {
    EngineSpec spec = with({router});
    spec.hmacs = {std::move(hmac)};
    spec.hmac_users = {{RouterIndex{0}, 0}};
    return spec;
}

/// What the wall clock shows at at(0s).
constexpr Nanoseconds begin_of_test = 1'763'642'688s;

std::uint64_t number(Nanoseconds since_begin, std::uint16_t counter = 0) {
    return static_cast<std::uint64_t>(packet::sequence_at(begin_of_test + since_begin)) + counter;
}

void set_clock(Harness& harness, Nanoseconds ahead_of_right, Instant now = at(0s)) {
    harness.command(wall_clock_command(begin_of_test - Nanoseconds{at(0s).ns} + ahead_of_right), now);
}

Harness started(const EngineSpec& spec) {
    Harness harness(spec);
    set_clock(harness, 0s);
    harness.start(at(1s));
    return harness;
}

HmacCounters counted(const Harness& harness) { return *harness.engine.hmac_counters(RouterIndex{0}); }

FrameBuilder good(Nanoseconds signed_at, std::uint8_t host = 2) { return v3_frame(7, 200, host).hmac(first_key, 1, number(signed_at)); }

packet::HmacTrailer trailer_of(const Sent& sent) {
    const Octets whole = sent.as_frame();
    const auto read = packet::read_frame(whole);
    if (!read || read->advertisement.behind().size() != packet::HmacTrailer::size) {
        ADD_FAILURE() << "no trailer";
        return {};
    }
    return packet::read_hmac_trailer(read->advertisement.behind());
}

bool is_signed_with(const Sent& sent, std::string_view text) {
    const Octets whole = sent.as_frame();
    const auto read = packet::read_frame(whole);
    const Octets octets(text.begin(), text.end());
    return read && packet::is_hmac_valid({read->advertisement.message(), read->source}, read->advertisement.behind(), packet::HmacKey(octets));
}

TEST(EngineHmac, AGoodAdvertIsAcceptedOnce) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_TRUE(accepts(harness, good(2s), at(2s)));
    EXPECT_FALSE(accepts(harness, good(2s), at(2s))) << "the same again";
    EXPECT_FALSE(accepts(harness, good(1s), at(2s))) << "an older one";
    EXPECT_TRUE(accepts(harness, v3_frame(7, 200).hmac(first_key, 1, number(2s, 1)), at(2s))) << "one more, in the same instant";
    EXPECT_TRUE(accepts(harness, good(3s), at(3s)));
    EXPECT_EQ(harness.errors(ReceiveError::hmac_replayed), 2u);
    EXPECT_EQ(counted(harness).replayed, 2u);
}

TEST(EngineHmac, BothVersionsAndFamiliesUnderstandThemselves) {
    for (const auto& [router, other] : {std::pair{v2_router(7, Priority{100}), "10.0.0.2"}, {v3_router(7, Priority{100}), "10.0.0.2"},
                                        {ipv6_router(7, Priority{100}), "fe80::2"}}) {
        RouterSpec low = router;
        low.primary_address = address_of(other);
        low.priority = Priority{90};
        Harness first = started(signed_spec(router));
        Harness second = started(signed_spec(low));
        first.time(at(5s));
        const auto sent = first.adverts();
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_TRUE(is_signed_with(sent[0], first_key));
        second.receive(sent[0].bytes, at(5s));
        EXPECT_EQ(second.counters().adverts_received, 1u);
    }
}

TEST(EngineHmac, EnforceRefusesWhatHasNoTrailer) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_FALSE(accepts(harness, v3_frame(7, 200), at(2s)));
    EXPECT_EQ(harness.errors(ReceiveError::hmac_missing), 1u);
    EXPECT_EQ(counted(harness).missing, 1u);
}

TEST(EngineHmac, PermissiveSignsAndAcceptsWhatHasNoTrailerButNotAWrongOne) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100}), settings(HmacMode::permissive)));
    EXPECT_TRUE(accepts(harness, v3_frame(7, 200), at(2s)));
    EXPECT_FALSE(accepts(harness, good(2s).bad_hmac(), at(2s)));
    EXPECT_FALSE(accepts(harness, good(-10s), at(2s)));
    EXPECT_TRUE(accepts(harness, good(2s), at(2s)));
    EXPECT_FALSE(accepts(harness, good(2s), at(2s)));
    harness.time(at(6s));
    EXPECT_TRUE(is_signed_with(harness.adverts().at(0), first_key));
}

TEST(EngineHmac, ReceiveOnlyDoesNotSignButRefusesAWrongTrailer) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100}), settings(HmacMode::receive_only)));
    EXPECT_TRUE(accepts(harness, v3_frame(7, 200), at(2s)));
    EXPECT_FALSE(accepts(harness, good(2s).bad_hmac(), at(2s)));
    EXPECT_TRUE(accepts(harness, good(2s), at(2s)));
    harness.time(at(6s));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    const auto read = packet::read_frame(sent[0].bytes);
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(read->advertisement.behind().empty());
}

TEST(EngineHmac, WhatIsNoTrailerIsMalformed) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100}), settings(HmacMode::permissive)));
    EXPECT_FALSE(accepts(harness, good(2s).hmac_octet(0, 2), at(2s))) << "another type";
    EXPECT_FALSE(accepts(harness, good(2s).hmac_octet(3, 1), at(2s))) << "reserved";
    EXPECT_FALSE(accepts(harness, v3_frame(7, 200).trailer(Octets(27, 0)), at(2s)));
    EXPECT_FALSE(accepts(harness, good(2s).trailer({0}), at(2s))) << "one octet more";
    EXPECT_EQ(harness.errors(ReceiveError::hmac_malformed), 4u);
    EXPECT_EQ(counted(harness).malformed, 4u);
}

TEST(EngineHmac, AnUnknownKeyIdIsToldByNumber) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_FALSE(accepts(harness, v3_frame(7, 200).hmac(first_key, 77, number(2s)), at(2s)));
    EXPECT_EQ(counted(harness).unknown_key, 1u);
    const auto events = harness.events();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().error, ReceiveError::hmac_unknown_key);
    EXPECT_EQ(events.back().detail, 77u);
}

TEST(EngineHmac, AWrongSignatureIsInvalid) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_FALSE(accepts(harness, v3_frame(7, 200).hmac(second_key, 1, number(2s)), at(2s))) << "another key behind the id";
    EXPECT_FALSE(accepts(harness, good(2s).bad_hmac(), at(2s)));
    const Octets signed_frame = good(2s).build();
    Octets raised = v3_frame(7, 254).hmac(first_key, 1, number(2s)).build();
    std::copy(signed_frame.end() - 28, signed_frame.end(), raised.end() - 28);
    harness.receive(raised, at(2s));   // a greater priority, its checksum right, with the trailer of another advert
    EXPECT_EQ(harness.counters().adverts_received, 0u);
    EXPECT_EQ(counted(harness).invalid, 3u);
    EXPECT_EQ(harness.errors(ReceiveError::hmac_invalid), 3u);
}

TEST(EngineHmac, AnAdvertOfAnotherRouterWithTheSameKeyIsInvalid) {
    EngineSpec spec = with({v3_router(7, Priority{100}), v3_router(8, Priority{100})});
    spec.hmacs = {settings()};
    spec.hmac_users = {{RouterIndex{0}, 0}, {RouterIndex{1}, 0}};
    Harness harness = started(spec);
    const Octets good_frame = good(2s).build();
    Octets moved = v3_frame(8, 200).hmac(first_key, 1, number(2s)).build();
    std::copy(good_frame.end() - 28, good_frame.end(), moved.end() - 28);
    harness.receive(moved, at(2s));
    EXPECT_EQ(harness.errors(ReceiveError::hmac_invalid), 1u);
    EXPECT_EQ(harness.counters(1).adverts_received, 0u);
}

TEST(EngineHmac, TheWindowIsFiveSecondsToEitherSide) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_FALSE(accepts(harness, good(94s), at(100s)));
    EXPECT_TRUE(accepts(harness, good(95s), at(100s)));
    EXPECT_TRUE(accepts(harness, good(105s), at(100s)));
    EXPECT_FALSE(accepts(harness, good(106s), at(100s)));
    EXPECT_EQ(counted(harness).stale, 2u);
    EXPECT_EQ(harness.errors(ReceiveError::hmac_stale), 2u);
}

TEST(EngineHmac, AStaleAdvertSaysByHowMuch) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    harness.events();
    EXPECT_FALSE(accepts(harness, good(90s), at(100s)));
    const auto events = harness.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(static_cast<std::int32_t>(events[0].detail), 10);
}

TEST(EngineHmac, TimeComesBeforeTheKeyAndTheSignature) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_FALSE(accepts(harness, v3_frame(7, 200).hmac(second_key, 77, number(90s)), at(100s)));
    EXPECT_EQ(counted(harness).stale, 1u);
    EXPECT_EQ(counted(harness).unknown_key, 0u);
}

TEST(EngineHmac, MoreThanHalfTheWindowIsToldBeforeItIsTooMuch) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_TRUE(accepts(harness, good(98s), at(100s)));
    EXPECT_EQ(count(harness.events(), Event::Kind::clock_skewed), 0u);
    EXPECT_TRUE(accepts(harness, good(101s), at(104s)));
    const auto events = harness.events();
    ASSERT_EQ(count(events, Event::Kind::clock_skewed), 1u);
    EXPECT_EQ(static_cast<std::int32_t>(events.back().detail), 3);
    EXPECT_TRUE(accepts(harness, good(104s), at(104s) + 100ms));
    EXPECT_EQ(count(harness.events(), Event::Kind::clock_skewed), 0u);
}

TEST(EngineHmac, MonotonicAsksOnlyForGrowth) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100}), monotonic()));
    EXPECT_TRUE(accepts(harness, good(-500'000s), at(2s)));
    EXPECT_FALSE(accepts(harness, good(-500'000s), at(2s)));
    EXPECT_TRUE(accepts(harness, good(500'000s), at(2s)));
    EXPECT_FALSE(accepts(harness, good(2s), at(2s)));
    EXPECT_EQ(counted(harness).stale, 0u);
    EXPECT_EQ(counted(harness).replayed, 2u);
    EXPECT_EQ(count(harness.events(), Event::Kind::clock_skewed), 0u);
}

TEST(EngineHmac, AForgedNumberDoesNotShutOutTheSender) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100}), monotonic()));
    EXPECT_FALSE(accepts(harness, good(500'000s).bad_hmac(), at(2s)));
    EXPECT_TRUE(accepts(harness, good(2s), at(2s)));
}

TEST(EngineHmac, EachSenderHasItsOwnNumbers) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_TRUE(accepts(harness, good(4s, 2), at(4s)));
    EXPECT_TRUE(accepts(harness, good(3s, 3), at(4s)));
    EXPECT_FALSE(accepts(harness, good(4s, 2), at(4s)));
    EXPECT_FALSE(accepts(harness, good(3s, 3), at(4s)));
}

TEST(EngineHmac, TheEightSendersHeardLastAreRemembered) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    for (std::uint8_t host = 2; host < 10; ++host) EXPECT_TRUE(accepts(harness, good(3s, host), at(3s)));
    EXPECT_TRUE(accepts(harness, good(3s + 100ms, 2), at(3s)));
    EXPECT_TRUE(accepts(harness, good(3s, 10), at(3s))) << "takes the place of 3, which was heard least recently";
    for (const std::uint8_t host : std::array<std::uint8_t, 8>{2, 4, 5, 6, 7, 8, 9, 10}) EXPECT_FALSE(accepts(harness, good(3s, host), at(3s))) << int{host};
}

TEST(EngineHmac, ATakeoverForgetsNothing) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_TRUE(accepts(harness, good(2s), at(2s)));
    harness.time(at(6s));
    ASSERT_EQ(harness.router().state, State::active);
    EXPECT_FALSE(accepts(harness, good(2s), at(6s))) << "a higher priority that is played again would depose us";
    EXPECT_EQ(harness.router().state, State::active);
    EXPECT_TRUE(accepts(harness, good(6s), at(6s)));
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(EngineHmac, APriorityZeroCannotBePlayedAgain) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    const FrameBuilder stop = v3_frame(7, 0).hmac(first_key, 1, number(2s));
    EXPECT_TRUE(accepts(harness, stop, at(2s)));
    EXPECT_TRUE(accepts(harness, good(2s + 10ms), at(2s + 10ms)));
    const Instant deadline = harness.router().deadline;
    EXPECT_FALSE(accepts(harness, stop, at(2s + 20ms)));
    EXPECT_EQ(harness.router().deadline, deadline);
}

TEST(EngineHmac, EveryAdvertSentHasAGreaterNumber) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    harness.time(at(5s));                                                       // takes over,
    harness.receive(v3_frame(7, 50).hmac(first_key, 1, number(5s)), at(5s));    // answers
    harness.fault(Fault::tracker, at(5s));                                      // and stops: three frames in one batch, at one instant
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(trailer_of(sent[0]).sequence, HmacSequence{number(5s)});
    EXPECT_EQ(trailer_of(sent[1]).sequence, HmacSequence{number(5s, 1)});
    EXPECT_EQ(trailer_of(sent[2]).sequence, HmacSequence{number(5s, 2)});
    for (const Sent& one : sent) EXPECT_TRUE(is_signed_with(one, first_key));
    EXPECT_EQ(sent[2].priority(), Priority::stop);
}

TEST(EngineHmac, AClockSetBackALittleIsWaitedFor) {
    Harness harness = started(signed_spec(v3_router(7, Priority{255})));
    EXPECT_EQ(trailer_of(harness.adverts().at(0)).sequence, HmacSequence{number(1s)});
    set_clock(harness, -5s, at(1s));
    harness.time(at(2s));
    EXPECT_EQ(trailer_of(harness.adverts().at(0)).sequence, HmacSequence{number(1s, 1)});
}

TEST(EngineHmac, AClockSetBackBeyondTheWindowIsFollowed) {
    Harness harness = started(signed_spec(v3_router(7, Priority{255})));
    EXPECT_EQ(trailer_of(harness.adverts().at(0)).sequence, HmacSequence{number(1s)});
    set_clock(harness, -3600s, at(1s));
    harness.time(at(2s));
    EXPECT_EQ(trailer_of(harness.adverts().at(0)).sequence, HmacSequence{number(-3598s)}) << "nobody would accept the old time";
}

TEST(EngineHmac, MonotonicGrowsWhateverTheClockDoes) {
    Harness harness = started(signed_spec(v3_router(7, Priority{255}), monotonic()));
    EXPECT_EQ(trailer_of(harness.adverts().at(0)).sequence, HmacSequence{number(1s)});
    set_clock(harness, -3600s, at(1s));
    harness.time(at(2s));
    EXPECT_EQ(trailer_of(harness.adverts().at(0)).sequence, HmacSequence{number(1s, 1)});
}

TEST(EngineHmac, ANumberFromAFutureThatWasTakenBackIsForgotten) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    set_clock(harness, 3600s);
    EXPECT_TRUE(accepts(harness, good(3602s), at(2s)));
    set_clock(harness, 0s);
    EXPECT_TRUE(accepts(harness, good(2s), at(2s))) << "both clocks were put right";
    EXPECT_FALSE(accepts(harness, good(2s), at(2s)));
}

TEST(EngineHmac, AnAdvertIsJudgedByTheTimeOfItsArrival) {
    HmacSpec narrow = settings();
    narrow.window_seconds = 1;
    Harness harness = started(signed_spec(v3_router(7, Priority{100}), narrow));
    harness.time(at(4s));
    EXPECT_TRUE(accepts(harness, good(2s), at(2s))) << "it lay in the ring while we did not run";
}

TEST(EngineHmac, AllUnicastPeersGetOneSignature) {
    RouterSpec router = unicast_router(7, Priority{255});
    Harness harness = started(signed_spec(router));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(trailer_of(sent[0]).digest, trailer_of(sent[1]).digest);
    EXPECT_EQ(trailer_of(sent[0]).sequence, trailer_of(sent[1]).sequence);
    for (const Sent& one : sent) EXPECT_TRUE(is_signed_with(one, first_key));
}

TEST(EngineHmac, AUnicastSenderMustBeAPeer) {
    Harness harness = started(signed_spec(unicast_router(7, Priority{100})));
    const auto from = [](std::uint8_t host) { return unicast_frame(7, 200, host).hmac(first_key, 1, number(2s)); };
    EXPECT_TRUE(accepts(harness, from(2), at(2s)));
    EXPECT_TRUE(accepts(harness, from(3), at(2s)));
    EXPECT_FALSE(accepts(harness, from(4), at(2s)));
    EXPECT_EQ(harness.errors(ReceiveError::not_a_peer), 1u);
    EXPECT_FALSE(accepts(harness, from(2), at(2s)));
}

/// `now` as a reload would make it of a running engine.
Harness reloaded(Harness& before, const EngineSpec& spec, Instant now) {
    Harness next(spec);
    while (!before.events().empty()) {}
    const std::vector<RouterIndex> predecessors(spec.routers.size(), RouterIndex{0});
    next.engine.adopt(before.engine, predecessors, now);
    return next;
}

TEST(EngineHmac, KeysChangeWithoutALostAdvert) {
    // Make before break: first both have both keys, then the second one signs, then the first one goes.
    HmacSpec both = settings();
    both.keys.push_back(key(2, second_key));
    HmacSpec turned = both;
    turned.active_key = 2;
    HmacSpec after = turned;
    after.keys.erase(after.keys.begin());
    RouterSpec low = v3_router(7, Priority{90});
    low.primary_address = address_of("10.0.0.2");

    Harness sender = started(signed_spec(v3_router(7, Priority{255})));
    Harness receiver = started(signed_spec(low));
    std::uint64_t heard = 0;
    Instant now = at(1s);
    sender.adverts();
    const auto speak = [&](std::string_view expected) {
        now = now + 1s;
        sender.time(now);
        const auto sent = sender.adverts();
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_TRUE(is_signed_with(sent[0], expected));
        receiver.receive(sent[0].bytes, now);
        EXPECT_EQ(receiver.counters().adverts_received, ++heard);
    };
    speak(first_key);
    for (const HmacSpec* step : {&both, &turned, &after}) {
        sender = reloaded(sender, signed_spec(v3_router(7, Priority{255}), *step), now);
        speak(step->active_key == 1 ? first_key : second_key);
        receiver = reloaded(receiver, signed_spec(low, *step), now);
        speak(step->active_key == 1 ? first_key : second_key);
    }
    EXPECT_EQ(counted(receiver).unknown_key + counted(receiver).invalid + counted(receiver).replayed, 0u);
}

TEST(EngineHmac, AReloadForgetsNeitherNumbersNorCounts) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_TRUE(accepts(harness, good(2s), at(2s)));
    EXPECT_FALSE(accepts(harness, good(2s), at(2s)));
    HmacSpec changed = settings();
    changed.keys.push_back(key(2, second_key));
    changed.window_seconds = 60;
    Harness next = reloaded(harness, signed_spec(v3_router(7, Priority{100}), changed), at(2s));
    EXPECT_EQ(counted(next).replayed, 1u);
    EXPECT_FALSE(accepts(next, good(2s), at(2s)));
    EXPECT_TRUE(accepts(next, good(3s), at(3s)));
}

TEST(EngineHmac, AReloadMayBeginOrEndIt) {
    Harness harness = started(with({v3_router(7, Priority{100})}));
    EXPECT_EQ(harness.engine.hmac_counters(RouterIndex{0}), nullptr);
    EXPECT_FALSE(harness.engine.needs_wall_clock());
    EXPECT_TRUE(accepts(harness, v3_frame(7, 200), at(2s)));
    Harness with_hmac = reloaded(harness, signed_spec(v3_router(7, Priority{100})), at(2s));
    EXPECT_TRUE(with_hmac.engine.needs_wall_clock());
    set_clock(with_hmac, 0s, at(2s));
    EXPECT_FALSE(accepts(with_hmac, v3_frame(7, 200), at(2s)));
    EXPECT_TRUE(accepts(with_hmac, good(2s), at(2s)));
    Harness without = reloaded(with_hmac, with({v3_router(7, Priority{100})}), at(2s));
    EXPECT_TRUE(accepts(without, v3_frame(7, 200), at(2s)));
    EXPECT_TRUE(accepts(without, good(2s), at(2s))) << "octets behind the message mean nothing to it";
}

TEST(EngineHmac, CountersAreClearedWithTheOthers) {
    Harness harness = started(signed_spec(v3_router(7, Priority{100})));
    EXPECT_FALSE(accepts(harness, v3_frame(7, 200), at(2s)));
    harness.engine.clear_counters(RouterIndex{0});
    EXPECT_EQ(counted(harness).missing, 0u);
}

TEST(EngineHmac, RoutersWithoutItAreNotConcerned) {
    EngineSpec spec = with({v3_router(7, Priority{255}), v3_router(8, Priority{255}), v3_router(9, Priority{255})});
    spec.hmacs = {settings()};
    spec.hmac_users = {{RouterIndex{1}, 0}};
    Harness harness = started(spec);
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 3u);
    for (const Sent& one : sent) {
        const auto read = packet::read_frame(one.bytes);
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(read->advertisement.behind().empty(), read->advertisement.vrid() != Vrid{8});
    }
}

TEST(EngineHmac, ASpecificationThatWouldBreakTheTableIsRefused) {
    const auto is_refused = [](const EngineSpec& spec) { return !Engine::make(spec, at(0s)).has_value(); };
    EngineSpec spec = signed_spec(v3_router(7, Priority{100}));
    EXPECT_FALSE(is_refused(spec));
    spec.hmacs[0].active_key = 2;
    EXPECT_TRUE(is_refused(spec)) << "no such key";
    spec = signed_spec(v3_router(7, Priority{100}));
    spec.hmacs[0].keys[0].octets.resize(31);
    EXPECT_TRUE(is_refused(spec));
    spec.hmacs[0].keys.clear();
    EXPECT_TRUE(is_refused(spec));
    spec = signed_spec(v3_router(7, Priority{100}));
    spec.hmac_users = {{RouterIndex{1}, 0}};
    EXPECT_TRUE(is_refused(spec));
    spec.hmac_users = {{RouterIndex{0}, 1}};
    EXPECT_TRUE(is_refused(spec));
    spec.hmac_users = {{RouterIndex{0}, 0}, {RouterIndex{0}, 0}};
    EXPECT_TRUE(is_refused(spec));
    spec = signed_spec(v2_router(7, Priority{100}));
    spec.routers[0].auth_type = packet::AuthType::simple_password;
    EXPECT_TRUE(is_refused(spec)) << "beside a password";
}

TEST(EngineHmac, TheCommandCarriesAnyDifferenceOfClocks) {
    for (const Nanoseconds ahead : {0ns, 1ns, -1ns, Nanoseconds{INT64_MAX}, Nanoseconds{INT64_MIN}, begin_of_test}) {
        EXPECT_EQ(wall_clock_of(wall_clock_command(ahead)), ahead);
    }
}

}  // namespace
}  // namespace vigil::test
