#pragma once

#include <initializer_list>
#include <string_view>

#include "ipvs/service.h"

/// Services and destinations by a word or two.
namespace vigil::ipvs::test {

inline IpAddress address(std::string_view text) { return *read_address(text); }

inline Service service(std::string_view where, std::uint16_t port, std::string_view scheduler = "wlc", Protocol protocol = Protocol::tcp) {
    Service made;
    made.key = address_service(protocol, address(where), port);
    made.scheduler = scheduler;
    made.granularity = finest_granularity(made.key.family());
    return made;
}

inline Service mark(Family family, std::uint32_t number, std::string_view scheduler = "wlc") {
    Service made;
    made.key = fwmark_service(family, number);
    made.scheduler = scheduler;
    made.granularity = finest_granularity(family);
    return made;
}

inline Service persistent(Service made, std::uint32_t seconds) {
    made.is_persistent = true;
    made.persistence_seconds = seconds;
    return made;
}

inline Destination server(std::string_view where, std::uint16_t port, std::int32_t weight = 1, Forwarding forwarding = Forwarding::masquerade) {
    Destination made;
    made.key = {address(where), port};
    made.weight = weight;
    made.forwarding = forwarding;
    return made;
}

inline Destination tunnelled(std::string_view where, std::uint16_t port, const Tunnel& tunnel) {
    Destination made = server(where, port, 1, Forwarding::tunnel);
    made.tunnel = tunnel;
    return made;
}

}  // namespace vigil::ipvs::test
