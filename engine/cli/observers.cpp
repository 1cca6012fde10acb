#include "engine/cli/observers.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "engine/cli/vlan_path.h"
#include "packet/frame.h"

namespace vigil::cli {
namespace {

using engine::LinkIndex;

bool knows(const engine::EngineSpec& spec, LinkIndex link, const packet::ReceivedFrame& frame) {
    return std::any_of(spec.routers.begin(), spec.routers.end(), [&](const engine::RouterSpec& router) {
        return router.link == link && router.family == frame.source.family && router.vrid == frame.advertisement.vrid();
    });
}

/// None when the capture pretends to have more VLANs than can be.
std::optional<LinkIndex> link_for(engine::EngineSpec& spec, VlanPath path) {
    constexpr std::size_t max_links = 4096;
    const std::string name = "lan" + to_suffix(path);
    for (std::size_t i = 0; i < spec.links.size(); ++i) {
        if (spec.links[i].name == name) return LinkIndex{static_cast<std::uint16_t>(i)};
    }
    if (spec.links.size() == max_links) return std::nullopt;
    spec.links.push_back({.name = name, .mac = {{2, 0, 0, 0, 0, 1}}, .is_up = true});
    return LinkIndex{static_cast<std::uint16_t>(spec.links.size() - 1)};
}

/// The least address there is: loses every tie, and nobody has it (fe80::1 is the gateway of many a LAN).
IpAddress observer_address(Family family) {
    if (family == Family::ipv4) return ipv4(0, 0, 0, 1);
    IpAddress address{{}, Family::ipv6};
    address.octets[0] = 0xfe;
    address.octets[1] = 0x80;
    return address;
}

engine::RouterSpec observer_of(const packet::ReceivedFrame& frame, LinkIndex link, const std::string& link_name) {
    const packet::AdvertisementView& advertisement = frame.advertisement;
    engine::RouterSpec router;
    router.family = frame.source.family;
    router.name = fmt::format("{}/{}{}", link_name, to_number(advertisement.vrid()), router.family == Family::ipv6 ? "/IPv6" : "");
    router.link = link;
    router.version = advertisement.version();
    router.vrid = advertisement.vrid();
    router.priority = Priority::lowest;
    router.interval = advertisement.max_advertise_interval();
    router.primary_address = observer_address(router.family);
    router.source_mac = virtual_mac(router.family, router.vrid);
    router.group = router.family == Family::ipv4 ? vrrp_group_ipv4 : vrrp_group_ipv6;
    if (!frame.destination.is_multicast()) router.peers = {{.address = frame.source}};
    for (std::uint8_t i = 0; i < advertisement.address_count(); ++i) router.advertised.push_back(advertisement.address(i));
    router.checksum = advertisement.checksum_form();
    if (router.version == VrrpVersion::v2 && advertisement.auth_type_octet() == 1) {
        router.auth_type = packet::AuthType::simple_password;
        std::ranges::copy(advertisement.auth_data(), router.auth_key.begin());
    }
    router.announcements.repeat = 0;
    router.announcements.delay = Nanoseconds{0};
    return router;
}

}  // namespace

engine::EngineSpec observers_of(std::span<const CapturedFrame> capture) {
    engine::EngineSpec spec;
    for (const CapturedFrame& captured : capture) {
        const auto frame = captured.is_truncated ? tl::unexpected(packet::ReceiveError::frame_truncated) : packet::read_frame(captured.bytes);
        if (!frame || frame->ah || frame->advertisement.priority() == Priority::stop) continue;
        const auto link = link_for(spec, vlan_path_of_frame(captured.bytes));
        if (!link || knows(spec, *link, *frame)) continue;
        spec.routers.push_back(observer_of(*frame, *link, spec.links[to_number(*link)].name));
    }
    return spec;
}

}  // namespace vigil::cli
