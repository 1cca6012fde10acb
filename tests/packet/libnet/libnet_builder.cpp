#include "tests/packet/libnet/libnet_builder.h"

#define LIBNET_LIL_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#define LIBNET_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
#include <libnet.h>

#include <gtest/gtest.h>

#include <cstring>

namespace vigil::test {

namespace {

std::uint32_t in_memory(const IpAddress& address) {
    std::uint32_t value = 0;
    std::memcpy(&value, address.octets.data(), sizeof value);
    return value;
}

libnet_in6_addr in_libnet(const IpAddress& address) {
    libnet_in6_addr value{};
    std::memcpy(&value, address.octets.data(), address.octets.size());
    return value;
}

std::uint32_t size_of(const Octets& octets) { return static_cast<std::uint32_t>(octets.size()); }
const std::uint8_t* data_of(const Octets& octets) { return octets.empty() ? nullptr : octets.data(); }

}  // namespace

void LibnetBuilder::Closer::operator()(void* handle) const { libnet_destroy(static_cast<libnet_t*>(handle)); }

libnet_context* LibnetBuilder::context() const { return static_cast<libnet_t*>(handle_.get()); }

std::optional<LibnetBuilder> LibnetBuilder::open(std::string& reason) {
    char device[] = "lo";
    char error[LIBNET_ERRBUF_SIZE] = "";
    libnet_t* handle = libnet_init(LIBNET_LINK_ADV, device, error);
    if (handle == nullptr) {
        reason = std::string("libnet cannot open lo, CAP_NET_RAW is missing? ") + error;
        return std::nullopt;
    }
    return LibnetBuilder(handle);
}

void LibnetBuilder::expect_built(int tag) const { EXPECT_NE(tag, -1) << libnet_geterror(context()); }

void LibnetBuilder::vrrp(const packet::AdvertisementSpec& spec, std::uint16_t checksum) {
    const bool is_v2 = spec.version == VrrpVersion::v2;
    Octets payload;
    for (const IpAddress& address : spec.addresses) {
        for (const std::uint8_t octet : address.bytes()) payload.push_back(octet);
    }
    if (is_v2) {
        for (const std::uint8_t octet : spec.auth_type == packet::AuthType::simple_password ? spec.auth_key : packet::AuthKey{}) {
            payload.push_back(octet);
        }
    }
    const unsigned interval = spec.interval.count();
    const unsigned high = is_v2 ? static_cast<unsigned>(spec.auth_type) : interval >> 8;
    const unsigned low = is_v2 ? interval / 100 : interval & 0xff;
    constexpr std::uint8_t type = 1;
    expect_built(libnet_build_vrrp(type, to_number(spec.version), to_number(spec.vrid), to_number(spec.priority),
                                   static_cast<std::uint8_t>(spec.addresses.size()), static_cast<std::uint8_t>(high),
                                   static_cast<std::uint8_t>(low), checksum, data_of(payload), size_of(payload), context(), 0));
}

void LibnetBuilder::ah(std::uint32_t index, std::uint32_t sequence_number, const std::array<std::uint8_t, 12>& digest,
                       const Octets& payload) {
    Octets rest(digest.begin() + 4, digest.end());
    rest.insert(rest.end(), payload.begin(), payload.end());
    const std::uint32_t first = static_cast<std::uint32_t>(digest[0]) << 24 | static_cast<std::uint32_t>(digest[1]) << 16 |
                                static_cast<std::uint32_t>(digest[2]) << 8 | digest[3];
    expect_built(libnet_build_ipsec_ah(112, 4, 0, index, sequence_number, first, data_of(rest), size_of(rest), context(), 0));
}

void LibnetBuilder::ip(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol, std::uint8_t traffic_class,
                       std::uint8_t ttl, std::size_t payload_size, const Octets& payload) {
    if (source.family == Family::ipv4) {
        constexpr std::uint16_t dont_fragment = 0x4000;
        expect_built(libnet_build_ipv4(static_cast<std::uint16_t>(20 + payload_size), traffic_class, 0, dont_fragment, ttl, protocol, 0,
                                       in_memory(source), in_memory(destination), data_of(payload), size_of(payload), context(), 0));
    } else {
        expect_built(libnet_build_ipv6(traffic_class, 0, static_cast<std::uint16_t>(payload_size), protocol, ttl, in_libnet(source),
                                       in_libnet(destination), data_of(payload), size_of(payload), context(), 0));
    }
}

void LibnetBuilder::arp(std::uint16_t operation, const MacAddress& sender_mac, const IpAddress& sender,
                        const MacAddress& target_mac, const IpAddress& target) {
    expect_built(libnet_build_arp(ARPHRD_ETHER, ETHERTYPE_IP, 6, 4, operation, sender_mac.octets.data(), sender.octets.data(),
                                  target_mac.octets.data(), target.octets.data(), nullptr, 0, context(), 0));
}

void LibnetBuilder::neighbor_advertisement(std::uint32_t flags, const IpAddress& target, const MacAddress& link_layer) {
    std::array<std::uint8_t, 6> option = link_layer.octets;
    constexpr std::uint8_t target_link_layer = 2;
    expect_built(libnet_build_icmpv6_ndp_opt(target_link_layer, option.data(), option.size(), context(), 0));
    constexpr std::uint8_t type = 136;
    expect_built(libnet_build_icmpv6_ndp_nadv(type, 0, 0, flags, in_libnet(target), nullptr, 0, context(), 0));
}

void LibnetBuilder::ethernet(const MacAddress& destination, const MacAddress& source, std::uint16_t type) {
    expect_built(libnet_build_ethernet(destination.octets.data(), source.octets.data(), type, nullptr, 0, context(), 0));
}

void LibnetBuilder::tagged_ethernet(const MacAddress& destination, const MacAddress& source, std::uint16_t vlan_id,
                                    std::uint16_t type) {
    expect_built(libnet_build_802_1q(destination.octets.data(), source.octets.data(), ETHERTYPE_VLAN, 0, 0, vlan_id, type, nullptr, 0,
                                     context(), 0));
}

Octets LibnetBuilder::frame() {
    std::uint8_t* octets = nullptr;
    std::uint32_t size = 0;
    const int culled = libnet_adv_cull_packet(context(), &octets, &size);
    EXPECT_EQ(culled, 1) << libnet_geterror(context());
    Octets frame;
    if (culled == 1) {
        frame.assign(octets, octets + size);
        libnet_adv_free_packet(context(), octets);
    }
    libnet_clear_packet(context());
    return frame;
}

}  // namespace vigil::test
