#include "tests/engine/io/test_wire.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "engine/io/clock.h"
#include "tests/engine/io/test_namespace.h"

namespace vigil::io {
namespace {

constexpr int generous_ms = 20'000;
constexpr std::size_t number_offset = 36;   // behind the octets that the filter reads

}  // namespace

Frame multicast_frame(std::uint32_t number, std::size_t size) {
    Frame frame(size);
    const Frame head{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x07, 0x08, 0x00, 0x45};
    std::copy(head.begin(), head.end(), frame.begin());
    frame[22] = 255;
    frame[23] = 112;
    frame[30] = 224;
    frame[34] = 0x31;
    frame[35] = 7;
    for (std::size_t i = 0; i < 4; ++i) frame[number_offset + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    return frame;
}

Frame junk_frame(std::uint32_t number) {
    Frame frame = multicast_frame(number);
    frame[22] = 1;
    return frame;
}

Frame tagged_frame(std::uint32_t number, std::uint16_t vlan_id) {
    Frame frame = multicast_frame(number);
    const Frame tag{0x81, 0x00, static_cast<std::uint8_t>(vlan_id >> 8), static_cast<std::uint8_t>(vlan_id)};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    return frame;
}

std::uint32_t number_in(std::span<const std::uint8_t> frame) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4 && frame.size() > number_offset + i; ++i) number = number << 8 | frame[number_offset + i];
    return number;
}

Tap::Tap(const std::string& interface_name) : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(index_of(interface_name));
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
    const int buffer = 32 << 20;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

bool Tap::send(const Frame& frame) { return ::send(socket_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size()); }

Frame Tap::receive_now() {
    Frame frame(9000);
    for (;;) {
        const ssize_t size = ::recv(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT);
        if (size < 0) return {};
        const bool is_ipv4 = frame[12] == 0x08 && frame[13] == 0x00 && frame[23] == 112;
        const bool is_ipv6 = frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 112;
        if (!is_ipv4 && !is_ipv6) continue;   // the kernel's own multicast and neighbour chatter
        frame.resize(static_cast<std::size_t>(size));
        return frame;
    }
}

Frame Tap::receive() {
    for (;;) {
        Frame frame = receive_now();
        if (!frame.empty()) return frame;
        pollfd poller{socket_.get(), POLLIN, 0};
        if (::poll(&poller, 1, generous_ms) <= 0) return {};
    }
}

LinkPortOptions port_options(const std::string& interface_name, std::uint16_t link, RingGeometry ring) {
    LinkPortOptions options;
    options.link = engine::LinkIndex{link};
    options.interface_name = interface_name;
    options.interface_index = index_of(interface_name);
    options.ring = ring;
    options.groups = {vrrp_group_ipv4, vrrp_group_ipv6};
    return options;
}

std::unique_ptr<LinkPort> open_port(const LinkPortOptions& options) {
    auto port = LinkPort::open(options);
    if (port) return std::move(*port);
    ADD_FAILURE() << port.error().text();
    return nullptr;
}

std::vector<Received> read_ring(LinkPort& port, const clock::ArrivalWindow& window) {
    std::vector<Received> received;
    std::vector<engine::RxFrame> frames(16);
    while (const std::size_t count = port.packet().ring().read(frames, port.link(), window)) {
        for (const engine::RxFrame& frame : std::span(frames).first(count)) {
            received.push_back({Frame(frame.bytes.begin(), frame.bytes.end()), frame.arrival, frame.is_truncated});
        }
        port.packet().ring().release(count);
    }
    return received;
}

std::vector<Received> read_ring(LinkPort& port) {
    return read_ring(port, {clock::realtime_to_boot(), Instant{0}, Instant{INT64_MAX}});
}

BackendUnderTest::BackendUnderTest(BackendChoice choice, std::size_t link_count)
    : bell(std::make_unique<Doorbell>(std::move(Doorbell::make().value()))) {
    auto chosen = make_backend(choice, link_count, bell->fd());
    if (!chosen) {
        refusal = chosen.error().text();
        return;
    }
    backend = std::move(chosen->backend);
    EXPECT_TRUE(backend->attach_to_this_thread());
}

bool BackendUnderTest::wait_for_frame(LinkPort& port) {
    const Instant limit = clock::now() + std::chrono::milliseconds{generous_ms};
    while (!port.packet().ring().has_frame()) {
        if (clock::now() >= limit) return false;
        backend->finish(limit);
    }
    return true;
}

std::vector<engine::TxFrame> as_batch(const std::vector<Frame>& frames, std::uint16_t link, engine::TxPath path) {
    std::vector<engine::TxFrame> batch;
    for (const Frame& frame : frames) {
        batch.push_back({.data = frame.data(),
                         .size = static_cast<std::uint16_t>(frame.size()),
                         .link = engine::LinkIndex{link},
                         .router = engine::RouterIndex{static_cast<std::uint32_t>(batch.size())},
                         .path = path});
    }
    return batch;
}

}  // namespace vigil::io
