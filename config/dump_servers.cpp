/// The load balancer's half of the dump. Everything stands where it takes effect: what a checker has inherited is written into it, so that each block
/// can be read by itself.

#include <type_traits>

#include "config/dump_writer.h"

namespace vigil::config {

namespace {

std::string_view on_off(bool value) { return value ? "on" : "off"; }

std::string with_port(const IpAddress& address, std::uint16_t port) { return to_string(address) + ' ' + std::to_string(port); }

void write_notify(Writer& out, std::string_view keyword, const std::optional<NotifyScript>& script) {
    if (script) out.line(keyword, quoted_command(script->command) + owner_of(*script));
}

void write_word(Writer& out, std::string_view keyword, std::string_view word) {
    if (!word.empty()) out.line(keyword, quoted(word));
}

std::string hexadecimal(std::uint8_t octet) {
    constexpr std::string_view digits = "0123456789abcdef";
    return {digits[octet >> 4], digits[octet & 0xf]};
}

void write_connection(Writer& out, const CheckConnection& connection) {
    if (connection.connect_ip) out.line("connect_ip", to_string(*connection.connect_ip));
    if (connection.connect_port != 0) out.number("connect_port", connection.connect_port);
    if (connection.bind_address) out.line("bindto", to_string(*connection.bind_address));
    if (connection.bind_port != 0) out.number("bind_port", connection.bind_port);
    write_word(out, "bind_if", connection.bind_interface);
    out.line("connect_timeout", seconds_text(connection.connect_timeout));
    if (connection.mark != 0) out.number("fwmark", connection.mark);
}

void write_schedule(Writer& out, const CheckSchedule& schedule) {
    out.number("retry", schedule.retry);
    out.line("delay_before_retry", seconds_text(schedule.delay_before_retry));
    out.line("warmup", seconds_text(schedule.warmup));
    out.line("delay_loop", seconds_text(schedule.delay_loop));
    out.line("alpha", on_off(schedule.alpha));
    if (schedule.log_all_failures) out.line("log_all_failures", on_off(*schedule.log_all_failures));
}

/// The pattern as a word of a command keyword: what is neither a letter nor a digit by its number, so that nothing ends the word or the line.
std::string escaped(std::string_view pattern) {
    std::string text;
    for (const char c : pattern) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view(" .*+?()[]|^/_-:,=<>").find(c) != std::string_view::npos;
        if (is_plain) text += c;
        else text += "\\x" + hexadecimal(static_cast<std::uint8_t>(c));
    }
    return quoted(text);
}

void write_regex(Writer& out, const RegexSettings& regex) {
    out.line("regex", escaped(regex.pattern));
    out.flag("regex_no_match", regex.must_not_match);
    std::string options;
    for (unsigned i = 0; i < static_cast<unsigned>(RegexOption::count); ++i) {
        if (regex.has(static_cast<RegexOption>(i))) options += (options.empty() ? "" : " ") + std::string(name_of(static_cast<RegexOption>(i)));
    }
    out.text("regex_options", options);
    if (regex.min_offset != 0) out.number("regex_min_offset", regex.min_offset);
    if (regex.max_offset) out.number("regex_max_offset", *regex.max_offset);
    if (regex.stack_max != 0) out.line("regex_stack", std::to_string(regex.stack_start) + ' ' + std::to_string(regex.stack_max));
}

void write_url(Writer& out, const HttpUrl& url, bool tls) {
    out.block("url");
    write_word(out, "path", url.path);
    if (url.digest) {
        std::string digest;
        for (const std::uint8_t octet : *url.digest) digest += hexadecimal(octet);
        out.line("digest", digest);
    }
    std::string codes;
    for (const StatusRange& range : url.status_codes) {
        codes += (codes.empty() ? "" : " ") + std::to_string(range.first) + (range.last != range.first ? '-' + std::to_string(range.last) : "");
    }
    out.text("status_code", codes);
    write_word(out, "virtualhost", url.virtualhost);
    if (url.regex) write_regex(out, *url.regex);
    if (tls) out.line("tls_compliant", on_off(url.tls_compliant));
    out.end();
}

void write_check(Writer&, const TcpCheck&) {}
void write_check(Writer&, const PingCheck&) {}

void write_check(Writer& out, const HttpCheck& check) {
    constexpr std::string_view versions[] = {"1.0", "1.0C", "1.1", "2"};
    out.line("http_protocol", versions[static_cast<std::size_t>(check.version)]);
    out.flag("enable_sni", check.enable_sni);
    write_word(out, "sni_name", check.sni_name);
    out.flag("tls_verify", check.verifies_peer);
    out.flag("fast_recovery", check.fast_recovery);
    for (const HttpUrl& url : check.urls) write_url(out, url, check.tls);
}

void write_check(Writer& out, const SmtpCheck& check) { write_word(out, "helo_name", check.helo_name); }

void write_check(Writer& out, const DnsCheck& check) {
    out.line("type", name_of(check.type));
    write_word(out, "name", check.name);
}

void write_check(Writer& out, const UdpCheck& check) {
    std::string payload;
    for (const std::uint8_t octet : check.payload) payload += hexadecimal(octet);
    out.text("payload", payload);
    std::string reply;
    for (std::size_t i = 0; i < check.reply.size(); ++i) {
        const std::string digits = hexadecimal(check.reply[i]);
        reply += (check.reply_mask[i] & 0xf0) != 0 ? digits[0] : 'x';
        reply += (check.reply_mask[i] & 0x0f) != 0 ? digits[1] : 'x';
    }
    if (check.require_reply) out.line("require_reply", reply);
    out.number("min_reply_length", check.min_reply_length);
    out.number("max_reply_length", check.max_reply_length);
}

void write_check(Writer& out, const MiscCheck& check) {
    out.line("misc_path", quoted_command(check.script.command));
    if (const std::string owner = owner_of(check.script); !owner.empty()) out.line("user", owner.substr(1));
    const bool is_whole = check.timeout % std::chrono::seconds{1} == Nanoseconds{0};
    if (is_whole) out.line("misc_timeout", seconds_text(check.timeout));   // else it is delay_loop, which may have a fraction
    out.flag("misc_dynamic", check.is_dynamic);
}

void write_check(Writer& out, const FileCheck& check) {
    write_word(out, "track_file", check.track_file);
    if (check.weight) out.line("weight", std::to_string(*check.weight) + (check.weight_reverse.value_or(false) ? " reverse" : " noreverse"));
}

void write_check(Writer& out, const BfdCheck& check) { write_word(out, "name", check.name); }

void write_checker(Writer& out, const Checker& checker) {
    out.block(name_of(checker));
    std::visit(
        [&](const auto& check) {
            using Check = std::decay_t<decltype(check)>;
            constexpr bool is_told = std::is_same_v<Check, FileCheck> || std::is_same_v<Check, BfdCheck>;   // others find out for them
            constexpr bool is_script = std::is_same_v<Check, MiscCheck>;
            if constexpr (!is_told && !is_script) write_connection(out, checker.connection);
            if constexpr (!is_told) write_schedule(out, checker.schedule);
            if constexpr (std::is_same_v<Check, BfdCheck>) out.line("alpha", on_off(checker.schedule.alpha));
            write_check(out, check);
        },
        checker.check);
    out.end();
}

void write_real_server(Writer& out, const RealServer& server) {
    const RealServerSettings& settings = *server.settings;
    out.block("real_server", with_port(server.address, server.port));
    out.number("weight", static_cast<std::uint32_t>(server.weight));
    out.line("lvs_method", to_string(settings.forwarding));
    if (settings.upper_threshold != 0) out.number("uthreshold", settings.upper_threshold);
    if (settings.lower_threshold != 0) out.number("lthreshold", settings.lower_threshold);
    out.line("inhibit_on_failure", on_off(settings.inhibit_on_failure));
    out.line("alpha", on_off(settings.alpha));
    if (settings.smtp_alert) out.line("smtp_alert", on_off(*settings.smtp_alert));
    write_notify(out, "notify_up", settings.notify_up);
    write_notify(out, "notify_down", settings.notify_down);
    write_word(out, "snmp_name", server.snmp_name);
    for (const Checker& checker : *server.checkers) write_checker(out, checker);
    out.end();
}

std::string netmask(std::uint8_t length) {
    const std::uint32_t bits = length == 0 ? 0 : 0xffffffffu << (32 - length);
    return to_string(ipv4(static_cast<std::uint8_t>(bits >> 24), static_cast<std::uint8_t>(bits >> 16 & 0xff), static_cast<std::uint8_t>(bits >> 8 & 0xff),
                          static_cast<std::uint8_t>(bits & 0xff)));
}

void write_service(Writer& out, const VirtualServer& service) {
    out.line("lvs_sched", name_of(service.scheduler));
    out.flag("flag-1", service.flag_1);
    out.flag("flag-2", service.flag_2);
    out.flag("flag-3", service.flag_3);
    out.flag("ops", service.one_packet);
    out.line("lvs_method", to_string(service.forwarding));
    out.text("protocol", name_of(service.protocol));
    out.line("ip_family", service.family == Family::ipv6 ? "inet6" : "inet");
    const Persistence& persistence = service.persistence;
    if (persistence.timeout != 0) out.number("persistence_timeout", persistence.timeout);
    if (persistence.granularity != 0) {
        out.line("persistence_granularity", service.family == Family::ipv4 ? netmask(persistence.granularity) : std::to_string(persistence.granularity));
    }
    write_word(out, "persistence_engine", persistence.engine);
    out.number("weight", static_cast<std::uint32_t>(service.weight));
    out.number("quorum", service.quorum);
    out.number("hysteresis", service.hysteresis);
    write_notify(out, "quorum_up", service.quorum_up);
    write_notify(out, "quorum_down", service.quorum_down);
    out.flag("alpha", service.alpha);
    out.flag("omega", service.omega);
    out.flag("ha_suspend", service.ha_suspend);
    out.line("smtp_alert", on_off(service.smtp_alert));
    write_word(out, "snmp_name", service.snmp_name);
    if (!service.sorry_server) return;
    out.line("sorry_server", with_port(service.sorry_server->address, service.sorry_server->port));
    out.line("sorry_server_lvs_method", to_string(service.sorry_server->forwarding));
    out.flag("sorry_server_inhibit", service.sorry_server->inhibit);
}

void write_group(Writer& out, const VirtualServerGroup& group) {
    out.block("virtual_server_group", group.name);
    for (const ServiceRange& range : group.ranges) {
        out.line(to_string(range.first) + (range.last == range.first ? "" : '-' + to_string(range.last)), std::to_string(range.port));
    }
    for (const FirewallMark& mark : group.marks) {
        out.line("fwmark", std::to_string(mark.mark) + (!mark.family ? "" : *mark.family == Family::ipv6 ? " inet6" : " inet"));
    }
    out.end();
}

std::string name_of_service(const VirtualServer& service, const Configuration& all) {
    switch (service.kind) {
        case ServiceKind::address: return with_port(service.address, service.port);
        case ServiceKind::mark: return "fwmark " + std::to_string(service.mark);
        case ServiceKind::group: return "group " + std::string(all.server_groups[service.group].name);
    }
    return {};
}

void write_sync_daemon(Writer& out, const LvsSyncDaemon& daemon) {
    std::string text(daemon.interface);
    if (!daemon.instance.empty()) text += " inst " + std::string(daemon.instance);
    text += " id " + std::to_string(daemon.id);
    if (daemon.max_length != 0) text += " maxlen " + std::to_string(daemon.max_length);
    out.line("lvs_sync_daemon", text + " port " + std::to_string(daemon.port) + " ttl " + std::to_string(daemon.ttl) + " group " + to_string(daemon.group));
}

void write_process(Writer& out, const CheckerProcessSettings& process) {
    if (process.nice) out.line("checker_priority", std::to_string(*process.nice));
    if (process.rt_priority != 0) out.number("checker_rt_priority", process.rt_priority);
    out.flag("checker_no_swap", process.no_swap);
    if (process.rlimit_rttime != 0) out.number("checker_rlimit_rttime", process.rlimit_rttime);
    std::string cpus;
    for (const unsigned cpu : process.cpus) cpus += (cpus.empty() ? "" : " ") + std::to_string(cpu);
    out.text("checker_cpu_affinity", cpus);
    if (process.netlink_command_buffer != 0) out.number("lvs_netlink_cmd_rcv_bufs", process.netlink_command_buffer);
    if (process.netlink_monitor_buffer != 0) out.number("lvs_netlink_monitor_rcv_bufs", process.netlink_monitor_buffer);
}

}  // namespace

void write_lvs_definitions(Writer& out, const LvsDefinitions& lvs) {
    if (lvs.sync_daemon) write_sync_daemon(out, *lvs.sync_daemon);
    std::string timeouts;
    const auto add = [&](std::string_view name, const std::optional<std::uint32_t>& seconds) {
        if (seconds) timeouts += (timeouts.empty() ? "" : " ") + std::string(name) + ' ' + std::to_string(*seconds);
    };
    add("tcp", lvs.timeouts.tcp);
    add("tcpfin", lvs.timeouts.tcp_fin);
    add("udp", lvs.timeouts.udp);
    out.text("lvs_timeouts", timeouts);
    out.flag("lvs_flush", lvs.flush_at_start);
    if (lvs.flush_at_stop != FlushAtStop::servers) out.line("lvs_flush_on_stop", lvs.flush_at_stop == FlushAtStop::services ? "VS" : "");
    write_fifo(out, "lvs_notify_fifo", lvs.notify_fifo);
    out.flag("rs_init_notifies", lvs.notifies_initial_states);
    out.flag("no_checker_emails", lvs.no_checker_emails);
    if (lvs.nftables.is_used) out.line("nftables_ipvs", lvs.nftables.table);
    if (lvs.nftables.priority != NftablesIpvs{}.priority) out.line("nftables_ipvs_priority", std::to_string(lvs.nftables.priority));
    if (lvs.nftables.start_fwmark != NftablesIpvs{}.start_fwmark) out.number("nftables_ipvs_start_fwmark", lvs.nftables.start_fwmark);
    write_process(out, lvs.process);
}

void write_lvs_root(Writer& out, const LvsDefinitions& lvs) {
    if (lvs.has_namespace) out.line("net_namespace_ipvs", lvs.namespace_name);
    if (lvs.tls.where.line == 0) return;
    out.block("SSL");
    if (!lvs.tls.password.empty()) out.line("password", "********");
    write_word(out, "ca", lvs.tls.ca);
    write_word(out, "certificate", lvs.tls.certificate);
    write_word(out, "key", lvs.tls.key);
    out.end();
}

void write_servers(Writer& out, const Configuration& configuration) {
    for (const VirtualServerGroup& group : configuration.server_groups) write_group(out, group);
    for (const VirtualServer& service : configuration.virtual_servers) {
        out.block("virtual_server", name_of_service(service, configuration));
        write_service(out, service);
        for (const RealServer& server : service.real_servers) write_real_server(out, server);
        out.end();
    }
}

}  // namespace vigil::config
