#pragma once

#include "packet/bytes.h"
#include "packet/units.h"

namespace vigil::lab {

/// What a frame on the LAN is to the observer.
enum class SightingKind : std::uint8_t {
    other,           ///< nothing that is watched
    advertisement,   ///< VRRP version 2 or 3
    announcement,    ///< gratuitous ARP or unsolicited neighbour advertisement
};

struct Sighting {
    SightingKind kind = SightingKind::other;
    std::uint8_t vrid = 0;
    std::uint8_t priority = 0;
    IpAddress address{};       ///< who sent the advertisement; which address is announced
    Nanoseconds interval{0};   ///< as advertised
    MacAddress mac{};          ///< of an announcement: the MAC that it says the address has
};

/// Reads as much of an Ethernet frame as identifying it needs, and verifies nothing: the observer reports what a daemon sends, right or
/// wrong. Independent of the daemon's own readers, except for the bounds-checked access to bytes. Tagged frames are not read: on the
/// lab's LAN there are none.
Sighting read_sighting(packet::Bytes frame);

}  // namespace vigil::lab
