// KEEPALIVED-MIB: vrrpInstanceTable and vrrpAddressTable.

#include "engine/snmp/tables.h"
#include "engine/snmp/values.h"

#include <algorithm>

namespace vigil::snmp {
namespace {

const Instance& instance_of(const Row& row) { return of<Instance>(row); }
const Picture& picture_of(const Row& row) { return *static_cast<const Picture*>(row.owner); }
const Settings& settings_of(const Row& row) { return picture_of(row).settings[instance_of(row).settings]; }
const Scripts& scripts_of(const Row& row) { return settings_of(row).scripts; }
const Address& address_of(const Row& row) { return of<Address>(row); }

Object are_addresses_set(const Row& row) {
    const auto& all = instance_of(row).addresses;
    return truth(std::all_of(all.begin(), all.end(), [](const Address& one) { return one.is_set; }));
}

Object interval(const Row& row) {
    const Settings& settings = settings_of(row);
    return gauge(settings.version == 2 ? settings.interval / 100 : settings.interval);
}

Object sync_group(const Row& row) {
    const std::uint32_t group = instance_of(row).group;
    return group == Instance::none ? Object() : Object(text(picture_of(row).groups[group].name));
}

const std::vector<Column>& instance_columns() {
    static const std::vector<Column> columns{
        {2, [](const Row& row) -> Object { return text(instance_of(row).name); }},
        {3, [](const Row& row) -> Object { return gauge(instance_of(row).vrid); }},
        {4, [](const Row& row) -> Object { return integer(static_cast<int>(instance_of(row).state)); }},
        {5, [](const Row& row) -> Object { return integer(static_cast<int>(settings_of(row).initial_state)); }},
        {6, [](const Row& row) -> Object { return integer(static_cast<int>(instance_of(row).state)); }},   // there is no second, wanted state
        {7, [](const Row& row) -> Object { return integer(instance_of(row).base_priority); }},
        {8, [](const Row& row) -> Object { return integer(instance_of(row).effective_priority); }},
        {9, are_addresses_set},
        {10, [](const Row& row) -> Object { return text(instance_of(row).interface); }},
        {11, [](const Row& row) -> Object { return truth(settings_of(row).tracks_primary); }},
        {12, interval},
        {13, [](const Row& row) -> Object { return truth(settings_of(row).preempts); }},
        {14, [](const Row& row) -> Object { return gauge(settings_of(row).preempt_delay); }},
        {15, [](const Row& row) -> Object { return integer(settings_of(row).auth_type); }},
        {16, [](const Row&) -> Object { return truth(false); }},   // LVS synchronisation
        {18, sync_group},
        {19, [](const Row& row) -> Object { return gauge(settings_of(row).garp_delay); }},
        {20, [](const Row& row) -> Object { return truth(settings_of(row).smtp_alert); }},
        {21, [](const Row& row) -> Object { return truth(!scripts_of(row).is_empty()); }},
        {22, [](const Row& row) -> Object { return text_or_none(scripts_of(row).master); }},
        {23, [](const Row& row) -> Object { return text_or_none(scripts_of(row).backup); }},
        {24, [](const Row& row) -> Object { return text_or_none(scripts_of(row).fault); }},
        {25, [](const Row& row) -> Object { return text_or_none(scripts_of(row).stop); }},
        {26, [](const Row& row) -> Object { return text_or_none(scripts_of(row).any); }},
        {27, [](const Row& row) -> Object { return truth(settings_of(row).accepts); }},
        {28, [](const Row&) -> Object { return truth(false); }},   // promote_secondaries
        {29, [](const Row&) -> Object { return truth(false); }},   // linkbeat by polling
        {30, [](const Row& row) -> Object { return integer(settings_of(row).version); }},
        {31, [](const Row& row) -> Object { return text_or_none(scripts_of(row).lower_priority); }},
        {32, [](const Row& row) -> Object { return text_or_none(scripts_of(row).deleted); }},
        {33, [](const Row& row) -> Object { return truth(settings_of(row).notifies_deleted); }},
        {34, [](const Row& row) -> Object { return address_type(settings_of(row).group.family); }},
        {35, [](const Row& row) -> Object { return octets(settings_of(row).group); }},
    };
    return columns;
}

/// keepalived has 0.0.0.0 where IPv4 has none, and no object for IPv6.
Object broadcast(const Row& row) {
    const Address& address = address_of(row);
    if (address.address.family == Family::ipv6) return std::nullopt;
    return octets(address.broadcast.value_or(IpAddress{}));
}

const std::vector<Column>& address_columns() {
    static const std::vector<Column> columns{
        {2, [](const Row& row) -> Object { return address_type(address_of(row).address.family); }},
        {3, [](const Row& row) -> Object { return octets(address_of(row).address); }},
        {4, broadcast},
        {5, [](const Row& row) -> Object { return gauge(address_of(row).prefix_length); }},
        {6, [](const Row& row) -> Object { return scope(address_of(row).scope); }},
        {7, [](const Row& row) -> Object { return integer(address_of(row).interface_index); }},
        {8, [](const Row& row) -> Object { return text_or_none(address_of(row).interface); }},
        {9, [](const Row& row) -> Object { return text_or_none(address_of(row).label); }},
        {10, [](const Row& row) -> Object { return truth(address_of(row).is_set); }},
        {11, [](const Row& row) -> Object { return truth(address_of(row).is_advertised); }},
        {12, [](const Row& row) -> Object { return octets(address_of(row).peer); }},
    };
    return columns;
}

}  // namespace

void add_instance_tables(std::vector<Table>& tables, const Picture& picture) {
    Table table{vrrp_entry(3), instance_columns(), {}};
    table.rows.reserve(picture.instances.size());
    for (std::size_t i = 0; i < picture.instances.size(); ++i) table.rows.push_back({{position(i)}, &picture.instances[i], &picture});
    tables.push_back(std::move(table));
}

/// Static ones are those of an instance 0.
void add_address_table(std::vector<Table>& tables, const Picture& picture) {
    Table table{vrrp_entry(6), address_columns(), {}};
    const auto add = [&](std::uint32_t instance, const std::vector<Address>& addresses) {
        for (std::size_t k = 0; k < addresses.size(); ++k) table.rows.push_back({{instance, position(k)}, &addresses[k], nullptr});
    };
    add(0, picture.static_addresses);
    for (std::size_t i = 0; i < picture.instances.size(); ++i) add(position(i), picture.instances[i].addresses);
    tables.push_back(std::move(table));
}

}  // namespace vigil::snmp
