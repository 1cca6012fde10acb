#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

/// The vocabulary of keepalived.conf as data: every keyword of every block, what may follow it, and whether this release acts on it.
namespace vigil::config {

/// Where a keyword may stand. The list blocks hold data lines, no keywords.
enum class BlockId : std::uint8_t {
    none, root, global_defs, track_group, garp_group, ssl, vrrp_script, vrrp_track_process, track_file, bfd_instance,
    vrrp_sync_group, vrrp_instance, authentication, auth_hmac, virtual_server, real_server,
    http_get, ssl_get, url, ssl_url, tcp_check, smtp_check, smtp_host, dns_check, ping_check, udp_check, misc_check, bfd_check, file_check,
    first_list, address_list = first_list, static_address_list, route_list, static_route_list, rule_list, static_rule_list, peer_list,
    track_interface_list, track_script_list, track_file_list, track_process_list, track_bfd_list,
    server_group_list, text_list,
    count
};

constexpr bool is_list(BlockId block) { return block >= BlockId::first_list && block < BlockId::count; }

enum class ArgumentKind : std::uint8_t {
    none,             ///< nothing
    any,              ///< not looked at here: a handler or a later release does
    text,             ///< one word
    optional_text,    ///< one word or nothing
    texts,            ///< one word or more
    flag,             ///< nothing or a BOOL
    number,           ///< low..high
    optional_number,
    seconds,          ///< with fraction; low..high in microseconds
    whole_seconds,    ///< low..high in seconds
    milliseconds,     ///< with three digits of fraction; low..high in microseconds
    address,          ///< IPv4 or IPv6
    multicast4,
    multicast6,
    choice,           ///< one of `words`, blank separated
    command,          ///< CMD [USER [GROUP]]
    optional_command,
    endpoint,         ///< IP [PORT]
    service,          ///< IP [PORT], fwmark N, group NAME
    weight,           ///< low..high [reverse|noreverse]
};

struct Argument {
    ArgumentKind kind = ArgumentKind::none;
    std::int64_t low = 0;
    std::int64_t high = 0;
    std::string_view words;
};

enum class Tier : std::uint8_t { t1 = 1, t2, t3 };

enum class Status : std::uint8_t {
    acted,  ///< this release acts on it
    later,  ///< understood and checked, not yet acted on: said so in a note
};

struct Keyword {
    std::string_view name;
    Tier tier = Tier::t3;
    Status status = Status::later;
    Argument argument;
    BlockId child = BlockId::none;     ///< block that it opens
    std::string_view replacement{};    ///< deprecated: use this; "-" when nothing replaces it
};

struct BlockTable {
    BlockId block = BlockId::none;
    std::string_view name;                ///< how an operator calls it
    std::span<const Keyword> keywords;
    std::span<const Keyword> more{};      ///< shared with other blocks
};

/// Every keyword block, in the order a person would look.
std::span<const BlockTable> block_tables();
/// "vrrp_instance", "virtual_ipaddress list", "the root level".
std::string_view name_of(BlockId block);

/// nullptr when `block` does not know it. O(1).
const Keyword* find_keyword(BlockId block, std::string_view name);

/// Is there a block that knows both? Looks through the tables: for words that are reported anyway.
bool stand_together(const Keyword& keyword, std::string_view word);

/// What to say about a word that `block` does not know: "did you mean ...", "belongs into ...", or nothing.
std::string suggest_keyword(BlockId block, std::string_view word);

}  // namespace vigil::config
