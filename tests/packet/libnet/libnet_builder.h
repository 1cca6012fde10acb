#pragma once

#include <memory>
#include <optional>
#include <string>

#include "packet/frame_template.h"
#include "tests/packet/frame_builder.h"

struct libnet_context;

/// libnet 1.1's packet builders behind functions of our own types. libnet links its pieces in the order of the calls, innermost
/// first, and hands out the finished frame ("culls" it) in its advanced link mode, which opens a packet socket: CAP_NET_RAW.
///
/// What libnet cannot build, or builds wrongly, and how the tests go around it:
/// * libnet_build_vrrp() has the nibbles of version and type the wrong way round on little-endian machines; the caller passes the
///   type as version and the version as type.
/// * Its VRRP checksum is the sum of the message alone. That is version 2, and version 3 by RFC 9568 §5.2.8; sums with a
///   pseudo-header are passed in as a number.
/// * It knows version 2 only, but the two octets behind the count take the interval of version 3 as well.
/// * libnet_build_ipsec_ah() has 32 bits of authentication data; the other 64 go in front of the payload.
namespace vigil::test {

class LibnetBuilder {
public:
    /// Nothing when libnet cannot be used here; `reason` then says why.
    static std::optional<LibnetBuilder> open(std::string& reason);

    // Innermost first, then frame().
    /// `checksum` 0 lets libnet take the sum.
    void vrrp(const packet::AdvertisementSpec& spec, std::uint16_t checksum);
    void ah(std::uint32_t index, std::uint32_t sequence_number, const std::array<std::uint8_t, 12>& digest, const Octets& payload);
    void ip(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol, std::uint8_t traffic_class,
            std::uint8_t ttl, std::size_t payload_size, const Octets& payload = {});
    void arp(std::uint16_t operation, const MacAddress& sender_mac, const IpAddress& sender, const MacAddress& target_mac,
             const IpAddress& target);
    void neighbor_advertisement(std::uint32_t flags, const IpAddress& target, const MacAddress& link_layer);
    void ethernet(const MacAddress& destination, const MacAddress& source, std::uint16_t type);
    /// With one 802.1Q tag, instead of ethernet().
    void tagged_ethernet(const MacAddress& destination, const MacAddress& source, std::uint16_t vlan_id, std::uint16_t type);
    /// The finished frame; the builder is empty again.
    Octets frame();

private:
    struct Closer {
        void operator()(void* handle) const;
    };
    explicit LibnetBuilder(void* handle) : handle_(handle) {}
    void expect_built(int tag) const;
    libnet_context* context() const;

    std::unique_ptr<void, Closer> handle_;
};

}  // namespace vigil::test
