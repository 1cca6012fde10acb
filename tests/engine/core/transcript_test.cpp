// What a person reads: one line per event with its RFC section, runs of equal lines folded.

#include "engine/core/transcript.h"

#include <gtest/gtest.h>

#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;

VirtualRouter record(VrrpVersion version) {
    VirtualRouter router;
    if (version == VrrpVersion::v2) router.flags |= static_cast<std::uint16_t>(Flag::version2);
    return router;
}

Transcript transcript() { return Transcript({"VI_1", "VI_2"}, at(0s)); }

TEST(Transcript, ATransitionHasTimeNameReasonSectionAndPeer) {
    Transcript text = transcript();
    text.event({.kind = Event::Kind::transition, .from = State::active, .to = State::backup, .reason = Reason::higher_priority, .value = 200,
                .router = RouterIndex{1}, .at = at(12s + 345'678us), .peer = address_of("10.0.0.2").octets},
               record(VrrpVersion::v3));
    EXPECT_EQ(text.finish(), "   12.345678 VI_2 Active -> Backup: greater priority heard (RFC 9568 §6.4.3) from 10.0.0.2 with priority 200\n");
}

TEST(Transcript, EveryEventKindAndReasonHasWords) {
    for (std::size_t kind = 0; kind < Event::kind_count; ++kind) {
        Transcript text = transcript();
        text.event({.kind = static_cast<Event::Kind>(kind), .error = packet::ReceiveError::bad_ttl, .router = RouterIndex{0}, .at = at(1s)},
                   record(VrrpVersion::v3));
        const std::string line = text.finish();
        EXPECT_EQ(line.substr(0, 18), "    1.000000 VI_1 ") << line;
        EXPECT_GT(line.size(), 24u) << line;
    }
    for (int reason = 0; reason <= static_cast<int>(Reason::replaced); ++reason) {
        EXPECT_NE(describe(static_cast<Reason>(reason), VrrpVersion::v3), "?");
    }
    for (std::size_t error = 0; error < packet::receive_error_count; ++error) {
        EXPECT_NE(describe(static_cast<packet::ReceiveError>(error)), "?") << error;
    }
}

TEST(Transcript, RunsOfEqualAdvertsAreFoldedAlsoWhenRoutersAlternate) {
    Harness harness(with({v3_router(1, Priority{100}), v3_router(2, Priority{100})}));
    harness.start(at(6s));
    Transcript text = transcript();
    for (int second = 10; second < 15; ++second) {
        harness.time(at(second * 1s));
        for (const TxFrame& frame : harness.tx.urgent()) text.sent(at(second * 1s), frame);
        harness.tx.clear();
    }
    const std::string lines = text.finish();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4) << lines;
    EXPECT_NE(lines.find("VI_1 sends v3 advert vrid 1 priority 100 interval 100 cs to 224.0.0.18"), std::string::npos) << lines;
    EXPECT_NE(lines.find("(4 more until here, at most 1.000 s apart)"), std::string::npos) << lines;
}

TEST(Transcript, AVersion2RouterObeysRfc3768) {
    Transcript text = transcript();
    text.event({.kind = Event::Kind::transition, .from = State::backup, .to = State::active, .reason = Reason::active_down_timer,
                .router = RouterIndex{0}, .at = at(3s)},
               record(VrrpVersion::v2), ": because");
    EXPECT_EQ(text.finish(), "    3.000000 VI_1 Backup -> Active: Active_Down_Timer fired (RFC 3768 §6.4.2): because\n");
}

TEST(Transcript, AFoldTellsItsLongestSilence) {
    Transcript text = transcript();
    for (const auto second : {1s, 2s, 5s, 6s}) text.repeated(at(second), "said again");
    EXPECT_EQ(text.finish(), "    1.000000 said again\n    6.000000 said again (3 more until here, at most 3.000 s apart)\n");
}

TEST(Transcript, LinesAreInOrderOfTimeAlsoWhenAFoldEndsLate) {
    Transcript text = transcript();
    for (const auto second : {1s, 2s, 3s}) text.repeated(at(second), "first voice");
    text.repeated(at(5s), "second voice");
    text.note(at(6s), "note");
    EXPECT_EQ(text.finish(),
              "    1.000000 first voice\n    3.000000 first voice (2 more until here, at most 1.000 s apart)\n"
              "    5.000000 second voice\n    6.000000 note\n");
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
