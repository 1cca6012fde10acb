#pragma once

#include "config/keywords.h"

/// Short spellings for the rows of the keyword tables.
namespace vigil::config::rows {

constexpr auto t1 = Tier::t1;
constexpr auto t2 = Tier::t2;
constexpr auto t3 = Tier::t3;
constexpr auto acted = Status::acted;
constexpr auto later = Status::later;

constexpr std::int64_t int_max = 2'147'483'647;
constexpr std::int64_t uint_max = 4'294'967'295;
constexpr std::int64_t second = 1'000'000;  ///< in microseconds

constexpr Argument nothing{ArgumentKind::none, 0, 0, {}};
constexpr Argument anything{ArgumentKind::any, 0, 0, {}};
constexpr Argument text{ArgumentKind::text, 0, 0, {}};
constexpr Argument texts{ArgumentKind::texts, 0, 0, {}};
constexpr Argument optional_text{ArgumentKind::optional_text, 0, 0, {}};
constexpr Argument flag{ArgumentKind::flag, 0, 0, {}};
constexpr Argument address{ArgumentKind::address, 0, 0, {}};
constexpr Argument command{ArgumentKind::command, 0, 0, {}};
constexpr Argument optional_command{ArgumentKind::optional_command, 0, 0, {}};
constexpr Argument endpoint{ArgumentKind::endpoint, 0, 0, {}};
constexpr Argument service{ArgumentKind::service, 0, 0, {}};

constexpr Argument number(std::int64_t low, std::int64_t high) { return {ArgumentKind::number, low, high, {}}; }
constexpr Argument optional_number(std::int64_t low, std::int64_t high) { return {ArgumentKind::optional_number, low, high, {}}; }
/// Bounds in microseconds.
constexpr Argument seconds(std::int64_t low, std::int64_t high) { return {ArgumentKind::seconds, low, high, {}}; }
constexpr Argument whole_seconds(std::int64_t low, std::int64_t high) { return {ArgumentKind::whole_seconds, low, high, {}}; }
/// Bounds in milliseconds.
constexpr Argument milliseconds(std::int64_t low, std::int64_t high) { return {ArgumentKind::milliseconds, low * 1000, high * 1000, {}}; }
constexpr Argument weight(std::int64_t limit) { return {ArgumentKind::weight, -limit, limit, {}}; }
constexpr Argument choice(std::string_view words) { return {ArgumentKind::choice, 0, 0, words}; }

constexpr Keyword block(std::string_view name, Tier tier, Status status, BlockId child, Argument argument = nothing,
                        std::string_view replacement = {}) {
    return {name, tier, status, argument, child, replacement};
}

// The tables, by file.
std::span<const Keyword> root_keywords();
std::span<const Keyword> global_keywords();
std::span<const Keyword> instance_keywords();
std::span<const Keyword> virtual_server_keywords();
std::span<const BlockTable> vrrp_tables();
std::span<const BlockTable> checker_tables();

}  // namespace vigil::config::rows
