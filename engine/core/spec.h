#pragma once

#include <string>
#include <vector>

#include "arp/announcement_frame.h"
#include "arp/announcer.h"
#include "engine/core/virtual_router.h"
#include "packet/frame_template.h"

namespace vigil::engine {

/// One interface that carries adverts or announcements.
struct LinkSpec {
    std::string name;
    MacAddress mac;
    bool is_up = false;        ///< IFF_UP and IFF_RUNNING when the specification was made
    bool forwards_ipv6 = false;  ///< the Router flag of unsolicited neighbour advertisements
};

/// An address that lives while the router is Active.
struct AnnouncedAddress {
    IpAddress address;
    LinkIndex link = LinkIndex::none;  ///< where it lives, hence where it is announced
    MacAddress mac;                    ///< virtual MAC, or the MAC of that link
};

struct UnicastPeer {
    IpAddress address;
    std::uint8_t min_ttl = 0;
    std::uint8_t max_ttl = 255;
};

/// What the engine needs to know of one Virtual Router. Made from the configuration and the kernel's facts by
/// engine/daemon; the engine copies what it keeps.
struct RouterSpec {
    static constexpr std::size_t most_addresses = 65'535;   ///< in each of its lists

    std::string name;
    LinkIndex link = LinkIndex::none;
    Family family = Family::ipv4;
    VrrpVersion version = VrrpVersion::v2;
    Vrid vrid{1};
    Priority priority = Priority::default_value;
    Centiseconds interval{100};
    std::uint8_t down_timer_adverts = 3;
    std::uint32_t preempt_delay_ms = 0;
    std::uint8_t stalled_for = 0;               ///< timer_expired_backup: 1-254; 0: off
    std::uint16_t flags = static_cast<std::uint16_t>(Flag::preempt);  ///< engine::Flag; version2, ipv6, unicast, hmac are set by the engine
    IpAddress primary_address;                  ///< none, or one it may not send from: Fault::no_source_address holds
    MacAddress source_mac;                      ///< Ethernet source of the adverts
    IpAddress group;                            ///< multicast destination; unused with peers
    std::vector<UnicastPeer> peers;             ///< not empty: unicast
    std::uint8_t ttl = 255;
    std::vector<IpAddress> advertised;          ///< virtual_ipaddress, in configuration order
    std::vector<AnnouncedAddress> announced;    ///< virtual_ipaddress and virtual_ipaddress_excluded
    packet::ChecksumForm checksum = packet::ChecksumForm::pseudo_header;
    packet::AuthType auth_type = packet::AuthType::none;
    packet::AuthKey auth_key{};
    std::uint32_t ah_sequence_number = 0;       ///< of the last AH advert; wall-clock seconds, so that a restart goes on above
    arp::AnnouncementPlan announcements;
};

/// What auth_hmac does with adverts that have no trailer. One that is there must be right in each of them.
enum class HmacMode : std::uint8_t {
    enforce,        ///< signs; refuses adverts without
    permissive,     ///< signs; accepts them
    receive_only,   ///< does not sign; accepts them
};

/// auth_hmac, once for all routers that have the same.
struct HmacSpec {
    struct Key {
        std::uint8_t id = 1;                 ///< 1-255, each once
        std::vector<std::uint8_t> octets;    ///< 32-64
        friend bool operator==(const Key&, const Key&) = default;
    };
    std::vector<Key> keys;                   ///< at least one; adverts signed with any of them are accepted
    std::uint8_t active_key = 1;             ///< id of the key that signs
    HmacMode mode = HmacMode::enforce;
    bool checks_time = true;                 ///< anti_replay time: the sender's clock must be within the window of ours
    std::uint16_t window_seconds = 5;        ///< 1-300

    friend bool operator==(const HmacSpec&, const HmacSpec&) = default;
};

/// A router with auth_hmac.
struct HmacUser {
    RouterIndex router = RouterIndex::none;
    std::uint32_t hmac = 0;                  ///< in EngineSpec::hmacs
};

/// Routers that are Active together or not at all.
struct GroupSpec {
    std::string name;
    std::vector<RouterIndex> members;   ///< at least one; a router is in one group at most
};

/// Links whose announcements share one pace.
struct PacingGroup {
    Nanoseconds garp_interval{0};   ///< least gap between two gratuitous ARPs on all of them
    Nanoseconds gna_interval{0};    ///< the same for unsolicited NAs
    std::vector<LinkIndex> links;   ///< none of another group
};

/// Addresses of one router on one link that are announced again and again while it is Active, because its adverts do not keep their MAC known to the switches there.
struct ExtraRefresh {
    RouterIndex router = RouterIndex::none;
    LinkIndex link = LinkIndex::none;
    Nanoseconds period{0};                    ///< more than 0
    std::vector<std::uint16_t> addresses;     ///< positions in RouterSpec::announced
};

struct EngineSpec {
    std::vector<LinkSpec> links;
    std::vector<RouterSpec> routers;
    std::vector<GroupSpec> groups;
    std::vector<HmacSpec> hmacs;
    std::vector<HmacUser> hmac_users;   ///< in the order of the routers, each at most once
    arp::GratuitousForm form = arp::GratuitousForm::request;
    Nanoseconds garp_interval{0};   ///< least gap between two gratuitous ARPs on one link
    Nanoseconds gna_interval{0};    ///< the same for unsolicited NAs
    std::vector<PacingGroup> pacing_groups;   ///< of links for which these two do not hold
    std::vector<ExtraRefresh> extra_refreshes;   ///< ordered by router
};

}  // namespace vigil::engine
