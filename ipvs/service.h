#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "packet/address.h"

/// What the kernel's load balancer (IPVS) is told and tells, as values. Ports and masks are in host order.
namespace vigil::ipvs {

/// IP protocol number. Of a service by firewall mark it means nothing.
enum class Protocol : std::uint8_t { tcp = 6, udp = 17, sctp = 132 };

/// What a connection must be addressed to. Made by address_service() or fwmark_service(), so that equal services are equal values.
struct ServiceKey {
    IpAddress address{};               ///< unspecified for a firewall mark, whose family it still names
    std::uint32_t fwmark = 0;          ///< 0: by address
    std::uint16_t port = 0;            ///< 0: every port, which works only with persistence
    Protocol protocol = Protocol::tcp;

    Family family() const { return address.family; }
    friend auto operator<=>(const ServiceKey&, const ServiceKey&) = default;
};

inline ServiceKey address_service(Protocol protocol, const IpAddress& address, std::uint16_t port) { return {address, 0, port, protocol}; }
/// `mark` is not 0.
inline ServiceKey fwmark_service(Family family, std::uint32_t mark) { return {{{}, family}, mark, 0, Protocol::tcp}; }

/// The schedulers of Linux 6.18. The kernel loads ip_vs_NAME itself and refuses (ENOENT) what it does not have; twos needs Linux 5.5.
constexpr std::array<std::string_view, 14> schedulers{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"};

/// IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN without the NUL.
constexpr std::size_t longest_name = 15;

/// Bits of Service::scheduler_flags, which each scheduler reads in its own way.
struct SchedulerFlag {
    static constexpr std::uint8_t first = 1, second = 2, third = 4;   ///< flag-1, flag-2, flag-3
    static constexpr std::uint8_t sh_fallback = first, sh_port = second;
    static constexpr std::uint8_t mh_fallback = first, mh_port = second;
};

/// One client is one persistence group: 255.255.255.255, or 128 bits.
constexpr std::uint32_t finest_granularity(Family family) { return family == Family::ipv4 ? 0xffffffff : 128; }

struct Service {
    ServiceKey key{};
    std::string scheduler = "wlc";          ///< longest_name octets at most; "none" is none (foreign services only)
    std::string persistence_engine{};       ///< "sip", or empty
    bool is_persistent = false;
    bool is_one_packet = false;             ///< each UDP datagram is scheduled on its own
    std::uint8_t scheduler_flags = 0;       ///< SchedulerFlag bits
    std::uint32_t persistence_seconds = 0;  ///< 1-2,678,400 when persistent
    /// Clients that agree in it persist together: a netmask for IPv4, a prefix length 1-128 for IPv6 (the kernel checks it even without
    /// persistence).
    std::uint32_t granularity = finest_granularity(Family::ipv4);

    friend bool operator==(const Service&, const Service&) = default;
};

/// Sends connections to the same servers: what does not act (the timeout of a service that is not persistent) may differ.
bool is_same_service(const Service& left, const Service& right);

struct DestinationKey {
    IpAddress address{};
    std::uint16_t port = 0;

    friend auto operator<=>(const DestinationKey&, const DestinationKey&) = default;
};

/// The kernel's numbers (IP_VS_CONN_F_MASQ and following). `local` and `bypass` are the kernel's own; nobody has to ask for them.
enum class Forwarding : std::uint8_t { masquerade = 0, local = 1, tunnel = 2, direct_route = 3, bypass = 4 };

/// The kernel's numbers. gue since Linux 5.2, gre since 5.3; older kernels take them for ipip without a word.
enum class TunnelType : std::uint8_t { ipip = 0, gue = 1, gre = 2 };

struct Tunnel {
    TunnelType type = TunnelType::ipip;
    bool has_checksum = false;          ///< csum; excludes remcsum
    bool has_remote_checksum = false;   ///< remcsum: remote checksum offload, gue only
    std::uint16_t port = 0;             ///< UDP port of gue; the kernel refuses 0 there

    friend bool operator==(const Tunnel&, const Tunnel&) = default;
};

struct Destination {
    DestinationKey key{};
    Forwarding forwarding = Forwarding::masquerade;
    Tunnel tunnel{};                      ///< only with Forwarding::tunnel
    std::int32_t weight = 1;              ///< 0: no new connections; negative ones are refused
    std::uint32_t upper_threshold = 0;    ///< connections from which on no more are sent here; 0: no limit
    std::uint32_t lower_threshold = 0;    ///< connections below which they are sent again; 0: three quarters of the upper one

    friend bool operator==(const Destination&, const Destination&) = default;
};

/// As the kernel gets it for `service`: only masquerading changes a port, so everybody else has that of the service, 0 for a firewall mark.
Destination placed(Destination destination, const ServiceKey& service);

/// As is_same_service(): the tunnel of a destination that is not reached by one does not count.
bool is_same_destination(const Destination& left, const Destination& right);

struct Statistics {
    std::uint64_t connections = 0;  ///< the kernel adds all of these up every two seconds
    std::uint64_t incoming_packets = 0, outgoing_packets = 0;
    std::uint64_t incoming_bytes = 0, outgoing_bytes = 0;
    /// Per second, estimated by the kernel every two seconds.
    std::uint64_t connection_rate = 0, incoming_packet_rate = 0, outgoing_packet_rate = 0, incoming_byte_rate = 0, outgoing_byte_rate = 0;

    friend bool operator==(const Statistics&, const Statistics&) = default;
};

struct FoundService {
    Service service{};
    Statistics statistics{};
};

struct FoundDestination {
    Destination destination{};
    std::uint32_t active_connections = 0, inactive_connections = 0, persistent_connections = 0;
    Statistics statistics{};
};

/// A service with its servers: what a table is made of.
struct ServiceEntry {
    Service service{};
    std::vector<Destination> destinations{};
};
using Table = std::vector<ServiceEntry>;

/// Seconds without traffic after which a connection is forgotten; 0 in a request leaves the value alone.
struct Timeouts {
    std::uint32_t tcp = 0, tcp_fin = 0, udp = 0;

    friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

enum class SyncRole : std::uint8_t { active = 1, backup = 2 };

/// The kernel thread that sends (or receives) connections to (from) the other director. 0 and unspecified: the kernel's defaults, which
/// are the longest datagram of the interface, 224.0.0.81, port 8848, TTL 1.
struct SyncDaemon {
    SyncRole role = SyncRole::backup;
    std::string interface{};            ///< 1-15 octets
    std::uint8_t sync_id = 0;           ///< a backup with 0 takes every ID
    std::uint16_t longest_payload = 0;  ///< bytes, 1-65507
    IpAddress group{};
    std::uint16_t port = 0;
    std::uint8_t ttl = 0;

    friend bool operator==(const SyncDaemon&, const SyncDaemon&) = default;
};

/// The daemon that runs does what the wanted one would: what the wanted one leaves to the kernel may have any value.
bool is_same_daemon(const SyncDaemon& wanted, const SyncDaemon& found);

struct Info {
    std::uint32_t version = 0;                ///< 0x010201 is 1.2.1
    std::uint32_t connection_table_size = 0;
};

std::string_view to_string(Protocol protocol);
/// "TCP 192.0.2.1:80", "UDP [2001:db8::1]:53", "FWMARK 7 (IPv6)" for log lines.
std::string to_string(const ServiceKey& key);
/// "192.0.2.1:80".
std::string to_string(const DestinationKey& key);

/// For hash tables. Addresses come from files, which their owner writes: no defence against chosen collisions.
struct KeyHash {
    std::size_t operator()(const ServiceKey& key) const;
    std::size_t operator()(const DestinationKey& key) const;
};

}  // namespace vigil::ipvs
