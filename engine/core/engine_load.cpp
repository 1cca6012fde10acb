// Builds an Engine from its specification: all memory is taken here, in time linear in the specification.

#include <algorithm>
#include <unordered_map>

#include <fmt/core.h>

#include "engine/core/engine.h"

namespace vigil::engine {
namespace {

std::string_view to_text(packet::BuildError error) {
    switch (error) {
    case packet::BuildError::buffer_too_small: return "internal error: frame larger than computed";
    case packet::BuildError::mixed_families: return "addresses of both families; use two routers, or virtual_ipaddress_excluded";
    case packet::BuildError::too_many_addresses: return "more than 255 addresses; put the rest into virtual_ipaddress_excluded";
    case packet::BuildError::bad_interval: return "advertisement interval cannot be expressed in this VRRP version";
    case packet::BuildError::no_addresses: return "VRRPv3 needs at least one address in virtual_ipaddress";
    case packet::BuildError::bad_version: return "VRRPv2 does not exist over IPv6; set version 3";
    case packet::BuildError::bad_authentication: return "authentication needs VRRPv2 over IPv4, and no auth_hmac beside it";
    }
    return "unknown";
}

packet::AdvertisementSpec frame_spec(const RouterSpec& spec, const IpAddress& destination, bool is_unicast, bool has_trailer) {
    packet::AdvertisementSpec frame;
    frame.version = spec.version;
    frame.vrid = spec.vrid;
    frame.priority = spec.priority;
    frame.interval = spec.interval;
    frame.source = spec.primary_address;
    frame.source.family = spec.family;
    frame.destination = destination;
    frame.source_mac = spec.source_mac;
    if (!is_unicast) frame.destination_mac = multicast_mac(destination);
    frame.addresses = spec.advertised;
    frame.ttl = is_unicast ? spec.ttl : std::uint8_t{255};
    frame.checksum = spec.checksum;
    frame.auth_type = spec.auth_type;
    frame.auth_key = spec.auth_key;
    frame.has_hmac_trailer = has_trailer;
    return frame;
}

/// Its reader has a queue of its own and comes between any two batches. Should all routers change faster than it reads, it gets state reports.
constexpr std::size_t most_events = 16384;

/// Into how many parts the adverts of an interval are spread: some 1,536 routers each, which are taken over in some 20 ms. Smaller parts are smaller batches,
/// and cost more for each advert. Routers with many addresses are dearer: the kernel walks all addresses of an interface for each that it adds.
std::uint32_t phases_for(std::size_t routers, std::size_t addresses) {
    const std::size_t further = addresses - std::min(addresses, routers);
    return static_cast<std::uint32_t>(std::clamp<std::size_t>(std::max(routers / 1536, further / 512), 1, 64));
}

constexpr unsigned derived_flags = static_cast<unsigned>(Flag::version2) | static_cast<unsigned>(Flag::ipv6) | static_cast<unsigned>(Flag::unicast) | static_cast<unsigned>(Flag::joins_group) |
                                   static_cast<unsigned>(Flag::hmac);

VirtualRouter make_record(const RouterSpec& spec, const EngineSpec& engine) {
    VirtualRouter record;
    record.primary_address = spec.primary_address.octets;
    record.preempt_delay_ms = spec.preempt_delay_ms;
    record.link = spec.link;
    record.advertisement_interval = record.active_adver_interval = spec.interval;
    record.flags = spec.flags & static_cast<std::uint16_t>(~derived_flags);
    if (spec.version == VrrpVersion::v2) record.flags |= static_cast<std::uint16_t>(Flag::version2);
    if (spec.family == Family::ipv6) record.flags |= static_cast<std::uint16_t>(Flag::ipv6);
    if (!spec.peers.empty()) record.flags |= static_cast<std::uint16_t>(Flag::unicast);
    record.vrid = spec.vrid;
    record.priority = spec.priority;
    record.down_timer_adverts = spec.down_timer_adverts;
    record.stalled_for = spec.stalled_for;
    unsigned faults = static_cast<unsigned>(Fault::not_started);
    if (!engine.links[to_number(spec.link)].is_up) faults |= static_cast<unsigned>(Fault::link_down);
    if (!is_usable_source(spec.primary_address.octets, record)) faults |= static_cast<unsigned>(Fault::no_source_address);
    if (has(record, Flag::lacks_peers)) faults |= static_cast<unsigned>(Fault::lacks_means);
    record.faults = static_cast<std::uint8_t>(faults);
    return record;
}

/// What would break an assumption of the core. The configuration has been validated; a journal may come from anywhere.
std::string_view find_error(const RouterSpec& spec, std::size_t link_count) {
    const auto is_unknown = [link_count](LinkIndex link) { return to_number(link) >= link_count; };
    if (is_unknown(spec.link)) return "no such link";
    for (const AnnouncedAddress& announced : spec.announced) {
        if (is_unknown(announced.link)) return "no such link";
    }
    if (to_number(spec.vrid) == 0) return "virtual_router_id must be 1 to 255";       // RFC 9568 §5.2.3
    if (spec.priority == Priority::stop) return "priority must be 1 to 255";          // RFC 9568 §5.2.4
    const bool is_strict = (spec.flags & static_cast<unsigned>(Flag::strict)) != 0;
    if (is_strict && spec.family == Family::ipv6 && !spec.advertised.empty() && !spec.advertised.front().is_link_local()) {
        return "strict mode needs a link-local address first in virtual_ipaddress";  // RFC 9568 §5.2.9
    }
    if (spec.announced.size() > RouterSpec::most_addresses) return "more than 65,535 addresses";
    if (spec.advertised.size() > RouterSpec::most_addresses || spec.peers.size() > RouterSpec::most_addresses) return "more than 65,535 addresses or peers";
    if (spec.down_timer_adverts == 0) return "down_timer_adverts must be at least 1";
    return {};
}

/// As the daemon makes them: the announced addresses are the advertised ones, then the excluded ones.
bool begins_with_advertised(const RouterSpec& router) {
    return router.advertised.size() <= router.announced.size() &&
           std::equal(router.advertised.begin(), router.advertised.end(), router.announced.begin(),
                      [](const IpAddress& address, const AnnouncedAddress& announced) { return address == announced.address; });
}

struct Sizes {
    std::size_t frames = 0;
    std::size_t frame_bytes = 0;
    std::size_t announced = 0;
    std::size_t advertised = 0;
    std::size_t peers = 0;
    std::size_t authentications = 0;
};

Sizes measure(const EngineSpec& spec, const std::vector<bool>& signs) {
    Sizes sizes;
    for (std::size_t i = 0; i < spec.routers.size(); ++i) {
        const RouterSpec& router = spec.routers[i];
        const bool is_unicast = !router.peers.empty();
        const std::size_t frames = is_unicast ? router.peers.size() : 1;
        sizes.frames += frames;
        sizes.frame_bytes += frames * packet::frame_size(frame_spec(router, router.group, is_unicast, signs[i]));
        sizes.announced += router.announced.size();
        sizes.advertised += begins_with_advertised(router) ? 0 : router.advertised.size();
        sizes.peers += router.peers.size();
        sizes.authentications += router.auth_type == packet::AuthType::none ? 0 : 1;
    }
    return sizes;
}

/// Where announcements wait for each other: each link has a place for gratuitous ARP and one for NAs, a pacing group has them together.
class PacingPlaces {
public:
    explicit PacingPlaces(const EngineSpec& spec) : spec_(spec), groups_(spec.links.size(), none) {
        for (std::size_t i = 0; i < spec.pacing_groups.size(); ++i) {
            for (const LinkIndex link : spec.pacing_groups[i].links) groups_[to_number(link)] = i;
        }
    }

    std::uint16_t place_of(LinkIndex link, Family family) {
        const std::size_t group = groups_[to_number(link)];
        const std::size_t owner = group == none ? to_number(link) : spec_.links.size() + group;
        const auto next = static_cast<std::uint16_t>(std::min<std::size_t>(places_.size(), 0xfffe));
        return places_.try_emplace(2 * owner + (family == Family::ipv4 ? 0 : 1), next).first->second;
    }
    Nanoseconds gap_of(LinkIndex link, Family family) const {
        const bool is_ipv4 = family == Family::ipv4;
        const std::size_t group = groups_[to_number(link)];
        if (group == none) return is_ipv4 ? spec_.garp_interval : spec_.gna_interval;
        return is_ipv4 ? spec_.pacing_groups[group].garp_interval : spec_.pacing_groups[group].gna_interval;
    }

private:
    static constexpr std::size_t none = ~std::size_t{0};

    const EngineSpec& spec_;
    std::vector<std::size_t> groups_;                        // by link
    std::unordered_map<std::size_t, std::uint16_t> places_;
};

std::vector<arp::Announcer::Router> announcement_plans(const EngineSpec& spec) {
    std::vector<arp::Announcer::Router> plans;
    plans.reserve(spec.routers.size());
    PacingPlaces places(spec);
    for (const RouterSpec& router : spec.routers) {
        plans.push_back({.plan = router.announcements,
                         .address_count = static_cast<std::uint16_t>(router.announced.size()),
                         .link = places.place_of(router.link, router.family),
                         .gap = places.gap_of(router.link, router.family)});
    }
    for (const ExtraRefresh& extra : spec.extra_refreshes) {
        const Family family = spec.routers[to_number(extra.router)].family;
        plans.push_back({.plan = {.repeat = 0, .delay = Nanoseconds{0}, .refresh = extra.period, .refresh_repeat = 1, .lower_repeat = 0},
                         .address_count = static_cast<std::uint16_t>(extra.addresses.size()),
                         .link = places.place_of(extra.link, family),
                         .gap = places.gap_of(extra.link, family)});
    }
    return plans;
}

}  // namespace

tl::expected<Engine, LoadError> Engine::make(const EngineSpec& spec, Instant now) {
    if (const auto error = find_hmac_error(spec); !error.empty()) return tl::unexpected(LoadError{RouterIndex::none, std::string(error)});
    // Before the announcer is made of it.
    for (std::size_t i = 0; i < spec.routers.size(); ++i) {
        if (const auto error = find_error(spec.routers[i], spec.links.size()); !error.empty()) {
            return tl::unexpected(LoadError{RouterIndex{static_cast<std::uint32_t>(i)}, std::string(error)});
        }
    }
    const std::vector<bool> signs = routers_that_sign(spec);
    const Sizes sizes = measure(spec, signs);
    Engine engine;
    engine.wheel_ = TimerWheel<VirtualRouter>(now);
    engine.links_ = spec.links;
    engine.lost_at_.resize(spec.links.size());
    engine.form_ = spec.form;
    engine.phases_ = phases_for(spec.routers.size(), sizes.announced);
    engine.table_.reserve(spec.routers.size(), spec.links.size());
    engine.frames_.reserve(spec.routers.size(), sizes.frames, sizes.frame_bytes);
    engine.cold_.reserve(spec.routers.size());
    engine.hearing_.reserve(spec.routers.size());
    engine.announced_.reserve(sizes.announced);
    engine.advertised_.reserve(sizes.advertised);
    engine.peers_.reserve(sizes.peers);
    engine.authentications_.reserve(sizes.authentications);
    engine.extra_refreshes_ = spec.extra_refreshes;
    engine.announcer_ = arp::Announcer(announcement_plans(spec));
    engine.events_ = EventQueue(std::min<std::size_t>(2 * spec.routers.size() + 256, most_events));
    for (std::size_t i = 0; i < spec.routers.size(); ++i) {
        const RouterIndex index{static_cast<std::uint32_t>(i)};
        engine.table_.add(make_record(spec.routers[i], spec));
        if (engine.table_.size() != i + 1) {
            return tl::unexpected(LoadError{index, fmt::format("virtual_router_id {} is used twice on {}", to_number(spec.routers[i].vrid),
                                                               spec.links[to_number(spec.routers[i].link)].name)});
        }
        if (auto added = engine.add_router(spec.routers[i], index, signs[i]); !added) return tl::unexpected(added.error());
    }
    engine.add_hmac_users(spec);
    if (auto added = engine.add_groups(spec); !added) return tl::unexpected(added.error());
    return engine;
}

tl::expected<void, LoadError> Engine::add_router(const RouterSpec& spec, RouterIndex index, bool has_trailer) {
    ColdRouter cold;
    cold.first_address = static_cast<std::uint32_t>(announced_.size());
    cold.address_count = static_cast<std::uint16_t>(spec.announced.size());
    announced_.insert(announced_.end(), spec.announced.begin(), spec.announced.end());
    cold.advertised_count = static_cast<std::uint16_t>(spec.advertised.size());
    cold.advertises_announced = begins_with_advertised(spec);
    cold.first_advertised = cold.advertises_announced ? cold.first_address : static_cast<std::uint32_t>(advertised_.size());
    if (!cold.advertises_announced) advertised_.insert(advertised_.end(), spec.advertised.begin(), spec.advertised.end());
    cold.first_peer = static_cast<std::uint32_t>(peers_.size());
    cold.peer_count = static_cast<std::uint16_t>(spec.peers.size());
    peers_.insert(peers_.end(), spec.peers.begin(), spec.peers.end());
    if (spec.auth_type != packet::AuthType::none) {
        cold.authentication = static_cast<std::uint32_t>(authentications_.size());
        authentications_.push_back({.key = spec.auth_key, .sequence_number = spec.ah_sequence_number});
    }
    cold_.push_back(cold);
    hearing_.push_back({.reported_interval = spec.interval, .auth_type = spec.auth_type});

    frames_.begin_router();
    const auto add_frame = [&](const IpAddress& destination, bool is_unicast) -> tl::expected<void, LoadError> {
        const auto added = frames_.add(frame_spec(spec, destination, is_unicast, has_trailer));
        if (!added) return tl::unexpected(LoadError{index, std::string(to_text(added.error()))});
        return {};
    };
    if (spec.peers.empty()) return add_frame(spec.group, false);
    for (const UnicastPeer& peer : spec.peers) {
        if (auto added = add_frame(peer.address, true); !added) return added;
    }
    return {};
}

}  // namespace vigil::engine
