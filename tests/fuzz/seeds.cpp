#include <filesystem>
#include <fstream>
#include <string>

#include "arp/announcement_frame.h"
#include "tests/packet/frame_builder.h"

// The first inputs of the packet and ARP corpora, one of every shape that a reader knows, so that mutation starts behind the
// checksums. Inputs found later lie beside them under the name libFuzzer gave them or a better one.

namespace {

using namespace vigil;
using test::frame;
using test::Octets;

std::filesystem::path root;

void write(const std::string& target, const std::string& name, const Octets& octets) {
    std::filesystem::create_directories(root / target);
    std::ofstream file(root / target / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
}

void write_frames() {
    write("read_frame", "v2", frame().vrrp_v2(7, 200).address("10.0.0.100").pad_to(60).build());
    write("read_frame", "v2-password", frame().vrrp_v2(7, 200).address("10.0.0.100").password("secret").build());
    write("read_frame", "v2-ah", frame().vrrp_v2(7, 200).address("10.0.0.100").ah("secret", 1).build());
    write("read_frame", "v2-no-address", frame().vrrp_v2(7, 0).build());
    write("read_frame", "v3", frame().vrrp_v3(7, 200).address("10.0.0.100").pad_to(60).build());
    write("read_frame", "v3-options", frame().vrrp_v3(7, 200).address("10.0.0.100").ip_options({0x94, 4, 0, 0}).build());
    write("read_frame", "v3-message-only",
          frame().vrrp_v3(7, 200).address("10.0.0.100").checksum(packet::ChecksumForm::message_only).build());
    write("read_frame", "v3-unicast-group-sum", frame().ipv4("10.0.0.1", "10.0.0.2").ttl(64).vrrp_v3(7, 200).address("10.0.0.100")
                                                    .checksum(packet::ChecksumForm::group_pseudo_header).build());
    write("read_frame", "v3-vlan", frame().vlan(5).vrrp_v3(7, 255).address("10.0.0.100").build());
    write("read_frame", "v3-two-tags", frame().vlan(9, 0x88a8).vlan(5).vrrp_v3(7, 255).address("10.0.0.100").build());
    write("read_frame", "v3-ipv6", frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100").address("2001:db8::1").build());
    write("read_frame", "carp", frame().payload(test::carp_message(7)).build());
    write("read_frame", "hsrp", frame().ipv4("10.0.0.9", "224.0.0.2").ip_protocol(17).payload(test::hsrp_datagram()).build());
}

/// The family octet and both addresses in front of the message.
Octets between(const IpAddress& source, const IpAddress& destination, const Octets& message) {
    Octets octets{source.family == Family::ipv4 ? std::uint8_t{0} : std::uint8_t{1}};
    for (const auto octet : source.bytes()) octets.push_back(octet);
    for (const auto octet : destination.bytes()) octets.push_back(octet);
    octets.insert(octets.end(), message.begin(), message.end());
    return octets;
}

void write_messages() {
    const IpAddress source = ipv4(10, 0, 0, 1);
    write("read_advertisement", "v2", between(source, vrrp_group_ipv4, frame().vrrp_v2(7, 200).address("10.0.0.100").message()));
    write("read_advertisement", "v3", between(source, vrrp_group_ipv4, frame().vrrp_v3(7, 200).address("10.0.0.100").message()));
    const auto ipv6 = frame().ipv6("fe80::1", "ff02::12").vrrp_v3(7, 200).address("fe80::100");
    write("read_advertisement", "v3-ipv6", between(test::address_of("fe80::1"), vrrp_group_ipv6, ipv6.message()));
}

/// A specification as targets/build_frame.cpp reads it: choices, VRID, priority, interval, TTL, addresses, MACs, key, list.
void write_specifications() {
    const std::string ipv4_tail = "07 c8 0064 ff 0a000001 e0000012 020000000001 01005e000012 7365637265740000 01 0a000064 c8 01 00 ff";
    const std::string ipv6_tail = "07 c8 0064 ff fe800000000000000000000000000001 ff020000000000000000000000000012 020000000001"
                                  " 333300000012 0000000000000000 01 fe800000000000000000000000000064 c8 01 00 ff";
    write("build_frame", "v2", test::from_hex("00" + ipv4_tail));
    write("build_frame", "v2-password", test::from_hex("04" + ipv4_tail));
    write("build_frame", "v2-ah", test::from_hex("08" + ipv4_tail));
    write("build_frame", "v3", test::from_hex("01" + ipv4_tail));
    write("build_frame", "v3-message-only", test::from_hex("11" + ipv4_tail));
    write("build_frame", "v3-ipv6", test::from_hex("03" + ipv6_tail));
}

void write_announcements() {
    const MacAddress mac = virtual_mac(Family::ipv4, Vrid{7});
    for (const auto form : {arp::GratuitousForm::request, arp::GratuitousForm::reply}) {
        const auto announced = arp::gratuitous_arp(ipv4(10, 0, 0, 100), mac, form);
        write("arp", form == arp::GratuitousForm::request ? "gratuitous-request" : "gratuitous-reply",
              {announced.bytes().begin(), announced.bytes().end()});
    }
    const auto announced = arp::unsolicited_neighbor_advertisement(test::address_of("fe80::100"), mac, true);
    write("ndp", "unsolicited-advertisement", {announced.bytes().begin(), announced.bytes().end()});
    const Octets solicitation = test::from_hex("8700 0000 00000000 fe800000000000000000000000000100 0101 020000000007");
    write("ndp", "solicitation", frame().ipv6("fe80::7", "ff02::1:ff00:100").ip_protocol(58).payload(solicitation).build());
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count != 2) return 2;
    root = arguments[1];
    write_frames();
    write_messages();
    write_specifications();
    write_announcements();
    return 0;
}
