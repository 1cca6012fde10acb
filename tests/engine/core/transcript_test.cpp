// What a person reads: one line per event with its RFC section, runs of equal lines folded.

#include "engine/core/transcript.h"

#include <gtest/gtest.h>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

Transcript transcript() { return Transcript({"VI_1", "VI_2"}, at(0s)); }

TEST(Transcript, ATransitionHasTimeNameReasonSectionAndPeer) {
    Transcript text = transcript();
    text.event({.kind = Event::Kind::transition, .from = State::active, .to = State::backup, .reason = Reason::higher_priority, .value = 200,
                .router = RouterIndex{1}, .at = at(12s + 345'678us), .peer = address_of("10.0.0.2").octets},
               Family::ipv4);
    EXPECT_EQ(text.finish(), "   12.345678 VI_2 Active -> Backup: greater priority heard (RFC 9568 §6.4.3) from 10.0.0.2 with priority 200\n");
}

TEST(Transcript, EveryEventKindAndReasonHasWords) {
    for (std::size_t kind = 0; kind < Event::kind_count; ++kind) {
        Transcript text = transcript();
        text.event({.kind = static_cast<Event::Kind>(kind), .error = packet::ReceiveError::bad_ttl, .router = RouterIndex{0}, .at = at(1s)},
                   Family::ipv4);
        const std::string line = text.finish();
        EXPECT_EQ(line.substr(0, 18), "    1.000000 VI_1 ") << line;
        EXPECT_GT(line.size(), 24u) << line;
    }
    for (int reason = 0; reason <= static_cast<int>(Reason::priority_changed); ++reason) {
        EXPECT_NE(describe(static_cast<Reason>(reason)), "?");
    }
}

TEST(Transcript, RunsOfEqualAdvertsAreFoldedAlsoWhenRoutersAlternate) {
    Harness harness(with({v3_router(1, Priority{100}), v3_router(2, Priority{100})}));
    harness.start(at(0s));
    Transcript text = transcript();
    for (int second = 10; second < 15; ++second) {
        harness.time(at(second * 1s));
        for (const TxFrame& frame : harness.tx.urgent()) text.sent(at(second * 1s), frame);
        harness.tx.clear();
    }
    const std::string lines = text.finish();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4) << lines;
    EXPECT_NE(lines.find("VI_1 sends v3 advert vrid 1 priority 100 interval 100 cs to 224.0.0.18"), std::string::npos) << lines;
    EXPECT_NE(lines.find("(4 more until here)"), std::string::npos) << lines;
}

TEST(Transcript, ANoteEndsTheFolds) {
    Transcript text = transcript();
    text.repeated(at(1s), "said again");
    text.repeated(at(2s), "said again");
    text.note(at(3s), "something else");
    text.repeated(at(4s), "said again");
    const std::string lines = text.finish();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4) << lines;
}

}  // namespace
}  // namespace vigil::test
