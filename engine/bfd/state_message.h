#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "engine/bfd/session_table.h"
#include "packet/bytes.h"

namespace vigil::bfd {

/// What passes between the BFD process and those that track its sessions, one message a datagram of a socket pair that the parent made. All is state and
/// nothing is history: a message that comes twice, or late behind a newer one's sender, does no harm.
struct StateMessage {
    enum class Kind : std::uint8_t {
        state,   ///< to a tracker: this is how the session stands now
        ask,     ///< from a tracker: tell me of all sessions
        reset,   ///< to a tracker, from the parent: the BFD process has ended, and nothing is Up any more
    };
    static constexpr std::size_t longest = 4 + SessionName::longest;

    Kind kind = Kind::state;
    SessionName name{};
    State state = State::down;
    Diagnostic diagnostic = Diagnostic::none;

    friend bool operator==(const StateMessage&, const StateMessage&) = default;
};

/// Written into `buffer`; the part that was written.
std::span<const std::uint8_t> write_message(const StateMessage& message, std::span<std::uint8_t, StateMessage::longest> buffer);
/// nullopt: it is no such message.
std::optional<StateMessage> read_message(packet::Bytes bytes);

}  // namespace vigil::bfd
