#pragma once

#include "tests/packet/frame_builder.h"

/// Advertisements of keepalived 2.2.7 (Debian 12), captured from its veth: 10.20.30.1, MAC 02:00:00:00:00:01, VRID 51, priority
/// 150, interval 1 s, addresses 10.20.30.100 and .101, auth_pass "secret".
namespace vigil::test {

Octets keepalived_v2_password();
Octets keepalived_v2_ah(int index);    ///< three in a row to 224.0.0.18: index 0, 1, 2 have sequence number 1, 2, 3
Octets keepalived_v2_ah_unicast();     ///< to the peer 10.20.30.2
Octets keepalived_v3();                ///< 224.0.0.18, pseudo-header in the checksum

}  // namespace vigil::test
