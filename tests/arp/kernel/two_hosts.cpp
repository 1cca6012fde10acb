#include "tests/arp/kernel/two_hosts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "arp/kernel/macvlan.h"
#include "arp/kernel/sysctl.h"
#include "packet/bytes.h"
#include "packet/ethernet.h"

namespace vigil::arp::kernel::test {

namespace {

constexpr int patience_ms = 10'000;   // for a frame that must come; never reached when all is well
constexpr std::uint16_t service_port = 4000;

std::string hexadecimal(std::uint8_t octet) {
    constexpr std::string_view digits = "0123456789abcdef";
    return {digits[octet >> 4], digits[octet & 15]};
}

int this_namespace() { return ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

/// Frames of one thread then stay in order.
void stay_on_one_processor() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(sched_getcpu()), &set);
    sched_setaffinity(0, sizeof set, &set);
}

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const IpAddress& address, std::uint16_t port) {
    SocketAddress made;
    if (address.family == Family::ipv4) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        std::memcpy(&in.sin_addr, address.octets.data(), 4);
        std::memcpy(&made.storage, &in, sizeof in);
        made.size = sizeof in;
    } else {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(port);
        std::memcpy(&in.sin6_addr, address.octets.data(), 16);
        std::memcpy(&made.storage, &in, sizeof in);
        made.size = sizeof in;
    }
    return made;
}

int open_datagram_socket(const IpAddress& address) {
    return ::socket(address_family(address.family), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/// The kernel joins the solicited-node group of a new IPv6 address in a work queue of its own. Call in the address's namespace.
void wait_until_heard(const IpAddress& address) {
    if (address.family == Family::ipv4) return;
    std::string group;
    for (const std::uint8_t octet : solicited_node_group(address).octets) group += hexadecimal(octet);
    for (int patience = patience_ms; patience > 0; --patience) {
        std::ifstream groups("/proc/thread-self/net/igmp6");
        const std::string text(std::istreambuf_iterator<char>(groups), {});
        if (text.find(group) != std::string::npos) return;
        ::usleep(1000);
    }
    ADD_FAILURE() << to_string(address) << " does not become usable";
}

bool becomes_readable(int fd, int timeout_ms) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, timeout_ms) == 1;
}

}  // namespace

MacAddress source_of(const Frame& frame) { return make_mac(std::span(frame).subspan<6, 6>()); }
std::uint16_t type_of(const Frame& frame) { return static_cast<std::uint16_t>(frame[12] << 8 | frame[13]); }

void TwoHosts::SetUp() {
    NetworkNamespace::SetUp();
    stay_on_one_processor();
    router_namespace_ = this_namespace();
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << strerror(errno);
    host_namespace_ = this_namespace();
    auto socket = NetlinkSocket::open();
    ASSERT_TRUE(socket);
    host_socket_.emplace(std::move(*socket));
    host_addresses_.emplace(std::move(*AddressProgrammer::open()));
    ASSERT_EQ(setns(router_namespace_, CLONE_NEWNET), 0);
    router_addresses_.emplace(std::move(*AddressProgrammer::open()));
    make_link();
    add_router_address(router_ip, 24);
    add_host_address(host_ip, 24);
    on_host([this] { wire_ = open_wire("host"); });
    ASSERT_GE(wire_, 0);
}

void TwoHosts::TearDown() {
    for (const int fd : {wire_, router_namespace_, host_namespace_}) {
        if (fd >= 0) ::close(fd);
    }
}

void TwoHosts::make_link() {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, socket().next_sequence());
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, "lan");
    message.begin_nested(IFLA_LINKINFO);
    message.put_text(IFLA_INFO_KIND, "veth");
    message.begin_nested(IFLA_INFO_DATA);
    message.begin_nested(VETH_INFO_PEER);
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, "host");
    message.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(host_namespace_));
    message.end_nested();
    message.end_nested();
    message.end_nested();
    const auto made = socket().request(message);
    ASSERT_TRUE(made) << to_string(made.error());
    // Duplicate address detection would hold the link-local addresses back for a second.
    ASSERT_TRUE(write_sysctl("net/ipv6/conf/lan/accept_dad", "0"));
    on_host([] { ASSERT_TRUE(write_sysctl("net/ipv6/conf/host/accept_dad", "0")); });
    const LinkState router = link("lan");
    const auto host = find_link(*host_socket_, "host");
    ASSERT_TRUE(host);
    router_index_ = router.index;
    host_index_ = host->index;
    router_mac_ = router.mac;
    host_mac_ = host->mac;
    ASSERT_TRUE(set_link_up(*host_socket_, host_index_, true));
    ASSERT_TRUE(set_link_up(socket(), router_index_, true));
}

int TwoHosts::open_wire(const char* name) {
    const int wire = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
    const int on = 1;
    ::setsockopt(wire, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(name));
    EXPECT_EQ(::bind(wire, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << strerror(errno);
    return wire;
}

void TwoHosts::on_host(const std::function<void()>& body) {
    ASSERT_EQ(setns(host_namespace_, CLONE_NEWNET), 0) << strerror(errno);
    body();
    ASSERT_EQ(setns(router_namespace_, CLONE_NEWNET), 0) << strerror(errno);
}

void TwoHosts::add_router_address(const IpAddress& address, std::uint8_t prefix_length) {
    const AddressKey key{router_index_, address, prefix_length, {}};
    const auto results = router_addresses_->apply(std::array{AddressChange{AddressOperation::add, {.key = key}}});
    ASSERT_EQ(results[0].outcome, AddressOutcome::done) << to_string(results[0].error);
    wait_until_heard(address);
}

void TwoHosts::remove_router_address(const IpAddress& address, std::uint8_t prefix_length) {
    const AddressKey key{router_index_, address, prefix_length, {}};
    const auto results = router_addresses_->apply(std::array{AddressChange{AddressOperation::remove, {.key = key}}});
    ASSERT_EQ(results[0].outcome, AddressOutcome::done) << to_string(results[0].error);
}

void TwoHosts::add_host_address(const IpAddress& address, std::uint8_t prefix_length) {
    const AddressKey key{host_index_, address, prefix_length, {}};
    const auto results = host_addresses_->apply(std::array{AddressChange{AddressOperation::add, {.key = key}}});
    ASSERT_EQ(results[0].outcome, AddressOutcome::done) << to_string(results[0].error);
    on_host([&] { wait_until_heard(address); });
}

void TwoHosts::send(std::span<const std::uint8_t> frame) {
    ASSERT_EQ(::send(wire_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size())) << strerror(errno);
}

void TwoHosts::send_from(const char* interface, std::span<const std::uint8_t> frame) {
    const int wire = open_wire(interface);
    EXPECT_EQ(::send(wire, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size())) << strerror(errno);
    ::close(wire);
}

void TwoHosts::enslave(const std::string& interface, const std::string& bridge) {
    // A port joins disabled when the kernel has not yet noticed its carrier.
    int patience = patience_ms;
    while (!link(interface).is_running && --patience > 0) ::usleep(1000);
    EXPECT_GT(patience, 0) << interface << " does not run";
    set_master(link(interface).index, link(bridge).index);
}

Frame TwoHosts::next_frame(int timeout_ms) {
    if (!becomes_readable(wire_, timeout_ms)) return {};
    Frame frame(2048);
    const ssize_t size = ::recv(wire_, frame.data(), frame.size(), 0);
    frame.resize(size < 14 ? 0 : static_cast<std::size_t>(size));
    return frame;
}

std::optional<Frame> TwoHosts::wait_for(const std::function<bool(const Frame&)>& take) {
    for (;;) {
        Frame frame = next_frame(patience_ms);
        if (frame.empty()) return std::nullopt;
        if (take(frame)) return frame;
    }
}

std::vector<Frame> TwoHosts::frames_until_answer_for(const IpAddress& marker) {
    Frame request(arp_message_size + packet::ethernet_header_size);
    packet::ByteWriter writer(request);
    write_arp_frame(writer, broadcast_mac, host_mac_, {ArpOperation::request, host_mac_, host_ip, {}, marker});
    send(request);
    std::vector<Frame> frames;
    const auto answer = wait_for([&](const Frame& frame) {
        const auto message = read_arp_frame(frame);
        const bool is_answer = message && message->operation == ArpOperation::reply && message->sender == marker;
        if (!is_answer) frames.push_back(frame);
        return is_answer;
    });
    EXPECT_TRUE(answer) << "the router does not even answer for " << to_string(marker);
    return frames;
}

std::optional<ArpMessage> TwoHosts::ask(const IpAddress& address, const IpAddress& marker) {
    Frame request(arp_message_size + packet::ethernet_header_size);
    packet::ByteWriter writer(request);
    write_arp_frame(writer, broadcast_mac, host_mac_, {ArpOperation::request, host_mac_, host_ip, {}, address});
    send(request);
    for (const Frame& frame : frames_until_answer_for(marker)) {
        const auto message = read_arp_frame(frame);
        if (!message || message->operation != ArpOperation::reply || message->sender != address) continue;
        EXPECT_EQ(source_of(frame), message->sender_mac) << "a switch would learn another MAC than the host";
        return *message;
    }
    return std::nullopt;
}

bool TwoHosts::takes_frame_to(const MacAddress& mac, const IpAddress& address) {
    const int server = open_datagram_socket(address);
    const SocketAddress place = socket_address(address, service_port);
    EXPECT_EQ(::bind(server, place.get(), place.size), 0) << strerror(errno);
    Frame frame(14 + 20 + 8);
    packet::ByteWriter writer(frame);
    packet::write_ethernet(writer, mac, host_mac_, packet::EtherType::ipv4);
    writer.bytes(std::array<std::uint8_t, 12>{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0});
    writer.ip(host_ip);
    writer.ip(address);
    writer.u16(service_port);
    writer.u16(service_port);
    writer.u16(8);
    writer.u16(0);   // no UDP checksum
    std::uint32_t sum = 0;
    for (std::size_t i = 14; i < 34; i += 2) sum += static_cast<std::uint32_t>(frame[i] << 8 | frame[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[24] = static_cast<std::uint8_t>(sum >> 8);
    frame[25] = static_cast<std::uint8_t>(sum);
    send(frame);
    frames_until_answer_for(router_ip);   // what was sent before has been handled
    const bool is_taken = becomes_readable(server, 0);
    ::close(server);
    return is_taken;
}

bool TwoHosts::exchange_datagrams(const IpAddress& address) {
    const SocketAddress place = socket_address(address, service_port);
    const int server = open_datagram_socket(address);
    EXPECT_EQ(::bind(server, place.get(), place.size), 0) << strerror(errno);
    int client = -1;
    on_host([&] { client = open_datagram_socket(address); });
    bool is_back = false;
    if (::sendto(client, "ping", 4, 0, place.get(), place.size) == 4 && becomes_readable(server, patience_ms)) {
        char text[8];
        SocketAddress from;
        from.size = sizeof from.storage;
        const ssize_t size = ::recvfrom(server, text, sizeof text, 0, reinterpret_cast<sockaddr*>(&from.storage), &from.size);
        is_back = ::sendto(server, text, static_cast<std::size_t>(size), 0, from.get(), from.size) == size && becomes_readable(client, patience_ms);
    }
    ::close(server);
    ::close(client);
    return is_back;
}

void TwoHosts::send_datagram_to(const IpAddress& address) {
    const SocketAddress place = socket_address(address, service_port);
    const int client = open_datagram_socket(address);
    EXPECT_EQ(::sendto(client, "ping", 4, 0, place.get(), place.size), 4) << strerror(errno);
    ::close(client);
}

}  // namespace vigil::arp::kernel::test
