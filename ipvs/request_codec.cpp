// Requests to IPVS.
//
// Every request is a generic netlink message of the family "IPVS": netlink header, command, and a service, a destination inside a service, a
// daemon, or three numbers, as nested attributes (linux/ip_vs.h). What the kernel wants of them is not written there, so here it is:
//
//  * A service is found by family, protocol, address and port, or by family and firewall mark. To make or change it, scheduler, flags, timeout
//    and netmask must all be there; a persistence engine that is not there is taken away.
//  * Addresses have 16 octets in both families. Ports of services, destinations and tunnels are in network order, the port of the sync daemon is in
//    host order. A netmask is in network order for IPv4 and a prefix length in host order for IPv6, where 0 is refused.
//  * Flags come with a mask of those that are meant; ours means all. The kernel adds IP_VS_SVC_F_HASHED by itself.
//  * A destination may have another family than its service only with Forwarding::tunnel, and only while no sync daemon runs.

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>

#include <array>
#include <cstring>

#include "ipvs/codec.h"

namespace vigil::ipvs {

namespace {

using netlink::MessageWriter;

enum class Extent { key_only, full };

MessageWriter begin(const RequestHead& head, std::uint8_t command, std::uint16_t flags = 0) {
    MessageWriter message(head.room, head.family, flags, head.sequence);
    if (auto* const header = message.put_header<genlmsghdr>(); header != nullptr) {
        header->cmd = command;
        header->version = IPVS_GENL_VERSION;
    }
    return message;
}

void put_whole_address(MessageWriter& message, std::uint16_t type, const IpAddress& address) { message.put(type, address.octets); }

void put_service_key(MessageWriter& message, const ServiceKey& key) {
    message.put_u16(IPVS_SVC_ATTR_AF, static_cast<std::uint16_t>(netlink::address_family(key.family())));
    if (key.fwmark != 0) {
        message.put_u32(IPVS_SVC_ATTR_FWMARK, key.fwmark);
        return;
    }
    message.put_u16(IPVS_SVC_ATTR_PROTOCOL, static_cast<std::uint16_t>(key.protocol));
    put_whole_address(message, IPVS_SVC_ATTR_ADDR, key.address);
    message.put_u16(IPVS_SVC_ATTR_PORT, htons(key.port));
}

std::uint32_t flags_of(const Service& service) {
    return (service.is_persistent ? std::uint32_t{IP_VS_SVC_F_PERSISTENT} : 0) | (service.is_one_packet ? std::uint32_t{IP_VS_SVC_F_ONEPACKET} : 0) |
           (service.scheduler_flags & 7u) * IP_VS_SVC_F_SCHED1;
}

void put_service_settings(MessageWriter& message, const Service& service) {
    message.put_text(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler);
    if (!service.persistence_engine.empty()) message.put_text(IPVS_SVC_ATTR_PE_NAME, service.persistence_engine);
    const std::array<std::uint32_t, 2> flags_and_mask{flags_of(service), ~std::uint32_t{0}};
    std::array<std::uint8_t, sizeof(ip_vs_flags)> octets{};
    std::memcpy(octets.data(), flags_and_mask.data(), octets.size());
    message.put(IPVS_SVC_ATTR_FLAGS, octets);
    message.put_u32(IPVS_SVC_ATTR_TIMEOUT, service.persistence_seconds);
    message.put_u32(IPVS_SVC_ATTR_NETMASK, service.key.family() == Family::ipv4 ? htonl(service.granularity) : service.granularity);
}

void put_service(MessageWriter& message, const ServiceKey& key) {
    message.begin_nested(IPVS_CMD_ATTR_SERVICE);
    put_service_key(message, key);
    message.end_nested();
}

MessageWriter write_whole_service(const RequestHead& head, std::uint8_t command, const Service& service) {
    MessageWriter message = begin(head, command);
    message.begin_nested(IPVS_CMD_ATTR_SERVICE);
    put_service_key(message, service.key);
    put_service_settings(message, service);
    message.end_nested();
    return message;
}

void put_destination_settings(MessageWriter& message, const Destination& destination) {
    message.put_u32(IPVS_DEST_ATTR_FWD_METHOD, static_cast<std::uint32_t>(destination.forwarding));
    message.put_u32(IPVS_DEST_ATTR_WEIGHT, static_cast<std::uint32_t>(destination.weight));
    message.put_u32(IPVS_DEST_ATTR_U_THRESH, destination.upper_threshold);
    message.put_u32(IPVS_DEST_ATTR_L_THRESH, destination.lower_threshold);
    if (destination.forwarding != Forwarding::tunnel) return;
    const Tunnel& tunnel = destination.tunnel;
    const unsigned flags = (tunnel.has_checksum ? IP_VS_TUNNEL_ENCAP_FLAG_CSUM : 0) | (tunnel.has_remote_checksum ? IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM : 0);
    message.put_u8(IPVS_DEST_ATTR_TUN_TYPE, static_cast<std::uint8_t>(tunnel.type));
    message.put_u16(IPVS_DEST_ATTR_TUN_PORT, htons(tunnel.port));
    message.put_u16(IPVS_DEST_ATTR_TUN_FLAGS, static_cast<std::uint16_t>(flags));
}

MessageWriter write_destination(const RequestHead& head, std::uint8_t command, const ServiceKey& service, const Destination& destination, Extent extent) {
    MessageWriter message = begin(head, command);
    put_service(message, service);
    message.begin_nested(IPVS_CMD_ATTR_DEST);
    put_whole_address(message, IPVS_DEST_ATTR_ADDR, destination.key.address);
    message.put_u16(IPVS_DEST_ATTR_PORT, htons(destination.key.port));
    message.put_u16(IPVS_DEST_ATTR_ADDR_FAMILY, static_cast<std::uint16_t>(netlink::address_family(destination.key.address.family)));
    if (extent == Extent::full) put_destination_settings(message, destination);
    message.end_nested();
    return message;
}

MessageWriter write_about_service(const RequestHead& head, std::uint8_t command, const ServiceKey& service, std::uint16_t flags = 0) {
    MessageWriter message = begin(head, command, flags);
    put_service(message, service);
    return message;
}

}  // namespace

MessageWriter write_family_request(const RequestHead& head) {
    MessageWriter message = begin({head.room, GENL_ID_CTRL, head.sequence}, CTRL_CMD_GETFAMILY);
    message.put_text(CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME);
    return message;
}

MessageWriter write_new_service(const RequestHead& head, const Service& service) { return write_whole_service(head, IPVS_CMD_NEW_SERVICE, service); }
MessageWriter write_set_service(const RequestHead& head, const Service& service) { return write_whole_service(head, IPVS_CMD_SET_SERVICE, service); }
MessageWriter write_delete_service(const RequestHead& head, const ServiceKey& service) { return write_about_service(head, IPVS_CMD_DEL_SERVICE, service); }

MessageWriter write_new_destination(const RequestHead& head, const ServiceKey& service, const Destination& destination) {
    return write_destination(head, IPVS_CMD_NEW_DEST, service, destination, Extent::full);
}

MessageWriter write_set_destination(const RequestHead& head, const ServiceKey& service, const Destination& destination) {
    return write_destination(head, IPVS_CMD_SET_DEST, service, destination, Extent::full);
}

MessageWriter write_delete_destination(const RequestHead& head, const ServiceKey& service, const DestinationKey& destination) {
    return write_destination(head, IPVS_CMD_DEL_DEST, service, {.key = destination}, Extent::key_only);
}

MessageWriter write_flush(const RequestHead& head) { return begin(head, IPVS_CMD_FLUSH); }

MessageWriter write_zero(const RequestHead& head, const ServiceKey* service) {
    return service == nullptr ? begin(head, IPVS_CMD_ZERO) : write_about_service(head, IPVS_CMD_ZERO, *service);
}

MessageWriter write_set_timeouts(const RequestHead& head, const Timeouts& timeouts) {
    MessageWriter message = begin(head, IPVS_CMD_SET_CONFIG);
    message.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp);
    message.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcp_fin);
    message.put_u32(IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp);
    return message;
}

MessageWriter write_start_daemon(const RequestHead& head, const SyncDaemon& daemon) {
    MessageWriter message = begin(head, IPVS_CMD_NEW_DAEMON);
    message.begin_nested(IPVS_CMD_ATTR_DAEMON);
    message.put_u32(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(daemon.role));
    message.put_text(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface);
    message.put_u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id);
    if (daemon.longest_payload != 0) message.put_u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon.longest_payload);
    if (!daemon.group.is_unspecified()) {
        message.put_address(daemon.group.family == Family::ipv4 ? IPVS_DAEMON_ATTR_MCAST_GROUP : IPVS_DAEMON_ATTR_MCAST_GROUP6, daemon.group);
    }
    if (daemon.port != 0) message.put_u16(IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port);
    if (daemon.ttl != 0) message.put_u8(IPVS_DAEMON_ATTR_MCAST_TTL, daemon.ttl);
    message.end_nested();
    return message;
}

MessageWriter write_stop_daemon(const RequestHead& head, SyncRole role) {
    MessageWriter message = begin(head, IPVS_CMD_DEL_DAEMON);
    message.begin_nested(IPVS_CMD_ATTR_DAEMON);
    message.put_u32(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(role));
    message.end_nested();
    return message;
}

MessageWriter write_get_services(const RequestHead& head) { return begin(head, IPVS_CMD_GET_SERVICE, NLM_F_DUMP); }
MessageWriter write_get_service(const RequestHead& head, const ServiceKey& service) { return write_about_service(head, IPVS_CMD_GET_SERVICE, service); }

MessageWriter write_get_destinations(const RequestHead& head, const ServiceKey& service) {
    return write_about_service(head, IPVS_CMD_GET_DEST, service, NLM_F_DUMP);
}

MessageWriter write_get_daemons(const RequestHead& head) { return begin(head, IPVS_CMD_GET_DAEMON, NLM_F_DUMP); }
MessageWriter write_get_timeouts(const RequestHead& head) { return begin(head, IPVS_CMD_GET_CONFIG); }
MessageWriter write_get_info(const RequestHead& head) { return begin(head, IPVS_CMD_GET_INFO); }

}  // namespace vigil::ipvs
