// KEEPALIVED-MIB: global.

#include "engine/snmp/tables.h"
#include "engine/snmp/values.h"

namespace vigil::snmp {
namespace {

const Global& global_of(const Row& row) { return of<Global>(row); }

Object server(const Row& row) {
    const auto address = read_address(global_of(row).smtp_server);
    return address ? Object(octets(*address)) : text_or_none(global_of(row).smtp_server);
}

Object server_type(const Row& row) {
    constexpr int dns = 16;
    const auto address = read_address(global_of(row).smtp_server);
    if (address) return address_type(address->family);
    return global_of(row).smtp_server.empty() ? Object() : Object(integer(dns));
}

constexpr int unset = 3;

}  // namespace

void add_global_tables(std::vector<Table>& tables, const Picture& picture) {
    const Row scalar{{0}, &picture.global, nullptr};
    tables.push_back({keepalived_root + Oid{1},
                      {{1, [](const Row& row) -> Object { return text(global_of(row).version); }},
                       {2, [](const Row& row) -> Object { return text(global_of(row).router_id); }},
                       {4, [](const Row& row) -> Object { return truth(global_of(row).has_traps); }},
                       {5, [](const Row&) -> Object { return integer(1); }},     // linkBeat: netlink
                       {6, [](const Row&) -> Object { return truth(false); }},   // lvsFlush
                       {7, [](const Row&) -> Object { return truth(true); }},    // ipvs64BitStats: since Linux 4.1
                       {8, [](const Row& row) -> Object { return text(global_of(row).net_namespace); }},
                       {9, [](const Row&) -> Object { return truth(false); }},   // dbus
                       {10, [](const Row&) -> Object { return truth(true); }},   // dynamicInterfaces: always, whatever the file says
                       {11, [](const Row&) -> Object { return truth(false); }}}, // lvsFlushOnStop
                      {scalar}});
    tables.push_back({keepalived_root + Oid{1, 3},
                      {{1, server_type},
                       {2, server},
                       {3, [](const Row& row) -> Object { return gauge(global_of(row).smtp_timeout); }},
                       {4, [](const Row& row) -> Object { return text_or_none(global_of(row).mail_from); }},
                       {6, [](const Row& row) -> Object { return gauge(global_of(row).smtp_port); }},
                       {7, [](const Row& row) -> Object { return truth(global_of(row).mails_faults); }},
                       {8, [](const Row&) -> Object { return integer(unset); }},   // each instance tells its own
                       {9, [](const Row&) -> Object { return integer(unset); }},
                       {10, [](const Row&) -> Object { return integer(unset); }}},
                      {scalar}});
    Table mails{keepalived_root + Oid{1, 3, 5, 1}, {{2, [](const Row& row) -> Object { return text(of<std::string>(row)); }}}, {}};
    for (std::size_t i = 0; i < picture.global.mail_to.size(); ++i) mails.rows.push_back({{position(i)}, &picture.global.mail_to[i], nullptr});
    tables.push_back(std::move(mails));
}

}  // namespace vigil::snmp
