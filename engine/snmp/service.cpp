// Which tables make a tree, and what a transition is told as.

#include "engine/snmp/tables.h"
#include "engine/snmp/values.h"

namespace vigil::snmp {
namespace {

/// keepalived's notifications carry the columns without an index.
Notification group_notification(const Transition& transition) {
    return {keepalived_root + Oid{2, 10, 0, 1},
            {{vrrp_entry(1) + Oid{2}, text(transition.name)},
             {vrrp_entry(1) + Oid{3}, integer(static_cast<int>(transition.state))},
             {keepalived_root + Oid{1, 2, 0}, text(transition.router_id)}}};
}

Notification instance_notification(const Transition& transition) {
    return {keepalived_root + Oid{2, 10, 0, 2},
            {{vrrp_entry(3) + Oid{2}, text(transition.name)},
             {vrrp_entry(3) + Oid{4}, integer(static_cast<int>(transition.state))},
             {vrrp_entry(3) + Oid{5}, integer(static_cast<int>(transition.initial_state))},
             {keepalived_root + Oid{1, 2, 0}, text(transition.router_id)}}};
}

/// RFC 2787 vrrpTrapNewMaster.
Notification rfc2787_new_master(const Transition& transition) {
    const Oid index{transition.interface_index, transition.vrid};
    return {rfc2787_root + Oid{0, 1}, {{rfc2787_root + Oid{1, 3, 1, 7} + index, ip_address(transition.source)}}};
}

/// RFC 6527 vrrpv3NewMaster.
Notification rfc6527_new_master(const Transition& transition) {
    const Oid index{transition.interface_index, transition.vrid, transition.source.family == Family::ipv4 ? 1u : 2u};
    return {rfc6527_root + Oid{0, 1},
            {{rfc6527_root + Oid{1, 1, 1, 1, 3} + index, octets(transition.source)},
             {rfc6527_root + Oid{1, 2, 5, 1, 2} + index, integer(static_cast<int>(transition.reason))}}};
}

}  // namespace

ObjectTree make_tree(const Picture& picture, const Service& service) {
    std::vector<Table> tables;
    if (service.vrrp) {
        for (const auto add : {add_global_tables, add_group_tables, add_instance_tables, add_tracker_tables, add_address_table, add_route_tables, add_rule_table}) {
            add(tables, picture);
        }
    }
    if (service.rfc2787) add_rfc2787_tables(tables, picture);
    if (service.rfc6527) add_rfc6527_tables(tables, picture);
    return ObjectTree(std::move(tables));
}

std::vector<Notification> notifications_of(const Transition& transition, const Service& service) {
    std::vector<Notification> all;
    if (!service.traps) return all;
    if (service.vrrp) all.push_back(transition.is_of_group ? group_notification(transition) : instance_notification(transition));
    const bool is_new_master = !transition.is_of_group && transition.state == State::master && transition.interface_index != 0;
    if (is_new_master && service.rfc2787 && transition.version == 2 && transition.source.family == Family::ipv4) all.push_back(rfc2787_new_master(transition));
    if (is_new_master && service.rfc6527) all.push_back(rfc6527_new_master(transition));
    return all;
}

}  // namespace vigil::snmp
