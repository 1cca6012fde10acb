#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/check_model.h"
#include "config/script.h"
#include "config/shared.h"
#include "packet/address.h"

/// Virtual servers, their groups and their real servers as plain values, with all defaults in and all cross checks made.
namespace vigil::config {

enum class Scheduler : std::uint8_t { rr, wrr, lc, wlc, lblc, lblcr, sh, mh, dh, fo, ovf, sed, nq, twos, count };
/// The kernel's name, which is the file's too: "wlc".
std::string_view name_of(Scheduler scheduler);

/// The value is the one in an IP header; 0 only for services that are all firewall marks.
enum class Protocol : std::uint8_t { none = 0, tcp = 6, udp = 17, sctp = 132 };
/// "TCP"; empty for none.
std::string_view name_of(Protocol protocol);

enum class ForwardingMethod : std::uint8_t { nat, dr, tun };
enum class TunnelType : std::uint8_t { ipip, gue, gre };   ///< as in linux/ip_vs.h
enum class TunnelChecksum : std::uint8_t { none, full, remote };   ///< nocsum, csum, remcsum; the value is the bit set of linux/ip_vs.h

/// lb_kind and lvs_method.
struct Forwarding {
    ForwardingMethod method = ForwardingMethod::nat;
    TunnelType tunnel = TunnelType::ipip;                ///< of tun
    TunnelChecksum checksum = TunnelChecksum::none;      ///< of gue and gre; gre has no remote one
    std::uint16_t gue_port = 0;                          ///< of gue: not 0

    friend bool operator==(const Forwarding&, const Forwarding&) = default;
};
/// "TUN type gue port 5555 csum".
std::string to_string(const Forwarding& forwarding);

/// What real servers have in common.
struct RealServerSettings {
    Forwarding forwarding;
    std::uint32_t upper_threshold = 0;   ///< uthreshold: no new connections above; 0: no limit
    std::uint32_t lower_threshold = 0;   ///< lthreshold: until there are fewer than this many again
    bool inhibit_on_failure = false;     ///< weight 0 instead of leaving the table when it fails
    bool alpha = false;                  ///< of its checkers
    std::optional<bool> smtp_alert;      ///< mail for changes of state; has a value
    std::optional<NotifyScript> notify_up;
    std::optional<NotifyScript> notify_down;

    friend bool operator==(const RealServerSettings&, const RealServerSettings&) = default;
};

using CheckerList = std::vector<Checker>;

struct RealServer {
    IpAddress address;               ///< of the service's family, unless forwarding is tun
    std::uint16_t port = 0;          ///< 0: the one that the client asked for (firewall marks, services of all ports). Only NAT looks at it; others take the service's
    std::int32_t weight = 1;         ///< at least 0
    std::string_view snmp_name;
    Shared<RealServerSettings> settings;
    Shared<CheckerList> checkers;    ///< in file order; all of them must be up; empty: it is always up
    WrittenAt where;            ///< of its address

    friend bool operator==(const RealServer&, const RealServer&) = default;
};

struct CheckTarget {
    IpAddress address;
    std::uint16_t port = 0;

    friend auto operator<=>(const CheckTarget&, const CheckTarget&) = default;
};
/// Where `checker` of `server` connects to.
inline CheckTarget target_of(const RealServer& server, const Checker& checker) {
    return {checker.connection.connect_ip.value_or(server.address), checker.connection.connect_port};
}

struct SorryServer {
    IpAddress address;
    std::uint16_t port = 0;
    Forwarding forwarding;
    bool inhibit = false;            ///< sorry_server_inhibit: it stays in the table, with weight 0 while it is not needed
    WrittenAt where;

    friend bool operator==(const SorryServer&, const SorryServer&) = default;
};

/// Addresses of a group, one service for each of them.
struct ServiceRange {
    IpAddress first;
    IpAddress last;                  ///< not before `first`, at most 65,536 addresses in all
    std::uint16_t port = 0;

    friend bool operator==(const ServiceRange&, const ServiceRange&) = default;
};

struct FirewallMark {
    std::uint32_t mark = 0;          ///< not 0
    std::optional<Family> family;    ///< absent: VirtualServer::family

    friend bool operator==(const FirewallMark&, const FirewallMark&) = default;
};

/// virtual_server_group: what its virtual servers answer for.
struct VirtualServerGroup {
    std::string_view name;
    WrittenAt where;
    std::vector<ServiceRange> ranges;    ///< in file order; there is at least one range or mark
    std::vector<FirewallMark> marks;

    friend bool operator==(const VirtualServerGroup&, const VirtualServerGroup&) = default;
};

enum class ServiceKind : std::uint8_t { address, mark, group };

/// persistence_*: a client stays with its server.
struct Persistence {
    std::uint32_t timeout = 0;           ///< seconds, 1-2678400; 0: clients do not stay
    std::uint8_t granularity = 0;        ///< prefix length of what is one client, 1-32 or 1-128; 0: a host (32 or 128)
    std::string_view engine;             ///< e.g. "sip"; empty: none

    friend bool operator==(const Persistence&, const Persistence&) = default;
};

/// One virtual_server with what answers for it.
struct VirtualServer {
    ServiceKind kind = ServiceKind::address;
    IpAddress address;                   ///< of ServiceKind::address
    std::uint16_t port = 0;              ///< of ServiceKind::address; 0: all ports, then it is persistent
    std::uint32_t mark = 0;              ///< of ServiceKind::mark
    std::uint32_t group = 0;             ///< of ServiceKind::group: index into Configuration::server_groups
    Family family = Family::ipv4;        ///< of the service; of a group: of its ranges, and of its marks that say none
    Protocol protocol = Protocol::none;
    WrittenAt where;                ///< of its address, mark or group name

    Scheduler scheduler = Scheduler::wlc;
    bool one_packet = false;             ///< ops; UDP and marks only
    bool flag_1 = false;                 ///< sh-fallback, mh-fallback, flag-1: one bit in the kernel
    bool flag_2 = false;                 ///< sh-port, mh-port, flag-2
    bool flag_3 = false;
    Persistence persistence;
    Forwarding forwarding;               ///< default of the real servers, which is in them

    std::int32_t weight = 1;             ///< the same
    std::optional<SorryServer> sorry_server;
    std::uint32_t quorum = 1;            ///< least weight of live servers; 1 to the weight of all
    std::uint32_t hysteresis = 0;        ///< less than quorum
    std::optional<NotifyScript> quorum_up;
    std::optional<NotifyScript> quorum_down;
    bool alpha = false;                  ///< default of the real servers
    bool omega = false;                  ///< a stop tells notify_down and quorum_down
    bool ha_suspend = false;             ///< no checks while this host has none of the service's addresses
    bool smtp_alert = false;             ///< mail when the quorum is lost or regained
    std::string_view snmp_name;

    std::vector<RealServer> real_servers;   ///< in file order, at least one, no address and port twice

    friend bool operator==(const VirtualServer&, const VirtualServer&) = default;
};

}  // namespace vigil::config
