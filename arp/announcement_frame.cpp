#include "arp/announcement_frame.h"

#include <cassert>

#include "arp/arp_message.h"
#include "arp/neighbor_message.h"

// What an Active router sends so that hosts and switches learn where a virtual address lives now. Both frames are
// unsolicited: nobody asked, nobody answers.
//
// Target hardware address of a gratuitous ARP: RFC 9568 §6.4.2 (erratum 7949) names the virtual MAC, RFC 5227 §3 says
// that it is ignored, and keepalived and FRR send ff:ff:ff:ff:ff:ff in the request form. The request form follows the peers,
// whose frames every switch has met; the reply form names the MAC, as a reply has to (RFC 826).

namespace vigil::arp {

AnnouncementFrame gratuitous_arp(const IpAddress& address, const MacAddress& mac, GratuitousForm form) {
    assert(address.family == Family::ipv4);
    const bool is_request = form == GratuitousForm::request;
    ArpMessage message;
    message.operation = is_request ? ArpOperation::request : ArpOperation::reply;
    message.sender_mac = mac;
    message.sender = address;
    message.target_mac = is_request ? broadcast_mac : mac;
    message.target = address;

    AnnouncementFrame frame;
    packet::ByteWriter writer(frame.octets);
    write_arp_frame(writer, broadcast_mac, mac, message);
    frame.size = static_cast<std::uint8_t>(writer.size());
    return frame;
}

AnnouncementFrame unsolicited_neighbor_advertisement(const IpAddress& address, const MacAddress& mac, bool is_router) {
    assert(address.family == Family::ipv6);
    NeighborMessage message;
    message.type = NeighborMessageType::advertisement;
    message.source = address;
    message.destination = all_nodes_ipv6;
    message.target = address;
    message.link_layer = mac;
    message.is_router = is_router;
    message.is_override = true;

    AnnouncementFrame frame;
    packet::ByteWriter writer(frame.octets);
    write_neighbor_frame(writer, multicast_mac(all_nodes_ipv6), mac, message);
    frame.size = static_cast<std::uint8_t>(writer.size());
    return frame;
}

AnnouncementFrame announcement(const IpAddress& address, const MacAddress& mac, GratuitousForm form, bool is_router) {
    if (address.family == Family::ipv4) return gratuitous_arp(address, mac, form);
    return unsolicited_neighbor_advertisement(address, mac, is_router);
}

}  // namespace vigil::arp
