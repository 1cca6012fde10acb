// The pure decisions: restarts, rate limit, words of log lines.

#include <gtest/gtest.h>

#include "config/load.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/reporter.h"
#include "engine/daemon/supervisor_policy.h"

namespace vigil::daemon {
namespace {

using namespace std::chrono_literals;

TEST(RestartPolicy, AFirstDeathIsAnsweredAtOnceThenWithGrowingDelay) {
    RestartPolicy policy(true);
    const ChildEnd killed{true, 9};
    for (const auto expected : {0s, 1s, 2s, 4s, 8s, 16s, 32s, 32s}) {
        const auto decision = policy.on_death(killed, 10ms);
        EXPECT_TRUE(decision.restart);
        EXPECT_EQ(decision.delay, expected);
    }
}

TEST(RestartPolicy, ALongLifeForgivesEarlierDeaths) {
    RestartPolicy policy(true);
    policy.on_death({true, 11}, 1s);
    policy.on_death({true, 11}, 1s);
    EXPECT_EQ(policy.on_death({true, 11}, 60s).delay, 0s);
}

TEST(RestartPolicy, CausesThatARestartWouldMeetAgainStopEverything) {
    for (const int code : {1, 2, 4, 6}) {
        RestartPolicy policy(true);
        const auto decision = policy.on_death({false, code}, 10ms);
        EXPECT_FALSE(decision.restart);
        EXPECT_EQ(decision.exit_code, code);
    }
    EXPECT_TRUE(RestartPolicy(true).on_death({false, 70}, 10ms).restart);
    EXPECT_TRUE(RestartPolicy(true).on_death({true, 1}, 10ms).restart);   // signal 1, not exit code 1
}

TEST(RestartPolicy, WithoutRespawnADeathEndsTheDaemon) {
    EXPECT_FALSE(RestartPolicy(false).on_death({true, 9}, 1h).restart);
    EXPECT_EQ(RestartPolicy(false).on_death({true, 9}, 1h).exit_code, 1);
}

constexpr Instant at(std::chrono::seconds since) { return Instant{std::chrono::nanoseconds{since}.count()}; }

TEST(RateLimiter, TheFirstLinesOfACausePassAndTheRestIsCounted) {
    RateLimiter limiter(2, 10s);
    EXPECT_TRUE(limiter.admit("a", at(0s)));
    EXPECT_TRUE(limiter.admit("a", at(1s)));
    EXPECT_FALSE(limiter.admit("a", at(2s)));
    EXPECT_FALSE(limiter.admit("a", at(9s)));
    EXPECT_TRUE(limiter.admit("b", at(9s)));
    EXPECT_TRUE(limiter.take_summaries(at(9s)).empty());
    const auto summaries = limiter.take_summaries(at(10s));
    ASSERT_EQ(summaries.size(), 1u);
    EXPECT_EQ(summaries[0].cause, "a");
    EXPECT_EQ(summaries[0].suppressed, 2u);
    EXPECT_TRUE(limiter.admit("a", at(10s)));
}

TEST(RateLimiter, TooManyCausesShareOne) {
    RateLimiter limiter(1, 10s, 2);
    EXPECT_TRUE(limiter.admit("a", at(0s)));
    EXPECT_TRUE(limiter.admit("b", at(0s)));
    EXPECT_TRUE(limiter.admit("c", at(0s)));
    EXPECT_FALSE(limiter.admit("d", at(0s)));
}

class Reporter : public testing::Test {
protected:
    Reporter() {
        router_.settings = &loaded_.configuration.instances.at(0);
        router_.name = router_.settings->name;
        router_.interface_name = &interface_;
    }

    std::vector<std::string> describe(const engine::Event& event, OperatorState before = OperatorState::backup, int priority = 100) {
        std::vector<std::string> texts;
        for (const LogLine& line : describe_event(event, router_, {.state = before, .effective_priority = static_cast<std::uint8_t>(priority)},
                                                 "track script chk fails")) {
            texts.push_back(line.text);
        }
        return texts;
    }
    static engine::Event transition(engine::State from, engine::State to, engine::Reason reason) {
        engine::Event event;
        event.from = from;
        event.to = to;
        event.reason = reason;
        event.peer = read_address("10.0.0.2")->octets;
        return event;
    }

    config::LoadResult loaded_ = config::load_text("t", "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.100\n}\n}\n");
    const std::string interface_ = "eth0";
    PlannedRouter router_;
};

TEST_F(Reporter, StatusLinesAreTheOnesThatOperatorsKnow) {
    using engine::Reason;
    using engine::State;
    EXPECT_EQ(describe(transition(State::backup, State::active, Reason::active_down_timer)),
              (std::vector<std::string>{"(VI_1) Receive advertisement timeout", "(VI_1) Entering MASTER STATE"}));
    EXPECT_EQ(describe(transition(State::initialize, State::backup, Reason::startup), OperatorState::init),
              std::vector<std::string>{"(VI_1) Entering BACKUP STATE (init)"});
    engine::Event higher = transition(State::active, State::backup, Reason::higher_priority);
    higher.value = 200;
    EXPECT_EQ(describe(higher, OperatorState::master, 100),
              (std::vector<std::string>{"(VI_1) Master received advert from 10.0.0.2 with higher priority 200, ours 100", "(VI_1) Entering BACKUP STATE"}));
    engine::Event tie = transition(State::active, State::backup, Reason::tie_lost);
    tie.value = 100;
    EXPECT_EQ(describe(tie, OperatorState::master).front(),
              "(VI_1) Master received advert from 10.0.0.2 with same priority 100 but higher IP address than ours");
}

TEST_F(Reporter, AFaultSaysWhatItIsAndWhetherAStopAdvertCouldLeave) {
    engine::Event event = transition(engine::State::active, engine::State::initialize, engine::Reason::fault);
    event.faults = static_cast<std::uint8_t>(engine::Fault::tracker);
    EXPECT_EQ(describe(event, OperatorState::master),
              (std::vector<std::string>{"(VI_1) Entering FAULT STATE", "(VI_1) held in FAULT: track script chk fails", "(VI_1) sent 0 priority"}));
    event.faults = static_cast<std::uint8_t>(engine::Fault::link_down);
    EXPECT_EQ(describe(event, OperatorState::master),
              (std::vector<std::string>{"(VI_1) Entering FAULT STATE", "(VI_1) held in FAULT: interface eth0 is down",
                                        "(VI_1) could not say that it stops: the others wait until they miss its adverts"}));
}

TEST_F(Reporter, AStopIsNoFault) {
    engine::Event event = transition(engine::State::active, engine::State::initialize, engine::Reason::shutdown);
    event.faults = static_cast<std::uint8_t>(engine::Fault::stopped);
    EXPECT_EQ(describe(event, OperatorState::master), std::vector<std::string>{"(VI_1) sent 0 priority"});
}

TEST_F(Reporter, LinesAboutFramesHaveACauseAndChangesOfStateHaveNone) {
    engine::Event lower = transition(engine::State::active, engine::State::active, engine::Reason::lower_heard);
    lower.kind = engine::Event::Kind::lower_heard;
    lower.value = 99;
    const auto lines = describe_event(lower, router_, {});
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].text, "(VI_1) received lower priority (99) advert from 10.0.0.2 - discarding");
    EXPECT_FALSE(lines[0].cause.empty());
    EXPECT_TRUE(describe_event(transition(engine::State::backup, engine::State::active, engine::Reason::startup), router_, {})[0].cause.empty());
}

TEST_F(Reporter, EveryReasonForRefusingAFrameHasWords) {
    for (std::size_t i = 0; i < packet::receive_error_count; ++i) {
        engine::Event event = transition(engine::State::backup, engine::State::backup, engine::Reason::none);
        event.kind = engine::Event::Kind::rejected;
        event.error = packet::ReceiveError{static_cast<std::uint8_t>(i)};
        ASSERT_EQ(describe(event).size(), 1u);
        EXPECT_NE(describe(event)[0].find("10.0.0.2"), std::string::npos);
    }
}

TEST(OperatorStates, InitializeIsFaultOnlyWhileAFaultHolds) {
    using engine::Fault;
    const auto faults = [](auto... each) { return static_cast<std::uint8_t>((0u | ... | static_cast<unsigned>(each))); };
    EXPECT_EQ(operator_state(engine::State::initialize, faults(Fault::not_started)), OperatorState::init);
    EXPECT_EQ(operator_state(engine::State::initialize, faults(Fault::link_down)), OperatorState::fault);
    EXPECT_EQ(operator_state(engine::State::initialize, faults(Fault::stopped, Fault::link_down)), OperatorState::stop);
    EXPECT_EQ(operator_state(engine::State::active, 0), OperatorState::master);
}

}  // namespace
}  // namespace vigil::daemon
