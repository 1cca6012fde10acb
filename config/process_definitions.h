#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "config/script.h"

/// What global_defs says about the processes and the host, not about the protocol.
namespace vigil::config {

/// How a reload comes about, and what is kept of it.
struct ReloadDefinitions {
    bool checks_first = false;           ///< reload_check_config: a file that a configuration test has complaints about is not loaded
    std::string_view check_log;          ///< absolute; gets the report of that test; empty: nobody does
    bool makes_file = false;             ///< reload_file: it exists while a new configuration is being read
    std::string_view file;               ///< absolute; empty: keepalived.reload beside the pid file
    std::string_view time_file;          ///< absolute; a time in it means a reload then; empty: none
    bool repeats = false;                ///< reload_repeat: a time without a date means every day, and the file stays
    std::string_view save_directory;     ///< config_save_dir: absolute; the configuration before and after a reload goes there; empty: nowhere

    friend bool operator==(const ReloadDefinitions&, const ReloadDefinitions&) = default;
};

/// A script of the parent process; an empty command: none.
struct ParentScript {
    NotifyScript script;
    std::uint16_t timeout = 10;   ///< 1-1000 s, then it is killed

    friend bool operator==(const ParentScript&, const ParentScript&) = default;
};

/// How the packet thread runs, beside vrrp_priority, vrrp_rt_priority and vrrp_no_swap.
struct PacketThreadDefinitions {
    std::vector<std::uint16_t> cpus;           ///< vrrp_cpu_affinity; empty: all
    std::uint32_t rlimit_rttime = 0;           ///< microseconds of CPU between two waits, of a real-time thread; 0: no limit
    std::int8_t max_auto_priority = 0;         ///< highest real-time priority that delays raise it to, 1-99; 0: they are only logged; -1: nor that
    std::uint32_t min_auto_priority_delay = 1'000'000;   ///< microseconds; the delay that does

    friend bool operator==(const PacketThreadDefinitions&, const PacketThreadDefinitions&) = default;
};

struct ProcessDefinitions {
    ReloadDefinitions reload;
    ParentScript startup;                      ///< before the other processes start
    ParentScript shutdown;                     ///< after they have ended
    bool set_supplementary_groups = false;     ///< scripts also have the supplementary groups of their user
    std::string_view process_name;             ///< of the parent, at most 15 octets; empty: the program's
    std::string_view vrrp_process_name;        ///< empty: vigild_vrrp, with process_names keepalived_vrrp
    std::string_view checker_process_name;     ///< empty: vigild_check, with process_names keepalived_lvs
    bool process_names = false;
    std::optional<std::uint16_t> umask;        ///< absent: the one we are started with
    std::uint32_t child_wait_time = 5;         ///< seconds from SIGTERM to SIGKILL, at least 1
    PacketThreadDefinitions packet_thread;
    std::uint32_t netlink_command_buffer = 0;  ///< vrrp_netlink_cmd_rcv_bufs, octets; 0: ours
    std::uint32_t netlink_monitor_buffer = 0;  ///< vrrp_netlink_monitor_rcv_bufs
    std::uint32_t process_monitor_buffer = 0;  ///< process_monitor_rcv_bufs
    bool disable_local_igmp = false;           ///< no IGMP reports for 224.0.0.x from this host
    std::string_view default_interface = "eth0";   ///< of static items without a device

    friend bool operator==(const ProcessDefinitions&, const ProcessDefinitions&) = default;
};

}  // namespace vigil::config
