#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/script.h"
#include "packet/address.h"

/// What global_defs and the root level say about the load balancer as a whole.
namespace vigil::config {

/// lvs_sync_daemon: the kernel tells another director of its connections, or listens.
struct LvsSyncDaemon {
    std::string_view interface;
    std::string_view instance;    ///< a usable vrrp_instance: its Active sends, all others listen; empty: this host does both, always
    std::uint8_t id = 0;          ///< of the group of directors; the VRID of `instance` where the file says none
    std::uint16_t max_length = 0;   ///< maxlen: octets of a message, 1-65507; 0: the kernel's
    std::uint16_t port = 8848;
    std::uint8_t ttl = 1;
    IpAddress group = ipv4(224, 0, 0, 81);
    WrittenAt where;

    friend bool operator==(const LvsSyncDaemon&, const LvsSyncDaemon&) = default;
};

/// lvs_timeouts, in seconds; absent: as the kernel has it.
struct LvsTimeouts {
    std::optional<std::uint32_t> tcp;       ///< 0-2678400; 0 leaves it as it is, too
    std::optional<std::uint32_t> tcp_fin;
    std::optional<std::uint32_t> udp;

    friend bool operator==(const LvsTimeouts&, const LvsTimeouts&) = default;
};

/// What becomes of the kernel's table when the daemon stops.
enum class FlushAtStop : std::uint8_t {
    servers,   ///< what was configured is taken out, each real server and then its service
    services,  ///< lvs_flush_on_stop VS: the configured services, and the kernel drops their servers with them
    all,       ///< lvs_flush_on_stop: everything in the table, also what others put there
};

/// nftables_ipvs: packets for a group are marked, so that the kernel has one service for all of it.
struct NftablesIpvs {
    bool is_used = false;
    std::string_view table = "keepalived_ipvs";
    std::int32_t priority = -1;            ///< of its chains
    std::uint32_t start_fwmark = 1000;     ///< at least 1

    friend bool operator==(const NftablesIpvs&, const NftablesIpvs&) = default;
};

/// SSL: what SSL_GET shows a server, and whom it trusts. Empty: not said.
struct TlsClientSettings {
    std::string_view password;      ///< of `key`; a secret, masked in dumps
    std::string_view ca;            ///< PEM file
    std::string_view certificate;   ///< PEM file
    std::string_view key;           ///< PEM file
    WrittenAt where;           ///< line 0: there is no such block

    friend bool operator==(const TlsClientSettings&, const TlsClientSettings&) = default;
};

/// The process of the checkers. Its name is ProcessDefinitions::checker_process_name.
struct CheckerProcessSettings {
    std::optional<std::int8_t> nice;            ///< checker_priority, -20 to 19; absent: the daemon chooses
    std::uint8_t rt_priority = 0;               ///< SCHED_RR 1-99; 0: not real-time
    bool no_swap = false;
    std::uint32_t rlimit_rttime = 0;            ///< microseconds without a pause at real-time priority, at least 2; 0: no limit
    std::vector<unsigned> cpus;                 ///< empty: all
    std::uint32_t netlink_command_buffer = 0;   ///< lvs_netlink_cmd_rcv_bufs, octets; 0: ours
    std::uint32_t netlink_monitor_buffer = 0;   ///< lvs_netlink_monitor_rcv_bufs

    friend bool operator==(const CheckerProcessSettings&, const CheckerProcessSettings&) = default;
};

struct LvsDefinitions {
    std::optional<LvsSyncDaemon> sync_daemon;
    LvsTimeouts timeouts;
    bool flush_at_start = false;            ///< lvs_flush: the whole table is emptied, so a start drops what the daemon before it left
    FlushAtStop flush_at_stop = FlushAtStop::servers;
    NotifyFifo notify_fifo;                 ///< lvs_notify_fifo: lines about servers only
    bool notifies_initial_states = false;   ///< rs_init_notifies: notify_up and notify_down run for the first verdict too
    bool no_checker_emails = false;         ///< a mail for each change of a server, none for each change of a checker
    NftablesIpvs nftables;
    bool has_namespace = false;             ///< net_namespace_ipvs was said
    std::string_view namespace_name;        ///< its name; empty: the namespace of process 1
    TlsClientSettings tls;
    CheckerProcessSettings process;

    friend bool operator==(const LvsDefinitions&, const LvsDefinitions&) = default;
};

}  // namespace vigil::config
