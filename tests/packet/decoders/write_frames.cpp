#include <pcap/pcap.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "arp/announcement_frame.h"
#include "packet/frame_template.h"

// Writes DIRECTORY/frames.pcap with one frame of every kind that we send, DIRECTORY/message_only.pcap with the checksum form of
// RFC 9568 over IPv4 (which decoders call wrong unless told), and beside each a .expected with what tshark has to say about it:
// one line per frame, the fields that tests/packet/decoders/check asks for.

namespace {

using namespace vigil;
using namespace vigil::packet;

constexpr MacAddress interface_mac{{0x02, 0, 0, 0, 0, 0x01}};

class Capture {
public:
    explicit Capture(const std::string& path)
        : handle_(pcap_open_dead(DLT_EN10MB, 65535)), file_(pcap_dump_open(handle_, (path + ".pcap").c_str())), expected_(path + ".expected") {}
    ~Capture() {
        pcap_dump_close(file_);
        pcap_close(handle_);
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    bool is_open() const { return file_ != nullptr && expected_.is_open(); }
    void write(std::span<const std::uint8_t> frame, const std::string& expected) {
        pcap_pkthdr header{};
        header.ts.tv_sec = count_;
        header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
        pcap_dump(reinterpret_cast<u_char*>(file_), &header, frame.data());
        expected_ << ++count_ << '|' << expected << '\n';
    }

private:
    pcap_t* handle_;
    pcap_dumper_t* file_;
    std::ofstream expected_;
    int count_ = 0;
};

std::string list_of(const AdvertisementSpec& spec, Family family) {
    std::ostringstream text;
    for (const IpAddress& address : spec.addresses) {
        if (address.family == family) text << (text.view().empty() ? "" : ",") << to_string(address);
    }
    return text.str();
}

/// Version, VRID, priority, count, Auth Type, interval v2, interval v3, IPv4 list, IPv6 list, password, AH sequence number, and
/// the two columns of announcements, which are empty here.
std::string expected_of(const AdvertisementSpec& spec, std::uint32_t sequence_number) {
    const bool is_v2 = spec.version == VrrpVersion::v2;
    std::ostringstream text;
    text << unsigned{to_number(spec.version)} << '|' << unsigned{to_number(spec.vrid)} << '|' << unsigned{to_number(spec.priority)}
         << '|' << spec.addresses.size() << '|';
    if (is_v2) {
        text << static_cast<int>(spec.auth_type) << '|' << spec.interval.count() / 100 << '|';
    } else {
        text << "||" << spec.interval.count();
    }
    text << '|' << list_of(spec, Family::ipv4) << '|' << list_of(spec, Family::ipv6) << '|'
         << (spec.auth_type == AuthType::simple_password ? "secret" : "") << '|';
    if (spec.auth_type == AuthType::ah) text << sequence_number;
    text << "||";
    return text.str();
}

struct Advertisement {
    Advertisement(VrrpVersion version, std::vector<IpAddress> addresses) : list(std::move(addresses)) {
        const bool is_ipv4 = list.empty() || list.front().family == Family::ipv4;
        spec.version = version;
        spec.vrid = Vrid{51};
        spec.priority = Priority{150};
        spec.source = is_ipv4 ? ipv4(10, 20, 30, 1) : *read_address("fe80::1");
        spec.destination = is_ipv4 ? vrrp_group_ipv4 : vrrp_group_ipv6;
        spec.source_mac = virtual_mac(spec.source.family, spec.vrid);
        spec.destination_mac = multicast_mac(spec.destination);
        spec.addresses = list;
    }
    Advertisement(const Advertisement&) = delete;
    Advertisement& operator=(const Advertisement&) = delete;

    void send_to(const IpAddress& peer) {
        spec.destination = peer;
        spec.destination_mac = {{0x02, 0, 0, 0, 0, 0x02}};
    }
    void authenticate(AuthType type) {
        spec.auth_type = type;
        spec.auth_key = {'s', 'e', 'c', 'r', 'e', 't', 0, 0};
    }
    /// The frame as built, and patched to the priorities of a stop and of an owner, and to other intervals.
    void write(Capture& capture) {
        std::vector<std::uint8_t> memory(frame_size(spec));
        auto frame = build_advertisement_frame(spec, memory);
        if (!frame) std::abort();
        const std::uint16_t other_interval = spec.version == VrrpVersion::v2 ? 25500 : 4095;
        const Advertisement::Patch patches[] = {{150, 100}, {0, 100}, {255, 100}, {1, other_interval}};
        std::uint32_t sequence_number = 0;
        for (const Patch& patch : patches) {
            spec.priority = Priority{patch.priority};
            spec.interval = Centiseconds{patch.interval};
            frame->set_priority(spec.priority);
            frame->set_interval(spec.interval);
            if (frame->needs_seal()) frame->seal(++sequence_number, spec.auth_key);
            capture.write(frame->bytes(), expected_of(spec, sequence_number));
        }
    }

    struct Patch {
        std::uint8_t priority;
        std::uint16_t interval;
    };
    std::vector<IpAddress> list;
    AdvertisementSpec spec;
};

void write_advertisements(Capture& capture) {
    const std::vector<IpAddress> two{ipv4(10, 20, 30, 100), ipv4(10, 20, 30, 101)};
    const std::vector<IpAddress> two_ipv6{*read_address("fe80::100"), *read_address("2001:db8::100")};
    for (const AuthType type : {AuthType::none, AuthType::simple_password, AuthType::ah}) {
        Advertisement multicast(VrrpVersion::v2, two);
        multicast.authenticate(type);
        multicast.write(capture);
        Advertisement unicast(VrrpVersion::v2, two);
        unicast.authenticate(type);
        unicast.send_to(ipv4(10, 20, 30, 2));
        unicast.write(capture);
    }
    Advertisement(VrrpVersion::v2, {}).write(capture);
    Advertisement(VrrpVersion::v2, std::vector<IpAddress>(20, ipv4(10, 20, 30, 100))).write(capture);
    for (const auto& addresses : {two, two_ipv6}) {
        Advertisement(VrrpVersion::v3, addresses).write(capture);
        Advertisement unicast(VrrpVersion::v3, addresses);
        unicast.send_to(addresses == two ? ipv4(10, 20, 30, 2) : *read_address("fe80::2"));
        unicast.spec.ttl = 64;
        unicast.write(capture);
    }
}

void write_announcements(Capture& capture) {
    const IpAddress address = ipv4(10, 20, 30, 100);
    for (const auto form : {arp::GratuitousForm::request, arp::GratuitousForm::reply}) {
        capture.write(arp::gratuitous_arp(address, interface_mac, form).bytes(),
                      std::string(form == arp::GratuitousForm::request ? "|||||||||||1" : "|||||||||||2") + ",10.20.30.100|");
    }
    for (const bool is_router : {true, false}) {
        const auto frame = arp::unsolicited_neighbor_advertisement(*read_address("2001:db8::100"), interface_mac, is_router);
        capture.write(frame.bytes(), is_router ? "||||||||||||1,0,1,2001:db8::100" : "||||||||||||0,0,1,2001:db8::100");
    }
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count != 2) return 2;
    Capture capture(std::string(arguments[1]) + "/frames");
    Capture message_only(std::string(arguments[1]) + "/message_only");
    if (!capture.is_open() || !message_only.is_open()) return 1;
    write_advertisements(capture);
    write_announcements(capture);
    Advertisement advertisement(VrrpVersion::v3, {ipv4(10, 20, 30, 100), ipv4(10, 20, 30, 101)});
    advertisement.spec.checksum = ChecksumForm::message_only;
    advertisement.write(message_only);
    return 0;
}
