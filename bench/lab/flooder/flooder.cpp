// vigil_flooder INTERFACE FRAMES_PER_SECOND SECONDS [KIND]: sends frames that no VRRP router may act on, at an even pace, and prints how many of each kind left.
//
// Each is an advert for VRID 51 with priority 255 and the address 192.0.2.100 that is wrong in one way, or something else that looks like one: a router
// that takes any of them for good yields at once. The families take turns, so that every one has its share of any stretch of time.

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "packet/frame_template.h"

namespace {

using namespace vigil;
using Frame = std::vector<std::uint8_t>;

constexpr std::size_t ip_offset = 14;
constexpr std::size_t message_offset = 34;
constexpr Vrid vrid_under_attack{51};
constexpr long batches_per_second = 1000;

struct Kind {
    std::string name;
    std::vector<Frame> frames;   // variants, sent in turn
    std::uint64_t sent = 0;
};

Frame good_advert(VrrpVersion version = VrrpVersion::v3, Vrid vrid = vrid_under_attack, std::uint8_t ttl = 255) {
    const IpAddress address = *read_address("192.0.2.100");
    packet::AdvertisementSpec spec;
    spec.version = version;
    spec.vrid = vrid;
    spec.priority = Priority::owner;
    spec.interval = version == VrrpVersion::v2 ? Centiseconds{100} : Centiseconds{20};
    spec.source = *read_address("192.0.2.77");
    spec.destination = vrrp_group_ipv4;
    spec.source_mac = {{0x02, 0, 0, 0, 0, 0x77}};
    spec.destination_mac = multicast_mac(vrrp_group_ipv4);
    spec.addresses = {&address, 1};
    spec.ttl = ttl;
    Frame frame(packet::frame_size(spec));
    (void)packet::build_advertisement_frame(spec, frame);
    return frame;
}

std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

/// Makes the checksums of both headers right again, so that a frame is wrong in the one way that is meant.
Frame repaired(Frame frame) {
    const auto put = [&](std::size_t at, std::uint16_t value) {
        frame[at] = static_cast<std::uint8_t>(value >> 8);
        frame[at + 1] = static_cast<std::uint8_t>(value);
    };
    put(ip_offset + 10, 0);
    put(ip_offset + 10, checksum(std::span(frame).subspan(ip_offset, 20)));
    if (frame.size() < message_offset + 8) return frame;
    put(message_offset + 6, 0);
    put(message_offset + 6, checksum(std::span(frame).subspan(message_offset)));   // over the message alone: RFC 9568 §5.2.8
    return frame;
}

Frame changed(std::size_t offset, std::uint8_t value, VrrpVersion version = VrrpVersion::v3) {
    Frame frame = good_advert(version);
    frame[offset] = value;
    return repaired(std::move(frame));
}

Frame tagged(std::uint8_t vlan) {
    Frame frame = good_advert();
    const Frame tag{0x81, 0x00, 0x00, vlan};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    return frame;
}

Frame cut(std::size_t size, bool is_honest) {
    Frame frame = good_advert();
    frame.resize(size);
    if (!is_honest) return frame;   // the IP header still tells the old length
    frame[ip_offset + 3] = static_cast<std::uint8_t>(size - ip_offset);
    return repaired(std::move(frame));
}

Frame hsrp() {
    Frame frame = good_advert();
    frame.resize(message_offset + 28);
    frame[ip_offset + 3] = 48;
    frame[ip_offset + 9] = 17;
    std::fill(frame.begin() + message_offset, frame.end(), std::uint8_t{0});
    frame[message_offset] = frame[message_offset + 2] = 1985 >> 8;
    frame[message_offset + 1] = frame[message_offset + 3] = 1985 & 0xff;
    frame[message_offset + 5] = 28;
    Frame result = repaired(frame);
    result[message_offset + 6] = result[message_offset + 7] = 0;   // UDP without a checksum
    return result;
}

Frame carp() {
    Frame frame = good_advert();
    frame.resize(message_offset + 36);
    frame[ip_offset + 3] = 56;
    std::fill(frame.begin() + message_offset, frame.end(), std::uint8_t{0x5a});
    frame[message_offset] = 0x21;
    frame[message_offset + 1] = to_number(vrid_under_attack);
    frame[message_offset + 2] = 0;
    frame[message_offset + 3] = 7;
    return repaired(std::move(frame));
}

Frame for_another_station() {
    Frame frame = good_advert();
    const Frame mac{0x02, 0, 0, 0, 0, 0x99};
    std::copy(mac.begin(), mac.end(), frame.begin());
    frame[ip_offset + 16] = 10;   // and another address
    return repaired(std::move(frame));
}

std::vector<Kind> make_kinds() {
    std::vector<Kind> kinds;
    const auto add = [&](const char* name, std::vector<Frame> frames) { kinds.push_back({name, std::move(frames), 0}); };
    add("wrong TTL", {good_advert(VrrpVersion::v3, vrid_under_attack, 254), good_advert(VrrpVersion::v3, vrid_under_attack, 1)});
    Frame bad_sum = good_advert();
    bad_sum[message_offset + 6] ^= 0x55;
    add("wrong checksum", {bad_sum});
    add("wrong address count", {changed(message_offset + 3, 200), changed(message_offset + 3, 0)});
    add("truncated message", {cut(message_offset + 6, true), cut(message_offset + 8, true)});
    add("lying IP length", {cut(message_offset + 8, false), cut(ip_offset + 12, false), changed(ip_offset + 2, 0x05)});
    add("wrong IP header", {changed(ip_offset, 0x44), changed(ip_offset, 0x65)});
    add("wrong version", {changed(message_offset, 0x11), changed(message_offset, 0x41)});
    add("wrong type", {changed(message_offset, 0x32)});
    add("the other version", {good_advert(VrrpVersion::v2)});
    add("interval 0", {changed(message_offset + 5, 0)});
    add("VRID 0", {changed(message_offset + 1, 0)});
    add("fragment", {changed(ip_offset + 6, 0x20), changed(ip_offset + 7, 0x10)});
    add("HSRP", {hsrp()});
    add("CARP", {carp()});
    add("other VLAN", {tagged(5)});
    add("for another station", {for_another_station()});
    std::vector<Frame> others;
    for (int vrid = 1; vrid < 256; ++vrid) {
        if (vrid != to_number(vrid_under_attack)) others.push_back(good_advert(VrrpVersion::v3, Vrid{static_cast<std::uint8_t>(vrid)}));
    }
    add("unknown VRID", std::move(others));
    std::mt19937 random(1);
    std::vector<Frame> noise;
    for (int i = 0; i < 64; ++i) {
        Frame frame = good_advert();
        for (std::size_t at = message_offset; at < frame.size(); ++at) frame[at] = static_cast<std::uint8_t>(random());
        noise.push_back(std::move(frame));
    }
    add("random message", std::move(noise));
    return kinds;
}

int open_socket(const char* interface_name) {
    const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface_name));
    if (fd < 0 || address.sll_ifindex == 0) return -1;
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

/// Frames of one batch leave back to back; batches a millisecond apart, by the clock, so that a late one is made up for.
void flood(int fd, std::vector<Kind>& kinds, long per_second, long seconds) {
    timespec next{};
    ::clock_gettime(CLOCK_MONOTONIC, &next);
    const long per_batch = std::max(1L, per_second / batches_per_second);
    const long batches = per_second * seconds / per_batch;
    std::size_t turn = 0;
    for (long batch = 0; batch < batches; ++batch) {
        for (long i = 0; i < per_batch; ++i) {
            Kind& kind = kinds[turn++ % kinds.size()];
            const Frame& frame = kind.frames[kind.sent % kind.frames.size()];
            if (::send(fd, frame.data(), frame.size(), MSG_DONTWAIT) > 0) ++kind.sent;
        }
        next.tv_nsec += 1'000'000'000 / batches_per_second;
        if (next.tv_nsec >= 1'000'000'000) ++next.tv_sec, next.tv_nsec -= 1'000'000'000;
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || argc > 5) return std::fprintf(stderr, "usage: vigil_flooder INTERFACE FRAMES_PER_SECOND SECONDS [KIND]\n"), 2;
    const int fd = open_socket(argv[1]);
    if (fd < 0) return std::perror("flooder: cannot send"), 1;
    std::vector<Kind> kinds = make_kinds();
    if (argc == 5) std::erase_if(kinds, [&](const Kind& kind) { return kind.name != argv[4]; });
    if (kinds.empty()) return std::fprintf(stderr, "flooder: there is no kind '%s'\n", argv[4]), 2;
    const long per_second = std::clamp(std::atol(argv[2]), 1L, 1'000'000L);
    flood(fd, kinds, per_second, std::clamp(std::atol(argv[3]), 1L, 3600L));
    for (const Kind& kind : kinds) std::printf("%llu %s\n", static_cast<unsigned long long>(kind.sent), kind.name.c_str());
    return 0;
}
