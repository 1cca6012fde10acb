#pragma once

#include <string>
#include <vector>

#include "engine/snmp/picture.h"

namespace vigil::snmp {

/// Every record with at least one of everything that it may hold.
inline Picture picture_of_everything() {
    Picture picture;
    picture.global.version = "vigil v1";
    picture.global.router_id = "LVS_1";
    picture.global.smtp_server = "2001:db8::25";
    picture.global.mail_to = {"ops@example.com", "second@example.com"};
    picture.groups.push_back({.name = "G1", .state = State::master, .scripts = {.master = "/bin/true"}, .members = {"VI_1", "VI_2"}, .tracked = {}});
    picture.scripts.push_back({.name = "good", .command = "/bin/true", .weight = -7, .result = 3});
    picture.files.push_back({"file", "/run/file", 3, 2, true});
    picture.bfds.push_back({"neighbor", "", 1, -5, false});
    picture.processes.push_back({.name = "shell", .program = "sh", .parameters = "-c x", .quorum_max = -1});
    picture.static_addresses.push_back({.address = ipv4(198, 51, 100, 9), .broadcast = {}, .peer = ipv4(198, 51, 100, 10), .interface = "eth1", .label = {}});
    Route route;
    route.destination = ipv4(203, 0, 113, 0);
    route.prefix_length = 24;
    route.nexthops = {{.gateway = ipv4(192, 0, 2, 7), .interface = "eth0", .weight = 3}};
    route.metrics = {{2, 1400, true}};
    picture.static_routes.push_back(route);
    Rule rule;
    rule.from = ipv4(192, 0, 2, 0);
    rule.from_length = 24;
    rule.mark = 7;
    rule.tunnel_id = 0x1'0000'0002;
    picture.static_rules.push_back(rule);
    Settings settings;
    settings.group = vrrp_group_ipv4;
    settings.tracked[0].push_back({"lo", -2, true, 1});
    picture.settings.push_back(settings);
    for (std::uint8_t i = 1; i <= 2; ++i) {
        Instance instance;
        instance.name = "VI_" + std::to_string(i);
        instance.group = 0;
        instance.vrid = static_cast<std::uint8_t>(50 + i);
        instance.state = i == 1 ? State::master : State::fault;
        instance.base_priority = 100;
        instance.interface_index = 2;
        instance.interface = "eth0";
        instance.source = ipv4(192, 0, 2, 1);
        instance.master = ipv4(192, 0, 2, 1);
        instance.addresses = {{.address = ipv4(192, 0, 2, static_cast<std::uint8_t>(99 + i)), .prefix_length = 24, .broadcast = {}, .peer = {}, .interface = "eth0",
                               .label = {}, .is_set = i == 1, .is_advertised = true}};
        picture.instances.push_back(instance);
    }
    return picture;
}

}  // namespace vigil::snmp
