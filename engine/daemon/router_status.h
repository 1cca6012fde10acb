#pragma once

#include <cstdint>
#include <string_view>

#include "engine/core/messages.h"

namespace vigil::daemon {

/// keepalived's words for where a router stands: what notify scripts get and operators read.
enum class OperatorState : std::uint8_t { init, backup, master, fault, stop, deleted };

constexpr std::string_view to_string(OperatorState state) {
    switch (state) {
    case OperatorState::init: return "INIT";
    case OperatorState::backup: return "BACKUP";
    case OperatorState::master: return "MASTER";
    case OperatorState::fault: return "FAULT";
    case OperatorState::stop: return "STOP";
    case OperatorState::deleted: return "DELETED";
    }
    return "INIT";
}

/// Initialize is FAULT as long as something other than not having been started, or having been stopped, holds the router there.
constexpr OperatorState operator_state(engine::State state, std::uint8_t faults) {
    if (state == engine::State::backup) return OperatorState::backup;
    if (state == engine::State::active) return OperatorState::master;
    const unsigned not_started = static_cast<unsigned>(engine::Fault::not_started);
    const unsigned stopped = static_cast<unsigned>(engine::Fault::stopped);
    if ((faults & stopped) != 0) return OperatorState::stop;
    return (faults & ~(not_started | stopped)) != 0 ? OperatorState::fault : OperatorState::init;
}

/// The last that the control thread heard of one router.
struct RouterStatus {
    OperatorState state = OperatorState::init;
    std::uint8_t faults = 0;
    std::uint8_t effective_priority = 0;
    engine::Reason last_reason = engine::Reason::none;   ///< of the last transition, with the next two and `faults`: see describe_reason()
    std::uint8_t last_value = 0;
    AddressOctets last_peer{};
    std::int64_t since_wall_microseconds = 0;   ///< of the last transition; 0: none yet
};

}  // namespace vigil::daemon
