// The rules that mark packets by what they are addressed to, so that IPVS has one service, of a firewall mark, for all addresses of a group.
//
// One table of the inet family, in nft's words:
//
//   map ports4 { type ipv4_addr . inet_proto . inet_service : mark }
//   map hosts4 { type ipv4_addr . inet_proto : mark }                   places of every port
//   map ports6, hosts6                                                  the same for IPv6
//
//   chain in  { type filter hook prerouting priority -1
//     meta mark set ip daddr . meta l4proto map @hosts4
//     meta mark set ip daddr . meta l4proto . th dport map @ports4
//     the same for IPv6
//   }
//   chain out { type filter hook output priority -150      the same rules, for clients on this host
//
// A map without an entry ends its rule and leaves the mark alone. The rule of the ports comes last, so that it wins, as a service with a port wins in IPVS.
// IPVS looks for the mark of what comes in on the hook input, and of what this host sends on the hook output at priority -98: hence -150 there, whatever
// the file says. Later fragments have no port; IPVS sees packets put together again, with the mark of the first fragment.
//
// The table has an owner, our socket: a firewall that begins with `flush ruleset` leaves it, and a killed run leaves nothing behind. keepalived's table of the
// same name is of another family.

#include "arp/kernel/mark_table.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "arp/kernel/nftables_rule.h"

namespace vigil::arp::kernel {

namespace {

constexpr std::int32_t output_priority = -150;
constexpr std::size_t most_key_octets = 24;

struct Map {
    const char* name;
    Family family;
    bool has_port;
};
constexpr Map maps[] = {{"hosts4", Family::ipv4, false}, {"ports4", Family::ipv4, true}, {"hosts6", Family::ipv6, false}, {"ports6", Family::ipv6, true}};

std::uint32_t address_size(Family family) { return family == Family::ipv4 ? 4 : 16; }

bool is_of(const MarkedPlace& place, const Map& map) { return place.address.family == map.family && (place.port != 0) == map.has_port; }

void write_maps(NftablesBatch& batch, const std::string& table) {
    std::uint32_t id = 0;
    for (const Map& map : maps) {
        const std::uint32_t host_type = nft_concatenation(map.family == Family::ipv4 ? nft_type_ipv4 : nft_type_ipv6, nft_type_protocol);
        const NftablesSet set{.name = map.name,
                              .key_type = map.has_port ? nft_concatenation(host_type, nft_type_service) : host_type,
                              .key_size = address_size(map.family) + (map.has_port ? 8 : 4),
                              .value_type = nft_type_mark,
                              .value_size = 4};
        write_set(batch, table, set, ++id);
    }
}

void write_rules(NftablesBatch& batch, const std::string& table, const char* chain) {
    for (const Map& map : maps) {
        NftablesRule rule(batch, table, chain);
        rule.if_family(map.family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6)
            .mark_by(map.family == Family::ipv4 ? ipv4_destination_field : ipv6_destination_field, map.has_port, map.name)
            .append();
    }
}

/// Each part of a concatenation begins at a multiple of four octets.
std::size_t write_key(const MarkedPlace& place, std::array<std::uint8_t, most_key_octets>& key) {
    const auto octets = place.address.bytes();
    std::ranges::copy(octets, key.begin());
    std::size_t size = octets.size();
    key[size] = place.protocol;
    size += 4;
    if (place.port == 0) return size;
    key[size] = static_cast<std::uint8_t>(place.port >> 8);
    key[size + 1] = static_cast<std::uint8_t>(place.port & 0xff);
    return size + 4;
}

void write_places(NftablesBatch& batch, const std::string& table, ElementOperation operation, const std::vector<MarkedPlaces::value_type>& places) {
    for (const Map& map : maps) {
        std::vector<MarkedPlaces::value_type> members;
        std::ranges::copy_if(places, std::back_inserter(members), [&](const auto& one) { return is_of(one.first, map); });
        write_elements(batch, table, map.name, operation, std::span<const MarkedPlaces::value_type>(members), [&](nlmsghdr* message, const auto& one) {
            std::array<std::uint8_t, most_key_octets> key{};
            const std::size_t size = write_key(one.first, key);
            put_element_part(message, NFTA_SET_ELEM_KEY, std::span(key).first(size));
            if (operation == ElementOperation::remove) return;
            std::array<std::uint8_t, 4> mark{};
            std::memcpy(mark.data(), &one.second, mark.size());   // the host's order
            put_element_part(message, NFTA_SET_ELEM_DATA, mark);
        });
    }
}

}  // namespace

KernelResult<MarkTable> MarkTable::open(int send_buffer_bytes) {
    SocketOptions options;
    options.protocol = NETLINK_NETFILTER;
    options.send_buffer_bytes = send_buffer_bytes;
    auto socket = NetlinkSocket::open(options);
    if (!socket) return tl::unexpected(socket.error());
    return MarkTable(std::move(*socket));
}

KernelResult<void> MarkTable::set(const MarkTableShape& shape, const MarkedPlaces& places) {
    if (is_built_ && shape == shape_) {
        if (places == places_ || write_difference(places)) return {};
    }
    auto built = build_as(shape.table, shape, places);
    const bool is_taken = !built && (built.error().error_number == EEXIST || built.error().error_number == EPERM);   // EPERM: it has an owner
    if (is_taken) built = build_as(shape.table + "_" + std::to_string(socket_.port_id()), shape, places);
    return built;
}

KernelResult<void> MarkTable::build_as(const std::string& table, const MarkTableShape& shape, const MarkedPlaces& places) {
    NftablesBatch batch(socket_, NFPROTO_INET);
    if (is_built_) write_table_removal(batch, table_);
    write_owned_table(batch, table);
    write_maps(batch, table);
    const NftablesHook in{NF_INET_PRE_ROUTING, shape.priority};
    write_chain(batch, table, "in", &in);
    write_rules(batch, table, "in");
    const NftablesHook out{NF_INET_LOCAL_OUT, output_priority};
    write_chain(batch, table, "out", &out);
    write_rules(batch, table, "out");
    write_places(batch, table, ElementOperation::add, {places.begin(), places.end()});
    auto built = batch.commit();
    if (!built) return built;
    is_built_ = true;
    table_ = table;
    shape_ = shape;
    places_ = places;
    return built;
}

KernelResult<void> MarkTable::write_difference(const MarkedPlaces& places) {
    const auto missing_in = [](const MarkedPlaces& from, const MarkedPlaces& in) {
        std::vector<MarkedPlaces::value_type> result;
        std::ranges::set_difference(from, in, std::back_inserter(result));
        return result;
    };
    NftablesBatch batch(socket_, NFPROTO_INET);
    write_places(batch, table_, ElementOperation::remove, missing_in(places_, places));
    write_places(batch, table_, ElementOperation::add, missing_in(places, places_));
    auto written = batch.commit();
    if (written) places_ = places;
    return written;
}

KernelResult<void> MarkTable::clear() {
    places_.clear();
    if (!std::exchange(is_built_, false)) return {};
    NftablesBatch batch(socket_, NFPROTO_INET);
    write_table_removal(batch, table_);
    return batch.commit();
}

}  // namespace vigil::arp::kernel
