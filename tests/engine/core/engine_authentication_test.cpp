// Version 2 authentication as the engine applies it: type, password, digest, replay window and the sequence counter that a group shares.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/core/acceptance.h"
#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using packet::AuthType;
using packet::ReceiveError;

constexpr packet::AuthKey secret{'s', 'e', 'c', 'r', 'e', 't', 0, 0};

RouterSpec authenticated(AuthType type, Priority priority = Priority{100}) {
    RouterSpec router = v2_router(7, priority);
    router.auth_type = type;
    router.auth_key = secret;
    router.ah_sequence_number = 1000;
    return router;
}

Harness started(const RouterSpec& router) {
    Harness harness(with({router}));
    harness.start(at(6s));
    return harness;
}

std::uint32_t sequence_number_of(const Sent& sent) {
    const auto read = packet::read_frame(sent.bytes);
    return read && read->ah ? read->ah->sequence_number : 0;
}

TEST(EngineAuthentication, NoneAcceptsOnlyNone) {
    Harness harness = started(v2_router(7, Priority{100}));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200), at(1s)));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).password("secret"), at(2s)));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).ah("secret", 1), at(3s)));
    EXPECT_EQ(harness.errors(ReceiveError::auth_type_mismatch), 2u);
    EXPECT_EQ(harness.counters().auth_type_mismatch, 2u);
}

TEST(EngineAuthentication, UnknownTypeIsItsOwnReason) {
    Harness harness = started(v2_router(7, Priority{100}));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).auth_type(3), at(1s)));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).auth_type(255), at(1s)));
    EXPECT_EQ(harness.errors(ReceiveError::unknown_auth_type), 2u);
    EXPECT_EQ(harness.counters().auth_type_unknown, 2u);
}

TEST(EngineAuthentication, PasswordMustBeEqualInAllEightOctets) {
    Harness harness = started(authenticated(AuthType::simple_password));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).password("secret"), at(1s)));
    for (const char* wrong : {"", "Secret", "secre", "secret1", "secretsecret"}) {
        EXPECT_FALSE(accepts(harness, v2_frame(7, 200).password(wrong), at(1s))) << wrong;
    }
    EXPECT_EQ(harness.errors(ReceiveError::auth_failed), 5u);
    EXPECT_EQ(harness.counters().auth_failed, 5u);
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200), at(1s)));
    EXPECT_EQ(harness.errors(ReceiveError::auth_type_mismatch), 1u);
}

TEST(EngineAuthentication, AhNeedsTheDigest) {
    Harness harness = started(authenticated(AuthType::ah));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 5), at(1s)));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).ah("wrong", 6), at(1s)));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).ah("secret", 7).bad_ah_digest(), at(1s)));
    EXPECT_EQ(harness.errors(ReceiveError::auth_failed), 2u);
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).password("secret"), at(1s)));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200), at(1s)));
    EXPECT_EQ(harness.errors(ReceiveError::auth_type_mismatch), 2u);
}

TEST(EngineAuthentication, AhTypeWithoutAhHeaderIsAMismatch) {
    Harness harness = started(authenticated(AuthType::ah));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).auth_type(2), at(1s)));
    EXPECT_EQ(harness.errors(ReceiveError::auth_type_mismatch), 1u);
}

TEST(EngineAuthentication, AhSequenceNumberIsTakenOnceAndNotLeftOfTheWindow) {
    Harness harness = started(authenticated(AuthType::ah));
    const auto hear = [&](std::uint32_t number) { return accepts(harness, v2_frame(7, 200).ah("secret", number), at(1s)); };
    EXPECT_TRUE(hear(100));
    EXPECT_FALSE(hear(100)) << "the same again";
    EXPECT_TRUE(hear(99)) << "out of order, within the window of 64";
    EXPECT_FALSE(hear(99));
    EXPECT_TRUE(hear(37));
    EXPECT_FALSE(hear(36)) << "left of the window";
    EXPECT_FALSE(hear(0)) << "never a valid number";
    EXPECT_TRUE(hear(200));
    EXPECT_FALSE(hear(136));
    EXPECT_TRUE(hear(137));
    EXPECT_EQ(harness.errors(ReceiveError::auth_replayed), 5u);
}

TEST(EngineAuthentication, AFailedDigestDoesNotMoveTheWindow) {
    Harness harness = started(authenticated(AuthType::ah));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).ah("wrong", 1'000'000), at(1s)));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 5), at(1s)));
}

TEST(EngineAuthentication, ARefusedIntervalDoesNotMoveTheWindow) {
    Harness harness = started(authenticated(AuthType::ah));
    EXPECT_FALSE(accepts(harness, v2_frame(7, 200).interval(2).ah("secret", 1'000'000), at(1s)));
    EXPECT_EQ(harness.errors(ReceiveError::interval_mismatch), 1u);
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 5), at(1s)));
}

TEST(EngineAuthentication, TheWindowForgetsWhenSilenceMadeUsActive) {
    // The old Active was restarted and counts from a low number again.
    Harness harness = started(authenticated(AuthType::ah));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 5'000), at(6s)));
    harness.time(at(10s));
    ASSERT_EQ(harness.router().state, State::active);
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 3), at(11s)));
    EXPECT_EQ(harness.router().state, State::backup);
}

TEST(EngineAuthentication, ANewActiveCountsOnAboveTheHighestNumberHeard) {
    Harness harness = started(authenticated(AuthType::ah));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 5'000), at(6s)));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 4'999), at(6s)));
    harness.time(at(10s));
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sequence_number_of(sent[0]), 5'001u);
}

TEST(EngineAuthentication, AQuietGroupCountsOnFromTheConfiguredNumber) {
    Harness harness = started(authenticated(AuthType::ah));
    EXPECT_TRUE(accepts(harness, v2_frame(7, 200).ah("secret", 5), at(6s)));
    harness.time(at(10s));
    EXPECT_EQ(sequence_number_of(harness.adverts().at(0)), 1'001u);
}

TEST(EngineAuthentication, EveryAhFrameSentHasItsOwnNumberAndDigest) {
    Harness harness = started(authenticated(AuthType::ah));
    harness.time(at(10s));                                                    // takes over,
    harness.receive(v2_frame(7, 50).ah("secret", 1), at(10s));                // answers
    harness.fault(Fault::tracker, at(10s));                                   // and stops: three frames in one batch
    const auto sent = harness.adverts();
    ASSERT_EQ(sent.size(), 3u);
    for (std::uint32_t i = 0; i < 3; ++i) {
        const auto read = packet::read_frame(sent[i].bytes);
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(read->ah->sequence_number, 1'001 + i);
        EXPECT_TRUE(packet::is_ah_digest_valid(*read, secret));
    }
    EXPECT_EQ(sent[0].priority(), Priority{100});
    EXPECT_EQ(sent[2].priority(), Priority::stop);
}

TEST(EngineAuthentication, TwoOfUsUnderstandEachOther) {
    for (const AuthType type : {AuthType::none, AuthType::simple_password, AuthType::ah}) {
        RouterSpec low = authenticated(type, Priority{90});
        low.primary_address = address_of("10.0.0.2");
        Harness first = started(authenticated(type, Priority{100}));
        Harness second = started(low);
        first.time(at(10s));
        for (const Sent& sent : first.adverts()) second.receive(sent.bytes, at(10s));
        EXPECT_EQ(second.counters().adverts_received, 1u);
    }
}

}  // namespace
}  // namespace vigil::test
