#include "engine/io/link_port.h"

#include <algorithm>
#include <thread>

#include "engine/io/clock.h"
#include "packet/frame.h"

namespace vigil::io {
namespace {

/// Calls work(i) for i below `count`, in up to 32 threads that mostly wait for the kernel.
template <class Work>
void spread(std::size_t count, Work work) {
    const std::size_t thread_count = std::min<std::size_t>(count, 32);
    std::vector<std::thread> threads;
    for (std::size_t first = 1; first < thread_count; ++first) {
        threads.emplace_back([=] {
            for (std::size_t i = first; i < count; i += thread_count) work(i);
        });
    }
    for (std::size_t i = 0; i < count; i += thread_count) work(i);
    for (std::thread& thread : threads) thread.join();
}

/// Why the filter refused it. A frame in which nothing is wrong is for a VRID that we do not have.
packet::ReceiveError reason_of(const engine::RxFrame& frame) {
    const auto received = packet::read_frame(frame.bytes);
    return received ? packet::ReceiveError::unknown_vrid : received.error();
}

}  // namespace

LinkPort::LinkPort(engine::LinkIndex link, PacketPort packet, RoutePort route, GroupMembership memberships)
    : link_(link), packet_(std::move(packet)), route_(std::move(route)), memberships_(std::move(memberships)) {}

Result<std::unique_ptr<LinkPort>> LinkPort::open(const LinkPortOptions& options) {
    PacketPortOptions packet_options{.interface_index = options.interface_index,
                                     .ring = options.ring,
                                     .filter = options.filter,
                                     .multicast_macs = {},
                                     .unicast_macs = options.unicast_macs};
    for (const IpAddress& group : options.groups) packet_options.multicast_macs.push_back(multicast_mac(group));
    const Instant opened = clock::now();
    auto packet = PacketPort::open(packet_options);
    if (!packet) return tl::unexpected(packet.error());
    auto route = RoutePort::open(options.interface_name, options.routes_ipv4, options.routes_ipv6);
    if (!route) return tl::unexpected(route.error());
    std::unique_ptr<LinkPort> port(new LinkPort(options.link, std::move(*packet), std::move(*route),
                                                GroupMembership::join(options.interface_index, options.groups)));
    port->empty_since = opened;
    return port;
}

void LinkPort::count_junk() {
    std::array<engine::RxFrame, PacketPort::junk_geometry.slot_count()> frames;
    const std::size_t count = packet_.junk_ring().read(frames, link_, {});
    for (const engine::RxFrame& frame : std::span(frames).first(count)) ++counters.junk_reasons[static_cast<std::size_t>(reason_of(frame))];
    packet_.junk_ring().release(count);
    counters.junk += packet_.take_junk_count();
}

std::vector<Result<std::unique_ptr<LinkPort>>> open_ports(std::span<const LinkPortOptions> options) {
    std::vector<Result<std::unique_ptr<LinkPort>>> ports(options.size());
    spread(options.size(), [&](std::size_t i) { ports[i] = LinkPort::open(options[i]); });
    return ports;
}

void close_ports(std::vector<std::unique_ptr<LinkPort>> ports) {
    spread(ports.size(), [&](std::size_t i) { ports[i].reset(); });
}

}  // namespace vigil::io
