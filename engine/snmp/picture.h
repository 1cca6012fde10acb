#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "packet/address.h"

/// What the VRRP process tells vigil-snmp of itself: plain values, made for one moment and never changed. Each record lists its members once, in fields(), and
/// codec.h makes octets of them and back. Numbers that stand for words are the MIB's where this is said.
namespace vigil::snmp {

/// KEEPALIVED-MIB VrrpState.
enum class State : std::uint8_t { init = 0, backup = 1, master = 2, fault = 3, shutdown = 5, deleted = 6 };
/// RFC 6527 vrrpv3StatisticsNewMasterReason.
enum class NewMasterReason : std::uint8_t { not_master = 0, priority = 1, preempted = 2, no_response = 3 };

/// Which trees are served, and whether there are notifications.
struct Service {
    bool vrrp = false;    ///< KEEPALIVED-MIB
    bool rfc2787 = false;
    bool rfc6527 = false;
    bool traps = false;

    bool is_on() const { return vrrp || rfc2787 || rfc6527; }
    friend bool operator==(const Service&, const Service&) = default;
    static constexpr auto fields(auto& it) { return std::tie(it.vrrp, it.rfc2787, it.rfc6527, it.traps); }
};

/// An entry of a track_ list.
struct Tracked {
    std::string name;
    std::int32_t weight = 0;
    bool reverse = false;
    std::uint32_t interface_index = 0;   ///< of an interface; 0: there is none of this name

    static constexpr auto fields(auto& it) { return std::tie(it.name, it.weight, it.reverse, it.interface_index); }
};

enum class TrackedKind : std::uint8_t { interface, script, file, bfd, process };
using TrackedLists = std::array<std::vector<Tracked>, 5>;   ///< by TrackedKind

/// Commands of notify scripts; empty: none.
struct Scripts {
    std::string master{}, backup{}, fault{}, stop{}, any{}, lower_priority{}, deleted{};

    bool is_empty() const { return (master + backup + fault + stop + any + lower_priority + deleted).empty(); }
    static constexpr auto fields(auto& it) { return std::tie(it.master, it.backup, it.fault, it.stop, it.any, it.lower_priority, it.deleted); }
};

/// What many instances have in common, told once.
struct Settings {
    State initial_state = State::backup;
    bool tracks_primary = true;
    std::uint32_t interval = 100;            ///< centiseconds
    bool preempts = true;
    std::uint32_t preempt_delay = 0;         ///< seconds
    std::uint8_t auth_type = 0;              ///< 0 none, 1 password, 2 AH
    std::uint32_t garp_delay = 0;            ///< seconds
    bool smtp_alert = false;
    bool accepts = true;
    std::uint8_t version = 2;
    bool notifies_deleted = false;
    IpAddress group;                         ///< that adverts go to
    Scripts scripts;
    TrackedLists tracked;

    static constexpr auto fields(auto& it) {
        return std::tie(it.initial_state, it.tracks_primary, it.interval, it.preempts, it.preempt_delay, it.auth_type, it.garp_delay, it.smtp_alert, it.accepts,
                        it.version, it.notifies_deleted, it.group, it.scripts, it.tracked);
    }
};

struct Address {
    IpAddress address;
    std::uint8_t prefix_length = 32;
    std::optional<IpAddress> broadcast;
    std::optional<IpAddress> peer;
    std::uint8_t scope = 0;                  ///< the kernel's RT_SCOPE_
    std::uint32_t interface_index = 0;
    std::string interface;
    std::string label;
    bool is_set = false;
    bool is_advertised = false;

    static constexpr auto fields(auto& it) {
        return std::tie(it.address, it.prefix_length, it.broadcast, it.peer, it.scope, it.interface_index, it.interface, it.label, it.is_set, it.is_advertised);
    }
};

struct Nexthop {
    std::optional<IpAddress> gateway;
    std::uint32_t interface_index = 0;
    std::string interface;
    std::uint32_t weight = 1;
    bool is_onlink = false;
    std::uint32_t realms = 0;                ///< source << 16 | destination

    static constexpr auto fields(auto& it) { return std::tie(it.gateway, it.interface_index, it.interface, it.weight, it.is_onlink, it.realms); }
};

/// A number that the kernel does not change when it is locked.
struct RouteMetric {
    std::uint8_t kind = 0;                   ///< RTAX_
    std::uint32_t value = 0;
    bool is_locked = false;

    static constexpr auto fields(auto& it) { return std::tie(it.kind, it.value, it.is_locked); }
};

struct Route {
    IpAddress destination;
    std::uint8_t prefix_length = 0;
    Nexthop next;                            ///< when `nexthops` is empty
    std::vector<Nexthop> nexthops;
    std::optional<IpAddress> preferred_source;
    std::optional<IpAddress> from;
    std::uint8_t from_length = 0;
    std::uint32_t metric = 0;
    std::uint8_t scope = 0;                  ///< RT_SCOPE_
    std::uint8_t type = 1;                   ///< RTN_
    std::uint32_t table = 254;
    std::uint8_t tos = 0;
    std::uint8_t protocol = 0;               ///< RTPROT_
    std::optional<std::uint32_t> expires;
    std::optional<std::uint8_t> preference;  ///< 0 medium, 1 high, 3 low
    std::string congestion_control;
    std::vector<RouteMetric> metrics;
    bool is_set = false;

    static constexpr auto fields(auto& it) {
        return std::tie(it.destination, it.prefix_length, it.next, it.nexthops, it.preferred_source, it.from, it.from_length, it.metric, it.scope, it.type,
                        it.table, it.tos, it.protocol, it.expires, it.preference, it.congestion_control, it.metrics, it.is_set);
    }
};

struct Rule {
    Family family = Family::ipv4;
    std::optional<IpAddress> from, to;
    std::uint8_t from_length = 0, to_length = 0;
    std::uint8_t action = 0;                 ///< FR_ACT_
    std::uint32_t table = 0, go_to = 0, priority = 0;
    bool is_inverted = false, is_l3mdev = false;
    std::string input, output;               ///< interfaces
    std::uint8_t tos = 0;
    std::uint8_t protocol = 0;               ///< RTPROT_
    std::uint32_t realms = 0;
    std::optional<std::uint8_t> ip_protocol;
    std::optional<std::uint32_t> mark, mark_mask, user_first, user_last, source_first, source_last, destination_first, destination_last, suppressed_length,
        suppressed_group;
    std::optional<std::uint64_t> tunnel_id;
    bool is_set = false;

    static constexpr auto fields(auto& it) {
        return std::tie(it.family, it.from, it.to, it.from_length, it.to_length, it.action, it.table, it.go_to, it.priority, it.is_inverted, it.is_l3mdev, it.input,
                        it.output, it.tos, it.protocol, it.realms, it.ip_protocol, it.mark, it.mark_mask, it.user_first, it.user_last, it.source_first,
                        it.source_last, it.destination_first, it.destination_last, it.suppressed_length, it.suppressed_group, it.tunnel_id, it.is_set);
    }
};

struct Counters {
    std::uint64_t adverts_received = 0;
    std::uint32_t became_active = 0, interval_errors = 0, auth_failures = 0, ttl_errors = 0, stop_received = 0, stop_sent = 0, type_errors = 0, address_list_errors = 0,
                  auth_type_unknown = 0, auth_type_mismatch = 0, length_errors = 0;

    static constexpr auto fields(auto& it) {
        return std::tie(it.adverts_received, it.became_active, it.interval_errors, it.auth_failures, it.ttl_errors, it.stop_received, it.stop_sent, it.type_errors,
                        it.address_list_errors, it.auth_type_unknown, it.auth_type_mismatch, it.length_errors);
    }
};

struct Instance {
    std::string name;
    std::uint32_t settings = 0;              ///< in Picture::settings
    std::uint32_t group = none;              ///< in Picture::groups
    std::uint8_t vrid = 0;
    Family family = Family::ipv4;
    State state = State::init;
    std::uint8_t base_priority = 0;
    std::uint8_t effective_priority = 0;
    std::uint32_t interface_index = 0;       ///< 0: there is none of this name
    std::string interface;
    MacAddress mac;                          ///< that its addresses have
    IpAddress source;                        ///< of its adverts; unspecified: none
    IpAddress master;                        ///< the Active's; unspecified: not known
    NewMasterReason reason = NewMasterReason::not_master;
    std::uint64_t age_ticks = 0;             ///< hundredths of a second since it is not in Initialize; 0: it is
    std::vector<Address> addresses;
    std::vector<Route> routes;
    std::vector<Rule> rules;
    Counters counters;

    static constexpr std::uint32_t none = ~0u;
    static constexpr auto fields(auto& it) {
        return std::tie(it.name, it.settings, it.group, it.vrid, it.family, it.state, it.base_priority, it.effective_priority, it.interface_index, it.interface,
                        it.mac, it.source, it.master, it.reason, it.age_ticks, it.addresses, it.routes, it.rules, it.counters);
    }
};

struct Group {
    std::string name;
    State state = State::init;
    bool smtp_alert = false;
    bool tracking_weight = false;
    Scripts scripts;
    std::vector<std::string> members;
    TrackedLists tracked;

    static constexpr auto fields(auto& it) { return std::tie(it.name, it.state, it.smtp_alert, it.tracking_weight, it.scripts, it.members, it.tracked); }
};

/// A vrrp_script.
struct Script {
    std::string name, command;
    std::uint32_t interval = 1;              ///< seconds
    std::int32_t weight = 0;
    bool reverse = false;
    std::uint8_t result = 1;                 ///< vrrpScriptResult: 1 init, 2 bad, 3 good, 5 initfailed
    std::uint32_t rise = 1, fall = 1;

    static constexpr auto fields(auto& it) { return std::tie(it.name, it.command, it.interval, it.weight, it.reverse, it.result, it.rise, it.fall); }
};

/// A track_file, or with an empty path a bfd_instance: `value` is what was read, or 1 for a session that is Up.
struct File {
    std::string name, path;
    std::int32_t value = 0, weight = 0;
    bool reverse = false;

    static constexpr auto fields(auto& it) { return std::tie(it.name, it.path, it.value, it.weight, it.reverse); }
};

/// A vrrp_track_process.
struct Process {
    std::string name, program, parameters;
    std::uint8_t match = 0;                  ///< vrrpProcessParamMatch
    std::int32_t weight = 0;
    bool reverse = false;
    std::uint32_t quorum = 1;
    std::int32_t quorum_max = -1;            ///< -1: as many as like
    std::uint32_t fork_delay = 0, terminate_delay = 0;   ///< microseconds
    bool full_command = false;
    std::int32_t count = 0;
    bool has_quorum = false;

    static constexpr auto fields(auto& it) {
        return std::tie(it.name, it.program, it.parameters, it.match, it.weight, it.reverse, it.quorum, it.quorum_max, it.fork_delay, it.terminate_delay,
                        it.full_command, it.count, it.has_quorum);
    }
};

struct Global {
    std::string version, router_id;
    std::string smtp_server;                 ///< as in the file; empty: none
    std::uint16_t smtp_port = 25;
    std::uint32_t smtp_timeout = 30;         ///< seconds
    std::string mail_from;
    std::vector<std::string> mail_to;
    bool mails_faults = true;
    bool has_traps = false;
    std::string net_namespace;
    std::uint64_t checksum_errors = 0, version_errors = 0, vrid_errors = 0;

    static constexpr auto fields(auto& it) {
        return std::tie(it.version, it.router_id, it.smtp_server, it.smtp_port, it.smtp_timeout, it.mail_from, it.mail_to, it.mails_faults, it.has_traps,
                        it.net_namespace, it.checksum_errors, it.version_errors, it.vrid_errors);
    }
};

/// All of it, and the order on the wire.
struct Picture {
    Global global;
    std::vector<Group> groups;
    std::vector<Script> scripts;
    std::vector<File> files;
    std::vector<File> bfds;
    std::vector<Process> processes;
    std::vector<Address> static_addresses;
    std::vector<Route> static_routes;
    std::vector<Rule> static_rules;
    std::vector<Settings> settings;
    std::vector<Instance> instances;
    std::uint64_t agent_ticks = 0;   ///< the agent's uptime, set by who receives it

    static constexpr auto fields(auto& it) {
        return std::tie(it.global, it.groups, it.scripts, it.files, it.bfds, it.processes, it.static_addresses, it.static_routes, it.static_rules, it.settings,
                        it.instances);
    }
};

/// A change of state, with what its notifications carry.
struct Transition {
    bool is_of_group = false;
    std::string name, router_id;
    State state = State::init;
    State initial_state = State::backup;     ///< of an instance, like all that follows
    std::uint32_t interface_index = 0;
    std::uint8_t vrid = 0;
    std::uint8_t version = 2;
    IpAddress source;
    NewMasterReason reason = NewMasterReason::not_master;

    static constexpr auto fields(auto& it) {
        return std::tie(it.is_of_group, it.name, it.router_id, it.state, it.initial_state, it.interface_index, it.vrid, it.version, it.source, it.reason);
    }
};

}  // namespace vigil::snmp
