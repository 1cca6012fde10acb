// "Why did this failover happen?": a capture from the field is played to the same engine that runs in the daemon, in virtual time, and the engine
// says what it heard, decided and would have sent. The capture's times are the arrival times; between two frames every timer fires at its own
// instant. No socket, no clock, no rights needed.

#include "engine/cli/capture_replay.h"

#include <fmt/core.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "engine/core/virtual_host.h"
#include "packet/frame.h"

namespace vigil::cli {
namespace {

using engine::LinkIndex;

/// VLAN of a link by its name: "eth0.5" is 5, "eth0" is none (0).
std::uint16_t vlan_of(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    std::uint16_t vlan = 0;
    if (dot != std::string::npos) std::from_chars(name.data() + dot + 1, name.data() + name.size(), vlan);
    return vlan;
}

/// The outermost 802.1Q VLAN in a frame's bytes, read by hand because a malformed frame has one too.
std::uint16_t vlan_of(std::span<const std::uint8_t> frame) {
    const bool is_tagged = frame.size() >= 16 && frame[12] == 0x81 && frame[13] == 0x00;
    return is_tagged ? static_cast<std::uint16_t>((frame[14] << 8 | frame[15]) & 0x0fff) : std::uint16_t{0};
}


bool knows(const engine::EngineSpec& spec, LinkIndex link, const packet::ReceivedFrame& frame) {
    return std::any_of(spec.routers.begin(), spec.routers.end(), [&](const engine::RouterSpec& router) {
        return router.link == link && router.family == frame.source.family && router.vrid == frame.advertisement.vrid();
    });
}

LinkIndex link_for(engine::EngineSpec& spec, std::uint16_t vlan) {
    for (std::size_t i = 0; i < spec.links.size(); ++i) {
        if (vlan_of(spec.links[i].name) == vlan) return LinkIndex{static_cast<std::uint16_t>(i)};
    }
    spec.links.push_back({.name = vlan == 0 ? "lan" : fmt::format("lan.{}", vlan), .mac = {{2, 0, 0, 0, 0, 1}}, .is_up = true});
    return LinkIndex{static_cast<std::uint16_t>(spec.links.size() - 1)};
}

IpAddress observer_address(Family family) {
    if (family == Family::ipv4) return ipv4(0, 0, 0, 1);
    IpAddress address{{}, Family::ipv6};
    address.octets[0] = 0xfe;
    address.octets[1] = 0x80;
    address.octets[15] = 1;
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

class Player {
public:
    Player(engine::VirtualHost host, const engine::EngineSpec& spec, const ReplayOptions& options, Instant start)
        : host_(std::move(host)), spec_(spec), options_(options), transcript_(names_of(spec), start) {
        host_.on_sent([this](Instant at, const engine::TxFrame& frame) { transcript_.sent(at, frame); });
        host_.on_event([this](const engine::Event& event) {
            transcript_.event(event, engine::family_of(host_.engine().router(event.router)));
        });
    }

    void play(const CapturedFrame& captured) {
        host_.advance(captured.at - Nanoseconds{1});
        const auto frame = packet::read_frame(captured.bytes);
        if (frame && options_.own_address == frame->source) return;  // our own voice
        if (!frame && (frame.error() == packet::ReceiveError::not_ip || frame.error() == packet::ReceiveError::not_vrrp)) {
            ++foreign_;
            return;
        }
        const auto link = link_of(vlan_of(captured.bytes));
        if (!link) {
            transcript_.repeated(captured.at, fmt::format("a frame on VLAN {}, where no router is", vlan_of(captured.bytes)));
            return;
        }
        if (frame) transcript_.heard(captured.at, *frame);
        else transcript_.repeated(captured.at, fmt::format("a frame is dropped: {}", packet::to_string(frame.error())));
        const engine::RxFrame rx{captured.bytes, captured.at, *link, captured.is_truncated};
        host_.receive(std::span(&rx, 1), captured.at);
    }

    void start(Instant at) { host_.command({.kind = engine::Command::Kind::start}, at); }

    std::string finish(Instant end) {
        host_.advance(end + options_.afterwards);
        if (foreign_ != 0) transcript_.note(host_.now(), fmt::format("{} frames of other protocols were passed over", foreign_));
        for (std::size_t i = 0; i < host_.engine().router_count(); ++i) {
            const engine::RouterIndex index{static_cast<std::uint32_t>(i)};
            const engine::RouterCounters& counters = host_.engine().counters(index);
            transcript_.note(host_.now(), fmt::format("{} ends as {}: {} adverts accepted, {} sent", spec_.routers[i].name,
                                                      to_string(host_.engine().router(index).state), counters.adverts_received,
                                                      counters.adverts_sent));
        }
        return transcript_.finish();
    }

private:
    static std::vector<std::string> names_of(const engine::EngineSpec& spec) {
        std::vector<std::string> names;
        for (const engine::RouterSpec& router : spec.routers) names.push_back(router.name);
        return names;
    }

    std::optional<LinkIndex> link_of(std::uint16_t vlan) const {
        for (std::size_t i = 0; i < spec_.links.size(); ++i) {
            if (vlan_of(spec_.links[i].name) == vlan) return LinkIndex{static_cast<std::uint16_t>(i)};
        }
        return std::nullopt;
    }

    engine::VirtualHost host_;
    const engine::EngineSpec& spec_;
    const ReplayOptions& options_;
    engine::Transcript transcript_;
    std::size_t foreign_ = 0;
};

}  // namespace

tl::expected<std::vector<CapturedFrame>, std::string> read_capture(const std::string& path) {
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> file(
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error.data()), &pcap_close);
    if (!file) return tl::unexpected(fmt::format("{}: {}", path, error.data()));
    if (pcap_datalink(file.get()) != DLT_EN10MB) {
        return tl::unexpected(fmt::format("{}: link type is {}, but only Ethernet can be replayed; capture on one interface, not on 'any'", path,
                                          pcap_datalink_val_to_name(pcap_datalink(file.get()))));
    }
    std::vector<CapturedFrame> frames;
    pcap_pkthdr* header = nullptr;
    const std::uint8_t* bytes = nullptr;
    int result = 0;
    while ((result = pcap_next_ex(file.get(), &header, &bytes)) == 1) {
        const Instant at{header->ts.tv_sec * std::int64_t{1'000'000'000} + header->ts.tv_usec};
        frames.push_back({at, {bytes, bytes + header->caplen}, header->caplen < header->len});
    }
    if (result == PCAP_ERROR) return tl::unexpected(fmt::format("{}: {} (after {} frames)", path, pcap_geterr(file.get()), frames.size()));
    std::ranges::stable_sort(frames, {}, &CapturedFrame::at);
    return frames;
}

engine::EngineSpec observers_of(std::span<const CapturedFrame> capture) {
    engine::EngineSpec spec;
    for (const CapturedFrame& captured : capture) {
        const auto frame = packet::read_frame(captured.bytes);
        if (!frame || frame->advertisement.priority() == Priority::stop) continue;
        if (frame->advertisement.version() == VrrpVersion::v3 && frame->advertisement.address_count() == 0) continue;
        const LinkIndex link = link_for(spec, frame->vlan_id);
        if (!knows(spec, link, *frame)) spec.routers.push_back(observer_of(*frame, link, spec.links[to_number(link)].name));
    }
    return spec;
}

tl::expected<std::string, std::string> replay_capture(std::span<const CapturedFrame> capture, const engine::EngineSpec& spec,
                                                      const ReplayOptions& options) {
    if (capture.empty()) return tl::unexpected(std::string("the capture has no frames"));
    const Instant start = capture.front().at;
    auto host = engine::VirtualHost::make(spec, start);
    if (!host) return tl::unexpected(host.error().text);
    Player player(std::move(*host), spec, options, start);
    player.start(start);
    for (const CapturedFrame& captured : capture) player.play(captured);
    return player.finish(capture.back().at);
}

}  // namespace vigil::cli
