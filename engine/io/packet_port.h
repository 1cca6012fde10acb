#pragma once

#include <span>
#include <vector>

#include "engine/io/file_descriptor.h"
#include "engine/io/packet_filter.h"
#include "engine/io/rx_ring.h"
#include "engine/io/system_error.h"
#include "packet/address.h"

namespace vigil::io {

struct PacketPortOptions {
    unsigned interface_index = 0;
    RingGeometry ring;
    FilterOptions filter;                       ///< capture_bytes is set from the ring
    std::vector<MacAddress> multicast_macs;     ///< into the device's multicast filter
    std::vector<MacAddress> unicast_macs;       ///< further unicast addresses that the device must take, such as a virtual MAC
};

/// The two AF_PACKET sockets of one interface: one that receives into a ring, one that only sends. Opened and closed on the control thread
/// (closing waits for the kernel's readers, milliseconds), used on the fast thread.
class PacketPort {
public:
    /// The interface may be down; frames flow when it comes up.
    static Result<PacketPort> open(const PacketPortOptions& options);

    RxRing& ring() { return ring_; }
    int receive_fd() const { return receive_.get(); }
    int transmit_fd() const { return transmit_.get(); }

    /// Frames that the kernel could not deliver since the last call, for want of a slot. A system call.
    std::uint32_t take_drops();
    /// Forgets the error that a link change left on the receive socket (ENETDOWN), which would otherwise wake its poller for ever.
    void clear_error();

private:
    Result<void> open_receiver(const PacketPortOptions& options);
    Result<void> open_transmitter(unsigned interface_index);

    FileDescriptor receive_;
    FileDescriptor transmit_;
    RxRing ring_;
};

}  // namespace vigil::io
