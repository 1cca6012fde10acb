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

/// The three AF_PACKET sockets of one interface: one that receives into a ring, one that only sends, one that counts the junk the first refuses
/// (packet_filter.cpp). Opened and closed on the control thread (closing waits for the kernel's readers, milliseconds), used on the fast thread.
class PacketPort {
public:
    /// The interface may be down; frames flow when it comes up.
    static Result<PacketPort> open(const PacketPortOptions& options);

    /// Other VRIDs; in force at once. By any thread that knows the port to be open.
    Result<void> change_filter(FilterOptions filter) const;

    RxRing& ring() { return receive_.ring; }
    /// The latest junk, as far as it found a slot. Wakes nobody.
    RxRing& junk_ring() { return junk_.ring; }
    int receive_fd() const { return receive_.socket.get(); }
    int transmit_fd() const { return transmit_.get(); }

    /// Frames that the kernel could not deliver since the last call, for want of a slot. A system call.
    std::uint32_t take_drops();
    /// Frames of junk since the last call, whether or not they found a slot. A system call.
    std::uint32_t take_junk_count();
    /// Forgets the error that a link change left on the receive socket (ENETDOWN), which would otherwise wake its poller for ever.
    void clear_error();

    static constexpr RingGeometry junk_geometry{.slot_bytes = 512, .least_slots = 8};   // one page

private:
    struct Receiver {
        FileDescriptor socket;
        RxRing ring;
    };

    static Result<Receiver> open_receiver(const PacketPortOptions& options, FilterSide side);
    Result<void> listen(const PacketPortOptions& options);
    Result<void> open_transmitter(unsigned interface_index);

    Receiver receive_;
    Receiver junk_;
    FileDescriptor transmit_;
};

}  // namespace vigil::io
