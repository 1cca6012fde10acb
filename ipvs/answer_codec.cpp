// Answers of IPVS.
//
// What arrives is treated as hostile: the attribute tables measure every length against the real end of the message, the getters refuse values of
// another size, and what is left to check here is meaning. A service or destination that cannot be told apart from others (no key, a key of unknown
// kind) is no answer at all; of the rest, what an old kernel does not say has its default: no persistence engine before 2.6.37, no family of
// a destination before 3.18, no 64-bit statistics before 4.1, no tunnel before 5.2, no details of the sync daemon before 4.3.

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>

#include <cstring>
#include <limits>
#include <string>

#include "ipvs/codec.h"

namespace vigil::ipvs {

namespace {

using netlink::AttributeTable;

bool is_command(const nlmsghdr& message, std::uint8_t command) {
    const auto* const header = netlink::read_header<genlmsghdr>(message);
    return header != nullptr && message.nlmsg_type >= NLMSG_MIN_TYPE && header->cmd == command;
}

AttributeTable attributes_of(const nlmsghdr& message) { return AttributeTable(message, GENL_HDRLEN); }

std::optional<std::string> name_in(const AttributeTable& table, std::uint16_t type) {
    const auto text = table.text(type);
    if (!text || text->empty() || text->size() > longest_name) return std::nullopt;
    return std::string(*text);
}

/// 16 octets in both families; of IPv4 the first four count.
std::optional<IpAddress> address_in(const AttributeTable& table, std::uint16_t type, Family family) {
    const auto whole = table.address(type, Family::ipv6);
    if (!whole) return std::nullopt;
    return family == Family::ipv6 ? *whole : make_address(std::span(whole->octets).first(4));
}

std::optional<Protocol> protocol_in(const AttributeTable& table) {
    const auto number = table.u16(IPVS_SVC_ATTR_PROTOCOL);
    for (const Protocol known : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
        if (number == static_cast<std::uint16_t>(known)) return known;
    }
    return std::nullopt;
}

std::optional<ServiceKey> read_key(const AttributeTable& table) {
    const auto family_number = table.u16(IPVS_SVC_ATTR_AF);
    const auto family = family_number ? netlink::read_family(*family_number) : std::nullopt;
    if (!family) return std::nullopt;
    if (const auto mark = table.u32(IPVS_SVC_ATTR_FWMARK); mark && *mark != 0) return fwmark_service(*family, *mark);
    const auto protocol = protocol_in(table);
    const auto address = address_in(table, IPVS_SVC_ATTR_ADDR, *family);
    const auto port = table.u16(IPVS_SVC_ATTR_PORT);
    if (!protocol || !address || !port) return std::nullopt;
    return address_service(*protocol, *address, ntohs(*port));
}

/// nullopt when it is not there whole: flags and their mask.
std::optional<std::uint32_t> read_flags(const AttributeTable& table) {
    const auto both = table.u64(IPVS_SVC_ATTR_FLAGS);
    if (!both) return std::nullopt;
    ip_vs_flags flags{};
    static_assert(sizeof flags == sizeof *both);
    std::memcpy(&flags, &*both, sizeof flags);
    return flags.flags & flags.mask;
}

/// The older form counts connections, packets and rates in 32 bits, and octets in 64.
std::uint64_t number_in(const AttributeTable& table, std::uint16_t type) {
    if (const auto wide = table.u64(type)) return *wide;
    return table.u32(type).value_or(0);
}

Statistics read_statistics(const nlattr* wide, const nlattr* narrow) {
    const nlattr* const there = wide != nullptr ? wide : narrow;
    if (there == nullptr) return {};
    const AttributeTable table(there);
    return {.connections = number_in(table, IPVS_STATS_ATTR_CONNS),
            .incoming_packets = number_in(table, IPVS_STATS_ATTR_INPKTS),
            .outgoing_packets = number_in(table, IPVS_STATS_ATTR_OUTPKTS),
            .incoming_bytes = number_in(table, IPVS_STATS_ATTR_INBYTES),
            .outgoing_bytes = number_in(table, IPVS_STATS_ATTR_OUTBYTES),
            .connection_rate = number_in(table, IPVS_STATS_ATTR_CPS),
            .incoming_packet_rate = number_in(table, IPVS_STATS_ATTR_INPPS),
            .outgoing_packet_rate = number_in(table, IPVS_STATS_ATTR_OUTPPS),
            .incoming_byte_rate = number_in(table, IPVS_STATS_ATTR_INBPS),
            .outgoing_byte_rate = number_in(table, IPVS_STATS_ATTR_OUTBPS)};
}

Tunnel read_tunnel(const AttributeTable& table) {
    const std::uint8_t type = table.u8(IPVS_DEST_ATTR_TUN_TYPE).value_or(IP_VS_CONN_F_TUNNEL_TYPE_IPIP);
    const std::uint16_t flags = table.u16(IPVS_DEST_ATTR_TUN_FLAGS).value_or(IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM);
    // A type that is not known yet is nobody's wish, so it will be set to what is wanted.
    return {.type = type < IP_VS_CONN_F_TUNNEL_TYPE_MAX ? static_cast<TunnelType>(type) : TunnelType::ipip,
            .has_checksum = (flags & IP_VS_TUNNEL_ENCAP_FLAG_CSUM) != 0,
            .has_remote_checksum = (flags & IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM) != 0,
            .port = ntohs(table.u16(IPVS_DEST_ATTR_TUN_PORT).value_or(0))};
}

std::optional<DestinationKey> read_destination_key(const AttributeTable& table, Family family) {
    if (const auto number = table.u16(IPVS_DEST_ATTR_ADDR_FAMILY)) {
        const auto told = netlink::read_family(*number);
        if (!told) return std::nullopt;
        family = *told;
    }
    const auto address = address_in(table, IPVS_DEST_ATTR_ADDR, family);
    const auto port = table.u16(IPVS_DEST_ATTR_PORT);
    if (!address || !port) return std::nullopt;
    return DestinationKey{*address, ntohs(*port)};
}

}  // namespace

std::optional<std::uint16_t> read_family_id(const nlmsghdr& message) {
    if (!is_command(message, CTRL_CMD_NEWFAMILY)) return std::nullopt;
    const AttributeTable table = attributes_of(message);
    const auto id = table.u16(CTRL_ATTR_FAMILY_ID);
    if (table.text(CTRL_ATTR_FAMILY_NAME) != IPVS_GENL_NAME || !id || *id < GENL_MIN_ID) return std::nullopt;
    return id;
}

std::optional<FoundService> read_service(const nlmsghdr& message) {
    if (!is_command(message, IPVS_CMD_NEW_SERVICE)) return std::nullopt;
    const AttributeTable table(attributes_of(message).find(IPVS_CMD_ATTR_SERVICE));
    const auto key = read_key(table);
    const auto scheduler = name_in(table, IPVS_SVC_ATTR_SCHED_NAME);
    const auto flags = read_flags(table);
    const auto mask = table.u32(IPVS_SVC_ATTR_NETMASK);
    if (!key || !scheduler || !flags || !mask) return std::nullopt;
    FoundService found;
    found.service = {.key = *key,
                     .scheduler = *scheduler,
                     .persistence_engine = name_in(table, IPVS_SVC_ATTR_PE_NAME).value_or(""),
                     .is_persistent = (*flags & IP_VS_SVC_F_PERSISTENT) != 0,
                     .is_one_packet = (*flags & IP_VS_SVC_F_ONEPACKET) != 0,
                     .scheduler_flags = static_cast<std::uint8_t>(*flags / IP_VS_SVC_F_SCHED1 & 7),
                     .persistence_seconds = table.u32(IPVS_SVC_ATTR_TIMEOUT).value_or(0),
                     .granularity = key->family() == Family::ipv4 ? ntohl(*mask) : *mask};
    found.statistics = read_statistics(table.find(IPVS_SVC_ATTR_STATS64), table.find(IPVS_SVC_ATTR_STATS));
    return found;
}

std::optional<FoundDestination> read_destination(const nlmsghdr& message, Family family) {
    if (!is_command(message, IPVS_CMD_NEW_DEST)) return std::nullopt;
    const AttributeTable table(attributes_of(message).find(IPVS_CMD_ATTR_DEST));
    const auto key = read_destination_key(table, family);
    const auto method = table.u32(IPVS_DEST_ATTR_FWD_METHOD);
    const auto weight = table.u32(IPVS_DEST_ATTR_WEIGHT);
    if (!key || !method || !weight) return std::nullopt;
    const std::uint32_t forwarding = *method & IP_VS_CONN_F_FWD_MASK;
    if (forwarding > IP_VS_CONN_F_BYPASS || *weight > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    FoundDestination found;
    found.destination = {.key = *key,
                         .forwarding = static_cast<Forwarding>(forwarding),
                         .tunnel = forwarding == IP_VS_CONN_F_TUNNEL ? read_tunnel(table) : Tunnel{},
                         .weight = static_cast<std::int32_t>(*weight),
                         .upper_threshold = table.u32(IPVS_DEST_ATTR_U_THRESH).value_or(0),
                         .lower_threshold = table.u32(IPVS_DEST_ATTR_L_THRESH).value_or(0)};
    found.active_connections = table.u32(IPVS_DEST_ATTR_ACTIVE_CONNS).value_or(0);
    found.inactive_connections = table.u32(IPVS_DEST_ATTR_INACT_CONNS).value_or(0);
    found.persistent_connections = table.u32(IPVS_DEST_ATTR_PERSIST_CONNS).value_or(0);
    found.statistics = read_statistics(table.find(IPVS_DEST_ATTR_STATS64), table.find(IPVS_DEST_ATTR_STATS));
    return found;
}

std::optional<SyncDaemon> read_daemon(const nlmsghdr& message) {
    if (!is_command(message, IPVS_CMD_NEW_DAEMON)) return std::nullopt;
    const AttributeTable table(attributes_of(message).find(IPVS_CMD_ATTR_DAEMON));
    const auto state = table.u32(IPVS_DAEMON_ATTR_STATE);
    const auto interface = name_in(table, IPVS_DAEMON_ATTR_MCAST_IFN);
    const auto sync_id = table.u32(IPVS_DAEMON_ATTR_SYNC_ID);
    if (!interface || !sync_id || *sync_id > std::numeric_limits<std::uint8_t>::max()) return std::nullopt;
    if (state != IP_VS_STATE_MASTER && state != IP_VS_STATE_BACKUP) return std::nullopt;
    auto group = table.address(IPVS_DAEMON_ATTR_MCAST_GROUP, Family::ipv4);
    if (!group) group = table.address(IPVS_DAEMON_ATTR_MCAST_GROUP6, Family::ipv6);
    return SyncDaemon{.role = static_cast<SyncRole>(*state),
                      .interface = *interface,
                      .sync_id = static_cast<std::uint8_t>(*sync_id),
                      .longest_payload = table.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN).value_or(0),
                      .group = group && !group->is_unspecified() ? *group : IpAddress{},
                      .port = table.u16(IPVS_DAEMON_ATTR_MCAST_PORT).value_or(0),
                      .ttl = table.u8(IPVS_DAEMON_ATTR_MCAST_TTL).value_or(0)};
}

std::optional<Timeouts> read_timeouts(const nlmsghdr& message) {
    if (!is_command(message, IPVS_CMD_SET_CONFIG)) return std::nullopt;
    const AttributeTable table = attributes_of(message);
    return Timeouts{table.u32(IPVS_CMD_ATTR_TIMEOUT_TCP).value_or(0), table.u32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN).value_or(0),
                    table.u32(IPVS_CMD_ATTR_TIMEOUT_UDP).value_or(0)};
}

std::optional<Info> read_info(const nlmsghdr& message) {
    if (!is_command(message, IPVS_CMD_SET_INFO)) return std::nullopt;
    const AttributeTable table = attributes_of(message);
    const auto version = table.u32(IPVS_INFO_ATTR_VERSION);
    const auto size = table.u32(IPVS_INFO_ATTR_CONN_TAB_SIZE);
    if (!version || !size) return std::nullopt;
    return Info{*version, *size};
}

}  // namespace vigil::ipvs
