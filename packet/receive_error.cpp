#include "packet/receive_error.h"

namespace vigil::packet {

std::string_view to_string(ReceiveError error) {
    switch (error) {
        case ReceiveError::frame_truncated: return "frame_truncated";
        case ReceiveError::not_ip: return "not_ip";
        case ReceiveError::bad_ip_header: return "bad_ip_header";
        case ReceiveError::bad_ip_checksum: return "bad_ip_checksum";
        case ReceiveError::ip_fragment: return "ip_fragment";
        case ReceiveError::not_vrrp: return "not_vrrp";
        case ReceiveError::foreign_hsrp: return "foreign_hsrp";
        case ReceiveError::foreign_carp: return "foreign_carp";
        case ReceiveError::bad_ttl: return "bad_ttl";
        case ReceiveError::bad_ah: return "bad_ah";
        case ReceiveError::truncated: return "truncated";
        case ReceiveError::bad_version: return "bad_version";
        case ReceiveError::bad_type: return "bad_type";
        case ReceiveError::zero_vrid: return "zero_vrid";
        case ReceiveError::no_addresses: return "no_addresses";
        case ReceiveError::zero_interval: return "zero_interval";
        case ReceiveError::bad_checksum: return "bad_checksum";
        case ReceiveError::not_link_local: return "not_link_local";
        case ReceiveError::unknown_vrid: return "unknown_vrid";
        case ReceiveError::own_source: return "own_source";
        case ReceiveError::version_mismatch: return "version_mismatch";
        case ReceiveError::wrong_destination: return "wrong_destination";
        case ReceiveError::not_a_peer: return "not_a_peer";
        case ReceiveError::bad_unicast_ttl: return "bad_unicast_ttl";
        case ReceiveError::unknown_auth_type: return "unknown_auth_type";
        case ReceiveError::auth_type_mismatch: return "auth_type_mismatch";
        case ReceiveError::auth_failed: return "auth_failed";
        case ReceiveError::auth_replayed: return "auth_replayed";
        case ReceiveError::hmac_missing: return "hmac_missing";
        case ReceiveError::hmac_malformed: return "hmac_malformed";
        case ReceiveError::hmac_unknown_key: return "hmac_unknown_key";
        case ReceiveError::hmac_invalid: return "hmac_invalid";
        case ReceiveError::hmac_stale: return "hmac_stale";
        case ReceiveError::hmac_replayed: return "hmac_replayed";
        case ReceiveError::interval_mismatch: return "interval_mismatch";
        case ReceiveError::owner_ignores: return "owner_ignores";
        case ReceiveError::router_not_running: return "router_not_running";
        case ReceiveError::count_: break;
    }
    return "unknown";
}

}  // namespace vigil::packet
