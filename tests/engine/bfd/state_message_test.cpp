#include <gtest/gtest.h>

#include <vector>

#include "engine/bfd/state_message.h"

namespace vigil::bfd::test {
namespace {

std::vector<std::uint8_t> octets_of(const StateMessage& message) {
    std::array<std::uint8_t, StateMessage::longest> buffer{};
    const auto written = write_message(message, buffer);
    return {written.begin(), written.end()};
}

TEST(StateMessage, EveryKindIsReadAsItWasWritten) {
    for (const auto kind : {StateMessage::Kind::state, StateMessage::Kind::ask, StateMessage::Kind::reset}) {
        const StateMessage message{kind, SessionName("a-name-with-thirty-one-characters"), State::up, Diagnostic::path_down};
        EXPECT_EQ(read_message(octets_of(message)), message);
    }
    EXPECT_EQ(SessionName("a-name-with-thirty-one-characters").view().size(), 31u);
    const StateMessage nameless{StateMessage::Kind::ask, {}, State::down, Diagnostic::none};
    EXPECT_EQ(read_message(octets_of(nameless)), nameless);
}

TEST(StateMessage, AnythingElseIsNone) {
    std::vector<std::uint8_t> octets = octets_of({StateMessage::Kind::state, SessionName("x"), State::up, Diagnostic::none});
    for (std::size_t size = 0; size < octets.size(); ++size) EXPECT_FALSE(read_message({octets.data(), size})) << size;
    auto longer = octets;
    longer.push_back(0);
    EXPECT_FALSE(read_message(longer));
    auto kind = octets;
    kind[0] = 3;
    EXPECT_FALSE(read_message(kind));
    auto state = octets;
    state[1] = 4;
    EXPECT_FALSE(read_message(state));
    std::vector<std::uint8_t> name(4 + 32, 'x');
    name[0] = name[1] = name[2] = 0;
    name[3] = 32;
    EXPECT_FALSE(read_message(name));
}

}  // namespace
}  // namespace vigil::bfd::test
