#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/backend.h"
#include "engine/io/doorbell.h"
#include "engine/io/link_port.h"

namespace vigil::io {

using Frame = std::vector<std::uint8_t>;

/// An Ethernet frame to 01:00:5e:00:00:12 that looks like an advert to the filter, carries `number` and is otherwise empty.
Frame multicast_frame(std::uint32_t number, std::size_t size = 60);
/// The same with a TTL that the filter refuses.
Frame junk_frame(std::uint32_t number);
/// The same with an 802.1Q tag.
Frame tagged_frame(std::uint32_t number, std::uint16_t vlan_id);
std::uint32_t number_in(std::span<const std::uint8_t> frame);

/// Sends and hears on one end of a link through plain sockets, independent of the code under test.
class Tap {
public:
    explicit Tap(const std::string& interface_name);
    bool send(const Frame& frame);
    /// The next frame of protocol 112 that arrives, waiting for it; empty when the time limit ended it.
    Frame receive();
    /// The same without waiting.
    Frame receive_now();

private:
    FileDescriptor socket_;
};

LinkPortOptions port_options(const std::string& interface_name, std::uint16_t link, RingGeometry ring = {.slot_bytes = 256, .least_slots = 64});
std::unique_ptr<LinkPort> open_port(const LinkPortOptions& options);

/// Everything that lies in the ring now.
struct Received {
    Frame bytes;
    Instant arrival;
    bool is_truncated;
};
std::vector<Received> read_ring(LinkPort& port, const clock::ArrivalWindow& window);
std::vector<Received> read_ring(LinkPort& port);

/// A backend with its doorbell, already attached to this thread.
struct BackendUnderTest {
    std::unique_ptr<Doorbell> bell;
    std::unique_ptr<Backend> backend;
    std::string refusal;

    BackendUnderTest(BackendChoice choice, std::size_t link_count);
    /// Sleeps until `port` has a frame; false when the time limit ended it.
    bool wait_for_frame(LinkPort& port);
};

std::vector<engine::TxFrame> as_batch(const std::vector<Frame>& frames, std::uint16_t link, engine::TxPath path = engine::TxPath::link);

}  // namespace vigil::io
