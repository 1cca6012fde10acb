// The engine's specification as bytes, big-endian, field by field: links, routers and, behind them because older versions had none, sync groups and auth_hmac. Only
// journals carry it; their format has a version number, and there are no optional fields.

#include "engine/core/spec_codec.h"

#include <algorithm>

#include "engine/core/hmac_table.h"

namespace vigil::engine {
namespace {

class Sink {
public:
    explicit Sink(std::vector<std::uint8_t>& out) : out_(out) {}

    void u8(std::uint64_t value) { number(value, 1); }
    void u16(std::uint64_t value) { number(value, 2); }
    void u32(std::uint64_t value) { number(value, 4); }
    void i64(std::int64_t value) { number(static_cast<std::uint64_t>(value), 8); }
    void bytes(std::span<const std::uint8_t> value) { out_.insert(out_.end(), value.begin(), value.end()); }
    void text(std::string_view value) {
        u16(std::min<std::size_t>(value.size(), 0xffff));
        for (const char c : value.substr(0, 0xffff)) u8(static_cast<std::uint8_t>(c));
    }
    void address(const IpAddress& value) {
        u8(static_cast<std::uint8_t>(value.family));
        bytes(value.octets);
    }

private:
    void number(std::uint64_t value, int octets) {
        for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) out_.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    std::vector<std::uint8_t>& out_;
};

std::int64_t read_i64(packet::ByteReader& reader) {
    const std::uint64_t high = reader.u32();
    return static_cast<std::int64_t>(high << 32 | reader.u32());
}

/// False for what would overflow when it is added to an instant.
bool read_duration(packet::ByteReader& reader, Nanoseconds& out) {
    constexpr Nanoseconds longest{1'000'000'000'000'000'000};  // 31 years
    out = Nanoseconds{read_i64(reader)};
    return out >= Nanoseconds{0} && out <= longest;
}

std::string read_text(packet::ByteReader& reader) {
    const auto bytes = reader.take(reader.u16());
    return {bytes.begin(), bytes.end()};
}

template <std::size_t N>
void read_array(packet::ByteReader& reader, std::array<std::uint8_t, N>& out) {
    const auto bytes = reader.take(N);
    std::copy(bytes.begin(), bytes.end(), out.begin());
}

/// False for a number that is no enumerator.
template <class Enum>
bool read_enum(packet::ByteReader& reader, Enum& out, std::uint8_t last) {
    const std::uint8_t value = reader.u8();
    out = static_cast<Enum>(value);
    return value <= last;
}

bool read_ip(packet::ByteReader& reader, IpAddress& out) {
    if (!read_enum(reader, out.family, 1)) return false;
    read_array(reader, out.octets);
    return true;
}

void write_plan(Sink& sink, const arp::AnnouncementPlan& plan) {
    sink.u16(plan.repeat);
    sink.i64(plan.round_gap.count());
    sink.i64(plan.delay.count());
    sink.i64(plan.refresh.count());
    sink.u16(plan.refresh_repeat);
    sink.u16(plan.lower_repeat);
    sink.i64(plan.lower_delay.count());
}

bool read_plan(packet::ByteReader& reader, arp::AnnouncementPlan& plan) {
    plan.repeat = reader.u16();
    if (!read_duration(reader, plan.round_gap) || !read_duration(reader, plan.delay) || !read_duration(reader, plan.refresh)) return false;
    plan.refresh_repeat = reader.u16();
    plan.lower_repeat = reader.u16();
    return read_duration(reader, plan.lower_delay);
}

void write_router(Sink& sink, const RouterSpec& router) {
    sink.text(router.name);
    sink.u16(to_number(router.link));
    sink.u8(static_cast<std::uint8_t>(router.family));
    sink.u8(to_number(router.version));
    sink.u8(to_number(router.vrid));
    sink.u8(to_number(router.priority));
    sink.u16(router.interval.count());
    sink.u8(router.down_timer_adverts);
    sink.u32(router.preempt_delay_ms);
    sink.u16(router.flags);
    sink.address(router.primary_address);
    sink.bytes(router.source_mac.octets);
    sink.address(router.group);
    sink.u16(router.peers.size());
    for (const UnicastPeer& peer : router.peers) {
        sink.address(peer.address);
        sink.u8(peer.min_ttl);
        sink.u8(peer.max_ttl);
    }
    sink.u8(router.ttl);
    sink.u16(router.advertised.size());
    for (const IpAddress& address : router.advertised) sink.address(address);
    sink.u32(router.announced.size());
    for (const AnnouncedAddress& announced : router.announced) {
        sink.address(announced.address);
        sink.u16(to_number(announced.link));
        sink.bytes(announced.mac.octets);
    }
    sink.u8(static_cast<std::uint8_t>(router.checksum));
    sink.u8(static_cast<std::uint8_t>(router.auth_type));
    sink.bytes(router.auth_key);
    sink.u32(router.ah_sequence_number);
    write_plan(sink, router.announcements);
}

bool read_lists(packet::ByteReader& reader, RouterSpec& router, std::size_t link_count) {
    for (std::size_t n = reader.u16(); n != 0 && !reader.has_failed(); --n) {
        UnicastPeer& peer = router.peers.emplace_back();
        if (!read_ip(reader, peer.address)) return false;
        peer.min_ttl = reader.u8();
        peer.max_ttl = reader.u8();
    }
    router.ttl = reader.u8();
    for (std::size_t n = reader.u16(); n != 0 && !reader.has_failed(); --n) {
        if (!read_ip(reader, router.advertised.emplace_back())) return false;
    }
    for (std::size_t n = reader.u32(); n != 0 && !reader.has_failed(); --n) {
        AnnouncedAddress& announced = router.announced.emplace_back();
        if (!read_ip(reader, announced.address)) return false;
        announced.link = LinkIndex{reader.u16()};
        announced.mac = reader.mac();
        if (to_number(announced.link) >= link_count) return false;
    }
    return true;
}

bool read_router(packet::ByteReader& reader, RouterSpec& router, std::size_t link_count) {
    router.name = read_text(reader);
    router.link = LinkIndex{reader.u16()};
    if (to_number(router.link) >= link_count || !read_enum(reader, router.family, 1)) return false;
    if (!read_enum(reader, router.version, 3) || to_number(router.version) < 2) return false;
    router.vrid = Vrid{reader.u8()};
    router.priority = Priority{reader.u8()};
    router.interval = Centiseconds{reader.u16()};
    router.down_timer_adverts = reader.u8();
    router.preempt_delay_ms = reader.u32();
    router.flags = reader.u16();
    if (!read_ip(reader, router.primary_address)) return false;
    router.source_mac = reader.mac();
    if (!read_ip(reader, router.group) || !read_lists(reader, router, link_count)) return false;
    if (!read_enum(reader, router.checksum, 2) || !read_enum(reader, router.auth_type, 2)) return false;
    read_array(reader, router.auth_key);
    router.ah_sequence_number = reader.u32();
    if (!read_plan(reader, router.announcements)) return false;
    const bool has_sane_numbers = to_number(router.vrid) != 0 && to_number(router.priority) != 0 && router.interval.count() != 0 &&
                                  router.down_timer_adverts != 0 && router.peers.size() <= 1024 && router.group.family == router.family;
    return has_sane_numbers && !reader.has_failed();
}

void write_group(Sink& sink, const GroupSpec& group) {
    sink.text(group.name);
    sink.u32(group.members.size());
    for (const RouterIndex member : group.members) sink.u32(to_number(member));
}

bool read_group(packet::ByteReader& reader, GroupSpec& group, std::size_t router_count) {
    group.name = read_text(reader);
    for (std::size_t n = reader.u32(); n != 0 && !reader.has_failed(); --n) {
        if (to_number(group.members.emplace_back(RouterIndex{reader.u32()})) >= router_count) return false;
    }
    return !reader.has_failed();
}

void write_hmac(Sink& sink, const HmacSpec& hmac) {
    sink.u8(hmac.keys.size());
    for (const HmacSpec::Key& key : hmac.keys) {
        sink.u8(key.id);
        sink.u8(key.octets.size());
        sink.bytes(key.octets);
    }
    sink.u8(hmac.active_key);
    sink.u8(static_cast<std::uint8_t>(hmac.mode));
    sink.u8(hmac.checks_time);
    sink.u16(hmac.window_seconds);
}

bool read_hmac(packet::ByteReader& reader, HmacSpec& hmac) {
    for (std::size_t n = reader.u8(); n != 0 && !reader.has_failed(); --n) {
        HmacSpec::Key& key = hmac.keys.emplace_back();
        key.id = reader.u8();
        const auto octets = reader.take(reader.u8());
        key.octets.assign(octets.begin(), octets.end());
    }
    hmac.active_key = reader.u8();
    if (!read_enum(reader, hmac.mode, 2)) return false;
    hmac.checks_time = reader.u8() != 0;
    hmac.window_seconds = reader.u16();
    return !reader.has_failed();
}

bool read_hmacs(packet::ByteReader& reader, EngineSpec& spec) {
    for (std::size_t n = reader.u32(); n != 0 && !reader.has_failed(); --n) {
        if (!read_hmac(reader, spec.hmacs.emplace_back())) return false;
    }
    for (std::size_t n = reader.u32(); n != 0 && !reader.has_failed(); --n) {
        HmacUser& user = spec.hmac_users.emplace_back();
        user.router = RouterIndex{reader.u32()};
        user.hmac = reader.u32();
    }
    return !reader.has_failed() && find_hmac_error(spec).empty();
}

void write_pacing_group(Sink& sink, const PacingGroup& group) {
    sink.i64(group.garp_interval.count());
    sink.i64(group.gna_interval.count());
    sink.u16(group.links.size());
    for (const LinkIndex link : group.links) sink.u16(to_number(link));
}

bool read_pacing_group(packet::ByteReader& reader, PacingGroup& group, std::size_t link_count) {
    if (!read_duration(reader, group.garp_interval) || !read_duration(reader, group.gna_interval)) return false;
    for (std::size_t n = reader.u16(); n != 0 && !reader.has_failed(); --n) {
        if (to_number(group.links.emplace_back(LinkIndex{reader.u16()})) >= link_count) return false;
    }
    return !reader.has_failed();
}

void write_refresh(Sink& sink, const ExtraRefresh& refresh) {
    sink.u32(to_number(refresh.router));
    sink.u16(to_number(refresh.link));
    sink.i64(refresh.period.count());
    sink.u16(refresh.addresses.size());
    for (const std::uint16_t address : refresh.addresses) sink.u16(address);
}

bool read_refresh(packet::ByteReader& reader, ExtraRefresh& refresh, const EngineSpec& spec) {
    refresh.router = RouterIndex{reader.u32()};
    refresh.link = LinkIndex{reader.u16()};
    if (to_number(refresh.router) >= spec.routers.size() || to_number(refresh.link) >= spec.links.size()) return false;
    if (!read_duration(reader, refresh.period) || refresh.period <= Nanoseconds{0}) return false;
    const std::size_t address_count = spec.routers[to_number(refresh.router)].announced.size();
    for (std::size_t n = reader.u16(); n != 0 && !reader.has_failed(); --n) {
        if (refresh.addresses.emplace_back(reader.u16()) >= address_count) return false;
    }
    return !reader.has_failed();
}

bool is_ordered(const std::vector<ExtraRefresh>& refreshes) { return std::ranges::is_sorted(refreshes, {}, &ExtraRefresh::router); }

}  // namespace

void write_spec(std::vector<std::uint8_t>& out, const EngineSpec& spec) {
    Sink sink(out);
    sink.u8(static_cast<std::uint8_t>(spec.form));
    sink.i64(spec.garp_interval.count());
    sink.i64(spec.gna_interval.count());
    sink.u16(spec.links.size());
    for (const LinkSpec& link : spec.links) {
        sink.text(link.name);
        sink.bytes(link.mac.octets);
        sink.u8(link.is_up);
        sink.u8(link.forwards_ipv6);
    }
    sink.u32(spec.routers.size());
    for (const RouterSpec& router : spec.routers) write_router(sink, router);
    sink.u32(spec.groups.size());
    for (const GroupSpec& group : spec.groups) write_group(sink, group);
    sink.u32(spec.hmacs.size());
    for (const HmacSpec& hmac : spec.hmacs) write_hmac(sink, hmac);
    sink.u32(spec.hmac_users.size());
    for (const HmacUser& user : spec.hmac_users) {
        sink.u32(to_number(user.router));
        sink.u32(user.hmac);
    }
    sink.u16(spec.pacing_groups.size());
    for (const PacingGroup& group : spec.pacing_groups) write_pacing_group(sink, group);
    sink.u32(spec.extra_refreshes.size());
    for (const ExtraRefresh& refresh : spec.extra_refreshes) write_refresh(sink, refresh);
    for (const RouterSpec& router : spec.routers) sink.u8(router.stalled_for);
}

std::optional<EngineSpec> read_spec(packet::ByteReader& reader, std::uint16_t version) {
    EngineSpec spec;
    if (!read_enum(reader, spec.form, 2) || spec.form < arp::GratuitousForm::request) return std::nullopt;
    if (!read_duration(reader, spec.garp_interval) || !read_duration(reader, spec.gna_interval)) return std::nullopt;
    for (std::size_t n = reader.u16(); n != 0 && !reader.has_failed(); --n) {
        LinkSpec& link = spec.links.emplace_back();
        link.name = read_text(reader);
        link.mac = reader.mac();
        link.is_up = reader.u8() != 0;
        link.forwards_ipv6 = reader.u8() != 0;
    }
    for (std::size_t n = reader.u32(); n != 0 && !reader.has_failed(); --n) {
        if (!read_router(reader, spec.routers.emplace_back(), spec.links.size())) return std::nullopt;
    }
    for (std::size_t n = version >= 4 ? reader.u32() : 0; n != 0 && !reader.has_failed(); --n) {
        if (!read_group(reader, spec.groups.emplace_back(), spec.routers.size())) return std::nullopt;
    }
    if (version >= 5 && !read_hmacs(reader, spec)) return std::nullopt;
    for (std::size_t n = version >= 5 ? reader.u16() : 0; n != 0 && !reader.has_failed(); --n) {
        if (!read_pacing_group(reader, spec.pacing_groups.emplace_back(), spec.links.size())) return std::nullopt;
    }
    for (std::size_t n = version >= 5 ? reader.u32() : 0; n != 0 && !reader.has_failed(); --n) {
        if (!read_refresh(reader, spec.extra_refreshes.emplace_back(), spec)) return std::nullopt;
    }
    for (std::size_t i = 0; version >= 5 && i < spec.routers.size(); ++i) spec.routers[i].stalled_for = reader.u8();
    if (reader.has_failed() || !is_ordered(spec.extra_refreshes)) return std::nullopt;
    return spec;
}

}  // namespace vigil::engine
