/// The effective model for people: keywords of the file with the values that are in effect, so what stands here could be put into a
/// file again (apart from masked passwords).

#include <algorithm>

#include "config/dump_writer.h"
#include "config/interpreter.h"
#include "config/load.h"
#include "config/values.h"

namespace vigil::config {

namespace {

std::string address_text(const ConfiguredAddress& address) {
    std::string text = to_string(address.address) + '/' + std::to_string(address.prefix_length);
    if (address.broadcast) text += " brd " + to_string(*address.broadcast);
    if (address.peer) text += " peer " + to_string(*address.peer);
    if (!address.device.empty()) text += " dev " + std::string(address.device);
    if (!address.label.empty()) text += " label " + std::string(address.label);
    if (address.scope != 0) text += " scope " + std::to_string(address.scope);
    if (address.home_address) text += " home";
    if (address.duplicate_detection) text += " -nodad";
    if (address.manage_temporary) text += " mngtmpaddr";
    if (address.no_prefix_route) text += " noprefixroute";
    if (address.auto_join) text += " autojoin";
    if (address.no_track) text += " no_track";
    if (address.use_vmac) text += " use_vmac";
    if (address.preferred_lifetime != ConfiguredAddress::forever) text += " preferred_lft " + std::to_string(address.preferred_lifetime);
    return text;
}

void write_addresses(Writer& out, std::string_view name, const std::vector<ConfiguredAddress>& addresses) {
    if (addresses.empty()) return;
    out.block(name);
    for (const ConfiguredAddress& address : addresses) out.line(address_text(address));
    out.end();
}

template <typename Line>
void write_lines(Writer& out, std::string_view name, const std::vector<Line>& lines) {
    if (lines.empty()) return;
    out.block(name);
    for (const Line& line : lines) out.line(to_string(line));
    out.end();
}

/// `has_definitions`: what is not said would be taken from there.
void write_tracked(Writer& out, std::string_view name, const std::vector<TrackedItem>& items, bool has_definitions) {
    const auto is_own = [](const TrackedItem& item) { return !item.of_group && !item.of_route; };  // the others stand elsewhere
    if (std::none_of(items.begin(), items.end(), is_own)) return;
    out.block(name);
    for (const TrackedItem& item : items) {
        if (!is_own(item)) continue;
        std::string text(item.name);
        if (item.weight) text += " weight " + std::to_string(*item.weight);
        if (item.reverse) text += " reverse";
        else if (has_definitions) text += " noreverse";
        out.line(text);
    }
    out.end();
}

/// `default_refresh`: of the extra one, where none is said.
void write_announcements(Writer& out, std::string_view prefix, const AnnouncementSettings& settings, Nanoseconds default_refresh) {
    const std::string name(prefix);
    out.line(name + "garp_master_delay", seconds_text(settings.delay));
    out.number(name + "garp_master_repeat", settings.repeat);
    out.line(name + "garp_master_refresh", seconds_text(settings.refresh));
    out.number(name + "garp_master_refresh_repeat", settings.refresh_repeat);
    out.line(name + "garp_lower_prio_delay", seconds_text(settings.lower_prio_delay));
    out.number(name + "garp_lower_prio_repeat", settings.lower_prio_repeat);
    if (settings.extra_refresh > Nanoseconds{0} || default_refresh > Nanoseconds{0}) {
        out.line(name + "garp_extra_if", (settings.extra_everywhere ? "all " : "") + seconds_text(settings.extra_refresh));
    }
}

void write_bfd_process(Writer& out, const BfdProcessSettings& process) {
    out.text("bfd_process_name", process.name);
    if (process.nice) out.line("bfd_priority", std::to_string(*process.nice));
    if (process.rt_priority != 0) out.number("bfd_rt_priority", process.rt_priority);
    out.flag("bfd_no_swap", process.no_swap);
    if (process.rlimit_rttime != 0) out.number("bfd_rlimit_rttime", process.rlimit_rttime);
    std::string cpus;
    for (const unsigned cpu : process.cpus) cpus += (cpus.empty() ? "" : " ") + std::to_string(cpu);
    out.text("bfd_cpu_affinity", cpus);
}

void write_snmp(Writer& out, const SnmpSettings& snmp) {
    out.flag("enable_snmp_vrrp", snmp.vrrp);
    out.flag("enable_snmp_rfcv2", snmp.rfc2787);
    out.flag("enable_snmp_rfcv3", snmp.rfc6527);
    out.flag("enable_traps", snmp.traps);
    out.text("snmp_socket", snmp.socket);
}

void write_mail(Writer& out, const GlobalDefinitions& global) {
    out.text("notification_email_from", global.notification_email_from);
    if (!global.smtp_server.empty()) out.line("smtp_server", std::string(global.smtp_server) + ' ' + std::to_string(global.smtp_port));
    if (!global.notification_email.empty()) {
        out.block("notification_email");
        for (const std::string_view address : global.notification_email) out.line(address);
        out.end();
    }
    out.text("smtp_helo_name", global.smtp_helo_name);
    out.line("smtp_connect_timeout", seconds_text(global.smtp_connect_timeout));
    out.flag("no_email_faults", global.no_email_faults);
}

void write_global(Writer& out, const GlobalDefinitions& global, const InterfaceDefinitions& interfaces) {
    out.block("global_defs");
    out.text("router_id", global.router_id);
    write_mail(out, global);
    out.flag("enable_script_security", global.enable_script_security);
    if (!global.script_user.empty()) out.line("script_user", std::string(global.script_user) + ' ' + std::string(global.script_group));
    write_fifo(out, "notify_fifo", global.notify_fifo);
    write_fifo(out, "vrrp_notify_fifo", global.vrrp_notify_fifo);
    out.flag("vrrp_notify_priority_changes", global.vrrp_notify_priority_changes);
    out.flag("fifo_write_vrrp_states_on_reload", global.fifo_write_vrrp_states_on_reload);
    if (global.json_version != 1) out.number("json_version", global.json_version);
    out.text("state_dump_file", global.state_dump_file);
    out.text("stats_dump_file", global.stats_dump_file);
    out.text("json_dump_file", global.json_dump_file);
    out.flag("data_use_instance", global.data_use_instance);
    out.number("vrrp_version", to_number(global.vrrp_version));
    out.flag("vrrp_strict", global.vrrp_strict);
    out.flag("vrrp_skip_check_adv_addr", global.vrrp_skip_check_adv_addr);
    out.flag("vrrp_check_unicast_src", global.vrrp_check_unicast_src);
    out.line("vrrp_mcast_group4", to_string(global.vrrp_mcast_group4));
    out.line("vrrp_mcast_group6", to_string(global.vrrp_mcast_group6));
    out.line("vrrp_garp_interval", seconds_text(global.vrrp_garp_interval));
    out.line("vrrp_gna_interval", seconds_text(global.vrrp_gna_interval));
    write_announcements(out, "vrrp_", global.announcements, Nanoseconds{0});
    if (global.vrrp_priority) out.line("vrrp_priority", std::to_string(*global.vrrp_priority));
    if (global.vrrp_rt_priority != 0) out.number("vrrp_rt_priority", global.vrrp_rt_priority);
    out.flag("vrrp_no_swap", global.vrrp_no_swap);
    if (global.vmac_prefix != GlobalDefinitions{}.vmac_prefix) out.text("vmac_prefix", global.vmac_prefix);
    write_bfd_process(out, global.bfd);
    if (global.vrrp_startup_delay > Nanoseconds{0}) out.line("vrrp_startup_delay", seconds_text(global.vrrp_startup_delay));
    out.text("vmac_addr_prefix", global.vmac_addr_prefix);
    out.line("nftables", global.nftables.table);
    out.line("nftables_priority", std::to_string(global.nftables.priority));
    out.flag("nftables_ifindex", global.nftables.by_interface_index);
    out.flag("nftables_counters", global.nftables.has_counters);
    write_snmp(out, global.snmp);
    if (global.default_interface != "eth0") out.line("default_interface", global.default_interface);
    out.text("iproute_usr_dir", global.iproute_usr_dir);
    out.text("iproute_etc_dir", global.iproute_etc_dir);
    if (global.vrrp_delay_after_boot > Nanoseconds{0}) out.line("vrrp_delay_after_boot", seconds_text(global.vrrp_delay_after_boot));
    out.flag("log_unknown_vrids", global.log_unknown_vrids);
    if (interfaces.may_be_absent) out.line("dynamic_interfaces", interfaces.may_change_kind ? "allow_if_changes" : "");
    write_process_definitions(out, global.process);
    write_lvs_definitions(out, global.lvs);
    out.end();
    write_lvs_root(out, global.lvs);
    out.text("net_namespace", global.net_namespace);
    out.text("instance", global.instance);
    out.flag("use_pid_dir", global.use_pid_dir);
    if (global.process.child_wait_time != ProcessDefinitions{}.child_wait_time) out.number("child_wait_time", global.process.child_wait_time);
}

void write_interfaces(Writer& out, const InterfaceDefinitions& interfaces) {
    if (!interfaces.delays.empty()) {
        out.block("interface_up_down_delays");
        for (const InterfaceDelay& delay : interfaces.delays) {
            out.line(std::string(delay.name) + ' ' + seconds_text(delay.down) + ' ' + seconds_text(delay.up));
        }
        out.end();
    }
    if (!interfaces.polled.empty()) {
        out.block("linkbeat_interfaces");
        for (const PolledInterface& polled : interfaces.polled) out.line(polled.name, polled.probe ? name_of(*polled.probe) : std::string_view());
        out.end();
    }
    out.flag("linkbeat_use_polling", interfaces.polls_all);
}

void write_scripts(Writer& out, const std::vector<NotifyScript>& scripts) {
    for (const NotifyScript& script : scripts) out.line(keyword_of(script.event), quoted_command(script.command) + owner_of(script));
}

void write_ipvlan(Writer& out, const VrrpInstance& instance) {
    if (!instance.ipvlan) return;
    const IpvlanSettings& ipvlan = *instance.ipvlan;
    std::string text(ipvlan.name);
    if (ipvlan.address) text += ' ' + to_string(*ipvlan.address) + '/' + std::to_string(ipvlan.prefix_length);
    (text += ' ') += name_of(ipvlan.mode);
    if (ipvlan.group != 0) text += " group " + std::to_string(ipvlan.group);
    out.line("use_ipvlan", text);
}

void write_network(Writer& out, const VrrpInstance& instance) {
    if (instance.source_address) out.line(instance.unicast ? "unicast_src_ip" : "mcast_src_ip", to_string(*instance.source_address));
    out.flag("track_src_ip", instance.track_src_ip);
    if (instance.unicast) {
        out.block("unicast_peer");
        for (const UnicastPeer& peer : instance.unicast_peers) {
            std::string text = to_string(peer.address);
            if (peer.min_ttl != 0) text += " min_ttl " + std::to_string(peer.min_ttl);
            if (peer.max_ttl != 255) text += " max_ttl " + std::to_string(peer.max_ttl);
            out.line(text);
        }
        out.end();
        if (instance.unicast_ttl) out.number("unicast_ttl", *instance.unicast_ttl);
        out.flag("check_unicast_src", instance.check_unicast_src);
    } else {
        out.line("mcast_dst_ip", to_string(instance.multicast_group));
        out.flag("unicast_fault_no_peer", instance.lacks_peers);
    }
    if (instance.virtual_mac.enabled) {
        std::string text(instance.virtual_mac.name);
        if (instance.virtual_mac.address) text += ' ' + to_string(*instance.virtual_mac.address);
        if (instance.virtual_mac.netlink_notify) text += " netlink_notify_msg";
        if (instance.virtual_mac.group != 0) text += " group " + std::to_string(instance.virtual_mac.group);
        out.line("use_vmac", text);
    }
    write_ipvlan(out, instance);
    out.text("vrf", instance.vrf);
    if (instance.virtual_mac.mode == VirtualMacMode::nftables) out.line("vmac_mode", "nftables");
    out.flag("use_vmac_addr", instance.use_vmac_addr);
    out.flag("vmac_xmit_base", instance.vmac_xmit_base);
    if (instance.old_unicast_checksum != OldUnicastChecksum::detect) {
        out.line("old_unicast_checksum", instance.old_unicast_checksum == OldUnicastChecksum::never ? "never" : "");
    }
    out.flag("v3_checksum_as_v2", instance.v3_checksum_as_v2);
}

void write_hmac(Writer& out, const HmacSettings& settings) {
    if (!settings.is_used()) return;
    out.block("auth_hmac");
    for (const HmacKey& key : settings.keys) out.line("key", std::to_string(key.id) + " ********");
    out.number("active_key", settings.active_key);
    out.line("anti_replay", settings.checks_time ? "time" : "monotonic");
    if (settings.checks_time) out.number("time_window", settings.time_window);
    switch (settings.mode) {
        case HmacMode::enforce: out.line("mode", "enforce"); break;
        case HmacMode::permissive: out.line("mode", "permissive"); break;
        case HmacMode::receive_only: out.line("mode", "receive-only"); break;
    }
    out.end();
}

void write_instance(Writer& out, const VrrpInstance& instance, const GlobalDefinitions& global) {
    out.block("vrrp_instance", instance.name);
    out.line("state", instance.state == InitialState::master ? "MASTER" : "BACKUP");
    out.text("interface", instance.interface);
    out.number("virtual_router_id", to_number(instance.vrid));
    out.number("priority", to_number(instance.priority));
    out.number("version", to_number(instance.version));
    out.line("advert_int", seconds_text(instance.advert_int));
    out.number("down_timer_adverts", instance.down_timer_adverts);
    out.flag("nopreempt", instance.nopreempt);
    if (instance.timer_expired_backup != 0) out.number("timer_expired_backup", instance.timer_expired_backup);
    if (instance.preempt_delay > Nanoseconds{0}) out.line("preempt_delay", seconds_text(instance.preempt_delay));
    if (instance.auth_type != AuthenticationType::none) {
        out.block("authentication");
        out.line("auth_type", instance.auth_type == AuthenticationType::ah ? "AH" : "PASS");
        out.line("auth_pass", "********");
        out.end();
    }
    write_hmac(out, instance.auth_hmac);
    write_network(out, instance);
    write_announcements(out, "", instance.announcements, global.announcements.extra_refresh);
    out.line("strict_mode", instance.strict_mode ? "on" : "off");
    out.line("skip_check_adv_addr", instance.skip_check_adv_addr ? "on" : "off");
    out.line(instance.accept ? "accept" : "no_accept");
    out.flag("promote_secondaries", instance.promote_secondaries);
    if (instance.steps_back_when_address_deleted) out.line("deleted_address", "step_back");
    out.flag("lower_prio_no_advert", instance.lower_prio_no_advert);
    out.flag("higher_prio_send_advert", instance.higher_prio_send_advert);
    out.flag("owner_ignore_adverts", instance.owner_ignore_adverts);
    out.flag("dont_track_primary", instance.dont_track_primary);
    write_addresses(out, "virtual_ipaddress", instance.virtual_addresses);
    write_addresses(out, "virtual_ipaddress_excluded", instance.excluded_addresses);
    write_lines(out, "virtual_routes", instance.virtual_routes);
    write_lines(out, "virtual_rules", instance.virtual_rules);
    write_tracked(out, "track_interface", instance.track_interfaces, false);
    write_tracked(out, "track_script", instance.track_scripts, true);
    write_tracked(out, "track_file", instance.track_files, true);
    write_tracked(out, "track_process", instance.track_processes, true);
    write_tracked(out, "track_bfd", instance.track_bfds, true);
    write_scripts(out, instance.scripts);
    out.flag("notify_deleted", instance.notify_deleted && find_script(instance, ScriptEvent::deleted) == nullptr);
    out.line("smtp_alert", instance.smtp_alert ? "on" : "off");
    out.line("notify_priority_changes", instance.notify_priority_changes ? "on" : "off");
    out.end();
}

void write_members(Writer& out, const std::vector<GroupMember>& members) {
    out.block("group");
    for (const GroupMember& member : members) out.line(member.name);
    out.end();
}

void write_sync_group(Writer& out, const VrrpSyncGroup& group) {
    out.block("vrrp_sync_group", group.name);
    write_members(out, group.members);
    out.flag("sync_group_tracking_weight", group.tracking_weight);
    write_tracked(out, "track_interface", group.track_interfaces, false);
    write_tracked(out, "track_script", group.track_scripts, true);
    write_tracked(out, "track_file", group.track_files, true);
    write_tracked(out, "track_process", group.track_processes, true);
    write_tracked(out, "track_bfd", group.track_bfds, true);
    if (group.smtp_alert) out.line("smtp_alert", *group.smtp_alert ? "on" : "off");
    if (group.notify_priority_changes) out.line("notify_priority_changes", *group.notify_priority_changes ? "on" : "off");
    write_scripts(out, group.scripts);
    out.end();
}

void write_garp_group(Writer& out, const GarpGroup& group) {
    out.block("garp_group");
    if (group.garp_interval) out.line("garp_interval", seconds_text(*group.garp_interval));
    if (group.gna_interval) out.line("gna_interval", seconds_text(*group.gna_interval));
    out.block("interfaces");
    for (const std::string_view name : group.interfaces) out.line(name);
    out.end();
    out.end();
}

std::string weight_text(std::int16_t weight, bool is_reverse) { return std::to_string(weight) + (is_reverse ? " reverse" : ""); }

void write_script(Writer& out, const VrrpScript& script) {
    out.block("vrrp_script", script.name);
    out.line("script", quoted_command(script.command.command));
    out.line("interval", seconds_text(script.interval));
    if (script.timeout > Nanoseconds{0}) out.line("timeout", seconds_text(script.timeout));
    out.number("rise", script.rise);
    out.number("fall", script.fall);
    out.line("weight", weight_text(script.weight, script.weight_reverse));
    if (const std::string owner = owner_of(script.command); !owner.empty()) {
        out.line("user", owner.substr(1));
    }
    out.flag("init_fail", script.init_fail);
    out.end();
}

void write_file(Writer& out, const TrackedFile& file) {
    out.block("track_file", file.name);
    out.line("file", quoted(file.path));
    out.line("weight", weight_text(file.weight, file.weight_reverse));
    if (file.initial_value) out.line("init_file", std::to_string(*file.initial_value) + (file.overwrite ? " overwrite" : ""));
    out.end();
}

void write_process(Writer& out, const TrackedProcess& process) {
    out.block("vrrp_track_process", process.name);
    std::string command = quoted(process.program);
    for (const std::string_view parameter : process.parameters) command += ' ' + quoted(parameter);
    out.line("process", command);
    switch (process.match) {
        case ParameterMatch::none: break;
        case ParameterMatch::exact: out.line("param_match"); break;
        case ParameterMatch::partial: out.line("param_match", "partial"); break;
        case ParameterMatch::initial: out.line("param_match", "initial"); break;
    }
    out.flag("full_command", process.full_command);
    if (process.quorum != 0) out.number("quorum", process.quorum);
    if (process.quorum_max != TrackedProcess::unlimited) out.number("quorum_max", process.quorum_max);
    if (process.terminate_delay > Nanoseconds{0}) out.line("terminate_delay", seconds_text(process.terminate_delay));
    if (process.fork_delay > Nanoseconds{0}) out.line("fork_delay", seconds_text(process.fork_delay));
    out.line("weight", weight_text(process.weight, process.weight_reverse));
    out.end();
}

void write_static_addresses(Writer& out, const std::vector<StaticAddress>& addresses) {
    if (addresses.empty()) return;
    out.block("static_ipaddress");
    for (const StaticAddress& one : addresses) {
        out.line(address_text(one.address) + (one.track_group.empty() ? "" : " track_group " + std::string(one.track_group)));
    }
    out.end();
}

std::string milliseconds(Nanoseconds time) { return seconds_text(time * 1000); }

void write_bfd(Writer& out, const BfdInstance& bfd) {
    out.block("bfd_instance", bfd.name);
    out.line("neighbor_ip", to_string(bfd.neighbor));
    if (bfd.source) out.line("source_ip", to_string(*bfd.source));
    out.line("min_rx", milliseconds(bfd.min_rx));
    out.line("min_tx", milliseconds(bfd.min_tx));
    out.line("idle_tx", milliseconds(bfd.idle_tx));
    out.number("multiplier", bfd.multiplier);
    out.flag("passive", bfd.passive);
    out.number("ttl", bfd.ttl);
    out.line("max_hops", std::to_string(bfd.max_hops));
    out.flag("multihop", bfd.multihop);
    out.line("weight", weight_text(bfd.weight, bfd.weight_reverse));
    if (!bfd.checker) out.line("vrrp");
    if (!bfd.vrrp) out.line("checker");
    out.end();
}

}  // namespace

void write_fifo(Writer& out, std::string_view name, const NotifyFifo& fifo) {
    if (fifo.path.empty()) return;
    const auto with_owner = [](std::string text, std::string_view user, std::string_view group) {
        if (!user.empty()) (text += ' ') += user;
        if (!group.empty()) (text += ' ') += group;
        return text;
    };
    out.line(name, with_owner(std::string(fifo.path), fifo.user, fifo.group));
    if (fifo.reader.command.empty()) return;
    out.line(std::string(name) + "_script", with_owner(quoted_command(fifo.reader.command), fifo.reader.user, fifo.reader.group));
}

std::string owner_of(const NotifyScript& script) {
    if (script.user.empty()) return {};
    return ' ' + std::string(script.user) + (script.group.empty() ? "" : ' ' + std::string(script.group));
}

std::string dump(const Configuration& configuration) {
    Writer out;
    write_global(out, configuration.global, configuration.interfaces);
    write_interfaces(out, configuration.interfaces);
    for (const VrrpScript& script : configuration.scripts) write_script(out, script);
    for (const TrackedFile& file : configuration.tracked_files) write_file(out, file);
    for (const TrackedProcess& process : configuration.tracked_processes) write_process(out, process);
    for (const BfdInstance& bfd : configuration.bfd_instances) write_bfd(out, bfd);
    for (const VrrpSyncGroup& group : configuration.sync_groups) write_sync_group(out, group);
    for (const TrackGroup& group : configuration.track_groups) {
        out.block("track_group", group.name);
        write_members(out, group.members);
        out.end();
    }
    for (const GarpGroup& group : configuration.garp_groups) write_garp_group(out, group);
    write_static_addresses(out, configuration.static_addresses);
    write_lines(out, "static_routes", configuration.static_routes);
    write_lines(out, "static_rules", configuration.static_rules);
    for (const VrrpInstance& instance : configuration.instances) write_instance(out, instance, configuration.global);
    write_servers(out, configuration);
    return out.take();
}

}  // namespace vigil::config
