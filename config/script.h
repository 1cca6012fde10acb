#pragma once

#include <cstdint>
#include <string_view>

/// Places in a configuration, and commands that it names.
namespace vigil::config {

/// Where something was written. `file` indexes Configuration::files; line and column count from 1, 0 = unknown.
struct SourceLocation {
    std::uint32_t line = 0;
    std::uint16_t file = 0;
    std::uint16_t column = 0;  ///< octets, not glyphs

    friend constexpr bool operator==(const SourceLocation&, const SourceLocation&) = default;
};

/// The same as a member that says nothing about what was written, only where: any two are equal, so that a comparison of what surrounds them does
/// not see that a line was put in above.
struct WrittenAt : SourceLocation {
    constexpr WrittenAt() = default;
    constexpr WrittenAt(SourceLocation where) : SourceLocation(where) {}   // NOLINT: it is one

    friend constexpr bool operator==(const WrittenAt&, const WrittenAt&) { return true; }
};

/// Which change of state a script is told about.
enum class ScriptEvent : std::uint8_t { any, master, backup, fault, stop, deleted, master_rx_lower_priority };

/// "notify_master", "notify" for any.
std::string_view keyword_of(ScriptEvent event);

/// A command of a notify keyword. `command` is one word of the file, its own quotes and escapes resolved, those within not:
/// split_command() makes the argument vector.
struct NotifyScript {
    std::string_view command;
    std::string_view user;   ///< empty: global script_user
    std::string_view group;  ///< empty: the user's own
    WrittenAt where;
    ScriptEvent event = ScriptEvent::any;

    friend bool operator==(const NotifyScript&, const NotifyScript&) = default;
};

/// notify_fifo, vrrp_notify_fifo: a named pipe that gets a line for each change of state.
struct NotifyFifo {
    std::string_view path;   ///< absolute; empty: none
    std::string_view user;   ///< who owns it when we make it; empty: we do
    std::string_view group;  ///< empty: the user's own
    WrittenAt where;
    NotifyScript reader;     ///< gets the path as its last argument; empty command: none

    friend bool operator==(const NotifyFifo&, const NotifyFifo&) = default;
};

}  // namespace vigil::config
