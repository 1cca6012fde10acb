#pragma once

#include <vector>

#include "engine/snmp/object_tree.h"
#include "engine/snmp/picture.h"

namespace vigil::snmp {

/// 1.3.6.1.4.1.9586.100.5: KEEPALIVED-MIB.
inline const Oid keepalived_root{1, 3, 6, 1, 4, 1, 9586, 100, 5};
/// 1.3.6.1.2.1.68: VRRP-MIB, RFC 2787.
inline const Oid rfc2787_root{1, 3, 6, 1, 2, 1, 68};
/// 1.3.6.1.2.1.207: VRRPV3-MIB, RFC 6527.
inline const Oid rfc6527_root{1, 3, 6, 1, 2, 1, 207};

inline Oid operator+(Oid oid, const Oid& more) {
    oid.insert(oid.end(), more.begin(), more.end());
    return oid;
}

// Each adds the tables of one part to `tables`. Their rows look into `picture`, which has to outlive them.

void add_global_tables(std::vector<Table>& tables, const Picture& picture);
void add_instance_tables(std::vector<Table>& tables, const Picture& picture);
void add_group_tables(std::vector<Table>& tables, const Picture& picture);
void add_tracker_tables(std::vector<Table>& tables, const Picture& picture);
void add_address_table(std::vector<Table>& tables, const Picture& picture);
void add_route_tables(std::vector<Table>& tables, const Picture& picture);
void add_rule_table(std::vector<Table>& tables, const Picture& picture);
void add_rfc2787_tables(std::vector<Table>& tables, const Picture& picture);
void add_rfc6527_tables(std::vector<Table>& tables, const Picture& picture);

/// All that `service` asks for.
ObjectTree make_tree(const Picture& picture, const Service& service);

/// vrrp.`table`.1.
inline Oid vrrp_entry(std::uint32_t table) { return keepalived_root + Oid{2, table, 1}; }
/// Counting from 1, as the MIBs do.
inline std::uint32_t position(std::size_t i) { return static_cast<std::uint32_t>(i + 1); }

/// One notification: its OID and the objects that it carries.
struct Notification {
    Oid oid;
    std::vector<std::pair<Oid, Value>> objects;
};
/// What a transition is told as, in the trees that are served.
std::vector<Notification> notifications_of(const Transition& transition, const Service& service);

}  // namespace vigil::snmp
