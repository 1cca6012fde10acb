#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ipvs/service.h"
#include "arp/netlink/message.h"

/// IPVS as generic netlink: values -> requests, answers -> values. No socket.
namespace vigil::ipvs {

/// Room that every request does with; the longest (a destination of an IPv6 service) has below 200 bytes.
constexpr std::size_t largest_request_bytes = 320;

/// Where a request is written, the number of the family "IPVS" (the kernel draws it when ip_vs is loaded), and the sequence number.
struct RequestHead {
    std::span<std::byte> room;  ///< aligned to 4 bytes
    std::uint16_t family = 0;
    std::uint32_t sequence = 0;
};

/// Asks generic netlink for the number of "IPVS"; the kernel loads the module for it (ENOENT: there is none). RequestHead::family is not used.
netlink::MessageWriter write_family_request(const RequestHead& head);

// Changes. A writer that does not fit must not be sent.
netlink::MessageWriter write_new_service(const RequestHead& head, const Service& service);
netlink::MessageWriter write_set_service(const RequestHead& head, const Service& service);
/// With its destinations.
netlink::MessageWriter write_delete_service(const RequestHead& head, const ServiceKey& service);
netlink::MessageWriter write_new_destination(const RequestHead& head, const ServiceKey& service, const Destination& destination);
netlink::MessageWriter write_set_destination(const RequestHead& head, const ServiceKey& service, const Destination& destination);
netlink::MessageWriter write_delete_destination(const RequestHead& head, const ServiceKey& service, const DestinationKey& destination);
/// All services of this network namespace, foreign ones included.
netlink::MessageWriter write_flush(const RequestHead& head);
/// Sets the counters of one service and its destinations to 0; of everything when it is null.
netlink::MessageWriter write_zero(const RequestHead& head, const ServiceKey* service);
netlink::MessageWriter write_set_timeouts(const RequestHead& head, const Timeouts& timeouts);
netlink::MessageWriter write_start_daemon(const RequestHead& head, const SyncDaemon& daemon);
netlink::MessageWriter write_stop_daemon(const RequestHead& head, SyncRole role);

// Questions. Those marked (dump) are answered by any number of messages.
netlink::MessageWriter write_get_services(const RequestHead& head);                             ///< (dump)
netlink::MessageWriter write_get_service(const RequestHead& head, const ServiceKey& service);   ///< ESRCH: there is none
/// (dump) The kernel answers with none for a service that it does not have.
netlink::MessageWriter write_get_destinations(const RequestHead& head, const ServiceKey& service);
netlink::MessageWriter write_get_daemons(const RequestHead& head);                              ///< (dump)
netlink::MessageWriter write_get_timeouts(const RequestHead& head);
netlink::MessageWriter write_get_info(const RequestHead& head);

// Answers. nullopt: another kind of message, something missing or of the wrong size, or a value that has no meaning here.
std::optional<std::uint16_t> read_family_id(const nlmsghdr& message);
std::optional<FoundService> read_service(const nlmsghdr& message);
/// `family` is that of the service: kernels before 3.18 do not say that of the destination.
std::optional<FoundDestination> read_destination(const nlmsghdr& message, Family family);
std::optional<SyncDaemon> read_daemon(const nlmsghdr& message);
std::optional<Timeouts> read_timeouts(const nlmsghdr& message);
std::optional<Info> read_info(const nlmsghdr& message);

}  // namespace vigil::ipvs
