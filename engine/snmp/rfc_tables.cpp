// The standards' own MIBs: RFC 2787 for VRRPv2 over IPv4, RFC 6527 for all instances (keepalived's builds tell of version 2 there as well).
//
// Rows are indexed by the interface, so an instance whose interface does not exist has none. Nothing can be written: the configuration is the file's.

#include "engine/snmp/tables.h"
#include "engine/snmp/values.h"

#include <algorithm>

namespace vigil::snmp {
namespace {

const Instance& instance_of(const Row& row) { return of<Instance>(row); }
const Picture& picture_of(const Row& row) { return *static_cast<const Picture*>(row.owner); }
const Settings& settings_of(const Row& row) { return picture_of(row).settings[instance_of(row).settings]; }
const Counters& counters_of(const Row& row) { return instance_of(row).counters; }
const Global& global_of(const Row& row) { return of<Global>(row); }

constexpr int active_row = 1;   // RowStatus

std::int64_t advertised_count(const Row& row) {
    const auto& all = instance_of(row).addresses;
    return std::count_if(all.begin(), all.end(), [](const Address& one) { return one.is_advertised; });
}

/// initialize(1), backup(2), master(3) in both.
Object operational_state(const Row& row) {
    const State state = instance_of(row).state;
    return integer(state == State::backup ? 2 : state == State::master ? 3 : 1);
}

/// A duration in RFC 6527.
Object age(const Row& row) { return number(Type::ticks, static_cast<std::int64_t>(instance_of(row).age_ticks)); }

/// The agent's uptime then, in RFC 2787; 0 for what was before the agent (TimeStamp in RFC 2579).
Object began(const Row& row) {
    const std::uint64_t age_ticks = instance_of(row).age_ticks;
    const std::uint64_t now = picture_of(row).agent_ticks;
    return number(Type::ticks, age_ticks != 0 && age_ticks < now ? static_cast<std::int64_t>(now - age_ticks) : 0);
}

bool is_in_rfc2787(const Picture& picture, const Instance& one) {
    return one.interface_index != 0 && one.family == Family::ipv4 && picture.settings[one.settings].version == 2;
}

template <typename Fits>
void add_instance_rows(Table& table, const Picture& picture, bool with_family, Fits fits) {
    for (const Instance& one : picture.instances) {
        if (one.interface_index == 0 || !fits(one)) continue;
        Oid index{one.interface_index, one.vrid};
        if (with_family) index.push_back(one.family == Family::ipv4 ? 1 : 2);
        table.rows.push_back({std::move(index), &one, &picture});
    }
}

template <typename Fits>
void add_address_rows(Table& table, const Picture& picture, bool with_family, Fits fits) {
    for (const Instance& one : picture.instances) {
        if (one.interface_index == 0 || !fits(one)) continue;
        for (const Address& address : one.addresses) {
            if (!address.is_advertised) continue;
            Oid index{one.interface_index, one.vrid};
            const auto bytes = address.address.bytes();
            if (with_family) {
                index.push_back(one.family == Family::ipv4 ? 1 : 2);
                index.push_back(static_cast<std::uint32_t>(bytes.size()));   // InetAddress has no fixed length (RFC 2578 §7.7)
            }
            index.insert(index.end(), bytes.begin(), bytes.end());
            table.rows.push_back({std::move(index), &one, &picture});
        }
    }
}

std::vector<Column> rfc2787_operations() {
    return {{2, [](const Row& row) -> Object { return mac_octets(instance_of(row).mac); }},
            {3, operational_state},
            {4, [](const Row& row) -> Object { return truth(instance_of(row).state != State::shutdown); }},
            {5, [](const Row& row) -> Object { return integer(instance_of(row).effective_priority); }},
            {6, [](const Row& row) -> Object { return integer(advertised_count(row)); }},
            {7, [](const Row& row) -> Object { return ip_address(instance_of(row).master); }},
            {8, [](const Row& row) -> Object { return ip_address(instance_of(row).source); }},
            {9, [](const Row& row) -> Object { return integer(settings_of(row).auth_type + 1); }},
            {11, [](const Row& row) -> Object { return integer(settings_of(row).interval / 100); }},
            {12, [](const Row& row) -> Object { return truth(settings_of(row).preempts); }},
            {13, began},
            {14, [](const Row&) -> Object { return integer(1); }},   // ip
            {15, [](const Row&) -> Object { return integer(active_row); }}};
}

std::vector<Column> rfc2787_statistics() {
    return {{1, [](const Row& row) -> Object { return counter(counters_of(row).became_active); }},
            {2, [](const Row& row) -> Object { return counter(counters_of(row).adverts_received); }},
            {3, [](const Row& row) -> Object { return counter(counters_of(row).interval_errors); }},
            {4, [](const Row& row) -> Object { return counter(counters_of(row).auth_failures); }},
            {5, [](const Row& row) -> Object { return counter(counters_of(row).ttl_errors); }},
            {6, [](const Row& row) -> Object { return counter(counters_of(row).stop_received); }},
            {7, [](const Row& row) -> Object { return counter(counters_of(row).stop_sent); }},
            {8, [](const Row& row) -> Object { return counter(counters_of(row).type_errors); }},
            {9, [](const Row& row) -> Object { return counter(counters_of(row).address_list_errors); }},
            {10, [](const Row& row) -> Object { return counter(counters_of(row).auth_type_unknown); }},
            {11, [](const Row& row) -> Object { return counter(counters_of(row).auth_type_mismatch); }},
            {12, [](const Row& row) -> Object { return counter(counters_of(row).length_errors); }}};
}

std::vector<Column> rfc6527_operations() {
    return {{3, [](const Row& row) -> Object { return octets(instance_of(row).master); }},
            {4, [](const Row& row) -> Object { return octets(instance_of(row).source); }},
            {5, [](const Row& row) -> Object { return mac_octets(instance_of(row).mac); }},
            {6, operational_state},
            {7, [](const Row& row) -> Object { return gauge(instance_of(row).effective_priority); }},
            {8, [](const Row& row) -> Object { return integer(advertised_count(row)); }},
            {9, [](const Row& row) -> Object { return integer(settings_of(row).interval); }},
            {10, [](const Row& row) -> Object { return truth(settings_of(row).preempts); }},
            {11, [](const Row& row) -> Object { return truth(settings_of(row).accepts); }},
            {12, age},
            {13, [](const Row&) -> Object { return integer(active_row); }}};
}

std::vector<Column> rfc6527_statistics() {
    return {{1, [](const Row& row) -> Object { return counter(counters_of(row).became_active); }},
            {2, [](const Row& row) -> Object { return integer(static_cast<int>(instance_of(row).reason)); }},
            {3, [](const Row& row) -> Object { return counter64(counters_of(row).adverts_received); }},
            {4, [](const Row& row) -> Object { return counter64(counters_of(row).interval_errors); }},
            {5, [](const Row& row) -> Object { return counter64(counters_of(row).ttl_errors); }},
            {6, [](const Row& row) -> Object { return integer(counters_of(row).ttl_errors != 0 ? 1 : 0); }},   // of what can be told of one router
            {7, [](const Row& row) -> Object { return counter64(counters_of(row).stop_received); }},
            {8, [](const Row& row) -> Object { return counter64(counters_of(row).stop_sent); }},
            {9, [](const Row& row) -> Object { return counter64(counters_of(row).type_errors); }},
            {10, [](const Row& row) -> Object { return counter64(counters_of(row).address_list_errors); }},
            {11, [](const Row& row) -> Object { return counter64(counters_of(row).length_errors); }},
            {12, [](const Row&) -> Object { return number(Type::ticks, 0); }},
            {13, [](const Row& row) -> Object { return gauge(settings_of(row).interval * 10); }}};   // milliseconds
}

}  // namespace

void add_rfc2787_tables(std::vector<Table>& tables, const Picture& picture) {
    const auto fits = [&](const Instance& one) { return is_in_rfc2787(picture, one); };
    const Row scalar{{0}, &picture.global, nullptr};
    tables.push_back({rfc2787_root + Oid{1},
                      {{1, [](const Row&) -> Object { return integer(2); }},   // vrrpNodeVersion
                       {2, [](const Row& row) -> Object { return truth(global_of(row).has_traps); }}},
                      {scalar}});
    Table operations{rfc2787_root + Oid{1, 3, 1}, rfc2787_operations(), {}};
    add_instance_rows(operations, picture, false, fits);
    Table addresses{rfc2787_root + Oid{1, 4, 1}, {{2, [](const Row&) -> Object { return integer(active_row); }}}, {}};
    add_address_rows(addresses, picture, false, fits);
    Table statistics{rfc2787_root + Oid{2, 4, 1}, rfc2787_statistics(), {}};
    add_instance_rows(statistics, picture, false, fits);
    tables.push_back({rfc2787_root + Oid{2},
                      {{1, [](const Row& row) -> Object { return counter(global_of(row).checksum_errors); }},
                       {2, [](const Row& row) -> Object { return counter(global_of(row).version_errors); }},
                       {3, [](const Row& row) -> Object { return counter(global_of(row).vrid_errors); }}},
                      {scalar}});
    for (Table* table : {&operations, &addresses, &statistics}) tables.push_back(std::move(*table));
}

void add_rfc6527_tables(std::vector<Table>& tables, const Picture& picture) {
    const auto fits = [](const Instance&) { return true; };
    Table operations{rfc6527_root + Oid{1, 1, 1, 1}, rfc6527_operations(), {}};
    add_instance_rows(operations, picture, true, fits);
    Table addresses{rfc6527_root + Oid{1, 1, 2, 1}, {{2, [](const Row&) -> Object { return integer(active_row); }}}, {}};
    add_address_rows(addresses, picture, true, fits);
    Table statistics{rfc6527_root + Oid{1, 2, 5, 1}, rfc6527_statistics(), {}};
    add_instance_rows(statistics, picture, true, fits);
    tables.push_back({rfc6527_root + Oid{1, 2},
                      {{1, [](const Row& row) -> Object { return counter64(global_of(row).checksum_errors); }},
                       {2, [](const Row& row) -> Object { return counter64(global_of(row).version_errors); }},
                       {3, [](const Row& row) -> Object { return counter64(global_of(row).vrid_errors); }},
                       {4, [](const Row&) -> Object { return number(Type::ticks, 0); }}},
                      {{{0}, &picture.global, nullptr}}});
    for (Table* table : {&operations, &addresses, &statistics}) tables.push_back(std::move(*table));
}

}  // namespace vigil::snmp
