/// global_defs. Defaults that an instance copies when its block opens (garp_*, down timer, checksum, address check) reach only the
/// instances that follow, as in keepalived, because a running pair of routers may depend on it; a note says so when it happens.

#include <algorithm>

#include "config/handler_table.h"
#include "config/interpreter.h"
#include "config/keyword_rows.h"
#include "config/values.h"
#include "config/words.h"

namespace vigil::config {

namespace {

using Handler = void (*)(Context&, GlobalDefinitions&, const Node&);

// check_arguments() has looked at the words before a handler sees them.
std::uint32_t number_of(const Node& node) { return static_cast<std::uint32_t>(read_number(node.word(1))->value); }
Nanoseconds seconds_of(const Node& node) { return std::chrono::microseconds{read_seconds(node.word(1))->value}; }
bool flag_of(const Node& node) { return node.word_count() < 2 || read_boolean(node.word(1)).value_or(true); }

void read_script_user(Context& context, GlobalDefinitions& global, const Node& node) {
    global.script_user = context.texts.intern(node.word(1));
    const std::string_view group = node.word(2);
    global.script_group = context.texts.intern(group.substr(group.starts_with(':') ? 1 : 0));
}

void read_include_check(Context& context, GlobalDefinitions&, const Node& node) {
    for (std::size_t index = 1; index < node.word_count(); ++index) {
        std::string_view word = node.word(index);
        const bool is_plain = !word.starts_with('+') && !word.starts_with('-');
        if (!is_plain) word.remove_prefix(1);
        const bool is_known = word == "read" || word == "match" || word == "wildcard_match" || word == "brace_match";
        if (!is_known) {
            context.reporter.error(node.line(), node.word(index), "'include_check' does not know '" + std::string(word) + "'",
                                   "one of read, match, wildcard_match, brace_match, with + or - from the second on");
        } else if (is_plain && index > 1) {
            context.reporter.error(node.line(), node.word(index), "only the first word of 'include_check' stands without + or -",
                                   "write +" + std::string(word));
        }
    }
}

/// nft prints no other names, and the name may get a suffix.
void read_nftables_table(Context& context, GlobalDefinitions& global, const Node& node) {
    if (node.word_count() < 2) return;
    const std::string_view name = node.word(1);
    constexpr std::size_t longest = 200;
    const auto fits = [](char c) { return is_name_part(c) || c == '.' || c == '/' || c == '\\'; };
    if (name.size() <= longest && is_name_start(name.front()) && std::all_of(name.begin(), name.end(), fits)) {
        global.nftables.table = context.texts.intern(name);
        return;
    }
    context.reporter.error(node.line(), name, "'nftables' expects the name of a table: letters, digits, _ . / and \\, a letter first: ignored",
                           "without a name it is keepalived");
}

void set_delay(Context&, GlobalDefinitions& global, const Node& node) {
    global.announcements.delay = std::chrono::seconds{number_of(node)};
}
void set_repeat(Context&, GlobalDefinitions& global, const Node& node) { global.announcements.repeat = std::max(1u, number_of(node)); }
void set_refresh(Context&, GlobalDefinitions& global, const Node& node) {
    global.announcements.refresh = std::chrono::seconds{number_of(node)};
}
void set_refresh_repeat(Context&, GlobalDefinitions& global, const Node& node) {
    global.announcements.refresh_repeat = std::max(1u, number_of(node));
}

/// Replaces only what is still the built-in default at this point of the file.
void set_min_garp(Context&, GlobalDefinitions& global, const Node& node) {
    global.vrrp_min_garp = flag_of(node);
    if (!global.vrrp_min_garp) return;
    const AnnouncementSettings built_in;
    AnnouncementSettings& now = global.announcements;
    if (now.repeat == built_in.repeat) now.repeat = 1;
    if (now.delay == built_in.delay) now.delay = Nanoseconds{0};
    if (now.refresh_repeat == built_in.refresh_repeat) now.refresh_repeat = 0;
}

/// A limit of 1 would end the process at its first look at the clock.
void set_bfd_rttime(Context&, GlobalDefinitions& global, const Node& node) { global.bfd.rlimit_rttime = std::max(2u, number_of(node)); }

void read_bfd_cpus(Context& context, GlobalDefinitions& global, const Node& node) {
    constexpr std::int64_t greatest_cpu = 1023;
    for (std::size_t index = 1; index < node.word_count(); ++index) {
        const auto cpu = read_number(node.word(index));
        if (cpu && !cpu->has_trailing && cpu->value >= 0 && cpu->value <= greatest_cpu) {
            global.bfd.cpus.push_back(static_cast<unsigned>(cpu->value));
        } else {
            context.reporter.error(node.line(), node.word(index), "'bfd_cpu_affinity' takes numbers of CPUs, not '" + std::string(node.word(index)) + "': ignored");
        }
    }
}

constexpr HandlerTable<Handler>::Row handler_rows[] = {
    {"router_id", [](Context& c, GlobalDefinitions& g, const Node& n) { g.router_id = c.texts.intern(n.word(1)); }},
    {"notification_email", read_emails},
    {"notification_email_from", read_email_from},
    {"smtp_server", read_smtp_server},
    {"smtp_connect_timeout", [](Context&, GlobalDefinitions& g, const Node& n) { g.smtp_connect_timeout = std::chrono::seconds{std::max(1u, number_of(n))}; }},
    {"smtp_helo_name", read_helo_name},
    {"smtp_alert", [](Context& c, GlobalDefinitions&, const Node& n) { c.global_draft.smtp_alert = flag_of(n); }},
    {"smtp_alert_vrrp", [](Context& c, GlobalDefinitions&, const Node& n) { c.global_draft.smtp_alert_vrrp = flag_of(n); }},
    {"no_email_faults", [](Context&, GlobalDefinitions& g, const Node&) { g.no_email_faults = true; }},
    {"notify_fifo", [](Context& c, GlobalDefinitions& g, const Node& n) { read_fifo(c, g.notify_fifo, n); }},
    {"notify_fifo_script", [](Context& c, GlobalDefinitions& g, const Node& n) { g.notify_fifo.reader = read_command(c, n); }},
    {"vrrp_notify_fifo", [](Context& c, GlobalDefinitions& g, const Node& n) { read_fifo(c, g.vrrp_notify_fifo, n); }},
    {"vrrp_notify_fifo_script", [](Context& c, GlobalDefinitions& g, const Node& n) { g.vrrp_notify_fifo.reader = read_command(c, n); }},
    {"vrrp_notify_priority_changes", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_notify_priority_changes = flag_of(n); }},
    {"fifo_write_vrrp_states_on_reload", [](Context&, GlobalDefinitions& g, const Node&) { g.fifo_write_vrrp_states_on_reload = true; }},
    {"enable_script_security", [](Context&, GlobalDefinitions& g, const Node&) { g.enable_script_security = true; }},
    {"script_user", read_script_user},
    {"vrrp_version", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_version = static_cast<VrrpVersion>(number_of(n)); }},
    {"vrrp_strict", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_strict = flag_of(n); }},
    {"vrrp_skip_check_adv_addr", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_skip_check_adv_addr = flag_of(n); }},
    {"vrrp_check_unicast_src", [](Context&, GlobalDefinitions& g, const Node&) { g.vrrp_check_unicast_src = true; }},
    {"v3_checksum_as_v2", [](Context&, GlobalDefinitions& g, const Node& n) { g.v3_checksum_as_v2 = flag_of(n); }},
    {"vrrp_deleted_address", [](Context&, GlobalDefinitions& g, const Node& n) { g.steps_back_when_address_deleted = n.word(1) == "step_back"; }},
    {"vrrp_lower_prio_no_advert", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_lower_prio_no_advert = flag_of(n); }},
    {"vrrp_higher_prio_send_advert", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_higher_prio_send_advert = flag_of(n); }},
    {"vrrp_owner_ignore_adverts", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_owner_ignore_adverts = flag_of(n); }},
    {"vrrp_down_timer_adverts", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_down_timer_adverts = static_cast<std::uint8_t>(number_of(n)); }},
    {"vrrp_mcast_group4", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_mcast_group4 = *read_address(n.word(1)); }},
    {"vrrp_mcast_group6", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_mcast_group6 = *read_address(n.word(1)); }},
    {"vrrp_garp_interval", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_garp_interval = seconds_of(n); }},
    {"vrrp_gna_interval", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_gna_interval = seconds_of(n); }},
    {"vrrp_garp_master_delay", set_delay},
    {"vrrp_garp_master_repeat", set_repeat},
    {"vrrp_garp_master_refresh", set_refresh},
    {"vrrp_garp_master_refresh_repeat", set_refresh_repeat},
    {"vrrp_garp_lower_prio_delay", [](Context& c, GlobalDefinitions&, const Node& n) { c.global_draft.lower_prio_delay = number_of(n); }},
    {"vrrp_garp_lower_prio_repeat", [](Context& c, GlobalDefinitions&, const Node& n) { c.global_draft.lower_prio_repeat = number_of(n); }},
    {"vrrp_garp_extra_if", [](Context& c, GlobalDefinitions& g, const Node& n) { read_extra_refresh(c, g.announcements, n, 1); }},
    {"vrrp_vmac_garp_intvl", [](Context& c, GlobalDefinitions& g, const Node& n) { read_extra_refresh(c, g.announcements, n, 1); }},
    {"vrrp_min_garp", set_min_garp},
    {"vrrp_startup_delay", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_startup_delay = seconds_of(n); }},
    {"vrrp_delay_after_boot", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_delay_after_boot = seconds_of(n); }},
    {"log_unknown_vrids", [](Context&, GlobalDefinitions& g, const Node&) { g.log_unknown_vrids = true; }},
    {"vrrp_priority", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_priority = static_cast<std::int8_t>(read_number(n.word(1))->value); }},
    {"vrrp_rt_priority", [](Context&, GlobalDefinitions& g, const Node& n) { g.vrrp_rt_priority = static_cast<std::uint8_t>(number_of(n)); }},
    {"vrrp_no_swap", [](Context&, GlobalDefinitions& g, const Node&) { g.vrrp_no_swap = true; }},
    {"bfd_process_name", [](Context& c, GlobalDefinitions& g, const Node& n) { g.bfd.name = c.texts.intern(n.word(1)); }},
    {"bfd_priority", [](Context&, GlobalDefinitions& g, const Node& n) { g.bfd.nice = static_cast<std::int8_t>(read_number(n.word(1))->value); }},
    {"bfd_rt_priority", [](Context&, GlobalDefinitions& g, const Node& n) { g.bfd.rt_priority = static_cast<std::uint8_t>(number_of(n)); }},
    {"bfd_no_swap", [](Context&, GlobalDefinitions& g, const Node&) { g.bfd.no_swap = true; }},
    {"bfd_rlimit_rttime", set_bfd_rttime},
    {"bfd_rlimit_rtime", set_bfd_rttime},
    {"bfd_cpu_affinity", read_bfd_cpus},
    {"vmac_prefix", [](Context& c, GlobalDefinitions& g, const Node& n) { g.vmac_prefix = c.texts.intern(n.word(1)); }},
    {"vmac_addr_prefix", [](Context& c, GlobalDefinitions& g, const Node& n) { g.vmac_addr_prefix = c.texts.intern(n.word(1)); }},
    {"vmac_mode", [](Context&, GlobalDefinitions& g, const Node& n) { g.vmac_mode = read_vmac_mode(n.word(1)); }},
    {"nftables", read_nftables_table},
    {"nftables_priority", [](Context&, GlobalDefinitions& g, const Node& n) { g.nftables.priority = static_cast<std::int32_t>(read_number(n.word(1))->value); }},
    {"nftables_ifindex", [](Context&, GlobalDefinitions& g, const Node&) { g.nftables.by_interface_index = true; }},
    {"nftables_counters", [](Context&, GlobalDefinitions& g, const Node&) { g.nftables.has_counters = true; }},
    {"enable_snmp_vrrp", [](Context&, GlobalDefinitions& g, const Node&) { g.snmp.vrrp = true; }},
    {"enable_snmp_keepalived", [](Context&, GlobalDefinitions& g, const Node&) { g.snmp.vrrp = true; }},
    {"enable_snmp_rfc", [](Context&, GlobalDefinitions& g, const Node&) { g.snmp.rfc2787 = g.snmp.rfc6527 = true; }},
    {"enable_snmp_rfcv2", [](Context&, GlobalDefinitions& g, const Node&) { g.snmp.rfc2787 = true; }},
    {"enable_snmp_rfcv3", [](Context&, GlobalDefinitions& g, const Node&) { g.snmp.rfc6527 = true; }},
    {"enable_traps", [](Context&, GlobalDefinitions& g, const Node&) { g.snmp.traps = true; }},
    {"snmp_socket", [](Context& c, GlobalDefinitions& g, const Node& n) { g.snmp.socket = c.texts.intern(n.word(1)); }},
    {"default_interface", [](Context& c, GlobalDefinitions& g, const Node& n) { g.default_interface = c.texts.intern(n.word(1)); }},
    {"iproute_usr_dir", [](Context& c, GlobalDefinitions& g, const Node& n) { g.iproute_usr_dir = c.texts.intern(n.word(1)); }},
    {"iproute_etc_dir", [](Context& c, GlobalDefinitions& g, const Node& n) { g.iproute_etc_dir = c.texts.intern(n.word(1)); }},
    {"dynamic_interfaces", [](Context& c, GlobalDefinitions&, const Node& n) { read_dynamic_interfaces(c, n); }},
    {"json_version", [](Context&, GlobalDefinitions& g, const Node& n) { g.json_version = static_cast<std::uint8_t>(number_of(n)); }},
    {"state_dump_file", [](Context& c, GlobalDefinitions& g, const Node& n) { g.state_dump_file = c.texts.intern(n.word(1)); }},
    {"stats_dump_file", [](Context& c, GlobalDefinitions& g, const Node& n) { g.stats_dump_file = c.texts.intern(n.word(1)); }},
    {"json_dump_file", [](Context& c, GlobalDefinitions& g, const Node& n) { g.json_dump_file = c.texts.intern(n.word(1)); }},
    {"data_use_instance", [](Context&, GlobalDefinitions& g, const Node& n) { g.data_use_instance = flag_of(n); }},
    {"random_seed", [](Context&, GlobalDefinitions&, const Node&) {}},  // the preprocessor has taken it
    {"include_check", read_include_check},                            // and this one
};

/// Keywords whose value an instance has copied already when they come behind it.
bool is_copied_when_block_opens(std::string_view name) {
    return name.starts_with("vrrp_garp_master") || name.starts_with("vrrp_garp_lower") || name == "vrrp_min_garp" || name == "vrrp_garp_extra_if" || name == "vrrp_vmac_garp_intvl" ||
           name == "vrrp_down_timer_adverts" || name == "v3_checksum_as_v2" || name == "vrrp_skip_check_adv_addr";
}

}  // namespace

void read_global_definitions(Context& context, const Node& block) {
    static const HandlerTable<Handler> handlers(rows::global_keywords(), handler_rows);
    GlobalDefinitions& global = context.configuration.global;
    block.for_each_child([&](const Node& node) {
        const Statement& statement = node.statement();
        if (statement.is_deaf) return;
        report_deprecated(context.reporter, node);
        if (!check_arguments(context.reporter, node)) return;
        const Handler handler = handlers.find(statement.keyword);
        if (handler != nullptr) handler(context, global, node);
        else {
            read_process_keyword(context, node);
            read_lvs_keyword(context, node);
        }
        if (statement.keyword->status == Status::later) report_later(context.reporter, node);
        if (!context.configuration.instances.empty() && is_copied_when_block_opens(statement.keyword->name)) {
            context.reporter.note(node.line(), node.word(0), "this default does not reach the instances above it", "put global_defs first");
        }
    });
}

}  // namespace vigil::config
